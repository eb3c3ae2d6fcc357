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
    ],
)
def test_wrong_arguments(cluster, arguments, message):
    with pytest.raises(aerospike.ParamError, match=message):
        aerospike.splits(cluster.config, "test", "s", **arguments)


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
