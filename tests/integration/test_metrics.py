"""Metrics of calls: snapshots, Prometheus text, the official client's listeners, spans and durations."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from prometheus_client.parser import text_string_to_metric_families

import aerospike_py as aerospike
from aerospike_py import opentelemetry as instrumentation
from aerospike_py.metrics import MetricsListeners, MetricsPolicy
from tests.support.faces import Face

DTYPE = np.dtype([("a", "i8")])


@pytest.fixture
def counted(face: Face, config: dict[str, Any]) -> Iterator[Any]:
    """A client that counts its calls."""
    client = face.connect(config)
    client.enable_metrics()
    yield client
    client.close()


def test_calls_are_counted_by_command_namespace_and_outcome(counted, fresh_set):
    key = ("test", fresh_set, 1)
    counted.put(key, {"a": 1})
    for _ in range(3):
        counted.get(key)
    with pytest.raises(aerospike.exception.RecordNotFound):
        counted.get(("test", fresh_set, 2))
    counted.batch_read([("test", fresh_set, number) for number in range(10)], _dtype=DTYPE)
    metrics = counted.metrics()
    assert metrics.enabled
    assert metrics.find("put").calls == 1
    assert metrics.find("get").calls == 3
    assert metrics.find("get", "test", "RecordNotFound").calls == 1
    assert metrics.find("get", outcome=None).calls == 4
    assert metrics.find("get", "bar").calls == 0
    batch = metrics.find("batch_read", "test")
    assert (batch.calls, batch.records) == (1, 10)
    assert 0 < batch.quantile(0.5) < 10
    assert 0 < batch.mean < 10
    with pytest.raises(ValueError, match="must be from 0 to 1"):
        batch.quantile(1.5)


def test_requests_are_counted_by_node(counted, fresh_set):
    counted.put(("test", fresh_set, 1), {"a": 1})
    counted.batch_read([("test", fresh_set, 1)], _dtype=DTYPE)
    nodes = counted.metrics().nodes
    assert [node.name for node in nodes] == counted.get_node_names()
    requests = [each for node in nodes for each in node.requests if each.namespace == "test"]
    assert {each.command for each in requests} >= {"write", "batch"}
    assert all(each.bytes_sent > 20 and each.bytes_received > 20 for each in requests)


def test_nothing_is_counted_unless_asked_for(face, config, fresh_set):
    with face.connect(config) as client:
        client.put(("test", fresh_set, 1), {"a": 1})
        assert not client.metrics().enabled
        assert client.metrics().commands == ()
        client.enable_metrics()
        client.get(("test", fresh_set, 1))
        client.disable_metrics()
        client.get(("test", fresh_set, 1))
        assert client.metrics().find("get").calls == 1
        assert len(client.metrics().stats.nodes) >= 1


def test_values_that_change_or_fail_are_counted(client, fresh_set):
    before = client.metrics()
    client.put(("test", fresh_set, 1), {"a": 2.5})
    client.put(("test", fresh_set, 2), {"a": "text"})
    keys = [("test", fresh_set, number) for number in (1, 2)]
    with pytest.warns(RuntimeWarning, match="changed"):
        client.batch_read(keys, _dtype=DTYPE, errors="coerce")
    after = client.metrics()
    assert after.inexact_values == before.inexact_values + 1
    assert after.decode_errors == before.decode_errors + 1


def test_a_client_that_is_not_connected_has_no_metrics(face, config):
    client = face.client(config)
    calls = [client.metrics, client.enable_metrics, client.disable_metrics]
    for call in calls[: 1 if face.name == "sync" else None]:
        with pytest.raises(aerospike.exception.ClientError, match="not connected"):
            call()


def test_enabling_metrics_connects_the_synchronous_client(config):
    with contextlib.closing(aerospike.client(config)) as client:
        client.disable_metrics()
        assert not client.is_connected()
        client.enable_metrics()
        assert client.is_connected()
        assert client.metrics().enabled


# ---------------------------------------------------------------- Prometheus


def samples() -> dict[str, list[Any]]:
    families = text_string_to_metric_families(aerospike.prometheus_text())
    return {family.name: family.samples for family in families}


def test_prometheus_reads_the_text(counted, fresh_set):
    counted.put(("test", fresh_set, 1), {"a": 1})
    counted.get(("test", fresh_set, 1))
    found = samples()
    wanted = {"command": "get", "namespace": "test", "outcome": "ok"}
    of_get = [
        sample
        for sample in found["aerospike_client_command_duration_seconds"]
        if wanted.items() <= sample.labels.items()
    ]
    client = of_get[-1].labels["client"]
    of_get = [sample for sample in of_get if sample.labels["client"] == client]
    buckets = [sample.value for sample in of_get if sample.name.endswith("_bucket")]
    assert buckets == sorted(buckets)
    assert buckets[-1] == next(sample.value for sample in of_get if sample.name.endswith("_count")) == 1
    assert any(sample.labels["client"] == client for sample in found["aerospike_client_nodes"])
    assert "aerospike_client_decode_errors" in found
    counted.disable_metrics()
    text = aerospike.prometheus_text()
    assert f'aerospike_client_nodes{{client="{client}"}}' not in text


# ---------------------------------------------------------------- listeners


class Listener:
    def __init__(self) -> None:
        self.calls: list[str] = []
        self.clusters: list[Any] = []
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


# ---------------------------------------------------------------- OpenTelemetry


class Watched:
    def __init__(self, **options: Any) -> None:
        self.spans, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        tracers = TracerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(self.spans))
        instrumentation.instrument(MeterProvider([self.reader]), tracers, **options)

    def names(self) -> list[str]:
        return [span.name for span in self.spans.get_finished_spans()]

    def points(self) -> list[Any]:
        data: Any = self.reader.get_metrics_data()
        metrics = data.resource_metrics[0].scope_metrics[0].metrics
        [duration] = [each for each in metrics if each.name == "db.client.operation.duration"]
        assert duration.unit == "s"
        return list(duration.data.data_points)


@pytest.fixture
def watched() -> Iterator[Watched]:
    yield Watched()
    instrumentation.uninstrument()


def test_each_call_is_a_span(watched, client, fresh_set):
    client.put(("test", fresh_set, 1), {"a": 1})
    client.batch_read([("test", fresh_set, number) for number in range(5)], _dtype=DTYPE)
    client.query("test", fresh_set).to_numpy(DTYPE)
    assert watched.names() == [f"{name} {fresh_set}" for name in ("put", "batch_read", "to_numpy")]
    put, batch, _ = watched.spans.get_finished_spans()
    assert put.kind is SpanKind.CLIENT
    assert put.attributes["db.system.name"] == "aerospike"
    assert put.attributes["db.namespace"] == "test"
    assert put.attributes["db.collection.name"] == fresh_set
    assert put.attributes["db.operation.name"] == "put"
    assert put.attributes["aerospike.requests"] == 1
    assert put.attributes["aerospike.retries"] == put.attributes["aerospike.hedges"] == 0
    assert put.attributes["aerospike.nodes"][0] in client.get_node_names()
    assert put.attributes["server.port"] > 0
    assert batch.attributes["db.operation.batch.size"] == 5
    assert not any("key" in name for name in put.attributes)
    operations = {point.attributes["db.operation.name"]: point.count for point in watched.points()}
    assert operations["put"] == operations["batch_read"] == 1


def test_errors_are_named_without_keys(watched, client, fresh_set):
    with pytest.raises(aerospike.exception.RecordNotFound):
        client.get(("test", fresh_set, "a secret key"))
    [span] = watched.spans.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"] == "RecordNotFound"
    assert span.attributes["db.response.status_code"] == "2"
    assert "a secret key" not in span.to_json()
    [point] = watched.points()
    assert point.attributes["error.type"] == "RecordNotFound"


def test_keys_are_recorded_if_asked_for(client, fresh_set):
    watched = Watched(record_keys=True)
    try:
        client.put(("test", fresh_set, 7), {"a": 1})
        with pytest.raises(RuntimeError, match="instrumented already"):
            instrumentation.instrument()
    finally:
        instrumentation.uninstrument()
    [span] = watched.spans.get_finished_spans()
    assert span.attributes["aerospike.key"] == "7"
    client.get(("test", fresh_set, 7))
    assert len(watched.spans.get_finished_spans()) == 1


def test_calls_that_the_package_makes_itself_have_no_spans(watched, client, fresh_set):
    client.put(("test", fresh_set, 1), {"a": 1})
    client.infer_dtype("test", fresh_set)
    assert watched.names() == [f"put {fresh_set}", f"infer_dtype {fresh_set}"]


def test_wrong_arguments_raise_what_they_always_do(watched, client):
    with pytest.raises(TypeError):
        client.get()
    with pytest.raises(aerospike.exception.ParamError):
        client.get(5)
    assert [span.status.status_code for span in watched.spans.get_finished_spans()] == [StatusCode.ERROR] * 2
