"""Features as a matrix."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from feast import FeatureService, FeatureView, Field
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import DoubleList, Value
from feast.types import Array, Float64, Int64, String

import aerospike_py
from aerospike_py.feast import feature_matrix, feature_matrix_async, keys
from tests.feast.conftest import FEASTS, OURS
from tests.feast.test_interchange import online, views_of_two_entities
from tests.feast.views import NOW, city, driver, key, number_rows, numbers, source

REFS = [f"stats:f{index}" for index in range(12)]


@pytest.fixture
def store(make_store, tmp_path):
    made, view = make_store(OURS), numbers(tmp_path)
    made.apply([driver, view])
    online(made).online_write_batch(made.config, view, number_rows(20), None)
    return made


def expected(store, refs, rows):
    values = store.get_online_features(refs, rows).to_dict()
    names = [ref.partition(":")[2] for ref in refs]
    return np.array(
        [[np.nan if value is None else value for value in values[name]] for name in names], dtype="f8"
    ).T


# The largest integers are no 32-bit floats.
@pytest.mark.filterwarnings("ignore:values changed to fit float32")
def test_keys_of_every_kind(store):
    ids = [3, 19, 99, 3]
    rows = [{"driver_id": number} for number in ids]
    wanted = expected(store, REFS, rows).astype("f4")
    assert np.isnan(wanted[2]).all()
    for given in (
        rows,
        {"driver_id": np.array(ids)},
        {"driver_id": np.array(ids, dtype="u1")},
        {"driver_id": ids},
        {"driver_id": pd.Series(ids)},
        # Feast converts these one by one.
        {"driver_id": [str(number) for number in ids]},
        [key(number) for number in ids],
    ):
        matrix = feature_matrix(store, REFS, given)
        assert matrix.dtype == np.float32
        assert matrix.flags.c_contiguous
        np.testing.assert_array_equal(matrix, wanted)
        np.testing.assert_array_equal(
            asyncio.run(feature_matrix_async(store, REFS[::-1], given)), wanted[:, ::-1]
        )
    view = store.get_feature_view("stats")
    np.testing.assert_array_equal(online(store).feature_matrix(store.config, view, rows), wanted)
    np.testing.assert_array_equal(
        online(store).feature_matrix(store.config, view, rows, ["f7", "f0"]), wanted[:, [7, 0]]
    )
    np.testing.assert_array_equal(feature_matrix(store, "stats", rows), wanted)
    assert feature_matrix(store, REFS, []).shape == (0, 12)


def test_dtype_fill_and_out(store):
    ids = {"driver_id": np.array([5, 99])}
    matrix = feature_matrix(store, ["stats:f3", "stats:f8"], ids, dtype="i8", fill=-1)
    assert matrix.tolist() == [[1500, 1500], [-1, -1]]
    out = np.full((2, 2), 9.0)
    assert feature_matrix(store, ["stats:f3", "stats:f0"], ids, out=out) is out
    assert out[0].tolist() == [1500, 5]
    assert np.isnan(out[1]).all()
    large = np.zeros((4, 2))
    feature_matrix(store, ["stats:f0", "stats:f3"], ids, out=large[1:3], fill=0)
    assert large.tolist() == [[0, 0], [5, 1500], [0, 0], [0, 0]]


def test_values_that_change_are_named(store):
    # 2**24 + 1 is no 32-bit float, and 300 no 8-bit integer.
    view = store.get_feature_view("stats")
    rows = [
        (key(row), {"f0": Value(double_val=0.1), "f2": Value(int64_val=value)}, NOW, None)
        for row, value in enumerate((2**24 + 1, 300))
    ]
    online(store).online_write_batch(store.config, view, rows, None)
    ids = {"driver_id": [0, 1]}
    with pytest.warns(RuntimeWarning, match="changed to fit float32: stats:f2;"):
        assert feature_matrix(store, ["stats:f0", "stats:f2"], ids)[:, 1].tolist() == [2**24, 300]
    with pytest.warns(RuntimeWarning, match="changed to fit float16: stats:f2;"):
        assert feature_matrix(store, ["stats:f2"], ids, dtype="f2").tolist() == [[np.inf], [300]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dtype": "i4"}, "pass fill"),
        ({"dtype": "U3"}, "has integers, floats"),
        ({"dtype": "i8", "fill": 1.5}, "fill is 1.5"),
        ({"fill": 1e60}, "does not fit float32"),
        ({"dtype": "u1", "fill": 300}, "fill is 300"),
        ({"out": [[1.0], [2.0]]}, "out is a list"),
        ({"out": np.zeros((3, 1), "f4")}, r"must be \(2, 1\)"),
        ({"out": np.zeros((2, 2), "f4")[:, :1]}, "C-contiguous"),
        ({"out": np.zeros((2, 1), "f4"), "dtype": "f8"}, "must be equal"),
        ({"widths": {"f0": 3}}, "no list"),
        ({"widths": {"f1": 3}}, "'f1', which is no feature that is read"),
        ({"keys": {"other": [1, 2]}}, "no column for the join key 'driver_id'"),
        ({"keys": [{"driver_id": 1}, {"x": 2}]}, "same keys"),
        ({"keys": [EntityKey(join_keys=["x"], entity_values=[Value(int64_val=1)])]}, "join keys"),
        (
            {"keys": [key(1), EntityKey(join_keys=["x"], entity_values=[Value(int64_val=1)]), key(2)]},
            r"keys\[1\] has the join keys \['x'\]",
        ),
        (
            {"keys": [key(1), EntityKey(join_keys=["driver_id"], entity_values=[Value(int32_val=1)])]},
            r"keys\[1\] has int32_val",
        ),
        ({"keys": {"driver_id": ["1", None]}}, r"\['driver_id'\]\[1\] is missing"),
        ({"keys": {"driver_id": [1.0, 2.5]}}, r"\['driver_id'\]\[1\] is 2.5, and the entity has integers"),
        ({"keys": {"driver_id": 5}}, "it must be an array or a list"),
        ({"keys": {"driver_id": "12"}}, "it must be an array or a list"),
    ],
)
def test_refused(store, arguments, message):
    options = {"features": ["stats:f0"], "keys": {"driver_id": [1, 2]}} | arguments
    with pytest.raises(aerospike_py.ParamError, match=message):
        feature_matrix(store, options.pop("features"), options.pop("keys"), **options)


def test_lists_have_widths(make_store, tmp_path):
    store = make_store(OURS)
    frame = pd.DataFrame({"driver_id": [1], "event_timestamp": [NOW]})
    view = FeatureView(
        name="vectors",
        entities=[driver],
        schema=[
            Field(name="driver_id", dtype=Int64),
            Field(name="vec", dtype=Array(Float64)),
            Field(name="n", dtype=Int64),
            Field(name="name", dtype=String),
        ],
        source=source(tmp_path, frame, "vectors_source"),
    )
    store.apply([driver, view])
    rows = [
        (
            key(row),
            {"vec": Value(double_list_val=DoubleList(val=[row, 0.5, -row])), "n": Value(int64_val=row)},
            NOW,
            None,
        )
        for row in (1, 2)
    ]
    online(store).online_write_batch(store.config, view, rows, None)
    ids = {"driver_id": [2, 3, 1]}
    matrix = feature_matrix(store, ["vectors:n", "vectors:vec"], ids, widths={"vec": 3}, fill=0)
    assert matrix.tolist() == [[2, 2, 0.5, -2], [0, 0, 0, 0], [1, 1, 0.5, -1]]
    for widths, message in ((None, "pass its length"), ({"vec": 0}, "positive")):
        with pytest.raises(aerospike_py.ParamError, match=message):
            feature_matrix(store, ["vectors:vec"], ids, widths=widths)
    with pytest.raises(aerospike_py.ParamError, match="no number"):
        feature_matrix(store, ["vectors:name"], ids)
    with pytest.raises(aerospike_py.BatchDecodeError):
        feature_matrix(store, ["vectors:vec"], ids, widths={"vec": 4})


def test_views_of_several_entities(make_store, tmp_path):
    store = make_store(OURS, namespace_overrides={"cities": "bar"})
    views = views_of_two_entities(tmp_path)
    service = FeatureService(
        name="all",
        features=[views[1], views[0].with_name("o").with_join_key_map({"driver_id": "other"}), views[2]],
    )
    store.apply([driver, city, *views, service])
    store.materialize(NOW - timedelta(days=1), NOW + timedelta(days=1))
    given = {
        "driver_id": np.array([1, 2]),
        "city_name": np.array(["Oslo", "Oslo"]),
        "other": np.array([2, 1]),
    }
    refs = ["cities:y", "drivers:x", "both:x", "cities:x"]
    matrix = np.nan_to_num(feature_matrix(store, refs, given), nan=-1)
    assert matrix.tolist() == [[2, 1, 1, 1], [2, -1, -1, 1]]
    loaded = store.get_feature_service("all")
    matrix = feature_matrix(store, loaded, given)
    columns = {name: column.tolist() for name, column in given.items()}
    values = store.get_online_features(loaded, columns, full_feature_names=True).to_dict()
    names = ["cities__x", "cities__y", "o__x", "both__x"]
    np.testing.assert_array_equal(
        matrix, np.array([[np.nan if v is None else v for v in values[name]] for name in names], "f4").T
    )


def test_serialized_keys_are_feasts():
    from feast.infra.key_encoding_utils import serialize_entity_key
    from feast.value_type import ValueType

    columns = {
        "a": (ValueType.INT64, np.array([1, -5, 2**62])),
        "b": (ValueType.STRING, ["x", "", "é" * 200]),
        "c": (ValueType.INT32, [1, 2, -3]),
    }
    for names in (["a"], ["b"], ["c"], ["a", "c"], ["a", "b"], ["a", "b", "c"]):
        made = keys.serialize_columns(
            names, [columns[name][0] for name in names], [columns[name][1] for name in names]
        )
        made = made.tolist() if isinstance(made, np.ndarray) else made
        fields = {"a": "int64_val", "b": "string_val", "c": "int32_val"}
        protos = [
            EntityKey(
                join_keys=names[::-1],
                entity_values=[Value(**{fields[name]: columns[name][1][row]}) for name in names[::-1]],
            )
            for row in range(3)
        ]
        assert made == [serialize_entity_key(proto, entity_key_serialization_version=3) for proto in protos]
        assert made == keys.serialize_protos(protos)


def test_another_store_is_refused(make_store, tmp_path):
    store = make_store(FEASTS)
    with pytest.raises(TypeError, match=r"must be aerospike_py\.feast"):
        feature_matrix(store, ["stats:f0"], {"driver_id": [1]})
