"""Worker processes: one client each, told what to measure in lines."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benches.workloads.base import Workload

if TYPE_CHECKING:
    from typing_extensions import Self

ROOT = Path(__file__).resolve().parent.parent


class Lines:
    """A process that answers each line with a line of JSON."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.client = name
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.about = self.answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def send(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.client}: the worker ended with code {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer


class Process(Lines):
    """A worker with one Python client."""

    def __init__(self, client: str, python: str, hosts: list[tuple[str, int]]) -> None:
        super().__init__(client, [python, "-m", "benches.worker", client, json.dumps(hosts)])

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        self.send(json.dumps({"do": do, **arguments}))
        return self.answer()


# Connections, and whether each has a thread of its own.
FLOORS = ((1, 0), (4, 0), (4, 1), (8, 0), (8, 1))


class Floor(Lines):
    """The wire floor: crates/aero-io/examples/wire_floor.rs."""

    def __init__(self, program: Path, hosts: list[tuple[str, int]]) -> None:
        host, port = hosts[0]
        super().__init__("floor", [str(program), f"{host}:{port}"])

    def prepare(self, workload: Workload, count: int) -> None:
        prefix = workload.key(0)[2].removesuffix("0")
        self.send(f"prepare {workload.set_name} {prefix} {count} {','.join(workload.bins)}")
        self.answer()

    def measure(self, connections: int, threaded: int, samples: int, calls: int) -> dict[str, Any]:
        self.send(f"measure {connections} {threaded} {samples} {calls}")
        return self.answer()
