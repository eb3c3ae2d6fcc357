"""One client in a process of its own, told by compare.py what to measure: JSON lines in, JSON lines out."""

from __future__ import annotations

import json
import platform
import resource
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

from benches.clients import CLIENTS, Array, Client, Official
from benches.workloads import WORKLOADS


def cpu_seconds() -> float:
    """User and system time of this process, all of its threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def sample(read: Callable[[], Array], calls: int) -> tuple[float, float]:
    """CPU and wall seconds a call. The result is dropped inside: freeing it is part of the price."""
    cpu, wall = cpu_seconds(), perf_counter()
    for _ in range(calls):
        read()
    return (cpu_seconds() - cpu) / calls, (perf_counter() - wall) / calls


class Worker:
    def __init__(self, name: str, hosts: list[tuple[str, int]]) -> None:
        self.client: Client = CLIENTS[name](hosts)
        self.readers: dict[tuple[str, int], Callable[[], Array]] = {}

    def about(self) -> dict[str, Any]:
        return {
            "version": self.client.version,
            "python": platform.python_version(),
            "numpy": np.__version__,
        }

    def load(self, workload: str) -> dict[str, Any]:
        assert isinstance(self.client, Official)
        self.client.load(WORKLOADS[workload])
        return {}

    def prepare(self, workload: str, count: int) -> dict[str, Any]:
        """Makes a reader, warms it up and looks whether it reads the right thing."""
        read = self.client.reader(WORKLOADS[workload], count)
        self.readers[workload, count] = read
        for _ in range(3):
            array = read()
        np.testing.assert_array_equal(array, WORKLOADS[workload].expected(count))
        return {}

    def measure(self, workload: str, count: int, samples: int, calls: int) -> dict[str, Any]:
        """Microseconds a call, sample by sample."""
        read = self.readers[workload, count]
        taken = [sample(read, calls) for _ in range(samples)]
        return {
            "cpu": [round(cpu * 1e6, 1) for cpu, _ in taken],
            "wall": [round(wall * 1e6, 1) for _, wall in taken],
        }


def main() -> None:
    # What a client prints must not get between the answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    name, hosts = sys.argv[1], [(host, int(port)) for host, port in json.loads(sys.argv[2])]
    worker = Worker(name, hosts)
    print(json.dumps(worker.about()), file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        answer = getattr(worker, request.pop("do"))(**request)
        print(json.dumps(answer), file=answers, flush=True)
    worker.client.close()


if __name__ == "__main__":
    main()
