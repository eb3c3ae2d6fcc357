"""Metrics of calls: snapshots, and the text for Prometheus."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

import aerospike_py as aerospike
from aerospike_py import Client
from aerospike_py._metrics import registry
from aerospike_py._metrics.names import COMMANDS, counted_as
from aerospike_py.batch.records import BatchRecords, Write
from aerospike_py.operations import operations
from aerospike_py.testing import DevServer
from tests.support.faces import Face
from tests.support.waiting import eventually

DTYPE = np.dtype([("a", "i8")])


@pytest.fixture
def counted(face: Face, config: dict[str, Any]) -> Iterator[Any]:
    """A client that counts its calls."""
    client = face.connect(config)
    client.enable_metrics()
    yield client
    client.close()


def test_calls_are_counted_by_command_namespace_and_outcome(counted, fresh_set):
    key = ("test", fresh_set, 1)
    counted.put(key, {"a": 1})
    for _ in range(3):
        counted.get(key)
    with pytest.raises(aerospike.exception.RecordNotFound):
        counted.get(("test", fresh_set, 2))
    counted.batch_read([("test", fresh_set, number) for number in range(10)], _dtype=DTYPE)
    metrics = counted.metrics()
    assert metrics.enabled
    assert metrics.find("put").calls == 1
    assert metrics.find("get").calls == 3
    assert metrics.find("get", "test", "RecordNotFound").calls == 1
    assert metrics.find("get", outcome=None).calls == 4
    assert metrics.find("get", "bar").calls == 0
    batch = metrics.find("batch_read", "test")
    assert (batch.calls, batch.records, batch.missing, batch.failed) == (1, 10, 9, 0)
    assert 0 < batch.quantile(0.5) < 10
    assert 0 < batch.mean < 10
    with pytest.raises(ValueError, match="must be from 0 to 1"):
        batch.quantile(1.5)


def test_requests_are_counted_by_node(counted, fresh_set):
    counted.put(("test", fresh_set, 1), {"a": 1})
    counted.batch_read([("test", fresh_set, 1)], _dtype=DTYPE)
    nodes = counted.metrics().nodes
    assert [node.name for node in nodes] == counted.get_node_names()
    requests = [each for node in nodes for each in node.requests if each.namespace == "test"]
    assert {each.command for each in requests} >= {"write", "batch"}
    assert all(each.bytes_sent > 20 and each.bytes_received > 20 for each in requests)


def test_nothing_is_counted_unless_asked_for(face, config, fresh_set):
    with face.connect(config) as client:
        client.put(("test", fresh_set, 1), {"a": 1})
        assert not client.metrics().enabled
        assert client.metrics().commands == ()
        client.enable_metrics()
        client.get(("test", fresh_set, 1))
        client.disable_metrics()
        client.get(("test", fresh_set, 1))
        assert client.metrics().find("get").calls == 1
        assert len(client.metrics().stats.nodes) >= 1


def test_values_that_change_or_fail_are_counted(client, fresh_set):
    before = client.metrics()
    client.put(("test", fresh_set, 1), {"a": 2.5})
    client.put(("test", fresh_set, 2), {"a": "text"})
    keys = [("test", fresh_set, number) for number in (1, 2)]
    with pytest.warns(RuntimeWarning, match="changed"):
        client.batch_read(keys, _dtype=DTYPE, errors="coerce")
    after = client.metrics()
    assert after.inexact_values == before.inexact_values + 1
    assert after.decode_errors == before.decode_errors + 1


def test_values_of_arrow_tables_are_counted(client, fresh_set):
    pa = pytest.importorskip("pyarrow")
    before = client.metrics()
    client.put(("test", fresh_set, 1), {"a": 2.5, "b": "text"})
    schema = pa.schema([("a", pa.int64()), ("b", pa.int64())])
    reads: list[Callable[..., Any]] = [
        lambda **options: client.batch_read_arrow([("test", fresh_set, 1)], schema, **options),
        lambda **options: client.query("test", fresh_set).to_arrow(schema, **options),
    ]
    for read in reads:
        with pytest.warns(RuntimeWarning, match="changed"):
            read(casting="unsafe", errors="coerce")
    after = client.metrics()
    assert after.inexact_values == before.inexact_values + 2
    assert after.decode_errors == before.decode_errors + 2


def test_rows_that_fail_are_counted(counted, fresh_set):
    counted.put(("test", fresh_set, 1), {"a": 1})
    rows = np.array([(number, number) for number in range(4)], [("id", "i8"), ("a", "i8")])
    policy = {"exists": aerospike.POLICY_EXISTS_CREATE}
    with pytest.warns(RuntimeWarning, match="not written"):
        counted.batch_write_numpy(rows, "test", fresh_set, key_field="id", policy=policy)
    written = counted.metrics().find("batch_write_numpy")
    assert (written.calls, written.records, written.missing, written.failed) == (1, 4, 0, 1)
    counted.batch_remove([("test", fresh_set, number) for number in range(5, 8)])
    removed = counted.metrics().find("batch_remove")
    assert (removed.records, removed.missing, removed.failed) == (3, 3, 0)


# ---------------------------------------------------------------- names

#: Methods that send nothing, or that make a query.
NOT_COUNTED = {
    "close", "connect", "disable_metrics", "enable_metrics", "get_cdtctx_base64", "get_expression_base64",
    "get_key_partition_id", "get_node_names", "get_nodes", "get_stats", "is_connected", "metrics", "shm_key",
    "stats",
}  # fmt: skip

#: Other names under which methods are counted that consist of several calls.
ALSO = {"infer_dtype": {"batch_read"}, "query_apply": {"info"}, "scan_apply": {"info"}}


def calls_of_all_commands(set_name: str, file: str) -> dict[str, Callable[[Any], Any]]:
    """A call of each command. It may fail, but not before it sends something."""
    key, keys = ("test", set_name, 1), [("test", set_name, 1)]
    write = [operations.write("a", 1)]
    predicate = aerospike.predicates.equals("a", 1)
    rows = np.array([(1, 1)], [("id", "i8"), ("a", "i8")])
    index = ("test", set_name, "a", aerospike.INDEX_NUMERIC)
    named = ("test", set_name, "a")
    privileges = [{"code": aerospike.PRIV_READ}]
    batch = BatchRecords([Write(key, write)])

    def arrow() -> Any:
        return pytest.importorskip("pyarrow").table({"id": [1], "a": [1]})

    def query(client: Any) -> Any:
        return client.query("test", set_name)

    def function(client: Any) -> Any:
        made = query(client)
        made.add_ops(write)
        return made.execute_background()

    arguments: dict[str, tuple[Any, ...]] = {
        "append": (key, "text", "more"),
        "apply": (key, "module", "function", []),
        "batch_apply": (keys, "module", "function", []),
        "batch_operate": (keys, write),
        "batch_read": (keys,),
        "batch_read_arrow": (keys,),
        "batch_remove": (keys,),
        "batch_write": (batch,),
        "exists": (key,),
        "get": (key,),
        "increment": (key, "a", 1),
        "index_blob_create": (*named, "i1"),
        "index_cdt_create": (
            *named,
            aerospike.INDEX_TYPE_LIST,
            aerospike.INDEX_NUMERIC,
            "i2",
            [aerospike.cdt_ctx.cdt_ctx_map_key("k")],
        ),
        "index_geo2dsphere_create": (*named, "i3"),
        "index_integer_create": (*named, "i4"),
        "index_list": ("test",),
        "index_list_create": (*index, "i5"),
        "index_map_keys_create": (*index, "i6"),
        "index_map_values_create": (*index, "i7"),
        "index_remove": ("test", "i8"),
        "index_set_create": ("test", set_name, "i9"),
        "index_single_value_create": (*index, "i10"),
        "index_string_create": (*named, "i11"),
        "infer_dtype": ("test", set_name),
        "info_all": ("build",),
        "info_random_node": ("build",),
        "job_info": (1, aerospike.JOB_QUERY),
        "operate": (key, write),
        "operate_ordered": (key, write),
        "prepend": (key, "text", "more"),
        "put": (key, {"a": 1}),
        "query_apply": ("test", set_name, predicate, "module", "function"),
        "read_matrix": ([(keys, ["a"])],),
        "remove": (key,),
        "remove_bin": (key, ["a"]),
        "scan_apply": ("test", set_name, "module", "function"),
        "select": (key, ["a"]),
        "set_xdr_filter": ("dc", "test", None),
        "touch": (key,),
        "truncate": ("test", set_name),
        "udf_get": ("module.lua",),
        "udf_list": (),
        "udf_put": (file,),
        "udf_remove": ("module.lua",),
        "admin_change_password": ("ann", "secret"),
        "admin_create_pki_user": ("ann", ["read"]),
        "admin_create_role": ("role", privileges),
        "admin_create_user": ("ann", "secret", ["read"]),
        "admin_drop_role": ("role",),
        "admin_drop_user": ("ann",),
        "admin_get_role": ("role",),
        "admin_get_roles": (),
        "admin_grant_privileges": ("role", privileges),
        "admin_grant_roles": ("ann", ["read"]),
        "admin_query_role": ("role",),
        "admin_query_roles": (),
        "admin_query_user_info": ("ann",),
        "admin_query_users_info": (),
        "admin_revoke_privileges": ("role", privileges),
        "admin_revoke_roles": ("ann", ["read"]),
        "admin_set_password": ("ann", "secret"),
        "admin_set_quotas": ("role", 1, 1),
        "admin_set_whitelist": ("role", ["127.0.0.1"]),
    }

    def caller(name: str) -> Callable[[Any], Any]:
        return lambda client: getattr(client, name)(*arguments[name])

    calls = {name: caller(name) for name in arguments}
    expression = aerospike.expressions.IntBin("a").compile()
    return {
        **calls,
        "abort": lambda client: client.abort(aerospike.Transaction()),
        "batch_write_arrow": lambda client: client.batch_write_arrow(arrow(), "test", set_name, key="id"),
        "batch_write_numpy": lambda client: client.batch_write_numpy(rows, "test", set_name, key_field="id"),
        "commit": lambda client: client.commit(aerospike.Transaction()),
        "execute_background": function,
        "foreach": lambda client: query(client).foreach(print),
        "index_expr_create": lambda client: client.index_expr_create(
            "test", set_name, aerospike.INDEX_TYPE_DEFAULT, aerospike.INDEX_NUMERIC, expression, "i12"
        ),
        "info_single_node": lambda client: client.info_single_node("build", client.get_node_names()[0]),
        "query": lambda client: query(client).results(),
        "scan": lambda client: client.scan("test", set_name).results(),
        "to_arrow": lambda client: query(client).to_arrow(),
        "to_numpy": lambda client: query(client).to_numpy(DTYPE),
    }


def numbers(metrics: Any) -> dict[str, int]:
    return {name: metrics.find(name, outcome=None).calls for name in COMMANDS}


@pytest.mark.embedded
@pytest.mark.filterwarnings("ignore")
def test_each_command_is_counted_under_its_name(face, own_node, fresh_set, tmp_path):
    file = tmp_path / "module.lua"
    file.write_text("function other() end")
    calls = calls_of_all_commands(fresh_set, str(file))
    waits = {"index_wait_till_complete"}
    public = {name for name in dir(Client) if not name.startswith("_")}
    assert public - NOT_COUNTED - waits == calls.keys() - {
        "execute_background", "foreach", "to_arrow", "to_numpy",
    }  # fmt: skip
    with face.connect({**own_node.config, "connect_timeout": 1_000}) as client:
        client.enable_metrics()
        client.put(("test", fresh_set, 1), {"a": 1})
        wrong = {}
        for name, call in calls.items():
            before = numbers(client.metrics())
            with contextlib.suppress(aerospike.AerospikeError):
                call(client)
            after = numbers(client.metrics())
            found = {each for each in COMMANDS if after[each] > before[each]}
            if found - ALSO.get(name, set()) != {counted_as(name)}:
                wrong[name] = found
        assert wrong == {}
        # No call has another name.
        assert {each.command for each in client.metrics().commands} <= COMMANDS


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("batchread", "did you mean 'batch_read'"),
        ("batch remove", "did you mean 'batch_remove'"),
        ("udf_put", "its calls are counted as 'info'"),
        ("to_numpy", "its calls are counted as 'query'"),
        ("?", "it must be one of abort, admin"),
    ],
)
def test_a_name_that_is_no_command_is_refused(client, name, why):
    with pytest.raises(ValueError, match=why):
        client.metrics().find(name)


# ---------------------------------------------------------------- connecting


def test_metrics_are_enabled_before_the_first_connect(face, config, fresh_set):
    for connects in (False, True):
        client = face.client(config)
        with pytest.raises(aerospike.exception.ClientError, match="not connected"):
            client.metrics()
        client.enable_metrics()
        if connects:
            client.connect()
        # If not, this connects.
        client.put(("test", fresh_set, 1), {"a": 1})
        assert client.metrics().enabled
        assert client.metrics().find("put").calls == 1
        client.close()


def test_metrics_stay_enabled_when_the_client_is_connected_again(face, config, fresh_set):
    client = face.connect(config)
    client.enable_metrics()
    for _ in range(2):
        client.put(("test", fresh_set, 1), {"a": 1})
        assert client.metrics().find("put").calls == 1
        client.close()
        client.connect()
    client.disable_metrics()
    client.close()
    client.connect()
    assert not client.metrics().enabled
    client.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
def test_a_forked_child_does_not_wait_for_a_lock_of_its_parent():
    code = """
import os, signal, warnings
warnings.simplefilter("ignore")
import aerospike_py
from aerospike_py._metrics import registry

with registry._lock:
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        os._exit("aerospike_client_decode_errors_total" not in aerospike_py.prometheus_text())
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "0\n"


# ---------------------------------------------------------------- requests


def outcomes(client: Any, purpose: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for node in client.metrics().nodes:
        for each in node.requests:
            if each.command == purpose:
                found[each.outcome] = found.get(each.outcome, 0) + each.calls
    return found


def test_a_query_that_is_left_early_is_no_failure(counted, fresh_set):
    data = np.zeros(3_000, [("id", "i8"), ("b", "V4000")])
    data["id"] = range(len(data))
    policy = {"total_timeout": 60_000}
    counted.batch_write_numpy(data, "test", fresh_set, key_field="id", policy=policy).raise_for_failures()
    with counted.query("test", fresh_set).records() as records:
        next(records)
    eventually("the request is counted", lambda: bool(outcomes(counted, "query")))
    assert outcomes(counted, "query").keys() <= {"ok", "cancelled"}
    assert "cancelled" in outcomes(counted, "query")
    # The call ends after its requests.
    eventually("the call is counted", lambda: counted.metrics().find("query", outcome=None).calls == 1)
    [query] = [each for each in counted.metrics().commands if each.command == "query"]
    assert query.outcome in ("ok", "cancelled")


# ---------------------------------------------------------------- Prometheus


def samples() -> dict[str, list[Any]]:
    families = text_string_to_metric_families(aerospike.prometheus_text())
    return {family.name: family.samples for family in families}


def value(metric: str, **labels: str) -> float:
    """The sum of the samples with these labels."""
    [family] = [found for name, found in samples().items() if metric in (name, f"{name}_total")]
    found = [sample.value for sample in family if labels.items() <= sample.labels.items()]
    assert found, labels
    return float(sum(found))


@pytest.mark.embedded
def test_prometheus_has_retries_hedges_and_the_breaker(face, fresh_set):
    keys = [("test", fresh_set, number) for number in range(300)]
    with DevServer(nodes=3) as server:
        config = {
            **server.config,
            "tend_interval": 100_000,
            "max_error_rate": 2,
            "error_rate_window": 100_000,
        }
        with face.connect(config) as client:
            client.enable_metrics()
            [(number, _)] = [found for found in registry.counted() if found[1] in (client, twin(client))]
            assert value("aerospike_client_retries_total", client=number) == 0
            server.inject("code", command="read", code=18, times=1)
            client.exists(keys[0])
            assert value("aerospike_client_retries_total", client=number) == client.stats().retry_count > 0
            assert value("aerospike_client_hedges_total", client=number) == 0
            server.inject("silent", 1, command="batch", times=1)
            client.batch_read(keys, None, {"hedge_delay": 20, "total_timeout": 20_000})
            assert value("aerospike_client_hedges_total", client=number) == client.stats().hedge_count > 0
            gave_up = {"purpose": "batch", "outcome": "cancelled", "node": "D2"}
            count = "aerospike_client_request_duration_seconds"
            eventually("the request is counted", lambda: value(count, client=number, **gave_up) > 0)
            server.clear_faults()
            of_node = {"client": number, "node": "D1"}
            assert value("aerospike_client_node_circuit_open", **of_node) == 0
            assert value("aerospike_client_node_circuit_opened_total", **of_node) == 0
            server.inject("close", 0, command="batch")
            once = {"replica": aerospike.POLICY_REPLICA_MASTER, "max_retries": 0, "hedge_delay": "off"}
            for _ in range(5):
                with pytest.warns(RuntimeWarning, match="rows of the batch failed"):
                    client.batch_read(keys, None, once)
            assert value("aerospike_client_node_circuit_open", **of_node) == 1
            assert value("aerospike_client_node_circuit_opened_total", **of_node) == 1
            assert value("aerospike_client_node_suspected_total", **of_node) >= 1
            assert value("aerospike_client_command_failed_records_total", client=number) > 0
            missing = value("aerospike_client_command_missing_records_total", client=number)
            assert missing >= len(keys)


def twin(client: Any) -> Any:
    return getattr(client, "async_client", None)


def test_prometheus_reads_the_text(counted, fresh_set):
    counted.put(("test", fresh_set, 1), {"a": 1})
    counted.get(("test", fresh_set, 1))
    found = samples()
    wanted = {"command": "get", "namespace": "test", "outcome": "ok"}
    of_get = [
        sample
        for sample in found["aerospike_client_command_duration_seconds"]
        if wanted.items() <= sample.labels.items()
    ]
    client = of_get[-1].labels["client"]
    of_get = [sample for sample in of_get if sample.labels["client"] == client]
    buckets = [sample.value for sample in of_get if sample.name.endswith("_bucket")]
    assert buckets == sorted(buckets)
    assert buckets[-1] == next(sample.value for sample in of_get if sample.name.endswith("_count")) == 1
    assert any(sample.labels["client"] == client for sample in found["aerospike_client_nodes"])
    assert "aerospike_client_decode_errors" in found
    counted.disable_metrics()
    text = aerospike.prometheus_text()
    assert f'aerospike_client_nodes{{client="{client}"}}' not in text
