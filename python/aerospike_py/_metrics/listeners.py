"""The official client's periodic metrics: listeners that get a snapshot now and then, or files of them."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, TextIO

from ..exception import AerospikeError, ClientError
from ..metrics import Cluster, ConnectionStats, MetricsListeners, MetricsPolicy, NamespaceMetrics, Node
from .snapshot import merged, snapshot_of

if TYPE_CHECKING:
    from .snapshot import ClientMetrics, CommandMetrics, NodeMetrics

_logger = logging.getLogger("aerospike_py")

#: The official names of latencies by the purpose of requests.
_LATENCIES = {
    "write": "write_latency",
    "read": "read_latency",
    "batch": "batch_latency",
    "query": "query_latency",
}


def _made(kind: Any, **attributes: Any) -> Any:
    """An object of a class that users cannot make."""
    new = object.__new__(kind)
    for name, value in attributes.items():
        setattr(new, name, value)
    return new


def _columns(each: CommandMetrics, policy: MetricsPolicy) -> list[int]:
    """How many took at most 1 ms, up to 2 ** shift ms, and so on; the last has all that took longer."""
    bounds = [0.001 * 2 ** (policy.latency_shift * step) for step in range(policy.latency_columns - 1)]
    within = [each.count_within(bound) for bound in bounds]
    return [count - before for count, before in zip([*within, each.calls], [0, *within], strict=True)]


def _namespace(name: str, requests: list[CommandMetrics], node: Any, policy: MetricsPolicy) -> Any:
    def all_of(purpose: str) -> CommandMetrics:
        return merged(purpose, name, "", [each for each in requests if each.command == purpose])

    # Missing (2) and filtered out (27) are answers; None is a request that the client ended.
    failed = [each for each in requests if each.code not in (0, 2, 27, None)]
    return _made(
        NamespaceMetrics,
        ns=name,
        bytes_in=sum(each.bytes_received for each in requests),
        bytes_out=sum(each.bytes_sent for each in requests),
        error_count=sum(each.calls for each in failed),
        timeout_count=node.timeout_count if node is not None else 0,
        key_busy_count=sum(each.calls for each in failed if each.code == 14),
        conn_latency=[0] * policy.latency_columns,
        **{field: _columns(all_of(purpose), policy) for purpose, field in _LATENCIES.items()},
    )


def _node(node: NodeMetrics, metrics: ClientMetrics, policy: MetricsPolicy) -> Any:
    stats = next((each for each in metrics.stats.nodes if each.name == node.name), None)
    names = sorted({each.namespace for each in node.requests if each.namespace})
    return _made(
        Node,
        name=node.name,
        address=node.address,
        port=node.port,
        conns=stats.conns if stats is not None else ConnectionStats(0, 0, 0, 0, 0),
        metrics=[
            _namespace(name, [each for each in node.requests if each.namespace == name], stats, policy)
            for name in names
        ],
    )


def cluster_of(metrics: ClientMetrics, policy: MetricsPolicy, name: str | None, app_id: str) -> Any:
    """A snapshot as the official client's listeners get it."""
    return _made(
        Cluster,
        cluster_name=name,
        app_id=app_id,
        invalid_node_count=0,
        command_count=sum(each.calls for each in metrics.commands),
        retry_count=metrics.stats.retry_count,
        nodes=[_node(node, metrics, policy) for node in metrics.nodes],
    )


class _Files:
    """Writes snapshots into files: what happens without listeners."""

    def __init__(self, policy: MetricsPolicy) -> None:
        self._policy = policy
        self._file: TextIO | None = None

    def enable(self) -> None:
        os.makedirs(self._policy.report_dir, exist_ok=True)
        self._open()

    def _open(self) -> None:
        stamp = time.strftime("%Y%m%d%H%M%S")
        base, number = os.path.join(self._policy.report_dir, f"metrics-{stamp}"), 0
        while True:
            path = f"{base}{f'-{number}' if number else ''}.log"
            try:
                self._file = open(path, "x", encoding="utf-8")  # noqa: SIM115 - closed by `disable`
                break
            except FileExistsError:
                number += 1

    def snapshot(self, cluster: Cluster) -> None:
        if self._file is None:
            return
        labels = ",".join(f"{name}={value}" for name, value in sorted(self._policy.labels.items()))
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        head = f"{stamp} cluster={cluster.cluster_name or ''} app_id={cluster.app_id} labels=[{labels}]"
        self._file.write(f"{head} commands={cluster.command_count} retries={cluster.retry_count}\n")
        for node in cluster.nodes:
            for each in node.metrics:
                latencies = " ".join(f"{name}={getattr(each, name)}" for name in _LATENCIES.values())
                counts = f"bytes_in={each.bytes_in} bytes_out={each.bytes_out} errors={each.error_count}"
                self._file.write(f"{stamp} node={node.name} ns={each.ns} {counts} {latencies}\n")
        self._file.flush()
        limit = self._policy.report_size_limit
        if limit and self._file.tell() >= limit:
            self._file.close()
            self._open()

    def node_close(self, node: Node) -> None:
        """Files have no lines of nodes that leave."""

    def disable(self, cluster: Cluster) -> None:
        self.snapshot(cluster)
        if self._file is not None:
            self._file.close()
            self._file = None


class Reporter:
    """Calls listeners with snapshots from a thread of its own until it is stopped.

    An exception of a listener is logged; the next snapshot is taken as if it had not happened.
    """

    def __init__(
        self, client: Any, policy: MetricsPolicy, seconds: float, name: str | None, app_id: str
    ) -> None:
        # A weak reference: the reports must not keep an unused client alive.
        self._client = weakref.ref(client)
        self._policy, self._seconds = policy, seconds
        self._name, self._app_id = name, app_id
        listeners = policy.metrics_listeners
        if listeners is None:
            files = _Files(policy)
            listeners = MetricsListeners(files.enable, files.snapshot, files.node_close, files.disable)
        self._listeners = listeners
        self._nodes: dict[str, Node] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="aerospike_py-metrics", daemon=True)

    def start(self) -> None:
        """Calls the first listener, and starts.

        Raises:
            ClientError: the listener raised an exception, which is the cause.
        """
        try:
            self._listeners.enable_listener()
        except Exception as error:
            kind = type(error).__name__
            try:
                what = f"Exception value: {error}"
            except Exception:  # noqa: BLE001 (of a user's __str__)
                what = "str() on exception value threw an error"
            # The official client's text.
            raise ClientError(f"Python callback enable_listener threw a {kind} exception. {what}") from error
        self._thread.start()

    def stop(self) -> None:
        """Stops, and calls the last listener with a last snapshot."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        if self._thread is not threading.current_thread():
            self._thread.join()
        with contextlib.suppress(AerospikeError, ReferenceError):
            self._call(self._listeners.disable_listener, self._cluster())

    def _cluster(self) -> Any:
        client = self._client()
        if client is None:
            raise ReferenceError
        return cluster_of(snapshot_of(client._core), self._policy, self._name, self._app_id)

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            try:
                cluster = self._cluster()
            except AerospikeError:
                # It is not connected yet.
                continue
            except ReferenceError:
                return
            now = {node.name: node for node in cluster.nodes}
            for name, node in self._nodes.items():
                if name not in now:
                    self._call(self._listeners.node_close_listener, node)
            self._nodes = now
            self._call(self._listeners.snapshot_listener, cluster)

    def _call(self, listener: Any, argument: Any) -> None:
        try:
            listener(argument)
        except Exception:
            _logger.exception("a metrics listener failed")
