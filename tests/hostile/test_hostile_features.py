"""Answers that are changed on their way from the node, read into a matrix, arrays of sets, and nested fields.

A read ends in time, writes nothing outside its rows, and the client works afterwards. The protocol has no
checksum, so a value may be another one.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py import Keys
from aerospike_py.testing import DevServer
from tests.hostile.test_hostile_bytes import MOST_MISSED
from tests.support.proxy import MESSAGE, Fault, Proxy, connect_through

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(600)]

ROWS = 3
SETS = ("hostile_one", "hostile_two", "hostile_nested")
DTYPES = {SETS[0]: np.dtype([("a", "i8"), ("b", "f4")]), SETS[1]: np.dtype([("c", "f8"), ("s", "S4")])}
GROUPS = [
    (Keys("test", SETS[0], np.arange(ROWS)), ["a", "b"]),
    (Keys("test", SETS[1], np.arange(ROWS)), ["c", ("m", "k")]),
]
KEYS = [keys for keys, _ in GROUPS]
# Maps and lists inside a map, read by a struct and by a path.
NESTED = np.dtype([("f", [("x", "i8"), ("in", [("y", "f4"), ("s", "S3")])]), ("last", "i2")])
PATHS = {"last": ("f", "l", -1)}
HURRY = {"socket_timeout": 25, "total_timeout": 1_000, "max_retries": 2}
GUARD = 64


def _faults(size: int) -> list[Fault]:
    flips = [Fault("flip", at, at * 5 % 8) for at in range(0, size, 2)]
    puts = [Fault("put", at, (0x00, 0xFF)[at % 2]) for at in range(1, size, 4)]
    others = [
        Fault(("drop", "cut", "repeat")[at % 3], at, 22 if at % 3 == 2 else 0) for at in range(2, size, 16)
    ]
    return [*flips, *puts, *others]


def _guarded(rows: int, size: int) -> tuple[Any, Any]:
    """Memory for rows of a size between two guards, and all of it."""
    whole = np.full(GUARD + rows * size + GUARD, 0xEE, "u1")
    return whole[GUARD : GUARD + rows * size], whole


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("way", ["matrix", "sets", "nested"])
def test_features(face: Any, proxy: Proxy, node: DevServer, way: str) -> None:
    with aerospike.client(node.config) as writer:
        for row in range(ROWS):
            writer.put(("test", SETS[0], row), {"a": row, "b": row / 2})
            writer.put(("test", SETS[1], row), {"c": -1.0 * row, "s": f"s{row}", "m": {"k": row + 10}})
            writer.put(
                ("test", SETS[2], row), {"f": {"x": row, "in": {"y": 0.5, "s": "ab", "z": None}, "l": [row]}}
            )
    outcomes: Counter[str] = Counter()

    def read(client: Any, guards: list[Any], **more: Any) -> list[Any]:
        if way == "matrix":
            memory, whole = _guarded(ROWS, 4 * 8)
            guards.append(whole)
            out = memory.view("f8").reshape(ROWS, 4)
            return [client.read_matrix(GROUPS, out=out, **more).matrix]
        if way == "nested":
            memory, whole = _guarded(ROWS, NESTED.itemsize)
            guards.append(whole)
            keys = Keys("test", SETS[2], np.arange(ROWS))
            batch = client.batch_read(keys, _dtype=NESTED, paths=PATHS, out=memory.view(NESTED), **more)
            return [batch.batch_records]
        outs = {}
        for name, dtype in DTYPES.items():
            memory, whole = _guarded(ROWS, dtype.itemsize)
            guards.append(whole)
            outs[name] = memory.view(dtype)
        sets = client.batch_read(KEYS, _dtype=DTYPES, out=outs, **more)
        return [batch.batch_records for batch in sets.values()]

    with connect_through(face, proxy) as client:
        expected = [array.copy() for array in read(client, [])]
        for fault in _faults(len(proxy.answers[MESSAGE])):
            guards: list[Any] = []
            shot = proxy.arm(fault, MESSAGE)
            start = time.monotonic()
            try:
                arrays = read(client, guards, policy=HURRY, errors="coerce")
            except aerospike.AerospikeError as error:
                outcomes[f"{fault.kind}: {type(error).__name__}"] += 1
            else:
                same = all(np.array_equal(*pair) for pair in zip(arrays, expected, strict=True))
                outcomes[f"{fault.kind}: {'whole' if same else 'changed'}"] += 1
            assert time.monotonic() - start < HURRY["total_timeout"] / 1000 + 1.0, fault
            for whole in guards:
                assert (whole[:GUARD] == 0xEE).all(), fault
                assert (whole[-GUARD:] == 0xEE).all(), fault
            if not shot.over.wait(20.0):
                outcomes["missed"] += 1
                assert outcomes["missed"] <= MOST_MISSED, fault
            proxy.disarm()
            again = read(client, [])
            assert all(np.array_equal(*pair) for pair in zip(again, expected, strict=True)), fault
    assert outcomes["flip: changed"] > 0, outcomes
    assert outcomes["flip: whole"] + outcomes["put: whole"] > 0, outcomes
