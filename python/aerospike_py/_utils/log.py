"""The package's logger, for events of the cluster.

The extension's threads leave events in a queue, and calls log them later. A log record has the time at which
its event happened. The extension formats messages only when a handler wants them.

A client may make no call for hours, so a thread takes events as well, twice a second. It runs only while
there are clients and a handler that wants warnings of this package; without one, nothing runs and nothing is
paid. It is a daemon, which only sleeps and logs in Python: at exit it can end anywhere.
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

# Seconds between two looks at the queues of all clients.
_INTERVAL = 0.5

logger = logging.getLogger("aerospike_py")
# Without this, `logging` prints warnings to standard error in programs that have not set it up.
logger.addHandler(logging.NullHandler())


def emit(level: int, created: float, message: str) -> None:
    """Logs ``message`` with the time ``created``, in seconds since 1970-01-01 UTC."""
    # Logging may have been set up since the client was made.
    watcher.start()
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
        """Starts the thread if there is something for it to do and it does not run."""
        if self._is_running() or not self._cores or not _is_listening():
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
        while True:
            sleep.wait(_INTERVAL)
            with self._lock:
                cores = list(self._cores)
                if not cores:
                    self._thread = None
                    return
            if _is_listening():
                for core in cores:
                    _log(core.take_events())
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
