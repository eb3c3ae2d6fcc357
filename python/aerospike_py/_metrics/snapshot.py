"""What a client has counted so far, as immutable tuples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .. import _native
from ..exception import _error_class
from .names import check_command

if TYPE_CHECKING:
    from ..stats import ClusterStats


def outcome_name(code: int | None) -> str:
    """``"ok"``, the name of the error's class, or ``"cancelled"``."""
    if code is None:
        return "cancelled"
    return "ok" if code == 0 else _error_class(code).__name__


class CommandMetrics(NamedTuple):
    """The calls, or requests, of one command with the same namespace and outcome.

    Example:
        >>> client.enable_metrics()
        >>> record = client.get(("test", "users", 1))
        >>> client.metrics().find("get").calls
        1
    """

    command: str
    """The command: the method's name, such as ``"get"`` or ``"batch_read"``, or one for several methods, such
    as ``"query"``, ``"info"`` and ``"admin"``. For requests to nodes: ``"read"``, ``"write"``, ``"batch"``,
    ``"query"`` or ``"info"``."""
    namespace: str
    """Empty for commands without a namespace, and for batches of several."""
    outcome: str
    """``"ok"``, the name of an error's class, or ``"cancelled"`` for a call that was cancelled."""
    code: int | None
    """The result code; None if cancelled."""
    calls: int
    records: int
    """Records that the calls were about: the keys of batches. 0 for queries and requests."""
    missing: int
    """Records of batches that are not there. 0 for commands on one record, whose outcome says it."""
    failed: int
    """Records of batches that failed: neither missing nor filtered out. 0 for commands on one record."""
    bytes_sent: int
    """Bytes of requests; 0 for calls."""
    bytes_received: int
    """Bytes of answers, without frame headers; 0 for calls."""
    seconds: float
    """The sum of their times."""
    buckets: tuple[tuple[float, int], ...]
    """How many took how long: the upper end in seconds of each bucket that is not empty, and its count. A
    bucket is at most an eighth of its times wide; the last ends at 137 seconds."""

    @property
    def mean(self) -> float:
        """The mean time in seconds; 0.0 without calls.

        Example:
            >>> client.metrics().find("get").mean
            0.0
        """
        return self.seconds / self.calls if self.calls else 0.0

    def quantile(self, q: float) -> float:
        """The time in seconds within which a share ``q`` of the calls ended; 0.0 without calls.

        Raises:
            ValueError: ``q`` is not from 0 to 1.

        Example:
            >>> client.metrics().find("get").quantile(0.99)
            0.0
        """
        if not 0 <= q <= 1:
            raise ValueError(f"q is {q!r}; it must be from 0 to 1")
        wanted, seen = q * sum(count for _, count in self.buckets), 0
        for end, count in self.buckets:
            seen += count
            if seen >= wanted:
                return end
        return 0.0

    def count_within(self, seconds: float) -> int:
        """How many took at most ``seconds``, by whole buckets.

        Example:
            >>> client.metrics().find("get").count_within(0.001)
            0
        """
        return sum(count for end, count in self.buckets if end <= seconds)


class NodeMetrics(NamedTuple):
    """The requests to one node since it joined.

    Example:
        >>> [node.name for node in client.metrics().nodes] == client.get_node_names()
        True
    """

    name: str
    address: str
    port: int
    requests: tuple[CommandMetrics, ...]
    """By purpose, namespace and outcome. A request without an answer has the code -1. One whose answer the
    client did not wait for, or wanted no more of, is ``"cancelled"``: a hedge that came second, a call that
    was cancelled, a query that was left early."""


class ClientMetrics(NamedTuple):
    """What a client has counted: the result of ``client.metrics()``.

    Example:
        >>> client.metrics().enabled, client.metrics().commands
        (False, ())
    """

    enabled: bool
    """Whether calls are counted now: see ``client.enable_metrics()``."""
    commands: tuple[CommandMetrics, ...]
    """Calls since metrics were enabled, by command, namespace and outcome."""
    nodes: tuple[NodeMetrics, ...]
    """Requests to each node since metrics were enabled."""
    stats: ClusterStats
    """The state of nodes and connections, and the counts of retries and hedges, enabled or not."""
    inexact_values: int
    """Values that changed to fit their fields, in all arrays that this process has read."""
    decode_errors: int
    """Values that did not fit their fields, in all arrays that this process has read."""

    def find(self, command: str, namespace: str | None = None, outcome: str | None = "ok") -> CommandMetrics:
        """All calls of a command in one; those with the outcome ``"ok"`` by default.

        Args:
            command: such as ``"get"``; zeros if there were no calls.
            namespace: None for all.
            outcome: None for all.

        Raises:
            ValueError: no calls are counted under this name.

        Example:
            >>> client.metrics().find("get").calls
            0
        """
        check_command(command)
        found = [
            each
            for each in self.commands
            if each.command == command
            and namespace in (None, each.namespace)
            and outcome in (None, each.outcome)
        ]
        return merged(command, namespace or "", outcome or "", found)


def merged(command: str, namespace: str, outcome: str, all_of: list[CommandMetrics]) -> CommandMetrics:
    """Several series as one."""
    buckets: dict[float, int] = {}
    for each in all_of:
        for end, count in each.buckets:
            buckets[end] = buckets.get(end, 0) + count
    return CommandMetrics(
        command,
        namespace,
        outcome,
        all_of[0].code if len(all_of) == 1 else None,
        sum(each.calls for each in all_of),
        sum(each.records for each in all_of),
        sum(each.missing for each in all_of),
        sum(each.failed for each in all_of),
        sum(each.bytes_sent for each in all_of),
        sum(each.bytes_received for each in all_of),
        sum(each.seconds for each in all_of),
        tuple(sorted(buckets.items())),
    )


def _commands(rows: list[tuple[Any, ...]]) -> tuple[CommandMetrics, ...]:
    return tuple(
        CommandMetrics._make((command, namespace, outcome_name(code), code, *counts, tuple(buckets)))
        for command, namespace, code, *counts, buckets in rows
    )


def snapshot_of(core: Any) -> ClientMetrics:
    """What a client's core has counted."""
    enabled, calls, nodes = core.metrics()
    of_nodes = (NodeMetrics(name, address, port, _commands(rows)) for name, address, port, rows in nodes)
    return ClientMetrics(enabled, _commands(calls), tuple(of_nodes), core.stats(), *_native.decoded_values())
