"""Writes whose answer is lost: increments are applied once, and errors say if a write may have happened."""

from __future__ import annotations

import pytest

import aerospike_py as aerospike
from aerospike_py import operations as op
from aerospike_py.testing import DevServer
from tests.support.proxy import Fault, connect_through

pytestmark = pytest.mark.embedded

# Enough tries and time to send a write many times.
PATIENT = {"max_retries": 10, "total_timeout": 20_000, "socket_timeout": 300}

ADDING = {
    "increment": (lambda client, key: client.increment(key, "n", 5, None, PATIENT), {"n": 5}),
    "append": (lambda client, key: client.append(key, "s", "!", None, PATIENT), {"s": "!"}),
    "prepend": (lambda client, key: client.prepend(key, "s", "!", None, PATIENT), {"s": "!"}),
    "operate": (
        lambda client, key: client.operate(key, [op.increment("n", 5), op.read("n")], None, PATIENT),
        {"n": 5},
    ),
    "operate_ordered": (
        lambda client, key: client.operate_ordered(
            key, [op.write("w", 1), op.append("s", "!")], None, PATIENT
        ),
        {"w": 1, "s": "!"},
    ),
}
SETTING = {
    "put": lambda client, key: client.put(key, {"a": 1}, None, PATIENT),
    "touch": lambda client, key: client.touch(key, 0, None, PATIENT),
    "remove_bin": lambda client, key: client.remove_bin(key, ["b"], None, PATIENT),
    "operate": lambda client, key: client.operate(key, [op.write("a", 1), op.read("a")], None, PATIENT),
}
# Where an answer is cut: before its first byte, in its header, after it. "stop" never sends the rest.
LOST = [Fault("cut", 0), Fault("cut", 5), Fault("cut", 20), Fault("stop", 0), Fault("stop", 20)]


def writes(node):
    return node.counters(0)["writes"]


@pytest.mark.parametrize("fault", LOST, ids=str)
@pytest.mark.parametrize("name", ADDING)
def test_increments_are_applied_once(face, node, proxy, fresh_set, name, fault):
    call, expected = ADDING[name]
    key = ("test", fresh_set, "k")
    with connect_through(face, proxy) as client:
        before = writes(node)
        shot = proxy.arm(fault)
        with pytest.raises((aerospike.ConnectionError, aerospike.TimeoutError)) as caught:
            call(client, key)
        assert shot.over.wait(10)
        error = caught.value
        assert error.in_doubt
        assert "1 try" in error.msg
        assert "the write may have been applied" in error.msg
        assert writes(node) == before + 1
        assert client.get(key).bins == expected


@pytest.mark.parametrize("fault", LOST, ids=str)
@pytest.mark.parametrize("name", SETTING)
def test_idempotent_writes_are_sent_again(face, node, proxy, fresh_set, name, fault):
    key = ("test", fresh_set, "k")
    with connect_through(face, proxy) as client:
        client.put(key, {"a": 1, "b": 2})
        before = writes(node)
        shot = proxy.arm(fault)
        SETTING[name](client, key)
        assert shot.over.wait(10)
        assert writes(node) == before + 2
        assert client.get(key).bins["a"] == 1


@pytest.mark.parametrize("name", [*ADDING, "put", "touch", "remove"])
def test_a_write_that_was_never_sent_is_not_in_doubt(face, fresh_set, name):
    key = ("test", fresh_set, "k")
    calls = {
        **{adding: call for adding, (call, _) in ADDING.items()},
        "put": SETTING["put"],
        "touch": SETTING["touch"],
        "remove": lambda client, key: client.remove(key),
    }
    with (
        DevServer() as server,
        face.connect({**server.config, "max_error_rate": 0, "tend_interval": 60_000}) as client,
    ):
        server.kill(0)
        with pytest.raises(aerospike.ConnectionError) as caught:
            calls[name](client, key)
        assert caught.value.in_doubt is False
        assert isinstance(caught.value.__cause__, ConnectionRefusedError)


def test_the_servers_own_timeout_is_in_doubt(face, node, fresh_set):
    key = ("test", fresh_set, "k")
    with face.connect(node.config) as client:
        before = writes(node)
        node.inject("code", command="write", code=9)
        try:
            with pytest.raises(aerospike.TimeoutError) as caught:
                client.increment(key, "n", 5, None, PATIENT)
        finally:
            node.clear_faults()
        assert caught.value.in_doubt
        assert writes(node) == before + 1


def test_reads_and_refusals_are_not_in_doubt(face, node, proxy, fresh_set):
    key = ("test", fresh_set, "k")
    with connect_through(face, proxy) as client:
        client.put(key, {"s": "x"})
        proxy.arm(Fault("stop", 0))
        with pytest.raises(aerospike.TimeoutError) as caught:
            client.get(key, {"total_timeout": 200, "max_retries": 0})
        assert not caught.value.in_doubt
        with pytest.raises(aerospike.BinIncompatibleType) as caught:
            client.increment(key, "s", 1)
        assert not caught.value.in_doubt
