"""The package's logger, for events of the cluster.

The extension's threads leave events in a queue, and calls log them later. A log record has the time at which
its event happened. The extension formats messages only when a handler wants them.

A client may make no call for hours, so a thread takes events as well, twice a second. It runs while there are
clients, because logging may be set up at any time. Without a handler that wants warnings of this package, it
only looks for one, once a second. It is a daemon, which only sleeps and logs in Python: at exit it can end
anywhere.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .. import _native

# Seconds between two looks at the queues of all clients, and between two looks for a handler.
_INTERVAL = 0.5
_INTERVAL_WITHOUT_HANDLER = 1.0

logger = logging.getLogger("aerospike_py")
# Without this, `logging` prints warnings to standard error in programs that have not set it up.
logger.addHandler(logging.NullHandler())


def emit(level: int, created: float, message: str) -> None:
    """Logs ``message`` with the time ``created``, in seconds since 1970-01-01 UTC."""
    record = logger.makeRecord(logger.name, level, __file__, 0, message, (), None)
    record.relativeCreated += (created - record.created) * 1000
    record.created = created
    record.msecs = int((created % 1) * 1000) + 0.0
    logger.handle(record)


class _Watcher:
    """The thread that logs the events of clients that make no calls."""

    def __init__(self) -> None:
        self._cores: weakref.WeakSet[_native.Core] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, core: _native.Core) -> None:
        """Watches a client for as long as it lives."""
        with self._lock:
            self._cores.add(core)
        self.start()

    def start(self) -> None:
        """Starts the thread if there are clients and it does not run."""
        if self._is_running() or not self._cores:
            return
        with self._lock:
            if self._is_running():
                return
            thread = threading.Thread(target=self._run, name="aerospike_py-log", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                # At the interpreter's exit, or without room for a thread. Calls log what they find.
                return
            self._thread = thread

    def _is_running(self) -> bool:
        return self._thread is not None

    def forget(self) -> None:
        """Starts afresh: a forked child has none of its parent's threads, nor its clients."""
        self.__init__()  # type: ignore[misc]

    def _run(self) -> None:
        sleep = threading.Event()
        interval = _INTERVAL
        while True:
            sleep.wait(interval)
            with self._lock:
                cores = list(self._cores)
                if not cores:
                    self._thread = None
                    return
            is_listening = _is_listening()
            # No name may keep a client alive while this thread sleeps.
            while is_listening and cores:
                _log(cores.pop().take_events())
            interval = _INTERVAL if is_listening else _INTERVAL_WITHOUT_HANDLER
            del cores


def _is_listening() -> bool:
    """Whether a handler wants warnings of this package."""
    if not logger.isEnabledFor(logging.WARNING):
        return False
    place: logging.Logger | None = logger
    while place is not None:
        if any(not isinstance(handler, logging.NullHandler) for handler in place.handlers):
            return True
        place = place.parent if place.propagate else None
    return False


def _log(events: list[tuple[int, float, str]]) -> None:
    for level, created, message in events:
        if logger.isEnabledFor(level):
            try:
                emit(level, created, message)
            except Exception:  # noqa: BLE001 (of a handler; the next event must be logged all the same)
                kind, error, traceback = sys.exc_info()
                assert kind is not None  # noqa: S101
                arguments = (kind, error, traceback, threading.current_thread())
                threading.excepthook(threading.ExceptHookArgs(arguments))


#: The one of this process.
watcher = _Watcher()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=watcher.forget)
