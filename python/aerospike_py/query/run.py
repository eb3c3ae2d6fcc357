"""What all runs of a query have in common, whatever they return."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from .._utils.other_names import refuse_iter
from ..exception import AerospikeError

if TYPE_CHECKING:
    from typing_extensions import Self

    from .. import _native
    from ..types import QueryPolicy
    from .base import QueryBase


class Run:
    """One run of a query. It closes its stream when it ends or is garbage-collected."""

    def __init__(self, query: QueryBase, policy: QueryPolicy | None) -> None:
        self._query = query
        self._policy = policy
        self._stream: Any = None
        self._is_over = False
        self._run_number = 0

    # -- what kinds of runs differ in

    def _place_in(self, stream: Any) -> _native.QueryPlace:
        """Where the run stands in its stream, by what counts as taken."""
        raise NotImplementedError

    def _warn(self) -> None:
        """Called when the run has ended: warns of what its records had."""
        raise NotImplementedError

    # -- the end of a run

    def _was_closed(self) -> bool:
        """Whether the run is over: asked again after a call, during which others may have closed it."""
        return self._is_over

    def _is_last_run(self) -> bool:
        """Whether the query's place is that of this run: the place of a later run takes precedence."""
        return self._run_number == self._query._run_number

    def _save_place(self) -> None:
        if self._stream is not None:
            self._query._place = self._place_in(self._stream)

    def _end(self) -> None:
        """Saves the place of the query and closes its connections."""
        self._is_over = True
        stream, self._stream = self._stream, None
        if stream is not None:
            try:
                if self._is_last_run():
                    self._query._place = self._place_in(stream)
            finally:
                stream.close()

    def _close(self, *, is_failing: bool = False) -> None:
        self._end()
        # An exception that is on its way says more than a warning that was made an error.
        with contextlib.suppress(*((RuntimeWarning,) if is_failing else ())):
            self._warn()

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


class SyncRun(Run):
    """A run that threads may share, and a context manager."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._lock = threading.Lock()

    def _stop(self, *, is_failing: bool = False) -> None:
        """Ends the run, also while another thread waits in it with the lock."""
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


class AsyncRun(Run):
    """A run in an event loop, and an asynchronous context manager."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> Literal[False]:
        self._close(is_failing=error[0] is not None)
        return False

    if not TYPE_CHECKING:  # Type checkers must report a plain `for`.
        __iter__ = refuse_iter
