"""What runs on an event loop or beside a second thread. Figures in seconds, or counts; see README.md."""

from __future__ import annotations

import asyncio
import resource
import sys
import threading
from collections.abc import Awaitable, Callable
from time import perf_counter, sleep
from typing import Any

from benches.faces import AsyncFace
from benches.workloads.base import Key

# How often the ticker wants to run, to see how late it is.
TICK = 0.001


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def percentile(values: list[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


async def closed_loop(call: Callable[[], Awaitable[Any]], in_flight: int, seconds: float) -> dict[str, Any]:
    """``in_flight`` coroutines, each with one call after the other."""
    for _ in range(3):
        await call()
    took: list[float] = []
    cpu, start = cpu_seconds(), perf_counter()
    until = start + seconds

    async def caller() -> None:
        while (begun := perf_counter()) < until:
            await call()
            took.append(perf_counter() - begun)

    await asyncio.gather(*(caller() for _ in range(in_flight)))
    wall, cpu = perf_counter() - start, cpu_seconds() - cpu
    return {
        "rate": len(took) / wall,
        "p50": percentile(took, 0.5),
        "p99": percentile(took, 0.99),
        "cpu": cpu / len(took),
    }


async def throughput(
    made: Awaitable[AsyncFace], keys: list[Key], in_flight: int, seconds: float
) -> dict[str, Any]:
    face = await made
    try:
        return await closed_loop(lambda: face.batch(keys), in_flight, seconds)
    finally:
        await face.close()


async def singles(made: Awaitable[AsyncFace], kind: str, in_flight: int, seconds: float) -> dict[str, Any]:
    face = await made
    one = face.get if kind == "get" else face.put
    try:
        return await closed_loop(lambda: one(1), in_flight, seconds)
    finally:
        await face.close()


async def open_loop(call: Callable[[], Awaitable[Any]], rate: float, seconds: float) -> int:
    """Starts a call each 1/rate seconds, whether the ones before are done or not; waits for all."""
    start, started = perf_counter(), 0
    calls: set[asyncio.Future[Any]] = set()
    while (now := perf_counter() - start) < seconds:
        while started < now * rate:
            task = asyncio.ensure_future(call())
            calls.add(task)
            task.add_done_callback(calls.discard)
            started += 1
        await asyncio.sleep(max(0.0, started / rate - (perf_counter() - start)))
    if calls:
        await asyncio.gather(*calls)
    return started


async def lag(made: Awaitable[AsyncFace], keys: list[Key], rate: float, seconds: float) -> dict[str, Any]:
    """How late a coroutine that asks for each millisecond gets its turn, while batches start at a rate."""
    face = await made
    late: list[float] = []

    async def ticker() -> None:
        while True:
            due = perf_counter() + TICK
            await asyncio.sleep(TICK)
            late.append(perf_counter() - due)

    try:
        for _ in range(3):
            await face.batch(keys)
        task = asyncio.ensure_future(ticker())
        batches = await open_loop(lambda: face.batch(keys), rate, seconds)
        task.cancel()
        return {"p50": percentile(late, 0.5), "p99": percentile(late, 0.99), "batches": batches}
    finally:
        await face.close()


def work() -> int:
    """Some tens of microseconds of pure Python."""
    total = 0
    for number in range(500):
        total += number * number % 7
    return total


def competing_thread(read: Callable[[], Any] | None, rate: float, seconds: float) -> dict[str, Any]:
    """How much pure Python a second thread gets done while this one reads at a rate, or only sleeps."""
    done, running = 0, True

    def compete() -> None:
        nonlocal done
        while running:
            work()
            done += 1

    thread = threading.Thread(target=compete)
    interval, batches = sys.getswitchinterval(), 0
    thread.start()
    sleep(0.05)
    before, start = done, perf_counter()
    while (now := perf_counter() - start) < seconds:
        if read is not None:
            read()
        batches += 1
        now = perf_counter() - start
        sleep(max(0.0, batches / rate - now))
    wall, units = perf_counter() - start, done - before
    running = False
    thread.join()
    return {"units_a_second": units / wall, "batches_a_second": batches / wall, "switch_interval": interval}


async def competing_coroutine(
    made: Awaitable[AsyncFace], keys: list[Key], rate: float, seconds: float, idle: bool
) -> dict[str, Any]:
    """The same with a coroutine on the loop that the batches are awaited on."""
    face = await made
    done = 0

    async def compete() -> None:
        nonlocal done
        while True:
            work()
            done += 1
            await asyncio.sleep(0)

    async def nothing() -> None:
        await asyncio.sleep(0)

    try:
        for _ in range(3):
            await face.batch(keys)
        task = asyncio.ensure_future(compete())
        start = perf_counter()
        batches = await open_loop(nothing if idle else lambda: face.batch(keys), rate, seconds)
        wall, units = perf_counter() - start, done
        task.cancel()
        return {"units_a_second": units / wall, "batches_a_second": batches / wall}
    finally:
        await face.close()
