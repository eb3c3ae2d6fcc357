"""Splits on a cluster of three nodes."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import threading
import time

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py import expressions as exp
from aerospike_py import predicates
from aerospike_py._engines import clients, writing
from aerospike_py.testing import DevServer

pytestmark = pytest.mark.embedded
ROWS = 3000


@pytest.fixture(scope="module")
def cluster():
    with DevServer(nodes=3) as server:
        with aerospike.client(server.config).connect() as client:
            rows = np.zeros(ROWS, [("id", "i8"), ("half", "f8")])
            rows["id"] = np.arange(ROWS)
            rows["half"] = rows["id"] / 2
            client.batch_write_numpy(rows, "test", "s", keys=rows["id"].tolist(), key_field=None)
        yield server
        clients.close_all()


def ids(splits):
    return sorted(value for split in splits for value in split.read().to_pyarrow()["id"].to_pylist())


@pytest.mark.parametrize("n", [1, 2, 3, 7, 64, 500])
def test_each_record_is_read_once(cluster, n):
    splits = pickle.loads(pickle.dumps(aerospike.splits(cluster.config, "test", "s", n)))  # noqa: S301
    assert len(splits) == n
    assert ids(splits) == list(range(ROWS))
    assert sum(split.metrics.records for split in splits) == ROWS
    assert all(split.metrics.bytes > 0 or not split.metrics.records for split in splits)
    estimated = sum(split.records for split in splits)
    assert abs(estimated - ROWS) <= 0.1 * ROWS + n
    if n >= 3:
        assert {split.node for split in splits} == {"D1", "D2", "D3"}


def test_blocks_and_arrays_have_the_same_records(cluster):
    [split] = aerospike.splits(cluster.config, "test", "s", 1)
    assert sum(len(block) for block in split.batches(1000)) == ROWS
    found = split.read_numpy(np.dtype([("id", "i8")]))
    assert sorted(found["id"].tolist()) == list(range(ROWS))


def test_columns_filters_and_limits(cluster):
    [split] = aerospike.splits(
        cluster.config, "test", "s", 1, where=exp.GE(exp.IntBin("id"), 1000), meta=("gen",)
    )
    both = split.where(exp.LT(exp.FloatBin("half"), 750.0))
    assert ids([both]) == list(range(1000, 1500))
    assert both.select(["half", "gen"]).read().schema_names == ["gen", "half"]
    assert len(both.limit(7).read()) == 7
    assert len(both.select([]).read()) == 500
    with pytest.raises(aerospike.ParamError, match="not a column"):
        split.select(["nothing"])


def test_secondary_indexes_find_records(cluster):
    with aerospike.client(cluster.config).connect() as client:
        client.index_single_value_create("test", "s", "id", aerospike.INDEX_NUMERIC, "s_id")
        found = predicates.between("id", 100, 199)
        splits = pickle.loads(pickle.dumps(aerospike.splits(cluster.config, "test", "s", 6, where=found)))  # noqa: S301
        assert ids(splits) == list(range(100, 200))
        assert ids([split.where(exp.GE(exp.IntBin("id"), 190)) for split in splits]) == list(range(190, 200))
        assert ids(splits[0].again(2)) == ids(splits[:1])
        arrays = [split.read_numpy(np.dtype([("id", "i8")])) for split in splits]
        assert sorted(value for array in arrays for value in array["id"].tolist()) == list(range(100, 200))
        client.index_remove("test", "s_id")
    with pytest.raises(aerospike.IndexNotFound):
        splits[0].read()


def test_sets_without_records(cluster):
    splits = aerospike.splits(cluster.config, "test", "nothing", 5)
    assert [len(split.read()) for split in splits] == [0] * 5
    assert splits[0].schema == {}
    assert [split.read().schema_names for split in (splits[0], splits[0].select(["_rows"]))] == [
        ["_rows"]
    ] * 2
    with pytest.raises(
        aerospike.ParamError, match="'id', which is not a column; a set without records needs"
    ):
        aerospike.splits(cluster.config, "test", "nothing", 5, columns=["id"])
    typed = aerospike.splits(cluster.config, "test", "nothing", 5, schema={"id": "int64"})
    assert [list(split.batches()) for split in typed] == [[]] * 5
    assert typed[0].empty().columns == [("id", "int64")]


def test_partitions_that_move_between_planning_and_reading(cluster):
    splits = aerospike.splits(cluster.config, "test", "s", 12)
    cluster.move_partitions(500)
    assert ids(splits) == list(range(ROWS))


def test_a_node_that_dies_between_reads():
    with DevServer(nodes=3, replication_factor=2, failure_detection=0.5) as server:
        with aerospike.client(server.config).connect() as client:
            for number in range(300):
                client.put(("test", "s", number), {"id": number})
        splits = aerospike.splits({**server.config, "tend_interval": 250}, "test", "s", 9)
        first = ids(splits[:3])
        server.kill(1)
        assert sorted(first + ids(splits[3:])) == list(range(300))
    clients.close_all()


def test_secrets_are_not_shown():
    with DevServer(users={"ann": "verysecret"}) as server:
        config = {**server.config, "user": "ann", "password": "verysecret"}
        [split] = aerospike.splits(config, "test", "s", 1, schema={"id": "int64"})
        assert "verysecret" not in repr(split)
        assert b"verysecret" in pickle.dumps(split)  # as the docs say
        assert len(split.read()) == 0
        target = writing.target(config, "test", "s", "id", None, "omit", None)
        assert "verysecret" not in repr(target)
    clients.close_all()


def test_equal_configs_share_a_client(cluster):
    first = clients.client_for({**cluster.config, "tend_interval": 1000})
    again = clients.client_for({"tend_interval": 1000, **cluster.config})
    assert first is again
    assert clients.client_for(cluster.config) is not first
    again.connect()
    again.close()
    assert clients.client_for({**cluster.config, "tend_interval": 1000}) is not again


def read_in_child(split):
    return len(split.read()), os.getpid()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_make_clients_of_their_own(cluster, method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip("no fork here")
    splits = aerospike.splits(cluster.config, "test", "s", 4)
    assert ids(splits) == list(range(ROWS))  # the parent has a connected client
    with multiprocessing.get_context(method).Pool(2) as pool:
        found = pool.map(read_in_child, splits, chunksize=1)
    assert sum(count for count, _ in found) == ROWS
    assert os.getpid() not in {process for _, process in found}
    assert ids(splits) == list(range(ROWS))


def test_readers_of_a_node_wait_for_a_place(cluster):
    [split] = aerospike.splits(cluster.config, "test", "s", 1, max_concurrent=1)
    reading = split.batches(100)
    next(reading)
    done = threading.Event()
    thread = threading.Thread(target=lambda: (split.read(), done.set()))
    thread.start()
    assert not done.wait(0.3)
    reading.close()
    assert done.wait(20)
    thread.join()


def of_one_node(cluster, **options):
    return [
        split for split in aerospike.splits(cluster.config, "test", "s", 9, **options) if split.node == "D1"
    ]


def test_a_thread_does_not_wait_for_itself(cluster):
    first, second, *_ = of_one_node(cluster, max_concurrent=1)
    with pytest.raises(
        aerospike.ClientError, match=r"max_concurrent is 1, and this thread already reads .* D1"
    ):
        list(zip(first.batches(100), second.batches(100), strict=False))
    # Its place is free again.
    assert len(second.read()) > 0
    both = of_one_node(cluster, max_concurrent=2)
    assert next(zip(both[0].batches(100), both[1].batches(100), strict=False))


def test_a_place_is_its_readers_thread(cluster):
    """Blocks that another thread goes on with are no reason to refuse a read here: it will end."""
    first, second, *_ = of_one_node(cluster, max_concurrent=1)
    blocks = first.batches(100)
    next(blocks)
    thread = threading.Thread(target=lambda: (next(blocks), time.sleep(0.3), list(blocks)))
    thread.start()
    time.sleep(0.1)
    assert len(second.read()) > 0
    thread.join()


def test_the_client_of_a_split_counts_its_reads(cluster):
    with DevServer() as server:
        with aerospike.client(server.config).connect() as client:
            client.put(("test", "s", 1), {"id": 1})
        split = aerospike.splits(server.config, "test", "s", 1)[0]
        split.client().enable_metrics()
        list(split.batches())
        split.read()
        split.read_numpy(np.dtype([("id", "i8")]))
        metrics = split.client().metrics()
        assert metrics.find("query").calls == 3
        assert 'command="query"' in aerospike.prometheus_text()
        assert sum(each.bytes_received for node in metrics.nodes for each in node.requests) > 0
        split.client().close()


def test_counts_of_the_nodes(cluster, monkeypatch):
    """The node whose count is twice that of the others has more splits, and its splits the records."""
    asked = aerospike.Client.info_all

    def doubled(client, command):
        if command != "sets/test/s":
            return asked(client, command)
        return {f"D{node}": (None, f"objects={2000 if node == 2 else 1000};") for node in (1, 2, 3)}

    monkeypatch.setattr(aerospike.Client, "info_all", doubled)
    splits = aerospike.splits(cluster.config, "test", "s", 60)
    of_d2 = [split for split in splits if split.node == "D2"]
    assert abs(len(of_d2) - 30) <= 2
    assert abs(sum(split.records for split in of_d2) - 1000) <= 60
    assert abs(sum(split.records for split in splits) - 2000) <= 60
    assert abs(sum(split.records for split in splits[0].again(3)) - splits[0].records) <= 2
    assert ids(splits) == list(range(ROWS))


def test_what_the_caller_changes_later_does_not_count(cluster):
    config = {**cluster.config, "hosts": list(cluster.config["hosts"]), "policies": {"query": {}}}
    policy = {"total_timeout": 60_000}
    split = aerospike.splits(config, "test", "s", 1, policy=policy)[0]
    target = writing.target(config, "test", "s", "id", None, "omit", policy)
    config["hosts"][:] = [("127.0.0.1", 1)]
    config["policies"]["query"]["unknown"] = 1
    policy["unknown"] = 1
    assert len(split.read()) == ROWS
    assert len(pickle.loads(pickle.dumps(split)).read()) == ROWS  # noqa: S301
    assert target.config["hosts"] == list(cluster.config["hosts"])
    assert target.policy == {"total_timeout": 60_000}


def test_reads_are_slowed_to_a_rate(cluster):
    [split] = aerospike.splits(cluster.config, "test", "s", 1, records_per_second=1000)
    started = time.monotonic()
    assert len(split.read()) == ROWS
    assert time.monotonic() - started > 0.4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "from 1 to 4096"),
        ({"n": 4097}, "from 1 to 4096"),
        ({"max_concurrent": 0}, "max_concurrent"),
        ({"where": "not base64!"}, "base64"),
        ({"policy": {"partition_filter": {}}}, "partition_filter"),
        ({"columns": ["nothing"]}, "not a column"),
        ({"columns": "id"}, r"columns is 'id' \(str\); it must be a list of names"),
        ({"meta": "gen"}, r"meta is 'gen' \(str\)"),
        ({"policy": 5}, "policy has the type int; it must be a dict"),
        ({"n": "5"}, r"n is '5' \(str\); it must be a whole number from 1 to 4096"),
        ({"n": 2.5}, r"n is 2.5 \(float\)"),
        ({"n": True}, r"n is True \(bool\)"),
        ({"max_concurrent": "x"}, r"max_concurrent is 'x' \(str\).* or None for no limit"),
        ({"max_concurrent": True}, r"max_concurrent is True \(bool\)"),
        ({"records_per_second": True}, r"records_per_second is True \(bool\)"),
    ],
)
def test_wrong_arguments(cluster, arguments, message):
    with pytest.raises(aerospike.ParamError, match=message):
        aerospike.splits(cluster.config, "test", "s", **arguments)


@pytest.mark.parametrize("value", ["a", 2.5, True, 0, None])
def test_wrong_numbers_of_a_split(cluster, value):
    split = aerospike.splits(cluster.config, "test", "s", 1)[0]
    with pytest.raises(aerospike.ParamError, match=r"records is .*; it must be a whole number of at least 1"):
        split.limit(value)
    with pytest.raises(aerospike.ParamError, match=r"n is .*; it must be a whole number from 1 to 4096"):
        split.again(value)
    with pytest.raises(aerospike.ParamError, match=r"rows is .*; it must be a whole number of at least 1"):
        next(split.batches(value))
    with pytest.raises(aerospike.ParamError, match=r"columns is 'id' \(str\)"):
        split.select("id")


def test_writes_say_what_failed(cluster, fresh_set):
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"id": [1, 2, 3], "v": [1.5, 2.5, None]})
    target = writing.target(cluster.config, "test", fresh_set, "id", None, "omit", None)
    assert writing.write(target, table).rows == 3
    create = target._replace(policy={"exists": aerospike.POLICY_EXISTS_CREATE})
    with pytest.raises(aerospike.RecordExistsError, match=r"2 of 2 rows .*first keys are 2, 3") as caught:
        writing.write(create, table.slice(1))
    assert pickle.loads(pickle.dumps(caught.value)).args == caught.value.args  # noqa: S301


def test_writes_are_repeated_as_far_as_they_allow_it(cluster, fresh_set):
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"id": list(range(50))})
    target = writing.target(cluster.config, "test", fresh_set, "id", None, "omit", {"max_retries": 0})
    cluster.inject("row-code", command="batch", code=18, times=1)
    try:
        assert writing.write(target, table).rows == 50
        assert len(aerospike.splits(cluster.config, "test", fresh_set, 1)[0].read()) == 50
    finally:
        cluster.clear_faults()
    assert writing.is_repeatable(None)
    assert not writing.is_repeatable({"exists": aerospike.POLICY_EXISTS_CREATE})
    assert not writing.is_repeatable({"gen": aerospike.POLICY_GEN_EQ})
