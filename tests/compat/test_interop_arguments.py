"""Arguments that the official client takes or refuses, and what both clients make of them."""

from __future__ import annotations

from typing import Any

import pytest

import aerospike_py

aerospike = pytest.importorskip("aerospike", exc_type=ModuleNotFoundError)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

READ, WRITE, TOUCH, INCR = (
    aerospike.OPERATOR_READ,
    aerospike.OPERATOR_WRITE,
    aerospike.OPERATOR_TOUCH,
    aerospike.OPERATOR_INCR,
)


@pytest.fixture
def key(client, fresh_set):
    client.put(("test", fresh_set, 1), {"a": 1, "s": "x"})
    return ("test", fresh_set, 1)


@pytest.mark.parametrize(
    "operations",
    [
        [{"op": TOUCH, "bin": "a"}, {"op": READ, "bin": "a"}],
        [{"op": TOUCH, "bin": "a", "val": 100}, {"op": READ, "bin": "a"}],
        [{"op": READ, "bin": "a", "val": 5}],
        [{"op": READ, "bin": bytearray(b"a")}],
        [{"op": WRITE, "bin": bytearray(b"new"), "val": 3}, {"op": READ, "bin": bytearray(b"new")}],
        [{"op": INCR, "bin": bytearray(b"a"), "val": 3}, {"op": READ, "bin": "a"}],
        [{"op": WRITE, "bin": "a", "val": None}, {"op": READ, "bin": "s"}],
    ],
)
def test_operations_that_are_taken(twins, key, operations):
    """An entry that an operation does not use is left alone; a bin name may be a bytearray."""
    outcomes = []
    for twin in twins:
        twin.client.put(key, {"a": 1, "s": "x"}, policy={"exists": aerospike.POLICY_EXISTS_CREATE_OR_REPLACE})
        found = twin.client.operate(key, operations)
        record = twin.client.get(key)
        outcomes.append((found[2], record[2], record[1]["ttl"] > 1000))
    assert outcomes[0] == outcomes[1]


def test_a_delete_with_a_bin_is_refused(client, official, key):
    """It deletes the whole record, which is perhaps not what was meant. The official client does it."""
    with pytest.raises(aerospike_py.ParamError, match=r"has a 'bin' .*which a delete does not accept"):
        client.operate(key, [{"op": aerospike.OPERATOR_DELETE, "bin": "a"}])
    official.operate(key, [{"op": aerospike.OPERATOR_DELETE, "bin": "a"}])
    assert client.exists(key).meta is None


def test_bin_names_of_commands_may_be_bytearrays(twins, key):
    name = bytearray(b"a")
    for twin in twins:
        twin.client.increment(key, name, 1)
        twin.client.append(key, bytearray(b"s"), "y")
        twin.client.prepend(key, bytearray(b"s"), "w")
    assert twins[0].client.get(key)[2] == {"a": 3, "s": "wwxyy"}


def test_bytearrays_are_bin_names_wherever_one_is_taken(client, key):
    name = bytearray(b"a")
    assert client.select(key, [name]).bins == {"a": 1}
    assert client.batch_read([key], [name]).batch_records[0].record.bins == {"a": 1}
    client.remove_bin(key, [name])
    assert client.get(key).bins == {"s": "x"}
    for wrong, message in ((b"a", "must be a str"), (bytearray(b"\xff"), "must be UTF-8")):
        with pytest.raises(aerospike_py.ParamTypeError, match=f"bin name .* {message}"):
            client.select(key, [wrong])
    with pytest.raises(aerospike_py.BinNameError):
        client.increment(key, bytearray(b"a" * 16), 1)


def test_keys_may_be_dicts(twins, key):
    namespace, name, primary_key = key
    digest = aerospike.calc_digest(*key)
    for given in (
        {"ns": namespace, "set": name, "key": primary_key},
        {"ns": namespace, "set": name, "key": primary_key, "digest": None},
        {"ns": namespace, "set": name, "key": None, "digest": digest},
        {"ns": namespace, "set": name, "digest": digest},
    ):
        for twin in twins:
            assert twin.client.get(given)[2] == {"a": 1, "s": "x"}
            assert twin.client.select(given, ["a"])[2] == {"a": 1}
            assert twin.client.exists(given)[1]["gen"] >= 1
            assert twin.client.operate(given, [twin.op.read("a")])[2] == {"a": 1}
    for twin in twins:
        without_set = {"ns": namespace, "key": name}
        twin.client.put(without_set, {"a": 7})
        assert twin.client.get((namespace, None, name))[2] == {"a": 7}
        twin.client.remove(without_set)


def test_keys_of_batches_may_be_dicts(client, key):
    """The official client refuses them there."""
    from aerospike_py import batch
    from aerospike_py import operations as op

    given: Any = {"ns": key[0], "set": key[1], "key": key[2]}
    assert client.batch_read([given, key]).batch_records[0].record.bins == {"a": 1, "s": "x"}
    rows = client.batch_read([given, key], _dtype=[("a", "i8")])
    assert rows.batch_records["a"].tolist() == [1, 1]
    assert rows.get(given)["a"] == 1
    assert given in rows
    assert {**given, "key": 2} not in rows
    assert client.batch_operate([given], [op.read("a")]).batch_records[0].record.bins == {"a": 1}
    written = client.batch_write(batch.BatchRecords([batch.Read(given, [op.read("a")]), batch.Remove(given)]))
    assert [row.result for row in written] == [0, 0]
    assert [row.result for row in client.batch_remove([given])] == [2]


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (
            {"ns": "test", "set": "s", "kye": 1},
            ValueError,
            'an entry \'kye\' .*"ns", "set", "key" and "digest"',
        ),
        ({"ns": "test", "set": "s", 5: 1}, ValueError, "an entry 5 "),
        ({"set": "s", "key": 1}, TypeError, "its namespace is None .*must be a str"),
        ({"ns": "test", "set": 5, "key": 1}, TypeError, "its set is 5 "),
        ({"ns": "test", "set": "s"}, ValueError, "its primary key is None and it has no digest"),
        ({"ns": "test", "set": "s", "key": 1.5}, TypeError, "its primary key is 1.5 "),
        ({"ns": "test", "set": "s", "digest": "x"}, TypeError, "its digest is 'x' "),
        ({}, TypeError, "its namespace is None"),
    ],
)
def test_dicts_that_are_no_keys(client, given, error, message):
    for position, call in (
        ("key", lambda: client.get(given)),
        (r"keys\[1\]", lambda: client.batch_read([("test", "s", 1), given])),
    ):
        with pytest.raises(aerospike_py.ParamError, match=f"{position}.* {message}") as caught:
            call()
        assert isinstance(caught.value, error)


def test_a_batch_read_of_no_bins_gives_records_of_two_items(twins, key):
    missing = (*key[:2], "missing")
    shapes = []
    for twin in twins:
        found, none = twin.client.batch_read([key, missing], []).batch_records
        record_key, meta = found.record
        assert bytes(record_key[3]) == bytes(aerospike.calc_digest(*key))
        shapes.append((len(found.record), record_key[:3], meta, found.result, none.result, none.record))
    assert shapes[0] == shapes[1]
    ours = twins[1].client.batch_read([key], []).batch_records[0].record
    assert type(ours) is aerospike_py.RecordHeader
    assert (ours.key, ours.meta, ours.bins) == (ours[0], ours[1], {})
    # Rows of batch_write that read no bins have three items.
    for twin in twins:
        read = twin.client.batch_write(twin.batch.BatchRecords([twin.batch.Read(key, None)]))
        assert read.batch_records[0].record[2] == {}


@pytest.mark.parametrize("primary_key", [1, -1, 2**63 - 1, "a", "grüße", "", bytearray(b"\x01\x00\x02")])
def test_partitions_of_keys(client, official, primary_key):
    for name in ("demo", ""):
        theirs = official.get_key_partition_id("test", name, primary_key)
        assert client.get_key_partition_id("test", name, primary_key) == theirs
        assert client.get_key_partition_id(ns="test", set=name, key=primary_key) == theirs
    assert client.get_key_partition_id("test", None, primary_key) == client.get_key_partition_id(
        "test", "", primary_key
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((5, "s", 1), "ns is 5"), (("test", 5, 1), "set is 5"), (("test", "s", 1.5), "primary key is 1.5")],
)
def test_partitions_of_what_is_no_key(client, official, arguments, message):
    with pytest.raises(aerospike_py.ParamTypeError, match=message):
        client.get_key_partition_id(*arguments)
    with pytest.raises(aerospike.exception.ParamError):
        official.get_key_partition_id(*arguments)


def test_null_is_nil(twins, key):
    for twin in twins:
        null = aerospike.null() if twin.is_official else aerospike_py.null()
        twin.client.put(key, {"a": 1, "b": 2, "s": "x"})
        twin.client.put(key, {"a": null, "l": [null, {"x": null}]})
        assert twin.client.get(key)[2] == {"b": 2, "s": "x", "l": [None, {"x": None}]}
        twin.client.operate(key, [twin.op.write("b", null)])
        assert twin.client.get(key)[2] == {"s": "x", "l": [None, {"x": None}]}
        twin.client.remove_bin(key, ["l"])


def test_errors_have_the_official_attributes(client, official, fresh_set):
    names = ("code", "msg", "file", "line", "in_doubt", "subcode", "key", "bin")
    missing = ("test", fresh_set, "missing")
    with pytest.raises(aerospike.exception.RecordNotFound) as theirs:
        official.get(missing)
    with pytest.raises(aerospike_py.RecordNotFound) as ours:
        client.get(missing)
    for name in names:
        assert hasattr(theirs.value, name)
        assert hasattr(ours.value, name)
    assert (ours.value.file, ours.value.line, ours.value.subcode) == (None, None, None)
    for name in aerospike_py.exception.__all__:
        error = getattr(aerospike_py.exception, name)
        assert (error.file, error.line, error.subcode) == (None, None, None)


def test_leaving_a_with_statement_hides_no_exception(face, config):
    leave = "__exit__" if face.name == "sync" else "__aexit__"
    assert getattr(face.connect(config), leave)(None, None, None) is False
    with pytest.raises(ZeroDivisionError), face.client(config):
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("get", (5,)),
        ("get", (None,)),
        ("get", ((5, "s", 1),)),
        ("get", (("test", 5, 1),)),
        ("get", ("KEY", 5)),
        ("select", ("KEY", 5)),
        ("select", ("KEY", "a")),
        ("select", ("KEY", [5])),
        ("exists", (None,)),
        ("put", ("KEY", None)),
        ("put", ("KEY", 5)),
        ("put", ("KEY", {"a": 1}, 5)),
        ("touch", ("KEY", "x")),
        ("append", ("KEY", 5, "x")),
        ("append", ("KEY", "a", 5)),
        ("increment", ("KEY", "a", "x")),
        ("remove_bin", ("KEY", "a")),
        ("operate", ("KEY", 5)),
        ("operate", ("KEY", None)),
        ("operate", ("KEY", [{"op": 0, "bin": 5}])),
        ("operate", ("KEY", [{"op": 9, "bin": "a", "val": 5}])),
        ("operate", ("KEY", [{"op": 6, "bin": "a", "val": None}])),
        ("operate", ("KEY", [{"op": 11, "val": "x"}])),
        ("batch_read", (5,)),
        ("batch_read", (["KEY"], "a")),
        ("batch_operate", (["KEY"], 5)),
        ("batch_remove", (5,)),
        ("batch_write", (5,)),
        ("info_all", (5,)),
        ("info_single_node", ("build", None)),
        ("info_single_node", ("build", 5)),
        ("info_random_node", (None,)),
        ("truncate", (5, "s", 0)),
        ("truncate", ("test", 5, 0)),
        ("truncate", (None, None, 0)),
    ],
)
def test_arguments_of_a_wrong_type(twins, key, command, arguments):
    """Both clients raise a ParamError; ours is a TypeError and a ValueError too, and shows what was wrong."""

    def filled(value: Any) -> Any:
        if isinstance(value, list):
            return [filled(item) for item in value]
        return key if value == "KEY" else value

    theirs, ours = twins
    with pytest.raises(aerospike.exception.ParamError):
        getattr(theirs.client, command)(*filled(list(arguments)))
    with pytest.raises(aerospike_py.ParamError) as caught:
        getattr(ours.client, command)(*filled(list(arguments)))
    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, ValueError)
    assert caught.value.code == -2
    assert "instance of" not in str(caught.value)
    assert any(word in str(caught.value) for word in ("must be", "cannot be used"))


@pytest.mark.parametrize("given", [5, None, [1], b"x"])
def test_geojson_of_a_wrong_type(given):
    with pytest.raises(aerospike.exception.ParamError):
        aerospike.GeoJSON(given)
    with pytest.raises(aerospike_py.ParamTypeError, match=r"geo_data is .*; it must be a dict or its text"):
        aerospike_py.GeoJSON(given)


@pytest.mark.parametrize("call", ["read", "write", "append", "increment", "touch"])
def test_operations_are_checked_by_the_call_that_applies_them(twins, key, call):
    """The helpers of neither client check their arguments, so that code moves without a change."""
    arguments = {"read": (5,), "write": (5, 1), "append": ("a", 5), "increment": ("a", "x"), "touch": ("x",)}
    for twin in twins:
        operation = getattr(twin.op, call)(*arguments[call])
        error = aerospike.exception.ParamError if twin.is_official else aerospike_py.ParamTypeError
        with pytest.raises(error) as caught:
            twin.client.operate(key, [operation])
        if not twin.is_official:
            assert str(caught.value).startswith("operations[0]")
