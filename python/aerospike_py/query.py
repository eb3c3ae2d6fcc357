"""Queries over the records of a set or namespace, and the iterators of their results."""

from __future__ import annotations

import contextlib
import inspect
import threading
import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ._utils.event_loop import call
from .exception import AerospikeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

    from . import _native
    from .records import Record
    from .types import QueryPolicy

_PREDICATES = "only the primary index can be queried; use the official client for secondary indexes"
_BACKGROUND = "queries only read records; use the official client for background jobs"

#: Method of the official client's queries that will exist to what to do until then.
_UNSUPPORTED = {
    **dict.fromkeys(("where", "where_with_expr", "where_with_index_name"), _PREDICATES),
    **dict.fromkeys(("add_ops", "execute_background"), _BACKGROUND),
    "apply": "use the official client for user-defined functions",
}

_PARTITIONS = 4096


def _partition_of(record: Record) -> int:
    return int.from_bytes(record.key.digest[:2], "little") % _PARTITIONS


def _has_partition_filter(policy: object) -> bool:
    return isinstance(policy, Mapping) and policy.get("partition_filter") is not None


class _QueryBase:
    """The base of ``Query`` and ``AsyncQuery``: settings of a query, and its progress.

    Attributes:
        max_records: the most records of one run, over all nodes; 0 for all. After :meth:`paginate` it is the
            size of a page.
        records_per_second: the most records per second that each node reads; 0 for no limit.
        ttl: time to live of records that a query writes. Queries cannot write yet.
    """

    def __init__(self, core: _native.Core, namespace: str, set: str | None) -> None:
        self._core = core
        self._namespace = namespace
        self._set = set
        self._bins: list[str] | None = None
        self._paginates = False
        self._place: _native.QueryPlace | None = None
        self._run: weakref.ref[_QueryRun] | None = None
        self.max_records = 0
        self.records_per_second = 0
        self.ttl = 0

    def select(self, *bins: str) -> Self:
        """Chooses the bins to read.

        A record that has none of these bins is left out.

        Args:
            bins: names of the bins; none for all bins.

        Returns:
            The query itself.

        Example:
            >>> query = client.query("test", "users")
            >>> query.select("name", "visits")
            <...Query of 'test', set 'users'>
        """
        self._bins = [*bins] or None
        return self

    def paginate(self) -> None:
        """Makes each run continue where the previous one ended. Set ``max_records`` to the size of a page.

        Example:
            >>> query = client.query("test", "users")
            >>> query.max_records = 1000
            >>> query.paginate()
            >>> query.is_done()
            False
        """
        if not self._paginates:
            # The first page starts at the beginning, even after earlier runs.
            self._paginates, self._place, self._run = True, None, None

    def is_done(self) -> bool:
        """Whether the last run returned all records of all its partitions.

        Example:
            >>> client.query("test", "users").is_done()
            False
        """
        place = self._current_place()
        return place is not None and place.is_done()

    def get_partitions_status(self) -> dict[int | str, Any]:
        """The progress of the last run, by partition.

        Pass it as ``partition_status`` in a ``partition_filter`` to continue from there, also in another
        process or with the official client.

        Returns:
            Partition to ``(partition, init, retry, digest, bval)``: ``init`` tells whether a record of the
            partition came, ``retry`` whether there may be more, ``digest`` (a bytearray) is the digest of the
            last record, ``bval`` is 0. The key ``"done"`` tells whether all records came; ``"retry"`` is
            False. Empty before the first run.

        Example:
            >>> status = client.query("test", "users").get_partitions_status()
            >>> policy = {"partition_filter": {"partition_status": status}}
        """
        place = self._current_place()
        return {} if place is None else place.status()

    def _current_place(self) -> _native.QueryPlace | None:
        """The place of the last run, which may still be running."""
        run = None if self._run is None else self._run()
        if run is not None:
            run._save_place()
        return self._place

    def _start(self, policy: QueryPolicy | None, options: Mapping[str, bool] | None) -> _native.QueryStream:
        place = self._current_place() if self._paginates else None
        return self._core.query(
            self._namespace,
            self._set,
            self._bins,
            policy,
            options,
            self.max_records,
            self.records_per_second,
            place,
        )

    if not TYPE_CHECKING:  # Type checkers must report these names as missing.

        def __getattr__(self, name: str) -> Any:
            kind = type(self).__name__
            if reason := _UNSUPPORTED.get(name):
                raise AttributeError(f"{kind}.{name} is not supported yet: {reason}", name=name, obj=self)
            raise AttributeError(f"{kind!r} object has no attribute {name!r}", name=name, obj=self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._namespace!r}, set {self._set!r}>"


class _QueryRun:
    """One run of a query. It closes its stream when it ends or is garbage-collected."""

    def __init__(
        self, query: _QueryBase, policy: QueryPolicy | None, options: Mapping[str, bool] | None
    ) -> None:
        self._query = query
        self._policy = policy
        self._options = options
        self._stream: _native.QueryStream | None = None
        self._is_over = False
        self._block: list[Record] = []
        self._used = 0

    def _open(self) -> _native.QueryStream:
        if self._stream is None:
            self._stream = self._query._start(self._policy, self._options)
            self._query._run = weakref.ref(self)
        return self._stream

    def _save_place(self) -> None:
        if self._stream is not None:
            self._query._place = self._stream.place(self._used)

    def _end(self) -> None:
        """Saves the place of the query and closes its connections."""
        self._is_over = True
        stream, self._stream = self._stream, None
        if stream is not None:
            run = self._query._run
            try:
                # The place of a later run takes precedence.
                if run is not None and run() in (self, None):
                    self._query._place = stream.place(self._used)
            finally:
                stream.close()
        self._block, self._used = [], 0

    def __del__(self) -> None:
        if getattr(self, "_stream", None) is not None:
            # Raised in a forked child: the stream belongs to the parent.
            with contextlib.suppress(AerospikeError):
                self._end()


class QueryRecords(_QueryRun):
    """Iterator over the records of a query.

    Records arrive in blocks. At most a few blocks are read ahead; then the nodes wait until the caller
    continues. The connections are closed after the last record, or on exit if it is used as a context
    manager. Threads may share an iterator.

    Example:
        >>> with client.query("test", "users").records() as records:
        ...     first = next(records)
    """

    def __init__(
        self, query: _QueryBase, policy: QueryPolicy | None, options: Mapping[str, bool] | None
    ) -> None:
        super().__init__(query, policy, options)
        self._lock = threading.Lock()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Record:
        with self._lock:
            if self._used == len(self._block):
                if self._is_over:
                    raise StopIteration
                if self._stream is None:
                    self._query._core.ensure_connected(None)
                block = self._open().next_block(None)
                if block is None:
                    self._end()
                    raise StopIteration
                self._block, self._used = block, 0
            record = self._block[self._used]
            self._used += 1
            return record

    def close(self) -> None:
        """Ends the query and closes its connections. In a thread that waits for a record, the iteration ends.

        Example:
            >>> client.query("test", "users").records().close()
        """
        stream = self._stream
        if stream is not None:
            stream.close()
        with self._lock:
            self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class AsyncQueryRecords(_QueryRun):
    """Like :class:`QueryRecords`, for ``async for`` and ``async with``. Only one task at a time may wait for
    it.

    Example:
        >>> async with client.query("test", "users").records() as records:
        ...     first = await anext(records)
    """

    _is_waiting = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Record:
        if self._used == len(self._block):
            if self._is_waiting:
                raise RuntimeError("another task is waiting for the next record of this query")
            self._is_waiting = True
            try:
                await self._next_block()
            finally:
                self._is_waiting = False
        record = self._block[self._used]
        self._used += 1
        return record

    async def _next_block(self) -> None:
        if self._is_over:
            raise StopAsyncIteration
        if self._stream is None and self._query._core.is_new():
            await call(self._query._core.ensure_connected)
        block = await call(self._open().next_block)
        if block is None:
            self._end()
            raise StopAsyncIteration
        self._block, self._used = block, 0

    async def aclose(self) -> None:
        """Ends the query and closes its connections. Closing again does nothing.

        Example:
            >>> await client.query("test", "users").records().aclose()
        """
        self._end()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.aclose()


class Query(_QueryBase):
    """A query, made by :meth:`Client.query`. Iterate over it to run it.

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
            it, else None.

        Raises:
            AerospikeError: the query failed. Records that came before are lost; :meth:`records` returns them.

        Example:
            >>> len(client.query("test", "users").results({"total_timeout": 10_000}))
            2
        """
        with self.records(policy, options) as records:
            return list(records)

    def foreach(
        self,
        callback: Callable[..., Any],
        policy: QueryPolicy | None = None,
        options: Mapping[str, bool] | None = None,
    ) -> None:
        """Runs the query and calls a function with each record as it arrives.

        Args:
            callback: called as ``callback(record)``, or as ``callback(partition, record)`` if the policy has
                a ``partition_filter``. The query ends when it returns False or raises.
            policy: query policy, as in :meth:`results`.
            options: as in :meth:`results`.

        Raises:
            AerospikeError: the query failed. Exceptions of ``callback`` are raised unchanged.

        Example:
            >>> client.query("test", "users").foreach(lambda record: print(record.bins["name"]))
            Ada
            Bea
        """
        with_partition = _has_partition_filter(policy)
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
            An iterator over named tuples ``(key, meta, bins)``, to be used as a context manager or closed.

        Example:
            >>> with client.query("test").records({"socket_timeout": 5_000}) as records:
            ...     first = next(records)
        """
        return QueryRecords(self, policy, options)

    def __iter__(self) -> QueryRecords:
        return self.records()


class AsyncQuery(_QueryBase):
    """A query, made by :meth:`AsyncClient.query`. Iterate over it to run it.

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
        async with self.records(policy, options) as records:
            return [record async for record in records]

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
        with_partition = _has_partition_filter(policy)
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
