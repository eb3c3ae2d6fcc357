"""Records as Python objects: batches without a dtype, single records, and the import time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benches import environment
from benches.workloads.numeric import NUMERIC

if TYPE_CHECKING:
    from benches.bench import Bench

SIZE = 1_000
IN_FLIGHT = (1, 32)
MODULES = {
    "ours": "aerospike_py",
    "aerospike-py": "aerospike_py",
    "official": "aerospike",
    "aerospike-native": "aerospike_native",
}


def add(figures: dict[str, list[float]], answer: dict[str, Any] | None) -> None:
    for kind in figures if answer else ():
        assert answer is not None
        figures[kind] += answer[kind]


def run(bench: Bench) -> dict[str, Any]:
    effort = bench.effort
    clients = [client for client in bench.clients if client in MODULES]
    size = min(SIZE, effort.most)
    bench.load(NUMERIC, size)
    batch: dict[str, Any] = {"records": {}, "touched": {}}
    for kind, of in batch.items():
        for client in clients:
            arguments = {"workload": NUMERIC.name, "count": size, "kind": kind, "warm": 3}
            if bench.ask(client, "batches.prepare", **arguments) is not None:
                of[client] = {"cpu": [], "wall": []}
    single: dict[str, Any] = {
        operation: {client: {"cpu": [], "wall": []} for client in clients} for operation in ("get", "put")
    }
    for _ in range(effort.rounds):
        for kind, of in batch.items():
            for client in of:
                asked = {"kind": kind, "samples": effort.samples, "calls": 5}
                add(of[client], bench.ask(client, "batches.measure", **asked))
        for operation, of in single.items():
            for client in of:
                asked = {"operation": operation, "samples": effort.samples, "calls": 200}
                add(of[client], bench.ask(client, "batches.single", **asked))
    bench.say("  batches and single records: done")
    flight: dict[str, Any] = {}
    for operation in ("get", "put"):
        for in_flight in IN_FLIGHT:
            of = flight.setdefault(operation, {}).setdefault(str(in_flight), {c: [] for c in clients})
            for _ in range(effort.stretches):
                for client in clients:
                    answer = bench.ask(
                        client,
                        "flight.single",
                        operation=operation,
                        in_flight=in_flight,
                        seconds=effort.seconds / 2,
                    )
                    if answer is not None:
                        of[client].append(answer)
    bench.say("  single records in flight: done")
    imports: dict[str, Any] = {client: [] for client in clients}
    for _ in range(2 + effort.rounds):
        for client in clients:
            seconds = environment.import_seconds(bench.pythons[client], MODULES[client])
            imports[client].append(round(seconds * 1e6, 1))
    return {"size": size, "batch": batch, "single": single, "flight": flight, "import": imports}
