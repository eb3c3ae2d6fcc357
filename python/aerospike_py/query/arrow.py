"""Queries into Arrow columns: all records in one result, or in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .. import _native
from .._arrow.finish import finish, warnings_of_bins, warnings_of_columns
from .._read_bins import warn_of_unread
from .._schema import schema_spec
from .._utils.event_loop import call
from .._utils.warnings import warn
from .run import AsyncRun, Run, SyncRun

if TYPE_CHECKING:
    from typing_extensions import Self

    from .._types import ArrowSchema, Casting, Errors, MetaColumns, Paths
    from ..arrow_records import ArrowRecords
    from ..types import QueryPolicy
    from .base import QueryBase


class ArrowRun(Run):
    """A run into Arrow columns.

    A block counts as taken when the next one is asked for, as a record does in the iterators over records.
    A run warns once, at its end, however many blocks it has.
    """

    # Whether a column that no record has a value for is worth a warning. It is not in a part of a set.
    _warns_of_missing = True

    def __init__(
        self,
        query: QueryBase,
        schema: ArrowSchema | None,
        casting: Casting,
        errors: Errors,
        rows: int | None,
        paths: Paths | None,
        meta: MetaColumns,
        policy: QueryPolicy | None,
    ) -> None:
        query._refuse_operations("to_arrow" if rows is None else "arrow_batches")
        arguments = (schema_spec(schema), casting, errors, rows, paths, tuple_of(meta))
        query._core.check_query_arrow(query._bins, policy, *arguments)
        if query._bins and arguments[0] is not None:
            warn_of_unread("select", query._bins, ((arguments[0], paths),), "column")
        super().__init__(query, policy)
        self._arguments = arguments
        self._paths = {
            name: (path,) if isinstance(path, str) else path for name, path in (paths or {}).items()
        }
        self._stream: _native.ArrowStream | None = None
        # The number of the last block that was handed out, and of the last one that counts as taken.
        self._number = 0
        self._taken = 0
        # The columns of blocks so far, and those in which values changed.
        self._columns: list[str] = []
        self._changed: set[str] = set()

    def _open(self) -> _native.ArrowStream:
        if self._stream is None:
            self._stream = self._query._start_arrow(self._policy, *self._arguments)
            self._run_number = self._query._begin_run(self)
        return self._stream

    def _place_in(self, stream: _native.ArrowStream) -> _native.QueryPlace:
        return stream.place(self._taken)

    def _missing(self) -> tuple[list[str], list[str]]:
        if self._stream is None or not self._warns_of_missing:
            return [], []
        return self._stream.missing()

    def _receive(self, answer: Any) -> ArrowRecords:
        """A block; raises if values in it do not fit."""
        records: ArrowRecords
        self._number, records, failures, _ = answer
        self._columns = records.schema_names
        self._changed.update(records.inexact)
        return finish(records, (), failures, self._paths)

    def _receive_all(self, answer: Any) -> ArrowRecords:
        """All records: as a block; raises if the query failed."""
        records: ArrowRecords
        self._taken, records, failures, error = answer
        missing, unmatched = self._missing()
        self._end()
        if error is not None:
            # What came before the failure, and where the query stands, are not lost.
            error.batch = records
            raise error
        found = [*warnings_of_columns(records.schema_names, records.inexact, missing, unmatched, self._paths)]
        if self._arguments[0] is None and self._warns_of_missing and not records.decode_errors:
            found += warnings_of_bins(records, self._query._bins)
        return finish(records, found, failures, self._paths)

    def _finish(self) -> None:
        """Ends the run after its last block, and warns of columns that no record has a value for."""
        missing, unmatched = self._missing()
        self._close()
        for warning in warnings_of_columns(self._columns, (), missing, unmatched, self._paths):
            warn(warning)

    def _warn(self) -> None:
        changed, self._changed = self._changed, set()
        for warning in warnings_of_columns(self._columns, changed, (), (), self._paths):
            warn(warning)


class ArrowBatches(SyncRun, ArrowRun):
    """Iterator over the records of a query, in blocks of rows: each is an
    :class:`~aerospike_py.ArrowRecords`.

    One block is read ahead; then the nodes wait until the caller continues. The connections are closed after
    the last block or, if the iterator is used as a context manager, on exit. Threads may share an iterator.

    It exports itself to libraries that speak Arrow, once: ``pyarrow.RecordBatchReader.from_stream(batches)``
    reads the blocks as they come. The exported stream has the schema of the first block.

    Example:
        >>> with client.query("test", "users").arrow_batches({"visits": "int64"}) as batches:
        ...     sum(len(block) for block in batches)
        2
    """

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> ArrowRecords:
        with self._lock:
            if self._is_over:
                raise StopIteration
            if self._stream is None:
                self._query._core.ensure_connected(None)
                if self._is_over:  # closed while it connected
                    raise StopIteration
            self._taken = self._number
            try:
                answer = self._open().next_block(None, self._number)
            except Exception:
                if self._is_over:  # closed by another thread
                    raise StopIteration from None
                self._close(is_failing=True)
                raise
            if self._was_closed():  # by another thread
                self._close()
                raise StopIteration
            if answer is None:
                self._finish()
                raise StopIteration
            return self._receive(answer)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The rest of the blocks as a stream, for the Arrow C stream interface. It can be exported once."""
        if self._is_exported or self._is_over:
            raise RuntimeError("these blocks were exported or read to their end; run the query again")
        self._is_exported = True
        first = next(self, None)
        table = self._empty() if first is None else first._table
        return _native.arrow_stream(table, self._next_table, requested_schema)

    _is_exported = False

    def _next_table(self) -> _native.ArrowTable | None:
        records = next(self, None)
        return None if records is None else records._table

    def _empty(self) -> _native.ArrowTable:
        """Columns without rows."""
        stream = self._query._start_arrow(self._policy, *self._arguments)
        try:
            records: ArrowRecords = stream.empty()[1]
        finally:
            stream.close()
        return records._table

    def close(self) -> None:
        """Ends the query and closes its connections. In a thread that waits for a block, the iteration ends.

        Example:
            >>> client.query("test", "users").arrow_batches({"visits": "int64"}).close()
        """
        self._stop()


class AsyncArrowBatches(AsyncRun, ArrowRun):
    """Like :class:`ArrowBatches`, for ``async for`` and ``async with``. Only one task at a time may wait for
    it. It exports no stream, because consumers of streams do not await.

    Example:
        >>> async with client.query("test", "users").arrow_batches({"visits": "int64"}) as batches:
        ...     [len(block) async for block in batches]
        [2]
    """

    _is_waiting = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ArrowRecords:
        if self._is_waiting:
            raise RuntimeError("another task is waiting for the next block of this query")
        self._is_waiting = True
        try:
            return await self._next()
        finally:
            self._is_waiting = False

    async def _next(self) -> ArrowRecords:
        if self._is_over:
            raise StopAsyncIteration
        if self._stream is None and self._query._core.is_new():
            await call(self._query._core.ensure_connected)
            if self._is_over:  # closed while it connected
                raise StopAsyncIteration
        self._taken = self._number
        try:
            answer = await call(self._open().next_block, self._number)
        except Exception:
            if self._is_over:  # closed by another task
                raise StopAsyncIteration from None
            self._close(is_failing=True)
            raise
        if self._was_closed():  # by another task
            self._close()
            raise StopAsyncIteration
        if answer is None:
            self._finish()
            raise StopAsyncIteration
        return self._receive(answer)

    async def aclose(self) -> None:
        """Ends the query and closes its connections. Closing again does nothing.

        Example:
            >>> await client.query("test", "users").arrow_batches({"visits": "int64"}).aclose()
        """
        self._close()


def tuple_of(meta: MetaColumns) -> Any:
    """``meta`` as it is passed on: an iterator could be read once only."""
    return tuple(meta) if isinstance(meta, Iterator) else meta


def read_all(run: ArrowRun) -> ArrowRecords:
    """All records of a run in one result."""
    run._query._core.ensure_connected(None)
    return run._receive_all(run._open().all(None))


async def read_all_async(run: ArrowRun) -> ArrowRecords:
    """As :func:`read_all`, awaited."""
    if run._query._core.is_new():
        await call(run._query._core.ensure_connected)
    return run._receive_all(await call(run._open().all))
