"""A million keys in one call: bounded memory, and cancelled within 100 ms."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py.testing import DevServer

pytestmark = pytest.mark.embedded

N = 1_000_000
KNOWN = 1_000
DTYPE = np.dtype([("v", "i8"), ("w", "f8")])
KEYS = aerospike.Keys("test", "large", np.tile(np.arange(KNOWN), N // KNOWN))


@pytest.fixture(scope="module")
def server():
    with DevServer(nodes=3) as made:
        with aerospike.client(made.config) as writer:
            for number in range(KNOWN):
                writer.put(("test", "large", number), {"v": number, "w": number / 2})
        yield made


PRELUDE = """
import os, re, sys, time
import numpy as np
import aerospike_py as aerospike

hosts, N, KNOWN = eval(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
dtype = np.dtype([("v", "i8"), ("w", "f8")])
numbers = np.tile(np.arange(KNOWN), N // KNOWN)
client = aerospike.client({"hosts": hosts}).connect()

def memory(name):
    text = open("/proc/self/status").read()
    return int(re.search(name + r":\\s+(\\d+) kB", text).group(1)) / 1024
"""


def program(server, body):
    source = PRELUDE + textwrap.dedent(body)
    return subprocess.Popen(
        [sys.executable, "-c", source, repr(server.hosts), str(N), str(KNOWN)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output(process):
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's peak memory")
@pytest.mark.parametrize("kind", ["keys", "tuples", "keys and failures"])
def test_a_million_keys_in_bounded_memory(server, kind):
    body = """
        if {kind!r} != "tuples":
            keys = aerospike.Keys("test", "large", numbers)
        else:
            keys = [("test", "large", number) for number in numbers.tolist()]
        client.batch_read([("test", "large", 0)], _dtype=dtype)
        print("ready", flush=True)
        sys.stdin.readline()
        # Measures the peak from here on.
        open("/proc/self/clear_refs", "w").write("5")
        before = memory("VmRSS")
        batch = client.batch_read(keys, _dtype=dtype, policy={{"max_retries": 20}})
        arrays = batch.batch_records.nbytes + batch.meta.nbytes + batch.result_codes.nbytes
        extra = memory("VmHWM") - before - arrays / 2**20
        assert batch.ok.all() and (batch.batch_records["v"] == numbers).all()
        print(extra)
    """
    process = program(server, body.format(kind=kind))
    assert process.stdout.readline() == "ready\n", process.stderr.read()
    if kind == "keys and failures":
        server.inject("close-mid-frame", command="batch", times=15)
        server.inject("row-code", command="batch", times=15, code=14)
    try:
        extra = float(output(process))
    finally:
        server.clear_faults()
    if kind == "keys and failures":
        assert sum(server.counters(node)["faults"] for node in range(3)) == 90
    assert extra < 64, f"{extra:.1f} MiB above the result and the keys"


def test_ctrl_c_ends_a_large_batch(server):
    body = """
        keys = aerospike.Keys("test", "large", numbers)
        out = np.zeros(N, dtype)
        print("ready", flush=True)
        try:
            while True:
                client.batch_read(keys, _dtype=dtype, out=out)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        out["v"] = -1
        time.sleep(0.2)
        assert (out["v"] == -1).all()
        assert all(node.conns.in_use == 0 for node in client.stats().nodes)
        batch = client.batch_read(aerospike.Keys("test", "large", numbers[:1000]), _dtype=dtype)
        assert (batch.batch_records["v"] == numbers[:1000]).all()
        print("clean")
    """
    process = program(server, body)
    assert process.stdout.readline() == "ready\n", process.stderr.read()
    time.sleep(0.6)
    started = time.perf_counter()
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "interrupted\n"
    # The client has 100 ms; the rest allows for a busy machine.
    assert time.perf_counter() - started < 0.3
    assert output(process) == "clean\n"


def test_a_cancelled_large_batch_leaves_the_pool_clean(server):
    async def main():
        async with aerospike.AsyncClient(server.config) as client:
            out = np.zeros(N, DTYPE)
            for delay in (0.01, 0.05, 0.1):
                call = asyncio.create_task(client.batch_read(KEYS, _dtype=DTYPE, out=out))
                await asyncio.sleep(delay)
                started = time.perf_counter()
                call.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await call
                assert time.perf_counter() - started < 0.1
                out["v"] = -1
                await asyncio.sleep(0.05)
                assert (out["v"] == -1).all()
                assert all(node.conns.in_use == 0 for node in client.stats().nodes)
            batch = await client.batch_read(KEYS, _dtype=DTYPE, out=out)
            assert batch.ok.all()
            assert (out["v"] == KEYS.values).all()

    asyncio.run(main())
