"""One batch after another: CPU time, wall time, memory."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from benches.tasks.clocks import Peak, cpu_seconds
from benches.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Callable

    from benches.clients.base import Client, Read


def sample(call: Callable[[], object], calls: int) -> tuple[float, float]:
    """CPU and wall microseconds per call, freeing the result included."""
    cpu, wall = cpu_seconds(), perf_counter()
    for _ in range(calls):
        call()
    cpu, wall = cpu_seconds() - cpu, perf_counter() - wall
    return round(cpu / calls * 1e6, 1), round(wall / calls * 1e6, 1)


def keyed(count: int) -> Any:
    """Keys and five numeric fields, as an array."""
    source = WORKLOADS["numeric"]
    array = np.zeros(count, [("_key", "i8"), *((name, source.dtype[name].str) for name in source.bins)])
    array["_key"] = np.arange(count)
    expected = source.expected(count)
    for name in source.bins:
        array[name] = expected[name]
    return array


def repeated(call: Callable[[], object], samples: int) -> dict[str, Any]:
    """Samples of a call, after a first one that is not counted."""
    call()
    taken = [sample(call, 1) for _ in range(samples)]
    return {"cpu": [cpu for cpu, _ in taken], "wall": [wall for _, wall in taken]}


class Batches:
    def __init__(self, client: Client) -> None:
        self._client = client
        self._reads: dict[str, Read] = {}

    def prepare(self, workload: str, count: int, kind: str, warm: int) -> dict[str, Any]:
        """Creates a reader, warms it up and checks that it reads the right values.

        ``kind`` is ``array``; ``records``, Python records; ``touched``, those with their bins looked at.
        """
        which = WORKLOADS[workload]
        makers = {
            "array": self._client.reader,
            "records": self._client.records,
            "touched": self._client.touched,
        }
        # Keys of earlier sizes would only take memory.
        self._reads.pop(kind, None)
        read = makers[kind](which, count)
        self._reads[kind] = read
        for _ in range(warm):
            result = read()
        if kind == "array":
            np.testing.assert_array_equal(result, which.expected(count))
        return {}

    def measure(self, kind: str, samples: int, calls: int) -> dict[str, Any]:
        taken = [sample(self._reads[kind], calls) for _ in range(samples)]
        return {"cpu": [cpu for cpu, _ in taken], "wall": [wall for _, wall in taken]}

    def memory(self, workload: str, count: int) -> dict[str, Any]:
        """Peak memory of the first large batch of a process, its result included."""
        self._client.reader(WORKLOADS[workload], 100)()
        read = self._client.reader(WORKLOADS[workload], count)
        peak = Peak()
        result = read()
        extra = peak.extra()
        return {"peak": extra, "rows": len(result)}

    def write_array(self, count: int, samples: int) -> dict[str, Any]:
        """Records written from an array of keys and five numeric fields."""
        array = keyed(count)
        write: Any = getattr(self._client, "write_array", None)
        if write is None:
            raise NotImplementedError("no batch write from an array")
        return repeated(lambda: write(array, "test", "bench_written", array.dtype), samples)

    def write_table(self, count: int, samples: int) -> dict[str, Any]:
        """The same records, written from an Arrow table."""
        import pyarrow

        array = keyed(count)
        table = pyarrow.table({name: array[name].copy() for name in array.dtype.names or ()})
        write: Any = getattr(self._client, "write_table", None)
        if write is None:
            raise NotImplementedError("no way to write a table")
        return repeated(lambda: write(table, "test", "bench_written"), samples)

    def single(self, operation: str, samples: int, calls: int) -> dict[str, Any]:
        """``get`` or ``put``, one record after another."""
        numeric = WORKLOADS["numeric"]
        client, keys, values = self._client, numeric.keys(100), numeric.values(7)
        if operation == "get":

            def call() -> None:
                for key in keys:
                    client.get(key)
        else:
            keys = [(namespace, "bench_single", key) for namespace, _, key in keys]

            def call() -> None:
                for key in keys:
                    client.put(key, values)

        call()
        taken = [sample(call, max(1, calls // len(keys))) for _ in range(samples)]
        return {
            "cpu": [round(cpu / len(keys), 2) for cpu, _ in taken],
            "wall": [round(wall / len(keys), 2) for _, wall in taken],
        }
