"""The same commands by both clients: equal answers, equal errors, equal records afterwards."""

from __future__ import annotations

import pytest

import aerospike_py
from aerospike_py import operations as ours

aerospike = pytest.importorskip("aerospike", exc_type=ModuleNotFoundError)
theirs = pytest.importorskip("aerospike_helpers.operations.operations")

# The official client warns of deprecated operations.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

BINS = {"i": 10, "f": 1.5, "s": "mid", "b": b"\x05"}


@pytest.fixture
def keys(client, official, fresh_set):
    """Two equal records, one for each client."""
    pair = [("test", fresh_set, "ours"), ("test", fresh_set, "theirs")]
    for key in pair:
        client.put(key, BINS)
    return pair


def outcome(call, *args, **kwargs):
    try:
        answer = call(*args, **kwargs)
    except (aerospike.exception.AerospikeError, aerospike_py.AerospikeError) as error:
        return type(error).__name__, error.code, bool(error.in_doubt)
    return answer[1:] if isinstance(answer, tuple) else None


COMMANDS = [
    ("append", "s", "!"),
    ("append", "b", bytearray(b"\x06")),
    ("append", "new", "x"),
    ("append", "i", "x"),
    ("prepend", "s", "<"),
    ("prepend", "f", "x"),
    ("increment", "i", -3),
    ("increment", "f", 0.5),
    ("increment", "new", 3),
    ("increment", "s", 1),
    ("remove_bin", ["i", "f"]),
    ("remove_bin", ["nobin"]),
    ("touch",),
    ("touch", 600),
    ("exists",),
    ("get",),
    ("select", ["s", "nobin"]),
    ("put", {"a": 1}, {"gen": 9}, {"gen": aerospike.POLICY_GEN_EQ}),
    ("put", {"a": 1}, None, {"exists": aerospike.POLICY_EXISTS_CREATE}),
    ("put", {"a": 1}, {"ttl": 100}, {"exists": aerospike.POLICY_EXISTS_REPLACE}),
    ("remove",),
    ("remove", {"gen": 9}, {"gen": aerospike.POLICY_GEN_EQ}),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: "-".join(map(str, command[:2])))
def test_a_command_does_the_same(client, official, keys, command):
    name, *args = command
    mine = outcome(getattr(client, name), keys[0], *args)
    their = outcome(getattr(official, name), keys[1], *args)
    assert mine == their
    # Each client reads the record that the other left.
    assert outcome(official.get, keys[0]) == outcome(client.get, keys[1])


@pytest.mark.parametrize("name", ["append", "prepend", "increment", "touch", "get", "remove", "remove_bin"])
def test_a_record_that_is_not_there(client, official, fresh_set, name):
    args = {"append": ("s", "x"), "prepend": ("s", "x"), "increment": ("i", 1), "remove_bin": (["s"],)}.get(
        name, ()
    )
    mine = outcome(getattr(client, name), ("test", fresh_set, 1), *args)
    assert mine == outcome(getattr(official, name), ("test", fresh_set, 2), *args)


OPERATES = [
    lambda op: [op.increment("i", 1), op.append("s", "!"), op.read("i"), op.read("s")],
    lambda op: [op.read("s"), op.increment("i", 1), op.read("i"), op.write("z", 9), op.read("b")],
    lambda op: [op.read("nobin"), op.read("i")],
    lambda op: [op.read("i"), op.increment("i", 1), op.read("i")],
    lambda op: [op.prepend("s", "<"), op.read("s")],
    lambda op: [op.read("i"), op.delete()],
    lambda op: [op.touch(300), op.read("i")],
    lambda op: [op.increment("s", 1)],
    lambda op: [op.write("m", {"a": [1, 2.5, b"x"]}), op.read("m")],
]


@pytest.mark.parametrize("method", ["operate", "operate_ordered"])
@pytest.mark.parametrize("number", range(len(OPERATES)))
def test_operate_gives_the_same(client, official, keys, method, number):
    make = OPERATES[number]
    mine = outcome(getattr(client, method), keys[0], make(ours))
    assert mine == outcome(getattr(official, method), keys[1], make(theirs))
    assert outcome(official.get, keys[0]) == outcome(client.get, keys[1])


def test_helpers_make_the_same_dicts():
    for make in OPERATES:
        assert make(ours) == make(theirs)


def test_info_has_the_same_shape(client, official):
    for node, (error, answer) in client.info_all("namespaces").items():
        assert (error, answer) == official.info_all("namespaces")[node]
    assert client.info_random_node("namespaces") == official.info_random_node("namespaces")
