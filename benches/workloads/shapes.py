"""Records of other shapes: many bins, vectors."""

from __future__ import annotations

from functools import partial

import numpy as np

from benches.workloads.base import Column, Row, Workload

WIDE_COLUMNS = tuple(Column(f"f{number}", float(number), 0.5) for number in range(50))


def wide_row(number: int) -> Row:
    return tuple(column.value(number) for column in WIDE_COLUMNS)


WIDE = Workload(
    name="wide",
    title="50 float bins a record",
    sets=("bench_wide",),
    dtype=np.dtype([(column.name, "f8") for column in WIDE_COLUMNS]),
    row=wide_row,
    sizes=(1_000,),
    columns=WIDE_COLUMNS,
)


def vector_row(length: int, stored: str, number: int) -> Row:
    values = (np.arange(length, dtype="f4") + number) * np.float32(0.25)
    return (values.tobytes(),) if stored == "blob" else (values.tolist(),)


def vector(length: int, stored: str) -> Workload:
    return Workload(
        name=f"vector-{length}-{stored}",
        title=f"a vector of {length:,} float32 a record, stored as a {stored}",
        sets=(f"bench_vector_{length}_{stored}",),
        dtype=np.dtype([("embedding", "f4", (length,))]),
        row=partial(vector_row, length, stored),
        sizes=(1_000,),
        vector=stored,
    )


VECTORS = tuple(vector(length, stored) for length in (128, 1_024) for stored in ("blob", "list"))
