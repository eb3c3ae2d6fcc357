"""Metrics in the text format that Prometheus reads, version 0.0.4."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _native
from ..exception import ClientError
from .registry import counted
from .snapshot import snapshot_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .snapshot import ClientMetrics, CommandMetrics

#: Upper ends of the histograms' buckets, in seconds.
BOUNDS = (
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


def prometheus_text() -> str:
    """The metrics of all clients of this process that count their calls, as Prometheus reads them.

    Serve it with the content type ``text/plain; version=0.0.4``. Clients count from
    :meth:`Client.enable_metrics() <aerospike_py.Client.enable_metrics>` on; the label
    ``client`` numbers them.
    It takes no lock that calls wait for, and sends nothing to the cluster.

    Returns:
        Text of lines, which ends with a newline.

    Example:
        >>> client.enable_metrics()
        >>> "aerospike_client_nodes" in aerospike_py.prometheus_text()
        True
    """
    families = _Families()
    for name, client in counted():
        try:
            metrics = snapshot_of(client._core)
        except ClientError:
            # It was closed.
            continue
        _add(families, name, metrics)
    inexact, failed = _native.decoded_values()
    families.add("inexact_values_total", "counter", "Values that changed to fit their fields.", {}, inexact)
    families.add("decode_errors_total", "counter", "Values that did not fit their fields.", {}, failed)
    return families.text()


def _add(families: _Families, name: str, metrics: ClientMetrics) -> None:
    for each in metrics.commands:
        labels = {
            "client": name,
            "command": each.command,
            "namespace": each.namespace,
            "outcome": each.outcome,
        }
        families.histogram("command_duration_seconds", "Time of calls.", labels, each)
        families.add(
            "command_records_total", "counter", "Records that calls were about.", labels, each.records
        )
        missing, failed = "Records of batches that are not there.", "Records of batches that failed."
        families.add("command_missing_records_total", "counter", missing, labels, each.missing)
        families.add("command_failed_records_total", "counter", failed, labels, each.failed)
    for node in metrics.nodes:
        for each in node.requests:
            labels = {
                "client": name,
                "node": node.name,
                "purpose": each.command,
                "namespace": each.namespace,
                "outcome": "no answer" if each.code == -1 else each.outcome,
            }
            families.histogram("request_duration_seconds", "Time of requests to nodes.", labels, each)
            families.add("sent_bytes_total", "counter", "Bytes of requests.", labels, each.bytes_sent)
            families.add("received_bytes_total", "counter", "Bytes of answers.", labels, each.bytes_received)
    stats, of_client = metrics.stats, {"client": name}
    families.add("nodes", "gauge", "Nodes of the cluster.", of_client, len(stats.nodes))
    families.add("retries_total", "counter", "Requests that were sent again.", of_client, stats.retry_count)
    families.add("hedges_total", "counter", "Requests sent to a second node.", of_client, stats.hedge_count)
    for node_stats in stats.nodes:
        labels = {"client": name, "node": node_stats.name}
        conns = node_stats.conns
        for state, count in (("in use", conns.in_use), ("idle", conns.in_pool)):
            families.add("connections", "gauge", "Connections to nodes.", {**labels, "state": state}, count)
        families.add(
            "waiting_commands", "gauge", "Commands that wait for a connection.", labels, conns.waiting
        )
        families.add("connections_opened_total", "counter", "Opened connections.", labels, conns.opened)
        families.add("connections_closed_total", "counter", "Closed connections.", labels, conns.closed)
        families.add("node_errors_total", "counter", "Failures of nodes.", labels, node_stats.error_count)
        families.add("node_timeouts_total", "counter", "Timeouts of nodes.", labels, node_stats.timeout_count)
        suspected, opened = node_stats.suspect_count, node_stats.circuit_open_count
        families.add(
            "node_suspected_total", "counter", "Times that a node became suspect.", labels, suspected
        )
        families.add(
            "node_circuit_opened_total", "counter", "Times that a node failed too often.", labels, opened
        )
        families.add(
            "node_suspect", "gauge", "1 while commands avoid the node.", labels, int(node_stats.suspect)
        )
        families.add(
            "node_circuit_open",
            "gauge",
            "1 while the node failed too often to be used.",
            labels,
            int(node_stats.circuit_open),
        )


class _Families:
    """Metrics by name; the samples of a name must follow each other."""

    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = {}

    def _family(self, name: str, kind: str, help_text: str) -> list[str]:
        name = f"aerospike_client_{name}"
        return self._lines.setdefault(name, [f"# HELP {name} {help_text}", f"# TYPE {name} {kind}"])

    def add(self, name: str, kind: str, help_text: str, labels: Mapping[str, str], value: float) -> None:
        self._family(name, kind, help_text).append(
            f"aerospike_client_{name}{_labels(labels.items())} {value}"
        )

    def histogram(self, name: str, help_text: str, labels: Mapping[str, str], each: CommandMetrics) -> None:
        lines = self._family(name, "histogram", help_text)
        full = f"aerospike_client_{name}"
        ends = [*((str(bound), each.count_within(bound)) for bound in BOUNDS), ("+Inf", each.calls)]
        for bound, count in ends:
            lines.append(f"{full}_bucket{_labels([*labels.items(), ('le', bound)])} {count}")
        lines.append(f"{full}_sum{_labels(labels.items())} {each.seconds}")
        lines.append(f"{full}_count{_labels(labels.items())} {each.calls}")

    def text(self) -> str:
        return "".join(f"{line}\n" for lines in self._lines.values() for line in lines)


def _labels(labels: Iterable[tuple[str, str]]) -> str:
    inside = ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels)
    return f"{{{inside}}}" if inside else ""
