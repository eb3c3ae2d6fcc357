"""Wrong arguments and configs: both clients have the same ``msg`` and code; our message says more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import aerospike_py
from aerospike_py import metrics
from tests.support.records import SKETCH
from tests.support.twins import Twin, aerospike

# The official client warns of deprecated methods.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

official_metrics = pytest.importorskip("aerospike_helpers.metrics")
HOSTS = [("127.0.0.1", 1)]
TOO_LARGE = 10**45


@pytest.fixture
def key(client, fresh_set):
    client.put(("test", fresh_set, 1), {"a": 1, "s": "x"})
    return ("test", fresh_set, 1)


def package(twin: Twin) -> Any:
    return aerospike if twin.is_official else aerospike_py


def index(bin: Any) -> Callable[[Twin, Any], Any]:
    return lambda twin, key: twin.client.index_list_create("test", key[1], bin, 1, "texts", {})


# The call, and what the message of this package has besides.
CALLS: list[tuple[str, Callable[[Twin, Any], Any], str]] = [
    (
        "a number",
        lambda twin, key: twin.client.put(key, {"a": TOO_LARGE}),
        "does not fit into a signed 64-bit",
    ),
    (
        "infinity",
        lambda twin, key: twin.client.put(key, {"a": package(twin).CDTInfinite()}),
        "cannot be stored",
    ),
    (
        "wildcard",
        lambda twin, key: twin.client.put(key, {"a": package(twin).CDTWildcard()}),
        "cannot be stored",
    ),
    ("transaction", lambda twin, key: twin.client.get(key, {"txn": True}), "must be a Transaction"),
    ("bins", lambda twin, key: twin.client.remove_bin(key, None), "name at least one"),
    ("index", index(None), "must be the name of a bin"),
    ("udf", lambda twin, key: twin.client.query("test", key[1]).apply("m", "f", "age"), "must be a list"),
    (
        "scan_apply",
        lambda twin, key: twin.client.scan_apply("test", key[1], "m", "f", "age"),
        "must be a list of the function's arguments",
    ),
    ("udf set", lambda twin, key: twin.client.query("test", key[1]).apply("m", "f", [{1, 2}]), r"args\[0\]"),
]


@pytest.mark.parametrize(("call", "more"), [entry[1:] for entry in CALLS], ids=[entry[0] for entry in CALLS])
def test_calls(twins, key, call, more):
    theirs, ours = twins
    with pytest.raises(aerospike.exception.ClientError) as official:
        call(theirs, key)
    with pytest.raises(aerospike_py.ClientError, match=more) as caught:
        call(ours, key)
    assert (caught.value.code, caught.value.msg) == (official.value.code, official.value.msg)


# Only the code is the same: the official text says less than ours.
CODES: list[tuple[str, Callable[[Twin, Any], Any]]] = [
    (
        "policy of remove_bin",
        lambda twin, key: twin.client.remove_bin(key, ["a"], {}, {"total_timeout": 0.5}),
    ),
    ("policy of put", lambda twin, key: twin.client.put(key, {"a": 1}, {}, {"total_timeout": 0.5})),
    ("udf_get", lambda twin, key: twin.client.udf_get(None)),
    ("udf_get language", lambda twin, key: twin.client.udf_get("module.lua", 85)),
    ("udf_get name", lambda twin, key: twin.client.udf_get("nothing_of_the_kind")),
    ("truncate", lambda twin, key: twin.client.truncate("test", key[1], None)),
    ("truncate in the future", lambda twin, key: twin.client.truncate("test", key[1], 2**63 + 1)),
    ("name of a bin", lambda twin, key: twin.client.index_string_create("test", key[1], "a" * 16, "texts")),
    ("no bins to remove", lambda twin, key: twin.client.remove_bin(key, [])),
    ("no bins to select", lambda twin, key: twin.client.select(key, [])),
    ("the set without a name", lambda twin, key: twin.client.truncate("test", "", 0)),
    ("null to prepend", lambda twin, key: twin.client.prepend(key, "s", package(twin).null())),
    ("context", lambda twin, key: twin.client.index_cdt_create("test", key[1], "a", 1, 1, "texts", None)),
]


@pytest.mark.parametrize("call", [entry[1] for entry in CODES], ids=[entry[0] for entry in CODES])
def test_codes(twins, key, call):
    theirs, ours = twins
    with pytest.raises(aerospike.exception.AerospikeError) as official:
        call(theirs, key)
    with pytest.raises(aerospike_py.AerospikeError) as caught:
        call(ours, key)
    assert caught.value.code == official.value.code
    names = [each.__name__ for each in type(caught.value).__mro__]
    assert type(official.value).__name__ in names


CONFIGS: list[tuple[str, Callable[[bool], dict[str, Any]], str]] = [
    ("no hosts", lambda _: {"": HOSTS}, "unknown key ''"),
    ("a tuple of hosts", lambda _: {"hosts": ()}, 'no "hosts"'),
    ("validate_keys", lambda _: {"hosts": HOSTS, "validate_keys": "True"}, "must be True or False"),
    (
        "compression_threshold",
        lambda _: {"hosts": HOSTS, "compression_threshold": -1},
        "must not be negative",
    ),
    ("lua", lambda _: {"hosts": HOSTS, "lua": {"user_path": "a" * 256}}, "longer than 255 bytes"),
    ("serializer", lambda _: {"hosts": HOSTS, "serialization": (5, print)}, "must be a function or None"),
    ("deserializer", lambda _: {"hosts": HOSTS, "serialization": (print, 5)}, "must be a function or None"),
    ("config_provider", lambda _: {"hosts": HOSTS, "config_provider": 0}, "must be a ConfigProvider"),
    ("metrics", lambda _: {"hosts": HOSTS, "policies": {"metrics": (1,)}}, "must be a MetricsPolicy"),
    ("read", lambda _: {"hosts": HOSTS, "policies": {"read": {"deserialize": "x"}}}, "must be True or False"),
    ("batch", lambda _: {"hosts": HOSTS, "policies": {"batch": {"concurrent": 5}}}, "must be True or False"),
    (
        "generation of a row",
        lambda _: {"hosts": HOSTS, "policies": {"batch_remove": {"generation": 2**16}}},
        "from 0 to 65535",
    ),
    (
        "size of metrics files",
        lambda official: {
            "hosts": HOSTS,
            "policies": {
                "metrics": (official_metrics if official else metrics).MetricsPolicy(report_size_limit=2**64)
            },
        },
        "report_size_limit",
    ),
]


@pytest.mark.parametrize(
    ("config", "more"), [entry[1:] for entry in CONFIGS], ids=[entry[0] for entry in CONFIGS]
)
def test_configs(config, more):
    with pytest.raises(aerospike.exception.ClientError) as official:
        aerospike.client(config(True))
    with pytest.raises(aerospike_py.ParamError, match=more) as caught:
        aerospike_py.client(config(False))
    assert official.value.msg in caught.value.msg


@pytest.mark.parametrize("part", ["lua", "shm"])
def test_parts_without_effect_are_checked(part):
    config = {"hosts": HOSTS, part: {"no_such_key": 1}}
    with pytest.raises(aerospike.exception.ParamError) as official:
        aerospike.client({**config, "validate_keys": True})
    with pytest.raises(aerospike_py.ParamError, match="unknown key 'no_such_key'") as caught:
        aerospike_py.client(config)
    assert caught.value.msg == official.value.msg


def test_an_app_id_is_text():
    for module in (aerospike, aerospike_py):
        with pytest.raises(TypeError):
            module.client({"hosts": HOSTS, "app_id": 1})


@pytest.mark.parametrize("key", ["done", "retry"])
def test_a_status_without_an_entry(twins, key):
    status = {"done": False, "retry": True, 5: (5, False, False, bytearray(20), 0)}
    del status[key]
    policy = {"partition_filter": {"begin": 5, "count": 1, "partition_status": status}}
    texts = []
    for twin in twins:
        with pytest.raises(package(twin).exception.ParamError) as caught:
            twin.client.query("test", "texts").results(policy)
        texts.append(caught.value.msg)
    assert texts[0] == texts[1]
    assert "no key" in str(caught.value)


def test_the_policies_inside_operations(twins, key):
    """The official client checks their keys if the config says so."""
    from aerospike_py import bitwise_operations, hll_operations, list_operations, map_operations

    wrong: Any = {"a": "key"}
    operations = [
        list_operations.list_append("l", 1, policy=wrong),
        map_operations.map_put("m", 1, 1, map_policy=wrong),
        bitwise_operations.bit_not("b", 0, 0, policy=wrong),
        hll_operations.hll_add("h", [1], policy=wrong),
    ]
    for operation in operations:
        with pytest.raises(aerospike_py.ParamError, match="unknown key 'a'") as caught:
            twins[1].client.operate(key, [operation])
        assert caught.value.msg == '"a" is an invalid policy dictionary key'


def test_nodes_that_do_not_exist(twins):
    with pytest.raises(aerospike.exception.ParamError):
        twins[0].client.info_single_node("build", "nobody")
    with pytest.raises(aerospike_py.ParamError, match='no node "nobody"') as caught:
        twins[1].client.info_single_node("build", "nobody")
    assert isinstance(caught.value, aerospike_py.exception.UnknownNodeError)
    assert isinstance(caught.value, aerospike_py.exception.InvalidNodeError)
    assert caught.value.code == -8


def test_closed_clients(config):
    texts: list[list[str]] = []
    for module in (aerospike, aerospike_py):
        client = module.client(config).connect()
        client.close()
        texts.append([])
        for call in (
            client.get_nodes,
            client.udf_list,
            lambda made=client: made.info_single_node("build", ("a", 1)),
        ):
            with pytest.raises(module.exception.ClusterError) as caught:
                call()
            texts[-1].append(caught.value.msg)
    assert texts[0] == texts[1]
    assert "connect() connects it again" in str(caught.value)


def test_functions_that_are_none():
    for call in ("set_serializer", "set_deserializer"):
        for module in (aerospike, aerospike_py):
            with pytest.raises(module.exception.ParamError) as caught:
                getattr(module, call)(None)
            assert (caught.value.code, caught.value.msg) == (-2, "Parameter must be a callable")


def test_a_predicate_without_a_value():
    with pytest.raises(aerospike_py.ParamError, match="val is None") as caught:
        aerospike_py.predicates.equals("a", None)  # type: ignore[arg-type]
    assert caught.value.msg == "predicate is invalid."


def test_null_is_the_end_of_a_range(twins, key):
    """Nil is less than every other value; None leaves the end open."""
    from aerospike_helpers.operations import list_operations as official_lists

    from aerospike_py import list_operations

    assert aerospike_py.null() == aerospike_py.null()
    assert repr(aerospike_py.null()) == "null()"
    for twin in twins:
        lists: Any = official_lists if twin.is_official else list_operations
        twin.client.put(key, {"l": [1, "a", None]})
        for end, count in ((package(twin).null(), 0), (None, 2)):
            found = lists.list_get_by_value_range("l", aerospike_py.LIST_RETURN_COUNT, 0, end)
            assert twin.client.operate(key, [found])[2] == {"l": count}


def test_sketches_in_lists(twins, key):
    for twin in twins:
        sketch = twin.HyperLogLog(SKETCH)
        twin.client.put(key, {"l": [sketch, {"x": sketch}], "b": [SKETCH]})
        for reader in twins:
            bins = reader.client.get(key)[2]
            assert type(bins["l"][0]) is type(bins["l"][1]["x"]) is reader.HyperLogLog
            assert bytes(bins["l"][0]) == bytes(bins["b"][0]) == SKETCH
            assert type(bins["b"][0]) is bytes


def test_a_single_key_for_a_batch(twins, key):
    for twin in twins:
        with pytest.raises(package(twin).exception.ParamError) as caught:
            twin.client.batch_read(key)
    assert "a single key; pass a list of keys, such as [key]" in str(caught.value)
    assert caught.value.msg == "keys should be a list of aerospike key tuples"
