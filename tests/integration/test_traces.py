"""Spans and durations of calls for OpenTelemetry."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import aerospike_py as aerospike
from aerospike_py import AsyncClient, Client, Keys
from aerospike_py import opentelemetry as instrumentation
from aerospike_py.batch.records import BatchRecords, Read
from aerospike_py.testing import DevServer

DTYPE = np.dtype([("a", "i8")])


class Watched:
    def __init__(self, **options: Any) -> None:
        self.spans, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        tracers = TracerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(self.spans))
        self.tracer = tracers.get_tracer("tests")
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
    client.query("test", fresh_set).results()
    assert watched.names() == [f"{name} {fresh_set}" for name in ("put", "batch_read", "to_numpy", "results")]
    put, batch, query, records = watched.spans.get_finished_spans()
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
    assert query.attributes["aerospike.requests"] >= 1
    # The requests are not followed here, so nothing is said about them.
    assert not [name for name in records.attributes if name.startswith("aerospike.")]
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


#: Methods that send nothing, or that make a query.
WITHOUT_SPANS = {
    "close", "connect", "disable_metrics", "enable_metrics", "get_cdtctx_base64", "get_expression_base64",
    "get_key_partition_id", "get_node_names", "get_nodes", "get_stats", "is_connected", "metrics", "query",
    "scan", "shm_key", "stats",
}  # fmt: skip


def test_every_command_has_spans(watched):
    for kind in (Client, AsyncClient):
        for name in dir(kind):
            if not name.startswith("_"):
                has_spans = getattr(kind, name).__code__.co_filename == instrumentation.__file__
                assert has_spans == (name not in WITHOUT_SPANS), name


def test_spans_of_batches_say_what_they_are_about(watched, client, fresh_set):
    rows = np.array([(1, 1), (2, 2)], [("id", "i8"), ("a", "i8")])
    client.batch_write_numpy(rows, "test", fresh_set, key_field="id")
    pa = pytest.importorskip("pyarrow")
    client.batch_write_arrow(pa.table({"id": [1, 2, 3], "a": [1, 2, 3]}), "test", fresh_set, key="id")
    keys = Keys("test", fresh_set, [1, 2])
    client.read_matrix([(keys, ["a"]), ([("test", fresh_set, 1), ("test", fresh_set, 2)], [("b", ("a",))])])
    client.batch_read([keys, Keys("test", fresh_set, [3])])
    client.batch_write(BatchRecords([Read(("test", fresh_set, number), None) for number in (1, 2, 3)]))
    other = f"{fresh_set}_2"
    client.read_matrix([(keys, ["a"]), (Keys("test", other, [1, 2]), ["a"])])
    found = [
        (span.name, span.attributes["db.namespace"], span.attributes["db.operation.batch.size"])
        for span in watched.spans.get_finished_spans()
    ]
    assert found == [
        (f"batch_write_numpy {fresh_set}", "test", 2),
        (f"batch_write_arrow {fresh_set}", "test", 3),
        (f"read_matrix {fresh_set}", "test", 4),
        (f"batch_read {fresh_set}", "test", 3),
        (f"batch_write {fresh_set}", "test", 3),
        ("read_matrix test", "test", 4),
    ]


def test_what_a_callback_calls_has_spans(watched, config, fresh_set):
    with aerospike.client(config).connect() as client:
        client.put(("test", fresh_set, 1), {"a": 1})
        client.query("test", fresh_set).foreach(lambda record: client.exists(("test", fresh_set, 1)))
        client.query("test", fresh_set).foreach(callback=lambda record: client.get(("test", fresh_set, 1)))
        table = pytest.importorskip("pyarrow").table({"id": [1], "a": [1]})
        client.batch_write_arrow(
            table, "test", fresh_set, key="id", progress=lambda rows: client.touch(("test", fresh_set, 1))
        )
        with pytest.raises(TypeError, match="callback"):
            client.query("test", fresh_set).foreach(None)
    names = [name.split()[0] for name in watched.names()]
    assert names == [
        "put", "exists", "foreach", "get", "foreach", "touch", "batch_write_arrow", "foreach",
    ]  # fmt: skip


def test_tasks_of_an_async_callback_have_spans(watched, config, fresh_set):
    async def main() -> None:
        async with AsyncClient(config) as client:
            key = ("test", fresh_set, 1)
            await client.put(key, {"a": 1})
            tasks = []

            async def callback(record: Any) -> None:
                await client.exists(key)
                tasks.append(asyncio.create_task(client.get(key)))

            await client.query("test", fresh_set).foreach(callback)
            await asyncio.gather(*tasks)

    asyncio.run(main())
    assert sorted(name.split()[0] for name in watched.names()) == ["exists", "foreach", "get", "put"]


# ---------------------------------------------------------------- trees


def children(watched: Watched, parent: Any) -> list[ReadableSpan]:
    context = parent.get_span_context()
    return [
        span
        for span in watched.spans.get_finished_spans()
        if span.parent is not None and span.parent.span_id == context.span_id
    ]


def test_spans_have_the_parent_that_is_active(watched, client, fresh_set):
    if not isinstance(client, Client):
        pytest.skip("the async client runs in another thread here; see the next test")
    with watched.tracer.start_as_current_span("request") as parent:
        client.put(("test", fresh_set, 1), {"a": 1})
        client.get(("test", fresh_set, 1))
    client.exists(("test", fresh_set, 1))
    found = children(watched, parent)
    assert [span.name.split()[0] for span in found] == ["put", "get"]
    assert {span.context.trace_id for span in found} == {parent.get_span_context().trace_id}


@pytest.mark.embedded
def test_spans_of_tasks_have_the_parent_of_their_task(watched, own_node, fresh_set):
    keys = [("test", fresh_set, number) for number in range(3)]

    async def task(client: AsyncClient, key: Any) -> Any:
        with watched.tracer.start_as_current_span(f"task {key[2]}") as parent:
            await client.get(key)
            return parent

    async def main() -> tuple[Any, list[Any], Any]:
        async with AsyncClient(own_node.config) as client:
            with watched.tracer.start_as_current_span("gather") as gathered:
                await asyncio.gather(*(client.put(key, {"a": 1}) for key in keys))
            parents = await asyncio.gather(*(asyncio.create_task(task(client, key)) for key in keys))
            with watched.tracer.start_as_current_span("cancelled") as cancelled:
                own_node.inject("silent", command="read", times=1)
                reading = asyncio.create_task(client.get(keys[0], {"hedge_delay": "off"}))
                await asyncio.sleep(0.2)
                reading.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await reading
            return gathered, list(parents), cancelled

    gathered, parents, cancelled = asyncio.run(main())
    assert [span.name.split()[0] for span in children(watched, gathered)] == ["put"] * 3
    for parent in parents:
        assert [span.name.split()[0] for span in children(watched, parent)] == ["get"]
    [span] = children(watched, cancelled)
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"] == "CancelledError"
    assert span.attributes["aerospike.requests"] == 1
    # The calls of the client are in no other tree.
    assert trace.get_current_span().get_span_context().span_id == 0


@pytest.mark.embedded
def test_spans_count_retries_and_hedges(watched, face, fresh_set):
    keys = [("test", fresh_set, number) for number in range(300)]
    with DevServer(nodes=3) as server, face.connect({**server.config, "tend_interval": 100_000}) as client:
        server.inject("code", command="read", code=18, times=1)
        client.exists(keys[0])
        server.inject("silent", 1, command="batch", times=1)
        client.batch_read(keys, None, {"hedge_delay": 20, "total_timeout": 20_000})
    exists, batch = watched.spans.get_finished_spans()
    assert exists.attributes["aerospike.retries"] == exists.attributes["aerospike.requests"] - 1 > 0
    assert batch.attributes["aerospike.hedges"] >= 1
    assert batch.attributes["aerospike.requests"] >= 4
    assert sorted(batch.attributes["aerospike.nodes"]) == ["D1", "D2", "D3"]


def test_wrong_arguments_raise_what_they_always_do(watched, client):
    with pytest.raises(TypeError):
        client.get()
    with pytest.raises(aerospike.exception.ParamError):
        client.get(5)
    assert [span.status.status_code for span in watched.spans.get_finished_spans()] == [StatusCode.ERROR] * 2
