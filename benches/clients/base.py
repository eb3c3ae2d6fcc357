"""What the worker needs from a client, and how Python records become an array."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from operator import itemgetter
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from benches.workloads import features, nested
from benches.workloads.base import Key, Workload

Array = npt.NDArray[Any]
Hosts = list[tuple[str, int]]
Read = Callable[[], Any]
# Bins by name; None is no record.
Bins = dict[str, Any] | None
# Batches may take long, and a client that gives up early has not been measured.
PATIENCE = {"total_timeout": 120_000, "socket_timeout": 120_000}
AsyncRead = Callable[[], Awaitable[Any]]


class AsyncFace(Protocol):
    """A client on the running event loop."""

    def reader(self, workload: Workload, count: int, start: int = 0) -> AsyncRead:
        """A function that reads ``count`` records from record ``start`` on into an array."""

    def get(self, key: Key) -> Awaitable[Any]: ...
    def put(self, key: Key, bins: dict[str, Any]) -> Awaitable[Any]: ...
    async def close(self) -> None: ...


class Client(Protocol):
    """A synchronous client, which can also return its asynchronous counterpart."""

    version: str

    def reader(self, workload: Workload, count: int, start: int = 0) -> Read:
        """A function that reads ``count`` records from record ``start`` on into an array."""

    def records(self, workload: Workload, count: int) -> Read:
        """A function that reads them as Python records."""

    def touched(self, workload: Workload, count: int) -> Read:
        """The same, and accesses the bins of each record: some clients create them only then."""

    def query(self, workload: Workload, kind: str) -> Read:
        """A function that queries the whole set: into an array, as a list of records (``results``), or with
        a call for each record that looks at a bin (``foreach``), whose number it returns."""

    def get(self, key: Key) -> Any: ...
    def put(self, key: Key, bins: dict[str, Any]) -> Any: ...
    async def face(self) -> AsyncFace: ...
    def close(self) -> None: ...


def counter(query: Any, name: str) -> Read:
    """A function that runs a query with a callback, which looks at a bin, and returns how often it ran."""

    def read() -> int:
        seen = []

        def look(record: Any) -> None:
            seen.append(record[2][name])

        query().foreach(look)
        return len(seen)

    return read


def stack(parts: list[Array]) -> Array:
    """One matrix of arrays of features."""
    return np.hstack([part.view("f4").reshape(len(part), -1) for part in parts])


def stacker(count: int) -> Callable[[Iterable[Iterable[Bins]]], Array]:
    """The fastest known way from the bins of the records of each set to one matrix."""
    values, nothing = itemgetter(*features.COLUMNS), (np.nan,) * len(features.COLUMNS)

    def from_sets(sets: Iterable[Iterable[Bins]]) -> Array:
        rows = ((values(bins) if bins is not None else nothing for bins in records) for records in sets)
        return stack([np.fromiter(of_set, features.DTYPE, count) for of_set in rows])

    return from_sets


def from_maps(workload: Workload) -> Callable[[Iterable[Bins]], Array]:
    """The same for features in a map of maps."""
    (bin_name,), dtype = workload.bins, workload.dtype
    (one, first), (two, second) = ((view, itemgetter(*dict(names))) for view, names in nested.VIEWS.items())

    def into_nested(records: Iterable[Bins]) -> Array:
        features = (record[bin_name] for record in records)  # type: ignore[index]
        return np.array([((first(found[one]), second(found[two])),) for found in features], dtype)

    def into_flat(records: Iterable[Bins]) -> Array:
        features = (record[bin_name] for record in records)  # type: ignore[index]
        return np.fromiter((first(found[one]) + second(found[two]) for found in features), dtype)

    return into_flat if workload.paths else into_nested


def converter(workload: Workload, count: int) -> Callable[[Iterable[Bins]], Array]:
    """The fastest known way from the bins of each record to an array; None is a missing record."""
    bins, dtype = workload.bins, workload.dtype
    values: Callable[[Any], Any] = itemgetter(*bins)
    if workload.vector == "blob":

        def from_blobs(records: Iterable[Bins]) -> Array:
            return np.frombuffer(b"".join(values(record) for record in records), dtype)

        return from_blobs
    if workload.vector == "list":

        def from_lists(records: Iterable[Bins]) -> Array:
            return np.array([values(record) for record in records], "f4").view(dtype).reshape(count)

        return from_lists
    if workload.stored:
        return from_maps(workload)
    nothing = (0,) * len(bins)

    def from_rows(records: Iterable[Bins]) -> Array:
        return np.fromiter((values(bins) if bins is not None else nothing for bins in records), dtype, count)

    return from_rows
