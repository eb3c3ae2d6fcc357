"""Warnings that point at the user's line, whichever face was called."""

from __future__ import annotations

import sys
import warnings
from types import FrameType
from typing import Any

_PACKAGE = __name__.partition(".")[0]


def warn(message: Any, category: Any = None) -> None:
    """Warns of the nearest line outside this package.

    A task has none: asyncio has called the coroutine. Its warnings are the package's own, and each is
    shown, for they may come from many places.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _top(frame) == _PACKAGE:
        frame = frame.f_back
    if frame is None or _top(frame) in ("asyncio", "uvloop"):
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


def _top(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]
