"""Periodic metrics as the official client's listeners get them."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import aerospike_py as aerospike
from aerospike_py.metrics import MetricsListeners, MetricsPolicy
from aerospike_py.testing import DevServer
from tests.support.waiting import eventually


class Listener:
    def __init__(self) -> None:
        self.calls: list[str] = []
        self.clusters: list[Any] = []
        self.closed: list[Any] = []
        self.seen = threading.Event()

    def policy(self, **settings: Any) -> MetricsPolicy:
        listeners = MetricsListeners(self.enable, self.snapshot, self.node_close, self.disable)
        return MetricsPolicy(listeners, **settings)

    def enable(self) -> None:
        self.calls.append("enable")

    def snapshot(self, cluster: Any) -> None:
        self.calls.append("snapshot")
        self.clusters.append(cluster)
        self.seen.set()

    def node_close(self, node: Any) -> None:
        self.calls.append("node_close")
        self.closed.append(node)

    def disable(self, cluster: Any) -> None:
        self.calls.append("disable")
        self.clusters.append(cluster)


def test_listeners_get_snapshots(face, config, fresh_set):
    with face.connect({**config, "tend_interval": 250}) as client:
        listener = Listener()
        client.enable_metrics(listener.policy(interval=1))
        client.put(("test", fresh_set, 1), {"a": 1})
        client.get(("test", fresh_set, 1))
        assert listener.seen.wait(20)
        client.disable_metrics()
        assert (listener.calls[0], listener.calls[-1]) == ("enable", "disable")
        last = listener.clusters[-1]
        assert last.command_count >= 2
        [space] = [each for node in last.nodes for each in node.metrics if each.ns == "test"][:1]
        assert len(space.read_latency) == 7
        totals = [
            (sum(each.read_latency), sum(each.write_latency))
            for node in last.nodes
            for each in node.metrics
            if each.ns == "test"
        ]
        assert [sum(column) for column in zip(*totals, strict=True)] == [1, 1]
        count = len(listener.calls)
        client.get(("test", fresh_set, 1))
        assert len(listener.calls) == count


def test_a_listener_that_fails_enables_nothing(face, config, fresh_set):
    def fail() -> None:
        raise LookupError("of the listener")

    with face.connect(config) as client:
        policy = Listener().policy()
        policy.metrics_listeners.enable_listener = fail
        for is_enabled in (False, True):
            if is_enabled:
                client.enable_metrics()
            with pytest.raises(aerospike.exception.ClientError, match="of the listener") as caught:
                client.enable_metrics(policy)
            assert isinstance(caught.value.__cause__, LookupError)
            assert client.metrics().enabled == is_enabled
            client.put(("test", fresh_set, 1), {"a": 1})
            assert client.metrics().find("put").calls == is_enabled


def test_policies_of_the_official_client_are_taken(face, config, fresh_set):
    theirs = pytest.importorskip("aerospike_helpers.metrics")
    listener = Listener()
    listeners = theirs.MetricsListeners(
        listener.enable, listener.snapshot, listener.node_close, listener.disable
    )
    with face.connect({**config, "tend_interval": 250}) as client:
        client.enable_metrics(theirs.MetricsPolicy(listeners, interval=1))
        assert listener.seen.wait(20)
        client.disable_metrics()
        assert (listener.calls[0], listener.calls[-1]) == ("enable", "disable")
        policy = theirs.MetricsPolicy(interval=0)
        with pytest.raises(aerospike.exception.ParamError, match="interval is 0"):
            client.enable_metrics(policy)
        policy = theirs.MetricsPolicy()
        policy.metrics_listeners = object()
        with pytest.raises(TypeError, match="metrics_listeners"):
            client.enable_metrics(policy)


def test_reports_go_on_after_another_connect(face, config):
    listener = Listener()
    client = face.client({**config, "tend_interval": 250})
    # Before the first connect, there is nothing to report.
    client.enable_metrics(listener.policy(interval=1))
    assert listener.calls == ["enable"]
    client.connect()
    assert listener.seen.wait(20)
    client.close()
    assert listener.calls[-1] == "disable"
    listener.calls.clear()
    listener.seen.clear()
    client.connect()
    assert listener.seen.wait(20)
    client.close()
    assert (listener.calls[0], listener.calls[1], listener.calls[-1]) == ("enable", "snapshot", "disable")


@pytest.mark.embedded
def test_a_node_that_leaves_is_reported(face):
    listener = Listener()
    with DevServer(nodes=3, failure_detection=0.5) as server:
        config = {**server.config, "tend_interval": 100, "connect_timeout": 300}
        with face.connect(config) as client:
            client.enable_metrics(listener.policy(interval=1))
            eventually(
                "a snapshot of all nodes",
                lambda: any(len(cluster.nodes) == 3 for cluster in listener.clusters),
            )
            server.kill(2)
            eventually(lambda: f"{listener.calls}", lambda: "node_close" in listener.calls)
            assert [node.name for node in listener.closed] == ["D3"]
            snapshot = listener.calls.index("node_close") + 1
            eventually("a later snapshot", lambda: len(listener.calls) > snapshot)
            assert {node.name for node in listener.clusters[-1].nodes} == {"D1", "D2"}


def test_what_is_no_failure_is_not_counted_as_one(face, config, fresh_set):
    listener = Listener()
    with face.connect(config) as client:
        client.enable_metrics(listener.policy())
        for number in range(20):
            client.put(("test", fresh_set, number), {"a": 1})
        with pytest.raises(aerospike.exception.RecordNotFound):
            client.get(("test", fresh_set, 100))
        no = aerospike.expressions.Eq(aerospike.expressions.IntBin("a"), 2).compile()
        with pytest.raises(aerospike.exception.FilteredOut):
            client.get(("test", fresh_set, 1), {"expressions": no})
        with client.query("test", fresh_set).records() as records:
            next(records)
        client.disable_metrics()
    spaces = [each for node in listener.clusters[-1].nodes for each in node.metrics if each.ns == "test"]
    assert sum(each.error_count for each in spaces) == 0


def test_closing_ends_the_reports(face, config):
    listener = Listener()
    client = face.connect(config)
    client.enable_metrics(listener.policy())
    client.close()
    assert listener.calls == ["enable", "disable"]


def test_without_listeners_files_are_written(face, config, fresh_set, tmp_path):
    with face.connect(config) as client:
        client.enable_metrics(MetricsPolicy(report_dir=str(tmp_path), labels={"service": "features"}))
        client.put(("test", fresh_set, 1), {"a": 1})
        client.disable_metrics()
    [file] = tmp_path.iterdir()
    text = file.read_text()
    assert "labels=[service=features]" in text
    assert "ns=test" in text


@pytest.mark.parametrize(
    ("settings", "why"),
    [({"interval": 0}, "interval is 0"), ({"latency_columns": 1}, "latency_columns is 1")],
)
def test_wrong_policies_are_refused(client, settings, why):
    with pytest.raises(aerospike.exception.ParamError, match=why):
        client.enable_metrics(MetricsPolicy(**settings))
    with pytest.raises(TypeError, match="must be a MetricsPolicy"):
        client.enable_metrics({"interval": 1})
