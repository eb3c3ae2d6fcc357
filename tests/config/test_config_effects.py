"""Effects of config keys that no other test shows."""

from __future__ import annotations

import time

import pytest

import aerospike_py as aerospike
from aerospike_py import operations as op
from aerospike_py.batch import BatchRecords, Write
from aerospike_py.testing import DevServer

pytestmark = pytest.mark.embedded


def test_tend_interval(face, node):
    looks = []
    for interval in (60_000, 50):
        with face.connect({**node.config, "tend_interval": interval}):
            before = node.counters(0)["info_requests"]
            time.sleep(0.6)
            looks.append(node.counters(0)["info_requests"] - before)
    assert looks[0] == 0
    assert looks[1] >= 4


def test_max_socket_idle(face, node, fresh_set):
    opened = []
    for idle in (0, 1):
        with face.connect({**node.config, "max_socket_idle": idle, "tend_interval": 60_000}) as client:
            client.exists(("test", fresh_set, 1))
            time.sleep(1.2)
            client.exists(("test", fresh_set, 1))
            opened.append(client.stats().nodes[0].conns.opened)
    assert opened == [1, 2]


def test_error_rate_window(face, node, fresh_set):
    is_open = []
    for window in (1, 300):
        config = {**node.config, "max_error_rate": 1, "error_rate_window": window, "tend_interval": 200}
        with face.connect(config) as client:
            node.inject("close", command="read", times=2)
            for _ in range(2):
                with pytest.raises(aerospike.ConnectionError):
                    client.exists(("test", fresh_set, 1), {"max_retries": 0})
            time.sleep(0.5)
            is_open.append(client.stats().nodes[0].circuit_open)
    assert is_open == [False, True]


@pytest.fixture(scope="module")
def guarded():
    with DevServer(users={"ann": "secret"}, external_users={"eve": "outside"}) as server:
        yield server


def test_login_timeout_ms_in_either_place(face, guarded):
    user = {"user": "ann", "password": "secret", "connect_timeout": 20_000}
    guarded.pause(0)
    try:
        for settings in ({"login_timeout_ms": 200}, {"policies": {"login_timeout_ms": 200}}):
            start = time.monotonic()
            with pytest.raises(
                aerospike.AerospikeError, match="no answer to the login within the login timeout"
            ):
                face.connect({**guarded.config, **user, **settings})
            assert time.monotonic() - start < 5
    finally:
        guarded.resume(0)


def test_auth_mode_in_either_place(face, guarded):
    user = {"user": "eve", "password": "outside"}
    external = {"auth_mode": aerospike.AUTH_EXTERNAL_INSECURE}
    for settings in (external, {"policies": external}, {**external, "policies": external}):
        with face.connect({**guarded.config, **user, **settings}) as client:
            assert client.is_connected()
    with pytest.raises(aerospike.AdminError):
        face.connect({**guarded.config, **user})


@pytest.mark.parametrize(
    ("key", "one", "other"),
    [("auth_mode", aerospike.AUTH_INTERNAL, aerospike.AUTH_EXTERNAL), ("login_timeout_ms", 1, 2)],
)
def test_a_key_with_two_values_is_refused(face, key, one, other):
    config = {"hosts": [("127.0.0.1", 3000)], key: one, "policies": {key: other}}
    with pytest.raises(aerospike.ParamError, match=f'config "{key}" and config "policies" "{key}" differ'):
        face.client(config)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, {"b": True, "l": [True, {"k": False}]}),
        ({"send_bool_as": aerospike.AS_BOOL}, {"b": True, "l": [True, {"k": False}]}),
        ({"send_bool_as": aerospike.INTEGER}, {"b": 1, "l": [1, {"k": 0}]}),
    ],
)
def test_send_bool_as(face, node, fresh_set, settings, expected):
    np = pytest.importorskip("numpy")
    with face.connect({**node.config, **settings}) as client:
        for number, (flag, other) in enumerate([(True, False), (np.True_, np.False_)]):
            put, operated = ("test", fresh_set, number), ("test", fresh_set, f"operated {number}")
            bins = {"b": flag, "l": [flag, {"k": other}]}
            client.put(put, bins)
            client.operate(operated, [op.write(name, value) for name, value in bins.items()])
            for key in (put, operated):
                # 1 == True, so compare types.
                assert repr(client.get(key).bins) == repr(expected)
        rows = [Write(("test", fresh_set, "row"), [op.write("b", True)])]
        client.batch_write(BatchRecords(rows))
        client.batch_operate([("test", fresh_set, "row")], [op.write("l", [True, {"k": False}])])
        assert repr(client.get(("test", fresh_set, "row")).bins) == repr(expected)
        data = np.array([(0, True, [False, True])], dtype=[("_key", "i8"), ("b", "?"), ("l", "?", (2,))])
        client.batch_write_numpy(data, "test", f"{fresh_set}-rows", arrays_as="list")
        in_array = {"b": expected["b"], "l": [type(expected["b"])(0), type(expected["b"])(1)]}
        assert repr(client.get(("test", f"{fresh_set}-rows", 0)).bins) == repr(in_array)
        client.put(("test", fresh_set, "array"), {"a": np.array([True, False])})
        kind = type(expected["b"])
        assert repr(client.get(("test", fresh_set, "array")).bins) == repr({"a": [kind(1), kind(0)]})
        with pytest.raises(aerospike.ParamError, match="an int or a float"):
            client.operate(("test", fresh_set, 0), [op.increment("i", True)])


def test_strict_types(face, node, fresh_set):
    key = ("test", fresh_set, 1)
    wrong = [op.append("s", {"c": 2}), op.prepend("s", 4), op.increment("s", "2")]
    with face.connect(node.config) as client:
        client.put(key, {"s": "text"})
        for operation in wrong:
            with pytest.raises(aerospike.ParamError, match="it must be"):
                client.operate(key, [operation])
    with face.connect({**node.config, "strict_types": False}) as client:
        for operation in wrong:
            with pytest.raises(aerospike.BinIncompatibleType):
                client.operate(key, [operation])
        with pytest.raises(aerospike.BinIncompatibleType):
            client.append(key, "s", [1])
        assert client.get(key).bins == {"s": "text"}
        client.operate(key, [op.append("new", {"c": 2}), op.increment("number", "2")])
        assert client.get(key).bins == {"s": "text", "new": {"c": 2}, "number": "2"}


@pytest.mark.parametrize("choice", ["INTEGER", "AS_BOOL"])
def test_send_bool_as_is_the_official_clients(face, node, fresh_set, choice):
    official = pytest.importorskip("aerospike", exc_type=ModuleNotFoundError)
    bins = {"b": True, "l": [False, {"k": True, "n": None}]}
    theirs, ours = ("test", fresh_set, "theirs"), ("test", fresh_set, "ours")
    writer = official.client({**node.config, "send_bool_as": getattr(official, choice)}).connect()
    writer.put(theirs, bins)
    with face.connect({**node.config, "send_bool_as": getattr(aerospike, choice)}) as client:
        client.put(ours, bins)
        assert repr(client.get(ours).bins) == repr(client.get(theirs).bins)
    assert repr(writer.get(ours)[2]) == repr(writer.get(theirs)[2])
    writer.close()
