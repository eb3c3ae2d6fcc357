"""What one store writes, the other reads: the same records, values, times and statuses."""

from __future__ import annotations

import asyncio
import warnings
from datetime import datetime, timedelta, timezone
from typing import Any

import pandas as pd
import pytest
from feast import FeatureService, FeatureView, Field
from feast.types import Float64, Int64

import aerospike_py
from tests.feast.conftest import FEASTS, OURS
from tests.feast.views import NOW, city, driver, key, mixed, number_rows, numbers, source

REFS = [f"stats:f{index}" for index in range(12)]


def online(store: Any) -> Any:
    return store._get_provider().online_store


def as_dict(response: Any) -> dict[str, Any]:
    """The response's message, without the order of the features, which Feast does not define."""
    message = response.proto
    return dict(zip(message.metadata.feature_names.val, message.results, strict=True))


def assert_same(left: Any, right: Any) -> None:
    """Two responses have the same values, in every form."""
    assert left.to_dict(True) == right.to_dict(True)
    names = sorted(left.to_dict(True))
    assert sorted(right.to_dict(True)) == names
    pd.testing.assert_frame_equal(left.to_df(True)[names], right.to_df(True)[names])
    assert left.to_arrow(True).select(names).equals(right.to_arrow(True).select(names))
    assert as_dict(left) == as_dict(right)


@pytest.mark.parametrize("writer", [OURS, FEASTS])
def test_numbers(stores, tmp_path, writer):
    view = numbers(tmp_path)
    stores[writer].apply([driver, view])
    for store in stores.values():
        store.refresh_registry()
    online(stores[writer]).online_write_batch(stores[writer].config, view, number_rows(20), None)
    rows = [{"driver_id": number} for number in (3, 19, 3, 99, 0)]
    theirs = stores[FEASTS].get_online_features(REFS, rows)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        ours = stores[OURS].get_online_features(REFS, rows)
    assert type(ours).__name__ == "ColumnResponse"
    assert ours.to_dict()["f2"] == [-(3**9), -(19**9), -(3**9), None, 0]
    assert_same(ours, theirs)
    awaited = asyncio.run(stores[OURS].get_online_features_async(REFS, rows))
    assert awaited.to_dict(True) == theirs.to_dict(True)
    full = stores[OURS].get_online_features(REFS, rows, full_feature_names=True)
    assert full.to_dict()["stats__f0"] == theirs.to_dict()["f0"]


@pytest.mark.parametrize("writer", [OURS, FEASTS])
@pytest.mark.parametrize("awaited", [False, True])
def test_online_read(stores, tmp_path, writer, awaited):
    view = numbers(tmp_path)
    stores[writer].apply([driver, view])
    online(stores[writer]).online_write_batch(stores[writer].config, view, number_rows(20), None)
    keys = [key(number) for number in (0, 7, 99, 7)]

    def read(features):
        ours, config = online(stores[OURS]), stores[OURS].config
        if awaited:
            return asyncio.run(ours.online_read_async(config, view, keys, features))
        return ours.online_read(config, view, keys, features)

    assert read(None) == online(stores[FEASTS]).online_read(stores[FEASTS].config, view, keys, None)
    wanted = read(["f0", "f7"])
    theirs = online(stores[FEASTS]).online_read(stores[FEASTS].config, view, keys, ["f0", "f7"])
    assert [time for time, _ in wanted] == [time for time, _ in theirs]
    assert list(wanted[0][1]) == ["f0", "f7"]
    for (_, own), (_, other) in zip(wanted, theirs, strict=True):
        assert own is other is None or all(own[name] == other[name] for name in own)


@pytest.mark.parametrize("writer", [OURS, FEASTS])
def test_materialize_every_type(stores, tmp_path, writer):
    view = mixed(tmp_path)
    stores[writer].apply([driver, view])
    for store in stores.values():
        store.refresh_registry()
    stores[writer].materialize(NOW - timedelta(days=1), NOW + timedelta(days=1))
    refs = [f"mixed:{field.name}" for field in view.features]
    rows = [{"driver_id": number} for number in (1, 2, 3, 4)]
    theirs = stores[FEASTS].get_online_features(refs, rows)
    ours = stores[OURS].get_online_features(refs, rows)
    assert ours.to_dict()["name"] == ["Ada", "Bea", None, None]
    assert ours.to_dict()["tags"][0] == ["a", "b"]
    assert_same(ours, theirs)
    keys = [key(number) for number in (1, 2, 3, 4)]
    assert online(stores[OURS]).online_read(stores[OURS].config, view, keys) == online(
        stores[FEASTS]
    ).online_read(stores[FEASTS].config, view, keys)


def test_records_are_the_same(stores, tmp_path, config, project):
    """Both stores write the same bins."""
    view = numbers(tmp_path)
    stores[OURS].apply([driver, view])
    records = []
    with aerospike_py.client(config) as client:
        for kind in (FEASTS, OURS):
            online(stores[kind]).online_write_batch(stores[kind].config, view, number_rows(3), None)
            place = online(stores[kind])._aerospike_key(stores[kind].config, key(2), view.name)
            assert place[1] == f"{project}_latest"
            records.append(client.get(place).bins)
            client.remove(place)
    assert records[0] == records[1]
    assert list(records[0]["features"]["stats"]) == list(records[1]["features"]["stats"])


@pytest.mark.parametrize(("seconds", "expected"), [(None, None), (0, 0xFFFFFFFF), (500, 500)])
def test_time_to_live(make_store, tmp_path, config, seconds, expected):
    found = []
    for kind in (FEASTS, OURS):
        store, view = make_store(kind, ttl_seconds=seconds), numbers(tmp_path)
        store.apply([driver, view])
        online(store).online_write_batch(store.config, view, number_rows(1), None)
        with aerospike_py.client(config) as client:
            place = online(store)._aerospike_key(store.config, key(0), view.name)
            found.append(client.get(place).meta["ttl"])
            client.remove(place)
    assert abs(found[0] - found[1]) <= 2
    assert expected is None or abs(found[1] - expected) <= 2


@pytest.mark.parametrize("awaited", [False, True])
def test_push(stores, tmp_path, awaited):
    store = stores[OURS]
    view = mixed(tmp_path)
    store.apply([driver, view])
    frame = pd.DataFrame(
        {
            "driver_id": [7],
            "event_timestamp": [NOW],
            "rating": [1.5],
            "trips": [2],
            "name": ["Cyd"],
            "blob": [b"b"],
            "active": [True],
            "scores": [[0.5]],
            "tags": [["t"]],
            "counts": [[9]],
        }
    )
    if awaited:
        asyncio.run(store.push_async("pushed", frame))
    else:
        store.push("pushed", frame)
    stores[FEASTS].refresh_registry()
    refs = ["mixed:trips", "mixed:name", "mixed:counts"]
    expected = {"driver_id": [7], "trips": [2], "name": ["Cyd"], "counts": [[9]]}
    for reader in stores.values():
        assert reader.get_online_features(refs, [{"driver_id": 7}]).to_dict() == expected


def test_update_and_teardown(stores, tmp_path, config):
    store = stores[OURS]
    first, second = numbers(tmp_path, "stats", 3), numbers(tmp_path, "more", 3)
    store.apply([driver, first, second])
    for view in (first, second):
        online(store).online_write_batch(store.config, view, number_rows(2, 3), None)
    place = online(store)._aerospike_key(store.config, key(1))
    with aerospike_py.client(config) as client:
        assert sorted(client.get(place).bins["features"]) == ["more", "stats"]
        store.apply([driver, first], objects_to_delete=[second], partial=False)
        deadline = datetime.now(timezone.utc) + timedelta(seconds=20)
        while "more" in client.get(place).bins["features"]:
            assert datetime.now(timezone.utc) < deadline
        bins = client.get(place).bins
        assert list(bins["features"]) == list(bins["event_ts"]) == ["stats"]
        assert store.get_online_features(["stats:f0"], [{"driver_id": 1}]).to_dict()["f0"] == [1.0]
        store.teardown()
        deadline = datetime.now(timezone.utc) + timedelta(seconds=20)
        while client.exists(place).meta is not None:
            assert datetime.now(timezone.utc) < deadline


def views_of_two_entities(tmp_path):
    """A view of drivers, one of cities, one of both, and drivers under an alias."""
    frame = pd.DataFrame({"driver_id": [1], "city_name": ["Oslo"], "event_timestamp": [NOW], "x": [1.0]})
    drivers = FeatureView(
        name="drivers",
        entities=[driver],
        schema=[Field(name="driver_id", dtype=Int64), Field(name="x", dtype=Float64)],
        source=source(tmp_path, frame, "a"),
    )
    cities = FeatureView(
        name="cities",
        entities=[city],
        schema=[Field(name="x", dtype=Float64), Field(name="y", dtype=Int64)],
        source=source(tmp_path, frame.assign(y=[2]), "b"),
    )
    both = FeatureView(
        name="both",
        entities=[driver, city],
        schema=[Field(name="driver_id", dtype=Int64), Field(name="x", dtype=Float64)],
        source=source(tmp_path, frame, "c"),
    )
    return drivers, cities, both


@pytest.mark.parametrize(
    "places", [{}, {"namespace_overrides": {"cities": "bar"}, "set_overrides": {"both": "b"}}]
)
def test_several_entities_in_one_batch(make_store, tmp_path, monkeypatch, project, places):
    if "set_overrides" in places:
        places = {**places, "set_overrides": {"both": f"{project}_both"}}
    store, theirs = make_store(OURS, **places), make_store(FEASTS, **places)
    views = views_of_two_entities(tmp_path)
    service = FeatureService(
        name="all",
        features=[
            views[1],
            views[2],
            # Feast cannot compare services that have a view both under its name and under another.
            views[0].with_name("others").with_join_key_map({"driver_id": "other_id"}),
        ],
    )
    store.apply([driver, city, *views, service])
    theirs.refresh_registry()
    store.materialize(NOW - timedelta(days=1), NOW + timedelta(days=1))
    calls = []
    read = aerospike_py.Client.batch_read
    monkeypatch.setattr(
        aerospike_py.Client, "batch_read", lambda *args, **options: calls.append(1) or read(*args, **options)
    )
    rows = [
        {"driver_id": 1, "city_name": "Oslo", "other_id": 2},
        {"driver_id": 2, "city_name": "Oslo", "other_id": 1},
    ]
    service = store.get_feature_service("all")
    ours = store.get_online_features(service, rows, full_feature_names=True)
    assert len(calls) == 1
    assert ours.to_dict()["others__x"] == [None, 1.0]
    assert ours.to_dict()["both__x"] == [1.0, None]
    assert ours.to_dict()["cities__y"] == [2, 2]
    assert_same(ours, theirs.get_online_features(service, rows, full_feature_names=True))
