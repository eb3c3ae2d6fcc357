"""Many threads on one client, both clients at the same time, several event loops."""

import asyncio
import contextlib
import os
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py import AsyncClient
from aerospike_py.testing import DevServer
from tests.support.processes import end_of, start
from tests.support.waiting import eventually

DTYPE = np.dtype([("i", "i8")])
needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="there is no list of descriptors")


@pytest.fixture
def quick_switches():
    """Makes threads switch as often as possible."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.fixture(scope="module")
def records(config):
    keys = [("test", "threads", number) for number in range(300)]
    with aerospike.client(config) as client:
        for number, key in enumerate(keys):
            client.put(key, {"i": number})
    return keys


def run(threads):
    """Runs all functions in threads and waits for them; a hang is a failure."""
    running = [threading.Thread(target=thread, daemon=True) for thread in threads]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(60)
        assert not thread.is_alive(), "a thread hangs"


def test_twenty_threads_mix_everything_until_one_closes(config, records, fresh_set, quick_switches):
    """Calls return right values, and after the close every call says that the client is closed."""
    client = aerospike.client(config).connect()
    problems, counts, warm = [], dict.fromkeys(("arrays", "records", "single", "stats"), 0), threading.Event()

    def loop_of(name, once):
        def body():
            try:
                while True:
                    once()
                    counts[name] += 1
                    if min(counts.values()) > 20:
                        warm.set()
            except aerospike.ClientError as error:
                if "closed" not in str(error):
                    problems.append((name, repr(error)))
            except BaseException as error:  # noqa: BLE001
                problems.append((name, repr(error)))
            finally:
                if not closing.is_set():
                    warm.set()

        return body

    closing = threading.Event()
    own = threading.local()

    def arrays():
        batch = client.batch_read(records, _dtype=DTYPE)
        assert batch.batch_records["i"].tolist() == list(range(len(records)))

    def as_records():
        rows = client.batch_read(records[:20]).batch_records
        assert [row.record.bins["i"] for row in rows] == list(range(20))

    def single():
        own.count = getattr(own, "count", 0) + 1
        key = ("test", fresh_set, threading.get_ident())
        client.put(key, {"i": own.count})
        assert client.get(key).bins["i"] == own.count

    def stats():
        assert client.stats().nodes
        assert client.is_connected() in (True, False)
        repr(client)

    def close():
        warm.wait(30)
        closing.set()
        client.close()

    kinds = {"arrays": arrays, "records": as_records, "single": single, "stats": stats}
    run([*(loop_of(name, once) for name, once in kinds.items() for _ in range(5)), close])
    assert problems == []
    assert min(counts.values()) > 20
    assert not client.is_connected()


@pytest.mark.embedded
def test_threads_that_are_refused_do_not_wait_for_each_other(server):
    """Creating an exception runs Python code, where threads switch: no lock may be held there."""
    process = start(
        """
        sys.setswitchinterval(1e-6)
        clients = [aerospike.client(config), aerospike.client(config).connect()]
        clients[1].close()
        def ask():
            for _ in range(1500):
                for client in clients:
                    try:
                        client.get(keys[0])
                    except aerospike.ClientError:
                        pass
        threads = [threading.Thread(target=ask, daemon=True) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print("fine")
        """,
        server,
    )
    code, out, err = end_of(process, 60)
    assert (code, out) == (0, "fine\n"), err


def test_both_faces_and_many_loops_at_once(config, records, quick_switches):
    """One sync client in four threads, and eight loops: four share a client, four have their own."""
    expected = list(range(len(records)))
    problems = []
    sync = aerospike.client(config).connect()
    shared = AsyncClient(config)
    asyncio.run(shared.connect())

    def reported(body):
        def run():
            try:
                body()
            except BaseException as error:  # noqa: BLE001
                problems.append(repr(error))

        return run

    def in_thread():
        for _ in range(20):
            assert sync.batch_read(records, _dtype=DTYPE).batch_records["i"].tolist() == expected

    async def read(client):
        for _ in range(5):
            batches = await asyncio.gather(*(client.batch_read(records, _dtype=DTYPE) for _ in range(5)))
            assert all(batch.batch_records["i"].tolist() == expected for batch in batches)
            await client.put(records[7], {"i": 7})

    async def read_own():
        async with AsyncClient(config) as client:
            await read(client)

    def in_loop(number):
        # A second loop in the same thread, when the first has gone.
        for _ in range(2):
            asyncio.run(read(shared) if number % 2 else read_own())

    run([reported(in_thread)] * 4 + [reported(lambda number=number: in_loop(number)) for number in range(8)])
    asyncio.run(shared.close())
    sync.close()
    assert problems == []


def test_a_connection_outlives_its_thread(config, records):
    """A connection outlives the thread that opened it."""
    with aerospike.client(config) as client:
        client.get(records[0])
        opened = client.stats().nodes[0].conns.opened

        def use():
            for key in records[:20]:
                assert client.get(key).bins == {"i": key[2]}
                client.put(key, {"i": key[2]})
            batch = client.batch_read(records, _dtype=DTYPE)
            assert batch.batch_records["i"].tolist() == list(range(len(records)))

        for _ in range(10):
            run([use])
        use()
        assert client.stats().nodes[0].conns.opened == opened


@pytest.mark.skipif(not Path("/dev/fd").is_dir(), reason="there is no list of this process's descriptors")
def test_per_thread_resources_end_with_the_thread(config, records):
    def descriptors():
        return len(list(Path("/dev/fd").iterdir()))

    with aerospike.client(config) as client:
        run([lambda: client.get(records[0])])
        time.sleep(0.1)  # a thread is joined a moment before what it had is closed
        before = descriptors()
        for _ in range(10):
            run([lambda: client.get(records[0])])
            eventually("its descriptors are closed", lambda: descriptors() <= before)


@needs_proc
def test_idle_connections_keep_nothing_of_threads_that_ended(config, records):
    def watches():
        found = 0
        for link in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(OSError):  # the list's own is there no more
                found += "eventpoll" in os.readlink(link)
        return found

    with aerospike.client(config) as client:
        before = watches()
        together = threading.Barrier(8)

        def use():
            together.wait(20)
            for _ in range(50):
                client.get(records[0])

        run([use] * 8)
        eventually("what they were registered with is closed", lambda: watches() <= before)


@needs_proc
def test_a_thread_without_free_descriptors(config, records):
    import resource

    with aerospike.client(config) as client:
        client.get(records[0])
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        used = {int(link.name) for link in Path("/proc/self/fd").iterdir()}
        free = next(number for number in range(max(used) + 2) if number not in used)
        found = []
        try:
            # Descriptors have the lowest number that is free: there is none below the limit now.
            resource.setrlimit(resource.RLIMIT_NOFILE, (free, limits[1]))
            run([lambda: found.append(client.get(records[2]).bins)])
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        assert found == [{"i": 2}]


def test_more_threads_than_sockets(config, records):
    with aerospike.client(config) as client:
        together, right = threading.Barrier(100), []

        def use():
            together.wait(20)
            batch = client.batch_read(records, _dtype=DTYPE)
            together.wait(20)
            right.append(batch.ok.all() and client.get(records[1]).bins == {"i": 1})

        run([use] * 100)
        assert right == [True] * 100


def test_a_node_that_closed_idle_connections_is_noticed_by_every_thread(records):
    """A write must not go to a connection that was closed meanwhile: it would be in doubt."""
    with DevServer() as server, aerospike.client(server.config) as client:
        key = ("test", "threads", 1)
        run([lambda: client.put(key, {"i": 1})])
        server.kill(0)
        server.restart(0)
        # A write is not sent again once any of it went out: it must not have gone to a closed connection.
        client.put(key, {"i": 2}, policy={"max_retries": 0})
        run([lambda: client.put(key, {"i": 3}, policy={"max_retries": 0})])
        assert client.get(key).bins == {"i": 3}
