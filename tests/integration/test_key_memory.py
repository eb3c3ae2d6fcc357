"""Keys of all kinds and lengths come back as they were given, and take little memory."""

from __future__ import annotations

import itertools
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import aerospike_py as aerospike
from tests.support.memory import STATUS

#: Integers at the limits of the two widths in which they are kept.
EDGES = [0, -1, 1, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**63 - 1, -(2**63), 2**32, 255, 256]


def _mixes() -> dict[str, list[Any]]:
    lengths = [0, 1, 63, 64, 65, 250, 254, 255, 256, 1000]
    two_widths = [value * sign for value in EDGES for sign in (1, -1)]
    return {
        "ints of one width": list(range(3000)),
        "ints of two widths": [value for value in two_widths if -(2**63) <= value < 2**63],
        "long ints": [2**40 + row for row in range(300)],
        "text of one length": [f"key{row:05}" for row in range(3000)],
        "text of many lengths": ["x" * lengths[row % 6] + str(row) for row in range(700)],
        "text that becomes long late": [
            *(f"k{row}" for row in range(200)), "y" * 300, *(f"z{row}" for row in range(200)),
        ],
        "one long text among equal ones": ["abc", "y" * 300, "abd"],
        "bytes": [bytes(length) + b"\1" for length in lengths],
        "all kinds": [1, "1", b"1", 2**40, "ä" * 200, b"", -5] * 50,
    }  # fmt: skip


@pytest.mark.parametrize("name", list(_mixes()))
def test_keys_come_back(client: Any, fresh_set: str, name: str) -> None:
    values = _mixes()[name]
    stored = {("int", str(value)) if isinstance(value, int) else value: value for value in values[::3]}
    for value in stored.values():
        client.put(("test", fresh_set, value), {"n": 1})
    for keys in (
        [("test", fresh_set, value) for value in values],
        aerospike.Keys("test", fresh_set, np.array(values, dtype=object)),
        aerospike.Keys("test", fresh_set, values),
    ):
        records = client.batch_read_arrow(keys, {"n": "int8"}, meta=("digest",))
        assert records.keys() == values
        digests = records.to_pyarrow()["digest"].to_pylist()
        assert digests == [bytes(aerospike.calc_digest("test", fresh_set, value)) for value in values]
        assert records.ok[::3].all()


def test_arrays_of_integers_come_back(client: Any, fresh_set: str) -> None:
    for dtype, values in itertools.product(("i8", "u8", ">i8"), (EDGES, range(300))):
        kept = [value for value in values if dtype != "u8" or value >= 0]
        keys = aerospike.Keys("test", fresh_set, np.array(kept, dtype=dtype))
        assert client.batch_read_arrow(keys, {"n": "int8"}).keys() == kept


def test_groups_of_sets_keep_their_keys(client: Any, fresh_set: str) -> None:
    values = [1, "one", 2**40, b"two", "x" * 300, 3]
    keys = [("test", fresh_set + str(at % 2), value) for at, value in enumerate(values)]
    for key in keys:
        client.put(key, {"n": 7})
    records = client.batch_read_arrow(keys, {"n": "int8"}, meta=("set",))
    assert (records.keys(), records.ok.all()) == (values, True)
    assert records.to_pyarrow()["set"].to_pylist() == [set_name for _, set_name, _ in keys]


PEAK = """
import ctypes
import aerospike_py
import numpy as np

client = aerospike_py.client(config).connect()
client.batch_read_arrow(aerospike_py.Keys("test", name, np.arange(20_000)), {"n": "int8"})
keys = aerospike_py.Keys("test", name, np.arange(1_000_000))
ctypes.CDLL(None).malloc_trim(0)
open("/proc/self/clear_refs", "w").write("5")
before = status("VmRSS")
records = client.batch_read_arrow(keys, {"n": "int8"})
print(status("VmHWM") - before)
client.close()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs figures of Linux")
def test_keys_and_digests_take_few_bytes_of_a_row(config: Any, fresh_set: str) -> None:
    """A million rows: 4 bytes of each for its key while digests are forgotten, and no twelve for code and
    metadata. Copies of the keys' array are freed before."""
    program = f"config, name = {config!r}, {fresh_set!r}\n{STATUS}{PEAK}"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=110)
    assert answer.returncode == 0, answer.stderr
    assert int(answer.stdout) < 24_000_000, answer.stdout
