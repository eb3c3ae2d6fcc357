#!/usr/bin/env python3
"""Compares batch reads into an array: this package and its peers, in turn, in one run. See README.md.

make bench                            about two minutes
make bench BENCH_ARGS=--quick         a look, about half a minute
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
import sys
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benches import environment, report  # noqa: E402
from benches.workloads import WORKLOADS  # noqa: E402
from benches.workloads.base import Workload  # noqa: E402

if TYPE_CHECKING:
    from typing_extensions import Self

PEERS = ("ours", "aerospike-py", "official", "aerospike-native")
# A sample is as many calls as bring it to some milliseconds.
ROWS_PER_SAMPLE = 5_000


class Process:
    """A worker process with one client."""

    def __init__(self, client: str, python: str, hosts: list[tuple[str, int]]) -> None:
        self.client = client
        command = [python, "-m", "benches.worker", client, json.dumps(hosts)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.about = self._answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.client}: the worker ended with code {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def run(workload: Workload, workers: list[Process], rounds: int, samples: int) -> dict[str, Any]:
    """``figures[size][client]["cpu" or "wall"]``: seconds a call, sample by sample."""
    figures: dict[str, Any] = {}
    for count in workload.sizes:
        for worker in workers:
            worker.ask("prepare", workload=workload.name, count=count)
        taken: dict[str, Any] = {worker.client: {"cpu": [], "wall": []} for worker in workers}
        for _ in range(rounds):
            for worker in workers:
                calls = max(1, ROWS_PER_SAMPLE // count)
                answer = worker.ask(
                    "measure", workload=workload.name, count=count, samples=samples, calls=calls
                )
                for kind in ("cpu", "wall"):
                    taken[worker.client][kind] += answer[kind]
        figures[str(count)] = taken
        print(f"  {count:>6,} keys: done", flush=True)
    return figures


def chosen_clients(names: list[str]) -> tuple[dict[str, str], list[str]]:
    """The Python of each client that can run here, and a note on each that cannot."""
    pythons, notes = {}, []
    for name in names:
        if name == "aerospike-py":
            pythons[name] = environment.peer_python(name)
        elif name == "aerospike-native" and find_spec("aerospike_native") is None:
            notes.append("aerospike-native is left out: it needs Python 3.11")
        else:
            pythons[name] = sys.executable
    return pythons, notes


def hosts_of(text: str) -> list[tuple[str, int]]:
    pairs = (entry.strip().rpartition(":") for entry in text.split(","))
    return [(host, int(port)) for host, _, port in pairs]


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare batch reads into an array with other clients.")
    parser.add_argument("--quick", action="store_true", help="fewer samples")
    parser.add_argument("--clients", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--workloads", nargs="+", choices=list(WORKLOADS), default=list(WORKLOADS))
    parser.add_argument("--out", type=Path, default=ROOT / "benches/results", help="folder of the results")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    rounds, samples = (3, 3) if arguments.quick else (15, 5)
    pythons, notes = chosen_clients(arguments.clients)
    with ExitStack() as stack:
        given = os.environ.get("AEROSPIKE_HOSTS")
        if given:
            hosts, server = hosts_of(given), "the one of AEROSPIKE_HOSTS"
        else:
            from aerospike_py.testing import DevServer

            hosts = stack.enter_context(DevServer()).hosts
            server = "the embedded node, in a process of its own on the same machine"
        print("connecting ...", flush=True)
        workers = [stack.enter_context(Process(name, python, hosts)) for name, python in pythons.items()]
        for name in arguments.workloads:
            workload = WORKLOADS[name]
            print(f"{name}: writing {workload.records:,} records", flush=True)
            # The records are the official client's, whoever is compared.
            with Process("official", sys.executable, hosts) as loader:
                loader.ask("load", workload=name)
            figures = run(workload, workers, rounds, samples)
            result = {
                "title": f"Batch read into an array: {workload.title}",
                "command": " ".join(["make bench", *(["BENCH_ARGS=--quick"] if arguments.quick else [])]),
                "commit": environment.commit(),
                "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
                "server": server,
                "machine": environment.machine(),
                "numpy": workers[0].about["numpy"],
                "versions": {worker.client: worker.about["version"] for worker in workers},
                "samples": rounds * samples,
                "notes": notes,
                "figures_in_microseconds": figures,
            }
            write(result, arguments.out, name)


def write(result: dict[str, Any], folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    # One line a fact, so that a diff of two runs can be read.
    facts = ",\n".join(f" {json.dumps(key)}: {json.dumps(value)}" for key, value in result.items())
    (folder / f"{name}.json").write_text(f"{{\n{facts}\n}}\n", encoding="utf-8")
    text = report.markdown(result)
    (folder / f"{name}.md").write_text(text, encoding="utf-8")
    print(f"\n{text}")


if __name__ == "__main__":
    main()
