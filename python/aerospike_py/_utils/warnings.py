"""Warnings that point at the line of the caller, for both clients."""

from __future__ import annotations

import sys
import warnings
from contextvars import ContextVar
from types import FrameType
from typing import Any

_PACKAGE = __name__.partition(".")[0]

# Of warnings that no line of the caller is known for.
_registry: dict[Any, Any] = {}


_silent: ContextVar[bool] = ContextVar("_silent", default=False)


class without_warnings:  # noqa: N801 - read as a function
    """Issues no warnings of this package in the calls inside, also in those that are awaited.

    For callers in the package that look at the results themselves. A class, because a generator costs a small
    read a hundredth of its time.
    """

    __slots__ = ("_token",)

    def __enter__(self) -> None:
        self._token = _silent.set(True)

    def __exit__(self, *_: object) -> None:
        _silent.reset(self._token)


def warn(message: Any, category: Any = None) -> None:
    """Issues a warning for the nearest line outside this package.

    If a coroutine of the package is a task of its own, there is no such line, because asyncio called it. Such
    a warning is attributed to the package.

    Python keeps the text of each warning, so as to show it once: texts name fields and causes only, never
    counts, keys, nodes or times.
    """
    if _silent.get():
        return
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _top_package(frame) == _PACKAGE:
        frame = frame.f_back
    if frame is None or _top_package(frame) in ("asyncio", "uvloop"):
        warnings.warn_explicit(message, category, __file__, 1, module=_PACKAGE, registry=_registry)
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
