"""Queries into NumPy arrays: all records in one array, or in blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._finish import changed_values, finish, missing_fields, warnings_of_values
from .._read_bins import warn_of_unread
from .._utils.event_loop import call
from .._utils.warnings import warn
from ..exception import ParamTypeError
from .run import AsyncRun, Run, SyncRun

if TYPE_CHECKING:
    import numpy.typing as npt
    from typing_extensions import Self

    from .. import _native
    from .._types import Casting, Errors, Paths
    from ..numpy_query import NumpyQueryRecords
    from ..types import QueryPolicy
    from .base import QueryBase


class NumpyRun(Run):
    """A run into arrays.

    A block counts as taken when the next one is asked for, as a record does in the iterators over records.
    A run warns once, at its end, however many blocks it has.
    """

    # Whether a field that no record has a bin for is worth a warning. It is not in a part of a set.
    _warns_of_missing = True

    def __init__(
        self,
        query: QueryBase,
        dtype: npt.DTypeLike,
        casting: Casting,
        errors: Errors,
        rows: int | None,
        policy: QueryPolicy | None,
        out: npt.NDArray[Any] | None,
        paths: Paths | None,
        project: str,
    ) -> None:
        if dtype is None:
            raise TypeError("_dtype is missing; pass a structured dtype, such as infer_dtype() proposes")
        query._refuse_operations("to_numpy" if rows is None else "numpy_batches")
        arguments = (dtype, casting, errors, rows, out, paths, project)
        query._core.check_query_numpy(query._bins, policy, *arguments)
        if query._bins:
            warn_of_unread("select", query._bins, ((dtype, paths),), "field")
        super().__init__(query, policy)
        self._arguments = arguments
        self._paths = paths
        self._stream: _native.NumpyStream | None = None
        # The number of the last block that was handed out, and of the last one that counts as taken.
        self._number = 0
        self._taken = 0
        # The fields in which values of blocks so far changed.
        self._changed: set[str] = set()

    def _open(self) -> _native.NumpyStream:
        if self._stream is None:
            self._stream = self._query._start_numpy(self._policy, *self._arguments)
            self._run_number = self._query._begin_run(self)
        return self._stream

    def _place_in(self, stream: _native.NumpyStream) -> _native.QueryPlace:
        return stream.place(self._taken)

    def _receive(self, answer: Any) -> NumpyQueryRecords:
        """A block; raises if values in it do not fit."""
        records: NumpyQueryRecords
        self._number, records, _, _, failures, _ = answer
        self._changed.update(records.inexact)
        return finish(records, (), failures, self._paths)

    def _receive_all(self, answer: Any) -> NumpyQueryRecords:
        """All records: as a block; raises if the query failed."""
        error: BaseException | None = answer[-1]
        self._taken = answer[0]
        self._end()
        if error is not None:
            # What came before the failure, and where the query stands, are not lost.
            error.batch = answer[1]  # type: ignore[attr-defined]
            raise error
        records: NumpyQueryRecords
        _, records, missing, unmatched, failures, _ = answer
        if not self._warns_of_missing:
            missing = []
        found = warnings_of_values(records, missing, unmatched, self._paths)
        return finish(records, found, failures, self._paths)

    def _finish(self) -> None:
        """Ends the run after its last block, and warns of fields that no record has."""
        missing, unmatched = ([], []) if self._stream is None else self._stream.missing()
        self._close()
        if missing and self._warns_of_missing:
            import numpy as np

            warn(missing_fields(np.dtype(self._arguments[0]), missing, unmatched, self._paths))

    def _warn(self) -> None:
        changed, self._changed = self._changed, set()
        if changed:
            import numpy as np

            warn(changed_values(np.dtype(self._arguments[0]), changed))


class NumpyBatches(SyncRun, NumpyRun):
    """Iterator over the records of a query, in blocks of rows: each is a
    :class:`~aerospike_py.NumpyQueryRecords`.

    One block is read ahead; then the nodes wait until the caller continues. The connections are closed after
    the last block or, if the iterator is used as a context manager, on exit. Threads may share an iterator.

    A block counts as taken when the next one is asked for: after a loop that was left early,
    ``get_partitions_status()`` of the query begins with the block at which it was left.

    Example:
        >>> dtype = np.dtype([("visits", "i8")])
        >>> with client.query("test", "users").numpy_batches(dtype) as batches:
        ...     sum(int(block["visits"].sum()) for block in batches)
        7
    """

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> NumpyQueryRecords:
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

    def close(self) -> None:
        """Ends the query and closes its connections. In a thread that waits for a block, the iteration ends.

        Example:
            >>> client.query("test", "users").numpy_batches(np.dtype([("visits", "i8")])).close()
        """
        self._stop()


class AsyncNumpyBatches(AsyncRun, NumpyRun):
    """Like :class:`NumpyBatches`, for ``async for`` and ``async with``. Only one task at a time may wait for
    it.

    Example:
        >>> dtype = np.dtype([("visits", "i8")])
        >>> async with client.query("test", "users").numpy_batches(dtype) as batches:
        ...     [len(block) async for block in batches]
        [2]
    """

    _is_waiting = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> NumpyQueryRecords:
        if self._is_waiting:
            raise RuntimeError("another task is waiting for the next block of this query")
        self._is_waiting = True
        try:
            return await self._next()
        finally:
            self._is_waiting = False

    async def _next(self) -> NumpyQueryRecords:
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
            >>> await client.query("test", "users").numpy_batches(np.dtype([("visits", "i8")])).aclose()
        """
        self._close()


def read_all(run: NumpyRun) -> NumpyQueryRecords:
    """All records of a run in one array."""
    run._query._core.ensure_connected(None)
    return run._receive_all(run._open().all(None))


def checked(rows: int) -> int:
    """The number of rows of a block, which the extension checks but for None: to it, that is all records."""
    if rows is None:
        raise ParamTypeError("rows is None (NoneType); it must be a whole number of at least 1")
    return rows


async def read_all_async(run: NumpyRun) -> NumpyQueryRecords:
    """As :func:`read_all`, awaited."""
    if run._query._core.is_new():
        await call(run._query._core.ensure_connected)
    return run._receive_all(await call(run._open().all))
