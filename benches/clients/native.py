"""aerospike-native: Python records over the vendor's Rust core, then a loop into an array."""

from __future__ import annotations

import os
from collections.abc import Awaitable
from importlib.metadata import version
from typing import Any

from benches.clients.base import PATIENCE, AsyncRead, Hosts, Read, converter, stacker
from benches.workloads import features
from benches.workloads.base import NAMESPACE, Key, Workload

# All clients run on the same event loop.
os.environ["AEROSPIKE_NO_UVLOOP"] = "1"
import aerospike_native


def batch_policy() -> Any:
    policy = aerospike_native.BatchPolicy()
    for name, value in PATIENCE.items():
        setattr(policy, name, value)
    return policy


class Native:
    def __init__(self, hosts: Hosts) -> None:
        self.version = version("aerospike-native")
        self._seeds = ",".join(f"{host}:{port}" for host, port in hosts)
        self._policy = batch_policy()
        self._client = aerospike_native.new_client_blocking(aerospike_native.ClientPolicy(), self._seeds)

    def reader(self, workload: Workload, count: int, start: int = 0) -> Read:
        keys, bins = workload.keys(count, start), list(workload.bins)
        client, key, convert = self._client, aerospike_native.Key, converter(workload, count)
        policy = self._policy

        def read() -> Any:
            answers = client.batch_read_blocking([key(*parts) for parts in keys], bins, batch_policy=policy)
            records = (answer.record for answer in answers)
            return convert(record.bins if record is not None else None for record in records)

        return read

    def features(self, _way: str, count: int) -> Read:
        """Records of each set, and a loop over them."""
        client, key, policy = self._client, aerospike_native.Key, self._policy
        bins, stacked = list(features.COLUMNS), stacker(count)
        keys_of_sets = [features.keys(name, count) for name in features.SETS]

        def records(keys: Any) -> Any:
            answers = client.batch_read_blocking([key(*parts) for parts in keys], bins, batch_policy=policy)
            found = (answer.record for answer in answers)
            return (record.bins if record is not None else None for record in found)

        return lambda: stacked(map(records, keys_of_sets))

    def arrow(self, workload: Workload, count: int) -> Read:
        """Records, then a table of their bins with the types that pyarrow infers."""
        import pyarrow as pa

        answers = self.records(workload, count)

        def read() -> Any:
            records = (answer.record for answer in answers())
            return pa.Table.from_pylist([record.bins if record is not None else {} for record in records])

        return read

    def query(self, workload: Workload, kind: str) -> Read:
        client, name, bins = self._client, workload.sets[0], list(workload.bins)
        convert = converter(workload, workload.sizes[0])

        def records() -> Any:
            statement = aerospike_native.Statement(NAMESPACE, name, bins)
            return client.query_blocking(statement, aerospike_native.PartitionFilter.all())

        if kind == "foreach":
            return lambda: len([record.bins[bins[0]] for record in records()])
        if kind == "results":
            return lambda: list(records())
        return lambda: convert(record.bins for record in records())

    def records(self, workload: Workload, count: int) -> Read:
        keys, bins = workload.keys(count), list(workload.bins)
        client, key, policy = self._client, aerospike_native.Key, self._policy
        return lambda: client.batch_read_blocking([key(*parts) for parts in keys], bins, batch_policy=policy)

    def touched(self, workload: Workload, count: int) -> Read:
        read, name = self.records(workload, count), workload.bins[0]
        return lambda: [answer.record.bins[name] for answer in read()]

    def get(self, key: Key) -> Any:
        return self._client.get_blocking(aerospike_native.Key(*key))

    def put(self, key: Key, bins: dict[str, Any]) -> Any:
        return self._client.put_blocking(aerospike_native.Key(*key), bins)

    async def face(self) -> NativeAsync:
        return NativeAsync(await aerospike_native.new_client(aerospike_native.ClientPolicy(), self._seeds))

    def close(self) -> None:
        self._client.close_blocking()


class NativeAsync:
    def __init__(self, client: Any) -> None:
        self._client, self._policy = client, batch_policy()

    def reader(self, workload: Workload, count: int, start: int = 0) -> AsyncRead:
        keys, bins = workload.keys(count, start), list(workload.bins)
        client, key, convert = self._client, aerospike_native.Key, converter(workload, count)
        policy = self._policy

        async def read() -> Any:
            answers = await client.batch_read([key(*parts) for parts in keys], bins, batch_policy=policy)
            records = (answer.record for answer in answers)
            return convert(record.bins if record is not None else None for record in records)

        return read

    def get(self, key: Key) -> Awaitable[Any]:
        answer: Awaitable[Any] = self._client.get(aerospike_native.Key(*key))
        return answer

    def put(self, key: Key, bins: dict[str, Any]) -> Awaitable[Any]:
        answer: Awaitable[Any] = self._client.put(aerospike_native.Key(*key), bins)
        return answer

    async def close(self) -> None:
        await self._client.close()
