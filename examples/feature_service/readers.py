"""How the features are read: with this package, or with the official client for comparison.

Both have the same methods. FEATURES_CLIENT=official makes the service use the second.
"""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

import aerospike_py as aerospike
from aerospike_py import AsyncClient, Keys
from aerospike_py.types import BatchPolicy

from .features import COLUMNS, DTYPES, ITEMS, MISSING, NAMESPACE, TRENDS, USERS, WIDTH, hosts

Ids = npt.NDArray[np.int64]


class Candidates(NamedTuple):
    """The features of a user's candidates: a row per item, and which records were found."""

    matrix: npt.NDArray[np.float32]
    # Shape (items, sets), as the records of USERS, ITEMS, TRENDS were answered.
    result_codes: npt.NDArray[np.int32]


class Reader(Protocol):
    """What the service needs."""

    async def connect(self) -> None: ...
    async def close(self) -> None: ...
    async def is_ready(self) -> bool: ...
    async def candidates(self, user: int, items: Ids, deadline_ms: int) -> Candidates: ...


class ArrayReader:
    """This package: the records of all sets come in one call, straight into the matrix."""

    def __init__(self) -> None:
        self.client = AsyncClient({"hosts": hosts()})

    async def connect(self) -> None:
        await self.client.connect()
        # Counts and times calls from now on, for /metrics.
        self.client.enable_metrics()

    async def close(self) -> None:
        await self.client.close()

    async def is_ready(self) -> bool:
        return self.client.is_connected()

    async def candidates(self, user: int, items: Ids, deadline_ms: int) -> Candidates:
        policy: BatchPolicy = {"total_timeout": deadline_ms}
        features = await self.client.read_matrix(
            [
                # The same record in each row.
                (Keys(NAMESPACE, USERS, np.full(len(items), user)), _columns(USERS)),
                (Keys(NAMESPACE, ITEMS, items), _columns(ITEMS)),
                (Keys(NAMESPACE, TRENDS, items), _columns(TRENDS)),
            ],
            fill=MISSING,
            policy=policy,
        )
        return Candidates(features.matrix, features.result_codes)

    async def records(self, user: int, items: Ids) -> dict[str, aerospike.NumpyBatchRecords]:
        """The records of a user and of items, an array for each set, in one call."""
        keys = [Keys(NAMESPACE, USERS, [user]), Keys(NAMESPACE, ITEMS, items), Keys(NAMESPACE, TRENDS, items)]
        return await self.client.batch_read(keys, _dtype=DTYPES)


def _columns(name: str) -> list[tuple[str, tuple[str]]]:
    return [(f"{name}.{column}", (column,)) for column in COLUMNS[name]]


class OfficialReader:
    """The official client: Python records and a loop, in a thread pool, since it has no asyncio API."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(64)
        self._client: Any = None

    async def connect(self) -> None:
        import aerospike as official

        self._client = official.client({"hosts": hosts(), "max_conns_per_node": 200})
        await asyncio.get_running_loop().run_in_executor(self._pool, self._client.connect)

    async def close(self) -> None:
        self._pool.shutdown()
        self._client.close()

    async def is_ready(self) -> bool:
        return bool(self._client.is_connected())

    async def candidates(self, user: int, items: Ids, deadline_ms: int) -> Candidates:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._read, user, items, deadline_ms)

    def _read(self, user: int, items: Ids, deadline_ms: int) -> Candidates:
        matrix = np.full((len(items), WIDTH), MISSING, "f4")
        codes = np.zeros((len(items), len(COLUMNS)), "i4")
        policy = {"total_timeout": deadline_ms}
        first = 0
        for place, (name, columns) in enumerate(COLUMNS.items()):
            ids = [user] if name == USERS else items.tolist()
            keys = [(NAMESPACE, name, number) for number in ids]
            found = self._client.batch_read(keys, columns, policy).batch_records
            rows = slice(first, first + len(columns))
            for row, record in enumerate(found):
                # The user's record belongs to all rows.
                where: Any = slice(None) if name == USERS else row
                codes[where, place] = record.result
                if record.result == 0:
                    bins = record.record[2]
                    matrix[where, rows] = [bins.get(column, MISSING) for column in columns]
            first += len(columns)
        return Candidates(matrix, codes)


def make() -> ArrayReader | OfficialReader:
    """The reader that FEATURES_CLIENT names."""
    return OfficialReader() if os.environ.get("FEATURES_CLIENT") == "official" else ArrayReader()
