"""Features of several sets, which a model takes as one matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benches.workloads.base import NAMESPACE

if TYPE_CHECKING:
    import numpy.typing as npt

    from benches.workloads.base import Key

SETS = ("bench_features_0", "bench_features_1", "bench_features_2")
COLUMNS = tuple(f"feature_{number}" for number in range(12))
DTYPE = np.dtype([(name, "f4") for name in COLUMNS])
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


def text_keys(name: str, count: int) -> list[Key]:
    """Keys of the same records, written once more, for the wire floor, which knows only text as keys.

    A request has digests and no keys, and a record no key, so the bytes are as many as with numbers.
    """
    return [(NAMESPACE, name, str(number)) for number in range(count)]


def expected(count: int, entities: int, start: int = 0) -> npt.NDArray[Any]:
    return np.concatenate(values(entities)[:, start : start + count], axis=1)
