"""One run of a query, and the iterators over its records."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NoReturn

from .._utils.event_loop import call
from .._utils.warnings import warn
from ..exception import AerospikeError, QueryDecodeError

if TYPE_CHECKING:
    from typing_extensions import Self

    from .. import _native
    from ..exception import RecordDecodeError
    from ..records import Record
    from ..types import QueryPolicy
    from .base import QueryBase

# Failures that a QueryDecodeError lists.
_LISTED = 100
# Bins that a warning names.
_NAMED = 5


class QueryRun:
    """One run of a query. It closes its stream when it ends or is garbage-collected.

    Records arrive in lists, which the stream numbers. A record counts as taken when the next one is asked
    for: of the current list these are all but the last record that was handed out, which is held until then.
    """

    def __init__(
        self, query: QueryBase, policy: QueryPolicy | None, options: Mapping[str, bool] | None
    ) -> None:
        query._core.check_query_policy(policy, options)
        self._query = query
        self._policy = policy
        self._options = options
        self._stream: _native.QueryStream | None = None
        self._beginning: _native.QueryPlace | None = None
        self._is_over = False
        self._run_number = 0
        self._number = 0
        self._block: list[Record] = []
        # Records of the block that were handed out, and whether the last of them is held: 0 or 1.
        self._used = 0
        self._held = 0
        # Records of the block that cannot be represented, by the number of records before them.
        self._unreadable: Sequence[tuple[int, RecordDecodeError]] = ()
        self._failures: list[RecordDecodeError] = []
        self._failure_count = 0

    def _open(self) -> _native.QueryStream:
        if self._stream is None:
            self._stream = self._query._start(self._policy, self._options)
            self._beginning = self._stream.start()
            self._run_number = self._query._begin_run(self)
        return self._stream

    def _let_go(self) -> None:
        """Called before more records are asked for: all records of the block are taken."""
        self._held = 0
        self._note_failures(self._used)

    def _take(self, answer: tuple[int, list[Record], Sequence[tuple[int, RecordDecodeError]] | None]) -> None:
        """Takes over a list of the stream."""
        number, block, unreadable = answer
        # In this order: another thread may ask for the place at any time, and reads them from the last on.
        self._used = 0
        self._block, self._held = block, 1
        self._unreadable = unreadable or ()
        self._number = number

    def _taken(self) -> int:
        return max(self._used - self._held, 0)

    def _save_place(self) -> None:
        if self._stream is not None:
            number = self._number
            self._query._place = self._stream.place(number, self._taken())

    def _is_last_run(self) -> bool:
        """Whether the query's place is that of this run: the place of a later run takes precedence."""
        return self._run_number == self._query._run_number

    def _end(self) -> None:
        """Saves the place of the query and closes its connections."""
        self._is_over = True
        stream, self._stream = self._stream, None
        if stream is not None:
            try:
                self._note_failures(self._taken())
                if self._is_last_run():
                    self._query._place = stream.place(self._number, self._taken())
            finally:
                stream.close()
        self._block, self._used, self._held = [], 0, 0

    def _rewind(self) -> None:
        """Ends the run as if it had taken no records, because they did not reach the caller."""
        self._end()
        self._failures, self._failure_count = [], 0
        if self._beginning is not None and self._is_last_run():
            self._query._place = self._beginning

    def _note_failures(self, taken: int) -> None:
        """Counts the records that cannot be represented, up to the first record that is not taken."""
        unreadable, self._unreadable = self._unreadable, ()
        for before, error in unreadable:
            if before <= taken:
                self._failure_count += 1
                if len(self._failures) < _LISTED:
                    self._failures.append(error)

    def _raise_failures(self) -> None:
        """Called at the end of the records."""
        failures, count = self._failures, self._failure_count
        if not count:
            return
        self._failures, self._failure_count = [], 0
        first = failures[0]
        some = "a record" if count == 1 else f"{count} records"
        raise QueryDecodeError(
            f"Python cannot represent {some} of {self._query!r}; all others were returned. "
            f"{'It is' if count == 1 else 'The first is'} {first.key}: {first}",
            failures=failures,
            count=count,
        )

    def _warn_of_failures(self) -> None:
        """Called when the run ends early: no exception is raised then."""
        if not self._failure_count:
            return
        names = dict.fromkeys(repr(error.bin) for error in self._failures)
        named = ", ".join([*names][:_NAMED])
        self._failures, self._failure_count = [], 0
        warn(
            "the query left out records that cannot be represented in Python, because of values in the bins "
            f"{named}; at its end it would have raised QueryDecodeError, which has their keys",
            RuntimeWarning,
        )

    def _close(self, *, is_failing: bool = False) -> None:
        self._end()
        # An exception that is on its way says more than a warning that was made an error.
        with contextlib.suppress(*((RuntimeWarning,) if is_failing else ())):
            self._warn_of_failures()

    def __del__(self) -> None:
        if getattr(self, "_stream", None) is not None:
            # Raised in a forked child: the stream belongs to the parent.
            with contextlib.suppress(AerospikeError):
                self._close()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} cannot be pickled or copied: its connections belong to this process; "
            "pass the query's get_partitions_status() to the worker, connect there and make the query again"
        )


class QueryRecords(QueryRun):
    """Iterator over the records of a query.

    Records arrive in blocks. At most a few blocks are read ahead; then the nodes wait until the caller
    continues. The connections are closed after the last record or, if the iterator is used as a context
    manager, on exit. Threads may share an iterator.

    Records that Python cannot represent are left out. If there were any,
    :exc:`~aerospike_py.exception.QueryDecodeError` is raised after the last record; an iterator that is
    closed earlier issues a warning instead.

    Example:
        >>> with client.query("test", "users").records() as records:
        ...     first = next(records)
    """

    def __init__(
        self, query: QueryBase, policy: QueryPolicy | None, options: Mapping[str, bool] | None
    ) -> None:
        super().__init__(query, policy, options)
        self._lock = threading.Lock()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Record:
        with self._lock:
            if self._used == len(self._block):
                self._next_block()
            record = self._block[self._used]
            self._used += 1
            return record

    def _rest(self) -> list[Record] | None:
        """The records that are left of the block, or else those of the next one; None at the end. The caller
        counts in ``_used`` the records that it hands out."""
        with self._lock:
            if self._used == len(self._block):
                try:
                    self._next_block()
                except StopIteration:
                    return None
            return self._block[self._used :] if self._used else self._block

    def _next_block(self) -> None:
        while True:
            if self._is_over:
                raise StopIteration
            self._let_go()
            if self._stream is None:
                self._query._core.ensure_connected(None)
                if self._is_over:  # closed while it connected
                    raise StopIteration
            answer = self._open().next_block(None, self._number)
            if self._is_over:  # closed by another thread
                raise StopIteration
            if answer is None:
                self._end()
                self._raise_failures()
                raise StopIteration
            self._take(answer)
            if self._block:
                return

    def close(self) -> None:
        """Ends the query and closes its connections. In a thread that waits for a record, the iteration ends.

        Example:
            >>> client.query("test", "users").records().close()
        """
        self._stop()

    def _stop(self, *, is_failing: bool = False) -> None:
        self._is_over = True
        stream = self._stream
        if stream is not None:
            stream.close()
        with self._lock:
            self._close(is_failing=is_failing)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> Literal[False]:
        self._stop(is_failing=error[0] is not None)
        return False


class AsyncQueryRecords(QueryRun):
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

    async def _rest(self) -> list[Record] | None:
        """As :meth:`QueryRecords._rest`, awaited."""
        if self._used == len(self._block):
            try:
                await self._next_block()
            except StopAsyncIteration:
                return None
        return self._block[self._used :] if self._used else self._block

    async def _next_block(self) -> None:
        while True:
            if self._is_over:
                raise StopAsyncIteration
            self._let_go()
            if self._stream is None and self._query._core.is_new():
                await call(self._query._core.ensure_connected)
                if self._is_over:  # closed while it connected
                    raise StopAsyncIteration
            answer = await call(self._open().next_block, self._number)
            if self._is_over:  # closed by another task
                raise StopAsyncIteration
            if answer is None:
                self._end()
                self._raise_failures()
                raise StopAsyncIteration
            self._take(answer)
            if self._block:
                return

    async def aclose(self) -> None:
        """Ends the query and closes its connections. Closing again does nothing.

        Example:
            >>> await client.query("test", "users").records().aclose()
        """
        self._close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> Literal[False]:
        self._close(is_failing=error[0] is not None)
        return False
