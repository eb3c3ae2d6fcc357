"""The result object, its exports, schemas, inference and columns about records."""

from __future__ import annotations

import gc
import subprocess
import sys
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import aerospike_py as aerospike

SCHEMA = {"n": "int64", "t": "utf8"}
#: Sanitizers and busy machines take their time.
PATIENT: Any = {"total_timeout": 60_000, "socket_timeout": 30_000}


@pytest.fixture
def keys(client: Any, fresh_set: str) -> list[tuple[str, str, int]]:
    for row in range(4):
        client.put(("test", fresh_set, row), {"n": row, "t": "t" * row, "f": row + 0.5})
    return [("test", fresh_set, row) for row in range(5)]


def test_rows_codes_and_meta(client: Any, keys: list[Any], fresh_set: str) -> None:
    records = client.batch_read_arrow(keys, SCHEMA)
    assert len(records) == 5
    assert records.result_codes.tolist() == [0, 0, 0, 0, 2]
    assert records.ok.tolist() == [True] * 4 + [False]
    assert records.meta["gen"].tolist() == [1, 1, 1, 1, 0]
    assert records.keys() == [0, 1, 2, 3, 4]
    assert (records.schema_names, records.columns[1]) == (["n", "t"], ("t", "utf8"))
    assert repr(records) == "<ArrowRecords 5 rows x 2 columns, 4 found, 1 missing: n: int64, t: utf8>"
    records.raise_for_failures()
    with pytest.raises(AttributeError, match="digest"):
        _ = records.digests
    with pytest.raises(TypeError, match="pickle"):
        records.__reduce__()


def test_consumers_take_it_as_it_is(client: Any, keys: list[Any]) -> None:
    records = client.batch_read_arrow(keys, SCHEMA)
    expected = {"n": [0, 1, 2, 3, None], "t": ["", "t", "tt", "ttt", None]}
    assert pa.table(records).to_pydict() == expected
    assert records.to_pyarrow().to_pydict() == expected
    assert pl.DataFrame(records).to_dict(as_series=False) == expected
    assert records.to_polars().to_dict(as_series=False) == expected
    assert records.to_pandas()["n"].dtype == pd.ArrowDtype(pa.int64())
    relation = duckdb.sql("select sum(n) from records")
    assert relation is not None
    assert relation.fetchall() == [(6,)]
    assert records.to_duckdb().sum("n").fetchall() == [(6,)]
    assert pa.schema(records).names == ["n", "t"]


def test_columns_about_records(client: Any, keys: list[Any], fresh_set: str) -> None:
    every = ("key", "digest", "set", "gen", "ttl", "result_code")
    table = client.batch_read_arrow(keys, SCHEMA, meta=every).to_pyarrow()
    assert table.column_names == [*every, "n", "t"]
    assert table["key"].to_pylist() == [0, 1, 2, 3, 4]
    assert table["digest"].to_pylist()[4] == aerospike.calc_digest("test", fresh_set, 4)
    assert set(table["set"].to_pylist()) == {fresh_set}
    assert table["gen"].to_pylist() == [1, 1, 1, 1, None]
    assert table["ttl"].null_count == 1
    assert table["result_code"].to_pylist() == [0, 0, 0, 0, 2]
    client.put(keys[0], {"gen": 7, "meta_gen": 8})
    clash = client.batch_read_arrow(
        keys[:1], {"gen": "int64", "meta_gen": "int64"}, meta=["gen"]
    ).to_pyarrow()
    assert clash.column_names == ["meta_meta_gen", "gen", "meta_gen"]
    assert clash["gen"].to_pylist() == [7]


def test_keys_of_one_type_only(client: Any, fresh_set: str) -> None:
    keys = [("test", fresh_set, "a"), ("test", fresh_set, 1)]
    with pytest.raises(ValueError, match="there are str and int keys"):
        client.batch_read_arrow(keys, SCHEMA, meta=("key",))
    table = client.batch_read_arrow(keys[:1], SCHEMA, meta=("key",)).to_pyarrow()
    assert table["key"].to_pylist() == ["a"]


def test_the_same_key_twice_and_no_key(client: Any, keys: list[Any]) -> None:
    twice = client.batch_read_arrow([keys[1], keys[1]], SCHEMA).to_pyarrow()
    assert twice["n"].to_pylist() == [1, 1]
    none = client.batch_read_arrow([], SCHEMA, meta=("key",))
    assert (len(none), none.to_pyarrow().schema.names) == (0, ["key", "n", "t"])
    assert len(client.batch_read_arrow([])) == 0


def test_bins_narrow(client: Any, keys: list[Any]) -> None:
    table = client.batch_read_arrow(keys, SCHEMA, bins=["t"]).to_pyarrow()
    assert (table["n"].null_count, table["t"].null_count) == (5, 1)
    assert client.batch_read_arrow(keys, bins=["f"]).schema_names == ["f"]


#: Schema, and what the error says. All are refused before anything is sent.
REFUSED: list[tuple[Any, type[Exception], str]] = [
    ({}, ValueError, "no columns"),
    ({"a": "int65"}, ValueError, "column 'a': 'int65' is no type"),
    ({"a": "list<int64"}, ValueError, "'>' is missing"),
    ({"a": pa.decimal128(5, 2)}, TypeError, "column 'a' is of the type decimal"),
    ({"a": pa.month_day_nano_interval()}, TypeError, "use duration"),
    ({"a": pa.list_view(pa.int64())}, TypeError, "use list"),
    ({"a": pa.null()}, TypeError, "column 'a' is of the type null"),
    ({"a": pa.struct([("b", pa.decimal128(5, 2))])}, TypeError, "column 'a.b'"),
    ({"a": pa.struct([])}, TypeError, "at least one field"),
    ({"a": "struct<>"}, ValueError, "column 'a': 'struct<>' is no type"),
    ({"a": pa.list_(pa.struct([]))}, TypeError, "at least one field"),
    ({"a": pa.struct([("b", pa.struct([]))])}, TypeError, "column 'a.b'"),
    (np.dtype([("a", [])]), TypeError, "at least one field"),
    ({"a": pa.dictionary(pa.int8(), pa.int64())}, TypeError, "dictionary"),
    ({"a": pa.list_(pa.int8(), 2**30)}, TypeError, "at most"),
    (pa.schema([("a", pa.int8()), ("a", pa.int8())]), ValueError, "'a' twice"),
    ({"a name too long!": "int64"}, ValueError, "at most 15"),
    ("int64", TypeError, "pass a dict"),
    (7, TypeError, "schema is 7"),
    ({"a": 7}, TypeError, "the type of column 'a' is 7"),
    (np.dtype("i8"), TypeError, "no fields"),
    (np.dtype([("a", "U5")]), TypeError, "column 'a' is of the dtype <U5"),
    (np.dtype([("a", "c16")]), TypeError, "column 'a' is of the dtype complex128"),
    (pa.int64(), TypeError, "not the schema of a table"),
]


@pytest.mark.parametrize(("schema", "error", "says"), REFUSED)
def test_schemas_are_refused_by_name(
    client: Any, fresh_set: str, schema: Any, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        client.batch_read_arrow([("test", fresh_set, 1)], schema)
    with pytest.raises(error, match=says):
        client.query("test", fresh_set).to_arrow(schema)


def test_other_arguments_are_refused(client: Any, fresh_set: str) -> None:
    keys = [("test", fresh_set, 1)]
    refused: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"meta": "key"}, TypeError, "a tuple of names"),
        ({"meta": ("keys",)}, ValueError, "'keys'"),
        ({"meta": ("gen", "gen")}, ValueError, "twice"),
        ({"meta": 7}, TypeError, "meta is 7"),
        ({"casting": "safe"}, ValueError, "casting"),
        ({"errors": "ignore"}, ValueError, "errors"),
        ({"paths": {"x": "a"}}, ValueError, "'x'"),
    ]
    for arguments, error, says in refused:
        with pytest.raises((error, aerospike.exception.ParamError), match=says):
            client.batch_read_arrow(keys, SCHEMA, **arguments)
    with pytest.raises(aerospike.exception.ParamError, match="paths needs a schema"):
        client.batch_read_arrow(keys, paths={"x": "a"})
    with pytest.raises(ValueError, match="result_code"):
        client.query("test", fresh_set).to_arrow(SCHEMA, meta=("result_code",))


def test_schemas_of_many_kinds(client: Any, keys: list[Any]) -> None:
    expected = client.batch_read_arrow(keys, SCHEMA).to_pyarrow()
    for schema in (
        pa.schema([("n", pa.int64()), ("t", pa.string())]),
        pa.schema([pa.field("n", pa.int64(), nullable=False), ("t", pa.string())]),
        {"n": np.int64, "t": pa.string()},
        {"n": np.dtype("i8"), "t": "string"},
        expected.schema,
        client.batch_read_arrow(keys, SCHEMA),
    ):
        assert client.batch_read_arrow(keys, schema).to_pyarrow().equals(expected)
    of_polars = client.batch_read_arrow(keys, pl.Schema({"n": pl.Int64, "t": pl.String}))
    assert of_polars.to_polars().equals(pl.DataFrame(expected))


def test_a_dtype_is_a_schema(client: Any, fresh_set: str) -> None:
    dtype = np.dtype(
        [
            ("i", "i2"), ("f", "f2"), ("s", "S9"), ("v", "V2"), ("b", "?"), ("d", "M8[D]"), ("t", "M8[us]"),
            ("e", "m8[s]"), ("h", "M8[h]"), ("a", "f4", (2, 2)), ("x", [("y", ">i8")]),
        ]
    )  # fmt: skip
    bins = {"i": 1, "f": 0.5, "s": "abc", "v": b"xy", "b": True, "d": 1, "t": 2, "e": 3, "h": 4}
    client.put(("test", fresh_set, 1), bins | {"a": [[1, 2], [3, 4]], "x": {"y": 5}})
    table = client.batch_read_arrow([("test", fresh_set, 1)], dtype).to_pyarrow()
    kinds = [
        pa.int16(), pa.float16(), pa.binary(), pa.binary(2), pa.bool_(), pa.date32(), pa.timestamp("us"),
        pa.duration("s"), pa.int64(), pa.list_(pa.list_(pa.float32(), 2), 2), pa.struct([("y", pa.int64())]),
    ]  # fmt: skip
    assert table.schema.types == kinds
    assert table.schema.field("h").metadata == {b"numpy.dtype": b"M8[h]"}
    assert table["s"].to_pylist() == [b"abc"]
    assert table["a"].to_pylist() == [[[1, 2], [3, 4]]]


def test_inference(client: Any, fresh_set: str) -> None:
    rows = [
        {"i": 1, "f": 1, "s": "a", "b": b"x", "l": [1, 2.5], "m": {"a": 1}, "y": True, "e": [], "z": {}},
        {"i": 2, "f": 0.5, "g": aerospike.GeoJSON('{"type": "Point", "coordinates": [1.0, 2.0]}')},
        {"m": {"b": [{"c": "d"}]}, "k": {1: "a"}, "many": {f"k{i}": i for i in range(65)}},
    ]
    keys = [("test", fresh_set, row) for row in range(3)]
    for key, bins in zip(keys, rows, strict=True):
        client.put(key, bins)
    for records in (client.batch_read_arrow(keys), client.query("test", fresh_set).to_arrow()):
        table = records.to_pyarrow()
        table.validate(full=True)
        kinds = {field.name: field.type for field in table.schema}
        struct = kinds.pop("m")
        assert {field.name: field.type for field in struct} == {
            "a": pa.int64(),
            "b": pa.list_(pa.struct([("c", pa.string())])),
        }
        assert kinds == {
            "i": pa.int64(), "f": pa.float64(), "s": pa.string(), "b": pa.binary(), "g": pa.string(),
            "l": pa.list_(pa.float64()), "y": pa.bool_(), "e": pa.list_(pa.string()),
            "z": pa.map_(pa.string(), pa.string()), "k": pa.map_(pa.int64(), pa.string()),
            "many": pa.map_(pa.string(), pa.int64()),
        }  # fmt: skip


def test_bins_that_mix_types_are_refused(client: Any, fresh_set: str) -> None:
    keys = [("test", fresh_set, f"key{row}") for row in range(3)]
    client.put(keys[0], {"a": 1, "n": 2**53 + 1})
    client.put(keys[1], {"a": "text", "n": 0.5})
    client.put(keys[2], {"a": "more"})
    with pytest.raises(aerospike.exception.ClientError) as raised:
        client.batch_read_arrow(keys)
    message = str(raised.value)
    assert "'a' (1 integer, such as key 'key0'; 2 string, such as key 'key1')" in message
    assert "'n' (1 integer, some of which no float64 holds exactly" in message
    with pytest.warns(aerospike.MissingFieldWarning, match="the column 'b'"):
        assert client.batch_read_arrow(keys, bins=["b"]).schema_names == []
    with pytest.raises(aerospike.exception.ClientError, match="mix types"):
        client.query("test", fresh_set).to_arrow()


def test_missing_columns_warn_once(client: Any, keys: list[Any]) -> None:
    with pytest.warns(aerospike.MissingFieldWarning, match=r"the column 'nn' \(the nearest bin is 'n'\)"):
        client.batch_read_arrow(keys, {"n": "int64", "nn": "int64"})
    client.batch_read_arrow(keys, {"n": "int64", "nn": "int64"})


def test_many_rows_make_several_batches(client: Any, fresh_set: str) -> None:
    client.put(("test", fresh_set, 7), {"n": 7, "t": "text"})
    keys = aerospike.Keys("test", fresh_set, np.arange(70_000) % 11)
    records = client.batch_read_arrow(keys, SCHEMA, meta=("key",), policy=PATIENT)
    table = records.to_pyarrow()
    assert [batch.num_rows for batch in table.to_batches()] == [65_536, 70_000 - 65_536]
    assert table["key"].to_pylist() == (np.arange(70_000) % 11).tolist()
    assert table["n"].to_pylist() == [7 if row % 11 == 7 else None for row in range(70_000)]


# -- manners of the C interface


def test_an_export_outlives_its_result_and_client(config: Any, fresh_set: str) -> None:
    client = aerospike.client(config).connect()
    client.put(("test", fresh_set, 1), {"t": "x" * 1000, "l": ["a", "b"]})
    records = client.batch_read_arrow([("test", fresh_set, 1)], {"t": "utf8", "l": "list<utf8>"})
    stream = records.__arrow_c_stream__()
    table = records.to_pyarrow()
    slices = table.slice(0, 1).to_batches()
    client.close()
    del records, client, table
    gc.collect()
    assert slices[0].to_pydict() == {"t": ["x" * 1000], "l": [["a", "b"]]}
    del slices
    gc.collect()
    # A capsule that no consumer took releases its stream.
    del stream
    gc.collect()


def test_early_release_and_partial_consumption(client: Any, keys: list[Any], fresh_set: str) -> None:
    many = aerospike.Keys("test", fresh_set, np.arange(200_000))
    records = client.batch_read_arrow(many, SCHEMA, policy=PATIENT)
    reader = pa.RecordBatchReader.from_stream(records)
    first = reader.read_next_batch()
    reader.close()
    del reader, records
    gc.collect()
    assert first.num_rows == 65_536
    assert first.column(0).to_pylist()[:4] == [0, 1, 2, 3]


def test_a_requested_schema_is_cast_to(client: Any, keys: list[Any]) -> None:
    records = client.batch_read_arrow(keys, SCHEMA)
    wanted = pa.schema([("n", pa.int16()), ("t", pa.large_string())])
    table = pa.RecordBatchReader.from_stream(records, schema=wanted).read_all()
    assert table.schema.types == wanted.types
    assert table["n"].to_pylist() == [0, 1, 2, 3, None]


def test_export_at_interpreter_exit(config: dict[str, Any], fresh_set: str) -> None:
    program = f"""
import aerospike_py, pyarrow, sys
client = aerospike_py.client({config!r}).connect()
client.put(("test", {fresh_set!r}, 1), {{"t": "text"}})
records = client.batch_read_arrow([("test", {fresh_set!r}, 1)], {{"t": "utf8"}})
table = records.to_pyarrow()
batches = client.query("test", {fresh_set!r}).arrow_batches({{"t": "utf8"}})
sys.kept = (records.__arrow_c_stream__(), table, batches)
print(table["t"].to_pylist())
"""
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (answer.returncode, answer.stdout.strip(), answer.stderr) == (0, "['text']", "")


def test_no_library_is_imported_unasked() -> None:
    program = (
        "import sys, aerospike_py; "
        "print([name for name in ('pyarrow', 'polars', 'duckdb', 'pandas', 'numpy') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert answer.stdout.strip() == "[]"


# -- results in arrays


def test_results_in_arrays_export_their_fields(client: Any, fresh_set: str) -> None:
    dtype = np.dtype(
        [
            ("i", ">i2"), ("f", "f4"), ("s", "S5"), ("v", "V2"), ("b", "?"), ("d", "M8[D]"), ("t", "M8[ms]"),
            ("h", "f2"), ("a", "<f4", (2, 2)), ("x", [("y", "i8"), ("z", [("w", "?", (2,))])]),
        ]
    )  # fmt: skip
    keys = [("test", fresh_set, row) for row in range(3)]
    bins = {"i": 1, "f": 0.5, "s": "abc", "v": b"xy", "b": True, "d": -1, "t": 2, "h": 1.5}
    client.put(keys[0], bins | {"a": [[1, 2], [3, 4]], "x": {"y": 5, "z": {"w": [True, False]}}})
    client.put(keys[1], {"i": -2, "x": {"y": 6}})
    batch = client.batch_read(keys, _dtype=dtype)
    table = pa.table(batch)
    table.validate(full=True)
    assert table.schema == client.batch_read_arrow(keys, dtype).to_pyarrow().schema == pa.schema(batch)
    assert table.equals(client.batch_read_arrow(keys, dtype).to_pyarrow())
    assert table["x"].to_pylist() == [{"y": 5, "z": {"w": [True, False]}}, {"y": 6, "z": None}, None]
    assert pl.DataFrame(client.batch_read(keys, _dtype=dtype[["i", "s"]]))["i"].to_list() == [1, -2, None]
    records = client.query("test", fresh_set).to_numpy(np.dtype([("i", "i8")]))
    assert sorted(pa.table(records)["i"].to_pylist()) == [-2, 1]
    assert pa.table(client.batch_read([], _dtype=dtype)).num_rows == 0


def test_dates_beyond_arrow_are_refused(client: Any, fresh_set: str) -> None:
    client.put(("test", fresh_set, 1), {"d": 2**40})
    batch = client.batch_read([("test", fresh_set, 1)], _dtype=np.dtype([("d", "M8[D]")]))
    with pytest.raises(OverflowError, match="field 'd'"):
        pa.table(batch)
