"""Five numeric bins a record, string keys: the batch that feature stores and sensor tables read."""

from __future__ import annotations

import numpy as np

from benches.workloads.base import Row, Workload


def row(number: int) -> Row:
    return (
        20.0 + number * 0.125,
        40 + number % 60,
        1013.25 - number * 0.0625,
        1_700_000_000_000 + number,
        number % 7,
    )


NUMERIC = Workload(
    name="numeric",
    title="5 numeric bins a record, string keys",
    set_name="bench_numeric",
    dtype=np.dtype(
        [("temperature", "f8"), ("humidity", "i4"), ("pressure", "f8"), ("stamp", "i8"), ("status", "u1")]
    ),
    row=row,
    sizes=(100, 1_000, 10_000),
)
