"""Every type of value by every command: what the official client writes ours reads, and the reverse."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.twins import Twin, aerospike, shown

# The official client warns of operations that it means to replace.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SKETCH = bytes.fromhex("0004") + bytes(13) + bytes.fromhex("4080003000000000")
POINT = {"type": "Point", "coordinates": [-122.0, 37.5]}
POLYGON = {"type": "Polygon", "coordinates": [[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]]}
CIRCLE = {"type": "AeroCircle", "coordinates": [[-122.0, 37.5], 250.5]}
DEEP: Any = 1
for _ in range(20):
    DEEP = [DEEP]

# Not here: text with a NUL, which the official client cuts when it writes.
VALUES: dict[str, Any] = {
    "zero": 0,
    "int": 42,
    "negative": -7,
    "largest": 2**63 - 1,
    "smallest": -(2**63),
    "float": 3.14159,
    "whole float": 3.0,
    "negative zero": -0.0,
    "infinity": float("-inf"),
    "nan": float("nan"),
    "tiny": 5e-324,
    "true": True,
    "false": False,
    "str": "hello",
    "str of many scripts": "grüße 日本 \U0001f600",
    "empty str": "",
    "long str": "x" * 100_000,
    "bytes": b"\x00\x01\xfe\xff",
    "empty bytes": b"",
    "long bytes": bytes(range(256)) * 400,
    "ints": [0, 1, -1, -32, -33, 127, 128, 255, 256, -128, -129, 65535, 65536, 2**32, 2**63 - 1, -(2**63)],
    "floats": [0.0, -0.0, 1.5, float("inf")],
    "mixed list": [1, "two", 3.0, b"four", True, None, [5, ["six"]], {"seven": 7}],
    "empty list": [],
    "sixteen": list(range(16)),
    "many": list(range(70_000)),
    "texts": ["x" * n for n in (0, 1, 30, 31, 32, 255, 256, 70_000)],
    "deep": DEEP,
    "map": {"a": 1, "b": "two", 3: [4, 5], "n": {"x": None}, b"k": 1.5},
    "empty map": {},
    "map of ints": {n: n * n for n in range(-20, 20)},
    "map of many": {f"k{n}": n for n in range(1000)},
    "ordered map": lambda twin: twin.KeyOrderedDict({"c": 3, "a": 1, 7: None}),
    "point": lambda twin: twin.GeoJSON(POINT),
    "polygon": lambda twin: twin.GeoJSON(POLYGON),
    "circle": lambda twin: twin.GeoJSON(CIRCLE),
    "sketch": lambda twin: twin.HyperLogLog(SKETCH),
}


def value_of(twin: Twin, name: str) -> Any:
    value = VALUES[name]
    return value(twin) if callable(value) else value


def put(twin: Twin, key: Any, value: Any) -> None:
    twin.client.put(key, {"x": value, "other": 1})


def operate(twin: Twin, key: Any, value: Any) -> None:
    twin.client.operate(key, [twin.op.write("x", value), twin.op.write("other", 1)])


def batch_operate(twin: Twin, key: Any, value: Any) -> None:
    answer = twin.client.batch_operate([key], [twin.op.write("x", value), twin.op.write("other", 1)])
    assert answer.batch_records[0].result == 0


def batch_write(twin: Twin, key: Any, value: Any) -> None:
    row = twin.batch.Write(key, [twin.op.write("x", value), twin.op.write("other", 1)])
    twin.client.batch_write(twin.batch.BatchRecords([row]))
    assert row.result == 0


WRITERS = {"put": put, "operate": operate, "batch_operate": batch_operate, "batch_write": batch_write}

READERS: dict[str, Any] = {
    "get": lambda twin, key: twin.client.get(key)[2]["x"],
    "select": lambda twin, key: twin.client.select(key, ["x"])[2]["x"],
    "operate": lambda twin, key: twin.client.operate(key, [twin.op.read("x")])[2]["x"],
    "operate_ordered": lambda twin, key: twin.client.operate_ordered(key, [twin.op.read("x")])[2][0][1],
    "batch_read": lambda twin, key: twin.client.batch_read([key]).batch_records[0].record[2]["x"],
    "batch_operate": lambda twin, key: (
        twin.client.batch_operate([key], [twin.op.read("x")]).batch_records[0].record[2]["x"]
    ),
    "query": lambda twin, key: twin.client.query(key[0], key[1]).results()[0][2]["x"],
}


@pytest.fixture
def twins(client: Any, official: Any) -> tuple[Twin, Twin]:
    return Twin(official, is_official=True), Twin(client, is_official=False)


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("name", VALUES)
def test_what_one_writes_the_other_reads(twins, fresh_set, name, writer):
    theirs, ours = twins
    for number, (one, other) in enumerate(((theirs, ours), (ours, theirs))):
        key = ("test", f"{fresh_set}-{number}", name)
        WRITERS[writer](one, key, value_of(one, name))
        for reader, read in READERS.items():
            if hasattr(ours.client, reader):
                assert shown(read(other, key)) == shown(value_of(other, name)), reader


@pytest.mark.parametrize(
    "user_key", ["text", "", "ünïcode", 0, -1, 2**63 - 1, -(2**63), bytearray(b"\x01\x02")]
)
@pytest.mark.parametrize("namespace", ["test", "bar"])
def test_keys_that_are_stored(twins, fresh_set, user_key, namespace):
    theirs, ours = twins
    send = {"key": aerospike.POLICY_KEY_SEND}
    for number, (one, other) in enumerate(((theirs, ours), (ours, theirs))):
        key = (namespace, f"{fresh_set}-{number}", user_key)
        one.client.put(key, {"x": 1}, policy=send)
        found = other.client.get(key, policy=send)
        assert (found[0][:3], bytes(found[0][3])) == (key, bytes(aerospike.calc_digest(*key)))
        other.client.remove(key)
        assert one.client.exists(key)[1] is None


def test_facts_of_records(twins, fresh_set):
    theirs, ours = twins
    for number, (one, other) in enumerate(((theirs, ours), (ours, theirs))):
        for ttl in (
            100,
            aerospike.TTL_NEVER_EXPIRE,
            aerospike.TTL_DONT_UPDATE,
            aerospike.TTL_NAMESPACE_DEFAULT,
        ):
            key = ("test", fresh_set, f"{number}-{ttl}")
            for _ in range(3):
                one.client.put(key, {"x": 1}, policy={"ttl": ttl})
            mine, their = one.client.get(key)[1], other.client.get(key)[1]
            assert mine["gen"] == their["gen"] == 3
            assert abs(mine["ttl"] - their["ttl"]) <= 1
            assert other.client.exists(key)[1]["gen"] == 3


def bins_of(record: Any) -> Any:
    """The bins; a record that was read without any has none at the official client."""
    return (record[2] if len(record) > 2 else None) or {}


def test_batches_with_rows_of_every_fate(twins, fresh_set):
    theirs, ours = twins
    keys = [("test", fresh_set, number) for number in range(4)]
    theirs.client.put(keys[0], {"x": 1, "y": 2})
    ours.client.put(keys[1], {"y": 3})
    keys += [("bar", fresh_set, 0), ("nowhere", fresh_set, 0), keys[0]]
    for bins in (None, ["x"], ["x", "y", "nobin"], ["nobin"], []):
        rows = [
            [
                (row.result, row.record and row.record[1], row.record and shown(bins_of(row.record)))
                for row in twin.client.batch_read(keys, bins).batch_records
            ]
            for twin in twins
        ]
        assert rows[0] == rows[1], bins
