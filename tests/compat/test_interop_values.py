"""Every type of value by every command: our client reads what the official client writes, and the reverse."""

from __future__ import annotations

import copy
import pickle
import re
import struct
from collections.abc import Iterator
from typing import Any

import pytest

import aerospike_py
from aerospike_py.testing import DevServer
from tests.support.proxy import MESSAGE, Proxy, connect_through
from tests.support.records import MAP, MAP_KEYED_BY_A_LIST, SKETCH, put_as_it_is
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


# MessagePack: a map of 1 to nil and of "a" to a map of 2 to true, each with a marker of its order.
def ordered_maps(outer: int, inner: int) -> bytes:
    return bytes([0x83, 0xC7, 0, outer, 0xC0, 1, 0xC0, 0xA2, 3, 0x61, 0x82, 0xC7, 0, inner, 0xC0, 2, 0xC3])


# Keys of maps as MessagePack, two by two equal in Python, in the server's order.
ONE, ZERO, TRUE, FALSE = b"\x01", b"\x00", b"\xc3", b"\xc2"


def double(value: float) -> bytes:
    return b"\xcb" + struct.pack(">d", value)


EQUAL_KEYS = {
    "1 and 1.0": (ONE, double(1), "1 (int) and 1.0 (float)"),
    "true and 1": (TRUE, ONE, "True (bool) and 1 (int)"),
    "true and 1.0": (TRUE, double(1), "True (bool) and 1.0 (float)"),
    "false and 0": (FALSE, ZERO, "False (bool) and 0 (int)"),
    "0 and -0.0": (ZERO, double(-0.0), "0 (int) and -0.0 (float)"),
    "2**53": (b"\xcf" + (2**53).to_bytes(8, "big"), double(2.0**53), f"{2**53} (int) and {2.0**53} (float)"),
    "2**63": (b"\xcf" + (2**63).to_bytes(8, "big"), double(2.0**63), f"{2**63} (int) and {2.0**63} (float)"),
    "GeoJSON": (b"\xa4\x17{ }", b"\xa3\x17{}", "GeoJSON('{ }') (GeoJSON) and GeoJSON('{}') (GeoJSON)"),
}
DIFFERENT_KEYS = {
    "text and bytes": (b"\xa2\x03a", b"\xa2\x04a", {"a": None, b"a": True}),
    "2**53 + 1": (
        b"\xcf" + (2**53 + 1).to_bytes(8, "big"),
        double(2.0**53),
        {2**53 + 1: None, 2.0**53: True},
    ),
    "nil and false": (b"\xc0", FALSE, {None: None, False: True}),
}


@pytest.fixture(scope="module")
def any_keys() -> Iterator[DevServer]:
    """A node that takes maps with keys of any type, as servers before 7.1 did."""
    with DevServer(options=["--any-map-keys"]) as node:
        yield node


@pytest.mark.embedded
@pytest.mark.parametrize("reader", READERS)
def test_maps_have_the_official_clients_classes(face, any_keys, fresh_set, reader):
    """Ordered by key: KeyOrderedDict. By key and value: a dict, as in the official client."""
    theirs = Twin(aerospike.client(any_keys.config).connect(), is_official=True)
    ours = Twin(face.connect(any_keys.config), is_official=False)
    for number, (outer, inner) in enumerate([(1, 1), (1, 0), (0, 1), (3, 1), (1, 3), (9, 17)]):
        key = ("test", f"{fresh_set}-{number}", "k")
        put_as_it_is(any_keys.hosts[0], key, b"x", ordered_maps(outer, inner))
        expected = {1: None, "a": {2: True}}
        for twin in (theirs, ours):
            if not hasattr(twin.client, reader):
                continue
            for value in (READERS[reader](twin, key), [*READERS[reader](twin, key).values()]):
                found = value if isinstance(value, dict) else value[1]
                flags = outer if isinstance(value, dict) else inner
                assert type(found) is (twin.KeyOrderedDict if flags & 3 == 1 else dict), (flags, twin)
            assert READERS[reader](twin, key) == expected
            assert list(READERS[reader](twin, key)) == [*expected]
    for twin in (theirs, ours):
        twin.client.close()


def test_ordered_dicts_behave_as_the_official_clients():
    for make in (lambda of: of({"b": 1, "a": [2]}), lambda of: of(), lambda of: of(b=1)):
        theirs, ours = make(aerospike.KeyOrderedDict), make(aerospike_py.KeyOrderedDict)
        assert ours == theirs == dict(theirs)
        assert (repr(ours), str(ours), list(ours)) == (repr(theirs), str(theirs), list(theirs))
        assert type(pickle.loads(pickle.dumps(ours))) is type(copy.deepcopy(ours)) is type(ours)  # noqa: S301
        assert isinstance(ours, dict)
    a_b, b_a = ({"a": 1, "b": 2}, {"b": 2, "a": 1})
    assert aerospike_py.KeyOrderedDict(a_b) == aerospike_py.KeyOrderedDict(b_a) == b_a


@pytest.mark.embedded
def test_get_then_put_keeps_the_order_of_maps(face, fresh_set):
    """Byte for byte: what the server answers before and after, in a bin, in lists and in other maps."""
    with DevServer() as node, Proxy(node.hosts[0]) as proxy:
        theirs = aerospike.client(node.config).connect()
        ours = connect_through(face, proxy)
        ordered = aerospike.KeyOrderedDict
        keys = {"b": 1, "a": ordered({3: [ordered({b"y": None, b"x": 1.5, "x": 2, -1: 0})], 2: {"z": 1}})}
        key = ("test", fresh_set, "k")
        theirs.put(
            key, {"o": ordered(keys), "l": [ordered(keys), {"u": ordered()}], "m": {"u": ordered(keys)}}
        )

        def answer() -> tuple[Any, bytes]:
            bins = ours.get(key).bins
            header = 8 + 22
            return bins, proxy.answers[MESSAGE][header:]

        bins, before = answer()
        assert b"\xc7\x00\x01\xc0" in before
        ours.put(key, bins)
        assert answer() == (bins, before)
        # The official client's own objects keep their order, too.
        ours.put(key, theirs.get(key)[2])
        assert answer() == (bins, before)
        ours.operate(key, [aerospike_py.operations.write(name, value) for name, value in bins.items()])
        assert answer() == (bins, before)
        theirs.close()
        ours.close()


@pytest.mark.embedded
@pytest.mark.parametrize("at", ["bin", "list", "map", "ordered map"])
@pytest.mark.parametrize("which", EQUAL_KEYS)
@pytest.mark.filterwarnings("ignore:rows of the batch failed:RuntimeWarning")
def test_maps_whose_keys_are_equal_in_python_cost_their_own_row(face, any_keys, fresh_set, which, at):
    first, second, named = EQUAL_KEYS[which]
    pairs = first + b"\xc0" + second + b"\xc3"
    nested = {
        "bin": (MAP, b"\x82" + pairs),
        "list": (20, b"\x92\x05\x82" + pairs),
        "map": (MAP, b"\x81\xa2\x03m\x91\x82" + pairs),
        "ordered map": (MAP, b"\x83\xc7\x00\x03\xc0" + pairs),
    }
    kind, value = nested[at]
    keys = [("test", fresh_set, number) for number in range(3)]
    with face.connect(any_keys.config) as client:
        for key in keys:
            client.put(key, {"x": 1})
        put_as_it_is(any_keys.hosts[0], keys[1], b"m", value, kind)
        message = f'bin "m" cannot be read: its map has the keys {named}'
        with pytest.raises(aerospike_py.ClientError, match=re.escape(message)):
            client.get(keys[1])
        rows = client.batch_read(keys).batch_records
        assert [row.result for row in rows] == [0, -1, 0]
        assert message in str(rows[1].error)
        # Other bins of the record can be read, also into arrays.
        assert client.select(keys[1], ["x"]).bins == {"x": 1}
        assert client.batch_read(keys, _dtype=[("x", "i8")]).batch_records["x"].tolist() == [1, 1, 1]
        with pytest.raises(aerospike_py.ClientError, match=re.escape(named)):
            client.operate(keys[1], [aerospike_py.operations.read("m")])


@pytest.mark.embedded
@pytest.mark.parametrize("which", DIFFERENT_KEYS)
def test_maps_whose_keys_differ_in_python(face, any_keys, fresh_set, which):
    first, second, expected = DIFFERENT_KEYS[which]
    key = ("test", fresh_set, "k")
    put_as_it_is(any_keys.hosts[0], key, b"m", b"\x82" + first + b"\xc0" + second + b"\xc3")
    with face.connect(any_keys.config) as client:
        assert client.get(key).bins == {"m": expected}


@pytest.mark.embedded
@pytest.mark.filterwarnings("ignore:rows of the batch failed:RuntimeWarning")
def test_keys_of_maps_that_have_no_hash_cost_their_own_row(face, any_keys, fresh_set):
    """GeoJSON that is not JSON cannot be compared."""
    key = ("test", fresh_set, "k")
    put_as_it_is(any_keys.hosts[0], key, b"m", b"\x81\xa3\x17{!\xc0")
    with face.connect(any_keys.config) as client:
        [row] = client.batch_read([key]).batch_records
        assert row.result == -1
        assert 'bin "m"' in str(row.error)


LANGUAGES = {7: "Java", 8: "C#", 9: "Python", 10: "Ruby", 11: "PHP", 12: "Erlang"}


@pytest.mark.embedded
@pytest.mark.parametrize("particle_type", LANGUAGES)
def test_blobs_of_old_clients(client, official, server, fresh_set, particle_type):
    """Objects that old clients serialized are bytes, and fill fields as blobs do."""
    key = ("test", fresh_set, "k")
    pickled = pickle.dumps([1, 2])[:12]
    put_as_it_is(server.hosts[0], key, b"b", pickled, particle_type)
    assert client.get(key).bins == {"b": pickled}
    assert type(client.get(key).bins["b"]) is bytes
    assert bytes(official.get(key)[2]["b"]) == pickled
    for field, stored in ((("b", "V16"), pickled.ljust(16, b"\0")), (("b", "S16"), pickled.rstrip(b"\0"))):
        batch = client.batch_read([key], _dtype=[field])
        assert batch.batch_records["b"][0].item() == stored
        assert batch.present["b"].all()
    for field in (("b", "u1", (12,)), ("b", "u1", (3, 4)), ("b", "<i4", (3,))):
        assert client.batch_read([key], _dtype=[field]).batch_records.tobytes() == pickled
    with pytest.raises(aerospike_py.BatchDecodeError, match=f"{LANGUAGES[particle_type]} blob"):
        client.batch_read([key], _dtype=[("b", "i8")])
    inferred = client.infer_dtype("test", fresh_set)
    assert inferred.dtype["b"].kind == "V"
    assert client.batch_read([key], _dtype=inferred.dtype).batch_records["b"][0].item() == pickled
