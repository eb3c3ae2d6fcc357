"""Records written from an array. Only this package and aerospike-py have such a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benches.bench import Bench

SIZE = 10_000


def run(bench: Bench) -> dict[str, Any]:
    size = min(SIZE, bench.effort.most)
    figures: dict[str, Any] = {}
    for _ in range(bench.effort.stretches):
        for client in ("ours", "aerospike-py"):
            if client not in bench.clients:
                continue
            answer = bench.ask(client, "batches.write_array", count=size, samples=bench.effort.samples)
            for kind in ("cpu", "wall") if answer else ():
                assert answer is not None
                figures.setdefault(client, {"cpu": [], "wall": []})[kind] += answer[kind]
    return {"size": size, "clients": figures}
