"""put, get, exists and remove, with both clients."""

import datetime
import pickle

import numpy as np
import pytest

import aerospike_py as aerospike


def test_put_get_exists_remove(client, fresh_set):
    key = ("test", fresh_set, "k")
    assert client.exists(key) == ((*key, aerospike.calc_digest(*key)), None)
    assert client.put(key, {"a": 1, "b": "two"}) == 0
    record = client.get(key)
    assert record.bins == {"a": 1, "b": "two"}
    assert record.meta == {"gen": 1, "ttl": 0xFFFFFFFF}
    assert record.key.key is None
    assert client.get(key, {"key": aerospike.POLICY_KEY_SEND}).key == (*key, record.key.digest)
    for found in (client.exists(key), client.select(key, ["a"])):
        assert found.key == (*key, record.key.digest)
    found, meta = client.exists(key)
    assert found.digest == aerospike.calc_digest(*key)
    assert meta["gen"] == 1
    client.put(key, {"b": None, "c": 2.5})
    assert client.get(key).bins == {"a": 1, "c": 2.5}
    assert client.remove(key) == 0
    assert client.exists(key).meta is None


@pytest.mark.parametrize("command", ["get", "remove"])
def test_a_record_that_is_not_there(client, fresh_set, command):
    with pytest.raises(aerospike.RecordNotFound) as caught:
        getattr(client, command)(("test", fresh_set, "nobody"))
    error = caught.value
    assert error.code == 2
    assert error.in_doubt is False
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (type(again), again.code, again.msg) == (type(error), 2, error.msg)


@pytest.mark.parametrize(
    "value",
    [
        0,
        -1,
        2**63 - 1,
        -(2**63),
        0.0,
        -2.5e-300,
        float("inf"),
        True,
        False,
        "",
        "grüße 日本 \U0001f600",
        b"",
        b"\x00\x01\xff",
        [],
        [1, "two", 3.0, b"four", True, None, [5, ["six"]], {"seven": 7}],
        {},
        {"a": 1, "b": {"c": [1.5]}, 3: "int key", b"k": None},
        ["x" * n for n in (0, 1, 30, 31, 32, 255, 256, 70_000)],
    ],
    ids=lambda value: repr(value)[:30],
)
def test_values_come_back_as_they_went(client, fresh_set, value):
    key = ("test", fresh_set, "value")
    client.put(key, {"x": value})
    back = client.get(key).bins["x"]
    assert back == value
    assert type(back) is type(value)


def test_values_of_our_own_types(client, fresh_set):
    key = ("test", fresh_set, "own")
    point = aerospike.GeoJSON({"type": "Point", "coordinates": [-122.0, 37.5]})
    ordered = aerospike.KeyOrderedDict({"c": 3, "a": 1, 2: 0})
    client.put(key, {"g": point, "m": ordered, "l": [point], "t": (1, 2), "ba": bytearray(b"\x01\x02")})
    bins = client.get(key).bins
    assert bins["g"] == point
    assert bins["m"] == {2: 0, "a": 1, "c": 3}
    assert list(bins["m"]) == [2, "a", "c"]
    assert bins["l"] == [point]
    assert bins["t"] == [1, 2]
    assert bins["ba"] == b"\x01\x02"


def test_numpy_scalars(client, fresh_set):
    key = ("test", fresh_set, np.int64(7))
    client.put(key, {"i": np.int32(-3), "u": np.uint8(200), "f": np.float32(0.5), "b": np.bool_(True)})
    assert client.get(("test", fresh_set, 7)).bins == {"i": -3, "u": 200, "f": 0.5, "b": True}


def nested(depth):
    value: list[object] = []
    for _ in range(depth):
        value = [value]
    return value


def test_values_that_cannot_be_written(client, fresh_set):
    key = ("test", fresh_set, "bad")
    loop: list[object] = []
    loop.append(loop)
    for value, message in [
        (2**63, "signed 64-bit integer"),
        (object(), "cannot be written"),
        ({1, 2}, "cannot be written"),
        (1j, "cannot be written"),
        (datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc), "a time is written as an integer"),
        ([{"at": datetime.timedelta(1)}], "a time is written as an integer"),
        (np.datetime64("2026-01-02"), "a time is written as an integer"),
        ("\ud800", "UTF-8"),
        (loop, "nested deeper"),
        (nested(500), "nested deeper"),
        ([2**64], "signed 64-bit integer"),
    ]:
        with pytest.raises(aerospike.ParamError, match=message) as caught:
            client.put(key, {"x": value})
        assert "'x'" in str(caught.value) or '"x"' in str(caught.value)
    with pytest.raises(aerospike.BinNameError, match="sixteen_chars_xy"):
        client.put(key, {"sixteen_chars_xy": 1})
    for bins in ({}, 5, None, {5: 1}):
        with pytest.raises(aerospike.ParamError):
            client.put(key, bins)
    assert client.exists(key).meta is None


def test_policies_by_existence(client, fresh_set):
    key = ("test", fresh_set, "k")
    with pytest.raises(aerospike.RecordNotFound):
        client.put(key, {"a": 1}, policy={"exists": aerospike.POLICY_EXISTS_UPDATE})
    with pytest.raises(aerospike.RecordNotFound):
        client.put(key, {"a": 1}, policy={"exists": aerospike.POLICY_EXISTS_REPLACE})
    client.put(key, {"a": 1, "b": 2}, policy={"exists": aerospike.POLICY_EXISTS_CREATE})
    with pytest.raises(aerospike.RecordExistsError):
        client.put(key, {"a": 2}, policy={"exists": aerospike.POLICY_EXISTS_CREATE})
    client.put(key, {"c": 3}, policy={"exists": aerospike.POLICY_EXISTS_REPLACE})
    assert client.get(key).bins == {"c": 3}
    client.put(key, {"d": 4}, policy={"exists": aerospike.POLICY_EXISTS_CREATE_OR_REPLACE})
    assert client.get(key).bins == {"d": 4}


def test_policies_by_generation(client, fresh_set):
    key = ("test", fresh_set, "k")
    client.put(key, {"a": 1})
    client.put(key, {"a": 2}, meta={"gen": 1}, policy={"gen": aerospike.POLICY_GEN_EQ})
    with pytest.raises(aerospike.RecordGenerationError):
        client.put(key, {"a": 3}, meta={"gen": 1}, policy={"gen": aerospike.POLICY_GEN_EQ})
    with pytest.raises(aerospike.RecordGenerationError):
        client.remove(key, meta={"gen": 9}, policy={"gen": aerospike.POLICY_GEN_EQ})
    with pytest.raises(aerospike.ParamError, match="gen"):
        client.put(key, {"a": 3}, policy={"gen": aerospike.POLICY_GEN_EQ})
    assert client.get(key)[1:] == ({"gen": 2, "ttl": 0xFFFFFFFF}, {"a": 2})


def test_time_to_live(client, fresh_set):
    key = ("test", fresh_set, "k")
    client.put(key, {"a": 1}, meta={"ttl": 3600})
    assert 3590 <= client.get(key).meta["ttl"] <= 3600
    client.put(key, {"a": 2}, policy={"ttl": aerospike.TTL_DONT_UPDATE})
    assert 3590 <= client.exists(key).meta["ttl"] <= 3600
    client.put(key, {"a": 2}, policy={"ttl": aerospike.TTL_NEVER_EXPIRE})
    assert client.exists(key).meta["ttl"] == 0xFFFFFFFF


def test_default_policies_of_the_config(face, config, fresh_set):
    key = ("test", fresh_set, "k")
    policies = {"write": {"exists": aerospike.POLICY_EXISTS_CREATE}}
    with face.connect({**config, "policies": policies}) as client:
        client.put(key, {"a": 1})
        with pytest.raises(aerospike.RecordExistsError):
            client.put(key, {"a": 2})
        client.put(key, {"a": 3}, policy={"exists": aerospike.POLICY_EXISTS_IGNORE})
        assert client.get(key).bins == {"a": 3}


def test_an_unknown_namespace(client):
    for command in ("get", "exists", "remove"):
        with pytest.raises(aerospike.NamespaceNotFound, match="nowhere") as caught:
            getattr(client, command)(("nowhere", "s", 1))
        assert caught.value.code == 20


def test_life_of_a_client(face, config):
    client = face.client(config)
    assert not client.is_connected()
    with pytest.raises(aerospike.ClientError, match="not connected yet"):
        client.stats()
    with client:
        assert client.is_connected()
        assert len(client.get_node_names()) >= 1
        assert "nodes" in repr(client)
        client.connect()
        assert client.is_connected()
    assert not client.is_connected()
    with pytest.raises(aerospike.ClientError, match="closed"):
        client.get(("test", "s", 1))
    client.close()
    client.connect()
    assert client.is_connected()
    client.close()
