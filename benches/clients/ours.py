"""This package: values go from the socket straight into the array."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from typing import Any

import numpy as np

import aerospike_py
from aerospike_py import Keys
from aerospike_py.types import ClientConfig
from benches.clients.base import AsyncRead, Hosts, Read, counter
from benches.workloads import features
from benches.workloads.arrow import SCHEMAS
from benches.workloads.base import NAMESPACE, Key, Workload


class Ours:
    def __init__(self, hosts: Hosts, *, as_array: bool = False) -> None:
        self.version = aerospike_py.__version__
        self._config: ClientConfig = {"hosts": hosts}
        self._as_array = as_array
        self._client = aerospike_py.client(self._config).connect()
        self.get, self.put = self._client.get, self._client.put

    def _keys(self, workload: Workload, count: int, start: int) -> Any:
        if not self._as_array:
            return workload.keys(count, start)
        if len(workload.sets) > 1:
            raise ValueError("the keys of this workload are in several sets, and Keys takes one set")
        return Keys(NAMESPACE, workload.sets[0], workload.names(count, start))

    def reader(self, workload: Workload, count: int, start: int = 0) -> Read:
        keys, client, dtype = self._keys(workload, count, start), self._client, workload.dtype
        if workload.paths is not None:
            read: Any = partial(client.batch_read, paths=workload.paths)
            return lambda: read(keys, _dtype=dtype).batch_records
        return lambda: client.batch_read(keys, _dtype=dtype).batch_records

    def _groups(self, count: int, start: int = 0) -> list[tuple[Any, list[Any]]]:
        def keys(name: str) -> Any:
            if self._as_array:
                return Keys(NAMESPACE, name, np.arange(start, start + count))
            return features.keys(name, count, start)

        return [(keys(name), features.columns(name)) for name in features.SETS]

    def features(self, way: str, count: int) -> Read:
        client, groups = self._client, self._groups(count)
        if way == "matrix":
            return lambda: client.read_matrix(groups).matrix

        def batches() -> Any:
            return [client.batch_read(keys, _dtype=features.DTYPE) for keys, _ in groups]

        def stacked() -> Any:
            parts = []
            for batch in batches():
                part = batch.batch_records.view("f4").reshape(count, -1)
                part[~batch.ok] = np.nan
                parts.append(part)
            return np.hstack(parts)

        return batches if way == "batches" else stacked

    def arrow(self, workload: Workload, count: int) -> Read:
        keys, client, schema = self._keys(workload, count, 0), self._client, SCHEMAS[workload.name]
        return lambda: client.batch_read_arrow(keys, schema)

    def query(self, workload: Workload, kind: str) -> Read:
        client, dtype, name = self._client, workload.dtype, workload.sets[0]
        if kind == "array":
            return lambda: client.query(NAMESPACE, name).to_numpy(dtype)
        bins = workload.bins

        def query() -> Any:
            return client.query(NAMESPACE, name).select(*bins)

        return counter(query, bins[0]) if kind == "foreach" else lambda: query().results()

    def records(self, workload: Workload, count: int) -> Read:
        keys, client, bins = workload.keys(count), self._client, list(workload.bins)
        return lambda: client.batch_read(keys, bins)

    def write_array(self, array: Any, namespace: str, name: str, _dtype: Any) -> Any:
        # The dtype is the array's own.
        return self._client.batch_write_numpy(array, namespace, name)

    def write_table(self, table: Any, namespace: str, name: str) -> Any:
        bins = [column for column in table.column_names if column != "_key"]
        return self._client.batch_write_arrow(table, namespace, name, key="_key", bins=bins)

    def touched(self, workload: Workload, count: int) -> Read:
        read, name = self.records(workload, count), workload.bins[0]
        return lambda: [found.record[2][name] for found in read().batch_records]

    async def face(self) -> OursAsync:
        return OursAsync(await aerospike_py.AsyncClient(self._config).connect(), self)

    def close(self) -> None:
        self._client.close()


class OursAsync:
    def __init__(self, client: aerospike_py.AsyncClient, sync: Ours) -> None:
        self._client, self._sync = client, sync

    def reader(self, workload: Workload, count: int, start: int = 0) -> AsyncRead:
        keys, client, dtype = self._sync._keys(workload, count, start), self._client, workload.dtype

        async def read() -> Any:
            return (await client.batch_read(keys, _dtype=dtype)).batch_records

        return read

    def features(self, count: int, start: int) -> AsyncRead:
        client, groups = self._client, self._sync._groups(count, start)
        return lambda: client.read_matrix(groups)

    def get(self, key: Key) -> Awaitable[Any]:
        return self._client.get(key)

    def put(self, key: Key, bins: dict[str, Any]) -> Awaitable[Any]:
        return self._client.put(key, bins)

    async def close(self) -> None:
        await self._client.close()
