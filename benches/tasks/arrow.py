"""Batches into Arrow columns: CPU time, wall time, memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benches.tasks.batch import sample
from benches.tasks.clocks import Peak
from benches.workloads import WORKLOADS

if TYPE_CHECKING:
    from benches.clients.base import Client, Read


class Arrow:
    def __init__(self, client: Client) -> None:
        self._client = client
        self._reads: dict[str, Read] = {}

    def _reader(self, workload: str, count: int) -> Read:
        make: Any = getattr(self._client, "arrow", None)
        if make is None:
            raise NotImplementedError("no way into Arrow columns")
        read: Read = make(WORKLOADS[workload], count)
        return read

    def prepare(self, workload: str, count: int) -> dict[str, Any]:
        """Creates a reader, runs it once and checks what it reads."""
        import pyarrow as pa

        read = self._reader(workload, count)
        table = pa.table(read())
        which = WORKLOADS[workload]
        assert table.num_rows == count
        for number in (0, count // 2, count - 1):
            found = table.slice(number, 1).to_pylist()[0]
            assert found == which.values(number), (number, found)
        self._reads[workload] = read
        return {}

    def measure(self, workload: str, samples: int) -> dict[str, Any]:
        taken = [sample(self._reads[workload], 1) for _ in range(samples)]
        return {"cpu": [cpu for cpu, _ in taken], "wall": [wall for _, wall in taken]}

    def memory(self, workload: str, count: int) -> dict[str, Any]:
        """Peak memory of the first large batch of a process, and what its columns take of it."""
        import pyarrow as pa

        self._reader(workload, 100)()
        read = self._reader(workload, count)
        peak = Peak()
        result = read()
        extra = peak.extra()
        return {"peak": extra, "result": pa.table(result).nbytes}
