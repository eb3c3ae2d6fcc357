"""The records that are read, and how a client is asked for them."""

from __future__ import annotations

from benches.workloads import arrow, nested, queries
from benches.workloads.base import Workload
from benches.workloads.numeric import MISSING, MIXED, NUMERIC
from benches.workloads.shapes import VECTORS, WIDE

WORKLOADS: dict[str, Workload] = {
    workload.name: workload
    for workload in (
        *(NUMERIC, WIDE, *VECTORS, MISSING, MIXED),
        *(*queries.NUMERICS, *queries.VECTORS),
        *(arrow.TEXTS, arrow.LISTS),
        *(nested.FLAT, nested.NESTED, nested.PATHS),
    )
}
