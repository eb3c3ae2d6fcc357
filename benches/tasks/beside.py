"""Pure Python code in the same process as batches: the speed that it loses to them.

The code counts its iterations ("turns" in the results). It shares the cores with the client's own threads and
with the server, so its speed on an idle machine does not show what the client takes from *Python*. Two
measurements separate that:

- The same code runs while *another process* reads the same batches with the same client at the same rate. The
  machine is as busy, and caches and clock frequency are the same; only the interpreter is not shared.
- The kernel reports how long the thread was on a core, and how long it was ready without a free core. The
  rest of the wall time is time that it waited for the GIL, since it waits for nothing else.

`statistic.beside` computes the figures from both.
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

# Pure Python that needs little memory; some tens of microseconds per iteration.
STEPS = 500


def turn() -> int:
    total = 0
    for number in range(STEPS):
        total += number * number % 7
    return total


class Work:
    """Counted iterations in a thread or on the loop, and how the thread spent its time."""

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
        """Batches in this thread, each at its time, or at once if that has passed."""
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
        """One batch after another, without other work."""
        self._client.reader(WORKLOADS["numeric"], batch)()
        begin = perf_counter()
        done = self._paced(0, seconds, batch)
        return {"rate": round(done / (perf_counter() - begin), 2)}

    def drive(self, where: str, rate: float, seconds: float, batch: int) -> dict[str, Any]:
        """The batches alone; another process measures the work."""
        if where == "thread":
            return {"batches": self._paced(rate, seconds, batch), "loop": 0.0}

        async def run() -> dict[str, Any]:
            paced = Paced(await self._flight.readers("numeric", batch, batch), rate)
            before = ThreadTime.now()
            await paced.run(seconds)
            busy = ThreadTime.now().running - before.running
            # Seconds for which a batch keeps the loop's thread busy.
            return {"batches": paced.done, "loop": round(busy / max(1, paced.done), 7)}

        return self._flight.loop.run_until_complete(run())

    def work(self, where: str, rate: float, seconds: float, batch: int) -> dict[str, Any]:
        """The work in this process while it reads batches at a rate; 0 reads none."""
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
