"""A million records of a query: bounded memory above the arrays."""

import textwrap
from pathlib import Path

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py.testing import DevServer
from tests.support.processes import end_of, start

pytestmark = [
    pytest.mark.embedded,
    pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's peak memory"),
]

N = 1_000_000
FIELDS = [("a", "i8"), ("b", "f8"), ("c", "i4"), ("d", "f4"), ("e", "u2")]


@pytest.fixture(scope="module")
def server():
    with DevServer(nodes=3) as made:
        rows = np.zeros(N, FIELDS)
        for at, (name, _) in enumerate(FIELDS):
            rows[name] = np.arange(N) % (1000 + at)
        rows["a"] = np.arange(N)
        with aerospike.client(made.config) as client:
            patient = {"total_timeout": 120_000, "socket_timeout": 60_000}
            written = client.batch_write_numpy(rows, "test", "s", keys=np.arange(N), policy=patient)
            assert (written.result_codes == 0).all()
        yield made


BEFORE = f"""
    import re
    N, D = {N}, np.dtype({FIELDS!r})
    def memory(name):
        text = open("/proc/self/status").read()
        return int(re.search(name + r":\\s+(\\d+) kB", text).group(1)) / 1024
    client = aerospike.client(config).connect()
    # What the first query and the first array make for good is not counted.
    policy = {{"partition_filter": {{"begin": 0, "count": 16}}}}
    client.query("test", "s").to_numpy(D, policy=policy)
    def begin():
        # Measures the peak from here on.
        open("/proc/self/clear_refs", "w").write("5")
        return memory("VmRSS")
    """


def extra(server, body):
    code, out, err = end_of(start(textwrap.dedent(BEFORE) + textwrap.dedent(body), server), 120)
    assert code == 0, err
    return float(out)


def test_all_in_one_array(server):
    above = extra(
        server,
        """
        before = begin()
        records = client.query("test", "s").to_numpy(D)
        peak = memory("VmHWM")
        arrays = (records.batch_records, records.meta, records.digests)
        assert len(records) == N
        found = np.sort(records["a"])
        assert (found == np.arange(N)).all()
        assert (records["b"] == records["a"] % 1001).all() and (records["e"] == records["a"] % 1004).all()
        assert all(records.present[name].all() for name in D.names)
        print(peak - before - sum(array.nbytes for array in arrays) / 2**20)
        """,
    )
    assert above < 32, f"{above:.1f} MiB above the result"


@pytest.mark.parametrize("more", ["rows=65_536", "rows=4096", "out=np.zeros(65_536, D)"])
def test_in_blocks(server, more):
    above = extra(
        server,
        f"""
        batches = client.query("test", "s").numpy_batches(D, {more})
        before = begin()
        seen = np.zeros(N, bool)
        for block in batches:
            assert not seen[block["a"]].any()
            seen[block["a"]] = True
            assert (block["d"] == block["a"] % 1003).all()
        assert seen.all()
        print(memory("VmHWM") - before - seen.nbytes / 2**20)
        """,
    )
    # Two or three blocks of 3.5 MiB, and a frame and a buffer for each node.
    assert above < 32, f"{above:.1f} MiB"


def test_with_stored_keys_and_sets(server):
    """Labels are made into Python objects only when they are asked for."""
    above = extra(
        server,
        """
        before = begin()
        records = client.query("test").to_numpy(D)
        peak = memory("VmHWM")
        arrays = (records.batch_records, records.meta, records.digests)
        assert len(records) == N
        labels = 16 * N / 2**20  # a row and a place in the list of names
        assert records.sets[0] == "s" and records.keys()[-1] is None
        print(peak - before - labels - sum(array.nbytes for array in arrays) / 2**20)
        """,
    )
    assert above < 64, f"{above:.1f} MiB above the result"
