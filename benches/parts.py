"""The parts of the bench: each takes the workers, has them measure in turn, and returns figures as data."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from statistics import median
from typing import Any

from benches.processes import FLOORS, Floor, Process
from benches.workloads.base import Workload

Figures = dict[str, Any]
# A sample is as many calls as bring it to some milliseconds.
ROWS_PER_SAMPLE = 5_000
IN_FLIGHT = (1, 8, 32, 128)
BATCH = 100
COMPETING_BATCH = 5_000
OURS = ("ours", "ours-keys")


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    sizes: tuple[int, ...]
    rounds: int
    samples: int
    seconds: float
    """How long an async or a competing figure is taken, each round."""
    loop_rounds: int


QUICK = Effort((100, 1_000, 10_000), rounds=2, samples=3, seconds=0.4, loop_rounds=1)
FULL = Effort((100, 1_000, 10_000, 100_000, 1_000_000), rounds=7, samples=5, seconds=1.0, loop_rounds=3)
TINY = Effort((100,), rounds=1, samples=1, seconds=0.05, loop_rounds=1)


def batches(workload: Workload, workers: list[Process], floor: Floor | None, effort: Effort) -> Figures:
    """``[size][client]``: microseconds of CPU and wall a call, sample by sample, and bytes at the peak."""
    figures: Figures = {}
    for count in effort.sizes:
        taking = [worker for worker in workers if count <= 100_000 or worker.client in OURS]
        calls = max(1, ROWS_PER_SAMPLE // count)
        # A call of a peer takes the better part of a second from here on.
        rounds, samples = (2, 2) if count >= 100_000 else (effort.rounds, effort.samples)
        taken: Figures = {worker.client: {"cpu": [], "wall": []} for worker in taking}
        for worker in taking:
            worker.ask("prepare", workload=workload.name, count=count)
            taken[worker.client]["peak"] = worker.ask("peak", workload=workload.name, count=count)["bytes"]
        floors: Figures = {
            f"{connections}/{threaded}": {"cpu": [], "wall": []} for connections, threaded in FLOORS
        }
        if floor is not None:
            floor.prepare(workload, count)
        for _ in range(rounds):
            for worker in taking:
                answer = worker.ask(
                    "measure", workload=workload.name, count=count, samples=samples, calls=calls
                )
                for kind in ("cpu", "wall"):
                    taken[worker.client][kind] += answer[kind]
            if floor is not None:
                for connections, threaded in FLOORS:
                    answer = floor.measure(connections, threaded, samples, calls)
                    for kind in ("cpu", "wall"):
                        floors[f"{connections}/{threaded}"][kind] += answer[kind]
        if floor is not None:
            best = min(floors, key=lambda way: median(floors[way]["wall"]))
            taken["floor"] = {**floors[best], "peak": None, "way": best}
        figures[str(count)] = taken
        print(f"  {count:>9,} keys: done", flush=True)
    return figures


def middle(answers: list[Figures]) -> Figures:
    """The median of each figure over rounds."""
    return {kind: median(answer[kind] for answer in answers) for kind in answers[0]}


def asynchronous(workload: Workload, workers: list[Process], floor: Floor | None, effort: Effort) -> Figures:
    """Closed loops at several depths, then the loop's lag at the rate of the best peer."""
    _ = floor
    loops: Figures = {}
    for in_flight in IN_FLIGHT:
        answers: dict[str, list[Figures]] = {worker.client: [] for worker in workers}
        for _ in range(effort.loop_rounds):
            for worker in workers:
                answers[worker.client].append(
                    worker.ask(
                        "throughput",
                        workload=workload.name,
                        in_flight=in_flight,
                        keys=BATCH,
                        seconds=effort.seconds,
                    )
                )
        loops[str(in_flight)] = {client: middle(taken) for client, taken in answers.items()}
        print(f"  {in_flight:>4} in flight: done", flush=True)
    at_32 = loops["32"]
    rate = max(
        (taken["rate"] for client, taken in at_32.items() if client not in OURS),
        default=at_32[workers[0].client]["rate"] / 4,
    )
    answers = {worker.client: [] for worker in workers}
    for _ in range(effort.loop_rounds):
        for worker in workers:
            answers[worker.client].append(
                worker.ask("lag", workload=workload.name, rate=rate, keys=BATCH, seconds=effort.seconds * 2)
            )
    return {
        "in_flight": loops,
        "rate": rate,
        "lag": {client: middle(taken) for client, taken in answers.items()},
    }


def competing(workload: Workload, workers: list[Process], floor: Floor | None, effort: Effort) -> Figures:
    """Pure Python beside batches at the best peer's rate, against the same beside the floor's load."""
    assert floor is not None, "this part takes the load of the server from the floor"
    seconds = effort.seconds * 2
    walls: dict[str, float] = {}
    for worker in workers:
        worker.ask("prepare", workload=workload.name, count=COMPETING_BATCH)
        answer = worker.ask("measure", workload=workload.name, count=COMPETING_BATCH, samples=5, calls=1)
        walls[worker.client] = median(answer["wall"]) / 1e6
    peers = [wall for client, wall in walls.items() if client not in OURS]
    rate = 1 / min(peers) if peers else 1 / walls[workers[0].client] / 4
    floor.prepare(workload, COMPETING_BATCH)
    figures: Figures = {"rate": rate, "thread": {}, "coroutine": {}}
    arguments = {"workload": workload.name, "count": COMPETING_BATCH, "rate": rate, "seconds": seconds}
    for kind in ("thread", "coroutine"):
        rounds: dict[str, list[Figures]] = {worker.client: [] for worker in workers}
        for _ in range(effort.loop_rounds):
            for worker in workers:
                floor.send(f"paced {rate} {seconds + 0.2}")
                alone = worker.ask(f"competing_{kind}", idle=True, **arguments)
                floor.answer()
                beside = worker.ask(f"competing_{kind}", idle=False, **arguments)
                kept = beside["units_a_second"] / alone["units_a_second"]
                records = beside["batches_a_second"] * COMPETING_BATCH
                rounds[worker.client].append(
                    {
                        "kept": kept,
                        "lost_ms_per_1000": (1 - kept) * 1e3 / (records / 1e3),
                        "batches_a_second": beside["batches_a_second"],
                    }
                )
        figures[kind] = {client: middle(taken) for client, taken in rounds.items()}
        print(f"  {kind}: done", flush=True)
    return figures


PLAIN = {"records": 1, "records touched": 1, "get": 200, "put": 200}


def records(workload: Workload, workers: list[Process], floor: Floor | None, effort: Effort) -> Figures:
    """Records without a dtype, single reads and writes, sync and 32 in flight, and the time to import."""
    _ = floor
    figures: Figures = {"sync": {}, "async": {}}
    for kind, calls in PLAIN.items():
        taken: Figures = {worker.client: {"cpu": [], "wall": []} for worker in workers}
        for _ in range(effort.rounds):
            for worker in workers:
                answer = worker.ask(
                    "plain", workload=workload.name, kind=kind, samples=effort.samples, calls=calls
                )
                for what in ("cpu", "wall"):
                    taken[worker.client][what] += answer[what]
        figures["sync"][kind] = taken
    for kind in ("get", "put"):
        answers: dict[str, list[Figures]] = {worker.client: [] for worker in workers}
        for _ in range(effort.loop_rounds):
            for worker in workers:
                answers[worker.client].append(
                    worker.ask(
                        "singles", workload=workload.name, kind=kind, in_flight=32, seconds=effort.seconds
                    )
                )
        figures["async"][kind] = {client: middle(taken) for client, taken in answers.items()}
    return figures


IMPORTS = {
    "ours": "aerospike_py",
    "aerospike-py": "aerospike_py",
    "official": "aerospike",
    "aerospike-native": "aerospike_native",
}
TIME_IMPORT = (
    "import time\ntry:\n import numpy\nexcept ImportError:\n pass\n"
    "start = time.perf_counter()\nimport {module}\nprint(time.perf_counter() - start)"
)


def imports(pythons: dict[str, str], times: int) -> Figures:
    """Milliseconds to import each client, in a new process where NumPy is imported already."""
    taken: Figures = {client: [] for client in pythons if client in IMPORTS}
    for _ in range(times):
        for client, seconds in taken.items():
            program = TIME_IMPORT.format(module=IMPORTS[client])
            answer = subprocess.run(
                [pythons[client], "-c", program], check=True, capture_output=True, text=True
            )
            seconds.append(float(answer.stdout) * 1e3)
    return taken


PARTS = {"batches": batches, "async": asynchronous, "competing": competing, "records": records}
