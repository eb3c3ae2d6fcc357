"""The two kinds of query: for ``Client`` and for ``AsyncClient``."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._utils.describe import describe
from ..exception import ParamTypeError, QueryDecodeError
from .base import QueryBase, has_partition_filter
from .records import AsyncQueryRecords, QueryRecords

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..records import Record
    from ..types import QueryPolicy

_PARTITIONS = 4096


def _partition_of(record: Record) -> int:
    return int.from_bytes(record.key.digest[:2], "little") % _PARTITIONS


def _check_callback(callback: object) -> None:
    if not callable(callback):
        raise ParamTypeError(f"callback is {describe(callback)}; it must be a function that takes a record")


class Query(QueryBase):
    """A query, created by :meth:`Client.query`. Iterate over it to run it.

    Example:
        >>> for key, meta, bins in client.query("test", "users"):
        ...     print(bins["name"], meta["gen"])
        Ada 1
        Bea 1
    """

    def results(
        self, policy: QueryPolicy | None = None, options: Mapping[str, bool] | None = None
    ) -> list[Record]:
        """Runs the query and returns all its records.

        Args:
            policy: query policy (``total_timeout``, ``max_retries``, ``partition_filter`` ...).
            options: ``{"nobins": True}`` reads no bins.

        Returns:
            A list of named tuples ``(key, meta, bins)``. ``key.key`` is the primary key if the server stored
            it, otherwise None.

        Raises:
            AerospikeError: the query failed. Records that arrived before the failure are not returned, and
                the query's position is what it was before the call. To get records as they arrive, use
                :meth:`records`.
            QueryDecodeError: Python cannot represent some of the records. Its ``records`` has all others.

        Example:
            >>> len(client.query("test", "users").results({"total_timeout": 10_000}))
            2
        """
        records = self.records(policy, options)
        found: list[Record] = []
        try:
            found.extend(records)
        except QueryDecodeError as error:
            error.records = found
            raise
        except BaseException:
            records._rewind()
            raise
        return found

    def foreach(
        self,
        callback: Callable[..., Any],
        policy: QueryPolicy | None = None,
        options: Mapping[str, bool] | None = None,
    ) -> None:
        """Runs the query and calls a function with each record as it arrives.

        Args:
            callback: called as ``callback(record)``, or as ``callback(partition, record)`` if the policy has
                a ``partition_filter``. The query ends when it returns False or raises; if the query is
                continued, it begins with this record.
            policy: query policy, as in :meth:`results`.
            options: as in :meth:`results`.

        Raises:
            AerospikeError: the query failed. Exceptions of ``callback`` are raised unchanged.
            QueryDecodeError: Python cannot represent some of the records. ``callback`` was called with all
                others.

        Example:
            >>> client.query("test", "users").foreach(lambda record: print(record.bins["name"]))
            Ada
            Bea
        """
        _check_callback(callback)
        with_partition = has_partition_filter(policy)
        with self.records(policy, options) as records:
            for record in records:
                answer = callback(_partition_of(record), record) if with_partition else callback(record)
                if answer is False:
                    return

    def records(
        self, policy: QueryPolicy | None = None, options: Mapping[str, bool] | None = None
    ) -> QueryRecords:
        """Runs the query and iterates over its records. Iterating over the query does the same, without a
        policy.

        Args:
            policy: query policy, as in :meth:`results`.
            options: as in :meth:`results`.

        Returns:
            An iterator over named tuples ``(key, meta, bins)``. Use it as a context manager, or close it.

        Example:
            >>> with client.query("test").records({"socket_timeout": 5_000}) as records:
            ...     first = next(records)
        """
        return QueryRecords(self, policy, options)

    def __iter__(self) -> QueryRecords:
        return self.records()


class AsyncQuery(QueryBase):
    """A query, created by :meth:`AsyncClient.query`. Iterate over it to run it.

    Example:
        >>> async for key, meta, bins in client.query("test", "users"):
        ...     print(bins["name"], meta["gen"])
        Ada 1
        Bea 1
    """

    async def results(
        self, policy: QueryPolicy | None = None, options: Mapping[str, bool] | None = None
    ) -> list[Record]:
        """Like :meth:`Query.results`, awaited.

        Example:
            >>> len(await client.query("test", "users").results())
            2
        """
        records = self.records(policy, options)
        found: list[Record] = []
        try:
            async for record in records:
                found.append(record)  # noqa: PERF401 (a comprehension would lose them at an exception)
        except QueryDecodeError as error:
            error.records = found
            raise
        except BaseException:
            records._rewind()
            raise
        return found

    async def foreach(
        self,
        callback: Callable[..., Any],
        policy: QueryPolicy | None = None,
        options: Mapping[str, bool] | None = None,
    ) -> None:
        """Like :meth:`Query.foreach`, awaited. ``callback`` may be a coroutine function.

        Example:
            >>> await client.query("test", "users").foreach(lambda record: print(record.bins["name"]))
            Ada
            Bea
        """
        _check_callback(callback)
        with_partition = has_partition_filter(policy)
        async with self.records(policy, options) as records:
            async for record in records:
                answer = callback(_partition_of(record), record) if with_partition else callback(record)
                if inspect.isawaitable(answer):
                    answer = await answer
                if answer is False:
                    return

    def records(
        self, policy: QueryPolicy | None = None, options: Mapping[str, bool] | None = None
    ) -> AsyncQueryRecords:
        """Like :meth:`Query.records`, for ``async for``.

        Example:
            >>> async for record in client.query("test", "users").records({"socket_timeout": 5_000}):
            ...     print(record.bins["name"])
            Ada
            Bea
        """
        return AsyncQueryRecords(self, policy, options)

    def __aiter__(self) -> AsyncQueryRecords:
        return self.records()
