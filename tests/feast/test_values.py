"""Values that Feast's own store cannot write, and hostile or foreign ones."""

from __future__ import annotations

import asyncio
import decimal
import pickle
import uuid
from datetime import datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from feast import FeatureView, Field
from feast.protos.feast.types.Value_pb2 import Value
from feast.type_map import feast_value_type_to_python_type, python_values_to_proto_values
from feast.types import (
    Array,
    Decimal,
    Float32,
    Float64,
    Int32,
    Int64,
    Json,
    Map,
    Set,
    String,
    UnixTimestamp,
    Uuid,
)

import aerospike_py
from aerospike_py.feast import values
from tests.feast.conftest import FEASTS, OURS
from tests.feast.test_interchange import assert_same, online
from tests.feast.views import NOW, driver, key, number_rows, numbers, source

ID = uuid.UUID("8b4b3c44-7b3d-4d6a-9c1e-0f2a51d7e9aa")
TIME = NOW.replace(microsecond=0)
TYPED = {
    "time": (UnixTimestamp, TIME),
    "times": (Array(UnixTimestamp), [TIME, TIME + timedelta(days=1)]),
    "id": (Uuid, ID),
    "ids": (Array(Uuid), [ID]),
    "price": (Decimal, decimal.Decimal("12.340")),
    "prices": (Array(Decimal), [decimal.Decimal("0.1"), decimal.Decimal("2")]),
    "numbers": (Set(Int64), {3, -1}),
    "names": (Set(String), {"a", "b"}),
    "moments": (Set(UnixTimestamp), {TIME}),
    "unique": (Set(Uuid), {ID}),
    "document": (Json, {"a": [1, 2.5, None, "x"]}),
    "text": (Json, '"only text"'),
    "map": (Map, {"a": 1, "b": "x"}),
}


def typed_view(tmp_path):
    frame = pd.DataFrame({"driver_id": [1], "event_timestamp": [NOW]})
    return FeatureView(
        name="typed",
        entities=[driver],
        schema=[
            Field(name="driver_id", dtype=Int64),
            *(Field(name=name, dtype=type_) for name, (type_, _) in TYPED.items()),
        ],
        source=source(tmp_path, frame, "typed_source"),
    )


@pytest.mark.parametrize("awaited", [False, True])
def test_typed_values(stores, tmp_path, awaited):
    store, view = stores[OURS], typed_view(tmp_path)
    store.apply([driver, view])
    stores[FEASTS].refresh_registry()
    protos = {
        name: python_values_to_proto_values([value], type_.to_value_type())[0]
        for name, (type_, value) in TYPED.items()
    }
    rows = [(key(1), protos, NOW, None), (key(2), {name: Value() for name in protos}, NOW, None)]
    if awaited:
        asyncio.run(online(store).online_write_batch_async(store.config, view, rows, None))
    else:
        online(store).online_write_batch(store.config, view, rows, None)
    entities = [{"driver_id": number} for number in (1, 2, 3)]
    refs = [f"typed:{name}" for name in TYPED]
    ours = store.get_online_features(refs, entities)
    expected = {name: value for name, (_, value) in TYPED.items()} | {"text": "only text"}
    assert {name: column[0] for name, column in ours.to_dict().items()} == {"driver_id": 1, **expected}
    assert all(column[1:] == [None, None] for name, column in ours.to_dict().items() if name != "driver_id")
    # Feast's store reads them, too.
    theirs = stores[FEASTS].get_online_features(refs, entities)
    assert ours.to_dict(True) == theirs.to_dict(True)
    read = online(store).online_read(store.config, view, [key(1)])[0][1]
    assert {name: feast_value_type_to_python_type(value) for name, value in read.items()} == expected


def test_zoned_times_and_maps_of_scalars_return():
    from zoneinfo import ZoneInfo

    from feast.value_type import ValueType

    for value_type, given in (
        (ValueType.ZONED_TIMESTAMP, TIME.astimezone(ZoneInfo("Europe/Oslo"))),
        (ValueType.SCALAR_MAP, {1: "a", 2: "b"}),
        (ValueType.SCALAR_MAP, {ID: 1.5}),
    ):
        proto = python_values_to_proto_values([given], value_type)[0]
        stored = values.native(proto)
        assert values.protos([stored, None], value_type) == [proto, Value()]


def test_a_value_of_another_type(stores, tmp_path, config):
    """What another writer stored: converted where Feast converts it, refused where it refuses it."""
    store, view = stores[OURS], numbers(tmp_path)
    store.apply([driver, view])
    stores[FEASTS].refresh_registry()
    place = online(store)._aerospike_key(store.config, key(1), view.name)
    slots = {"f0": 7, "f1": 1, "f2": 2.75, "f3": "12", "f4": 1, "f5": float("nan"), "f6": None}
    with aerospike_py.client(config) as client:
        client.put(place, {"features": {"stats": slots}, "event_ts": {"stats": 1_700_000_000_123}})
        refs = [f"stats:f{index}" for index in range(8)]
        rows = [{"driver_id": 1}]
        ours = store.get_online_features(refs, rows)
        assert ours.to_dict()["f3"] == [12]
        assert ours.to_dict()["f5"] == [None]
        assert_same(ours, stores[FEASTS].get_online_features(refs, rows))
        for broken in ({"features": 1}, {"features": {"stats": [1]}}, {"other": 1}):
            client.remove(place)
            client.put(place, broken)
            assert store.get_online_features(refs, rows).to_dict()["f0"] == [None]


def test_numbers_at_their_limits(stores, tmp_path):
    frame = pd.DataFrame({"driver_id": [1], "event_timestamp": [NOW]})
    view = FeatureView(
        name="limits",
        entities=[driver],
        schema=[
            Field(name="driver_id", dtype=Int64),
            Field(name="long", dtype=Int64),
            Field(name="short", dtype=Int32),
            Field(name="double", dtype=Float64),
            Field(name="single", dtype=Float32),
        ],
        source=source(tmp_path, frame, "limits_source"),
    )
    store = stores[OURS]
    store.apply([driver, view])
    stores[FEASTS].refresh_registry()
    longs = [0, 1, -1, 127, 128, 2**31, -(2**31), 2**63 - 1, -(2**63), 300]
    shorts = [0, 1, -1, 127, 128, 2**31 - 1, -(2**31), 5, -300, 16384]
    doubles = [0.0, -0.0, float("inf"), float("-inf"), 1e308, 5e-324, 1.5, -1.5, float("nan"), 0.1]
    rows = [
        (
            key(row),
            {
                "long": Value(int64_val=longs[row]),
                "short": Value(int32_val=shorts[row]),
                "double": Value(double_val=doubles[row]),
                "single": Value(float_val=np.float32(0.1) * row),
            },
            NOW,
            None,
        )
        for row in range(10)
    ]
    online(store).online_write_batch(store.config, view, rows, None)
    refs = ["limits:long", "limits:short", "limits:double", "limits:single"]
    entities = [{"driver_id": row} for row in range(12)]
    ours = store.get_online_features(refs, entities)
    assert ours.to_dict()["long"] == [*longs, None, None]
    assert_same(ours, stores[FEASTS].get_online_features(refs, entities))
    again = pickle.loads(pickle.dumps(store.get_online_features(refs, entities)))  # noqa: S301
    assert again.to_dict() == ours.to_dict()


def test_rows_are_written_in_chunks(make_store, tmp_path):
    store, view = make_store(OURS, batch_max_records=7), numbers(tmp_path)
    store.apply([driver, view])
    progress = []
    online(store).online_write_batch(store.config, view, number_rows(20), progress.append)
    assert progress == [7, 14, 20]
    online(store).online_write_batch(store.config, view, [], progress.append)
    assert progress[-1] == 0
    rows = [{"driver_id": number} for number in range(25)]
    found = store.get_online_features(["stats:f0"], rows).to_dict()["f0"]
    assert found == [float(number) for number in range(20)] + [None] * 5


def test_asynchronous_calls_use_no_threads(stores, tmp_path, monkeypatch):
    store, view = stores[OURS], numbers(tmp_path)
    store.apply([driver, view])

    async def main():
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "run_in_executor", None)
        await store.initialize()
        await online(store).online_write_batch_async(store.config, view, number_rows(3), None)
        rows = [{"driver_id": number} for number in range(3)]
        answers = await asyncio.gather(
            *(store.get_online_features_async(["stats:f0"], rows) for _ in range(8))
        )
        assert all(answer.to_dict()["f0"] == [0.0, 1.0, 2.0] for answer in answers)
        await store.close()

    assert online(store).async_supported.read
    assert online(store).async_supported.write
    asyncio.run(main())
    # In another loop, with new connections.
    rows = [{"driver_id": 1}]
    answer = asyncio.run(store.get_online_features_async(["stats:f0"], rows))
    assert answer.to_dict()["f0"] == [1.0]


def test_times_without_a_zone_are_utc():
    naive = datetime(2026, 3, 1, 12)
    assert values.milliseconds(naive) == values.milliseconds(naive.replace(tzinfo=timezone.utc))
