"""A cluster of three nodes with a million records of five bins, and one with bins of every kind."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py._engines import clients
from aerospike_py.testing import DevServer
from tests.support.mixed_records import row

ROWS = 1_000_000


@pytest.fixture(scope="session")
def million() -> Iterator[Any]:
    with DevServer(nodes=3, replication_factor=2, failure_detection=1.0) as server:
        with aerospike.client(server.config).connect() as client:
            rows = np.zeros(ROWS, [("id", "i8"), ("a", "i8"), ("b", "i8"), ("c", "f8"), ("d", "f8")])
            rows["id"] = np.arange(ROWS)
            rows["a"], rows["c"] = rows["id"] % 97, rows["id"] / 4
            for first in range(0, ROWS, 100_000):
                block = rows[first : first + 100_000]
                # Machines that run engines are busy.
                policy: aerospike.types.ArrayWritePolicy = {"total_timeout": 120_000}
                client.batch_write_numpy(
                    block, "test", "million", keys=block["id"], key_field=None, policy=policy
                ).raise_for_failures()
            client.put(("test", "one", 1), {"id": 1})
        yield server
        clients.close_all()


@pytest.fixture(scope="session")
def mixed(million: Any) -> dict[str, Any]:
    """The config of a cluster with 200 records of nulls, extremes, NaN, text and values of other types, in
    the set "mixed" (:mod:`tests.support.mixed_records`)."""
    with aerospike.client(million.config).connect() as client:
        for k in range(200):
            client.put(("test", "mixed", k), row(k))
    return dict(million.config)


@pytest.fixture
def evolved(million: Any, fresh_set: str) -> Iterator[tuple[dict[str, Any], str, Any]]:
    """A set of records with one bin, and a function that adds records with another one."""
    with aerospike.client(million.config).connect() as client:

        def put(first: int, **bins: Any) -> None:
            for key in range(first, first + 20):
                client.put(("test", fresh_set, key), {"id": key, **bins})

        put(0)
        yield dict(million.config), fresh_set, put


@pytest.fixture
def dies(million: Any) -> Iterator[Any]:
    """``dies(after)``: kills a node of the cluster so many seconds later, and restarts it after the test."""
    timers: list[threading.Timer] = []

    def later(after: float) -> threading.Event:
        killed = threading.Event()

        def kill() -> None:
            million.kill(2)
            killed.set()

        timers.append(threading.Timer(after, kill))
        timers[-1].start()
        return killed

    yield later
    for timer in timers:
        timer.cancel()
        timer.join()
    with contextlib.suppress(Exception):
        million.restart(2)
