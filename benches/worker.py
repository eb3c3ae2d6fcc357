"""One client in its own process. run.py sends tasks as JSON lines; the answers are JSON lines."""

from __future__ import annotations

import json
import platform
import sys
import traceback
from typing import Any

import numpy as np

from benches.clients import connect
from benches.tasks.arrow import Arrow
from benches.tasks.batch import Batches
from benches.tasks.beside import Beside
from benches.tasks.flight import Flight
from benches.tasks.matrix import Matrices
from benches.tasks.queries import Queries
from benches.workloads import WORKLOADS


class Worker:
    def __init__(self, name: str, hosts: list[tuple[str, int]]) -> None:
        self.client = connect(name, hosts)
        self.batches = Batches(self.client)
        self.arrow = Arrow(self.client)
        self.queries = Queries(self.client)
        self.flight = Flight(self.client)
        self.beside = Beside(self.client, self.flight)
        self.matrices = Matrices(self.client, self.flight)

    def about(self) -> dict[str, Any]:
        return {
            "version": self.client.version,
            "python": platform.python_version(),
            "numpy": np.__version__,
        }

    def load(self, workload: str, count: int) -> dict[str, Any]:
        which = WORKLOADS[workload]
        for number in filter(which.there, range(count)):
            self.client.put(which.key(number), which.values(number))
        return {}

    def answer(self, do: str, arguments: dict[str, Any]) -> dict[str, Any]:
        owner, _, name = do.rpartition(".")
        task = getattr(getattr(self, owner) if owner else self, name)
        try:
            figures: dict[str, Any] = task(**arguments)
        # An error of a client is a result: note it and go on with the run.
        except Exception as error:  # noqa: BLE001
            traceback.print_exc()
            return {"error": f"{type(error).__name__}: {str(error).strip()[:300]}"}
        return figures

    def close(self) -> None:
        self.flight.close()
        self.client.close()


def main() -> None:
    # A client may print; keep that out of the answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    name, hosts = sys.argv[1], [(host, int(port)) for host, port in json.loads(sys.argv[2])]
    worker = Worker(name, hosts)
    print(json.dumps(worker.about()), file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        answer = worker.answer(request.pop("do"), request)
        print(json.dumps(answer), file=answers, flush=True)
    worker.close()


if __name__ == "__main__":
    main()
