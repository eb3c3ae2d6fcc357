"""Whole sets, as queries read them. Each size has a set of its own, because a query reads all of its set."""

from __future__ import annotations

from dataclasses import replace

from benches.workloads.base import Workload
from benches.workloads.numeric import NUMERIC
from benches.workloads.shapes import vector

# The smallest is for a run that only checks that everything works.
SMALLEST = 200
VECTOR_128 = vector(128, "blob")


def numeric(size: int) -> Workload:
    return replace(
        NUMERIC,
        name=f"query-{size}",
        title=f"a set of {size:,} records with 5 numeric bins",
        sets=(f"bench_query_{size}",),
        sizes=(size,),
    )


def vectors(size: int) -> Workload:
    return replace(
        VECTOR_128,
        name=f"query-vector-{size}",
        title=f"a set of {size:,} records with a vector of 128 float32, stored as a blob",
        sets=(f"bench_query_vector_{size}",),
        sizes=(size,),
    )


NUMERICS = tuple(map(numeric, (SMALLEST, 100_000, 1_000_000)))
VECTORS = tuple(map(vectors, (SMALLEST, 100_000)))
