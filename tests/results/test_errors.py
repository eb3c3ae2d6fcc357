"""What errors carry: their record and bin, their cause, and a message that says so."""

from __future__ import annotations

import builtins
import errno
import pickle
import re
import socket

import pytest

import aerospike_py as aerospike
from aerospike_py import operations as op
from aerospike_py.testing import DevServer

#: What was tried, where, and after how many tries.
STYLE = re.compile(
    r"^.+: [\w ]+ at node \w+ \([\w.]+:\d+\), (1 try|\d+ tries) in [\d.]+ m?s(; the write may .+)?$"
)


def raised(call, kind=aerospike.AerospikeError):
    with pytest.raises(kind) as caught:
        call()
    return caught.value


def there(key):
    return (*key[:2], "there")


@pytest.mark.parametrize(
    ("call", "kind", "bin"),
    [
        (lambda c, k: c.get(k), aerospike.RecordNotFound, None),
        (lambda c, k: c.select(k, ["a"]), aerospike.RecordNotFound, None),
        (lambda c, k: c.remove(k), aerospike.RecordNotFound, None),
        (lambda c, k: c.touch(k), aerospike.RecordNotFound, None),
        (
            lambda c, k: c.put(there(k), {"a": 1}, None, {"exists": 1}),
            aerospike.RecordExistsError,
            None,
        ),
        (lambda c, k: c.increment(there(k), "s", 1), aerospike.BinIncompatibleType, "s"),
        (lambda c, k: c.append(there(k), "n", "x"), aerospike.BinIncompatibleType, "n"),
        (lambda c, k: c.prepend(there(k), "n", "x"), aerospike.BinIncompatibleType, "n"),
        (
            lambda c, k: c.operate(there(k), [op.append("n", "x")]),
            aerospike.BinIncompatibleType,
            None,
        ),
        (lambda c, k: c.put(there(k), {"b" * 16: 1}), aerospike.BinNameError, "b" * 16),
    ],
)
def test_errors_name_the_record_and_the_bin(client, fresh_set, call, kind, bin):
    client.put(("test", fresh_set, "there"), {"s": "x", "n": 1})
    error = raised(lambda: call(client, ("test", fresh_set, "nobody")), kind)
    name = "nobody" if kind is aerospike.RecordNotFound else "there"
    assert error.key == ("test", fresh_set, name, aerospike.calc_digest("test", fresh_set, name))
    assert isinstance(error.key, aerospike.Key)
    assert error.bin == bin
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (type(again), again.key, again.bin, again.code, again.msg) == (
        type(error),
        error.key,
        error.bin,
        error.code,
        error.msg,
    )


def test_errors_about_no_record_have_no_key(client):
    assert not hasattr(raised(lambda: client.get(("nowhere", "s", 1))), "key")
    assert raised(lambda: client.select(("test", "s", 1), ["b" * 16]), aerospike.BinNameError).key is None


def test_the_message_says_what_where_and_how_often(client, fresh_set):
    key = ("test", fresh_set, "k")
    client.put(key, {"s": "x"})
    for call in (
        lambda: client.get((*key[:2], "nobody")),
        lambda: client.remove((*key[:2], "nobody")),
        lambda: client.put(key, {"a": 1}, None, {"exists": aerospike.POLICY_EXISTS_CREATE}),
        lambda: client.put(key, {"a": 1}, {"gen": 9}, {"gen": aerospike.POLICY_GEN_EQ}),
        lambda: client.increment(key, "s", 1),
        lambda: client.operate(key, [op.append("s", b"x")]),
    ):
        error = raised(call, aerospike.ServerError)
        assert STYLE.match(error.msg), error.msg
        assert str(error) == error.msg
        assert error.msg in repr(error)


def test_a_refused_connection_is_the_cause(face):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    error = raised(lambda: face.connect({"hosts": [address], "connect_timeout": 500}))
    assert isinstance(error, aerospike.ConnectionError)
    assert isinstance(error.__cause__, ConnectionRefusedError)
    assert error.__cause__.errno == errno.ECONNREFUSED
    assert str(error.__cause__.strerror) in error.msg


def test_a_name_that_does_not_resolve_is_the_cause(face):
    error = raised(lambda: face.connect({"hosts": [("no-such-host.invalid", 3000)]}))
    assert isinstance(error.__cause__, OSError)


def test_classes_have_the_attributes_of_the_official_clients():
    official = pytest.importorskip("aerospike", exc_type=ModuleNotFoundError)
    # Places in the C code, and the server's details, which are in the message here.
    without = {"file", "line", "subcode"}
    seen = 0
    for name, theirs in vars(official.exception).items():
        if isinstance(theirs, type) and issubclass(theirs, official.exception.AerospikeError):
            ours = getattr(aerospike.exception, name)("text", theirs.code if name != "AerospikeError" else 1)
            attributes = {one for cls in theirs.__mro__ for one in vars(cls) if not one.startswith("_")}
            attributes -= set(dir(Exception)) | without
            assert {"code", "msg", "in_doubt"} <= attributes
            assert [one for one in attributes if not hasattr(ours, one)] == [], name
            seen += 1
    assert seen > 60


@pytest.mark.embedded
def test_failed_calls_have_causes(face, fresh_set):
    key = ("test", fresh_set, "k")
    with DevServer() as server, face.connect({**server.config, "tend_interval": 60_000}) as client:
        client.put(key, {"a": 1})
        once = {"max_retries": 0}
        server.inject("close-mid-frame", times=1, command="read")
        assert isinstance(raised(lambda: client.get(key, once)).__cause__, OSError)
        server.inject("garbage", times=1, command="read")
        unreadable = raised(lambda: client.get(key, once), aerospike.ClientError)
        assert isinstance(unreadable.__cause__, ValueError)
        assert str(unreadable.__cause__) in unreadable.msg
        server.inject("garbage", times=1, command="batch")
        batch = raised(lambda: client.batch_read([key], None, once), aerospike.ClientError)
        assert isinstance(batch.__cause__, ValueError)
        server.kill(0)
        for call in (lambda: client.get(key, once), lambda: client.batch_read([key], None, once)):
            error = raised(call, builtins.ConnectionError)
            assert isinstance(error.__cause__, OSError)
            assert STYLE.match(error.msg), error.msg


def test_names_of_sets_and_namespaces_that_are_too_long(client):
    np = pytest.importorskip("numpy")
    longest = "s" * 63
    client.put(("test", longest, 1), {"a": 1})
    assert client.get(("test", longest, 1)).bins == {"a": 1}
    client.remove(("test", longest, 1))
    dtype = np.dtype([("a", "i8")])
    for namespace, set, what in (
        ("test", "s" * 64, 'set "s+" has 64 bytes of UTF-8; a set name has at most 63'),
        ("test", "ü" * 32, "64 bytes of UTF-8; a set name has at most 63"),
        ("n" * 32, "s", "32 bytes of UTF-8; a namespace name has at most 31"),
    ):
        key = (namespace, set, 1)
        for call in (
            lambda key=key: client.put(key, {"a": 1}),
            lambda key=key: client.get(key),
            lambda key=key: client.batch_read([("test", "s", 1), key], _dtype=dtype),
            lambda key=key: client.batch_read(aerospike.Keys(key[0], key[1], np.arange(5))),
            lambda key=key: aerospike.calc_digest(*key),
            lambda key=key: client.truncate(key[0], key[1]),
        ):
            assert re.search(what, raised(call, aerospike.ParamError).msg)
    assert "keys[1]" in raised(lambda: client.batch_read([("test", "s", 1), ("test", "s" * 64, 1)])).msg
    # As long as a namespace's name may be: the cluster is asked, and has none.
    assert raised(lambda: client.get(("n" * 31, "s", 1))).code == 20


def test_lists_that_contain_each_other_are_refused(client, fresh_set):
    value: list[object] = ["x" * 1000]
    for _ in range(60):
        value = [value, value]
    error = raised(lambda: client.put(("test", fresh_set, 1), {"v": value}), aerospike.ParamError)
    assert "128 MiB" in error.msg
    assert '"v"' in error.msg
    cycle: dict[str, object] = {}
    cycle["self"] = cycle
    assert "contain themselves" in raised(lambda: client.put(("test", fresh_set, 1), {"v": cycle})).msg
