"""What is read: each module here describes records and what a client is asked for."""

from __future__ import annotations

from benches.workloads.base import Workload
from benches.workloads.numeric import MISSING, MIXED, NUMERIC
from benches.workloads.shapes import VECTORS, WIDE

WORKLOADS: dict[str, Workload] = {
    workload.name: workload for workload in (NUMERIC, WIDE, *VECTORS, MISSING, MIXED)
}
