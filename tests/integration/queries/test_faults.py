"""Queries when nodes fail, readers stop or tasks are cancelled, and the memory that they take."""

import asyncio
import re
import signal
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py import AsyncClient
from aerospike_py.testing import DevServer
from tests.support.processes import end_of, start
from tests.support.records import MAP_KEYED_BY_A_LIST, put_as_it_is
from tests.support.waiting import eventually

pytestmark = pytest.mark.embedded

RECORDS = 6_000
#: Records of so many bytes that sockets cannot take the whole set.
BYTES = 8_000


def fill(config, count=RECORDS, size=BYTES, name="s"):
    with aerospike.client(config) as client:
        for number in range(count):
            client.put(("test", name, number), {"n": number, "b": bytes(size)})
    return set(range(count))


@pytest.fixture(scope="module")
def cluster():
    """Three nodes with the records. A test that kills nodes starts its own."""
    with DevServer(nodes=3) as server:
        fill(server.config)
        yield server


def numbers(records):
    found = [record.bins["n"] for record in records]
    assert len(found) == len(set(found)), "records came twice"
    return set(found)


def in_use(client):
    return sum(node.conns.in_use for node in client.stats().nodes)


@pytest.mark.parametrize(
    ("fault", "more"),
    [
        ("close", {}),
        ("close-mid-frame", {}),
        ("garbage", {}),
        ("silent", {}),
        ("code", {"code": 14}),
        ("row-code", {"code": 11}),
    ],
)
def test_a_fault_costs_no_record(face, cluster, fault, more):
    client = face.connect(cluster.config)
    before = sum(cluster.counters(node)["faults"] for node in range(3))
    cluster.inject(fault, command="query", times=1, **more)
    try:
        policy = {"socket_timeout": 300}
        assert numbers(client.query("test", "s").results(policy)) == set(range(RECORDS))
        assert sum(cluster.counters(node)["faults"] for node in range(3)) >= before + 3
    finally:
        cluster.clear_faults()
        client.close()


def test_a_persistent_fault_is_raised_after_the_last_try(face, cluster):
    client = face.connect(cluster.config)
    cluster.inject("close", command="query")
    try:
        with pytest.raises(aerospike.ConnectionError, match=r"query at node \w+ .*, 6 tries"):
            client.query("test", "s").results()
        with pytest.raises(aerospike.ConnectionError, match=r"query at node \w+ .*, 1 try"):
            next(client.query("test", "s").records({"max_retries": 0}))
    finally:
        cluster.clear_faults()
        client.close()


def partitions_in(text):
    """The partitions that the message of a failed query names."""
    pattern = r"(\d+) of 4096 partitions were not read completely: ([-\d, ]+?)( and \d+ more ranges)?$"
    count, ranges, more = re.search(pattern, text).groups()
    found = [number for part in ranges.split(", ") for number in between(*map(int, part.split("-")))]
    return int(count), found, more


def between(first, last=None):
    return range(first, (last or first) + 1)


def test_the_error_names_the_partitions_that_are_missing(face, cluster):
    """Two nodes are read while the third is tried again."""
    client = face.connect(cluster.config)
    query = client.query("test", "s")
    cluster.inject("close", 1, command="query")
    policy = {"replica": aerospike.POLICY_REPLICA_MASTER, "max_retries": 4, "sleep_between_retries": 200}
    try:
        with pytest.raises(aerospike.ConnectionError) as raised:
            query.to_numpy(np.dtype([("n", "i8")]), policy=policy)
    finally:
        cluster.clear_faults()
    status = query.get_partitions_status()
    missing = [number for number in range(4096) if status[number][2]]
    count, named, more = partitions_in(str(raised.value))
    assert 1000 < len(missing) == count < 1800
    assert named == missing[: len(named)]
    assert more or len(named) == count
    client.close()


def test_a_node_that_dies_costs_no_record(face):
    with DevServer(nodes=3) as server:
        expected = fill(server.config)
        client = face.connect(server.config)
        query = client.query("test", "s")
        found = []
        records = query.records({"sleep_between_retries": 100})
        for record in records:
            found.append(record)
            if len(found) == 500:
                server.kill(1)
        assert numbers(found) == expected
        assert client.stats().retry_count > 0
        client.close()


def test_nodes_stop_sending_when_the_reader_stops(face, cluster):
    client = face.connect(cluster.config)

    def sent():
        return sum(cluster.counters(node)["query_records"] for node in range(3))

    before = sent()
    with client.query("test", "s").records() as records:
        first = [next(records) for _ in range(10)]
        time.sleep(0.5)
        stopped = sent()
        time.sleep(0.5)
        assert sent() == stopped
        assert stopped - before < RECORDS * 0.9
        assert numbers([*first, *records]) == set(range(RECORDS))
    client.close()


def test_an_abandoned_query_closes_its_connections(face, cluster):
    client = face.connect(cluster.config)
    for record in client.query("test", "s"):
        assert record.bins["n"] in range(RECORDS)
        break
    eventually("the connections are closed", lambda: in_use(client) == 0, 5)
    records = iter(client.query("test", "s"))
    next(records)
    assert in_use(client) > 0
    records.close()
    eventually("the connections are closed", lambda: in_use(client) == 0, 5)
    assert list(records) == []
    client.close()


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's peak memory")
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_memory_is_bounded_however_large_the_set_is(cluster, kind):
    body = {
        "sync": """
            with aerospike.client(config) as client:
                begin(client)
                for record in client.query("test", "s"):
                    take(record)
        """,
        "async": """
            async def main():
                async with AsyncClient(config) as client:
                    begin(client)
                    async for record in client.query("test", "s"):
                        take(record)
            asyncio.run(main())
        """,
    }[kind]
    before = """
        count = 0
        def memory(name):
            for line in open("/proc/self/status"):
                if line.startswith(name + ":"):
                    return int(line.split()[1]) / 1024
        def begin(client):
            global rss
            # Measures the peak from here on.
            open("/proc/self/clear_refs", "w").write("5")
            rss = memory("VmRSS")
        def take(record):
            global count
            count += 1
            if count % 1000 == 0:
                time.sleep(0.05)
        """
    process = start(
        "\n".join(map(textwrap.dedent, (before, body, "print(count, memory('VmHWM') - rss)"))), cluster
    )
    code, out, err = end_of(process)
    assert code == 0, err
    count, extra = out.split()
    assert int(count) == RECORDS
    # The records are 46 MiB; read ahead are a few blocks, and a frame and a buffer per node.
    assert float(extra) < 16, f"{extra} MiB"


def test_ctrl_c_stops_a_query_that_waits():
    with DevServer() as server:
        fill(server.config, 100, 10)
        process = start(
            """
            client = aerospike.client(config).connect()
            query = client.query("test", "s")
            query.records_per_second = 1
            try:
                for record in query:
                    print("one", flush=True)
            except KeyboardInterrupt:
                print("interrupted", len(client.query("test", "s").results()), flush=True)
            """,
            server,
        )
        assert process.stdout.readline() == "one\n"
        time.sleep(0.2)
        started = time.perf_counter()
        process.send_signal(signal.SIGINT)
        while (line := process.stdout.readline()) == "one\n":
            pass
        assert time.perf_counter() - started < 0.5
        assert line == "interrupted 100\n"
        assert end_of(process)[0] == 0


def test_cancelled_waits_lose_nothing(cluster):
    async def main():
        async with AsyncClient(cluster.config) as client:
            query = client.query("test", "s")
            query.records_per_second = 2_000
            records = query.records()
            found, cancelled = [], 0
            while True:
                try:
                    found.append(await asyncio.wait_for(records.__anext__(), 0.002))
                except asyncio.TimeoutError:  # noqa: PERF203
                    cancelled += 1
                except StopAsyncIteration:
                    break
            assert cancelled > 10
            assert numbers(found) == set(range(RECORDS))

    asyncio.run(main())


def test_a_cancelled_query_ends_at_once(cluster):
    async def main():
        async with AsyncClient(cluster.config) as client:
            query = client.query("test", "s")
            query.records_per_second = 100
            task = asyncio.create_task(query.results())
            await asyncio.sleep(0.3)
            assert in_use(client) == 3
            start = time.perf_counter()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert time.perf_counter() - start < 0.1
            for _ in range(100):
                await asyncio.sleep(0.02)
                if in_use(client) == 0:
                    break
            assert in_use(client) == 0

    asyncio.run(main())


def test_the_loop_is_never_blocked_for_long(cluster):
    async def main():
        longest = 0.0

        async def watch():
            nonlocal longest
            while True:
                before = time.perf_counter()
                await asyncio.sleep(0.001)
                longest = max(longest, time.perf_counter() - before)

        async with AsyncClient(cluster.config) as client:
            watcher = asyncio.create_task(watch())
            await asyncio.sleep(0.01)
            longest, start = 0.0, time.perf_counter()
            records = await client.query("test", "s").results()
            assert len(records) == RECORDS
            watcher.cancel()
        return longest / (time.perf_counter() - start)

    # Created in one piece, the records would block it for a third of the time. Five tries, on a busy machine.
    assert min(asyncio.run(main()) for _ in range(5)) < 0.2


def test_async_callbacks_are_awaited(cluster):
    async def main():
        async with AsyncClient(cluster.config) as client:
            found = []

            async def take(record):
                await asyncio.sleep(0)
                found.append(record)
                return len(found) < 200

            await client.query("test", "s").foreach(take)
            assert len(numbers(found)) == 200

    asyncio.run(main())


def test_one_task_at_a_time_takes_records(cluster):
    async def main():
        async with AsyncClient(cluster.config) as client:
            records = client.query("test", "s").records()
            outcomes = await asyncio.gather(*(records.__anext__() for _ in range(2)), return_exceptions=True)
            assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Record", "RuntimeError"]
            await records.aclose()

    asyncio.run(main())


def test_several_threads_take_from_one_query(cluster):
    with aerospike.client(cluster.config) as client:
        records = iter(client.query("test", "s"))
        found: list[list] = [[] for _ in range(4)]
        threads = [threading.Thread(target=lambda mine=mine: mine.extend(records)) for mine in found]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert numbers([record for mine in found for record in mine]) == set(range(RECORDS))


def test_a_query_that_another_thread_waits_for_can_be_closed(cluster):
    with aerospike.client(cluster.config) as client:
        query = client.query("test", "s")
        query.records_per_second = 1
        records = query.records()
        next(records)
        found: list = []
        thread = threading.Thread(target=found.extend, args=(records,))
        thread.start()
        time.sleep(0.1)
        start = time.perf_counter()
        records.close()
        thread.join(10)
        assert time.perf_counter() - start < 0.5
        assert len(found) < 20
        assert not query.is_done()


def test_a_value_that_python_cannot_hold_costs_its_own_record(face):
    """A map whose key is a list is an error at the end; the records before and after it are read."""
    with DevServer(options=["--any-map-keys"]) as server:
        fill(server.config, 50, 10)
        client = face.connect(server.config)
        put_as_it_is(server.hosts[0], ("test", "s", 7), b"m", MAP_KEYED_BY_A_LIST)
        records = iter(client.query("test", "s"))
        found, errors = [], []
        while True:
            try:
                found.append(next(records))
            except StopIteration:  # noqa: PERF203
                break
            except aerospike.ClientError as error:
                errors.append(str(error))
        assert numbers(found) == set(range(50)) - {7}
        [told] = errors
        assert "Key(namespace='test', set='s', key=None, digest=" in told
        assert 'bin "m" cannot be read: ' in told
        with pytest.raises(aerospike.ClientError, match="cannot be read"):
            client.query("test", "s").results()
        client.close()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_a_query_of_the_parent_raises_in_the_child_and_goes_on_in_the_parent(cluster):
    process = start(
        """
        client = aerospike.client(config).connect()
        records = iter(client.query("test", "s"))
        count = sum(1 for _ in zip(range(100), records))
        child = os.fork()
        if child == 0:
            try:
                while True:
                    next(records)
            except aerospike.ClientError as error:
                assert "fork" in str(error), error
                del records
                gc.collect()
                os._exit(0)
            os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        print(count + sum(1 for _ in records))
        """,
        cluster,
    )
    code, out, err = end_of(process)
    assert (code, out, err) == (0, f"{RECORDS}\n", "")
