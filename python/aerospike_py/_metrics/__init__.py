"""Counters and times of calls: snapshots, the text that Prometheus reads, the official client's listeners.

Start with :class:`ClientMetrics`, a snapshot of what the Rust core has counted. It may use the errors
and the statistics; the clients use it.
"""

from __future__ import annotations

from .listeners import Reporter
from .prometheus import prometheus_text
from .registry import forget, remember
from .snapshot import ClientMetrics, CommandMetrics, NodeMetrics, snapshot_of

__all__ = [
    "ClientMetrics",
    "CommandMetrics",
    "NodeMetrics",
    "Reporter",
    "forget",
    "prometheus_text",
    "remember",
    "snapshot_of",
]
