"""Every argument that must be text says so by its name, with both clients."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import aerospike_py as aerospike
from aerospike_py import Keys

KEY = ("test", "text", 1)
DTYPE = np.dtype([("a", "i8")])
TABLE = pa.table({"a": [1], "b": [2]})
ROWS = np.array([(1, 5)], [("_key", "i8"), ("a", "i8")])
#: Good arguments of the methods that take text.
GOOD: dict[str, dict[str, Any]] = {
    "append": {"key": KEY, "bin": "s", "val": "x"},
    "prepend": {"key": KEY, "bin": "s", "val": "x"},
    "increment": {"key": KEY, "bin": "a", "offset": 1},
    "info_all": {"command": "build"},
    "info_single_node": {"command": "build", "host": "D1"},
    "info_random_node": {"command": "build"},
    "truncate": {"namespace": "test", "set": "text"},
    "batch_read": {"keys": [KEY], "_dtype": DTYPE},
    "batch_operate": {"keys": [KEY], "ops": [aerospike.operations.read("a")], "_dtype": DTYPE},
    "batch_write_numpy": {"data": ROWS, "namespace": "test", "set": "text"},
    "batch_read_arrow": {"keys": [KEY], "schema": {"a": "int64"}},
    "batch_write_arrow": {"data": TABLE, "namespace": "test", "set": "text", "key": "a"},
    "infer_dtype": {"namespace": "test", "set": "text"},
    "get_key_partition_id": {"ns": "test", "set": "text", "key": 1},
    "connect": {},
    "apply": {"key": KEY, "module": "m", "function": "f"},
    "batch_apply": {"keys": [KEY], "module": "m", "function": "f"},
    "query_apply": {
        "ns": "test",
        "set": "text",
        "module": "m",
        "function": "f",
        "predicate": aerospike.predicates.equals("a", 1),
    },
    "scan_apply": {"ns": "test", "set": "text", "module": "m", "function": "f"},
    "udf_get": {"module": "m.lua"},
    "udf_remove": {"filename": "m.lua"},
}
#: Names of fields, which are looked up in the data, values, which are named by their bin, and paths.
NO_TEXT = {
    *(("batch_write_numpy", "key_field"), ("append", "val"), ("prepend", "val")),
    ("udf_put", "filename"),
}
TEXT = ("str", "Casting", "Errors", "Literal[")


#: Methods whose arguments have tests of their own.
OWN_TESTS = ("index_", "admin_", "read_matrix", "set_xdr_filter", "job_info")


def text_parameters() -> list[tuple[str, str]]:
    found = []
    for method, function in inspect.getmembers(aerospike.Client, inspect.isfunction):
        if method.startswith(("_", *OWN_TESTS)) or method in ("query", "scan"):
            continue
        for name, parameter in inspect.signature(function).parameters.items():
            annotation = str(parameter.annotation)
            if annotation.startswith(TEXT) and (method, name) not in NO_TEXT:
                found.append((method, name))
    return found


@pytest.mark.parametrize(("method", "name"), text_parameters())
def test_text_that_is_no_text(face, client, config, method, name):
    caller = face.client(config) if method == "connect" else client
    for wrong in (5, b"bytes", object()):
        with pytest.raises(aerospike.ParamTypeError) as caught:
            getattr(caller, method)(**{**GOOD[method], name: wrong})
        said = str(caught.value)
        assert name in said
        assert "must be" in said
        assert "instance of" not in said


def test_every_text_parameter_was_found():
    methods = {method for method, _ in text_parameters()}
    assert methods == set(GOOD)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((5, "s", 1), "ns is 5"), ((None, "s", 1), "ns is None"), (("test", b"s", 1), "set is b's'")],
)
def test_calc_digest(arguments, message):
    with pytest.raises(aerospike.ParamTypeError, match=message):
        aerospike.calc_digest(*arguments)


@pytest.mark.parametrize("name", ["casting", "errors"])
def test_words_that_are_not_known(client, name):
    for wrong, kind in ((None, TypeError), (5, TypeError), ("none", ValueError)):
        with pytest.raises(aerospike.ParamError, match=rf'{name} is .*; it must be "\w+" or "\w+"') as caught:
            client.batch_read([KEY], _dtype=DTYPE, **{name: wrong})
        assert isinstance(caught.value, kind)
        assert isinstance(caught.value, TypeError) == (kind is TypeError)


@pytest.mark.parametrize("name", ["strings_as", "arrays_as"])
def test_words_of_writes_that_are_not_known(client, name):
    for wrong in (None, 5, "none"):
        with pytest.raises(aerospike.ParamError, match=rf'{name} is .*; it must be "\w+" or "\w+"'):
            client.batch_write_numpy(ROWS, "test", "text", **{name: wrong})


def test_a_password_of_a_wrong_type_is_not_shown(face, config):
    for wrong in (b"secret", ["secret"]):
        with pytest.raises(aerospike.ParamTypeError, match="password is of type") as caught:
            face.client(config).connect("user", wrong)
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((5, "s", [1]), "namespace is 5"),
        ((None, "s", [1]), "namespace is None"),
        (("test", 5, [1]), "set is 5"),
        (("test", "s", 5), r"values is 5 \(int\)"),
        (("test", "s", None), "values is None"),
        (("test", "s", {1, 2}), "values is .*set"),
        (("test", "s", (n for n in range(2))), "values is .*generator"),
        (("test", "s", "text"), "values is one str"),
        (("test", "s", b"text"), "values is one bytes"),
    ],
)
def test_keys_are_checked_when_they_are_made(arguments, message):
    with pytest.raises(aerospike.ParamTypeError, match=f"Keys: {message}.* must be"):
        Keys(*arguments)


def test_arrays_of_other_dimensions_are_no_keys():
    for values in (np.zeros((2, 2), "i8"), np.array(5)):
        with pytest.raises(ValueError, match=f"Keys: values has {values.ndim} dimensions; it must have one"):
            Keys("test", "s", values)


def test_a_table_of_keys(client):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"user": [1, 2], "age": [3, 4]})
    with pytest.raises(
        TypeError, match=r"Keys: values is a DataFrame; pass the column .*, as in frame\['user'\]"
    ):
        Keys("test", "s", frame)
    assert len(client.batch_read(Keys("test", "s", frame["user"]))) == 2
    for keys in (frame, frame["user"], np.arange(2)):
        with pytest.raises(
            TypeError, match=r"or Keys\(namespace, set, values\) for an array or column"
        ) as caught:
            client.batch_read(keys)
        assert "\n" not in str(caught.value)
    levels = pandas.MultiIndex.from_frame(frame)
    with pytest.raises(
        TypeError, match=r"Keys: values is a MultiIndex; pass the level .*get_level_values\(0\)"
    ):
        Keys("test", "s", levels)
    assert len(client.batch_read(Keys("test", "s", levels.get_level_values(0)))) == 2
    with pytest.raises(TypeError, match="Keys: values is a DataFrame"):
        client.batch_write_numpy(ROWS, "test", "s", keys=frame)


def test_sub_arrays_of_sub_arrays_in_errors(client, fresh_set):
    client.put(("test", fresh_set, 1), {"v": 5})
    nested = np.dtype([("v", np.dtype(("<i4", (2,))), (3,))])
    with pytest.raises(aerospike.BatchDecodeError, match=r"into field 'v' \(<i4\[3, 2\]\)"):
        client.batch_read([("test", fresh_set, 1)], _dtype=nested)


def test_sub_arrays_of_sub_arrays(client, fresh_set):
    """NumPy makes one sub-array of more dimensions of them, so they are read and written as one."""
    pair = np.dtype(("<i4", (2,)))
    nested = np.dtype([("_key", "i8"), ("v", pair, (3,))])
    flat = np.dtype([("_key", "i8"), ("v", "<i4", (3, 2))])
    rows = np.zeros(2, nested)
    rows["_key"], rows["v"] = [1, 2], np.arange(12).reshape(2, 3, 2)
    for arrays_as in ("blob", "list"):
        client.batch_write_numpy(rows, "test", fresh_set, arrays_as=arrays_as)
        for dtype in (nested, flat):
            fields = np.dtype([("v", dtype["v"])])
            batch = client.batch_read([("test", fresh_set, n) for n in (1, 2)], _dtype=fields)
            assert batch.batch_records["v"].tolist() == np.arange(12).reshape(2, 3, 2).tolist()
            assert batch.present["v"].tolist() == [True, True]
    with pytest.raises(TypeError, match="sub-array of S4"):
        client.batch_read([("test", fresh_set, 1)], _dtype=[("v", np.dtype(("S4", (2,))), (3,))])
