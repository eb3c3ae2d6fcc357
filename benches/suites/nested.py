"""Features in a map of maps and as bins of their own, into arrays."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import aerospike_py
from benches.suites.batches import measure, sizes
from benches.workloads.nested import FLAT, NESTED, PATHS

if TYPE_CHECKING:
    from benches.bench import Bench


def run(bench: Bench) -> dict[str, Any]:
    workloads = [FLAT]
    # Nested dtypes and paths came together.
    if "paths" in inspect.signature(aerospike_py.Client.batch_read).parameters:
        workloads += [NESTED, PATHS]
    return {
        workload.name: {str(size): measure(bench, workload, size) for size in sizes(bench, workload)}
        for workload in workloads
    }
