#!/usr/bin/env python3
"""Reads batches at a steady rate while nodes of a cluster are killed, hang, restart and move partitions.

make bench-availability                           every scenario, this package and the official client
make bench-availability BENCH_ARGS="--scenarios hung --clients ours"

Against a real cluster of three nodes:

AEROSPIKE_HOSTS=... python benches/availability.py --control PROGRAM

where ``PROGRAM kill|restart|pause|resume N`` does that to node N, counted from 0.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import aerospike_py  # noqa: E402
from aerospike_py.testing import DevServer  # noqa: E402
from benches import environment  # noqa: E402
from benches.environment import hosts_of  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

RESULTS = ROOT / "benches/results"
RECORDS = 3_000
BATCH = 300
LOOPS = 4
# Seconds between the starts of two calls of a loop.
PACE = 0.02
SLOW = 0.3
# Seconds that the cluster needs to notice that a node is gone.
DETECTION = 1.5
SET = "availability"
DTYPE = np.dtype([("a", "i8"), ("b", "f8"), ("c", "S8")])


class Nodes(Protocol):
    """What a scenario can do to a cluster."""

    def kill(self, node: int) -> None: ...
    def restart(self, node: int) -> None: ...
    def pause(self, node: int) -> None: ...
    def resume(self, node: int) -> None: ...
    def move_partitions(self, count: int) -> None: ...


class Program:
    """Nodes controlled by a program."""

    def __init__(self, program: str) -> None:
        self._program = program

    def _run(self, order: str, node: int) -> None:
        subprocess.run([self._program, order, str(node)], check=True, stdout=subprocess.DEVNULL)

    def kill(self, node: int) -> None:
        self._run("kill", node)

    def restart(self, node: int) -> None:
        self._run("restart", node)

    def pause(self, node: int) -> None:
        self._run("pause", node)

    def resume(self, node: int) -> None:
        self._run("resume", node)

    def move_partitions(self, count: int) -> None:
        raise SystemExit("partitions of a real cluster move when its nodes come and go; leave out 'moves'")


def steady(_nodes: Nodes) -> None:
    time.sleep(6)


def killed(nodes: Nodes) -> None:
    time.sleep(2)
    nodes.kill(1)
    time.sleep(6)


def hung(nodes: Nodes) -> None:
    time.sleep(2)
    nodes.pause(1)
    time.sleep(6)
    nodes.resume(1)
    time.sleep(2)


def restarted(nodes: Nodes) -> None:
    time.sleep(2)
    nodes.kill(1)
    time.sleep(3)
    nodes.restart(1)
    time.sleep(4)


def rolling(nodes: Nodes) -> None:
    for node in range(3):
        time.sleep(1)
        nodes.kill(node)
        time.sleep(2.5)
        nodes.restart(node)
        time.sleep(3)


def moves(nodes: Nodes) -> None:
    for _ in range(10):
        time.sleep(1)
        nodes.move_partitions(400)


SCENARIOS: dict[str, tuple[str, Callable[[Nodes], None]]] = {
    "steady": ("nothing happens", steady),
    "killed": ("one node is killed", killed),
    "hung": ("one node hangs for 6 s, then resumes", hung),
    "restarted": ("one node is killed and started again 3 s later", restarted),
    "rolling": ("every node in turn is killed and started again", rolling),
    "moves": ("400 of 4,096 partitions change their master each second", moves),
}


@dataclass
class Totals:
    """Totals of the calls of a run."""

    seconds: list[float] = field(default_factory=list)
    rows: int = 0
    lost: int = 0
    wrong: int = 0
    errors: list[str] = field(default_factory=list)

    def add(self, seconds: float, lost: int, wrong: int) -> None:
        self.seconds.append(seconds)
        self.rows += BATCH
        self.lost += lost
        self.wrong += wrong

    def fail(self, seconds: float, error: Exception) -> None:
        self.add(seconds, BATCH, 0)
        self.errors.append(f"{type(error).__name__}: {error}")

    def summary(self) -> dict[str, Any]:
        times = np.array(self.seconds) * 1e3
        return {
            "calls": len(times),
            "rows": self.rows,
            "rows_lost": self.lost,
            "wrong_values": self.wrong,
            "calls_above_300_ms": int((times > SLOW * 1e3).sum()),
            "p50_ms": round(float(np.percentile(times, 50)), 2),
            "p99_ms": round(float(np.percentile(times, 99)), 2),
            "max_ms": round(float(times.max()), 1),
            "first_error": self.errors[0] if self.errors else None,
        }


def record(number: int) -> dict[str, Any]:
    return {"a": number, "b": number / 4, "c": f"n{number}"}


def chosen(generator: np.random.Generator) -> list[int]:
    numbers: list[int] = generator.integers(RECORDS, size=BATCH).tolist()
    return numbers


def keys_of(numbers: list[int]) -> list[tuple[str, str, int]]:
    return [("test", SET, number) for number in numbers]


def judge(numbers: list[int], batch: Any) -> tuple[int, int]:
    """Rows without an answer, and values that are not what was written."""
    ok = batch.ok
    expected = np.array([(n, n / 4, f"n{n}".encode()) for n in numbers], DTYPE)
    return int((~ok).sum()), int((batch.batch_records[ok] != expected[ok]).sum())


class Ours:
    """This package's client, in threads."""

    def __init__(self, hosts: list[tuple[str, int]]) -> None:
        self._client = aerospike_py.client({"hosts": hosts}).connect()
        self.version = aerospike_py.__version__

    def read(self, numbers: list[int]) -> tuple[int, int]:
        return judge(numbers, self._client.batch_read(keys_of(numbers), _dtype=DTYPE))

    def close(self) -> None:
        self._client.close()


class Official:
    """The official client, in threads."""

    def __init__(self, hosts: list[tuple[str, int]]) -> None:
        import aerospike

        self._client = aerospike.client({"hosts": hosts}).connect()
        self.version = version("aerospike")

    def load(self) -> None:
        for number in range(RECORDS):
            self._client.put(("test", SET, number), record(number))

    def read(self, numbers: list[int]) -> tuple[int, int]:
        lost = wrong = 0
        rows = self._client.batch_read(keys_of(numbers)).batch_records
        for number, row in zip(numbers, rows, strict=True):
            if row.result != 0 or row.record is None:
                lost += 1
            elif row.record[2] != record(number):
                wrong += 1
        return lost, wrong

    def close(self) -> None:
        self._client.close()


def in_threads(client: Ours | Official, during: Callable[[], None]) -> list[Totals]:
    """Loops in threads, until ``during`` has returned."""
    done = threading.Event()
    totals = [Totals() for _ in range(LOOPS)]

    def loop(seed: int, total: Totals) -> None:
        generator = np.random.default_rng(seed)
        while not done.is_set():
            numbers = chosen(generator)
            start = time.perf_counter()
            try:
                lost, wrong = client.read(numbers)
            except Exception as error:  # noqa: BLE001 (whatever it is, it is told)
                total.fail(time.perf_counter() - start, error)
            else:
                total.add(time.perf_counter() - start, lost, wrong)
            time.sleep(max(0.0, start + PACE - time.perf_counter()))

    threads = [threading.Thread(target=loop, args=place) for place in enumerate(totals)]
    for thread in threads:
        thread.start()
    try:
        during()
    finally:
        done.set()
        for thread in threads:
            thread.join()
    return totals


async def in_one_loop(hosts: list[tuple[str, int]], during: Callable[[], None]) -> list[Totals]:
    """Coroutines of one event loop, until ``during`` has returned in a thread."""
    totals = [Totals() for _ in range(LOOPS)]
    events = asyncio.create_task(asyncio.to_thread(during))

    async def loop(client: aerospike_py.AsyncClient, seed: int, total: Totals) -> None:
        generator = np.random.default_rng(seed)
        while not events.done():
            numbers = chosen(generator)
            start = time.perf_counter()
            try:
                batch = await client.batch_read(keys_of(numbers), _dtype=DTYPE)
            except Exception as error:  # noqa: BLE001 (whatever it is, it is told)
                total.fail(time.perf_counter() - start, error)
            else:
                seconds = time.perf_counter() - start
                total.add(seconds, *judge(numbers, batch))
            await asyncio.sleep(max(0.0, start + PACE - time.perf_counter()))

    async with aerospike_py.AsyncClient({"hosts": hosts}) as client:
        await asyncio.gather(*(loop(client, seed, total) for seed, total in enumerate(totals)))
    await events
    return totals


def run(client: str, hosts: list[tuple[str, int]], during: Callable[[], None]) -> dict[str, Any]:
    if client == "ours, async":
        totals = asyncio.run(in_one_loop(hosts, during))
    else:
        made = Ours(hosts) if client == "ours" else Official(hosts)
        try:
            totals = in_threads(made, during)
        finally:
            made.close()
    whole = Totals()
    for total in totals:
        whole.seconds += total.seconds
        whole.rows += total.rows
        whole.lost += total.lost
        whole.wrong += total.wrong
        whole.errors += total.errors
    slow = [sum(seconds > SLOW for seconds in total.seconds) for total in totals]
    return {**whole.summary(), "most_slow_calls_of_a_loop": max(slow)}


CLIENTS = ("ours", "ours, async", "official")
# As the table shows them.
NAMES = {"ours": "this package", "ours, async": "this package, asyncio", "official": "official client"}


def markdown(result: dict[str, Any]) -> str:
    machine = result["machine"]
    lines = [
        f"{LOOPS} loops each read a batch of {BATCH} random keys out of {RECORDS:,} every",
        f"{PACE * 1e3:.0f} ms from {result['server']}. Both clients have their default policies.",
        "A row counts as lost when it has no answer although a replica could have given one.",
        f'`{result["command"]}` measures all rows; with `BENCH_ARGS="..."` and the options in the last',
        "column, it measures one of them.",
        f"Measured on {result['date']} at commit {result['commit']}: {machine['cores']} cores of"
        f" {machine['cpu']},",
        f"{machine['python']}, this package {result['versions']['aerospike-py']}, official client"
        f" {result['versions']['official']}.",
        "",
        "| what happens | client | calls | rows lost | wrong values | calls above 300 ms"
        " | p50 | p99 | slowest | command |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {SCENARIOS[run_['scenario']][0]} | {NAMES[run_['client']]} | {run_['calls']:,}"
        f" | {run_['rows_lost']:,}"
        f" | {run_['wrong_values']} | {run_['calls_above_300_ms']} | {run_['p50_ms']:.1f} ms"
        f" | {run_['p99_ms']:.1f} ms | {run_['max_ms']:.0f} ms | `--scenarios {run_['scenario']}` |"
        for run_ in result["runs"]
    ]
    return "\n".join(lines) + "\n"


def publish(text: str) -> None:
    """Writes the table into docs/failures.md."""
    page = ROOT / "docs/failures.md"
    before, begin, rest = page.read_text().partition("`make bench-availability` -->\n")
    end = rest.index("<!-- /availability -->")
    page.write_text(f"{before}{begin}\n{text}\n{rest[end:]}")


def report(result: dict[str, Any], folder: Path) -> None:
    text = markdown(result)
    (folder / "availability.md").write_text(f"# Batches while nodes fail\n\n{text}")
    if folder == RESULTS and len(result["runs"]) == len(SCENARIOS) * len(CLIENTS):
        publish(text)
    print(f"\n{text}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenarios", nargs="+", choices=list(SCENARIOS), default=list(SCENARIOS))
    parser.add_argument("--clients", nargs="+", choices=CLIENTS, default=list(CLIENTS))
    parser.add_argument("--control", help="a program that controls the nodes of AEROSPIKE_HOSTS")
    parser.add_argument("--settle", type=float, default=3.0, help="seconds between runs of --control")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    parser.add_argument("--report-only", action="store_true", help="write the table of kept results again")
    arguments = parser.parse_args()
    if arguments.report_only:
        report(json.loads((arguments.out / "availability.json").read_text()), arguments.out)
        return
    given = os.environ.get("AEROSPIKE_HOSTS")
    if (given is None) != (arguments.control is None):
        parser.error("--control and AEROSPIKE_HOSTS belong together")
    server = "three embedded nodes with replication factor 2 that notice a failure after 1.5 s"
    runs = []
    versions = {"aerospike-py": aerospike_py.__version__}
    for scenario in arguments.scenarios:
        for client in arguments.clients:
            with ExitStack() as stack:
                nodes: Nodes
                if given is None:
                    nodes = stack.enter_context(
                        DevServer(nodes=3, replication_factor=2, failure_detection=DETECTION)
                    )
                    hosts = nodes.hosts
                else:
                    nodes, server = Program(arguments.control), "the three nodes of AEROSPIKE_HOSTS"
                    hosts = hosts_of(given)
                official = Official(hosts)
                official.load()
                official.close()
                versions["official"] = official.version
                figures = run(client, hosts, partial(SCENARIOS[scenario][1], nodes))
            runs.append({"scenario": scenario, "client": client, **figures})
            print(json.dumps(runs[-1]), flush=True)
            if given is not None:
                if scenario == "killed":
                    nodes.restart(1)
                time.sleep(arguments.settle)
    result = {
        "command": "make bench-availability",
        "commit": environment.commit(),
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "server": server,
        "machine": environment.machine(),
        "versions": versions,
        "runs": runs,
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    rows = ",\n".join(f"  {json.dumps(run_)}" for run_ in runs)
    facts = "".join(f" {json.dumps(k)}: {json.dumps(v)},\n" for k, v in result.items() if k != "runs")
    (arguments.out / "availability.json").write_text(f'{{\n{facts} "runs": [\n{rows}\n ]\n}}\n')
    report(result, arguments.out)


if __name__ == "__main__":
    main()
