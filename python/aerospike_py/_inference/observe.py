"""Statistics of bins, by type of value. Their size does not depend on the number of records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..values import GeoJSON, HyperLogLog

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..records import Key, Record

EXAMPLES = 3
# Bounds the recursion. Useful arrays have fewer dimensions, and structs of a dtype nest no deeper.
MAX_DEPTH = 16
#: The most keys of maps that become fields of a struct. Maps with more are rather tables than records.
MAX_KEYS = 64


class Numbers:
    """Statistics of integers, floats and bools: the values of a bin, or the elements of its lists."""

    def __init__(self) -> None:
        self.counts = {"integer": 0, "float": 0, "bool": 0}
        self.low: int | float | None = None
        self.high: int | float | None = None
        # Without floats: these decide how wide an integer field must be.
        self.low_integer = 0
        self.high_integer = 0
        self.inexact_as_f8 = 0

    def add(self, value: float) -> None:
        if isinstance(value, bool):
            self.counts["bool"] += 1
            return
        if isinstance(value, int):
            first = not self.counts["integer"]
            self.counts["integer"] += 1
            self.low_integer = value if first else min(self.low_integer, value)
            self.high_integer = value if first else max(self.high_integer, value)
            self.inexact_as_f8 += int(float(value)) != value
        else:
            self.counts["float"] += 1
            if value != value:  # NaN is neither smallest nor largest
                return
        self.low = value if self.low is None else min(self.low, value)
        self.high = value if self.high is None else max(self.high, value)

    @property
    def types(self) -> set[str]:
        return {name for name, count in self.counts.items() if count}


class ByteStrings:
    """Statistics of strings, blobs, GeoJSON and sketches, as bytes."""

    def __init__(self) -> None:
        self.shortest: int | None = None
        self.longest = 0
        self.end_with_nul = 0

    def add(self, value: bytes) -> None:
        length = len(value)
        self.shortest = length if self.shortest is None else min(self.shortest, length)
        self.longest = max(self.longest, length)
        self.end_with_nul += value.endswith(b"\0")


class Lists:
    """Statistics of lists: whether all are arrays of numbers of the same shape."""

    def __init__(self) -> None:
        self.shortest: int | None = None
        self.longest = 0
        self.shape: tuple[int, ...] | None = None
        #: Why they are not, from the first such list.
        self.not_array: str | None = None
        self.has_maps = False
        self.elements = Numbers()

    def add(self, value: list[Any]) -> None:
        self.shortest = len(value) if self.shortest is None else min(self.shortest, len(value))
        self.longest = max(self.longest, len(value))
        if self.not_array is not None:
            return
        try:
            shape = self._add_elements(value, 1)
            if self.shape is not None and shape != self.shape:
                raise _NotArrayError(f"their shapes differ: {self.shape} and {shape}")
        except _NotArrayError as error:
            self.not_array = str(error)
        else:
            self.shape = shape

    def _add_elements(self, value: list[Any], depth: int) -> tuple[int, ...]:
        if not value:
            raise _NotArrayError("some are empty")
        if depth > MAX_DEPTH:
            raise _NotArrayError(f"they are nested more than {MAX_DEPTH} deep")
        if not isinstance(value[0], list):
            for element in value:
                if not isinstance(element, (int, float)):
                    self.has_maps = isinstance(element, dict)
                    raise _NotArrayError(f"they have elements of type {kind_of(element)}")
                self.elements.add(element)
            return (len(value),)
        shapes = set()
        for element in value:
            if not isinstance(element, list):
                raise _NotArrayError("they mix lists and other elements")
            shapes.add(self._add_elements(element, depth + 1))
        if len(shapes) > 1:
            raise _NotArrayError("their inner lists differ in length")
        return (len(value), *shapes.pop())


class _NotArrayError(Exception):
    """A list is not an array of numbers."""


class Maps:
    """Statistics of maps: of the values of each key, if there are few keys and all are strings."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.count = 0
        #: By key, in the order of the first maps that have them. Empty if the maps are no structs.
        self.keys: dict[str, ObservedBin] = {}
        #: Why they are no structs, and a key of such a map.
        self.not_struct: tuple[str, Any] | None = None

    def add(self, key: Key, value: dict[Any, Any]) -> None:
        self.count += 1
        if self.not_struct is not None:
            return
        if self.depth > MAX_DEPTH:
            self.not_struct = f"maps nest more than {MAX_DEPTH} deep", next(iter(value), None)
            return
        for name, inner in value.items():
            if not isinstance(name, str):
                self._give_up(f"maps have keys of type {kind_of(name)}", name)
                return
            seen = self.keys.get(name)
            if seen is None:
                if len(self.keys) == MAX_KEYS:
                    self._give_up(f"maps have more than {MAX_KEYS} different keys", name)
                    return
                seen = self.keys[name] = ObservedBin(self.depth)
            if inner is not None:  # nil is a missing value
                seen.add(key, inner)

    def _give_up(self, why: str, key: Any) -> None:
        self.not_struct = why, key
        self.keys = {}


class ObservedBin:
    """Statistics of a bin over all records, or of the values of a key in its maps.

    ``depth`` is the number of maps around the values.
    """

    def __init__(self, depth: int = 0) -> None:
        self.types: dict[str, int] = {}
        self.examples: dict[str, list[Key]] = {}
        self.numbers = Numbers()
        self.bytes = ByteStrings()
        self.lists = Lists()
        self.maps = Maps(depth + 1)

    @property
    def count(self) -> int:
        return sum(self.types.values())

    def add(self, key: Key, value: object) -> None:
        kind = kind_of(value)
        self.types[kind] = self.types.get(kind, 0) + 1
        examples = self.examples.setdefault(kind, [])
        if len(examples) < EXAMPLES:
            examples.append(key)
        if isinstance(value, (int, float)):
            self.numbers.add(value)
        elif isinstance(value, list):
            self.lists.add(value)
        elif isinstance(value, str):
            self.bytes.add(value.encode())
        elif isinstance(value, GeoJSON):
            self.bytes.add(value.dumps().encode())
        elif isinstance(value, bytes):
            self.bytes.add(value)
        elif isinstance(value, dict):
            self.maps.add(key, value)


class ObservedRecords:
    """Statistics of the bins of records."""

    def __init__(self) -> None:
        self.records = 0
        self.bins: dict[str, ObservedBin] = {}

    def add(self, records: Iterable[Record | tuple[Any, Any, Any]]) -> None:
        for key, _, bins in records:
            self.records += 1
            for name, value in (bins or {}).items():
                seen = self.bins.get(name)
                if seen is None:
                    seen = self.bins[name] = ObservedBin()
                seen.add(key, value)


def kind_of(value: object) -> str:
    """The server's name for the type of a bin's value."""
    for kind, of_python in _KINDS:
        if isinstance(value, of_python):
            return kind
    return type(value).__name__


# Subclasses come first: a bool is an int, a sketch is bytes.
_KINDS: list[tuple[str, type]] = [
    ("bool", bool),
    ("integer", int),
    ("float", float),
    ("string", str),
    ("HLL", HyperLogLog),
    ("blob", bytes),
    ("GeoJSON", GeoJSON),
    ("list", list),
    ("map", dict),
]
