"""Tables that are written while a signal, a fork or the end of the interpreter comes."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from tests.support.processes import end_of, start

pytest.importorskip("pyarrow")
pytestmark = [
    pytest.mark.embedded,
    pytest.mark.skipif(sys.platform == "win32", reason="signals and forks of POSIX"),
]

PRELUDE = """
import threading
import pyarrow as pa
released = threading.Event()
schema = pa.schema({"id": pa.int64()})
def endless():
    try:
        while True:
            yield pa.record_batch({"id": pa.array(np.arange(1000))})
    finally:
        print("released", flush=True)
        released.set()
def reader(batches):
    return pa.RecordBatchReader.from_batches(schema, batches)
"""


def body(text: str) -> str:
    return PRELUDE + text


def test_ctrl_c_ends_the_call_and_releases_the_stream(own_node):
    process = start(
        body("""
client = aerospike.client(config).connect()
said = []
def progress(done):
    if not said:
        said.append(print("writing", flush=True))
try:
    client.batch_write_arrow(reader(endless()), "test", "s", key="id", progress=progress)
except KeyboardInterrupt:
    print("interrupted", flush=True)
client.put(keys[0], {"i": 1})
# The thread that reads the stream ends its read first.
assert released.wait(30)
client.close()
"""),
        own_node,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    process.send_signal(signal.SIGINT)
    code, out, err = end_of(process)
    assert code == 0, err
    assert sorted(out.split()) == ["interrupted", "released"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
def test_a_fork_during_a_call(own_node):
    """The child has no part in the call, the parent ends it."""
    process = start(
        body("""
client = aerospike.client(config).connect()
pids = []
def progress(done):
    if not pids:
        pids.append(os.fork())
batches = (pa.record_batch({"id": pa.array([start])}) for start in range(200))
try:
    result = client.batch_write_arrow(reader(batches), "test", "s", key="id", progress=progress)
except aerospike.ClientError as error:
    assert pids == [0] and "before fork()" in str(error), error
    os._exit(7)
assert result.ok.sum() == 200 and pids[0] > 0
assert os.waitstatus_to_exitcode(os.waitpid(pids[0], 0)[1]) == 7
print("fine")
"""),
        own_node,
    )
    code, out, err = end_of(process)
    assert (code, out) == (0, "fine\n"), err


def test_the_interpreter_exits_in_the_middle(own_node):
    process = start(
        body("""
async def main():
    client = await AsyncClient(config).connect()
    going = asyncio.Event()
    task = asyncio.create_task(client.batch_write_arrow(
        reader(endless()), "test", "s", key="id", progress=lambda done: going.set()))
    await going.wait()
asyncio.run(main())
print("fine", flush=True)
"""),
        own_node,
    )
    code, out, err = end_of(process)
    assert code == 0, err
    assert "fine" in out.split()
    assert not err
