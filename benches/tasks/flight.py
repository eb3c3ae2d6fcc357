"""Many calls in flight on one event loop: calls per second, latency, and the lag of the loop."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benches.tasks.clocks import ThreadTime, cpu_seconds
from benches.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from benches.clients.base import AsyncFace, Client

# Seconds between two measurements of the loop's lag.
BEAT = 0.005
# An open loop starts at most this many calls before it waits for those in flight.
MOST = 256


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


async def closed(calls: list[Callable[[], Awaitable[Any]]], in_flight: int, seconds: float) -> dict[str, Any]:
    """As many calls as possible with a given number in flight."""
    taken: list[float] = []
    end = perf_counter() + seconds

    async def one_after_another(number: int) -> None:
        while perf_counter() < end:
            start = perf_counter()
            await calls[number % len(calls)]()
            taken.append(perf_counter() - start)
            number += in_flight

    cpu, wall = cpu_seconds(), perf_counter()
    await asyncio.gather(*(one_after_another(number) for number in range(in_flight)))
    cpu, wall = cpu_seconds() - cpu, perf_counter() - wall
    return {
        "rate": round(len(taken) / wall, 1),
        "cpu": round(cpu / len(taken) * 1e6, 1),
        "p50": round(percentile(taken, 0.5) * 1e6, 1),
        "p99": round(percentile(taken, 0.99) * 1e6, 1),
    }


class Paced:
    """Calls that start at fixed times, whether or not earlier ones have returned."""

    def __init__(self, calls: list[Callable[[], Awaitable[Any]]], rate: float) -> None:
        self._calls, self._rate = calls, rate
        self._under_way: set[asyncio.Future[Any]] = set()
        self.done = 0

    async def run(self, seconds: float) -> None:
        begin, started = perf_counter(), 0
        while (now := perf_counter() - begin) < seconds:
            while started < now * self._rate and len(self._under_way) < MOST:
                call = asyncio.ensure_future(self._calls[started % len(self._calls)]())
                self._under_way.add(call)
                call.add_done_callback(self._ended)
                started += 1
            # A call that cannot start now is skipped, not delayed.
            started = max(started, int(now * self._rate))
            await asyncio.sleep(max(0.0, begin + (started + 1) / self._rate - perf_counter()))
        if self._under_way:
            await asyncio.wait(self._under_way)

    def _ended(self, call: asyncio.Future[Any]) -> None:
        self._under_way.discard(call)
        call.result()
        self.done += 1


async def heartbeat(lags: list[float], queued: list[float] | None = None) -> None:
    """How much later than requested the loop wakes a coroutine.

    ``queued`` gets the part of it in which the loop's thread was ready and waited for a core (Linux).
    """
    while True:
        start, before = perf_counter(), 0.0 if queued is None else ThreadTime.now().queued
        await asyncio.sleep(BEAT)
        lag = perf_counter() - start - BEAT
        lags.append(lag)
        if queued is not None:
            queued.append(min(lag, ThreadTime.now().queued - before))


class Flight:
    """The async tasks of a worker, on one loop."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.loop = asyncio.new_event_loop()
        self._face: AsyncFace | None = None

    async def face(self) -> AsyncFace:
        if self._face is None:
            self._face = await self._client.face()
        return self._face

    async def readers(self, workload: str, batch: int, records: int) -> list[Callable[[], Awaitable[Any]]]:
        face = await self.face()
        which = WORKLOADS[workload]
        calls = [face.reader(which, batch, start) for start in range(0, records - batch + 1, batch)]
        await asyncio.gather(*(call() for call in calls[:8]))
        return calls

    def closed(self, in_flight: int, seconds: float, batch: int, records: int) -> dict[str, Any]:
        async def run() -> dict[str, Any]:
            calls = await self.readers("numeric", batch, records)
            await closed(calls, in_flight, seconds / 5)
            return await closed(calls, in_flight, seconds)

        return self.loop.run_until_complete(run())

    def paced(self, rate: float, seconds: float, batch: int, records: int) -> dict[str, Any]:
        """The loop's lag while batches are read at a rate; a rate of 0 reads none."""

        async def run() -> dict[str, Any]:
            calls = await self.readers("numeric", batch, records)
            lags: list[float] = []
            paced = Paced(calls, rate)
            beat = asyncio.ensure_future(heartbeat(lags))
            cpu, wall = cpu_seconds(), perf_counter()
            await (paced.run(seconds) if rate else asyncio.sleep(seconds))
            cpu, wall = cpu_seconds() - cpu, perf_counter() - wall
            beat.cancel()
            return {
                "rate": round(paced.done / wall, 1),
                "cpu": round(cpu / max(1, paced.done) * 1e6, 1),
                "lag_p50": round(percentile(lags, 0.5) * 1e6, 1),
                "lag_p99": round(percentile(lags, 0.99) * 1e6, 1),
            }

        return self.loop.run_until_complete(run())

    def single(self, operation: str, in_flight: int, seconds: float) -> dict[str, Any]:
        """``get`` or ``put`` of single records."""

        async def run() -> dict[str, Any]:
            face, numeric = await self.face(), WORKLOADS["numeric"]
            keys, values = numeric.keys(100), numeric.values(7)
            calls: list[Callable[[], Awaitable[Any]]]
            if operation == "get":
                calls = [lambda key=key: face.get(key) for key in keys]  # type: ignore[misc]
            else:
                keys = [(namespace, "bench_single", key) for namespace, _, key in keys]
                calls = [lambda key=key: face.put(key, values) for key in keys]  # type: ignore[misc]
            await closed(calls, in_flight, seconds / 5)
            return await closed(calls, in_flight, seconds)

        return self.loop.run_until_complete(run())

    def close(self) -> None:
        if self._face is not None:
            self.loop.run_until_complete(self._face.close())
        self.loop.close()
