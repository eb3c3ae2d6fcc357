"""Chooses the field that takes every value of a bin, or of a key in its maps, unchanged.

Maps with few keys become structs: ``build`` makes these from the fields that are chosen here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .observe import ByteStrings, Lists, Numbers, ObservedBin

# Widths of text are rounded up to a multiple of this, because text tends to grow.
ROUND_TO = 8

# Characters of a map's key in a note.
_LONGEST_STEP = 40

_NARROW = [
    ("u1", 0, 2**8),
    ("i1", -(2**7), 2**7),
    ("u2", 0, 2**16),
    ("i2", -(2**15), 2**15),
    ("u4", 0, 2**32),
    ("i4", -(2**31), 2**31),
]

# Seconds since 1970. Integers in this range are taken for times; the ranges of the units do not overlap.
_YEAR_2000 = 946_684_800
_YEAR_2050 = 2_524_608_000
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_UNIT_NAMES = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}


class Chosen(NamedTuple):
    """A field, or why there is none."""

    element: str | None
    shape: tuple[int, ...] = ()
    #: A remark, or why there is no field.
    note: str = ""

    @property
    def notation(self) -> str | None:
        """NumPy's notation: ``f8``, ``S16``, ``(128,)f4``."""
        if self.element is None or not self.shape:
            return self.element
        return f"{str(self.shape).replace(' ', '')}{self.element}"


def choose(path: tuple[str, ...], seen: ObservedBin, *, compact: bool, max_width: int) -> Chosen:
    """The field for values of one kind. ``path`` is the name of the bin, and the keys of maps from there."""
    name = ".".join(path)
    chosen = _choose(path, seen, compact=compact)
    if chosen.element == "i8" and not chosen.shape and not chosen.note and (unit := _time_unit(seen.numbers)):
        note = (
            f"may be times: {_UNIT_NAMES[unit]} since 1970 (a guess, because the server stores no unit); "
            f"fields={{{name!r}: 'M8[{unit}]'}} reads them as such"
        )
        chosen = chosen._replace(note=note)
    elif chosen.element is not None and _is_vector(chosen, seen):
        length = seen.bytes.longest // 4
        note = f"all have the same length; fields={{{name!r}: ('f4', ({length},))}} reads vectors of float32"
        chosen = chosen._replace(note=note)
    if chosen.element is not None and (width := _width(chosen)) > max_width:
        return Chosen(
            None, note=f"the field would take {width} bytes of every row; max_width={width} allows it"
        )
    return chosen


def _choose(path: tuple[str, ...], seen: ObservedBin, *, compact: bool) -> Chosen:
    types = set(seen.types)
    if not types:
        return Chosen(None, note="all values are nil")
    if types <= {"integer", "float", "bool"}:
        return _of_numbers(seen.numbers, compact=compact)
    if len(types) > 1:
        most = max(seen.types, key=lambda kind: seen.types[kind])
        return Chosen(None, note=f"mixed types; {seen.types[most]} of {seen.count} values are {most}")
    (kind,) = types
    if kind == "GeoJSON" and seen.bytes.end_with_nul:
        return Chosen(None, note="GeoJSON that ends with a NUL byte, which an S field drops")
    if kind in ("string", "GeoJSON"):
        return _of_text(seen.bytes, compact=compact)
    if kind in ("blob", "HLL"):
        return _of_blobs(kind, seen.bytes, compact=compact)
    if kind == "list":
        chosen = _of_lists(seen.lists, compact=compact)
        if seen.lists.has_maps:
            return chosen._replace(note=f"{chosen.note}; {read_with_paths((*path, 0), 'lists', 'KEY')}")
        return chosen
    if kind == "map" and seen.maps.not_struct is not None:
        why, key = seen.maps.not_struct
        return Chosen(None, note=f"{why}; {read_with_paths(path, 'maps', *_shown(key))}")
    return Chosen(None, note="all maps are empty" if kind == "map" else f"no field takes a {kind}")


def read_with_paths(path: tuple[str | int, ...], what: str, *key: str) -> str:
    """How to read what has no field; ``key`` is the last step as code, if steps can be such keys."""
    whole = f"whole {what} with get"
    if not key:
        return f"read {whole}"
    steps = ", ".join([*map(repr, path), *key])
    return f"read single values with paths={{'x': ({steps})}}, or {whole}"


def _shown(key: object) -> tuple[str, ...]:
    """A key as a step in code, if steps can be such keys."""
    if isinstance(key, bool) or not isinstance(key, (str, bytes, int)):
        return ()
    return (repr(key) if len(repr(key)) <= _LONGEST_STEP else "KEY",)


def _of_numbers(numbers: Numbers, *, compact: bool) -> Chosen:
    types = numbers.types
    note = "" if len(types) == 1 else f"mixed {', '.join(sorted(types))}"
    if types == {"bool"}:
        return Chosen("?")
    if "float" in types:
        if numbers.inexact_as_f8:
            return Chosen(
                None, note=f"mixed float and integer; integers that f8 would round: {numbers.inexact_as_f8}"
            )
        return Chosen("f8", note=note)
    if numbers.high_integer >= 2**63:
        # In lists: other clients write elements that no bin can hold by itself.
        if numbers.low_integer < 0:
            return Chosen(None, note="integers below 0 and integers of 2**63 or more, for which no field is")
        return Chosen("u8", note=note)
    if not compact:
        return Chosen("i8", note=note)
    # Bools are 0 and 1.
    low = min(numbers.low_integer, 0) if "bool" in types else numbers.low_integer
    high = max(numbers.high_integer, 1) if "bool" in types else numbers.high_integer
    narrow = (kind for kind, lowest, beyond in _NARROW if lowest <= low and high < beyond)
    return Chosen(next(narrow, "i8"), note=note)


def _of_text(seen: ByteStrings, *, compact: bool) -> Chosen:
    longest = max(seen.longest, 1)
    width = longest if compact else -(-longest // ROUND_TO) * ROUND_TO
    if not seen.end_with_nul:
        return Chosen(f"S{width}")
    if seen.shortest == seen.longest:
        return Chosen(f"V{longest}", note="V, because NumPy drops NUL bytes at the end of S")
    return Chosen(
        f"V{width}",
        note="V, because NumPy drops NUL bytes at the end of S; shorter values are padded with NUL",
    )


def _of_blobs(kind: str, seen: ByteStrings, *, compact: bool) -> Chosen:
    if seen.longest and seen.shortest == seen.longest:
        return Chosen(f"V{seen.longest}")
    if kind == "HLL":
        return Chosen(None, note="sketches differ in length, and a V field has one")
    return _of_text(seen, compact=compact)


def _of_lists(lists: Lists, *, compact: bool) -> Chosen:
    if lists.not_array is not None or lists.shape is None:
        return Chosen(None, note=f"lists are not arrays: {lists.not_array}")
    elements = _of_numbers(lists.elements, compact=compact)
    return elements._replace(shape=lists.shape) if elements.element is not None else elements


def _time_unit(numbers: Numbers) -> str | None:
    """The unit in which all integers are times between 2000 and 2050."""
    if numbers.types != {"integer"}:
        return None
    for unit, factor in _PER_SECOND.items():
        if _YEAR_2000 * factor <= numbers.low_integer and numbers.high_integer <= _YEAR_2050 * factor:
            return unit
    return None


def _is_vector(chosen: Chosen, seen: ObservedBin) -> bool:
    """Whether blobs of one length may be vectors of float32."""
    length = seen.bytes.longest
    return set(seen.types) == {"blob"} and chosen.notation == f"V{length}" and length % 4 == 0 and length > 4


def _width(chosen: Chosen) -> int:
    element = chosen.element or ""
    width = 1 if element == "?" else int(element[1:])
    for length in chosen.shape:
        width *= length
    return width
