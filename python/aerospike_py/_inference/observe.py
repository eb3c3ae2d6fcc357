"""What was seen of a bin: counts and bounds by type of value. It does not grow with the records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..values import GeoJSON, HyperLogLog

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..records import Key, Record

EXAMPLES = 3
# Lists nested deeper are no arrays that anybody reads.
DEEPEST = 16


class Numbers:
    """Integers, floats and bools: a bin's, or all elements of its lists."""

    def __init__(self) -> None:
        self.counts = {"integer": 0, "float": 0, "bool": 0}
        self.low: int | float | None = None
        self.high: int | float | None = None
        # Integers alone: a float beside them must not hide how wide they have to be.
        self.low_integer = 0
        self.high_integer = 0
        self.beyond_f8 = 0

    def add(self, value: float) -> None:
        if isinstance(value, bool):
            self.counts["bool"] += 1
            return
        if isinstance(value, int):
            first = not self.counts["integer"]
            self.counts["integer"] += 1
            self.low_integer = value if first else min(self.low_integer, value)
            self.high_integer = value if first else max(self.high_integer, value)
            self.beyond_f8 += int(float(value)) != value
        else:
            self.counts["float"] += 1
            if value != value:  # NaN has no place among them
                return
        self.low = value if self.low is None else min(self.low, value)
        self.high = value if self.high is None else max(self.high, value)

    @property
    def types(self) -> set[str]:
        return {name for name, count in self.counts.items() if count}


class Bytes:
    """Strings, blobs and whatever else is bytes."""

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
    """Lists: whether all are arrays of numbers of one shape."""

    def __init__(self) -> None:
        self.shortest: int | None = None
        self.longest = 0
        self.shape: tuple[int, ...] | None = None
        #: Why they are not, from the first one that is not.
        self.no_array: str | None = None
        self.elements = Numbers()

    def add(self, value: list[Any]) -> None:
        self.shortest = len(value) if self.shortest is None else min(self.shortest, len(value))
        self.longest = max(self.longest, len(value))
        if self.no_array is not None:
            return
        try:
            shape = self._add_elements(value, 1)
            if self.shape is not None and shape != self.shape:
                raise _NoArrayError(f"their shapes differ: {self.shape} and {shape}")
        except _NoArrayError as error:
            self.no_array = str(error)
        else:
            self.shape = shape

    def _add_elements(self, value: list[Any], depth: int) -> tuple[int, ...]:
        if not value:
            raise _NoArrayError("some are empty")
        if depth > DEEPEST:
            raise _NoArrayError(f"they are nested more than {DEEPEST} deep")
        if not isinstance(value[0], list):
            for element in value:
                if not isinstance(element, (int, float)):
                    raise _NoArrayError(f"they have elements of type {kind_of(element)}")
                self.elements.add(element)
            return (len(value),)
        shapes = set()
        for element in value:
            if not isinstance(element, list):
                raise _NoArrayError("they have lists and other elements side by side")
            shapes.add(self._add_elements(element, depth + 1))
        if len(shapes) > 1:
            raise _NoArrayError("lists in them differ in length")
        return (len(value), *shapes.pop())


class _NoArrayError(Exception):
    """Why a list is no array of numbers."""


class Seen:
    """A bin, over all records."""

    def __init__(self) -> None:
        self.types: dict[str, int] = {}
        self.examples: dict[str, list[Key]] = {}
        self.numbers = Numbers()
        self.bytes = Bytes()
        self.lists = Lists()

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


class Observed:
    """The bins of records."""

    def __init__(self) -> None:
        self.records = 0
        self.bins: dict[str, Seen] = {}

    def add(self, records: Iterable[Record | tuple[Any, Any, Any]]) -> None:
        for key, _, bins in records:
            self.records += 1
            for name, value in (bins or {}).items():
                seen = self.bins.get(name)
                if seen is None:
                    seen = self.bins[name] = Seen()
                seen.add(key, value)


def kind_of(value: object) -> str:
    """The type of a bin's value in the server's terms."""
    for kind, of_python in _KINDS:
        if isinstance(value, of_python):
            return kind
    return type(value).__name__


# The more special ones first: a bool is an int, a sketch is bytes.
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
