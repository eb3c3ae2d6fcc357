"""Dask: sums over a million records, killed workers and nodes, and writes."""

from __future__ import annotations

import os
import signal

import pytest

import aerospike_py as aerospike

pytest.importorskip("dask.dataframe")
from aerospike_py.dask import read_aerospike, to_aerospike

ROWS = 1_000_000
pytestmark = pytest.mark.timeout(600)


def kill_once(frame, path):
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return frame
    os.kill(os.getpid(), signal.SIGKILL)
    return frame


def test_sums(million):
    frame = read_aerospike(million.config, "test", "million", n=12)
    assert int(frame["id"].sum().compute()) == ROWS * (ROWS - 1) // 2
    assert len(frame) == ROWS


def test_a_worker_that_is_killed(million, tmp_path):
    from dask.distributed import Client, LocalCluster

    frame = read_aerospike(million.config, "test", "million", n=12, columns=["id"])
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as workers, Client(workers):
        summed = frame.map_partitions(kill_once, str(tmp_path / "killed"), meta=frame._meta)
        assert int(summed["id"].sum().compute()) == ROWS * (ROWS - 1) // 2


def test_metrics_of_splits_are_events(million):
    from dask.distributed import Client, LocalCluster

    frame = read_aerospike(million.config, "test", "million", n=4, columns=["id"])
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as workers,
        Client(workers) as client,
    ):
        assert int(frame["id"].max().compute()) == ROWS - 1
        events = [event for _, event in client.get_events("aerospike_py.splits")]
    assert sorted(event["split"] for event in events) == [0, 1, 2, 3]
    assert sum(event["records"] for event in events) == ROWS
    assert all(event["bytes"] > 0 and event["seconds"] > 0 for event in events)


def test_empty_sets_and_more_splits_than_records(million):
    untyped = read_aerospike(million.config, "test", "nothing", n=5)
    assert len(untyped) == 0
    assert list(untyped.columns) == list(untyped.compute().columns) == ["_rows"]
    assert len(read_aerospike(million.config, "test", "nothing", n=5, schema={"id": "int64"})) == 0
    with aerospike.client(million.config).connect() as client:
        client.put(("test", "one", 1), {"id": 1})
    assert int(read_aerospike(million.config, "test", "one", n=50)["id"].sum().compute()) == 1


def test_writes(million):
    frame = read_aerospike(million.config, "test", "million", n=4, columns=["id", "a"])
    frame = frame[frame["id"] < 1000]
    assert to_aerospike(frame, million.config, "test", "copy", key="id") == 1000
    assert len(read_aerospike(million.config, "test", "copy", n=3)) == 1000


def test_sets_that_change(evolved):
    config, name, put = evolved
    before = read_aerospike(config, "test", name, n=2)
    put(20, later="x")
    assert list(before.columns) == ["id"]
    assert int(before["id"].sum().compute()) == sum(range(40))
    after = read_aerospike(config, "test", name, n=2, schema={"id": "int64", "later": "utf8"})
    assert sorted(map(str, after["later"].compute())) == ["<NA>"] * 20 + ["x"] * 20
    put(40, id="text")
    with pytest.raises(aerospike.BatchDecodeError):
        read_aerospike(config, "test", name, n=2, schema={"id": "int64"}).compute()


def test_rows_that_fail_are_counted(million, fresh_set):
    dataframe = pytest.importorskip("dask.dataframe")
    pandas = pytest.importorskip("pandas")
    with aerospike.client(million.config).connect() as client:
        for key in range(3):
            client.put(("test", fresh_set, key), {"id": key})
    frame = dataframe.from_pandas(pandas.DataFrame({"id": range(10)}), npartitions=1)
    create = {"exists": aerospike.POLICY_EXISTS_CREATE}
    with pytest.raises(aerospike.RecordExistsError, match=r"3 of 10 rows were not written.*keys are 0, 1, 2"):
        to_aerospike(frame, million.config, "test", fresh_set, key="id", policy=create)
    assert len(read_aerospike(million.config, "test", fresh_set, n=1)) == 10


def test_a_node_that_dies_in_the_middle(million, dies):
    # A node reads at most 40,000 records per second for a split: each takes about two seconds.
    frame = read_aerospike(million.config, "test", "million", n=12, columns=["id"], records_per_second=40_000)
    killed = dies(3.0)
    assert int(frame["id"].sum().compute(num_workers=2)) == ROWS * (ROWS - 1) // 2
    assert killed.is_set(), "the job ended before the node died"
