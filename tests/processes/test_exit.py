"""Signals and the end of the interpreter in the middle of a batch."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from tests.support.processes import end_of, pause_when_connected, start

pytestmark = pytest.mark.embedded


def test_ctrl_c_stops_a_waiting_call_at_once(own_node):
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
        own_node,
    )
    pause_when_connected(process, own_node)
    time.sleep(0.5)
    started = time.perf_counter()
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "interrupted\n"
    assert time.perf_counter() - started < 0.5
    own_node.resume(0)
    code, out, err = end_of(process)
    assert (code, out) == (0, "untouched 2\n"), err


@pytest.mark.parametrize("face", ["sync", "async"])
def test_the_interpreter_exits_in_mid_batch(own_node, face):
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
    process = start(body, own_node)
    pause_when_connected(process, own_node)
    code, _, err = end_of(process, 20)
    assert code == 0, err
    assert "panicked" not in err
    assert "Fatal" not in err


def test_a_client_that_is_dropped_without_close_keeps_no_socket(own_node):
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
        own_node,
    )
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("looks at /proc")
    code, out, err = end_of(process)
    assert (code, out) == (0, "fine\n"), err


def test_finalization_that_takes_long_with_calls_in_flight(own_node):
    """Daemon threads check for signals while the interpreter shuts down."""
    process = start(
        """
        class Slow:
            def __del__(self, clock=time.perf_counter):
                end = clock() + 1
                while clock() < end:
                    pass
        client = aerospike.client(config).connect()
        print("connected")
        sys.stdin.readline()
        def read():
            client.batch_read(keys, policy={"total_timeout": 0}, _dtype=dtype)
        for _ in range(8):
            threading.Thread(target=read, daemon=True).start()
        time.sleep(0.2)
        sys.modules["torn down late"] = Slow()
        """,
        own_node,
    )
    pause_when_connected(process, own_node)
    assert end_of(process, 20) == (0, "", "")


def test_non_daemon_threads_finish_their_calls(own_node):
    process = start(
        """
        client = aerospike.client(config).connect()
        def read():
            time.sleep(0.2)
            print(client.batch_read(keys, _dtype=dtype).result_codes[0])
            sys.exit(3)
        threading.Thread(target=read).start()
        sys.exit(4)
        """,
        own_node,
    )
    assert end_of(process) == (4, "2\n", "")


def test_the_order_of_atexit(own_node):
    """Handlers that are registered after the import run before the client's core ends, and may read; handlers
    that were registered before it get an error."""
    process = start(
        """
        client = aerospike.client(config).connect()
        def last_words():
            print("after the import:", client.batch_read(keys, _dtype=dtype).result_codes[0])
        atexit.register(last_words)
        """,
        own_node,
        before="""
        import atexit
        def too_late():
            try:
                client.batch_read(keys, _dtype=dtype)
            except aerospike.ClientError as error:
                print("before the import:", error)
            client.close()
        atexit.register(too_late)
        """,
    )
    expected = "after the import: 2\nbefore the import: the interpreter is exiting\n"
    assert end_of(process) == (0, expected, "")


def test_a_loop_that_ends_with_tasks_in_flight(own_node):
    """asyncio.run cancels the tasks, each ends at once, and so does the process."""
    process = start(
        """
        async def main():
            client = await AsyncClient(config).connect()
            print("connected")
            sys.stdin.readline()
            read = lambda: client.batch_read(keys, policy={"total_timeout": 0}, _dtype=dtype)
            main.calls = [asyncio.create_task(read()) for _ in range(20)]
            await asyncio.sleep(0.2)
            sys.exit(5)
        asyncio.run(main())
        """,
        own_node,
    )
    pause_when_connected(process, own_node)
    started = time.perf_counter()
    assert end_of(process, 20) == (5, "", "")
    assert time.perf_counter() - started < 5


SUBINTERPRETER = """
try:
    import aerospike_py
except ImportError as error:
    print("ImportError:", error, flush=True)
else:
    print("imported", flush=True)
"""


@pytest.mark.parametrize("first", ["main", "sub"])
def test_subinterpreters_are_refused(first):
    code = f"""
        import sys
        try:
            import _interpreters as interpreters  # CPython 3.13
        except ImportError:
            import _xxsubinterpreters as interpreters
        if {first!r} == "main":
            import aerospike_py
        sub = interpreters.create()
        run = getattr(interpreters, "exec", interpreters.run_string)
        run(sub, {SUBINTERPRETER!r})
        interpreters.destroy(sub)
        import aerospike_py
        try:
            aerospike_py.client({{"hosts": [("127.0.0.1", 1)]}}).connect()
        except aerospike_py.ConnectionError:
            print("works here", flush=True)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    status, out, err = end_of(process)
    refusal, works = out.splitlines()
    assert (status, works) == (0, "works here"), err
    assert refusal.startswith("ImportError: ")
    # From CPython 3.15 on, the interpreter itself refuses the extension.
    assert "in a subinterpreter" in refusal or "does not support loading in subinterpreters" in refusal
