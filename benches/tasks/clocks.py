"""CPU time of a process, how a thread spent its time, and peak memory."""

from __future__ import annotations

import ctypes
import resource
import sys
import threading
from pathlib import Path
from typing import NamedTuple

LINUX = sys.platform == "linux"


def cpu_seconds() -> float:
    """User and system time of this process, all threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


class ThreadTime(NamedTuple):
    """Seconds since the thread started: on a core, and ready but without a free core (Linux only)."""

    running: float
    queued: float

    @classmethod
    def now(cls) -> ThreadTime:
        """Of the calling thread."""
        if not LINUX:
            return cls(0.0, 0.0)
        schedstat = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat").read_text()
        running, queued, _ = schedstat.split()
        return cls(int(running) / 1e9, int(queued) / 1e9)


def _status(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise LookupError(field)


class Peak:
    """Bytes by which the peak memory of this process exceeds what it had; None if unknown."""

    def __init__(self) -> None:
        self._before = None
        if LINUX:
            ctypes.CDLL(None).malloc_trim(0)
            # Resets the high-water mark.
            Path("/proc/self/clear_refs").write_text("5")
            self._before = _status("VmRSS")

    def extra(self) -> int | None:
        return None if self._before is None else _status("VmHWM") - self._before
