"""Nested reads of what the official client writes, compared with picking from its own records in Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.twins import aerospike

KEYS = st.sampled_from(["a", "b", "a key of more than sixteen bytes", 0, 1, -1, 300, 2**40, b"a", b"\xff"])
SCALARS = st.one_of(
    st.none(), st.integers(-(2**31), 2**31), st.floats(-1e6, 1e6), st.text(max_size=3), st.binary(max_size=3)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=12,
)
STEPS = st.lists(st.one_of(KEYS, st.integers(-3, 3)), max_size=3)
FAILED, MISSING = object(), object()


def picked(value: Any, steps: list[Any]) -> Any:
    """What is at the end of the steps."""
    for step in steps:
        if value is None:
            return MISSING
        if isinstance(value, dict):
            found = [inner for key, inner in value.items() if type(key) is type(step) and key == step]
            if not found:
                return MISSING
            (value,) = found
        elif isinstance(value, list) and isinstance(step, int):
            if not -len(value) <= step < len(value):
                return MISSING
            value = value[step]
        else:
            return FAILED
    return MISSING if value is None else value


def operate(official: Any, key: Any, operation: Any) -> None:
    try:
        official.operate(key, [operation])
    except aerospike.exception.UnsupportedFeature:
        pytest.skip("the embedded server has no operations on collections")


@pytest.fixture(scope="module")
def module_set() -> str:
    return "nested-interop"


@pytest.mark.parametrize(
    "order", [aerospike.MAP_UNORDERED, aerospike.MAP_KEY_ORDERED, aerospike.MAP_KEY_VALUE_ORDERED]
)
def test_maps_of_every_order(client, official, fresh_set, order):
    from aerospike_helpers.operations import map_operations

    pairs = {"trips": 5, "rating": 4.5, "more": [1, {"x": 2}], "z": {"y": 9}}
    keys = [("test", fresh_set, number) for number in range(3)]
    for key in keys:
        operate(official, key, map_operations.map_put_items("m", pairs, {"map_order": order}))
    dtype = np.dtype([("m", [("z", [("y", "u1")]), ("rating", "f8"), ("trips", "i4")]), ("x", "i8")])
    batch = client.batch_read(keys, _dtype=dtype, paths={"x": ("m", "more", -1, "x")})
    assert batch.batch_records.tolist() == [(((9,), 4.5, 5), 2)] * 3
    assert all(np.asarray(batch.present["x"]))


def test_lists_of_every_order(client, official, fresh_set):
    from aerospike_helpers.operations import list_operations

    key = ("test", fresh_set, 1)
    operate(official, key, list_operations.list_append_items("l", [30, 10, 20]))
    operate(official, key, list_operations.list_set_order("l", aerospike.LIST_ORDERED))
    dtype = np.dtype([("first", "i8"), ("last", "i8"), ("all", "i8", 3)])
    paths = {"first": ("l", 0), "last": ("l", -1), "all": "l"}
    batch = client.batch_read([key], _dtype=dtype, paths=paths)
    assert batch.batch_records[0].tolist()[:2] == (10, 30)
    assert batch.batch_records["all"].tolist() == [[10, 20, 30]]


@pytest.mark.filterwarnings("ignore::aerospike_py.MissingFieldWarning")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(VALUES, min_size=1, max_size=4), steps=st.lists(STEPS, min_size=1, max_size=3))
def test_any_path_into_any_value(client, official, module_set, values, steps):
    keys = [("test", module_set, number) for number in range(len(values))]
    for key, value in zip(keys, values, strict=True):
        official.put(key, {"v": value, "other": 1})
    fields = [f"the field number {number}" for number in range(len(steps))]
    dtype = np.dtype([(field, "f8") for field in fields])
    paths = {field: ("v", *path) for field, path in zip(fields, steps, strict=True)}
    batch = client.batch_read(keys, _dtype=dtype, paths=paths, errors="coerce")
    errors = 0
    for row, key in enumerate(keys):
        stored = official.get(key)[2].get("v")
        for field, path in zip(fields, steps, strict=True):
            found = picked(stored, path)
            is_number = isinstance(found, (int, float))
            errors += found is not MISSING and not is_number
            assert batch.present[field][row] == is_number, (stored, path)
            assert batch.batch_records[field][row] == (found if is_number else 0)
    assert batch.decode_errors == errors
