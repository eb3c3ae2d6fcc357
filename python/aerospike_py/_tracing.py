"""The trace that the current call adds to; the extension looks it up once tracing is on."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._native import CallTrace

#: What the calls of this context add to; None while nobody watches them.
current_trace: ContextVar[CallTrace | None] = ContextVar("aerospike_py.current_trace", default=None)
