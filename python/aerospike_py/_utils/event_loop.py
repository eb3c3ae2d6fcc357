"""Waiting for the native core in an event loop.

The core completes calls on its own threads, without the GIL: it puts a call's number into a queue and
wakes the loop through a file descriptor that the loop watches. One wake-up serves every call that has
completed by then. Loops that cannot watch a descriptor (Windows' proactor) are woken by
``call_soon_threadsafe`` instead, from a thread of the queue's own.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from typing import TYPE_CHECKING, Any

from .. import _native

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


class _Bridge:
    """The calls that wait in one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.completions = _native.Completions()
        self.waiting: dict[int, asyncio.Future[None]] = {}
        try:
            loop.add_reader(self.completions.fileno(), self._drain)
        except NotImplementedError:
            # The thread must not keep the loop alive.
            reference = weakref.ref(loop)
            self.completions.call_when_ready(lambda: _call_soon(reference, self._drain))

    def _drain(self) -> None:
        for number in self.completions.drain():
            future = self.waiting.pop(number, None)
            if future is not None and not future.done():
                future.set_result(None)


def _call_soon(reference: weakref.ref[asyncio.AbstractEventLoop], callback: Callable[[], None]) -> None:
    loop = reference()
    if loop is not None and not loop.is_closed():
        # It may have been closed since the check: then nobody waits any more.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(callback)


_bridges: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Bridge] = weakref.WeakKeyDictionary()
_last = threading.local()


def _bridge_of(loop: asyncio.AbstractEventLoop) -> _Bridge:
    if getattr(_last, "loop", None) is not None and _last.loop() is loop:
        bridge: _Bridge = _last.bridge
        return bridge
    found = _bridges.get(loop)
    if found is None:
        found = _bridges[loop] = _Bridge(loop)
    _last.loop = weakref.ref(loop)
    _last.bridge = found
    return found


async def call(start: Callable[..., Any], *args: Any) -> Any:
    """Starts a native call in the running loop and waits for its result.

    However this ends (cancelled, closed, the loop gone), the native side has stopped writing into
    whatever the call was given before control leaves here.
    """
    # Here, not above: it takes half of the package's import time, and who awaits has imported it.
    import asyncio

    loop = asyncio.get_running_loop()
    bridge = _bridge_of(loop)
    operation = start(bridge.completions, *args)
    future = loop.create_future()
    bridge.waiting[operation.number] = future
    try:
        await future
        return operation.result()
    finally:
        bridge.waiting.pop(operation.number, None)
        operation.close()
