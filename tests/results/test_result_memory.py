"""The memory of large results: whose it is, and that it is used again."""

from __future__ import annotations

import gc
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import aerospike_py as aerospike

HUGE_PAGE = 2 << 20
VECTOR = np.dtype([("vector", "f4", (1_024,))])
# Bytes between the fields, which are zero in a result.
PADDED = np.dtype({"names": ["vector"], "formats": [("f4", (1_024,))], "offsets": [0], "itemsize": 4_224})

linux = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="elsewhere, NumPy allocates")


@pytest.fixture
def vectors(server, fresh_set):
    """Eight records with vectors of their numbers; a ninth is missing."""
    with aerospike.client({"hosts": server.hosts}) as writer:
        for number in range(8):
            writer.put(("test", fresh_set, number), {"vector": np.full(1_024, number, "f4").tobytes()})
    return fresh_set


def keys(name, numbers):
    return aerospike.Keys("test", name, np.asarray(numbers))


def address(array):
    return array.__array_interface__["data"][0]


@pytest.mark.parametrize("dtype", [VECTOR, PADDED], ids=["dense", "padded"])
def test_results_that_are_kept_are_not_written_again(client, vectors, dtype):
    numbers = np.arange(1_000) % 9
    kept = [client.batch_read(keys(vectors, (numbers + shift) % 9), _dtype=dtype) for shift in range(4)]
    for shift, batch in enumerate(kept):
        expected = (numbers + shift) % 9
        present = expected < 8
        read = batch.batch_records["vector"]
        assert batch.batch_records.flags.writeable
        assert len(batch.batch_records) == 1_000
        np.testing.assert_array_equal(read, np.where(present, expected, 0)[:, None] * np.ones(1_024, "f4"))
        np.testing.assert_array_equal(batch.ok, present)


def test_what_an_earlier_result_held_is_not_seen(client, vectors):
    for size in (1_000, 900, 1_000):
        batch = client.batch_read(keys(vectors, np.full(size, 7)), _dtype=PADDED)
        whole = batch.batch_records.view("u1").reshape(size, -1)
        assert not whole[:, 4_096:].any()
        whole.fill(0xFF)
        del batch, whole
        gc.collect()
        # Records that are missing are zero, whatever the memory held.
        batch = client.batch_read(keys(vectors, np.full(size, 8)), _dtype=VECTOR)
        assert not batch.batch_records["vector"].any()
        batch.batch_records.view("u1").fill(0xFF)
        del batch
        gc.collect()


@linux
def test_memory_has_huge_pages_and_is_used_again(server, vectors):
    with aerospike.client({"hosts": server.hosts}) as client:

        def read(size):
            return client.batch_read(keys(vectors, np.arange(size) % 8), _dtype=VECTOR).batch_records

        first = read(1_000)
        second = read(1_000)
        assert address(first) % HUGE_PAGE == address(second) % HUGE_PAGE == 0
        assert address(first) != address(second)
        before = address(second)
        part = second[990:]["vector"]
        del second
        assert address(read(1_000)) != before, "a view keeps the memory"
        np.testing.assert_array_equal(part[:, 0], np.arange(990, 1_000) % 8)
        before = address(first)
        del first
        assert address(read(1_000)) == before


@linux
def test_little_memory_is_kept(server, vectors):
    program = """
    import re, sys
    import numpy as np
    import aerospike_py as aerospike

    dtype = np.dtype([("vector", "f4", (1_024,))])

    def resident():
        text = open("/proc/self/status").read()
        return int(re.search(r"VmRSS:\\s+(\\d+) kB", text).group(1)) / 1024

    with aerospike.client({"hosts": eval(sys.argv[1])}) as client:

        def read(mib):
            keys = aerospike.Keys("test", sys.argv[2], np.arange(mib * 256) % 8)
            return client.batch_read(keys, _dtype=dtype)

        read(1)
        start = resident()
        many = [read(8) for _ in range(12)]
        assert resident() - start > 90
        del many
        freed = resident() - start
        assert freed < 45, freed
        large = read(64)
        del large
        freed = resident() - start
        assert freed < 45, freed
    """
    command = [sys.executable, "-c", textwrap.dedent(program), repr(server.hosts), vectors]
    subprocess.run(command, check=True, timeout=60)
