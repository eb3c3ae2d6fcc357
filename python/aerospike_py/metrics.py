"""The names of the official client's ``aerospike_helpers.metrics``.

``ConnectionStats``, ``NodeStats`` and ``ClusterStats`` are those of :meth:`~aerospike_py.Client.get_stats`.
The others describe periodic metrics, which ``client.enable_metrics()`` reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .stats import ClusterStats, ConnectionStats, NodeStats

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Cluster",
    "ClusterStats",
    "ConnectionStats",
    "MetricsListeners",
    "MetricsPolicy",
    "NamespaceMetrics",
    "Node",
    "NodeStats",
]


class NamespaceMetrics:
    """Requests to a node about a namespace, which listeners get.

    Latencies are lists of counts: requests that took at most 1 ms, ``2 ** latency_shift`` ms, and so on;
    the last has all that took longer. Counts are never reset.
    """

    ns: str
    bytes_in: int
    """Bytes of answers."""
    bytes_out: int
    """Bytes of requests."""
    error_count: int
    """Requests that failed; a missing record is no failure."""
    timeout_count: int
    """Timeouts of the node, in all namespaces."""
    key_busy_count: int
    conn_latency: list[int]
    """Zeros: connections are not timed."""
    write_latency: list[int]
    read_latency: list[int]
    batch_latency: list[int]
    query_latency: list[int]


class Node:
    """A node, as listeners get it."""

    name: str
    address: str
    port: int
    conns: ConnectionStats
    metrics: list[NamespaceMetrics]


class Cluster:
    """A cluster, as listeners get it."""

    cluster_name: str | None
    app_id: str
    """The config's ``app_id``, else the user, else ``"not-set"``."""
    invalid_node_count: int
    """Always 0."""
    command_count: int
    """Calls since metrics were enabled."""
    retry_count: int
    nodes: list[Node]


class MetricsListeners:
    """What to call when metrics are enabled, taken and disabled, and when a node leaves.

    Args:
        enable_listener: called without arguments.
        snapshot_listener: called with a :class:`Cluster`.
        node_close_listener: called with a :class:`Node`.
        disable_listener: called with a :class:`Cluster`.
    """

    def __init__(
        self,
        enable_listener: Callable[[], None],
        snapshot_listener: Callable[[Cluster], None],
        node_close_listener: Callable[[Node], None],
        disable_listener: Callable[[Cluster], None],
    ) -> None:
        self.enable_listener = enable_listener
        self.snapshot_listener = snapshot_listener
        self.node_close_listener = node_close_listener
        self.disable_listener = disable_listener


class MetricsPolicy:
    """How often to take metrics, and where to put them.

    Args:
        metrics_listeners: who gets the metrics; None writes them into files.
        report_dir: folder of the files.
        report_size_limit: size in bytes at which a new file begins; 0 for none.
        interval: cluster checks between two snapshots.
        latency_columns: number of buckets of the histograms.
        latency_shift: power of two between two buckets.
        labels: names and values to add to each snapshot.
    """

    def __init__(
        self,
        metrics_listeners: MetricsListeners | None = None,
        report_dir: str = ".",
        report_size_limit: int = 0,
        interval: int = 30,
        latency_columns: int = 7,
        latency_shift: int = 1,
        labels: Mapping[str, str] = {},
    ) -> None:
        self.metrics_listeners = metrics_listeners
        self.report_dir = report_dir
        self.report_size_limit = report_size_limit
        self.interval = interval
        self.latency_columns = latency_columns
        self.latency_shift = latency_shift
        # Checked where the policy is used, as the rest.
        given: Any = labels
        self.labels: Mapping[str, str] = dict(given) if isinstance(given, Mapping) else given
