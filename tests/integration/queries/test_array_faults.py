"""Queries into NumPy arrays when nodes fail and readers stop, and the memory that they take."""

import asyncio
import gc
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
from tests.support.waiting import eventually

pytestmark = pytest.mark.embedded

RECORDS = 6_000
#: Records of so many bytes that sockets cannot take the whole set.
BYTES = 8_000
DTYPE = np.dtype([("n", "i8"), ("b", f"V{BYTES}")])
NUMBERS = np.dtype([("n", "i8")])

needs_proc = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="needs Linux's peak memory"
)


def fill(config, count=RECORDS, size=BYTES, name="s"):
    with aerospike.client(config) as client:
        for number in range(count):
            client.put(("test", name, number), {"n": number, "b": number.to_bytes(4, "big") * (size // 4)})
    return set(range(count))


@pytest.fixture(scope="module")
def cluster():
    """Three nodes with the records. A test that kills nodes starts its own."""
    with DevServer(nodes=3) as server:
        fill(server.config)
        yield server


def numbers(blocks):
    """The numbers of all rows, whose bytes must be those of their number."""
    found = []
    for block in blocks:
        found += block["n"].tolist()
        if "b" in block.batch_records.dtype.names:
            words = np.ascontiguousarray(block["b"]).view(">u4").reshape(len(block), -1)
            assert (words == block["n"][:, None]).all()
        assert block.present["n"].all()
        assert (block.meta["gen"] == 1).all()
    assert len(found) == len(set(found)), "records came twice"
    return set(found)


def in_use(client):
    return sum(node.conns.in_use for node in client.stats().nodes)


def rest_of(client, query):
    status = query.get_partitions_status()
    rest = client.query("test", "s")
    return numbers([rest.to_numpy(NUMBERS, policy={"partition_filter": {"partition_status": status}})])


@pytest.fixture(params=["to_numpy", "numpy_batches", "out"])
def read(request):
    """Reads all records of a query; returns the blocks."""

    def one(query, dtype=DTYPE, **more):
        return [query.to_numpy(dtype, **more)]

    def blocks(query, dtype=DTYPE, **more):
        with query.numpy_batches(dtype, rows=500, **more) as batches:
            return [*batches]

    def into_one_array(query, dtype=DTYPE, **more):
        from copy import deepcopy

        with query.numpy_batches(dtype, out=np.empty(700, dtype), **more) as batches:
            return [deepcopy(block) for block in batches]

    return {"to_numpy": one, "numpy_batches": blocks, "out": into_one_array}[request.param]


class TestFaults:
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
    def test_one_costs_no_record(self, face, cluster, read, fault, more):
        client = face.connect(cluster.config)
        before = sum(cluster.counters(node)["faults"] for node in range(3))
        cluster.inject(fault, command="query", times=1, **more)
        try:
            query = client.query("test", "s")
            assert numbers(read(query, policy={"socket_timeout": 300})) == set(range(RECORDS))
            assert sum(cluster.counters(node)["faults"] for node in range(3)) >= before + 3
            assert query.is_done()
        finally:
            cluster.clear_faults()
            client.close()

    def test_a_persistent_one_is_raised_after_the_last_try(self, face, cluster):
        client = face.connect(cluster.config)
        cluster.inject("close", command="query")
        try:
            with pytest.raises(aerospike.ConnectionError, match=r"query at node \w+ .*, 6 tries") as raised:
                client.query("test", "s").to_numpy(DTYPE)
            assert len(raised.value.batch) == 0
            with pytest.raises(aerospike.ConnectionError, match=r"query at node \w+ .*, 1 try"):
                next(client.query("test", "s").numpy_batches(DTYPE, policy={"max_retries": 0}))
        finally:
            cluster.clear_faults()
            client.close()

    def test_one_of_one_node_leaves_the_records_of_the_others(self, face, cluster):
        """The error has them, and the query goes on behind them."""
        client = face.connect(cluster.config)
        policy = {"max_retries": 1, "socket_timeout": 700, "sleep_between_retries": 0}
        try:
            cluster.inject("silent", command="query", node=1)
            query = client.query("test", "s")
            with pytest.raises(aerospike.TimeoutError) as raised:
                query.to_numpy(NUMBERS, policy={**policy, "replica": aerospike.POLICY_REPLICA_MASTER})
            cluster.clear_faults()
            came = numbers([raised.value.batch])
            assert RECORDS / 3 < len(came) < RECORDS
            assert not query.is_done()
            assert rest_of(client, query) == set(range(RECORDS)) - came

            cluster.inject("silent", command="query", node=1)
            blocks, query = [], client.query("test", "s")
            batches = query.numpy_batches(
                NUMBERS, rows=300, policy={**policy, "replica": aerospike.POLICY_REPLICA_MASTER}
            )
            with pytest.raises(aerospike.TimeoutError):
                blocks.extend(batches)
            cluster.clear_faults()
            # The last block, which was not full, came before the error.
            assert len(blocks[-1]) < 300
            came = numbers(blocks)
            assert RECORDS / 3 < len(came) < RECORDS
            assert rest_of(client, query) == set(range(RECORDS)) - came
        finally:
            cluster.clear_faults()
            client.close()

    def test_closing_while_one_node_hangs_loses_no_record(self, face, cluster):
        """Other nodes have sent all their records, which no block had."""
        client = face.connect(cluster.config)
        cluster.inject("silent", command="query", node=1)
        try:
            query = client.query("test", "s")
            batches = query.numpy_batches(NUMBERS, policy={"socket_timeout": 0})
            found = []
            thread = threading.Thread(target=found.extend, args=(batches,))
            thread.start()
            time.sleep(1)
            batches.close()
            thread.join(10)
            cluster.clear_faults()
            assert found == []
            assert rest_of(client, query) == set(range(RECORDS))
        finally:
            cluster.clear_faults()
            client.close()

    def test_leaving_while_one_node_hangs_loses_no_record(self, face, cluster):
        client = face.connect(cluster.config)
        cluster.inject("silent", command="query", node=1)
        try:
            query = client.query("test", "s")
            with query.numpy_batches(NUMBERS, rows=100, policy={"socket_timeout": 0}) as batches:
                found = [next(batches) for _ in range(20)]
                time.sleep(0.5)
            cluster.clear_faults()
            rest = rest_of(client, query)
            assert numbers(found) & rest == numbers(found[-1:])
            assert numbers(found) | rest == set(range(RECORDS))
        finally:
            cluster.clear_faults()
            client.close()

    @pytest.mark.parametrize("rows", [50, None])
    def test_a_node_that_dies_costs_no_record(self, face, rows):
        with DevServer(nodes=3) as server:
            expected = fill(server.config)
            client = face.connect(server.config)
            query = client.query("test", "s")
            policy = {"sleep_between_retries": 100}
            if rows is None:
                killer = threading.Timer(0.05, server.kill, (1,))
                query.records_per_second = 5_000
                killer.start()
                found = [query.to_numpy(DTYPE, policy=policy)]
                killer.join()
            else:
                found = []
                for block in query.numpy_batches(DTYPE, rows, policy=policy):
                    found.append(block)
                    if len(found) == 10:
                        server.kill(1)
            assert numbers(found) == expected
            assert query.is_done()
            assert client.stats().retry_count > 0
            client.close()

    def test_partitions_that_move_cost_no_record(self, face):
        with DevServer(nodes=3) as server:
            expected = fill(server.config, 3000, 4000)
            client = face.connect({**server.config, "tend_interval": 100})
            dtype = np.dtype([("n", "i8"), ("b", "V4000")])
            found = []
            for block in client.query("test", "s").numpy_batches(dtype, 100):
                found.append(block)
                if len(found) in (3, 9):
                    server.move_partitions(1000)
            assert numbers(found) == expected
            client.close()

    def test_a_reader_that_is_slower_than_the_socket_timeout(self, face, cluster):
        client = face.connect(cluster.config)
        found = []
        batches = client.query("test", "s").numpy_batches(DTYPE, 300, policy={"socket_timeout": 200})
        for block in batches:
            found.append(block)
            if len(found) in (2, 5):
                time.sleep(0.6)
        assert numbers(found) == set(range(RECORDS))
        assert client.stats().retry_count == 0
        client.close()


class TestBackPressure:
    @pytest.mark.parametrize("into", ["blocks", "out"])
    def test_nodes_stop_sending_when_the_reader_stops(self, face, cluster, into):
        client = face.connect(cluster.config)

        def sent():
            return sum(cluster.counters(node)["query_records"] for node in range(3))

        before = sent()
        more = {"out": np.empty(100, DTYPE)} if into == "out" else {"rows": 100}
        found = []
        with client.query("test", "s").numpy_batches(DTYPE, **more) as batches:
            found += next(batches)["n"].tolist()
            time.sleep(0.5)
            stopped = sent()
            time.sleep(0.5)
            assert sent() == stopped
            assert stopped - before < RECORDS * 0.9
            for block in batches:
                found += block["n"].tolist()
        assert sorted(found) == list(range(RECORDS))
        client.close()

    def test_an_abandoned_query_closes_its_connections(self, face, cluster):
        client = face.connect(cluster.config)
        for block in client.query("test", "s").numpy_batches(DTYPE, 100):
            assert len(block) == 100
            assert in_use(client) > 0
            break
        gc.collect()
        eventually("the connections are closed", lambda: in_use(client) == 0, 5)
        batches = client.query("test", "s").numpy_batches(DTYPE, 100)
        next(batches)
        cycle = [batches]
        cycle.append(cycle)
        del batches, cycle
        gc.collect()
        eventually("the connections are closed", lambda: in_use(client) == 0, 5)
        batches = client.query("test", "s").numpy_batches(DTYPE, 100)
        next(batches)
        batches.close()
        eventually("the connections are closed", lambda: in_use(client) == 0, 5)
        client.close()

    @needs_proc
    @pytest.mark.parametrize("kind", ["sync", "async", "out"])
    def test_memory_is_flat_for_a_slow_reader(self, cluster, kind):
        body = {
            "sync": """
                with aerospike.client(config) as client:
                    begin(client)
                    for block in client.query("test", "s").numpy_batches(dtype, 100):
                        take(block)
            """,
            "async": """
                async def main():
                    async with AsyncClient(config) as client:
                        begin(client)
                        async for block in client.query("test", "s").numpy_batches(dtype, 100):
                            take(block)
                asyncio.run(main())
            """,
            "out": """
                with aerospike.client(config) as client:
                    out = np.zeros(100, dtype)
                    begin(client)
                    for block in client.query("test", "s").numpy_batches(dtype, out=out):
                        take(block)
            """,
        }[kind]
        before = f"""
            import numpy as np
            dtype = np.dtype([("n", "i8"), ("b", "V{BYTES}")])
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
            def take(block):
                global count
                count += len(block)
                time.sleep(0.02)
            """
        process = start(
            "\n".join(map(textwrap.dedent, (before, body, "print(count, memory('VmHWM') - rss)"))).replace(
                'dtype = np.dtype([("i", "i8")])', ""
            ),
            cluster,
        )
        code, out, err = end_of(process)
        assert code == 0, err
        count, extra = out.split()
        assert int(count) == RECORDS
        # The records are 46 MiB; a block is 0.8 MiB, and a frame and a buffer per node are read ahead.
        assert float(extra) < 16, f"{extra} MiB"


def test_ctrl_c_stops_a_query_that_waits():
    with DevServer() as server:
        fill(server.config, 100, 8)
        for call in ("query.to_numpy(D)", "[*query.numpy_batches(D)]"):
            process = start(
                f"""
                D = np.dtype([("n", "i8")])
                client = aerospike.client(config).connect()
                query = client.query("test", "s")
                query.records_per_second = 1
                query.paginate()
                print("begun", flush=True)
                try:
                    {call}
                except KeyboardInterrupt:
                    query.records_per_second = 0
                    print("interrupted", len(query.to_numpy(D)), flush=True)
                """,
                server,
            )
            assert process.stdout.readline() == "begun\n"
            time.sleep(0.5)
            started = time.perf_counter()
            process.send_signal(signal.SIGINT)
            assert process.stdout.readline() == "interrupted 100\n"
            assert time.perf_counter() - started < 0.5
            assert end_of(process)[0] == 0


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
@pytest.mark.parametrize("dropped", ["del batches, client; gc.collect()", "batches.close()", "pass"])
def test_a_query_of_the_parent_raises_in_the_child_and_goes_on_in_the_parent(cluster, dropped):
    process = start(
        f"""
        D = np.dtype([("n", "i8")])
        client = aerospike.client(config).connect()
        query = client.query("test", "s")
        batches = query.numpy_batches(D, 100)
        count = len(next(batches))
        child = os.fork()
        if child == 0:
            try:
                for call in (query.get_partitions_status, lambda: next(batches), lambda: query.to_numpy(D)):
                    try:
                        call()
                    except aerospike.ClientError as error:
                        assert "fork" in str(error), error
                    else:
                        os._exit(2)
                try:
                    {dropped}
                except aerospike.ClientError as error:
                    assert "fork" in str(error), error
                gc.collect()
            except BaseException:
                import traceback
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        print(count + sum(map(len, batches)))
        """,
        cluster,
    )
    code, out, err = end_of(process)
    assert (code, out, err) == (0, f"{RECORDS}\n", "")


def test_the_gil_is_free_while_records_are_read(cluster):
    """Another thread runs Python code for most of the time that a read takes."""
    with aerospike.client(cluster.config) as client:
        query = client.query("test", "s")
        query.records_per_second = 4_000
        counted, is_over = [0], threading.Event()

        def count():
            while not is_over.is_set():
                counted[0] += 1

        def rate(seconds):
            before, begun = counted[0], time.perf_counter()
            seconds()
            return (counted[0] - before) / (time.perf_counter() - begun)

        thread = threading.Thread(target=count)
        thread.start()
        try:
            alone = rate(lambda: time.sleep(0.3))
            reading = rate(lambda: query.to_numpy(DTYPE))
            in_blocks = rate(lambda: [*query.numpy_batches(DTYPE, 500)])
        finally:
            is_over.set()
            thread.join()
        assert min(reading, in_blocks) > alone * 0.3


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
            longest, begun = 0.0, time.perf_counter()
            assert len(await client.query("test", "s").to_numpy(DTYPE)) == RECORDS
            watcher.cancel()
        return longest / (time.perf_counter() - begun)

    # Five tries, on a busy machine.
    assert min(asyncio.run(main()) for _ in range(5)) < 0.3


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's limit of the address space")
class TestNoMemory:
    """A limit of the address space stands for a machine without memory."""

    BEFORE = f"""
        import resource
        D = np.dtype([("n", "i8"), ("b", "V{BYTES}")])
        client = aerospike.client(config).connect()
        query = client.query("test", "s")
        len(query.to_numpy(np.dtype([("n", "i8")])))
        def limit(mebibytes):
            used = int(open("/proc/self/statm").read().split()[0]) * 4096
            resource.setrlimit(resource.RLIMIT_AS, (used + (mebibytes << 20), resource.RLIM_INFINITY))
        def unlimited():
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        """

    def run(self, cluster, body):
        code, out, err = end_of(start(textwrap.dedent(self.BEFORE) + textwrap.dedent(body), cluster), 60)
        assert (code, out) == (0, "fine\n"), err

    def test_for_all_records(self, cluster):
        self.run(
            cluster,
            """
            limit(30)
            try:
                query.to_numpy(D)
            except MemoryError as error:
                unlimited()
                batch = error.batch
                assert f"no memory for more than {len(batch)} rows" in str(error), error
            assert 0 < len(batch) < 6000, len(batch)
            policy = {"partition_filter": {"partition_status": query.get_partitions_status()}}
            rest = client.query("test", "s").to_numpy(D, policy=policy)
            found = batch["n"].tolist() + rest["n"].tolist()
            assert sorted(found) == list(range(6000)), len(found)
            print("fine")
            """,
        )

    def test_blocks_are_smaller(self, cluster):
        self.run(
            cluster,
            """
            # Rows so large that what threads have reserved of the address space does not suffice either.
            D = np.dtype([("n", "i8"), ("b", "V40000")])
            limit(40)
            found = []
            for block in query.numpy_batches(D):
                assert 0 < len(block) < 6000, len(block)
                found += block["n"].tolist()
            del block
            assert sorted(found) == list(range(6000)), len(found)
            print("fine")
            """,
        )
