"""Other Python code while batches of 5,000 keys are read at the best rate of the other clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benches.process import Refused
from benches.workloads.numeric import NUMERIC

if TYPE_CHECKING:
    from benches.bench import Bench

BATCH = 5_000


def size(bench: Bench) -> int:
    return min(BATCH, bench.effort.most)


def stretch(bench: Bench, client: str, where: str, rate: float) -> list[dict[str, Any]]:
    """The work alone, while another process reads the batches, and while its own process reads them.

    Empty, with a note, if the client cannot do it.
    """
    seconds = bench.effort.seconds
    arguments = {"where": where, "seconds": seconds, "batch": size(bench)}
    try:
        with bench.fresh(client) as other:
            worker = bench.worker(client)
            alone = worker.ask("beside.work", rate=0, **arguments)
            other.begin("beside.drive", rate=rate, **arguments)
            elsewhere = worker.ask("beside.work", rate=0, **arguments)
            elsewhere |= other.receive()
            here = worker.ask("beside.work", rate=rate, **arguments)
    except (Refused, SystemExit) as error:
        bench.note(f"{client}, work in a {where}: {error}")
        return []
    return [{"alone": alone, "elsewhere": elsewhere, "here": here}]


def run(bench: Bench) -> dict[str, Any]:
    """``work[thread or coroutine][client]`` is a list of stretches."""
    bench.load(NUMERIC, size(bench))
    rates = {}
    for client in bench.peers:
        answer = bench.ask(client, "beside.alone", seconds=bench.effort.seconds, batch=size(bench))
        if answer is not None:
            rates[client] = answer["rate"]
    rate = max(rates.values(), default=20.0)
    work: dict[str, Any] = {}
    for where in ("thread", "coroutine"):
        work[where] = {client: [] for client in bench.clients}
        for _ in range(bench.effort.stretches):
            for client in bench.clients:
                work[where][client] += stretch(bench, client, where, rate)
        bench.say(f"  work in a {where}: done")
    return {"batch": size(bench), "rates": rates, "rate": rate, "work": work}
