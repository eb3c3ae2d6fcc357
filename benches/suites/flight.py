"""Batches of 100 in flight on an event loop."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from benches.workloads.numeric import NUMERIC

if TYPE_CHECKING:
    from benches.bench import Bench

BATCH = 100
RECORDS = 5_000
# What "in flight" the best peer's rate is taken at.
USUAL = 32


def run(bench: Bench) -> dict[str, Any]:
    """``closed[in flight][client]`` and ``paced[client]`` are lists of figures, one per round."""
    effort = bench.effort
    records = min(RECORDS, effort.most)
    bench.load(NUMERIC, records)
    clients = [client for client in bench.clients if client != "ours-keys"]
    closed: dict[str, Any] = {}
    for in_flight in effort.in_flight:
        of = closed.setdefault(str(in_flight), {client: [] for client in clients})
        for _ in range(effort.stretches):
            for client in clients:
                answer = bench.ask(
                    client,
                    "flight.closed",
                    in_flight=in_flight,
                    seconds=effort.seconds,
                    batch=BATCH,
                    records=records,
                )
                if answer is not None:
                    of[client].append(answer)
        bench.say(f"  {in_flight} in flight: done")
    usual = closed[str(USUAL if USUAL in effort.in_flight else effort.in_flight[-1])]
    rates = [median(taken["rate"] for taken in usual[client]) for client in bench.peers if usual[client]]
    # Without another client there is no rate to compare at; any loop manages this one.
    rate = max(rates, default=500.0)
    paced: dict[str, Any] = {client: [] for client in clients}
    idle = []
    for _ in range(effort.stretches):
        for client in clients:
            answer = bench.ask(
                client, "flight.paced", rate=rate, seconds=2 * effort.seconds, batch=BATCH, records=records
            )
            if answer is not None:
                paced[client].append(answer)
        idle.append(
            bench.worker(clients[0]).ask(
                "flight.paced", rate=0, seconds=effort.seconds, batch=BATCH, records=records
            )
        )
    bench.say(f"  {rate:,.0f} batches a second: done")
    return {"closed": closed, "rate": rate, "paced": paced, "idle": idle}
