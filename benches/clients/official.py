"""The official client: Python records, then a loop into an array; a thread pool for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import Any

import aerospike
from aerospike_helpers.batch.records import BatchRecords, Write

from benches.clients.base import PATIENCE, AsyncRead, Hosts, Read, converter, counter, stacker
from benches.workloads import features
from benches.workloads.base import NAMESPACE, Key, Workload

# Rows of one batch of writes: larger ones are no faster.
WRITTEN = 5_000
# Threads of the pool: as many batches as are in flight at most.
THREADS = 128


class Official:
    def __init__(self, hosts: Hosts) -> None:
        self.version = version("aerospike")
        # One connection for each call that may run at once.
        self._client = aerospike.client(
            {"hosts": hosts, "max_conns_per_node": 2 * THREADS, "policies": {"batch": PATIENCE}}
        ).connect()
        self.get, self.put = self._client.get, self._client.put

    def reader(self, workload: Workload, count: int, start: int = 0) -> Read:
        keys, bins = workload.keys(count, start), list(workload.bins)
        client, convert = self._client, converter(workload, count)

        def read() -> Any:
            records = client.batch_read(keys, bins).batch_records
            return convert(found.record[2] if found.result == 0 else None for found in records)

        return read

    def features(self, _way: str, count: int) -> Read:
        """Records of each set, and a loop over them."""
        client, bins, stacked = self._client, list(features.COLUMNS), stacker(count)
        keys_of_sets = [features.keys(name, count) for name in features.SETS]

        def records(keys: Any) -> Any:
            answers = client.batch_read(keys, bins).batch_records
            return (found.record[2] if found.result == 0 else None for found in answers)

        return lambda: stacked(map(records, keys_of_sets))

    def arrow(self, workload: Workload, count: int) -> Read:
        """Records, then a table of their bins with the types that pyarrow infers."""
        import pyarrow as pa

        keys, client, bins = workload.keys(count), self._client, list(workload.bins)

        def read() -> Any:
            records = client.batch_read(keys, bins).batch_records
            return pa.Table.from_pylist([found.record[2] if found.result == 0 else {} for found in records])

        return read

    def query(self, workload: Workload, kind: str) -> Read:
        client, name, bins = self._client, workload.sets[0], workload.bins

        def query() -> Any:
            return client.query(NAMESPACE, name).select(*bins)

        if kind == "foreach":
            return counter(query, bins[0])
        if kind == "results":
            return lambda: query().results()
        convert = converter(workload, workload.sizes[0])
        return lambda: convert(record[2] for record in query().results())

    def records(self, workload: Workload, count: int) -> Read:
        keys, client, bins = workload.keys(count), self._client, list(workload.bins)
        return lambda: client.batch_read(keys, bins)

    def write_table(self, table: Any, namespace: str, name: str) -> None:
        bins = [column for column in table.column_names if column != "_key"]
        for block in table.to_batches(max_chunksize=WRITTEN):
            keys = block.column("_key").to_pylist()
            rows = [
                Write(
                    (namespace, name, key),
                    [{"op": aerospike.OPERATOR_WRITE, "bin": bin, "val": row[bin]} for bin in bins],
                )
                for key, row in zip(keys, block.to_pylist(), strict=True)
            ]
            self._client.batch_write(BatchRecords(rows))

    def touched(self, workload: Workload, count: int) -> Read:
        read, name = self.records(workload, count), workload.bins[0]
        return lambda: [found.record[2][name] for found in read().batch_records]

    async def face(self) -> OfficialPool:
        return OfficialPool(self)

    def close(self) -> None:
        self._client.close()


class OfficialPool:
    """The official client has no asyncio API; its users run it in a thread pool."""

    def __init__(self, sync: Official) -> None:
        self._sync = sync
        self._pool = ThreadPoolExecutor(THREADS)
        self._loop = asyncio.get_running_loop()

    def reader(self, workload: Workload, count: int, start: int = 0) -> AsyncRead:
        read, pool, loop = self._sync.reader(workload, count, start), self._pool, self._loop
        return lambda: loop.run_in_executor(pool, read)

    def get(self, key: Key) -> Awaitable[Any]:
        return self._loop.run_in_executor(self._pool, self._sync.get, key)

    def put(self, key: Key, bins: dict[str, Any]) -> Awaitable[Any]:
        return self._loop.run_in_executor(self._pool, self._sync.put, key, bins)

    async def close(self) -> None:
        self._pool.shutdown()
