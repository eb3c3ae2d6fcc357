"""A cluster of three nodes with a million records of five bins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py.testing import DevServer

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
                client.batch_write_numpy(block, "test", "million", keys=block["id"], key_field=None)
        yield server
