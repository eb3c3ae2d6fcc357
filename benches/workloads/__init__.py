"""What is measured: each module here describes records and what a client is asked for."""

from __future__ import annotations

from benches.workloads.base import Workload
from benches.workloads.numeric import NUMERIC

WORKLOADS: dict[str, Workload] = {workload.name: workload for workload in (NUMERIC,)}
