"""Entities, feature views and rows that tests use."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pandas as pd
from feast import Entity, FeatureView, Field, FileSource, PushSource, ValueType
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.types import Array, Bool, Bytes, Float32, Float64, Int32, Int64, String, UnixTimestamp

NOW = datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=timezone.utc)

driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
city = Entity(name="city", join_keys=["city_name"], value_type=ValueType.STRING)


def source(tmp_path: Path, frame: pd.DataFrame, name: str = "rows") -> FileSource:
    path = tmp_path / f"{name}.parquet"
    frame.to_parquet(path)
    return FileSource(name=name, path=str(path), timestamp_field="event_timestamp")


def numbers(tmp_path: Path, name: str = "stats", features: int = 12) -> FeatureView:
    """A view of float and integer features of drivers."""
    frame = pd.DataFrame({"driver_id": [1], "event_timestamp": [NOW]})
    types = [Float64, Float32, Int64, Int32, Bool]
    return FeatureView(
        name=name,
        entities=[driver],
        schema=[
            Field(name="driver_id", dtype=Int64),
            *(Field(name=f"f{index}", dtype=types[index % len(types)]) for index in range(features)),
        ],
        source=source(tmp_path, frame, f"{name}_source"),
        ttl=timedelta(0),
    )


def key(driver_id: int) -> EntityKey:
    return EntityKey(join_keys=["driver_id"], entity_values=[Value(int64_val=driver_id)])


def number(index: int, row: int) -> Value:
    """The value of feature ``f<index>`` of a row, in a view of :func:`numbers`."""
    kind = index % 5
    if kind == 0:
        return Value(double_val=row + index / 16)
    if kind == 1:
        return Value(float_val=row / 3)
    if kind == 2:
        return Value(int64_val=(-1) ** row * row**9)
    if kind == 3:
        return Value(int32_val=row * 1000 - 3500)
    return Value(bool_val=row % 2 == 0)


def number_rows(rows: int, features: int = 12, base: int = 0) -> list[Any]:
    return [
        (
            key(base + row),
            {f"f{index}": number(index, row) for index in range(features)},
            NOW + timedelta(milliseconds=row),
            NOW,
        )
        for row in range(rows)
    ]


def mixed(tmp_path: Path) -> FeatureView:
    """A view with a feature of every type that Feast's own store can write, and where its rows are."""
    frame = pd.DataFrame(
        {
            "driver_id": [1, 2, 3],
            "event_timestamp": [NOW - timedelta(hours=1)] * 3,
            "rating": [4.5, None, 3.25],
            "trips": [10, 20, 30],
            "name": ["Ada", "Bea", None],
            "blob": [b"\x00\x01", b"", b"x"],
            "active": [True, False, True],
            "scores": [[1.5, 2.5], [], [3.0]],
            "tags": [["a", "b"], ["c"], []],
            "counts": [[1, 2], [3], [4, 5, 6]],
        }
    )
    return FeatureView(
        name="mixed",
        entities=[driver],
        schema=[
            Field(name="driver_id", dtype=Int64),
            Field(name="rating", dtype=Float32),
            Field(name="trips", dtype=Int64),
            Field(name="name", dtype=String),
            Field(name="blob", dtype=Bytes),
            Field(name="active", dtype=Bool),
            Field(name="scores", dtype=Array(Float64)),
            Field(name="tags", dtype=Array(String)),
            Field(name="counts", dtype=Array(Int64)),
        ],
        source=PushSource(name="pushed", batch_source=source(tmp_path, frame, "mixed_source")),
        ttl=timedelta(days=36500),
    )


__all__ = ["NOW", "UnixTimestamp", "city", "driver", "key", "mixed", "number_rows", "numbers", "source"]
