"""Pure Python work in the same process, beside batches: what it loses to them.

The work counts its turns. It shares the cores with the client's own threads and with the server, so its speed
alone on the machine is no measure of what the client takes from *Python*. Two things take that out:

- It is compared with the same work while *another process* reads the same batches with the same client at the
  same rate: the machine is as busy, caches and clock frequency are the same, only the interpreter is its own.
- The kernel says how long the thread was on a core, and how long it was ready to run with no core free. The
  rest of the wall time it has waited: for the interpreter's lock, since it waits for nothing else.

From both follow the figures in `statistic.beside`.
"""

from __future__ import annotations

import asyncio
import threading
import time
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benches.tasks.clocks import ThreadTime
from benches.tasks.flight import Flight, Paced
from benches.workloads import WORKLOADS

if TYPE_CHECKING:
    from benches.clients.base import Client

# Pure Python, no memory to speak of: some tens of microseconds a turn.
STEPS = 500


def turn() -> int:
    total = 0
    for number in range(STEPS):
        total += number * number % 7
    return total


class Work:
    """Turns in a thread or on the loop, counted, with what became of the thread's time."""

    def __init__(self) -> None:
        self.turns = 0
        self.wall = self.running = self.queued = 0.0
        self.ended = threading.Event()

    def _account(self, begin: float, before: ThreadTime) -> None:
        now = ThreadTime.now()
        self.wall = perf_counter() - begin
        self.running, self.queued = now.running - before.running, now.queued - before.queued

    def in_thread(self) -> None:
        begin, before = perf_counter(), ThreadTime.now()
        while not self.ended.is_set():
            turn()
            self.turns += 1
        self._account(begin, before)

    async def on_loop(self) -> None:
        begin, before = perf_counter(), ThreadTime.now()
        while not self.ended.is_set():
            turn()
            self.turns += 1
            await asyncio.sleep(0)
        self._account(begin, before)

    def figures(self, batches: int) -> dict[str, Any]:
        return {
            "turns": self.turns,
            "wall": round(self.wall, 4),
            "running": round(self.running, 4),
            "queued": round(self.queued, 4),
            "batches": batches,
        }


class Beside:
    def __init__(self, client: Client, flight: Flight) -> None:
        self._client, self._flight = client, flight

    def _paced(self, rate: float, seconds: float, batch: int) -> int:
        """Batches in this thread, each at its time or, when it is late, at once."""
        read = self._client.reader(WORKLOADS["numeric"], batch)
        begin, done = perf_counter(), 0
        due = begin
        while perf_counter() < begin + seconds:
            read()
            done += 1
            due = max(due + 1 / rate, perf_counter() - 1 / rate) if rate else 0.0
            time.sleep(max(0.0, due - perf_counter()))
        return done

    def alone(self, seconds: float, batch: int) -> dict[str, Any]:
        """Batches one after the other as fast as they come, nothing beside them."""
        self._client.reader(WORKLOADS["numeric"], batch)()
        begin = perf_counter()
        done = self._paced(0, seconds, batch)
        return {"rate": round(done / (perf_counter() - begin), 2)}

    def drive(self, where: str, rate: float, seconds: float, batch: int) -> dict[str, Any]:
        """The batches alone, for the work that another process measures."""
        if where == "thread":
            return {"batches": self._paced(rate, seconds, batch), "loop": 0.0}

        async def run() -> dict[str, Any]:
            paced = Paced(await self._flight.readers("numeric", batch, batch), rate)
            before = ThreadTime.now()
            await paced.run(seconds)
            busy = ThreadTime.now().running - before.running
            # Seconds that a batch keeps the loop's thread busy.
            return {"batches": paced.done, "loop": round(busy / max(1, paced.done), 7)}

        return self._flight.loop.run_until_complete(run())

    def work(self, where: str, rate: float, seconds: float, batch: int) -> dict[str, Any]:
        """The work in this process, beside batches at a rate; a rate of 0 reads none."""
        work = Work()
        if where == "thread":
            thread = threading.Thread(target=work.in_thread)
            thread.start()
            done = 0
            if rate:
                done = self._paced(rate, seconds, batch)
            else:
                time.sleep(seconds)
            work.ended.set()
            thread.join()
            return work.figures(done)

        async def run() -> int:
            paced = Paced(await self._flight.readers("numeric", batch, batch), rate)
            turning = asyncio.ensure_future(work.on_loop())
            await (paced.run(seconds) if rate else asyncio.sleep(seconds))
            work.ended.set()
            await turning
            return paced.done

        return work.figures(self._flight.loop.run_until_complete(run()))
