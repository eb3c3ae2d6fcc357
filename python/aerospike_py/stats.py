"""The state of a cluster as a client sees it: the result of ``client.stats()``."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ClusterStats", "ConnectionStats", "NodeStats"]


class ConnectionStats(NamedTuple):
    """Connections to a node: current numbers, and totals since the node joined.

    Example:
        >>> conns = client.stats().nodes[0].conns
        >>> conns.in_use, conns.waiting
        (0, 0)
    """

    in_use: int
    """Connections that commands use now."""
    in_pool: int
    """Idle connections."""
    opened: int
    """Connections opened since the node joined."""
    closed: int
    """Connections closed since the node joined."""
    waiting: int
    """Commands that wait because ``max_conns_per_node`` connections are in use."""

    @property
    def recovered(self) -> int:
        """Always 0: a connection whose answer came too late is closed. The official client has the name.

        Example:
            >>> client.stats().nodes[0].conns.recovered
            0
        """
        return 0

    @property
    def aborted(self) -> int:
        """Always 0, like ``recovered``; ``closed`` counts these connections.

        Example:
            >>> client.stats().nodes[0].conns.aborted
            0
        """
        return 0


class NodeStats(NamedTuple):
    """The state of a node. Counts start at 0 when the node joins, and again when it rejoins.

    Example:
        >>> node = client.stats().nodes[0]
        >>> node.name, node.suspect, node.timeout_count
        ('D1', False, 0)
    """

    name: str
    address: str
    port: int
    conns: ConnectionStats
    error_count: int
    """Failed connections, unreadable answers, and requests refused because of overload."""
    timeout_count: int
    """Commands that timed out."""
    key_busy_count: int
    """Answers with code 14: too many commands were waiting for the same record."""
    hedge_count: int
    """Requests also sent to another node because this one was slow (``hedge_delay``)."""
    suspect: bool
    """Whether the last health check or request failed. A suspect node is used only if no other has the
    data."""
    error_rate: int
    """Failures in the current error window (``max_error_rate``, ``error_rate_window``)."""
    circuit_open: bool
    """Whether the node failed so often that it is not used until the error window ends."""
    usual_time: float | None
    """Typical duration in seconds of recent requests with about as many rows as the last one; None before the
    first request."""
    suspect_count: int
    """How often the node became suspect."""
    circuit_open_count: int
    """How often the node failed so often that it was not used for a while."""


class ClusterStats(NamedTuple):
    """The state of a cluster. Counts start at 0 when the client connects.

    Example:
        >>> stats = client.stats()
        >>> len(stats.nodes), stats.retry_count
        (1, 0)
    """

    nodes: list[NodeStats]
    """The nodes, sorted by name."""
    retry_count: int
    """Retries: requests sent again for rows without an answer."""
    hedge_count: int
    """Requests also sent to a second node because the first one was slow."""

    @property
    def thread_pool_queued_tasks(self) -> int:
        """Always 0: commands do not wait for threads. The official client has the name.

        Example:
            >>> client.stats().thread_pool_queued_tasks
            0
        """
        return 0

    @property
    def recover_queue_size(self) -> int:
        """Always 0: a connection whose answer came too late is closed. The official client has the name.

        Example:
            >>> client.stats().recover_queue_size
            0
        """
        return 0

    @property
    def suspects(self) -> list[str]:
        """The names of the nodes with ``suspect`` set.

        Example:
            >>> client.stats().suspects
            []
        """
        return [node.name for node in self.nodes if node.suspect]
