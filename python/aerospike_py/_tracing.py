"""The trace that the current call adds to; the extension looks it up once tracing is on."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._native import CallTrace

#: The active trace of this context; None without one.
current_trace: ContextVar[CallTrace | None] = ContextVar("aerospike_py.current_trace", default=None)
