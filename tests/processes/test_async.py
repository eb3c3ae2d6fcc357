"""Coroutines: they start when awaited, can be cancelled at any time, and never block the loop."""

import asyncio
import gc
import inspect
import threading
import time
import weakref

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py import AsyncClient
from aerospike_py.testing import DevServer

DTYPE = np.dtype([("i", "i8"), ("f", "f8")])


@pytest.fixture(scope="module")
def records(config):
    with aerospike.client(config) as client:
        for number in range(500):
            client.put(("test", "async", number), {"i": number, "f": number / 2})
    return [("test", "async", number) for number in range(500)]


def test_methods_are_coroutine_functions():
    for name in ("connect", "close", "put", "get", "exists", "remove", "batch_read"):
        assert inspect.iscoroutinefunction(getattr(AsyncClient, name)), name


def test_without_an_event_loop_of_asyncio(config):
    """As under trio, which drives a coroutine itself."""
    client = AsyncClient(config)
    for call in (
        client.connect(),
        client.get(("test", "async", 1)),
        client.batch_read([("test", "async", 1)], _dtype=DTYPE),
        client.info_all("build"),
        client.query("test", "async").results(),
    ):
        with pytest.raises(RuntimeError, match=r"needs a running asyncio event loop.*under trio"):
            call.send(None)


def test_nothing_happens_before_the_await(config):
    async def main():
        async with AsyncClient(config) as client:
            key = ("test", "async", "untouched")
            call = client.put(key, {"x": 1})
            wrong = client.batch_read(5)  # type: ignore[call-overload]
            await asyncio.sleep(0.05)
            assert (await client.exists(key)).meta is None
            call.close()
            with pytest.raises(aerospike.ParamError):
                await wrong

    asyncio.run(main())


def test_tasks_groups_and_wait_for(config, records):
    async def main():
        async with AsyncClient(config) as client:
            task = asyncio.create_task(client.batch_read(records, _dtype=DTYPE))
            waited = await asyncio.wait_for(client.batch_read(records[:10], _dtype=DTYPE), 10)
            many = await asyncio.gather(
                *(client.batch_read(records[i : i + 50], _dtype=DTYPE) for i in range(200))
            )
            batch = await task
            assert batch.batch_records["i"].tolist() == list(range(500))
            assert waited.batch_records["i"].tolist() == list(range(10))
            for i, one in enumerate(many):
                assert one.batch_records["i"].tolist() == list(range(i, i + 50))

    asyncio.run(main())


def test_several_loops_share_a_client(config, records):
    """One client in the loops of three threads, with sync calls at the same time."""
    client = AsyncClient(config)
    asyncio.run(client.connect())
    problems: list[object] = []

    def work():
        async def main():
            for _ in range(20):
                batch = await client.batch_read(records, _dtype=DTYPE)
                if batch.batch_records["i"].tolist() != list(range(500)):
                    problems.append("a wrong value")

        try:
            asyncio.run(main())
        except Exception as error:  # noqa: BLE001
            problems.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    with aerospike.client(config) as twin:
        for _ in range(20):
            assert twin.batch_read(records, _dtype=DTYPE).ok.all()
    for thread in threads:
        thread.join()
    asyncio.run(client.close())
    assert problems == []


def test_a_cancelled_call_ends_at_once_and_writes_no_more():
    """The node hangs, the call is cancelled, the node resumes: nothing may be written to `out` any more."""
    with DevServer() as server:

        async def main():
            async with AsyncClient(server.config) as client:
                keys = [("test", "s", number) for number in range(3_000)]
                for key in keys[:50]:
                    await client.put(key, {"i": 7, "f": 7.0})
                out = np.zeros(len(keys), DTYPE)
                server.pause(0)
                task = asyncio.create_task(
                    client.batch_read(keys, policy={"total_timeout": 0}, _dtype=DTYPE, out=out)
                )
                await asyncio.sleep(0.2)
                started = time.perf_counter()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert time.perf_counter() - started < 0.1
                out["i"] = -1
                server.resume(0)
                await asyncio.sleep(0.3)
                assert (out["i"] == -1).all()
                again = await client.batch_read(keys, _dtype=DTYPE)
                assert again.batch_records["i"][:50].tolist() == [7] * 50

        asyncio.run(main())


@pytest.mark.parametrize("delay", [0, 0.0002, 0.001, 0.003, 0.01])
def test_calls_cancelled_at_any_time(config, records, delay):
    async def main():
        async with AsyncClient(config) as client:
            for _ in range(20):
                out = np.zeros(len(records), DTYPE)
                task = asyncio.create_task(client.batch_read(records, _dtype=DTYPE, out=out))
                await asyncio.sleep(delay)
                done = task.done()
                task.cancel()
                try:
                    batch = await task
                    assert done
                    assert batch.ok.all()
                except asyncio.CancelledError:
                    snapshot = out.copy()
                    await asyncio.sleep(0.002)
                    assert (out == snapshot).all()
            assert (await client.batch_read(records, _dtype=DTYPE)).ok.all()

    asyncio.run(main())


def test_a_dropped_coroutine_frees_its_arrays(config, records):
    """A loop is closed with calls in flight: their arrays are freed and not written to."""
    with DevServer() as server:

        async def main():
            client = await AsyncClient(server.config).connect()
            server.pause(0)
            out = np.zeros(10, DTYPE)
            task = asyncio.create_task(client.batch_read(records[:10], _dtype=DTYPE, out=out))
            await asyncio.sleep(0.1)
            del task
            return weakref.ref(out)

        reference = asyncio.run(main())
        gc.collect()
        assert reference() is None


def test_timeouts_of_asyncio(config):
    with DevServer() as server:

        async def main():
            async with AsyncClient(server.config) as client:
                server.pause(0)
                started = time.perf_counter()
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(client.get(("test", "s", 1), {"total_timeout": 0}), 0.2)
                assert time.perf_counter() - started < 1

        asyncio.run(main())


def test_the_loop_goes_on_while_a_batch_is_read(config, records):
    """No call blocks the loop for longer than it takes to read its keys."""

    async def main():
        async with AsyncClient(config) as client:
            keys = records * 40
            worst = 0.0
            stop = False

            async def tick():
                nonlocal worst
                while not stop:
                    before = time.perf_counter()
                    await asyncio.sleep(0)
                    worst = max(worst, time.perf_counter() - before)

            ticking = asyncio.create_task(tick())
            started = time.perf_counter()
            batch = await client.batch_read(keys, _dtype=DTYPE)
            took = time.perf_counter() - started
            stop = True
            await ticking
            assert batch.ok.all()
            # Not a benchmark: a call that blocked the loop would hold it for the whole time.
            assert worst < max(0.5 * took, 0.05)

    asyncio.run(main())


def test_uvloop(config, records):
    uvloop = pytest.importorskip("uvloop")

    async def main():
        async with AsyncClient(config) as client:
            batches = await asyncio.gather(
                *(client.batch_read(records[:50], _dtype=DTYPE) for _ in range(50))
            )
            assert all(batch.ok.all() for batch in batches)
            return type(asyncio.get_running_loop()).__module__

    loop = uvloop.new_event_loop()
    try:
        assert loop.run_until_complete(main()).startswith("uvloop")
    finally:
        loop.close()


def test_a_loop_that_cannot_watch_descriptors(config, records):
    """A loop like the proactor of Windows, which a thread wakes."""

    class Proactor(asyncio.SelectorEventLoop):
        def add_reader(self, *args: object) -> None:  # type: ignore[override]
            raise NotImplementedError

    async def main():
        async with AsyncClient(config) as client:
            for _ in range(3):
                batches = await asyncio.gather(
                    *(client.batch_read(records[:50], _dtype=DTYPE) for _ in range(20))
                )
                assert all(batch.ok.all() for batch in batches)
                await asyncio.sleep(0.05)

    loop = Proactor()
    # The loop's own wake-up pipe is watched in another way.
    try:
        loop.run_until_complete(main())
    finally:
        loop.close()
