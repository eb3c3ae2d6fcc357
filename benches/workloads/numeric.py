"""Five numeric bins per record and string keys, as feature stores and sensor tables read them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benches.workloads.base import Column, Row, Workload

COLUMNS = (
    Column("temperature", 20.0, 0.125),
    Column("humidity", 40, 1, 60, integer=True),
    Column("pressure", 1013.25, -0.0625),
    Column("stamp", 1_700_000_000_000, 1, integer=True),
    Column("status", 0, 1, 7, integer=True),
)


def row(number: int) -> Row:
    return tuple(column.value(number) for column in COLUMNS)


NUMERIC = Workload(
    name="numeric",
    title="5 numeric bins a record, string keys",
    sets=("bench_numeric",),
    dtype=np.dtype(
        [("temperature", "f8"), ("humidity", "i4"), ("pressure", "f8"), ("stamp", "i8"), ("status", "u1")]
    ),
    row=row,
    sizes=(100, 1_000, 10_000, 100_000, 1_000_000),
    columns=COLUMNS,
)

MISSING = replace(
    NUMERIC,
    name="missing",
    title="the same, half of the records not there",
    sets=("bench_missing",),
    sizes=(10_000,),
    missing=2,
)

MIXED = replace(
    NUMERIC,
    name="mixed",
    title="the same, spread over 9 sets",
    sets=tuple(f"bench_mixed_{number}" for number in range(9)),
    sizes=(9_000,),
)
