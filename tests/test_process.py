"""Signals, forks and the end of the interpreter, each in the middle of a batch."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from aerospike_py.testing import DevServer

pytestmark = pytest.mark.embedded


def start(body, server):
    """A Python process that runs `body` with `config`, `keys` and `dtype` at hand."""
    prelude = f"""
        import asyncio, gc, os, sys, threading, time
        import numpy as np
        import aerospike_py as aerospike
        config = {server.config!r}
        keys = [("test", "s", number) for number in range(3000)]
        dtype = np.dtype([("i", "i8")])
    """
    return subprocess.Popen(
        [sys.executable, "-u", "-c", textwrap.dedent(prelude) + textwrap.dedent(body)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def pause_when_connected(process, server):
    """Makes the node hang once the process has connected, and lets the process go on."""
    assert process.stdout.readline() == "connected\n"
    server.pause(0)
    process.stdin.write("go on\n")
    process.stdin.flush()


def end_of(process, seconds=30):
    out, err = process.communicate(timeout=seconds)
    return process.returncode, out, err


@pytest.fixture
def node():
    with DevServer() as server:
        yield server


def test_ctrl_c_stops_a_waiting_call_at_once(node):
    process = start(
        """
        client = aerospike.client(config).connect()
        print("connected")
        sys.stdin.readline()
        out = np.zeros(len(keys), dtype)
        try:
            client.batch_read(keys, policy={"total_timeout": 0}, _dtype=dtype, out=out)
        except KeyboardInterrupt:
            out["i"] = -1
            print("interrupted", flush=True)
            time.sleep(1)
            assert (out["i"] == -1).all()
            again = aerospike.client(config).connect().batch_read(keys, _dtype=dtype)
            print("untouched", again.result_codes[0])
        """,
        node,
    )
    pause_when_connected(process, node)
    time.sleep(0.5)
    started = time.perf_counter()
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "interrupted\n"
    assert time.perf_counter() - started < 0.5
    node.resume(0)
    code, out, err = end_of(process)
    assert (code, out) == (0, "untouched 2\n"), err


def test_a_client_of_the_parent_raises_in_the_child(node):
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
        node,
    )
    code, out, err = end_of(process, 60)
    assert (code, out) == (0, "fine\n"), err


def test_a_child_that_exits_normally(node):
    """sys.exit in a child runs its atexit handlers and collects its garbage."""
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
        node,
    )
    assert end_of(process)[:2] == (0, "fine\n")


@pytest.mark.parametrize("face", ["sync", "async"])
def test_the_interpreter_exits_in_mid_batch(node, face):
    body = {
        "sync": """
            client = aerospike.client(config).connect()
            def read():
                client.batch_read(keys, policy={"total_timeout": 0}, _dtype=dtype)
            print("connected")
            sys.stdin.readline()
            for _ in range(3):
                threading.Thread(target=read, daemon=True).start()
            time.sleep(0.3)
        """,
        "async": """
            async def main():
                client = await aerospike.AsyncClient(config).connect()
                print("connected")
                sys.stdin.readline()
                read = lambda: client.batch_read(keys, policy={"total_timeout": 0}, _dtype=dtype)
                calls = [asyncio.ensure_future(read()) for _ in range(5)]
                await asyncio.sleep(0.3)
                return calls
            loop = asyncio.new_event_loop()
            calls = loop.run_until_complete(main())
        """,
    }[face]
    process = start(body, node)
    pause_when_connected(process, node)
    code, _, err = end_of(process, 20)
    assert code == 0, err
    assert "panicked" not in err
    assert "Fatal" not in err


def test_a_client_that_is_dropped_without_close_keeps_no_socket(node):
    process = start(
        """
        def sockets():
            paths = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
            return sum(os.readlink(path).startswith("socket:") for path in paths if os.path.islink(path))
        before = None
        for _ in range(5):
            client = aerospike.client(config).connect()
            client.batch_read(keys, _dtype=dtype)
            del client
            gc.collect()
            time.sleep(0.3)
            if before is None:
                before = sockets()
        assert sockets() <= before, (before, sockets())
        print("fine")
        """,
        node,
    )
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("looks at /proc")
    code, out, err = end_of(process)
    assert (code, out) == (0, "fine\n"), err


def test_a_child_that_drops_calls_in_flight(node):
    """Threads of the parent were writing at the moment of the fork: the child must not wait for them."""
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
        node,
    )
    code, out, err = end_of(process, 60)
    assert (code, out) == (0, "fine\n"), err
