"""Builds the dtype: a field for each bin, and for maps with few keys a struct of fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..exception import ClientError, ParamError
from .choose import choose
from .observe import MAX_DEPTH, ObservedBin
from .result import InferredBin, InferredDtype, dtype_list

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ..records import Key
    from .observe import ObservedRecords

Path = tuple[str, ...]

# No field is given.
_NOT_GIVEN = object()


def result_of(
    observed: ObservedRecords,
    *,
    compact: bool,
    max_width: int,
    given: Mapping[str, Any],
) -> InferredDtype:
    """The dtype for the statistics of at least one record; ``given`` are the caller's own fields."""
    # The sort is stable: equally frequent bins keep the order in which they were first seen.
    frequent = dict(sorted(observed.bins.items(), key=lambda item: -item[1].count))
    builder = _Builder(observed.records, compact=compact, max_width=max_width)
    inferred, dtype = builder.struct(frequent, given, ())
    return InferredDtype(inferred, observed.records, dtype)


class _Builder:
    """What all fields of a dtype share."""

    def __init__(self, records: int, *, compact: bool, max_width: int) -> None:
        self.records = records
        self.compact = compact
        self.max_width = max_width
        # Names of leaves, with dots. A dtype that has one of them twice is refused.
        self.taken: set[str] = set()

    def struct(
        self, seen: Mapping[str, ObservedBin], given: Mapping[str, Any], above: Path
    ) -> tuple[dict[str, InferredBin], np.dtype[Any]]:
        """The fields for bins or for the keys of maps, in their order."""
        given = _by_name(given, seen, above)
        inferred, fields = {}, []
        # What the sample does not have may have a field all the same.
        for name in [*seen, *(name for name in given if name not in seen)]:
            path = (*above, name)
            found, dtype = self.field(path, seen.get(name) or ObservedBin(), given.get(name, _NOT_GIVEN))
            inferred[name] = found
            if dtype is not None:
                fields.append((name, dtype))
        return inferred, self.dtype(fields)

    def field(self, path: Path, seen: ObservedBin, given: Any) -> tuple[InferredBin, np.dtype[Any] | None]:
        """The field of a bin or of a key in its maps; no dtype if it is left out."""
        import numpy as np

        if not path[-1]:
            what = "the bin's name" if len(path) == 1 else "the key"
            return self.inferred(path, seen, None, f"{what} is empty, and a field needs a name"), None
        if given is None:
            return self.inferred(path, seen, None, _given_note(seen)), None
        if _is_by_key(given):
            return self.of_maps(path, seen, given, _given_note(seen))
        if given is not _NOT_GIVEN:
            return self.given(path, seen, _checked_dtype(path, given))
        if set(seen.types) == {"map"} and seen.maps.keys:
            return self.of_maps(path, seen, {}, "")
        chosen = choose(path, seen, compact=self.compact, max_width=self.max_width)
        if chosen.element is None:
            return self.inferred(path, seen, None, chosen.note), None
        return self.leaf(path, seen, np.dtype((chosen.element, chosen.shape)), chosen.note)

    def of_maps(
        self, path: Path, seen: ObservedBin, given: Mapping[str, Any], note: str
    ) -> tuple[InferredBin, np.dtype[Any] | None]:
        """A struct for the keys of maps."""
        if len(path) > MAX_DEPTH:
            raise ParamError(f"{_argument(path)} nests more than {MAX_DEPTH} deep")
        inner, dtype = self.struct(seen.maps.keys, given, path)
        if not dtype.names:
            note = note or "no key of the maps has a field"
            return self.inferred(path, seen, None, note, inner), None
        left_out = len(inner) - len(dtype.names)
        if left_out and not note:
            note = f"{left_out} of {len(inner)} keys left out"
        return self.inferred(path, seen, str(dtype_list(inner)), note, inner), dtype

    def given(
        self, path: Path, seen: ObservedBin, dtype: np.dtype[Any]
    ) -> tuple[InferredBin, np.dtype[Any] | None]:
        """The field that the caller gave."""
        note = _given_note(seen)
        if dtype.names is None:
            return self.leaf(path, seen, dtype, note)
        inner = {}
        for name in dtype.names:
            below = seen.maps.keys.get(name) or ObservedBin()
            inner[name], kept = self.given((*path, name), below, dtype[name])
            if kept is None:
                raise ParamError(f"{_argument(path)} has the field {name!r}: {inner[name].note}")
        for name, below in seen.maps.keys.items():
            if name not in inner:
                inner[name] = self.inferred((*path, name), below, None, note)
        return self.inferred(path, seen, str(dtype_list(inner)), note, inner), dtype

    def leaf(
        self, path: Path, seen: ObservedBin, dtype: np.dtype[Any], note: str
    ) -> tuple[InferredBin, np.dtype[Any] | None]:
        name = ".".join(path)
        if name in self.taken:
            note = f"another field is called {name} with dots between the names, too"
            return self.inferred(path, seen, None, note), None
        self.taken.add(name)
        return self.inferred(path, seen, _notation(dtype), note), dtype

    def inferred(
        self,
        path: Path,
        seen: ObservedBin,
        field: str | None,
        note: str,
        fields: dict[str, InferredBin] | None = None,
    ) -> InferredBin:
        numbers = seen.numbers if seen.numbers.types else seen.lists.elements
        shortest = [length for length in (seen.bytes.shortest, seen.lists.shortest) if length is not None]
        odd: dict[str, list[Key]] = {}
        # A map that is left out for what is in it is not odd itself.
        if field is None and not fields:
            most = max(seen.types, key=lambda kind: seen.types[kind]) if len(seen.types) > 1 else None
            odd = {kind: keys for kind, keys in seen.examples.items() if kind != most}
        return InferredBin(
            name=".".join(path),
            field=field,
            note=note,
            records=seen.count,
            presence=seen.count / self.records,
            types=dict(sorted(seen.types.items(), key=lambda item: -item[1])),
            minimum=numbers.low,
            maximum=numbers.high,
            shortest=min(shortest, default=None),
            longest=max(seen.bytes.longest, seen.lists.longest) if shortest else None,
            odd=odd,
            fields=fields or {},
        )

    def dtype(self, fields: list[tuple[str, np.dtype[Any]]]) -> np.dtype[Any]:
        import numpy as np

        try:
            return np.dtype(fields)
        except ValueError as error:
            raise ClientError(
                f"a row of {len(fields)} fields is wider than NumPy allows ({error}); "
                f"pass a max_width below {self.max_width}"
            ) from None


def _by_name(given: Mapping[str, Any], seen: Mapping[str, ObservedBin], above: Path) -> dict[str, Any]:
    """Given fields by bin or key: those whose names with dots lead into maps become mappings."""
    by_name: dict[str, Any] = {}
    inside: dict[str, dict[str, Any]] = {}
    for name, field in given.items():
        if not isinstance(name, str):
            raise ParamError(f"{_argument(above)} has the key {name!r}; it must be the key of a map, a str")
        heads = [name[:at] for at, letter in enumerate(name) if letter == "." and name not in seen]
        head = next((head for head in reversed(heads) if head in seen and seen[head].maps.count), None)
        if head is None:
            by_name[name] = field
        else:
            inside.setdefault(head, {})[name[len(head) + 1 :]] = field
    for head, fields in inside.items():
        whole = by_name.setdefault(head, {})
        if not _is_by_key(whole):
            first = next(iter(fields))
            raise ParamError(
                f"fields has both {'.'.join((*above, head))!r} and {'.'.join((*above, head, first))!r}, "
                "which is inside it; give one of them"
            )
        by_name[head] = {**whole, **fields}
    return by_name


def _is_by_key(given: object) -> bool:
    """Whether this maps keys to fields. NumPy has a notation of dtypes that is a mapping, too."""
    return isinstance(given, Mapping) and not {"names", "formats"} <= given.keys()


def _given_note(seen: ObservedBin) -> str:
    return "given by fields" if seen.count else "given by fields; not in the sample"


def _argument(path: Path) -> str:
    return f"fields{''.join(f'[{name!r}]' for name in path)}"


def _checked_dtype(path: Path, given: npt.DTypeLike) -> np.dtype[Any]:
    """The dtype that the caller gave for a field."""
    import numpy as np

    try:
        dtype = np.dtype(given)
    except (TypeError, ValueError) as error:
        raise ParamError(f"{_argument(path)} is {given!r}, which is not a dtype: {error}") from None
    _check_plain(path, dtype, given)
    return dtype


def _check_plain(path: Path, dtype: np.dtype[Any], given: object) -> None:
    if dtype.names is not None:
        for name in dtype.names:
            _check_plain((*path, name), dtype[name], given)
    of_structs = dtype.subdtype is not None and dtype.base.names is not None
    if dtype.hasobject or of_structs or dtype.names == ():
        what = "a plain type, a sub-array of one, or a struct of these"
        raise ParamError(f"{_argument(path)} is {given!r}; it must be {what}")
    if dtype.base.kind in "SV" and dtype.names is None and dtype.base.itemsize == 0:
        raise ParamError(
            f"{_argument(path)} is {given!r}, which has no width; give the number of bytes, as in 'S16'"
        )
    if dtype.base.kind in "UTc":
        what = "integers, floats, bools, times, S<n> (text in UTF-8) and V<n>"
        raise ParamError(f"{_argument(path)} is {given!r}, which no bin can be read into; fields are {what}")


def _notation(dtype: np.dtype[Any]) -> str:
    """NumPy's notation of a leaf: ``f8``, ``S16``, ``(128,)f4``."""
    import numpy as np

    base = dtype.base
    element = "?" if base.kind == "b" else base.str.lstrip("|=<" if np.little_endian else "|=>")
    return f"{str(dtype.shape).replace(' ', '')}{element}" if dtype.shape else element
