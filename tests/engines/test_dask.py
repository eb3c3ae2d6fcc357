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


def test_empty_sets_and_more_splits_than_records(million):
    assert len(read_aerospike(million.config, "test", "nothing", n=5)) == 0
    with aerospike.client(million.config).connect() as client:
        client.put(("test", "one", 1), {"id": 1})
    assert int(read_aerospike(million.config, "test", "one", n=50)["id"].sum().compute()) == 1


def test_writes(million):
    frame = read_aerospike(million.config, "test", "million", n=4, columns=["id", "a"])
    frame = frame[frame["id"] < 1000]
    assert to_aerospike(frame, million.config, "test", "copy", key="id") == 1000
    assert len(read_aerospike(million.config, "test", "copy", n=3)) == 1000


def test_a_node_that_dies_in_the_middle(million):
    frame = read_aerospike(million.config, "test", "million", n=12, columns=["id"])
    parts = frame.to_delayed()
    first = sum(int(part.compute()["id"].sum()) for part in parts[:4])
    million.kill(2)
    try:
        rest = sum(int(part.compute()["id"].sum()) for part in parts[4:])
    finally:
        million.restart(2)
    assert first + rest == ROWS * (ROWS - 1) // 2
