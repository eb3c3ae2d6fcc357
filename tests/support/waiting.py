"""Waiting for what comes by itself."""

from __future__ import annotations

import time
from collections.abc import Callable


def eventually(what: str, is_so: Callable[[], bool]) -> None:
    """Waits until it is so; in vain is a failure."""
    deadline = time.monotonic() + 15
    while not is_so():
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.02)
