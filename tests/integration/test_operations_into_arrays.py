"""``batch_operate`` with a dtype: results of operations as fields of an array."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py import expression_operations, list_operations, map_operations
from aerospike_py import expressions as exp
from aerospike_py import operations as op

VALUE, COUNT = aerospike.MAP_RETURN_VALUE, aerospike.MAP_RETURN_COUNT


@pytest.fixture
def keys(client: Any, fresh_set: str) -> list[Any]:
    keys = [("test", fresh_set, n) for n in range(4)]
    for n, key in enumerate(keys):
        client.put(key, {"n": n, "m": {"a": n / 2, "b": 10 * n}, "l": list(range(n)), "s": f"s{n}"})
    return keys


def test_results_become_columns(client: Any, keys: list[Any]) -> None:
    ops = [
        map_operations.map_get_by_key("m", "a", VALUE),
        map_operations.map_get_by_key("m", "b", VALUE),
        list_operations.list_size("l"),
        list_operations.list_get_by_rank("l", -1, aerospike.LIST_RETURN_VALUE),
        expression_operations.expression_read("double", exp.IntBin("n") * 2),
        op.read("s"),
    ]
    dtype = np.dtype(
        [("a", "f8"), ("b", "i8"), ("size", "u2"), ("highest", "i4"), ("double", "i8"), ("s", "S4")]
    )
    fields = ["a", "b", "size", "highest", "double", "s"]
    batch = client.batch_operate(keys[1:], ops, _dtype=dtype, fields=fields)
    assert isinstance(batch, aerospike.NumpyBatchRecords)
    assert batch.batch_records.tolist() == [
        (0.5, 10, 1, 0, 2, b"s1"),
        (1.0, 20, 2, 1, 4, b"s2"),
        (1.5, 30, 3, 2, 6, b"s3"),
    ]
    assert all(batch.present[name].all() for name in fields)
    assert batch.result_codes.tolist() == [0, 0, 0]
    assert batch.meta["gen"].tolist() == [1, 1, 1]


def test_fields_are_the_bins_by_default(client: Any, keys: list[Any]) -> None:
    ops = [map_operations.map_size("m"), list_operations.list_size("l"), op.read("n"), op.read("s")]
    batch = client.batch_operate(keys, ops, dtype=[("l", "i4"), ("m", "i4"), ("n", "i4")])
    assert batch.batch_records.tolist() == [(0, 2, 0), (1, 2, 1), (2, 2, 2), (3, 2, 3)]


def test_operations_that_write(client: Any, keys: list[Any]) -> None:
    ops = [
        map_operations.map_increment("m", "b", 1),
        op.increment("n", 100),
        op.read("n"),
        list_operations.list_append("l", 7),
    ]
    batch = client.batch_operate(
        keys, ops, dtype=[("b", "i8"), ("n", "i8"), ("size", "i8")], fields=["b", None, "n", "size"]
    )
    assert batch.batch_records.tolist() == [(1, 100, 1), (11, 101, 2), (21, 102, 3), (31, 103, 4)]
    assert client.get(keys[3]).bins["n"] == 103
    assert batch.meta["gen"].tolist() == [2] * 4


def test_missing_values_are_not_present(client: Any, keys: list[Any]) -> None:
    missing = (*keys[0][:2], "missing")
    ops = [map_operations.map_get_by_key("m", "none", VALUE), map_operations.map_size("other"), op.read("n")]
    batch = client.batch_operate(
        [*keys[:2], missing], ops, dtype=[("a", "f8"), ("b", "i8"), ("n", "i8")], fields=["a", "b", "n"]
    )
    assert batch.present["a"].tolist() == [False] * 3
    assert batch.present["n"].tolist() == [True, True, False]
    assert batch.result_codes.tolist() == [0, 0, 2]


def test_rows_fail_by_themselves(client: Any, keys: list[Any]) -> None:
    client.put(keys[1], {"m": "no map"})
    with pytest.warns(RuntimeWarning):
        batch = client.batch_operate(keys, [map_operations.map_size("m")], dtype=[("m", "i4")])
    assert batch.result_codes.tolist() == [0, 12, 0, 0]
    assert batch.present["m"].tolist() == [True, False, True, True]


def test_structs_sub_arrays_and_casting(client: Any, keys: list[Any]) -> None:
    dtype = np.dtype([("m", [("a", "f4"), ("b", "i2")]), ("top", "i4", (2,))])
    ops = [op.read("m"), list_operations.list_get_by_rank_range("l", -2, aerospike.LIST_RETURN_VALUE, 2)]
    batch = client.batch_operate(keys[2:], ops, dtype=dtype, fields=["m", "top"])
    assert batch.batch_records["m"]["b"].tolist() == [20, 30]
    assert sorted(batch.batch_records["top"][1].tolist()) == [1, 2]
    with pytest.raises(aerospike.BatchDecodeError):
        client.batch_operate(keys, [op.read("s")], dtype=[("s", "i4")])
    batch = client.batch_operate(keys, [op.read("s")], dtype=[("s", "i4")], errors="coerce")
    assert not batch.present["s"].any()
    out = np.zeros(4, [("n", "i8")])
    batch = client.batch_operate(keys, [op.read("n")], dtype=out.dtype, out=out)
    assert out["n"].tolist() == [0, 1, 2, 3]
    assert np.shares_memory(batch.batch_records, out)


def test_long_names_of_fields(client: Any, keys: list[Any]) -> None:
    name = "the number of items in the list"
    batch = client.batch_operate(keys, [list_operations.list_size("l")], dtype=[(name, "i4")], fields=[name])
    assert batch.batch_records[name].tolist() == [0, 1, 2, 3]


def test_filters(client: Any, keys: list[Any]) -> None:
    policy = {"expressions": exp.GT(exp.IntBin("n"), 1)}
    for policies in ((policy, None), (None, policy)):
        batch = client.batch_operate(keys, [op.read("n")], *policies, dtype=[("n", "i4")])
        assert batch.result_codes.tolist() == [27, 27, 0, 0]
        assert batch.present["n"].tolist() == [False, False, True, True]


TWO = [op.read("n"), op.read("s")]


@pytest.mark.parametrize(
    ("ops", "dtype", "arguments", "expected"),
    [
        (TWO, [("n", "i4")], {"fields": ["n"]}, "fields has 1 items for 2 operations"),
        (TWO, [("n", "i4")], {"fields": ["n", "n"]}, r"operations\[0\] and operations\[1\] both fill field"),
        ([op.read("n"), op.read("n")], [("n", "i4")], {}, "both fill field 'n'|both fill field \"n\""),
        (TWO, [("n", "i4")], {"fields": ["n", "x"]}, r"fields\[1\] is \"x\", which is no field"),
        (TWO, [("n", "i4")], {"fields": ["n", 5]}, r"fields\[1\] is 5"),
        (TWO, [("n", "i4")], {"fields": "n"}, "must be a list"),
        (TWO, [("n", "i4"), ("x", "i4")], {}, 'no operation fills field "x"'),
        (TWO, [("n", "i4")], {"fields": [None, None]}, 'no operation fills field "n"'),
        (TWO, None, {"fields": ["n", None]}, "fields needs _dtype"),
        (TWO, None, {"casting": "same_value"}, "casting needs _dtype"),
        (TWO, "i4", {}, "structured"),
    ],
)
def test_wrong_arguments_are_refused(
    client: Any, keys: list[Any], ops: Any, dtype: Any, arguments: dict[str, Any], expected: str
) -> None:
    with pytest.raises((aerospike.ParamError, TypeError, ValueError), match=expected):
        client.batch_operate(keys, ops, dtype=dtype, **arguments)
