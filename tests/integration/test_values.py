"""Values to write: those of NumPy, and those that are refused before anything is sent."""

import numpy as np
import pytest

import aerospike_py as aerospike


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.arange(4, dtype=">i2"), [0, 1, 2, 3]),
        (np.array([1.5, -2.5], dtype="f4"), [1.5, -2.5]),
        (np.array([True, False]), [True, False]),
        (np.array(["a", "grüße"]), ["a", "grüße"]),
        (np.array([b"a", b"bc"]), [b"a", b"bc"]),
        (np.arange(6, dtype="u1").reshape(2, 3)[:, ::2], [[0, 2], [3, 5]]),
        (np.array([], dtype="i8"), []),
        (np.array(7), 7),
    ],
    ids=lambda value: str(value).replace("\n", "")[:20],
)
def test_arrays_are_written_as_lists(client, fresh_set, array, expected):
    key = ("test", fresh_set, "array")
    client.put(key, {"a": array, "in": {"list": [array]}})
    assert client.get(key).bins == {"a": expected, "in": {"list": [expected]}}


@pytest.mark.parametrize(
    ("array", "named"),
    [
        (np.array([1j]), "complex128"),
        (np.array(["2020-01-01"], dtype="M8[D]"), r'datetime64.*a time is .* an integer.*\.astype\("i8"\)'),
        (np.zeros(2, dtype=[("a", "i4")]), "'a'"),
        (np.array([object()]), "object"),
        (np.ma.masked_array([1, 2], mask=[True, False]), "masked array"),
        (np.array([2**63], dtype="u8"), "signed 64-bit integer"),
    ],
    ids=["complex", "datetime", "struct", "object", "masked", "u8"],
)
def test_arrays_that_are_refused(client, fresh_set, array, named):
    with pytest.raises(aerospike.ParamError, match=named) as caught:
        client.put(("test", fresh_set, "array"), {"bad": array})
    assert '"bad"' in str(caught.value)


@pytest.mark.parametrize(
    "key", [None, True, 2.5, (1, 2), aerospike.HyperLogLog(b"x"), np.bool_(True)], ids=repr
)
def test_keys_of_maps_that_the_server_refuses(client, fresh_set, key):
    with pytest.raises(aerospike.ParamError, match="cannot be a map key"):
        client.put(("test", fresh_set, "map"), {"m": {"deep": [{key: 1}]}})


def test_keys_of_maps(client, fresh_set):
    key = ("test", fresh_set, "map")
    written = {1: "int", "s": "str", b"b": "bytes"}
    client.put(key, {"m": written, "o": aerospike.KeyOrderedDict(written)})
    assert client.get(key).bins == {"m": written, "o": written}


def test_values_that_contain_themselves(client, fresh_set):
    cycle = []
    cycle.append(cycle)
    with pytest.raises(aerospike.ParamError, match="contain themselves"):
        client.put(("test", fresh_set, "cycle"), {"c": cycle})
