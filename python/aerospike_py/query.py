"""Queries: the records of a namespace or a set."""

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

_PREDICATES = "queries go over the primary index so far; use the official client for secondary indexes"
_BACKGROUND = "queries read records so far; jobs that servers run on their own come later"

#: What the official client's queries have and these do not yet, and why.
_NOT_YET = {
    **dict.fromkeys(("where", "where_with_expr", "where_with_index_name"), _PREDICATES),
    **dict.fromkeys(("add_ops", "execute_background"), _BACKGROUND),
    "apply": "user-defined functions come later; the official client has them",
}

_PARTITIONS = 4096


def _partition_of(record: Record) -> int:
    return int.from_bytes(record.key.digest[:2], "little") % _PARTITIONS


def _has_filter(policy: object) -> bool:
    return isinstance(policy, Mapping) and policy.get("partition_filter") is not None


class _Query:
    """What the queries of both faces have in common.

    Attributes:
        max_records: the most records of one run, all nodes together; 0 for all. After :meth:`paginate` it is
            the size of a page.
        records_per_second: the most records a second that each node reads; 0 for no limit.
        ttl: of records that a query writes; queries that write are not there yet.
    """

    def __init__(self, core: _native.Core, namespace: str, set: str | None) -> None:
        self._core = core
        self._namespace = namespace
        self._set = set
        self._bins: list[str] | None = None
        self._paginates = False
        self._place: _native.QueryPlace | None = None
        self._run: weakref.ref[_Records] | None = None
        self.max_records = 0
        self.records_per_second = 0
        self.ttl = 0

    def select(self, *bins: str) -> Self:
        """Chooses the bins that are read; without any, all of them.

        A record that has none of them is left out.

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
        """Lets each run from now on go on where the one before it ended; with ``max_records`` they are pages.

        Example:
            >>> query = client.query("test", "users")
            >>> query.max_records = 1000
            >>> query.paginate()
            >>> query.is_done()
            False
        """
        if not self._paginates:
            # The first page begins where the first run did, whatever was run before.
            self._paginates, self._place, self._run = True, None, None

    def is_done(self) -> bool:
        """Whether the last run gave all records of all its partitions.

        Example:
            >>> client.query("test", "users").is_done()
            False
        """
        place = self._stands()
        return place is not None and place.is_done()

    def get_partitions_status(self) -> dict[int | str, Any]:
        """Where the last run stands: partition to ``(partition, init, retry, digest, bval)``.

        ``init`` says whether a record of the partition came, ``retry`` whether there may be more, ``digest``
        (a bytearray) is that of the last one, ``bval`` is 0. ``"done"`` says whether all records came,
        ``"retry"`` is False. A ``partition_filter`` with it as ``partition_status`` goes on from there, in
        another process, and with the official client, too. Empty before the first run.

        Example:
            >>> status = client.query("test", "users").get_partitions_status()
            >>> policy = {"partition_filter": {"partition_status": status}}
        """
        place = self._stands()
        return {} if place is None else place.status()

    def _stands(self) -> _native.QueryPlace | None:
        """Where the last run stands, which may be under way."""
        run = None if self._run is None else self._run()
        if run is not None:
            run._save()
        return self._place

    def _start(self, policy: QueryPolicy | None, options: Mapping[str, bool] | None) -> _native.QueryStream:
        place = self._stands() if self._paginates else None
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

    if not TYPE_CHECKING:  # Type checkers are to find them missing, as any other name.

        def __getattr__(self, name: str) -> Any:
            kind = type(self).__name__
            if reason := _NOT_YET.get(name):
                raise AttributeError(f"{kind}.{name} is not there yet: {reason}", name=name, obj=self)
            raise AttributeError(f"{kind!r} object has no attribute {name!r}", name=name, obj=self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._namespace!r}, set {self._set!r}>"


class _Records:
    """A run of a query. Its stream is closed when it ends, and when nobody holds it any more."""

    def __init__(self, query: _Query, policy: QueryPolicy | None, options: Mapping[str, bool] | None) -> None:
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

    def _save(self) -> None:
        if self._stream is not None:
            self._query._place = self._stream.place(self._used)

    def _end(self) -> None:
        """Notes where the query stands and closes its connections."""
        self._is_over = True
        stream, self._stream = self._stream, None
        if stream is not None:
            run = self._query._run
            try:
                # A run that began later has the say.
                if run is not None and run() in (self, None):
                    self._query._place = stream.place(self._used)
            finally:
                stream.close()
        self._block, self._used = [], 0

    def __del__(self) -> None:
        if getattr(self, "_stream", None) is not None:
            # In a child of the process that began it there is nothing to end.
            with contextlib.suppress(AerospikeError):
                self._end()


class QueryRecords(_Records):
    """The records of a query, one after the other.

    They come in blocks, and a few of these are ahead at most: whoever does not go on stops the nodes. A
    context manager: leaving it closes the connections, as the end of the records does. Several threads may
    take from it.

    Example:
        >>> with client.query("test", "users").records() as records:
        ...     first = next(records)
    """

    def __init__(self, query: _Query, policy: QueryPolicy | None, options: Mapping[str, bool] | None) -> None:
        super().__init__(query, policy, options)
        self._lock = threading.Lock()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Record:
        with self._lock:
            if self._used == len(self._block):
                if self._is_over:
                    raise StopIteration
                block = self._open().next_block(None)
                if block is None:
                    self._end()
                    raise StopIteration
                self._block, self._used = block, 0
            record = self._block[self._used]
            self._used += 1
            return record

    def close(self) -> None:
        """Ends the query and closes its connections; a thread that waits for a record gets no more.

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


class AsyncQueryRecords(_Records):
    """As :class:`QueryRecords`, for ``async for`` and ``async with``. One task at a time may take from it.

    Example:
        >>> async with client.query("test", "users").records() as records:
        ...     first = await anext(records)
    """

    _is_taking = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Record:
        if self._used == len(self._block):
            if self._is_taking:
                raise RuntimeError("another task waits for the query's next record")
            self._is_taking = True
            try:
                await self._next_block()
            finally:
                self._is_taking = False
        record = self._block[self._used]
        self._used += 1
        return record

    async def _next_block(self) -> None:
        if self._is_over:
            raise StopAsyncIteration
        block = await call(self._open().next_block)
        if block is None:
            self._end()
            raise StopAsyncIteration
        self._block, self._used = block, 0

    async def aclose(self) -> None:
        """Ends the query and closes its connections; closing twice is fine.

        Example:
            >>> await client.query("test", "users").records().aclose()
        """
        self._end()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.aclose()


class Query(_Query):
    """A query, made by :meth:`Client.query`. Iterating over it runs it.

    Example:
        >>> for key, meta, bins in client.query("test", "users"):
        ...     print(bins["name"], meta["gen"])
        Ada 1
        Bea 1
    """

    def results(
        self, policy: QueryPolicy | None = None, options: Mapping[str, bool] | None = None
    ) -> list[Record]:
        """Runs the query and gives all its records.

        Args:
            policy: query policy (``total_timeout``, ``max_retries``, ``partition_filter`` ...).
            options: ``{"nobins": True}`` reads no bins.

        Returns:
            The named tuples ``(key, meta, bins)``; ``key`` has the primary key where it was stored.

        Raises:
            AerospikeError: what ended the query; the records that came before it are given up.

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
        """Runs the query and calls a function with each record, as it comes.

        Args:
            callback: takes a record, or with a ``partition_filter`` in the policy its partition and the
                record. The query ends when it returns False. What it raises ends the query, and is raised.
            policy: as for :meth:`results`.
            options: as for :meth:`results`.

        Example:
            >>> client.query("test", "users").foreach(lambda record: print(record.bins["name"]))
            Ada
            Bea
        """
        with_partition = _has_filter(policy)
        with self.records(policy, options) as records:
            for record in records:
                answer = callback(_partition_of(record), record) if with_partition else callback(record)
                if answer is False:
                    return

    def records(
        self, policy: QueryPolicy | None = None, options: Mapping[str, bool] | None = None
    ) -> QueryRecords:
        """An iterator over the records; iterating over the query itself is the same without a policy.

        Args:
            policy: as for :meth:`results`.
            options: as for :meth:`results`.

        Example:
            >>> with client.query("test").records({"socket_timeout": 5_000}) as records:
            ...     first = next(records)
        """
        return QueryRecords(self, policy, options)

    def __iter__(self) -> QueryRecords:
        return self.records()


class AsyncQuery(_Query):
    """A query, made by :meth:`AsyncClient.query`. Iterating over it runs it.

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
        """Like :meth:`Query.foreach`, awaited; what the function returns is awaited, too, where it can be.

        Example:
            >>> await client.query("test", "users").foreach(lambda record: print(record.bins["name"]))
            Ada
            Bea
        """
        with_partition = _has_filter(policy)
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
