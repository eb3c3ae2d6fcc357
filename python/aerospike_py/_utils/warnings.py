"""Warnings that point at the line of the caller, for both clients."""

from __future__ import annotations

import sys
import warnings
from types import FrameType
from typing import Any

_PACKAGE = __name__.partition(".")[0]


def warn(message: Any, category: Any = None) -> None:
    """Issues a warning for the nearest line outside this package.

    In a task there is no such line, because asyncio called the coroutine. Such a warning is attributed to the
    package, and shown each time, because it may come from different places.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _top_package(frame) == _PACKAGE:
        frame = frame.f_back
    if frame is None or _top_package(frame) in ("asyncio", "uvloop"):
        warnings.warn_explicit(message, category, __file__, 1, module=_PACKAGE, registry={})
        return
    warnings.warn_explicit(
        message,
        category,
        frame.f_code.co_filename,
        frame.f_lineno,
        module=frame.f_globals.get("__name__", "<unknown>"),
        registry=frame.f_globals.setdefault("__warningregistry__", {}),
    )


def _top_package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]
