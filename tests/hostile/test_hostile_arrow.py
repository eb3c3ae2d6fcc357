"""Answers that are changed on their way from the node, read into Arrow columns.

A read ends in time, its columns are valid in full, and the client works afterwards. The protocol has no
checksum, so a value may be another one.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest

import aerospike_py as aerospike
from aerospike_py.testing import DevServer
from tests.hostile.test_hostile_bytes import MOST_MISSED
from tests.support.proxy import MESSAGE, Fault, Proxy, connect_through

pytest.importorskip("pyarrow")
pytestmark = [pytest.mark.embedded, pytest.mark.timeout(600)]

ROWS = 4
KEYS = [("test", "hostile_arrow", row) for row in range(ROWS)]
SCHEMA = {
    "n": "int64",
    "f": "float64",
    "t": "utf8",
    "b": "binary",
    "l": "list<int64>",
    "m": "struct<a: int64, b: list<utf8>>",
    "p": "map<utf8, float64>",
}
HURRY = {"socket_timeout": 25, "total_timeout": 1_000, "max_retries": 2}


def _record(row: int) -> dict[str, Any]:
    bins = {"n": row, "f": row + 0.5, "t": f"text {row}", "b": bytes([row]) * 3, "l": [row, row + 1]}
    return bins | {"m": {"a": row, "b": ["x", "y"]}, "p": {"k": row / 2}}


def _faults(size: int) -> list[Fault]:
    flips = [Fault("flip", at, at * 5 % 8) for at in range(0, size, 2)]
    puts = [Fault("put", at, (0x00, 0xFF)[at % 2]) for at in range(1, size, 4)]
    drops = [Fault("drop", at) for at in range(2, size, 16)]
    return [*flips, *puts, *drops, *(Fault("cut", at) for at in range(3, size, 32))]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("schema", [SCHEMA, None], ids=["schema", "inferred"])
def test_batches(face: Any, proxy: Proxy, node: DevServer, schema: Any) -> None:
    with aerospike.client(node.config) as writer:
        for row, key in enumerate(KEYS):
            writer.put(key, _record(row))
    outcomes: Counter[str] = Counter()
    with connect_through(face, proxy) as client:
        expected = client.batch_read_arrow(KEYS, schema).to_pyarrow()
        for fault in _faults(len(proxy.answers[MESSAGE])):
            shot = proxy.arm(fault, MESSAGE)
            start = time.monotonic()
            try:
                records = client.batch_read_arrow(KEYS, schema, policy=HURRY, errors="coerce")
            except aerospike.AerospikeError as error:
                outcomes[f"{fault.kind}: {type(error).__name__}"] += 1
            else:
                table = records.to_pyarrow()
                table.validate(full=True)
                assert len(table) == ROWS
                outcomes[f"{fault.kind}: {'whole' if table.equals(expected) else 'changed'}"] += 1
            assert time.monotonic() - start < HURRY["total_timeout"] / 1000 + 1.0, fault
            if not shot.over.wait(20.0):
                outcomes["missed"] += 1
                assert outcomes["missed"] <= MOST_MISSED, fault
            proxy.disarm()
            assert client.batch_read_arrow(KEYS, schema).to_pyarrow().equals(expected), fault
    assert outcomes["flip: whole"] + outcomes["flip: changed"] > 0, outcomes
    assert outcomes["flip: changed"] > 0, outcomes
