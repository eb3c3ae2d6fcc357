"""Features of several sets, which a model takes as one matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benches.workloads.base import NAMESPACE

if TYPE_CHECKING:
    import numpy.typing as npt

SETS = ("bench_features_0", "bench_features_1", "bench_features_2")
COLUMNS = tuple(f"feature_{number}" for number in range(12))
ENTITIES = 1_000
# Entities of one request of a service.
FEW = 100


def values(entities: int) -> npt.NDArray[np.float32]:
    """The features of all sets, by set, entity and column."""
    generator = np.random.default_rng(21)
    return generator.normal(size=(len(SETS), entities, len(COLUMNS))).astype("f4")


def columns(prefix: str) -> list[tuple[str, tuple[str]]]:
    """The columns of a set, by names that no other set has."""
    return [(f"{prefix}.{name}", (name,)) for name in COLUMNS]


def keys(name: str, count: int, start: int = 0) -> list[tuple[str, str, int]]:
    return [(NAMESPACE, name, number) for number in range(start, start + count)]


def expected(count: int, entities: int, start: int = 0) -> npt.NDArray[Any]:
    return np.concatenate(values(entities)[:, start : start + count], axis=1)
