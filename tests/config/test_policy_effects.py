"""The effect of each policy key: on the request that a node receives, and on the call when a node fails."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import aerospike_py as aerospike
from aerospike_py import operations as op
from aerospike_py.batch import BatchRecords, Read, Write
from aerospike_py.testing import DevServer
from tests.support import requests
from tests.support.proxy import COMPRESSED, MESSAGE, Proxy

pytestmark = pytest.mark.embedded

# A command for each policy, and the kind of command it is to the node.
COMMANDS: dict[str, tuple[Callable[..., Any], str]] = {
    "read": (lambda client, key, policy=None: client.get(key, policy), "read"),
    "write": (lambda client, key, policy=None: client.put(key, {"a": 1}, None, policy), "write"),
    "remove": (lambda client, key, policy=None: client.remove(key, None, policy), "write"),
    "operate": (lambda client, key, policy=None: client.touch(key, 0, None, policy), "write"),
    "batch": (lambda client, key, policy=None: client.batch_read([key], None, policy), "batch"),
    # Reads only: a write that may have been applied is not repeated, see tests/cluster/test_batch_writes.py.
    "batch_parent_write": (
        lambda client, key, policy=None: client.batch_operate([key], [op.read("a")], policy),
        "batch",
    ),
    "query": (lambda client, key, policy=None: client.query(*key[:2]).results(policy), "query"),
}
EVERY_POLICY = pytest.mark.parametrize("name", COMMANDS)
# Faults that break connections must neither open the circuit breaker nor hit pooled connections first.
SETTINGS = {"max_error_rate": 0, "tend_interval": 60_000}


@pytest.fixture
def faulty(node):
    yield node
    node.clear_faults()


def written(config, key):
    with aerospike.client(config) as client:
        client.put(key, {"a": 1, "s": "x"})


def seconds(call):
    start = time.monotonic()
    call()
    return time.monotonic() - start


def fails(call, *codes):
    with pytest.raises(aerospike.AerospikeError) as caught:
        call()
    assert caught.value.code in codes, caught.value
    return caught.value


@EVERY_POLICY
def test_total_timeout(face, faulty, fresh_set, name):
    call, kind = COMMANDS[name]
    key = ("test", fresh_set, "k")
    written(faulty.config, key)
    faulty.inject("silent", command=kind)
    # The client's value; the call's value, which overrides it.
    for of_client, of_call in ((150, None), (60_000, {"total_timeout": 150})):
        policies = {name: {"total_timeout": of_client}}
        with face.connect({**faulty.config, **SETTINGS, "policies": policies}) as client:
            took = seconds(
                lambda client=client, of_call=of_call: fails(lambda: call(client, key, of_call), 9)
            )
            assert 0.1 < took < 2


@EVERY_POLICY
def test_socket_timeout(face, faulty, fresh_set, name):
    call, kind = COMMANDS[name]
    key = ("test", fresh_set, "k")
    written(faulty.config, key)
    policy = {"socket_timeout": 150, "max_retries": 1, "total_timeout": 20_000}
    with face.connect({**faulty.config, **SETTINGS, "policies": {name: policy}}) as client:
        faulty.inject("silent", command=kind, times=1)
        assert 0.1 < seconds(lambda: call(client, key)) < 5


@EVERY_POLICY
def test_max_retries(face, faulty, fresh_set, name):
    call, kind = COMMANDS[name]
    key = ("test", fresh_set, "k")
    written(faulty.config, key)
    for retries, is_enough in ((1, False), (2, True)):
        faulty.clear_faults()
        faulty.inject("close", command=kind, times=2)
        with face.connect({**faulty.config, **SETTINGS}) as client:
            policy = {"max_retries": retries}
            if is_enough:
                call(client, key, policy)
            else:
                fails(lambda client=client, policy=policy: call(client, key, policy), -10)


@EVERY_POLICY
def test_sleep_between_retries(face, faulty, fresh_set, name):
    call, kind = COMMANDS[name]
    key = ("test", fresh_set, "k")
    written(faulty.config, key)
    faulty.inject("close", command=kind, times=2)
    with face.connect({**faulty.config, **SETTINGS}) as client:
        policy = {"max_retries": 2, "sleep_between_retries": 200, "total_timeout": 20_000}
        assert seconds(lambda: call(client, key, policy)) > 0.2


@pytest.fixture(scope="module")
def pair():
    with DevServer(nodes=2, replication_factor=2) as server:
        yield server


def master_of(client, server, key):
    """The number of the node that holds the master copy of the key."""
    before = [server.counters(node)["reads"] for node in (0, 1)]
    client.get(key, {"replica": aerospike.POLICY_REPLICA_MASTER})
    return next(node for node in (0, 1) if server.counters(node)["reads"] > before[node])


@EVERY_POLICY
def test_replica(face, pair, fresh_set, name):
    call, kind = COMMANDS[name]
    key = ("test", fresh_set, "k")
    written(pair.config, key)
    with face.connect({**pair.config, **SETTINGS}) as client:
        # A transient code: the call is retried, at another node where the policy allows that.
        pair.inject("code", master_of(client, pair, key), command=kind, code=18)
        try:
            fails(lambda: call(client, key, retried("MASTER")), 18)
            call(client, key, retried("SEQUENCE"))
        finally:
            pair.clear_faults()


def retried(replica):
    return {"max_retries": 1, "replica": getattr(aerospike, f"POLICY_REPLICA_{replica}")}


READS = {
    "read": (lambda client, key, policy: client.get(key, policy), "read"),
    "operate": (lambda client, key, policy: client.operate(key, [op.read("a")], None, policy), "read"),
    "batch": (lambda client, key, policy: client.batch_read([key], None, policy), "batch"),
    "batch_parent_write": (
        lambda client, key, policy: client.batch_operate([key], [op.read("a")], policy),
        "batch",
    ),
}


@pytest.mark.parametrize("name", READS)
def test_hedge_delay(face, pair, fresh_set, name):
    call, kind = READS[name]
    key = ("test", fresh_set, "k")
    written(pair.config, key)
    with face.connect({**pair.config, **SETTINGS}) as client:
        pair.inject("late", master_of(client, pair, key), command=kind, seconds=1.0)
        try:
            assert seconds(lambda: call(client, key, {"hedge_delay": "off", "total_timeout": 20_000})) > 0.9
            assert seconds(lambda: call(client, key, {"hedge_delay": 50, "total_timeout": 20_000})) < 0.8
            assert seconds(lambda: call(client, key, {"total_timeout": 20_000})) < 0.8
        finally:
            pair.clear_faults()


def test_timeout_of_admin(face):
    with DevServer(users={"root": ("secret", ["user-admin"])}) as secure:
        login = {**secure.config, "user": "root", "password": "secret"}
        policies = {"policies": {"admin": {"timeout": 150}}}
        with face.connect(login) as client, face.connect({**login, **policies}) as impatient:
            secure.pause(0)
            for call in (
                lambda: client.admin_query_users_info({"timeout": 150}),
                lambda: client.admin_drop_user("ann", {"timeout": 150}),
                lambda: impatient.admin_drop_user("ann"),
            ):
                assert seconds(lambda call=call: fails(call, 9)) < 0.9
            secure.resume(0)


def test_timeout_of_info(face, faulty):
    with face.connect({**faulty.config, **SETTINGS}) as client:
        faulty.inject("silent", command="info")
        for call in (
            lambda: fails(lambda: client.info_random_node("build", {"timeout": 150}), 9),
            lambda: fails(lambda: client.truncate("test", "s", 0, {"timeout": 150}), 9),
            lambda: client.info_all("build", {"timeout": 150}),
        ):
            assert seconds(call) < 0.9
    faulty.clear_faults()
    with face.connect({**faulty.config, **SETTINGS, "policies": {"info": {"timeout": 150}}}) as client:
        faulty.inject("silent", command="info")
        [(error, answer)] = client.info_all("build").values()
        assert (error.code, answer) == (9, None)


@pytest.fixture(scope="module")
def wire(node):
    """A proxy that keeps the requests of both clients."""
    with Proxy(node.hosts[0]) as proxy:
        yield proxy


def sent(client, proxy, name, key, policy, meta=None):
    """The request of a command, whatever the node answers."""
    proxy.requests.clear()
    with contextlib.suppress(aerospike.ServerError):
        if name in ("read", "batch", "batch_parent_write", "query"):
            COMMANDS[name][0](client, key, policy)
        elif name == "batch_write":
            item = Write(key, [op.write("a", 1)], meta, policy)
            client.batch_write(BatchRecords([item]))
        elif name == "batch_remove":
            client.batch_remove([key], None, {**(policy or {}), **generation_of(meta)})
        elif name == "write":
            client.put(key, {"a": 1}, meta, policy)
        elif name == "remove":
            client.remove(key, meta, policy)
        elif name == "operate":
            client.touch(key, 0, meta, policy)
        else:
            client.operate(key, [op.read("a")], meta, policy)
    return proxy.requests


def generation_of(meta):
    return {"generation": meta["gen"]} if meta else {}


P = aerospike
INFO1, INFO2, INFO3 = (lambda r: r.info1), (lambda r: r.info2), (lambda r: r.info3)
WRITES = ("write", "operate", "remove", "batch_write", "batch_remove")
CHANGES = ("write", "operate", "batch_write")
BATCHES = ("batch", "batch_parent_write")

# Policies, key, value, meta, the part of the request that shows it, its bits there (0 without the key).
BITS: list[tuple[tuple[str, ...], str, Any, Any, Callable[[Any], int], int]] = [
    (("read", "reads", *BATCHES), "read_mode_ap", P.POLICY_READ_MODE_AP_ALL, None, INFO1, 1 << 6),
    (("read", "reads", *BATCHES), "read_mode_sc", P.POLICY_READ_MODE_SC_LINEARIZE, None, INFO3, 1 << 6),
    (("read", "reads", *BATCHES), "read_mode_sc", P.POLICY_READ_MODE_SC_ALLOW_REPLICA, None, INFO3, 1 << 7),
    (("read", "reads", *BATCHES), "read_touch_ttl_percent", 80, None, lambda r: r.ttl, 80),
    (("read", "reads", *WRITES), "key", P.POLICY_KEY_SEND, None, lambda r: requests.KEY in r.fields, True),
    (WRITES, "gen", P.POLICY_GEN_EQ, {"gen": 7}, INFO2, 1 << 2),
    (WRITES, "gen", P.POLICY_GEN_GT, {"gen": 7}, INFO2, 1 << 3),
    (WRITES, "gen", P.POLICY_GEN_EQ, {"gen": 7}, lambda r: r.generation, 7),
    (WRITES, "commit_level", P.POLICY_COMMIT_LEVEL_MASTER, None, INFO3, 1 << 1),
    (WRITES, "durable_delete", True, None, INFO2, 1 << 4),
    (CHANGES, "exists", P.POLICY_EXISTS_CREATE, None, INFO2, 1 << 5),
    (CHANGES, "exists", P.POLICY_EXISTS_UPDATE, None, INFO3, 1 << 3),
    (CHANGES, "exists", P.POLICY_EXISTS_CREATE_OR_REPLACE, None, INFO3, 1 << 4),
    (CHANGES, "exists", P.POLICY_EXISTS_REPLACE, None, INFO3, 1 << 5),
    (CHANGES, "ttl", 500, None, lambda r: r.ttl, 500),
    (("query",), "short_query", True, None, INFO1, 1 << 2),
    (("query",), "expected_duration", P.QUERY_DURATION_SHORT, None, INFO1, 1 << 2),
    (("query",), "expected_duration", P.QUERY_DURATION_LONG_RELAX_AP, None, INFO2, 1 << 6),
    (BATCHES, "allow_inline_ssd", True, None, lambda r: r.batch_flags, 1 << 1),
]


def cases() -> Iterator[Any]:
    for policies, key, value, meta, seen, bits in BITS:
        for name in policies:
            yield pytest.param(name, key, value, meta, seen, bits, id=f"{name}-{key}-{value}")


@pytest.mark.parametrize(("name", "key", "value", "meta", "seen", "bits"), list(cases()))
def test_flags_that_a_node_receives(face, wire, fresh_set, name, key, value, meta, seen, bits):
    """Without the key, with it in the call, in the config, and in both, where the call's value counts."""
    record = ("test", fresh_set, "k")
    settings = {"hosts": [wire.address], **SETTINGS}
    of_config = {"operate" if name == "reads" else name: {key: value}}
    default = False if isinstance(value, bool) else 0
    with face.connect(settings) as client:
        plain = requests.parse(sent(client, wire, name, record, None, meta)[MESSAGE])
        told = requests.parse(sent(client, wire, name, record, {key: value}, meta)[MESSAGE])
    with face.connect({**settings, "policies": of_config}) as client:
        configured = requests.parse(sent(client, wire, name, record, None, meta)[MESSAGE])
        over = requests.parse(sent(client, wire, name, record, {key: default}, meta)[MESSAGE])
    mask = bits if isinstance(bits, bool) or bits & (bits - 1) == 0 else 0xFFFFFFFF
    assert [seen(request) & mask for request in (plain, told, configured, over)] == [0, bits, bits, 0]


def test_read_modes_of_a_row(face, wire, fresh_set):
    policies = (
        None,
        {"read_mode_ap": aerospike.POLICY_READ_MODE_AP_ALL},
        {"read_mode_sc": aerospike.POLICY_READ_MODE_SC_LINEARIZE},
        {"read_touch_ttl_percent": 80},
    )
    with face.connect({"hosts": [wire.address], **SETTINGS}) as client:
        told = []
        for policy in policies:
            wire.requests.clear()
            client.batch_write(BatchRecords([Read(("test", fresh_set, 1), [op.read("a")], policy=policy)]))
            request = requests.parse(wire.requests[MESSAGE])
            told.append((request.info1 & 1 << 6, request.info3 & 1 << 6, request.ttl))
    assert told == [(0, 0, 0), (1 << 6, 0, 0), (0, 1 << 6, 0), (0, 0, 80)]


def test_the_generation_of_a_batch_remove_policy(face, faulty, fresh_set):
    key = ("test", fresh_set, "k")
    written(faulty.config, key)
    with face.connect(faulty.config) as client:
        equal = {"gen": aerospike.POLICY_GEN_EQ, "generation": 5}
        assert client.batch_remove([key], None, equal).batch_records[0].result == 3
        assert client.batch_remove([key], None, {**equal, "generation": 1}).batch_records[0].result == 0
        client.put(key, {"a": 1})
        batch = BatchRecords([Write(key, [op.write("a", 1)], None, equal)])
        assert client.batch_write(batch).batch_records[0].result == 3


def test_the_generation_of_a_remove_policy(face, faulty, fresh_set):
    key = ("test", fresh_set, "k")
    written(faulty.config, key)
    with face.connect(faulty.config) as client:
        equal = {"gen": aerospike.POLICY_GEN_EQ, "generation": 5}
        fails(lambda: client.remove(key, policy=equal), 3)
        fails(lambda: client.remove(key, {"gen": 6}, {**equal, "generation": 1}), 3)
        client.remove(key, {"gen": 1}, equal)
        client.put(key, {"a": 1})
        client.remove(key, policy={**equal, "generation": 1})


@pytest.mark.parametrize("name", BATCHES)
@pytest.mark.parametrize(("key", "bit"), [("allow_inline", 1 << 0), ("respond_all_keys", 1 << 2)])
def test_flags_of_batches_that_are_on(face, wire, fresh_set, name, key, bit):
    with face.connect({"hosts": [wire.address], **SETTINGS}) as client:
        flags = [
            requests.parse(sent(client, wire, name, ("test", fresh_set, 1), policy)[MESSAGE]).batch_flags
            for policy in (None, {key: False}, {key: True})
        ]
    assert [found & bit for found in flags] == [bit, 0, bit]


# Only the client enforces the timeout of a query.
@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "query"])
def test_a_node_receives_the_remaining_time(face, wire, fresh_set, name):
    with face.connect({"hosts": [wire.address], **SETTINGS}) as client:
        told = requests.parse(
            sent(client, wire, name, ("test", fresh_set, 1), {"total_timeout": 7_777})[MESSAGE]
        )
    assert 6_500 < told.timeout <= 7_777


@EVERY_POLICY
def test_compress(face, wire, fresh_set, name):
    # The node is no Enterprise Edition server and refuses; only the request matters here.
    key = ("test", fresh_set, "long" * 100)
    policy = {} if name in (*BATCHES, "query") else {"key": aerospike.POLICY_KEY_SEND}
    with face.connect({"hosts": [wire.address], **SETTINGS}) as client:
        if name in BATCHES:
            keys = [(*key[:2], number) for number in range(50)]
            call = {
                "batch": lambda policy: client.batch_read(keys, None, policy),
                "batch_parent_write": lambda policy: client.batch_operate(keys, [op.read("a")], policy),
            }[name]
            sending = {
                compress: frames_of(wire, lambda c=compress: call({"compress": c}))
                for compress in (False, True)
            }
        else:
            sending = {
                compress: set(sent(client, wire, name, key, {**policy, "compress": compress}))
                for compress in (False, True)
            }
    assert sending == {False: {MESSAGE}, True: {COMPRESSED}}


def frames_of(proxy, call):
    proxy.requests.clear()
    with contextlib.suppress(aerospike.ServerError):
        call()
    return set(proxy.requests)
