"""Calls that fail: both clients raise the same code and leave the same record."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

import aerospike_py
from tests.support.records import SKETCH
from tests.support.twins import Twin, aerospike, code_of, shown

# The official client warns of deprecated operations.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

POINT = {"type": "Point", "coordinates": [-122.0, 37.5]}
CREATE = {"exists": aerospike.POLICY_EXISTS_CREATE}
UPDATE = {"exists": aerospike.POLICY_EXISTS_UPDATE}
REPLACE = {"exists": aerospike.POLICY_EXISTS_REPLACE}
EQUAL = {"gen": aerospike.POLICY_GEN_EQ}
GREATER = {"gen": aerospike.POLICY_GEN_GT}
DURABLE = {"durable_delete": True}
TOO_LONG = 10 * 365 * 24 * 3600 + 1

Call = Callable[[Twin, Any], Any]


def nobody(key: Any) -> tuple[str, str, str]:
    return key[0], key[1], "nobody"


def nowhere(key: Any) -> tuple[str, str, str]:
    return "nowhere", key[1], key[2]


def put(bins: Any, meta: Any = None, policy: Any = None) -> Call:
    return lambda twin, key: twin.client.put(key, bins, meta, policy)


def put_value(value: Callable[[Twin], Any]) -> Call:
    return lambda twin, key: twin.client.put(key, {"v": value(twin)})


def operate(*steps: Callable[[Any], Any], meta: Any = None, policy: Any = None) -> Call:
    return lambda twin, key: twin.client.operate(key, [step(twin.op) for step in steps], meta, policy)


def other_set(key: Any) -> Any:
    """The key of the same record with the name of another set."""
    return key[0], f"{key[1]}-2", None, aerospike.calc_digest(*key)


# The method that is called, what is wrong with the call, and the call.
FAILING: list[tuple[str, str, Call]] = [
    # Missing records.
    ("get", "missing", lambda twin, key: twin.client.get(nobody(key))),
    ("select", "missing", lambda twin, key: twin.client.select(nobody(key), ["i"])),
    ("remove", "missing", lambda twin, key: twin.client.remove(nobody(key))),
    ("touch", "missing", lambda twin, key: twin.client.touch(nobody(key), 10)),
    ("remove_bin", "missing", lambda twin, key: twin.client.remove_bin(nobody(key), ["i"])),
    ("operate", "missing, read", lambda twin, key: operate(lambda op: op.read("i"))(twin, nobody(key))),
    ("operate", "missing, delete", lambda twin, key: operate(lambda op: op.delete())(twin, nobody(key))),
    ("operate", "missing, touch", lambda twin, key: operate(lambda op: op.touch())(twin, nobody(key))),
    ("put", "missing, update", lambda twin, key: put({"i": 1}, None, UPDATE)(twin, nobody(key))),
    ("put", "missing, replace", lambda twin, key: put({"i": 1}, None, REPLACE)(twin, nobody(key))),
    ("put", "missing, nil alone", lambda twin, key: put({"i": None})(twin, nobody(key))),
    # Unknown namespaces.
    ("get", "nowhere", lambda twin, key: twin.client.get(nowhere(key))),
    ("put", "nowhere", lambda twin, key: twin.client.put(nowhere(key), {"i": 1})),
    ("exists", "nowhere", lambda twin, key: twin.client.exists(nowhere(key))),
    ("remove", "nowhere", lambda twin, key: twin.client.remove(nowhere(key))),
    ("select", "nowhere", lambda twin, key: twin.client.select(nowhere(key), ["i"])),
    ("touch", "nowhere", lambda twin, key: twin.client.touch(nowhere(key), 10)),
    ("increment", "nowhere", lambda twin, key: twin.client.increment(nowhere(key), "i", 1)),
    ("append", "nowhere", lambda twin, key: twin.client.append(nowhere(key), "s", "x")),
    ("operate", "nowhere", lambda twin, key: operate(lambda op: op.read("i"))(twin, nowhere(key))),
    # Conditions.
    ("put", "it exists", put({"i": 1}, None, CREATE)),
    ("put", "another generation", put({"i": 1}, {"gen": 9}, EQUAL)),
    ("put", "no later generation", put({"i": 1}, {"gen": 1}, GREATER)),
    ("remove", "another generation", lambda twin, key: twin.client.remove(key, {"gen": 9}, EQUAL)),
    ("touch", "another generation", lambda twin, key: twin.client.touch(key, 10, {"gen": 9}, EQUAL)),
    ("append", "another generation", lambda twin, key: twin.client.append(key, "s", "x", {"gen": 9}, EQUAL)),
    (
        "increment",
        "another generation",
        lambda twin, key: twin.client.increment(key, "i", 1, {"gen": 9}, EQUAL),
    ),
    (
        "remove_bin",
        "another generation",
        lambda twin, key: twin.client.remove_bin(key, ["i"], {"gen": 9}, EQUAL),
    ),
    (
        "operate",
        "another generation",
        operate(lambda op: op.increment("i", 1), meta={"gen": 9}, policy=EQUAL),
    ),
    ("operate", "it exists", operate(lambda op: op.write("i", 1), policy=CREATE)),
    # Features of the Enterprise Edition.
    ("remove", "durable", lambda twin, key: twin.client.remove(key, None, DURABLE)),
    ("put", "durable, all bins removed", put(dict.fromkeys("ifsbtlmgh"), None, DURABLE)),
    ("operate", "durable", operate(lambda op: op.delete(), policy=DURABLE)),
    ("put", "compressed", put({"s": "a" * 400}, None, {"compress": True})),
    # Operations on bins of the wrong type.
    ("increment", "a string", lambda twin, key: twin.client.increment(key, "s", 1)),
    ("increment", "bytes", lambda twin, key: twin.client.increment(key, "b", 1)),
    ("increment", "a bool", lambda twin, key: twin.client.increment(key, "t", 1)),
    ("increment", "a list", lambda twin, key: twin.client.increment(key, "l", 1)),
    ("increment", "a map", lambda twin, key: twin.client.increment(key, "m", 1)),
    ("increment", "GeoJSON", lambda twin, key: twin.client.increment(key, "g", 1)),
    ("increment", "a sketch", lambda twin, key: twin.client.increment(key, "h", 1)),
    ("increment", "an int by a float", lambda twin, key: twin.client.increment(key, "i", 0.5)),
    ("increment", "a float by an int", lambda twin, key: twin.client.increment(key, "f", 1)),
    ("append", "to an int", lambda twin, key: twin.client.append(key, "i", "x")),
    ("append", "to a float", lambda twin, key: twin.client.append(key, "f", "x")),
    ("append", "to a list", lambda twin, key: twin.client.append(key, "l", "x")),
    ("append", "to GeoJSON", lambda twin, key: twin.client.append(key, "g", "x")),
    ("append", "to a sketch", lambda twin, key: twin.client.append(key, "h", bytearray(b"x"))),
    ("append", "bytes to a string", lambda twin, key: twin.client.append(key, "s", bytearray(b"x"))),
    ("prepend", "a string to bytes", lambda twin, key: twin.client.prepend(key, "b", "x")),
    ("prepend", "to a map", lambda twin, key: twin.client.prepend(key, "m", "x")),
    (
        "operate",
        "the second of two",
        operate(lambda op: op.write("i", 99), lambda op: op.append("i", "x"), lambda op: op.read("i")),
    ),
    # Operations and policies that exclude each other.
    ("operate", "append and replace", operate(lambda op: op.append("s", "x"), policy=REPLACE)),
    ("operate", "increment and replace", operate(lambda op: op.increment("i", 1), policy=REPLACE)),
    ("operate", "delete and replace", operate(lambda op: op.delete(), policy=REPLACE)),
    ("operate", "touch and replace", operate(lambda op: op.touch(), policy=REPLACE)),
    ("put", "nil and replace", put({"i": None}, None, REPLACE)),
    # Names.
    ("put", "a bin's name of 16", put({"x" * 16: 1})),
    ("append", "a bin's name of 16", lambda twin, key: twin.client.append(key, "x" * 16, "x")),
    ("increment", "a bin's name of 16", lambda twin, key: twin.client.increment(key, "x" * 16, 1)),
    ("operate", "a bin's name of 16", operate(lambda op: op.write("x" * 16, 1))),
    # Another set for the same digest.
    ("get", "another set", lambda twin, key: twin.client.get(other_set(key))),
    ("put", "another set", lambda twin, key: twin.client.put(other_set(key), {"i": 1})),
    ("remove", "another set", lambda twin, key: twin.client.remove(other_set(key))),
    ("exists", "another set", lambda twin, key: twin.client.exists(other_set(key))),
    # Times to live.
    ("put", "a life too long", put({"i": 1}, {"ttl": TOO_LONG})),
    ("touch", "a life too long", lambda twin, key: twin.client.touch(key, TOO_LONG)),
    # Values that the server refuses.
    ("put", "a sketch that is none", put_value(lambda twin: twin.HyperLogLog(b"no sketch"))),
    ("put", "a sketch cut short", put_value(lambda twin: twin.HyperLogLog(SKETCH[:-1]))),
    ("put", "GeoJSON of no kind", put_value(lambda twin: twin.GeoJSON({"type": "Nothing"}))),
    (
        "put",
        "a line",
        put_value(lambda twin: twin.GeoJSON({"type": "LineString", "coordinates": [[0.0, 0.0], [1.0, 1.0]]})),
    ),
    (
        "put",
        "a point too far north",
        put_value(lambda twin: twin.GeoJSON({"type": "Point", "coordinates": [0.0, 90.5]})),
    ),
    (
        "put",
        "a ring that is open",
        put_value(
            lambda twin: twin.GeoJSON(
                {"type": "Polygon", "coordinates": [[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]]}
            )
        ),
    ),
    # Sizes.
    ("put", "nine million bytes", put({"b": bytearray(9_000_000)})),
    ("put", "too many bins", put({f"b{number}": number for number in range(33_000)})),
    # Values that the client does not send.
    ("put", "an int of 65 bits", put({"i": 2**64})),
    ("put", "an object", put({"i": object()})),
    ("put", "no bins", put({})),
    ("operate", "no operations", operate()),
    ("select", "a bin that is no text", lambda twin, key: twin.client.select(key, [1.5])),
    ("get", "a key that is no tuple", lambda twin, _: twin.client.get(5)),
    ("get", "a key of a float", lambda twin, key: twin.client.get((key[0], key[1], 1.5))),
    ("get", "a policy that is no dict", lambda twin, key: twin.client.get(key, 5)),
    # Truncation.
    (
        "truncate",
        "what is yet to come",
        lambda twin, key: twin.client.truncate("test", key[1], time.time_ns() + 10**15),
    ),
    ("truncate", "before there were servers", lambda twin, key: twin.client.truncate("test", key[1], 10)),
]


def test_names_that_are_too_long(client, official):
    for key in (("test", "s" * 64, 1), ("n" * 32, "s", 1)):
        assert code_of(official.put, key, {"i": 1}) == code_of(client.put, key, {"i": 1}) == -2


# Our client refuses these before anything is sent.
OF_OUR_OWN = {"put, no bins": -2}


@pytest.mark.parametrize("key", [1.5, True, None])
@pytest.mark.parametrize("place", [lambda of: of, lambda of: [1, of]], ids=["bin", "list"])
def test_maps_that_the_server_does_not_keep(client, official, fresh_set, key, place):
    """The official client leaves such pairs out silently; ours raises."""
    record = ("test", fresh_set, 1)
    official.put(record, {"m": place({key: 1, "a": 2})})
    assert official.get(record)[2] == {"m": place({"a": 2})}
    assert code_of(client.put, record, {"m": place({key: 1, "a": 2})}) in (1, -2)
    assert client.get(record).bins == {"m": place({"a": 2})}


@pytest.fixture
def pair(twins: tuple[Twin, Twin], official: Any, fresh_set: str) -> list[tuple[Twin, Any]]:
    """Each client with its own record; the records differ in their keys alone."""
    made = []
    for twin, name in zip(twins, ("theirs", "ours"), strict=True):
        key = ("test", fresh_set, name)
        official.put(
            key,
            {
                "i": 10,
                "f": 1.5,
                "s": "mid",
                "b": bytearray(b"\x05"),
                "t": True,
                "l": [1, 2],
                "m": {"a": 1},
                "g": twins[0].GeoJSON(POINT),
                "h": twins[0].HyperLogLog(SKETCH),
            },
        )
        made.append((twin, key))
    return made


CALLS = [pytest.param(*line, id=f"{line[0]}, {line[1]}") for line in FAILING]


@pytest.mark.parametrize(("needs", "what", "call"), CALLS)
def test_a_call_that_fails(pair, official, needs, what, call):
    theirs, ours = (code_of(call, twin, key) for twin, key in pair)
    assert theirs is not None
    assert ours == OF_OUR_OWN.get(f"{needs}, {what}", theirs)
    left = [official.get(key) for _, key in pair]
    assert shown(left[0][1:]) == shown(left[1][1:])
    assert left[0][1]["gen"] == 1


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
        with pytest.raises(aerospike_py.AerospikeError) as mine:
            call(client)
        assert mine.value.code == theirs.value.code
        # For codes without a class they raise the root, we ServerError or ClientError below it.
        assert type(theirs.value).__name__ in [cls.__name__ for cls in type(mine.value).__mro__]
