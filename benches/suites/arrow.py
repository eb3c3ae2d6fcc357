"""Batches into Arrow columns, compared with the array of the same values and with the official client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benches.process import Refused
from benches.workloads.arrow import LISTS, TEXTS
from benches.workloads.numeric import NUMERIC

if TYPE_CHECKING:
    from benches.bench import Bench
    from benches.workloads.base import Workload

SIZE = 100_000
#: Client, and what it reads into: "arrow" or "array".
CLIENTS = (("ours-keys", "arrow"), ("ours-keys", "array"), ("official", "arrow"))


def run(bench: Bench) -> dict[str, Any]:
    """``{workload: {size: {"client, kind": figures}}}``."""
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
        task, arguments = asked(workload, kind)
        more = {"count": size} if kind == "arrow" else {"count": size, "kind": "array", "warm": 1}
        if bench.ask(client, f"{task}.prepare", workload=workload.name, **more) is None:
            continue
        samples = bench.effort.samples if client != "official" else 1
        found = bench.ask(client, f"{task}.measure", samples=samples, **arguments)
        if found is None:
            continue
        taken[f"{client}, {kind}"] = found
        if kind == "arrow":
            found |= memory(bench, workload, size, client)
    bench.say(f"  {workload.name}: done")
    return taken


def asked(workload: Workload, kind: str) -> tuple[str, dict[str, Any]]:
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
