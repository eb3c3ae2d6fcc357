"""The config is checked strictly, and exceptions have names, codes and pickles. Needs no server."""

import builtins
import copy
import pickle
from typing import Any

import pytest

import aerospike_py as aerospike
from aerospike_py import AsyncClient, exception
from aerospike_py._utils.hosts import parse_hosts

HOSTS: dict[Any, Any] = {"hosts": [("127.0.0.1", 3000)]}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, 'no "hosts"'),
        (None, 'no "hosts"'),
        ({"hosts": []}, 'no "hosts"'),
        (5, "must be a dict"),
        ({"hostss": [("a", 1)]}, 'did you mean "hosts"'),
        ({"hosts": "localhost"}, "list of"),
        ({"hosts": [("localhost",)]}, r"\[0\]"),
        ({"hosts": [("localhost", 3000), ("localhost", "3000")]}, r"\[1\]"),
        ({"hosts": [("localhost", 70_000)]}, "70000"),
        ({"hosts": [("localhost", 0)]}, r"\[0\]"),
        ({"hosts": [(5, 3000)]}, r"\[0\]"),
        ({"hosts": [("[::1]", 3000)]}, r"\[0\] is \('\[::1\]', 3000\) .*leave out the brackets .*: \"::1\""),
        ({"hosts": [("127.0.0.1:3000", 3000)]}, r"\[0\].*only a name or an address"),
        ({"hosts": [("[::1]:3000", 3000)]}, r"\[0\].*only a name or an address"),
        ({"hosts": [("a", 1), ("http://db1", 3000)]}, r"\[1\].*only a name or an address"),
        ({"hosts": [("db 1", 3000)]}, "only a name or an address"),
        ({"hosts": ["http://db1:3000"]}, "only a name or an address"),
        ({"hosts": ["db1", ""]}, r"\[1\] is '' .*must be one host"),
        ({"hosts": [":3000"]}, "must be one host"),
        ({"hosts": ["db1,db2"]}, "must be one host"),
        ({"hosts": ["[::1"]}, "an address in brackets"),
        ({"hosts": ["[::1]3000"]}, "an address in brackets"),
        ({"hosts": ["db1:"]}, "port must be a number"),
        ({"hosts": ["db1:0"]}, "port must be a number"),
        ({"hosts": ["db1:65536"]}, "port must be a number"),
        ({"hosts": ["db1:+1"]}, "port must be a number"),
        ({"hosts": ["http://db1:3000"]}, "must be only a name or an address"),
        ({"hosts": ["http://db1"]}, "port must be a number"),
        ({"hosts": ["\ud800"]}, r"\[0\] has lone surrogates"),
        ({"hosts": [b"db1"]}, "or a str such as"),
        ({**HOSTS, "tend_intervall": 5}, 'did you mean "tend_interval"'),
        ({**HOSTS, "max_conns_per_node": 0}, "from 1 to"),
        ({**HOSTS, "connect_timeout": 1.5}, "whole number"),
        ({**HOSTS, "use_services_alternate": 1}, "True or False"),
        ({**HOSTS, "cluster_name": b"x"}, "a str"),
        ({**HOSTS, "policies": {"bach": {}}}, 'did you mean "batch"'),
        ({**HOSTS, "policies": {"batch": {"max_retrys": 1}}}, 'did you mean "max_retries"'),
        ({**HOSTS, "policies": {"read": {"key": 7}}}, "POLICY_KEY"),
        ({**HOSTS, "zzzzzz": 1}, "known keys are"),
        ({**HOSTS, 5: 1}, "unknown key 5"),
        ({**HOSTS, "rack_id": 3}, 'no effect without "rack_aware"'),
        ({**HOSTS, "rack_aware": True, "rack_ids": []}, "list of whole numbers"),
        ({**HOSTS, "rack_aware": True, "rack_ids": [1, "2"]}, "list of whole numbers"),
        ({**HOSTS, "rack_aware": True, "rack_id": -1}, "whole number"),
        ({**HOSTS, "policies": {"read": {"replica": aerospike.POLICY_REPLICA_PREFER_RACK}}}, "rack_aware"),
        ({**HOSTS, "error_rate_window": 0}, "from 1 to"),
        ({**HOSTS, "policies": {"batch": {"hedge_delay": 0}}}, '"adaptive", "off" or a number'),
        ({**HOSTS, "policies": {"batch": {"hedge_delay": "of"}}}, "'of' .str."),
        ({**HOSTS, "policies": {"read": {"hedge_delay": True}}}, '"adaptive", "off" or a number'),
        ({**HOSTS, "policies": {"write": {"hedge_delay": 5}}}, "unknown key 'hedge_delay'"),
        ({**HOSTS, "user": "u"}, 'no "password"'),
        ({**HOSTS, "password": "secret"}, 'no "user"'),
        ({**HOSTS, "user": 5, "password": "secret"}, "a str"),
        ({**HOSTS, "user": "u", "password": b"secret"}, '"password" is of type bytes'),
        ({**HOSTS, "user": "u", "password": ["secret"]}, '"password" is of type list'),
        ({**HOSTS, "user": "u", "password": "secret\0"}, "NUL"),
        ({**HOSTS, "user": "u", "passwrd": "secret"}, 'did you mean "password"'),
        ({**HOSTS, "user": "u", "password": "secret", "auth_mode": 4}, "AUTH_"),
        ({**HOSTS, "user": "u", "password": "secret", "auth_mode": aerospike.AUTH_PKI}, "AUTH_PKI"),
        ({**HOSTS, "login_timeout_ms": 0}, "from 1 to"),
    ],
)
@pytest.mark.parametrize("make", [aerospike.client, AsyncClient])
def test_configs_that_are_refused(make, config, message):
    with pytest.raises(aerospike.ParamError, match=message) as caught:
        make(config)
    assert "secret" not in str(caught.value)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("key", ["shm", "lua", "thread_pool_size"])
def test_keys_without_effect_cause_one_warning(key):
    with pytest.warns(UserWarning, match=key) as caught:
        aerospike.client({**HOSTS, key: {}})
    assert len(caught) == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("db1", "db1:3000"),
        ("db1:3100", "db1:3100"),
        ("127.0.0.1:3000", "127.0.0.1:3000"),
        ("[::1]:3001", "::1:3001"),
        ("[::1]", "::1:3000"),
        ("::1", "::1:3000"),
        ("db1:65535", "db1:65535"),
    ],
)
def test_hosts_as_text(text, shown):
    """Beside tuples, and read as the command line reads them."""
    host, port = shown.rsplit(":", 1)
    assert parse_hosts(text) == [(host, int(port))]
    as_text = repr(aerospike.client({"hosts": [text, ("db2", 3000)]}))
    assert as_text == repr(aerospike.client({"hosts": [(host, int(port)), ("db2", 3000)]}))
    assert shown in as_text.replace("[", "").replace("]", "")


def test_hosts_as_text_are_connected_to(face, server):
    hosts = [f"{host}:{port}" for host, port in server.hosts]
    with face.connect({"hosts": ["127.0.0.1:1", *hosts]}) as client:
        assert client.is_connected()


def test_all_keys_that_work():
    aerospike.client(
        {
            "hosts": [
                ("127.0.0.1", 3000),
                ["::1", 3001, "tls-name"],
                ("name", 3002, None),
                ("fe80::1%eth0", 3003),
                ("a-name.of.1-host_", 3004),
            ],
            "cluster_name": "c",
            "tend_interval": 250,
            "connect_timeout": 100,
            "max_conns_per_node": 5,
            "max_socket_idle": 10,
            "use_services_alternate": False,
            "rack_aware": True,
            "rack_id": 7,
            "rack_ids": [7, 8],
            "max_error_rate": 0,
            "error_rate_window": 3,
            "user": "u",
            "password": "p",
            "auth_mode": aerospike.AUTH_INTERNAL,
            "login_timeout_ms": 100,
            "policies": {
                "batch": {"total_timeout": 5, "replica": aerospike.POLICY_REPLICA_MASTER, "hedge_delay": 5},
                "read": {
                    "socket_timeout": 5,
                    "hedge_delay": "off",
                    "read_mode_ap": aerospike.POLICY_READ_MODE_AP_ALL,
                },
                "write": {"max_retries": 1, "gen": aerospike.POLICY_GEN_IGNORE},
                "remove": {"durable_delete": False},
            },
        }
    )


def classes():
    return [getattr(exception, name) for name in exception.__all__]


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: cls.__name__)
def test_exceptions_pickle(cls):
    error = cls("what happened", 7, True)
    error.note = "added by a user"
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301
        assert type(again) is cls
        assert (str(again), again.msg, again.code, again.in_doubt) == ("what happened",) * 2 + (7, True)
        assert again.note == "added by a user"


def test_the_class_tree():
    assert issubclass(aerospike.TimeoutError, builtins.TimeoutError)
    assert not issubclass(aerospike.TimeoutError, (aerospike.ClientError, aerospike.ServerError))
    assert issubclass(aerospike.ParamError, ValueError)
    assert issubclass(aerospike.BatchDecodeError, (aerospike.ClientError, ValueError))
    for cls in classes():
        assert issubclass(cls, aerospike.AerospikeError)
        assert getattr(aerospike, cls.__name__) is cls


def test_codes_find_their_class():
    assert exception._error_class(2) is aerospike.RecordNotFound
    assert exception._error_class(9) is aerospike.TimeoutError
    assert exception._error_class(-10) is aerospike.ConnectionError
    assert exception._error_class(-1) is aerospike.ClientError
    assert exception._error_class(-2) is aerospike.ParamError
    assert exception._error_class(199) is aerospike.ServerError
    assert exception._error_class(-99) is aerospike.ClientError


def test_import_star_keeps_the_builtins():
    names: dict[str, Any] = {}
    exec("from aerospike_py import *", names)  # noqa: S102
    assert "TimeoutError" not in names
    assert names["RecordNotFound"] is aerospike.RecordNotFound
    assert names["POLICY_KEY_SEND"] == 1
