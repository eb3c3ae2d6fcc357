"""A workload as data. Every client gets the same one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

NAMESPACE = "test"

Key = tuple[str, str, str]
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Column:
    """A numeric bin as a formula: ``base + (n % modulo) * step`` in record n.

    A modulo of 0 is none. The wire floor's program writes such records, too, so it knows the same formula.
    """

    name: str
    base: float
    step: float
    modulo: int = 0
    integer: bool = False

    def value(self, number: int) -> int | float:
        value = self.base + (number % self.modulo if self.modulo else number) * self.step
        return int(value) if self.integer else value

    def formula(self) -> str:
        kind = "i" if self.integer else "f"
        return f"{self.name}:{kind}:{self.base}:{self.step}:{self.modulo}"


@dataclass(frozen=True)
class Workload:
    """Records of one kind, read in batches of several sizes."""

    name: str
    title: str
    sets: tuple[str, ...]
    """Record n is in set n modulo their number."""
    dtype: np.dtype[Any]
    row: Callable[[int], Row]
    """The values of record n as they are written, one per field of the dtype."""
    sizes: tuple[int, ...]
    columns: tuple[Column, ...] = ()
    """The same as formulas, if all bins have one."""
    vector: str = ""
    """``blob`` or ``list``: how the only field, a sub-array, is stored."""
    missing: int = 0
    """Every nth record is missing."""
    stored: tuple[str, ...] = ()
    """The bins, if they are not those of the dtype's names."""
    cells: Callable[[Row], tuple[Any, ...]] | None = None
    """A row as NumPy takes it, if its values are maps."""
    paths: dict[str, tuple[str, ...]] | None = None
    """Where in the bins the fields are."""

    @property
    def bins(self) -> tuple[str, ...]:
        assert self.dtype.names is not None
        return self.stored or self.dtype.names

    def there(self, number: int) -> bool:
        return not self.missing or number % self.missing != self.missing - 1

    def key(self, number: int) -> Key:
        return (NAMESPACE, self.sets[number % len(self.sets)], f"sensor_{number}")

    def keys(self, count: int, start: int = 0) -> list[Key]:
        return [self.key(number) for number in range(start, start + count)]

    def names(self, count: int, start: int = 0) -> npt.NDArray[np.bytes_]:
        """The primary keys as an array."""
        return np.array([self.key(number)[2].encode() for number in range(start, start + count)])

    def values(self, number: int) -> dict[str, Any]:
        return dict(zip(self.bins, self.row(number), strict=True))

    def expected(self, count: int) -> npt.NDArray[Any]:
        array = np.zeros(count, dtype=self.dtype)
        for number in range(count):
            if not self.there(number):
                continue
            row = self.row(number)
            if self.vector:
                values = np.frombuffer(row[0], "<f4") if self.vector == "blob" else np.array(row[0], "f4")
                array[self.bins[0]][number] = values
            else:
                array[number] = self.cells(row) if self.cells else row
        return array
