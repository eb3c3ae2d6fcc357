"""Batches into an array: CPU time, wall time and memory, compared with the wire floor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benches.clients import FLOOR, PEERS
from benches.process import Refused
from benches.workloads.numeric import MISSING, MIXED, NUMERIC
from benches.workloads.shapes import VECTORS, WIDE

if TYPE_CHECKING:
    from benches.bench import Bench
    from benches.workloads.base import Workload

# A sample is as many calls as bring it to some milliseconds.
ROWS_PER_SAMPLE = 5_000
# From here on a batch is a matter of a second for some, and its memory is looked at.
LARGE, HUGE = 10_000, 100_000


def turns(bench: Bench, size: int, client: str) -> tuple[int, int]:
    """The number of rounds of a client, and of its samples in each."""
    effort = bench.effort
    if size <= LARGE:
        return effort.rounds, effort.samples
    if size <= HUGE:
        return (2, 1) if client in PEERS else (6, 1)
    return (1, 1) if client in PEERS else (5, 1)


def measure(bench: Bench, workload: Workload, size: int) -> dict[str, Any]:
    """``{client: {"cpu": [...], "wall": [...], "peak": bytes}}``; for the floor, by connections."""
    bench.load(workload, size)
    taken: dict[str, Any] = {}
    for client in bench.clients:
        if client in PEERS and size > bench.effort.peers_most:
            continue
        if client == "ours-keys" and len(workload.sets) > 1:
            continue
        ready = bench.ask(
            client,
            "batches.prepare",
            workload=workload.name,
            count=size,
            kind="array",
            warm=3 if size <= LARGE else 1,
        )
        if ready is not None:
            taken[client] = {"cpu": [], "wall": []}
    floor = bench.floor
    if floor is not None:
        floor.prepare(workload, size)
        taken[FLOOR] = {}
    calls = max(1, ROWS_PER_SAMPLE // size)
    for number in range(max(turns(bench, size, client)[0] for client in taken)):
        for client, figures in taken.items():
            rounds, samples = turns(bench, size, client)
            if number >= rounds:
                continue
            if client == FLOOR:
                assert floor is not None
                floor.add(figures, samples, calls)
                continue
            answer = bench.worker(client).ask("batches.measure", kind="array", samples=samples, calls=calls)
            figures["cpu"] += answer["cpu"]
            figures["wall"] += answer["wall"]
    if size >= LARGE and workload is NUMERIC:
        for client, figures in taken.items():
            if client != FLOOR:
                figures["peak"] = peak(bench, workload, size, client)
    bench.say(f"  {workload.name}, {size:>9,} keys: done")
    return taken


def peak(bench: Bench, workload: Workload, size: int, client: str) -> int | None:
    """Memory of the first large batch of a process: later batches reuse memory of earlier ones."""
    try:
        with bench.fresh(client) as worker:
            answer = worker.ask("batches.memory", workload=workload.name, count=size)
    except (Refused, SystemExit) as error:
        bench.note(f"{client}, memory of {size:,} keys: {error}")
        return None
    found: int | None = answer["peak"]
    return found


def sizes(bench: Bench, workload: Workload) -> list[int]:
    return [size for size in workload.sizes if size <= bench.effort.most] or [bench.effort.most]


def all_of(bench: Bench, *workloads: Workload) -> dict[str, Any]:
    return {
        workload.name: {str(size): measure(bench, workload, size) for size in sizes(bench, workload)}
        for workload in workloads
    }


def by_size(bench: Bench) -> dict[str, Any]:
    return all_of(bench, NUMERIC)


def shapes(bench: Bench) -> dict[str, Any]:
    return all_of(bench, WIDE, *VECTORS)


def mixed(bench: Bench) -> dict[str, Any]:
    return all_of(bench, MISSING, MIXED)
