"""A workload as data. Every client is given the same one."""

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
class Workload:
    """Records of one kind, read in batches of several sizes."""

    name: str
    title: str
    set_name: str
    dtype: np.dtype[Any]
    row: Callable[[int], Row]
    """The values of record n, one a field of the dtype."""
    sizes: tuple[int, ...]

    @property
    def bins(self) -> tuple[str, ...]:
        assert self.dtype.names is not None
        return self.dtype.names

    @property
    def records(self) -> int:
        return max(self.sizes)

    def key(self, number: int) -> Key:
        return (NAMESPACE, self.set_name, f"sensor_{number}")

    def keys(self, count: int) -> list[Key]:
        return [self.key(number) for number in range(count)]

    def values(self, number: int) -> dict[str, Any]:
        return dict(zip(self.bins, self.row(number), strict=True))

    def expected(self, count: int) -> npt.NDArray[Any]:
        return np.array([self.row(number) for number in range(count)], dtype=self.dtype)
