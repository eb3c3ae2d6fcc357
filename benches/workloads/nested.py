"""Twelve features of an entity: in a map of maps, as feature stores keep them, and as bins of their own."""

from __future__ import annotations

from typing import Any

import numpy as np

from benches.workloads.base import Row, Workload

SIZES = (200, 1_000)
BIN = "features"
# Feature views, and the features of each.
VIEWS: dict[str, tuple[tuple[str, str], ...]] = {
    "driver": (
        ("trips", "i8"),
        ("rating", "f8"),
        ("age", "i4"),
        ("km", "f8"),
        ("online", "u1"),
        ("level", "i4"),
    ),
    "rider": (
        ("orders", "i8"),
        ("spent", "f8"),
        ("score", "f8"),
        ("days", "i4"),
        ("tips", "f8"),
        ("class_id", "u1"),
    ),
}


def feature(number: int, position: int, kind: str) -> int | float:
    """The value of a feature of entity ``number``."""
    if kind == "f8":
        return number * 0.5 + position
    return (number * 7 + position) % (256 if kind == "u1" else 1 << 30)


def values(number: int) -> list[int | float]:
    kinds = [kind for features in VIEWS.values() for _, kind in features]
    return [feature(number, position, kind) for position, kind in enumerate(kinds)]


def maps(number: int) -> Row:
    found = iter(values(number))
    return ({view: {name: next(found) for name, _ in features} for view, features in VIEWS.items()},)


def as_cells(row: Row) -> tuple[Any, ...]:
    """A map of maps as NumPy takes it for a nested dtype."""
    return (tuple(tuple(view.values()) for view in row[0].values()),)


def flat_cells(row: Row) -> tuple[Any, ...]:
    return tuple(value for view in row[0].values() for value in view.values())


FLAT_DTYPE = np.dtype([(name, kind) for features in VIEWS.values() for name, kind in features])
NESTED_DTYPE = np.dtype([(BIN, [(view, list(features)) for view, features in VIEWS.items()])])

FLAT = Workload(
    name="features-flat",
    title="12 features of an entity, a bin each",
    sets=("bench_features_flat",),
    dtype=FLAT_DTYPE,
    row=lambda number: tuple(values(number)),
    sizes=SIZES,
)
NESTED = Workload(
    name="features-nested",
    title="12 features of an entity in a map of maps, into a nested dtype",
    sets=("bench_features_nested",),
    dtype=NESTED_DTYPE,
    row=maps,
    sizes=SIZES,
    stored=(BIN,),
    cells=as_cells,
)
PATHS = Workload(
    name="features-paths",
    title="12 features of an entity in a map of maps, into a flat dtype with paths",
    sets=("bench_features_nested",),
    dtype=FLAT_DTYPE,
    row=maps,
    sizes=SIZES,
    stored=(BIN,),
    cells=flat_cells,
    paths={name: (BIN, view, name) for view, features in VIEWS.items() for name, _ in features},
)
