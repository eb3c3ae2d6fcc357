"""Features of three sets into one matrix, compared with plain batches, other clients and the wire floor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benches.clients import FLOOR, PEERS
from benches.workloads import features

if TYPE_CHECKING:
    from benches.bench import Bench

#: Client, and how it reads: see ``tasks/matrix.py``.
CLIENTS = (
    ("ours-keys", "matrix"),
    ("ours-keys", "batches"),
    ("ours-keys", "stacked"),
    ("ours", "matrix"),
    ("aerospike-py", "matrix"),
    ("official", "matrix"),
    ("aerospike-native", "matrix"),
)
IN_FLIGHT = 32


def run(bench: Bench) -> dict[str, Any]:
    """``ways["client, way"]`` has samples of CPU and wall time, the floor's by connections.

    ``lag`` has figures, one per round.
    """
    entities = min(features.ENTITIES, bench.effort.most)
    bench.worker(bench.clients[0]).ask("matrices.load", entities=entities)
    ways: dict[str, Any] = {}
    for client, way in CLIENTS:
        if client not in bench.clients:
            continue
        ready = bench.ask(client, "matrices.prepare", way=way, count=entities, entities=entities)
        if ready is not None:
            ways[f"{client}, {way}"] = {"cpu": [], "wall": []}
    floor = bench.floor
    if floor is not None:
        # As `read_matrix`: the sets in one batch.
        keys = [key for name in features.SETS for key in features.text_keys(name, entities)]
        floor.prepare_keys(keys, features.COLUMNS)
        ways[FLOOR] = {}
    for _ in range(bench.effort.rounds):
        for name, taken in ways.items():
            client, _, way = name.partition(", ")
            samples, calls = (1, 1) if client in PEERS else (bench.effort.samples, 3)
            if floor is not None and client == FLOOR:
                floor.add(taken, samples, calls)
                continue
            found = bench.worker(client).ask("matrices.measure", way=way, samples=samples, calls=calls)
            taken["cpu"] += found["cpu"]
            taken["wall"] += found["wall"]
    bench.say(f"  {entities:,} entities: done")
    lag = []
    for _ in range(bench.effort.stretches):
        client = "ours-keys" if "ours-keys" in bench.clients else "ours"
        if client in bench.clients:
            seconds = bench.effort.seconds
            late = bench.ask(client, "matrices.lag", in_flight=IN_FLIGHT, seconds=seconds, entities=entities)
            if late is not None:
                lag.append(late)
    bench.say(f"  {IN_FLIGHT} in flight: done")
    return {"entities": entities, "ways": ways, "lag": lag}
