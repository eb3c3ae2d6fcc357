"""Queries of whole sets: CPU time, wall time, memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benches.tasks.batch import sample
from benches.tasks.clocks import Peak
from benches.workloads import WORKLOADS

if TYPE_CHECKING:
    from benches.clients.base import Array, Client, Read
    from benches.workloads.base import Workload


def array_of(result: Any) -> Array:
    """The structured array of a result."""
    array: Array = getattr(result, "batch_records", result)
    return array


def held(result: Any) -> int:
    """The bytes of a result: its arrays, and a bit for each cell."""
    array = array_of(result)
    other = [getattr(result, name, None) for name in ("meta", "digests")]
    bits = len(array) * -(-len(array.dtype.names or ()) // 8) if result is not array else 0
    return int(array.nbytes) + sum(int(found.nbytes) for found in other if found is not None) + bits


def in_order(array: Array) -> Array:
    """Records of a query come in no order; a field of each workload tells them apart."""
    names = array.dtype.names or ()
    values = array["stamp"] if "stamp" in names else array[names[0]][:, 0]
    return array[np.argsort(values)]


class Queries:
    def __init__(self, client: Client) -> None:
        self._client = client
        self._reads: dict[tuple[str, str], Read] = {}

    def prepare(self, workload: str, count: int, kind: str) -> dict[str, Any]:
        """Creates a query, runs it once and checks what it reads.

        ``kind`` is ``array``; ``results``, a list of Python records; ``foreach``, a call for each record,
        which looks at a bin.
        """
        which = WORKLOADS[workload]
        read = self._client.query(which, kind)
        self._check(which, kind, count, read())
        self._reads[workload, kind] = read
        return {}

    def _check(self, workload: Workload, kind: str, count: int, result: Any) -> None:
        if kind == "array":
            np.testing.assert_array_equal(in_order(array_of(result)), workload.expected(count))
        else:
            found = result if kind == "foreach" else len(result)
            assert found == count, f"{found} of {count} records came"

    def measure(self, workload: str, kind: str, samples: int, calls: int) -> dict[str, Any]:
        taken = [sample(self._reads[workload, kind], calls) for _ in range(samples)]
        return {"cpu": [cpu for cpu, _ in taken], "wall": [wall for _, wall in taken]}

    def memory(self, workload: str, kind: str) -> dict[str, Any]:
        """Peak memory of the first large query of a process, and what its result takes of it."""
        self._client.query(WORKLOADS["query-200"], kind)()
        read = self._client.query(WORKLOADS[workload], kind)
        peak = Peak()
        result = read()
        extra = peak.extra()
        return {"peak": extra, "result": held(result) if kind == "array" else None}
