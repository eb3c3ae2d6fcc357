"""The state of a client, for people and for monitoring: what ``client.stats()`` returns."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ClusterStats", "ConnectionStats", "NodeStats"]


class ConnectionStats(NamedTuple):
    """Connections to a node.

    Example:
        >>> conns = client.stats().nodes[0].conns
        >>> conns.in_use, conns.waiting
        (0, 0)
    """

    in_use: int
    """Used by commands now."""
    in_pool: int
    """Open and waiting to be used."""
    opened: int
    """Opened since the node joined."""
    closed: int
    """Closed since the node joined."""
    waiting: int
    """Commands that wait for a connection, because ``max_conns_per_node`` are in use."""


class NodeStats(NamedTuple):
    """A node. Counts start when it joins; one that left and came back starts anew.

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
    """Failed connections, answers that cannot be read, refusals because of overload."""
    timeout_count: int
    """Commands without an answer in time."""
    key_busy_count: int
    """Answers that say that too many commands wait for a record (code 14)."""
    hedge_count: int
    """Requests to it that were sent to another node, too, because it did not answer (``hedge_delay``)."""
    suspect: bool
    """Whether it failed when it was last looked at or asked; it is asked only where no other can be."""
    error_rate: int
    """Failures in the error window (``max_error_rate``, ``error_rate_window``)."""
    circuit_open: bool
    """Whether it failed so often that it is not asked before the error window ends."""
    usual_time: float | None
    """Seconds that requests take lately, of about as many rows as the last one; None before the first."""


class ClusterStats(NamedTuple):
    """A cluster as a client sees it. Counts start when the client connects.

    Example:
        >>> stats = client.stats()
        >>> len(stats.nodes), stats.retry_count
        (1, 0)
    """

    nodes: list[NodeStats]
    """By name."""
    retry_count: int
    """Requests that were sent again, with what had no answer."""
    hedge_count: int
    """Requests that were sent because another node had not answered yet."""

    @property
    def suspects(self) -> list[str]:
        """The names of nodes that are asked only where no other can be.

        Example:
            >>> client.stats().suspects
            []
        """
        return [node.name for node in self.nodes if node.suspect]
