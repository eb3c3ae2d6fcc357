"""The async, single-record and plain-record faces of each client, in the quickest way that we know.

`clients.py` has the batches into an array; here is what the async, competing and records parts need besides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from operator import itemgetter
from typing import Any

import numpy as np

from benches.clients import AerospikePy, Array, Client, Hosts, Native, Official, Ours
from benches.workloads.base import Key, Workload

AsyncBatch = Callable[[list[Key]], Awaitable[Array]]
AsyncOne = Callable[[int], Awaitable[Any]]
# Threads of the pool that stands for the official client's async face.
POOL = 32


class AsyncFace:
    """What one client does on an event loop; made and closed on that loop."""

    batch: AsyncBatch
    get: AsyncOne
    put: AsyncOne
    close: Callable[[], Awaitable[Any]]


async def async_face(name: str, client: Client, hosts: Hosts, workload: Workload) -> AsyncFace:
    face = AsyncFace()
    bins, dtype = list(workload.bins), workload.dtype
    values, nothing = itemgetter(*bins), (0,) * len(bins)
    keys = workload.keys(1_000)
    row = workload.values(1)
    # mypy sees our module where the index's has the same name.
    connected: Any
    if name in ("ours", "aerospike-py"):
        import aerospike_py

        connected = aerospike_py.AsyncClient({"hosts": hosts})
        await connected.connect()
        if name == "ours":

            async def batch(keys: list[Key]) -> Array:
                array: Array = (await connected.batch_read(keys, _dtype=dtype)).batch_records
                return array
        else:

            async def batch(keys: list[Key]) -> Array:
                array: Array = (await connected.batch_read(keys, bins)).to_numpy(dtype).batch_records
                return array

        face.batch = batch
        face.get = lambda number: connected.get(keys[number])
        face.put = lambda number: connected.put(keys[number], row)
        face.close = connected.close
    elif name == "official":
        assert isinstance(client, Official)
        connected, pool, loop = client.connected, ThreadPoolExecutor(POOL), asyncio.get_running_loop()

        def read(keys: list[Key]) -> Array:
            records = connected.batch_read(keys, bins).batch_records
            rows = (values(found.record[2]) if found.result == 0 else nothing for found in records)
            return np.fromiter(rows, dtype, len(keys))

        async def close() -> None:
            pool.shutdown()

        face.batch = lambda keys: loop.run_in_executor(pool, read, keys)
        face.get = lambda number: loop.run_in_executor(pool, connected.get, keys[number])
        face.put = lambda number: loop.run_in_executor(pool, connected.put, keys[number], row)
        face.close = close
    else:
        import aerospike_native

        key = aerospike_native.Key
        connected = await aerospike_native.new_client(
            aerospike_native.ClientPolicy(), ",".join(f"{host}:{port}" for host, port in hosts)
        )

        async def native_batch(keys: list[Key]) -> Array:
            answers = await connected.batch_read([key(*parts) for parts in keys], bins)
            records = (answer.record for answer in answers)
            rows = (values(record.bins) if record is not None else nothing for record in records)
            return np.fromiter(rows, dtype, len(keys))

        face.batch = native_batch
        face.get = lambda number: connected.get(key(*keys[number]))
        face.put = lambda number: connected.put(key(*keys[number]), row)
        face.close = connected.close
    return face


def touch(bins: Any) -> None:
    for _value in bins.values():
        pass


def plain(name: str, client: Client, workload: Workload) -> dict[str, Callable[[], Any]]:
    """Sync calls without a dtype: 1,000 records, with and without touching every value; one get, one put."""
    keys, bins = workload.keys(1_000), list(workload.bins)
    one, row = keys[1], workload.values(1)
    calls: dict[str, Callable[[], Any]]
    if isinstance(client, (Ours, AerospikePy, Official)):
        connected: Any = client.connected

        def read() -> Any:
            return connected.batch_read(keys, bins)

        def read_and_touch() -> None:
            answer = read()
            # The index's aerospike-py makes a dictionary of bins by key; it has no quicker way to values.
            if name == "aerospike-py":
                for found in answer.to_dict().values():
                    touch(found)
            else:
                for found in answer.batch_records:
                    touch(found.record[2])

        calls = {
            "records": read,
            "records touched": read_and_touch,
            "get": lambda: connected.get(one),
            "put": lambda: connected.put(one, row),
        }
    else:
        assert isinstance(client, Native)
        native: Any = client.connected
        key = client.key

        def native_read() -> Any:
            return native.batch_read_blocking([key(*parts) for parts in keys], bins)

        def native_touch() -> None:
            for answer in native_read():
                touch(answer.record.bins)

        calls = {
            "records": native_read,
            "records touched": native_touch,
            "get": lambda: native.get_blocking(key(*one)),
            "put": lambda: native.put_blocking(key(*one), row),
        }
    return calls
