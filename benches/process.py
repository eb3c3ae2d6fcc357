"""The measuring processes: one worker per client, and the wire floor program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from benches.environment import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from typing_extensions import Self

    from benches.workloads.base import Key, Workload

Hosts = list[tuple[str, int]]


class Refused(Exception):  # noqa: N818
    """A client cannot do a task."""


class Lines:
    """A process that reads one task per line and answers each with a line of JSON."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str] | None = None) -> None:
        self.client = name
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def send(self, *lines: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("".join(f"{line}\n" for line in lines))
        self._process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.client}: its process ended with code {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer


class Worker(Lines):
    """A worker process with one client."""

    def __init__(self, client: str, python: str, hosts: Hosts) -> None:
        found = dict(os.environ)
        if python != sys.executable:
            # It would lead to this package, which has the other client's module name.
            found.pop("PYTHONPATH", None)
        super().__init__(client, [python, "-m", "benches.worker", client, json.dumps(hosts)], found)
        self.about = self.receive()

    def begin(self, do: str, **arguments: Any) -> None:
        self.send(json.dumps({"do": do, **arguments}))

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        self.begin(do, **arguments)
        return self.receive()


class Floor(Lines):
    """The program of crates/wire-protocol/examples/wire_floor.rs."""

    def __init__(self, program: str, hosts: Hosts) -> None:
        host, port = hosts[0]
        super().__init__("wire-floor", [program, f"{host}:{port}"])

    def prepare_keys(self, keys: Sequence[Key], bins: Sequence[str]) -> None:
        """Batches of these bins of the keys, which may be in several sets."""
        lines = [f"{set_name}\t{key}" for _, set_name, key in keys]
        self.send(f"keys {keys[0][0]} {len(keys)} {','.join(bins)}", *lines)
        self.receive()

    def prepare(self, workload: Workload, count: int) -> None:
        self.prepare_keys(workload.keys(count), workload.bins)

    def prepare_query(self, workload: Workload) -> None:
        """The query of all records of the workload's set, over one connection, as clients send it."""
        self.send(f"query test {workload.sets[0]} {','.join(workload.bins)}")
        self.receive()

    def measure(self, samples: int, calls: int) -> dict[str, Any]:
        """``{connections: {"cpu": [...], "wall": [...]}}``, microseconds."""
        self.send(f"measure {samples} {calls}")
        return self.receive()

    def add(self, taken: dict[str, Any], samples: int, calls: int) -> None:
        """Adds samples to those of each number of connections."""
        for connections, answer in self.measure(samples, calls).items():
            of = taken.setdefault(connections, {"cpu": [], "wall": []})
            of["cpu"] += answer["cpu"]
            of["wall"] += answer["wall"]

    def load(self, workload: Workload, count: int) -> None:
        """Writes the first records of a workload whose bins are formulas and which misses no record."""
        assert workload.columns
        assert not workload.missing
        self.prepare(workload, count)
        self.send(" ".join(["load", *(column.formula() for column in workload.columns)]))
        self.receive()
