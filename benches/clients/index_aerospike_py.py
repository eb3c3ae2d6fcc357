"""aerospike-py from PyPI: records in Rust, converted by its own ``to_numpy``."""

from __future__ import annotations

from collections.abc import Awaitable
from importlib.metadata import version
from typing import Any

import numpy as np

import aerospike_py
from benches.clients.base import PATIENCE, AsyncRead, Hosts, Read, converter, counter, stack
from benches.workloads import features
from benches.workloads.base import NAMESPACE, Key, Workload

# mypy sees our module of the same name.
MODULE: Any = aerospike_py


class AerospikePy:
    def __init__(self, hosts: Hosts) -> None:
        self.version = version("aerospike-py")
        self._config = {"hosts": hosts}
        self._client = MODULE.client(self._config).connect()
        self.get, self.put = self._client.get, self._client.put
        self.write_array = self._client.batch_write_numpy

    def reader(self, workload: Workload, count: int, start: int = 0) -> Read:
        keys, bins = workload.keys(count, start), list(workload.bins)
        client, dtype = self._client, workload.dtype
        if workload.stored:
            # It has no conversion for maps.
            convert = converter(workload, count)
            return lambda: convert(
                found.record[2] for found in client.batch_read(keys, bins, PATIENCE).batch_records
            )
        return lambda: client.batch_read(keys, bins, PATIENCE).to_numpy(dtype).batch_records

    def features(self, _way: str, count: int) -> Read:
        """An array for each set, and those stacked."""
        client, bins, dtype = self._client, list(features.COLUMNS), features.DTYPE
        keys_of_sets = [features.keys(name, count) for name in features.SETS]

        def array(keys: Any) -> Any:
            found = client.batch_read(keys, bins, PATIENCE).to_numpy(dtype)
            found.batch_records[found.result_codes != 0] = np.nan
            return found.batch_records

        return lambda: stack([array(keys) for keys in keys_of_sets])

    def arrow(self, workload: Workload, count: int) -> Read:
        """Numbers and text by way of an array, which takes half the time of records.

        Text needs a longest length for that. Its ``to_numpy`` has no lists of several lengths.
        """
        import pyarrow as pa

        keys, bins = workload.keys(count), list(workload.bins)
        client, dtype = self._client, workload.dtype

        def from_array() -> Any:
            found = client.batch_read(keys, bins, PATIENCE).to_numpy(dtype)
            missing = found.result_codes != 0
            columns = {name: pa.array(found.batch_records[name], mask=missing) for name in bins}
            texts = {name: columns[name].cast(pa.string()) for name in bins if dtype[name].kind == "S"}
            return pa.table(columns | texts)

        def from_records() -> Any:
            answers = client.batch_read(keys, bins, PATIENCE).batch_records
            return pa.Table.from_pylist([found.record[2] if found.result == 0 else {} for found in answers])

        return from_records if dtype[bins[0]].shape else from_array

    def query(self, workload: Workload, kind: str) -> Read:
        client, name, bins = self._client, workload.sets[0], workload.bins

        def query() -> Any:
            made = client.query(NAMESPACE, name)
            made.select(*bins)
            return made

        if kind == "foreach":
            return counter(query, bins[0])
        if kind == "results":
            return lambda: query().results()
        convert = converter(workload, workload.sizes[0])
        return lambda: convert(record[2] for record in query().results())

    def records(self, workload: Workload, count: int) -> Read:
        keys, client, bins = workload.keys(count), self._client, list(workload.bins)
        return lambda: client.batch_read(keys, bins, PATIENCE).batch_records

    def touched(self, workload: Workload, count: int) -> Read:
        read, name = self.records(workload, count), workload.bins[0]
        return lambda: [found.record[2][name] for found in read()]

    async def face(self) -> AerospikePyAsync:
        client = MODULE.AsyncClient(self._config)
        await client.connect()
        return AerospikePyAsync(client)

    def close(self) -> None:
        self._client.close()


class AerospikePyAsync:
    def __init__(self, client: Any) -> None:
        self._client = client

    def reader(self, workload: Workload, count: int, start: int = 0) -> AsyncRead:
        keys, bins = workload.keys(count, start), list(workload.bins)
        client, dtype = self._client, workload.dtype

        async def read() -> Any:
            return (await client.batch_read(keys, bins, PATIENCE)).to_numpy(dtype).batch_records

        return read

    def get(self, key: Key) -> Awaitable[Any]:
        answer: Awaitable[Any] = self._client.get(key)
        return answer

    def put(self, key: Key, bins: dict[str, Any]) -> Awaitable[Any]:
        answer: Awaitable[Any] = self._client.put(key, bins)
        return answer

    async def close(self) -> None:
        await self._client.close()
