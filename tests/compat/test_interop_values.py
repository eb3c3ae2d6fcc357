"""Every type of value by every command: our client reads what the official client writes, and the reverse."""

from __future__ import annotations

from typing import Any

import pytest

import aerospike_py
from aerospike_py.testing import DevServer
from tests.support.records import MAP_KEYED_BY_A_LIST, SKETCH, put_as_it_is
from tests.support.twins import Twin, aerospike, helpers, shown

# The official client warns of deprecated operations.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

POINT = {"type": "Point", "coordinates": [-122.0, 37.5]}
POLYGON = {"type": "Polygon", "coordinates": [[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]]}
CIRCLE = {"type": "AeroCircle", "coordinates": [[-122.0, 37.5], 250.5]}
DEEP: Any = 1
for _ in range(20):
    DEEP = [DEEP]

# Text with a NUL is missing: the official client cuts it when it writes.
VALUES: dict[str, Any] = {
    "zero": 0,
    "int": 42,
    "negative": -7,
    "largest": 2**63 - 1,
    "smallest": -(2**63),
    "float": 3.14159,
    "whole float": 3.0,
    "negative zero": -0.0,
    "infinity": float("inf"),
    "negative infinity": float("-inf"),
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
    "ints of 41 bits": [2**40, -(2**40)],
    "floats": [0.0, -0.0, 1.5, float("inf")],
    "mixed list": [1, "two", 3.0, b"four", True, None, [5, ["six"]], {"seven": 7}],
    "empty list": [],
    "sixteen": list(range(16)),
    "many": list(range(70_000)),
    "forty ints and texts": list(range(40)) + ["x" * n for n in (0, 1, 30, 31, 32, 255, 256, 70_000)],
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
        _, meta, bins = other.client.get(key)
        assert shown(bins) == shown({"x": value_of(other, name), "other": 1})
        assert meta == one.client.get(key)[1]
        [row] = other.client.batch_read([key]).batch_records
        assert (row.result, shown(row.record[2])) == (0, shown(bins))
        if not callable(VALUES[name]):
            assert type(bins["x"]) is type(row.record[2]["x"]) is type(VALUES[name])
            assert bins["x"] == row.record[2]["x"] == VALUES[name] or name == "nan"


def test_geojson_and_ordered_maps(client, official, fresh_set):
    key = ("test", fresh_set, "a")
    official.put(key, {"g": aerospike.GeoJSON(POINT), "m": aerospike.KeyOrderedDict({"c": 3, "a": 1})})
    bins = client.get(key).bins
    assert isinstance(bins["g"], aerospike_py.GeoJSON)
    assert bins["g"].unwrap() == POINT
    assert bins["m"] == {"a": 1, "c": 3}
    key = ("test", fresh_set, "b")
    client.put(key, {"g": aerospike_py.GeoJSON(POINT), "m": aerospike_py.KeyOrderedDict({"c": 3, "a": 1})})
    bins = official.get(key)[2]
    assert bins["g"].unwrap() == POINT
    assert bins["m"] == {"a": 1, "c": 3}


def test_sketches(client, official, fresh_set):
    key = ("test", fresh_set, "h")
    official.put(key, {"h": helpers.HyperLogLog(SKETCH)})
    assert client.get(key).bins == {"h": SKETCH}
    assert isinstance(client.get(key).bins["h"], aerospike_py.HyperLogLog)
    client.put(key, {"h": aerospike_py.HyperLogLog(SKETCH)})
    assert isinstance(official.get(key)[2]["h"], helpers.HyperLogLog)
    batch = client.batch_read([key], _dtype=[("h", f"V{len(SKETCH)}")])
    assert batch.batch_records["h"][0].tobytes() == SKETCH


@pytest.mark.embedded  # Servers from 7.1 on take no such map; older data may hold one.
def test_values_that_python_cannot_hold_cost_their_own_row(face, fresh_set):
    """A map whose key is a list. Both clients raise for the record; in a batch the official client loses the
    rows after it, ours does not."""
    keys = [("test", fresh_set, number) for number in range(3)]
    with DevServer(options=["--any-map-keys"]) as server:
        client = face.connect(server.config)
        for key in keys:
            client.put(key, {"x": 1})
        put_as_it_is(server.hosts[0], keys[1], b"m", MAP_KEYED_BY_A_LIST)
        official = aerospike.client(server.config).connect()
        with pytest.raises(aerospike.exception.ClientError) as theirs:
            official.get(keys[1])
        official.close()
        with pytest.raises(aerospike_py.ClientError, match="unhashable") as mine:
            client.get(keys[1])
        assert mine.value.code == theirs.value.code == -1
        with pytest.warns(RuntimeWarning, match=r"rows of the batch failed \(ClientError\)"):
            records = client.batch_read(keys)
        client.close()
    assert [row.result for row in records.batch_records] == [0, -1, 0]
    assert records.batch_records[2].record.bins == {"x": 1}
    assert records.batch_records[1].record is None
    assert "unhashable" in str(records.batch_records[1].error)
    assert records.result == -16
