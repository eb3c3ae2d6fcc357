"""Whole sets by a query: into an array and as Python records, compared with the wire floor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aerospike_py
from benches.clients import FLOOR, OURS, PEERS
from benches.process import Refused
from benches.workloads.queries import NUMERICS, SMALLEST, VECTORS

if TYPE_CHECKING:
    from benches.bench import Bench
    from benches.workloads.base import Workload

KINDS = ("array", "foreach", "results")
LARGE = 1_000_000


def chosen(bench: Bench, workloads: tuple[Workload, ...]) -> list[Workload]:
    of_size = [workload for workload in workloads if SMALLEST < workload.sizes[0] <= bench.effort.most]
    return of_size or [workloads[0]]


def supports(client: str, kind: str) -> bool:
    return client != OURS or kind != "array" or hasattr(aerospike_py.Query, "to_numpy")


def turns(bench: Bench, size: int, client: str) -> tuple[int, int]:
    """The number of rounds of a client, and of its samples in each."""
    if size < LARGE:
        return min(bench.effort.rounds, 3 if client in PEERS else 6), 1
    return (1, 1) if client in PEERS else (min(bench.effort.rounds, 5), 1)


def measure(bench: Bench, workload: Workload) -> dict[str, Any]:
    """``{kind: {client: {"cpu": [...], "wall": [...], "peak": bytes, "result": bytes}}}``."""
    size = workload.sizes[0]
    bench.load(workload, size)
    taken: dict[str, Any] = {kind: {} for kind in KINDS}
    asked = [(kind, client) for kind in KINDS for client in bench.clients if client != "ours-keys"]
    for kind, client in asked:
        if not supports(client, kind):
            continue
        arguments = {"workload": workload.name, "count": size, "kind": kind}
        if bench.ask(client, "queries.prepare", **arguments) is not None:
            taken[kind][client] = {"cpu": [], "wall": []}
    floor = bench.floor
    if floor is not None:
        floor.prepare_query(workload)
        taken["array"][FLOOR] = {}
    # Several queries a sample: on a virtual machine, the first 0.1 s after a pause can be twice as slow.
    calls = min(max(1, 500_000 // size), 5)
    for number in range(bench.effort.rounds):
        for kind, clients in taken.items():
            for client, figures in clients.items():
                rounds, samples = turns(bench, size, client)
                if number >= rounds:
                    continue
                if client == FLOOR:
                    assert floor is not None
                    floor.add(figures, samples, calls)
                    continue
                arguments = {"workload": workload.name, "kind": kind, "samples": samples, "calls": calls}
                answer = bench.worker(client).ask("queries.measure", **arguments)
                figures["cpu"] += answer["cpu"]
                figures["wall"] += answer["wall"]
    for kind, clients in taken.items():
        for client, figures in clients.items():
            if client != FLOOR and size > SMALLEST:
                figures |= memory(bench, workload, kind, client)
    bench.say(f"  {workload.name}: done")
    return taken


def memory(bench: Bench, workload: Workload, kind: str, client: str) -> dict[str, Any]:
    """Memory of the first large query of a process: later queries reuse memory of earlier ones."""
    bench.load(NUMERICS[0], SMALLEST)
    try:
        with bench.fresh(client) as worker:
            return worker.ask("queries.memory", workload=workload.name, kind=kind)
    except (Refused, SystemExit) as error:
        bench.note(f"{client}, memory of {workload.name}, {kind}: {error}")
        return {}


def run(bench: Bench) -> dict[str, Any]:
    """``{workload: {kind: {client: figures}}}``, and the number of records of each workload."""
    workloads = [*chosen(bench, NUMERICS), *chosen(bench, VECTORS)]
    return {
        "sizes": {workload.name: workload.sizes[0] for workload in workloads},
        "queries": {workload.name: measure(bench, workload) for workload in workloads},
    }
