"""Awaiting calls of the extension in an event loop.

The extension completes calls on its own threads, without the GIL. It puts the number of a completed call into
a queue and wakes the loop through a file descriptor that the loop watches. One wake-up serves all calls that
have completed by then. They go on in turns of about a millisecond, so that timers and other callbacks of the
loop need not wait for all of them. Loops that cannot watch a descriptor (the proactor on Windows) are woken
with ``call_soon_threadsafe`` instead, from a thread that belongs to the queue.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections import deque
from time import thread_time
from typing import TYPE_CHECKING, Any

from .. import _native

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


_NO_LOOP = (
    "AsyncClient needs a running asyncio event loop, and there is none here; under trio or another event "
    "loop, run it with asyncio (asyncio.run, trio-asyncio, anyio's asyncio backend), or use Client in a "
    "worker thread"
)


# How long the loop's thread may work for one turn, in seconds, and the calls that every turn completes.
_TURN = 0.001
_FEW = 4


class _LoopWaiter:
    """The queue of an event loop, and the futures of the calls that the loop waits for."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.completions = _native.Completions()
        self.futures: dict[int, asyncio.Future[None]] = {}
        # A weak reference: neither this nor its thread may keep the loop alive.
        self._loop = weakref.ref(loop)
        # Completed calls that wait for their turn. A turn is scheduled while there are any.
        self._rest: deque[int] = deque()
        # The most calls of a turn; the last turn's calls, and when it began in the CPU time of the thread.
        self._limit, self._last, self._start = _FEW, 0, 0.0
        try:
            loop.add_reader(self.completions.fileno(), self._drain)
        except NotImplementedError:
            reference = self._loop
            self.completions.call_when_ready(lambda: _call_soon(reference, self._drain))

    def _drain(self) -> None:
        done = self.completions.drain()
        if self._rest:
            self._rest.extend(done)
        elif len(done) > _FEW:
            self._rest.extend(done)
            self._last = 0
            self._take_turn()
        else:
            self._complete(done)

    def _take_turn(self) -> None:
        """Completes as many calls as the loop's thread can carry on in about a millisecond.

        The thread's time since the last turn shows what a call costs: its result and the caller's coroutine.
        """
        now = thread_time()
        if self._last:
            self._limit = max(_FEW, int(_TURN * self._last / max(now - self._start, 1e-9)))
        count = min(self._limit, len(self._rest))
        self._last, self._start = count, now
        self._complete([self._rest.popleft() for _ in range(count)])
        loop = self._loop()
        if self._rest and loop is not None:
            loop.call_soon(self._take_turn)

    def _complete(self, numbers: list[int]) -> None:
        for number in numbers:
            future = self.futures.pop(number, None)
            if future is not None and not future.done():
                future.set_result(None)


def _call_soon(reference: weakref.ref[asyncio.AbstractEventLoop], callback: Callable[[], None]) -> None:
    loop = reference()
    if loop is not None and not loop.is_closed():
        # The loop may close after the check; then nothing waits for the calls any more.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(callback)


_waiters: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _LoopWaiter] = weakref.WeakKeyDictionary()
# The loop and waiter that the thread used last: faster than the dictionary.
_last = threading.local()


def _waiter_of(loop: asyncio.AbstractEventLoop) -> _LoopWaiter:
    if getattr(_last, "loop", None) is not None and _last.loop() is loop:
        last: _LoopWaiter = _last.waiter
        return last
    waiter = _waiters.get(loop)
    if waiter is None:
        waiter = _waiters[loop] = _LoopWaiter(loop)
    _last.loop = weakref.ref(loop)
    _last.waiter = waiter
    return waiter


async def call(start: Callable[..., Any], *args: Any) -> Any:
    """Starts a call of the extension in the running loop and waits for its result.

    However this ends (with a result, cancelled, closed, or because the loop is gone), the extension has
    stopped writing into the arguments when it ends.
    """
    # Not at the top: asyncio is half of the package's import time, and a program that awaits has imported it.
    import asyncio

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        raise RuntimeError(_NO_LOOP) from None
    waiter = _waiter_of(loop)
    operation = start(waiter.completions, *args)
    future = loop.create_future()
    waiter.futures[operation.number] = future
    try:
        await future
        return operation.result()
    finally:
        waiter.futures.pop(operation.number, None)
        operation.close()
