"""`fork` while threads and event loops read, `multiprocessing`, and clients, which cannot be pickled."""

import copy
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time

import pytest

import aerospike_py as aerospike
from tests.support.processes import end_of, pause_when_connected, start

pytestmark = pytest.mark.embedded

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")


@needs_fork
def test_a_client_of_the_parent_raises_in_the_child(own_node):
    process = start(
        """
        client = aerospike.client(config).connect()
        client.put(keys[0], {"i": 5})
        stop = []
        def read():
            while not stop:
                assert client.batch_read(keys[:100], _dtype=dtype).batch_records["i"][0] == 5
        threads = [threading.Thread(target=read) for _ in range(2)]
        for thread in threads: thread.start()
        time.sleep(0.2)
        for _ in range(10):
            pid = os.fork()
            if pid == 0:
                for call in (lambda: client.get(keys[0]), lambda: client.batch_read(keys, _dtype=dtype),
                             client.is_connected, client.close, client.get_node_names, client.connect):
                    try:
                        call()
                    except aerospike.ClientError as error:
                        assert "fork" in str(error), error
                    else:
                        os._exit(3)
                mine = aerospike.client(config).connect()
                assert mine.batch_read(keys[:100], _dtype=dtype).batch_records["i"][0] == 5
                async def main():
                    async with aerospike.AsyncClient(config) as client:
                        assert (await client.get(keys[0])).bins == {"i": 5}
                asyncio.run(main())
                del client
                gc.collect()
                mine.close()
                os._exit(0)
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        stop.append(1)
        for thread in threads: thread.join()
        assert client.batch_read(keys[:100], _dtype=dtype).batch_records["i"][0] == 5
        print("fine")
        """,
        own_node,
    )
    code, out, err = end_of(process, 60)
    assert (code, out) == (0, "fine\n"), err


@needs_fork
def test_a_client_that_was_not_connected_before_the_fork(own_node):
    """It belongs to the parent too: its first command raises in the child, and connects in the parent."""
    process = start(
        """
        client = aerospike.client(config)
        for _ in range(5):
            connecting = threading.Thread(target=client.exists, args=(keys[0],))
            connecting.start()
            pid = os.fork()
            if pid == 0:
                assert not client._core.is_new()
                for call in (lambda: client.get(keys[0]), lambda: client.batch_read(keys, _dtype=dtype),
                             lambda: client.query("test", "s").results(), client.get_node_names):
                    try:
                        call()
                    except aerospike.ClientError as error:
                        assert "fork" in str(error), error
                    else:
                        os._exit(3)
                mine = aerospike.client(config)
                assert mine.exists(keys[0]).meta is None
                del client
                gc.collect()
                os._exit(0)
            connecting.join()
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
            assert client.is_connected()
            client = aerospike.client(config)
        print("fine")
        """,
        own_node,
    )
    code, out, err = end_of(process, 60)
    assert (code, out) == (0, "fine\n"), err


@needs_fork
def test_a_child_that_exits_normally(own_node):
    """sys.exit in a child runs atexit handlers and the garbage collector."""
    process = start(
        """
        client = aerospike.client(config).connect()
        client.put(keys[0], {"i": 5})
        pid = os.fork()
        if pid == 0:
            sys.exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert client.batch_read(keys[:100], _dtype=dtype).batch_records["i"][0] == 5
        print("fine")
        """,
        own_node,
    )
    assert end_of(process)[:2] == (0, "fine\n")


@needs_fork
def test_a_child_that_drops_calls_in_flight(own_node):
    """Threads of the parent are writing at the moment of the fork: the child must not wait for them."""
    process = start(
        """
        wide = np.dtype([("i", "i8"), ("b", "V2000")])
        with aerospike.client(config) as client:
            for key in keys:
                client.put(key, {"i": 1, "b": bytes(2000)})
        async def main():
            client = await aerospike.AsyncClient(config).connect()
            for _ in range(15):
                tasks = [asyncio.create_task(client.batch_read(keys, _dtype=wide)) for _ in range(3)]
                await asyncio.sleep(0.005)
                pid = os.fork()
                if pid == 0:
                    for task in tasks:
                        task.get_coro().close()
                    del tasks, task
                    gc.collect()
                    os._exit(0)
                for _ in range(500):
                    done, status = os.waitpid(pid, os.WNOHANG)
                    if done:
                        break
                    await asyncio.sleep(0.01)
                else:
                    os.kill(pid, 9)
                    raise SystemExit("the child hangs")
                assert os.waitstatus_to_exitcode(status) == 0
                assert all(batch.ok.all() for batch in await asyncio.gather(*tasks))
        asyncio.run(main())
        print("fine")
        """,
        own_node,
    )
    code, out, err = end_of(process, 60)
    assert (code, out) == (0, "fine\n"), err


@needs_fork
def test_fifty_forks_under_load(own_node):
    """Three threads and a loop of the parent read on while children collect what they inherited and end.

    They end in each way that Python knows; every fifth works with a client of its own first.
    """
    process = start(
        """
        client = aerospike.client(config).connect()
        mine = keys[:500]
        for number in range(500):
            client.put(mine[number], {"i": number})
        expected = np.arange(500)
        stop, problems, reads = threading.Event(), [], [0] * 4
        inherited = [None] * 4

        def check(number, batch):
            if not (batch.ok.all() and (batch.batch_records["i"] == expected).all()):
                problems.append((number, batch.result_codes.tolist()))
            reads[number] += 1
            inherited[number] = batch

        def read(number):
            try:
                while not stop.is_set():
                    check(number, client.batch_read(mine, _dtype=dtype))
            except BaseException as error:
                problems.append((number, repr(error)))

        calls = set()
        async def read_in_loop():
            async with AsyncClient(config) as client:
                while not stop.is_set():
                    tasks = [asyncio.create_task(client.batch_read(mine, _dtype=dtype)) for _ in range(3)]
                    calls.update(tasks)
                    for batch in await asyncio.gather(*tasks):
                        check(3, batch)
                    calls.difference_update(tasks)

        def run_loop():
            try:
                asyncio.run(read_in_loop())
            except BaseException as error:
                problems.append((3, repr(error)))

        threads = [threading.Thread(target=read, args=(number,)) for number in range(3)]
        threads.append(threading.Thread(target=run_loop))
        for thread in threads:
            thread.start()
        while not all(reads):
            time.sleep(0.01)
        for attempt in range(50):
            pid = os.fork()
            if pid == 0:
                sys.stderr = open(os.devnull, "w")
                if attempt % 5 == 0:
                    with aerospike.client(config) as own:
                        batch = own.batch_read(mine, _dtype=dtype)
                        if not (batch.batch_records["i"] == expected).all():
                            os._exit(9)
                for task in list(calls):
                    try:
                        task.get_coro().close()
                    except ValueError:
                        pass  # its thread was running it at the moment of the fork
                del client
                calls.clear()
                inherited.clear()
                gc.collect()
                if attempt % 3 == 0:
                    os._exit(0)
                if attempt % 3 == 1:
                    raise RuntimeError("on purpose")
                sys.exit(0)
            deadline = time.monotonic() + 20
            while True:
                done, status = os.waitpid(pid, os.WNOHANG)
                if done:
                    break
                if time.monotonic() > deadline:
                    os.kill(pid, 9)
                    os.waitpid(pid, 0)
                    problems.append((attempt, "the child hangs"))
                    break
                time.sleep(0.002)
            code = os.waitstatus_to_exitcode(status)
            if code != (1 if attempt % 3 == 1 else 0):
                problems.append((attempt, code))
        before = list(reads)
        time.sleep(0.1)
        stop.set()
        for thread in threads:
            thread.join()
        assert not problems, problems[:5]
        assert all(now > then for now, then in zip(reads, before)), (before, reads)
        print("fine")
        """,
        own_node,
    )
    code, out, err = end_of(process, 100)
    assert (code, out) == (0, "fine\n"), err


@needs_fork
def test_a_fork_beside_a_threads_very_first_calls(own_node):
    """Objects created on first use must not stay half created in the child. Each zygote has used none."""
    process = start(
        """
        sys.setswitchinterval(1e-6)
        def use(client):
            client.connect()
            client.put(keys[1], {"i": 1, "m": {"a": [1.5, None, b"x"]}})
            assert client.get(keys[1]).bins["i"] == 1
            for _ in range(3):
                client.batch_read(aerospike.Keys("test", "s", np.arange(3)), _dtype=dtype)
                assert client.batch_read(keys[:3], _dtype=dtype).result_codes[1] == 0
            client.batch_read(keys[:3])
            client.stats()
        def ended(pid):
            for _ in range(2000):
                done, status = os.waitpid(pid, os.WNOHANG)
                if done:
                    return os.waitstatus_to_exitcode(status)
                time.sleep(0.005)
            os.kill(pid, 9)
            return "hangs"
        for attempt in range(40):
            zygote = os.fork()
            if zygote == 0:
                client = aerospike.client(config)
                thread = threading.Thread(target=use, args=(client,))
                thread.start()
                end = time.perf_counter() + attempt * 0.0002
                while time.perf_counter() < end:
                    pass
                child = os.fork()
                if child == 0:
                    use(aerospike.client(config))
                    os._exit(0)
                code = ended(child)
                thread.join()
                os._exit(0 if code == 0 else 7)
            code = ended(zygote)
            assert code == 0, (attempt, code)
        print("fine")
        """,
        own_node,
    )
    code, out, err = end_of(process, 100)
    assert (code, out) == (0, "fine\n"), err


@needs_fork
def test_an_event_loop_of_the_parent_is_refused_in_the_child(own_node):
    """Both share the descriptor that wakes the loop: a child that reads it would steal wake-ups."""
    process = start(
        """
        loop = asyncio.new_event_loop()
        client = loop.run_until_complete(AsyncClient(config).connect())
        pid = os.fork()
        if pid == 0:
            try:
                loop.run_until_complete(AsyncClient(config).connect())
            except aerospike.ClientError as error:
                os._exit(0 if "event loop" in str(error) and "fork" in str(error) else 1)
            os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        for _ in range(20):
            loop.run_until_complete(client.batch_read(keys, _dtype=dtype))
        loop.run_until_complete(client.close())
        loop.close()
        print("fine")
        """,
        own_node,
    )
    code, out, err = end_of(process)
    assert (code, out) == (0, "fine\n"), err


@needs_fork
def test_a_fork_by_a_signals_handler_in_mid_call(own_node):
    process = start(
        """
        client = aerospike.client(config).connect()
        children = []
        def handler(number, frame):
            children.append(os.fork())
        signal.signal(signal.SIGUSR1, handler)
        print("connected")
        sys.stdin.readline()
        try:
            batch = client.batch_read(keys, policy={"total_timeout": 0}, _dtype=dtype)
        except aerospike.ClientError as error:
            os._exit(7 if children == [0] and "fork" in str(error) else 8)
        assert children and 0 not in children
        assert os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]) == 7
        assert (batch.result_codes == 2).all()
        print("fine")
        """,
        own_node,
    )
    pause_when_connected(process, own_node)
    time.sleep(0.3)
    process.send_signal(signal.SIGUSR1)
    time.sleep(0.3)
    own_node.resume(0)
    code, out, err = end_of(process)
    assert (code, out) == (0, "fine\n"), err


WORKERS = """
import multiprocessing, os, sys
import numpy as np
import aerospike_py as aerospike

dtype = np.dtype([("i", "i8")])
keys = [("test", "workers", number) for number in range(200)]
client = None


def connect(config):
    global client
    client = aerospike.client(config).connect()


def read(first):
    batch = client.batch_read(keys[first : first + 50], _dtype=dtype)
    return os.getpid(), batch.batch_records["i"].tolist()


if __name__ == "__main__":
    config = {"hosts": [(sys.argv[2], int(sys.argv[3]))]}
    with aerospike.client(config) as parents:
        for number, key in enumerate(keys):
            parents.put(key, {"i": number})
        context = multiprocessing.get_context(sys.argv[1])
        with context.Pool(2, initializer=connect, initargs=(config,)) as pool:
            for attempt in range(20):
                answers = pool.map(read, [0, 50, 100, 150], chunksize=1)
                assert [rows for _, rows in answers] == [
                    list(range(first, first + 50)) for first in (0, 50, 100, 150)
                ]
                assert os.getpid() not in {pid for pid, _ in answers}
                assert parents.batch_read(keys, _dtype=dtype).ok.all()
            pool.close()
            pool.join()
    print("fine")
"""


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_multiprocessing(own_node, tmp_path, method):
    """Each worker has a client, made by the initializer of the pool, and so has the parent."""
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this platform has no {method}")
    script = tmp_path / "workers.py"
    script.write_text(WORKERS, encoding="utf-8")
    (host, port) = own_node.hosts[0]
    process = subprocess.Popen(
        [sys.executable, str(script), method, host, str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    code, out, err = end_of(process, 60)
    assert (code, out) == (0, "fine\n"), err


@pytest.mark.parametrize("make", [aerospike.client, aerospike.AsyncClient])
@pytest.mark.parametrize("act", [pickle.dumps, copy.copy, copy.deepcopy])
def test_clients_are_not_pickled(config, make, act):
    with pytest.raises(TypeError, match=r"Client cannot be pickled.*pass the config.*connect there"):
        act(make(config))
