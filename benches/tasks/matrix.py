"""Features of several sets into one matrix, and the lag of an event loop that reads them."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from benches.tasks.batch import sample
from benches.tasks.clocks import cpu_seconds
from benches.tasks.flight import heartbeat, percentile
from benches.workloads import features

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from benches.tasks.flight import Flight


class Matrices:
    """The tasks of a worker that are about matrices."""

    def __init__(self, client: Any, flight: Flight) -> None:
        self._client = client
        self._flight = flight
        self._reads: dict[str, Callable[[], Any]] = {}

    def load(self, entities: int) -> dict[str, Any]:
        for name, rows in zip(features.SETS, features.values(entities), strict=True):
            for keys in (features.keys(name, entities), features.text_keys(name, entities)):
                for key, row in zip(keys, rows.tolist(), strict=True):
                    self._client.put(key, dict(zip(features.COLUMNS, row, strict=True)))
        return {}

    def prepare(self, way: str, count: int, entities: int) -> dict[str, Any]:
        """``way`` is ``matrix``; ``batches``, an array for each set; or ``stacked``, those as one matrix."""
        make: Any = getattr(self._client, "features", None)
        if make is None:
            raise NotImplementedError("no way to read features")
        read = self._reads[way] = make(way, count)
        for _ in range(3):
            result = read()
        if way != "batches":
            np.testing.assert_array_equal(result, features.expected(count, entities))
        return {}

    def measure(self, way: str, samples: int, calls: int) -> dict[str, Any]:
        taken = [sample(self._reads[way], calls) for _ in range(samples)]
        return {"cpu": [cpu for cpu, _ in taken], "wall": [wall for _, wall in taken]}

    def lag(self, in_flight: int, seconds: float, entities: int) -> dict[str, Any]:
        """The loop's lag with matrices of few entities in flight, one after another."""
        count = min(features.FEW, entities)

        async def run() -> dict[str, Any]:
            face: Any = await self._flight.face()
            starts = range(0, entities - count + 1, count)
            calls: list[Callable[[], Awaitable[Any]]] = [face.features(count, start) for start in starts]
            await asyncio.gather(*(call() for call in calls))
            lags: list[float] = []
            queued: list[float] = []
            taken: list[float] = []
            end = perf_counter() + seconds

            async def one_after_another(number: int) -> None:
                while (start := perf_counter()) < end:
                    await calls[number % len(calls)]()
                    taken.append(perf_counter() - start)
                    number += in_flight

            beat = asyncio.ensure_future(heartbeat(lags, queued))
            cpu, wall = cpu_seconds(), perf_counter()
            await asyncio.gather(*(one_after_another(number) for number in range(in_flight)))
            cpu, wall = cpu_seconds() - cpu, perf_counter() - wall
            beat.cancel()
            own = [lag - waited for lag, waited in zip(lags, queued, strict=True)]
            return {
                "rate": round(len(taken) / wall, 1),
                "cpu": round(cpu / len(taken) * 1e6, 1),
                "p50": round(percentile(taken, 0.5) * 1e6, 1),
                "p99": round(percentile(taken, 0.99) * 1e6, 1),
                "lag_p50": round(percentile(lags, 0.5) * 1e6, 1),
                "lag_p99": round(percentile(lags, 0.99) * 1e6, 1),
                "own_lag_p99": round(percentile(own, 0.99) * 1e6, 1),
            }

        return self._flight.loop.run_until_complete(run())
