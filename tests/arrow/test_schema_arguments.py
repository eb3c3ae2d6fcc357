"""Schemas in the forms that users have at hand, and bins that no record has."""

import polars as pl
import pyarrow as pa
import pytest

import aerospike_py as aerospike
from aerospike_py import Keys, MissingFieldWarning


@pytest.fixture
def keys(client, fresh_set):
    client.put(("test", fresh_set, 1), {"age": 36, "name": "Ada", "raw": b"\x01", "x": 1.5, "is": True})
    client.put(("test", fresh_set, 2), {"age": "old", "name": "Bea"})
    return Keys("test", fresh_set, [1, 2, 3])


def test_types_of_python(client, keys):
    schema = {"age": int, "name": str, "raw": bytes, "x": float, "is": bool}
    records = client.batch_read_arrow(keys, schema, errors="coerce")
    assert records.columns == [
        ("age", "int64"),
        ("name", "utf8"),
        ("raw", "binary"),
        ("x", "float64"),
        ("is", "bool"),
    ]
    assert records.to_pyarrow()["name"].to_pylist() == ["Ada", "Bea", None]


def test_an_inferred_dtype_is_a_schema(client, keys):
    """Its schema, not its dtype: text has any length."""
    inferred = client.infer_dtype("test", keys.set, fields={"age": "i8"})
    records = client.batch_read_arrow(keys, inferred, errors="coerce")
    same = client.batch_read_arrow(keys, inferred.schema, errors="coerce")
    assert records.columns == same.columns
    assert dict(records.columns)["name"] == "utf8"
    assert records.decode_errors == 1
    assert len(client.query("test", keys.set).to_arrow(inferred, errors="coerce")) == 2


def test_names_of_numpy(client, keys):
    names = {
        "i4": "int32",
        "<u2": "uint16",
        ">f8": "float64",
        "?": "bool",
        "S8": "binary",
        "V16": "fixed_size_binary[16]",
        "M8[us]": "timestamp[us]",
        "m8[ms]": "duration[ms]",
        "datetime64[ns]": "timestamp[ns]",
    }
    for name, kind in names.items():
        records = client.batch_read_arrow(keys, {"none": name, "age": "utf8"}, errors="coerce", bins=["age"])
        assert records.columns[0] == ("none", kind)
    assert client.query("test", keys.set).select("age").to_arrow({"x": "f8", "age": "utf8"}, errors="coerce")
    with pytest.raises(ValueError, match=r"column 'x': 'M8\[zz\]' is no type"):
        client.batch_read_arrow(keys, {"x": "M8[zz]"})


@pytest.mark.parametrize(
    ("name", "meant"),
    [("category", "dictionary<int32, utf8>"), ("str", "utf8"), ("U8", "utf8"), ("int", "int64")],
)
def test_names_of_other_types(client, keys, name, meant):
    with pytest.raises(ValueError, match=f"column 'x': '{name}' is no type .* did you mean '{meant}'"):
        client.batch_read_arrow(keys, {"x": name})
    assert client.batch_read_arrow(
        keys, {"none": meant, "age": "utf8"}, errors="coerce", bins=["age"]
    ).columns


def test_dtypes_of_pandas(client, keys):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"age": pd.array([1], dtype="Int64"), "name": pd.Categorical(["a"])})
    for schema in (frame.dtypes, dict(frame.dtypes)):
        with pytest.raises(
            TypeError, match=r"pyarrow\.Schema\.from_pandas\(frame\) is the schema of a frame$"
        ):
            client.batch_read_arrow(keys, schema)
    records = client.batch_read_arrow(keys, pa.Schema.from_pandas(frame), errors="coerce")
    assert records.to_pandas()["name"].tolist()[:2] == ["Ada", "Bea"]


def test_names_without_types(client, keys):
    with pytest.raises(TypeError, match=r'such as \{"age": "utf8"\}, or leave it out .* bins= of'):
        client.batch_read_arrow(keys, ["age", "name"])


def test_a_bin_that_no_record_has_is_named_without_a_schema(client, keys):
    with pytest.warns(MissingFieldWarning, match=r"'nmae' \(the nearest bin is 'name'\)") as caught:
        records = client.batch_read_arrow(keys, bins=["name", "nmae"])
    assert caught[0].message.batch is records
    with pytest.warns(MissingFieldWarning, match="'nmae'"):
        client.query("test", keys.set).select("nmae").to_arrow()


@pytest.mark.filterwarnings("error")
def test_bins_that_some_record_has_are_not_worth_a_warning(client, keys, fresh_set):
    client.batch_read_arrow(keys, bins=["name", "raw"])
    client.query("test", keys.set).select("name", "raw").to_arrow()
    # Nor are those of a set without records, about which the result says so.
    assert len(client.batch_read_arrow(Keys("test", f"{fresh_set}_none", [1]), bins=["a"])) == 1


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (pa.array([1, None, 3]), r"values\[1\] is null; leave such keys out with \.drop_null\(\)"),
        (pa.chunked_array([["a"], [None]]), r"values\[1\] is null"),
        (pl.Series([None, 1]), r"values\[0\] is null; leave such keys out with \.drop_nulls\(\)"),
        (pl.Series(["a", None]), r"values\[1\] is null"),
    ],
)
def test_keys_that_are_null(client, values, message):
    with pytest.raises(aerospike.ParamError, match=message):
        client.batch_read(Keys("test", "any", values))


@pytest.mark.parametrize(
    "values",
    [
        pa.array([1, 2], pa.int8()),
        pa.chunked_array([[1], [2]]),
        pa.array(["a", "b"]),
        pa.array(["a", "b"], pa.large_utf8()),
        pa.array(["a", "b"], pa.string_view()),
        pa.array(["a", "b"]).dictionary_encode(),
        pa.chunked_array([["a"], ["b"]]),
        pa.array([b"x", b"\0"]),
        pa.array([b"x", b"\0"], pa.binary(1)),
        pa.array([], pa.utf8()),
        pl.Series([1, 2]),
        pl.Series(["a", "b"]),
        pl.Series(["a", "b"], dtype=pl.Categorical),
        pl.Series([b"x", b"\0"]),
    ],
)
def test_keys_of_other_libraries(client, fresh_set, values):
    for key in (1, 2, "a", "b", b"x", b"\0"):
        client.put(("test", fresh_set, key), {"is": key})
    rows = client.batch_read(Keys("test", fresh_set, values))
    found = values.to_pylist() if hasattr(values, "to_pylist") else values.to_list()
    assert [row.record.bins["is"] for row in rows] == found


def test_keys_of_a_table():
    table = pa.table({"id": [1], "n": [2]})
    with pytest.raises(aerospike.ParamTypeError, match=r"values is a Table; .* as in frame\['id'\]$"):
        Keys("test", "any", table)
