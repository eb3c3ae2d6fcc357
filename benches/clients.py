"""The clients that are compared, each in the quickest way that we know to get a batch into an array.

All of them start from the same list of ``(namespace, set, key)`` tuples and end with a structured array of
the workload's dtype. Each module is imported only where it is used: two of them share the name
``aerospike_py`` and live in environments of their own.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from operator import itemgetter
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from benches.workloads.base import Workload

Array = npt.NDArray[Any]
Hosts = list[tuple[str, int]]


class Client(Protocol):
    """What the worker needs of a client."""

    version: str

    def reader(self, workload: Workload, count: int) -> Callable[[], Array]:
        """A function that reads the first ``count`` records into an array."""

    def close(self) -> None: ...


class Ours:
    """This package: values are written from the socket into the array."""

    def __init__(self, hosts: Hosts) -> None:
        import aerospike_py

        self.version = aerospike_py.__version__
        self._client = aerospike_py.client({"hosts": hosts}).connect()

    def reader(self, workload: Workload, count: int) -> Callable[[], Array]:
        keys = workload.keys(count)
        client, dtype = self._client, workload.dtype

        def read() -> Array:
            return client.batch_read(keys, _dtype=dtype).batch_records

        return read

    def close(self) -> None:
        self._client.close()


class AerospikePy:
    """aerospike-py of the public index: records in Rust, converted by its own ``to_numpy``."""

    def __init__(self, hosts: Hosts) -> None:
        from importlib.metadata import version

        import aerospike_py

        self.version = version("aerospike-py")
        # mypy sees our module of the same name.
        self._client: Any = aerospike_py.client({"hosts": hosts}).connect()

    def reader(self, workload: Workload, count: int) -> Callable[[], Array]:
        keys, bins = workload.keys(count), list(workload.bins)
        client, dtype = self._client, workload.dtype

        def read() -> Array:
            array: Array = client.batch_read(keys, bins).to_numpy(dtype).batch_records
            return array

        return read

    def close(self) -> None:
        self._client.close()


class Official:
    """The official client: Python records, then a loop into an array."""

    def __init__(self, hosts: Hosts) -> None:
        from importlib.metadata import version

        import aerospike

        self.version = version("aerospike")
        self._client = aerospike.client({"hosts": hosts}).connect()

    def load(self, workload: Workload) -> None:
        for number in range(workload.records):
            self._client.put(workload.key(number), workload.values(number))

    def reader(self, workload: Workload, count: int) -> Callable[[], Array]:
        keys, bins = workload.keys(count), list(workload.bins)
        client, dtype = self._client, workload.dtype
        values, nothing = itemgetter(*bins), (0,) * len(bins)

        def read() -> Array:
            records = client.batch_read(keys, bins).batch_records
            rows = (values(found.record[2]) if found.result == 0 else nothing for found in records)
            return np.fromiter(rows, dtype, count)

        return read

    def close(self) -> None:
        self._client.close()


class Native:
    """aerospike-native: Python records over the vendor's Rust core, then a loop into an array."""

    def __init__(self, hosts: Hosts) -> None:
        os.environ["AEROSPIKE_NO_UVLOOP"] = "1"
        from importlib.metadata import version

        import aerospike_native

        self.version = version("aerospike-native")
        self._key = aerospike_native.Key
        self._client = aerospike_native.new_client_blocking(
            aerospike_native.ClientPolicy(), ",".join(f"{host}:{port}" for host, port in hosts)
        )

    def reader(self, workload: Workload, count: int) -> Callable[[], Array]:
        keys, bins = workload.keys(count), list(workload.bins)
        client, dtype, key = self._client, workload.dtype, self._key
        values, nothing = itemgetter(*bins), (0,) * len(bins)

        def read() -> Array:
            answers = client.batch_read_blocking([key(*parts) for parts in keys], bins)
            records = (answer.record for answer in answers)
            rows = (values(record.bins) if record is not None else nothing for record in records)
            return np.fromiter(rows, dtype, count)

        return read

    def close(self) -> None:
        self._client.close_blocking()


CLIENTS: dict[str, Callable[[Hosts], Client]] = {
    "ours": Ours,
    "aerospike-py": AerospikePy,
    "official": Official,
    "aerospike-native": Native,
}
