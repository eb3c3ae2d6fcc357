"""Waiting for a condition."""

from __future__ import annotations

import time
from collections.abc import Callable


def eventually(what: str | Callable[[], str], is_so: Callable[[], bool], seconds: float = 15) -> None:
    """Waits until the condition holds; fails with ``what`` if it does not within ``seconds``."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() >= deadline:
            text = what if isinstance(what, str) else what()
            raise AssertionError(f"not within {seconds} s: {text}")
        time.sleep(0.02)
