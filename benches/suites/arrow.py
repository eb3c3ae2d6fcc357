"""Batches into Arrow columns, compared with an array of the same values, other clients, the wire floor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benches.clients import FLOOR, PEERS
from benches.process import Refused
from benches.workloads.arrow import LISTS, TEXTS
from benches.workloads.numeric import NUMERIC

if TYPE_CHECKING:
    from benches.bench import Bench
    from benches.workloads.base import Workload

SIZE = 100_000
#: Client, and what it reads into: "arrow" or "array".
CLIENTS = (
    ("ours", "arrow"),
    ("ours-keys", "arrow"),
    ("ours-keys", "array"),
    ("aerospike-py", "arrow"),
    ("official", "arrow"),
    ("aerospike-native", "arrow"),
)


def run(bench: Bench) -> dict[str, Any]:
    """``{workload: {size: {"client, kind": figures}}}``; for the floor, by connections."""
    size = min(SIZE, bench.effort.most)
    return {
        workload.name: {str(size): measure(bench, workload, size)} for workload in (NUMERIC, TEXTS, LISTS)
    }


def measure(bench: Bench, workload: Workload, size: int) -> dict[str, Any]:
    bench.load(workload, size)
    taken: dict[str, Any] = {}
    for client, kind in CLIENTS:
        if client not in bench.clients or (kind == "array" and workload is LISTS):
            continue
        task, _ = asked(workload, kind)
        more = {"count": size} if kind == "arrow" else {"count": size, "kind": "array", "warm": 1}
        if bench.ask(client, f"{task}.prepare", workload=workload.name, **more) is not None:
            taken[f"{client}, {kind}"] = {"cpu": [], "wall": []}
    floor = bench.floor
    if floor is not None:
        floor.prepare(workload, size)
        taken[FLOOR] = {}
    for number in range(bench.effort.samples):
        for name, figures in taken.items():
            client, _, kind = name.partition(", ")
            if floor is not None and client == FLOOR:
                floor.add(figures, 1, 1)
            elif client not in PEERS or number == 0:
                task, arguments = asked(workload, kind)
                answer = bench.worker(client).ask(f"{task}.measure", samples=1, **arguments)
                figures["cpu"] += answer["cpu"]
                figures["wall"] += answer["wall"]
    for name, figures in taken.items():
        client, _, kind = name.partition(", ")
        if kind == "arrow":
            figures |= memory(bench, workload, size, client)
    bench.say(f"  {workload.name}: done")
    return taken


def asked(workload: Workload, kind: str) -> tuple[str, dict[str, Any]]:
    """The task of a worker, and what it needs to measure it."""
    if kind == "arrow":
        return "arrow", {"workload": workload.name}
    return "batches", {"kind": "array", "calls": 1}


def memory(bench: Bench, workload: Workload, size: int, client: str) -> dict[str, Any]:
    try:
        with bench.fresh(client) as worker:
            return worker.ask("arrow.memory", workload=workload.name, count=size)
    except (Refused, SystemExit) as error:
        bench.note(f"{client}, memory of {workload.name} into Arrow columns: {error}")
        return {}
