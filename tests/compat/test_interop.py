"""What the official client writes, ours reads, and the other way round, over both faces."""

from typing import Any

import numpy as np
import pytest

import aerospike_py as ours
from aerospike_py.testing import DevServer
from tests.support.records import put_as_it_is

aerospike = pytest.importorskip("aerospike")

VALUES = {
    "int": 42,
    "negative": -7,
    "max": 2**63 - 1,
    "min": -(2**63),
    "float": 3.14159,
    "negative zero": -0.0,
    "inf": float("inf"),
    "true": True,
    "false": False,
    "ascii": "hello",
    "utf8": "grüße 日本 \U0001f600",
    "empty str": "",
    "blob": b"\x00\x01\xfe\xff",
    "empty blob": b"",
    "list": [0, 1, -1, 127, 128, 255, 256, 65536, 2**40, -33, -129, -(2**40), 2**63 - 1, -(2**63)],
    "mixed list": [1, "two", 3.0, b"four", True, None, [5, ["six"]], {"seven": 7}],
    "empty list": [],
    "long list": list(range(40)) + ["x" * n for n in (0, 1, 30, 31, 32, 255, 256, 70_000)],
    "map": {"a": 1, "b": "two", 3: [4, 5], "n": {"x": None}, b"k": 1.5},
    "empty map": {},
}


def shown(value):
    """Tells 1 from 1.0 and 0.0 from -0.0; the order of a map's keys is the server's."""
    if isinstance(value, dict):
        return {repr(key): shown(value[key]) for key in value}
    return repr(value)


@pytest.mark.parametrize("name", VALUES)
def test_official_writes_ours_reads(client, official, fresh_set, name):
    key = ("test", fresh_set, name)
    official.put(key, {"x": VALUES[name]})
    for bins in (client.get(key).bins, client.batch_read([key]).batch_records[0].record.bins):
        assert bins == {"x": VALUES[name]}
        assert type(bins["x"]) is type(VALUES[name])
        assert shown(bins) == shown({"x": VALUES[name]})


@pytest.mark.parametrize("name", VALUES)
def test_ours_writes_official_reads(client, official, fresh_set, name):
    key = ("test", fresh_set, name)
    client.put(key, {"x": VALUES[name]})
    _, meta, bins = official.get(key)
    assert shown(bins) == shown({"x": VALUES[name]})
    assert meta == client.get(key).meta
    row = official.batch_read([key]).batch_records[0]
    assert (row.result, shown(row.record[2])) == (0, shown({"x": VALUES[name]}))


def test_geojson_and_ordered_maps(client, official, fresh_set):
    point = {"type": "Point", "coordinates": [-122.0, 37.5]}
    key = ("test", fresh_set, "a")
    official.put(key, {"g": aerospike.GeoJSON(point), "m": aerospike.KeyOrderedDict({"c": 3, "a": 1})})
    bins = client.get(key).bins
    assert isinstance(bins["g"], ours.GeoJSON)
    assert bins["g"].unwrap() == point
    assert bins["m"] == {"a": 1, "c": 3}
    key = ("test", fresh_set, "b")
    client.put(key, {"g": ours.GeoJSON(point), "m": ours.KeyOrderedDict({"c": 3, "a": 1})})
    bins = official.get(key)[2]
    assert bins["g"].unwrap() == point
    assert bins["m"] == {"a": 1, "c": 3}


@pytest.mark.parametrize(
    "primary_key", ["text", "ünïcode", 0, 5, -1, 2**63 - 1, -(2**63), bytearray(b"\x01\x00\x02")]
)
def test_keys_are_the_same_records(client, official, fresh_set, primary_key):
    key = ("test", fresh_set, primary_key)
    digest = ours.calc_digest(*key)
    assert digest == bytes(aerospike.calc_digest(*key))
    official.put(key, {"x": 1})
    assert client.get(key).bins == {"x": 1}
    assert client.exists(key).key.digest == digest
    client.remove(key)
    with pytest.raises(aerospike.exception.RecordNotFound):
        official.get(key)


def test_stored_keys(client, official, fresh_set):
    key = ("test", fresh_set, "stored")
    client.put(key, {"x": 1}, policy={"key": ours.POLICY_KEY_SEND})
    assert official.get(key, policy={"key": aerospike.POLICY_KEY_SEND})[0][2] == "stored"


def test_batches_agree(client, official, fresh_set):
    for number in range(200):
        official.put(("test", fresh_set, number), {"i": number, "f": number / 3, "s": f"v{number}"})
    keys = [("test", fresh_set, number) for number in (*range(190, 230), *range(10), 5, 5)]
    theirs = official.batch_read(keys).batch_records
    records = client.batch_read(keys).batch_records
    assert [row.result for row in records] == [row.result for row in theirs]
    assert [row.record and row.record.bins for row in records] == [
        row.record and row.record[2] for row in theirs
    ]
    assert [row.record and row.record.meta for row in records] == [
        row.record and row.record[1] for row in theirs
    ]
    dtype = np.dtype([("f", "f8"), ("s", "S8"), ("i", "i8")])
    batch = client.batch_read(keys, _dtype=dtype)
    for row, record, code in zip(theirs, batch.batch_records, batch.result_codes, strict=True):
        bins: Any = row.record[2] if row.record else {"i": 0, "f": 0.0, "s": ""}
        assert row.result == code
        assert record.item() == (bins["f"], bins["s"].encode(), bins["i"])


def test_errors_have_the_same_codes(client, official, fresh_set):
    key = ("test", fresh_set, "k")
    create = {"exists": aerospike.POLICY_EXISTS_CREATE}
    official.put(key, {"x": 1})
    for call in (
        lambda c: c.get(("test", fresh_set, "nobody")),
        lambda c: c.remove(("test", fresh_set, "nobody")),
        lambda c: c.put(key, {"x": 2}, policy=create),
        lambda c: c.put(key, {"x": 2}, meta={"gen": 9}, policy={"gen": aerospike.POLICY_GEN_EQ}),
        lambda c: c.get(("nowhere", "s", 1)),
        lambda c: c.put(key, {"x" * 16: 1}),
        lambda c: c.remove(key, policy={"durable_delete": True}),
    ):
        with pytest.raises(aerospike.exception.AerospikeError) as theirs:
            call(official)
        with pytest.raises(ours.AerospikeError) as mine:
            call(client)
        assert mine.value.code == theirs.value.code
        # They raise codes without a class as the root, ours as ServerError or ClientError below it.
        assert type(theirs.value).__name__ in [cls.__name__ for cls in type(mine.value).__mro__]


def test_names_and_values_of_constants_and_exceptions():
    for name in ours.constants.__all__:
        assert getattr(ours, name) == getattr(aerospike, name), name
    for name, theirs in vars(aerospike.exception).items():
        if isinstance(theirs, type) and issubclass(theirs, aerospike.exception.AerospikeError):
            mine = getattr(ours.exception, name)
            if mine is ours.AerospikeError:
                continue  # theirs changes its root's code with each error
            code = getattr(theirs, "code", None)
            assert mine.code == code or code is None, name
            parent = theirs.__bases__[0].__name__
            if parent != "Exception":
                assert issubclass(mine, getattr(ours.exception, parent)), name


# {[1, 2]: 3}, which no client writes any more.
MAP_KEYED_BY_A_LIST = b"\x81\x92\x01\x02\x03"


@pytest.mark.embedded  # Servers from 7.1 on take no such map; older data may hold one.
def test_values_that_python_cannot_hold_cost_their_own_row(face, fresh_set):
    """A map whose key is a list: the official client raises for the record, and so do we; its batch loses
    the rows after it, ours does not."""
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
        with pytest.raises(ours.ClientError, match="unhashable") as mine:
            client.get(keys[1])
        assert mine.value.code == theirs.value.code == -1
        records = client.batch_read(keys)
        client.close()
    assert [row.result for row in records.batch_records] == [0, -1, 0]
    assert records.batch_records[2].record.bins == {"x": 1}
    assert records.batch_records[1].record is None
    assert "unhashable" in str(records.batch_records[1].error)
    assert records.result == -1


def test_hll_both_ways(client, official, fresh_set):
    helpers = pytest.importorskip("aerospike_helpers")
    sketch = bytes.fromhex("0004") + bytes(13) + bytes.fromhex("4080003000000000")
    key = ("test", fresh_set, "h")
    official.put(key, {"h": helpers.HyperLogLog(sketch)})
    assert client.get(key).bins == {"h": sketch}
    assert isinstance(client.get(key).bins["h"], ours.HyperLogLog)
    client.put(key, {"h": ours.HyperLogLog(sketch)})
    assert isinstance(official.get(key)[2]["h"], helpers.HyperLogLog)
    batch = client.batch_read([key], _dtype=[("h", f"V{len(sketch)}")])
    assert batch.batch_records["h"][0].tobytes() == sketch
