"""Arrow columns written with both clients. The official client reads what was written."""

from __future__ import annotations

import asyncio
import gc
import pickle
import sys
import threading
import time
import types
import uuid
import warnings
import weakref
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings

import aerospike_py as aerospike
from aerospike_py._commands.write_arrow import _has_objects
from tests.integration.test_numpy_oracle import RELAXED
from tests.support.waiting import eventually

pa = pytest.importorskip("pyarrow")

from tests.support.arrow_tables import as_bin, has_nan, is_readable, is_same, tables  # noqa: E402 (needs pyarrow)

REPLACE = {"exists": aerospike.POLICY_EXISTS_CREATE_OR_REPLACE}
# For blocks of many rows, on a machine that has other things to do.
PATIENCE = {"total_timeout": 60_000, "socket_timeout": 60_000}


def bins_of(official: Any, name: str, key: Any) -> Any:
    return official.get(("test", name, key))[2]


def reader_of(batches: Any, schema: Any) -> Any:
    """A stream that runs Python code, and can be read once."""
    return pa.RecordBatchReader.from_batches(schema, iter(batches))


# Values


@settings(suppress_health_check=RELAXED)
@given(tables())
def test_each_value_becomes_the_bin_that_it_is(client, official, fresh_set, drawn):
    table, values, kinds = drawn
    result = client.batch_write_arrow(table, "test", fresh_set, key="id", policy=REPLACE)
    assert result.ok.all()
    assert len(result) == table.num_rows
    for row in range(table.num_rows):
        bins = bins_of(official, fresh_set, row)
        expected = {"id": row}
        for at, kind in enumerate(kinds):
            value = as_bin(values[at][row], kind)
            if value is not None:
                expected[f"c{at}"] = value
        assert is_same(bins, expected), (bins, expected, table.schema)


@pytest.mark.filterwarnings("ignore::aerospike_py.MissingFieldWarning")
@settings(suppress_health_check=RELAXED, max_examples=40)
@given(tables())
def test_reading_with_the_same_schema_gives_the_same_table(client, fresh_set, drawn):
    table, values, kinds = drawn
    assume(all(map(is_readable, kinds)) and not has_nan(values))
    client.batch_write_arrow(table, "test", fresh_set, key="id", policy=REPLACE)
    keys = aerospike.Keys("test", fresh_set, range(table.num_rows))
    back = client.batch_read_arrow(keys, table.schema).to_pyarrow()
    assert back.schema.equals(table.schema)
    for name in table.column_names:
        # Dictionaries may have their values in another order.
        columns = [pa.chunked_array(data[name].chunks, data[name].type) for data in (table, back)]
        if pa.types.is_dictionary(columns[0].type):
            columns = [column.cast(pa.string()) for column in columns]
        assert columns[0].equals(columns[1]), name


def test_runs_are_written_as_their_values(client, official, fresh_set):
    import pyarrow.compute as pc

    runs = pc.run_end_encode(pa.array([1, 1, None, 2, 2, 2]), run_end_type=pa.int16())
    data = pa.table({"id": range(6), "runs": runs}).slice(1, 4)
    client.batch_write_arrow(data, "test", fresh_set, key="id")
    bins = [bins_of(official, fresh_set, row).get("runs") for row in range(1, 5)]
    assert bins == [1, None, 2, 2]


def test_bools_are_what_the_config_says(face, config, official, fresh_set):
    data = pa.table({"id": [1], "flag": [True], "flags": [[True, None, False]], "inside": [{"flag": True}]})
    client = face.connect({**config, "send_bool_as": aerospike.INTEGER})
    client.batch_write_arrow(data, "test", fresh_set, key="id")
    bins = bins_of(official, fresh_set, 1)
    assert is_same(bins, {"id": 1, "flag": 1, "flags": [1, None, 0], "inside": {"flag": 1}})
    client.close()


def test_nulls_leave_bins_as_they_are_or_remove_them(client, official, fresh_set):
    for key in (1, 2):
        official.put(("test", fresh_set, key), {"a": "old", "b": "old"})
    data = pa.table({"id": [1, 2], "a": [None, 7], "b": pa.nulls(2)})
    client.batch_write_arrow(data, "test", fresh_set, key="id")
    assert bins_of(official, fresh_set, 1) == {"id": 1, "a": "old", "b": "old"}
    client.batch_write_arrow(data, "test", fresh_set, key="id", nulls="remove")
    assert bins_of(official, fresh_set, 1) == {"id": 1}
    assert bins_of(official, fresh_set, 2) == {"id": 2, "a": 7}


def test_rows_without_values_are_not_sent(client, official, fresh_set):
    data = pa.table({"id": [1, 2], "a": [None, 7]})
    with pytest.warns(RuntimeWarning, match=r"rows were not written \(ParamError\)"):
        result = client.batch_write_arrow(data, "test", fresh_set, key="id", bins=["a"])
    assert result.result_codes.tolist() == [-2, 0]
    assert [failure.key for failure in result.failures] == [1]
    assert official.exists(("test", fresh_set, 1))[1] is None
    assert bins_of(official, fresh_set, 2) == {"a": 7}


@pytest.mark.parametrize(
    ("column", "keys"),
    [
        (pa.array([-5, 2**40]), [-5, 2**40]),
        (pa.array([7, 2**63 - 1], pa.uint64()), [7, 2**63 - 1]),
        (pa.array(["a", "größer"]), ["a", "größer"]),
        (pa.array(["a", "b" * 40], pa.string_view()), ["a", "b" * 40]),
        (pa.array([b"a", b"\xff"]), [bytearray(b"a"), bytearray(b"\xff")]),
        (pa.array([b"abc", b"def"], pa.binary(3)), [bytearray(b"abc"), bytearray(b"def")]),
        (pa.array(["x", "y"]).dictionary_encode(), ["x", "y"]),
        (pa.array([3, 4]).dictionary_encode(), [3, 4]),
    ],
    ids=["int64", "uint64", "text", "text views", "binary", "fixed", "text dictionary", "int dictionary"],
)
def test_keys(client, official, fresh_set, column, keys):
    data = pa.table({"id": column, "n": [10, 20]})
    policy = {"key": aerospike.POLICY_KEY_SEND}
    assert client.batch_write_arrow(data, "test", fresh_set, key="id", bins=["n"], policy=policy).ok.all()
    for key, number in zip(keys, (10, 20), strict=True):
        assert bins_of(official, fresh_set, key) == {"n": number}
    stored = {record.bins["n"]: record.key.key for record in client.query("test", fresh_set).results()}
    assert [stored[10], stored[20]] == keys


def test_the_key_is_a_bin_unless_it_is_left_out(client, official, fresh_set):
    data = pa.table({"id": [1], "a": [2], "b": [3]})
    client.batch_write_arrow(data, "test", fresh_set, key="id")
    assert bins_of(official, fresh_set, 1) == {"id": 1, "a": 2, "b": 3}
    client.batch_write_arrow(data, "test", fresh_set, key="id", bins=["b", "id"], policy=REPLACE)
    assert bins_of(official, fresh_set, 1) == {"id": 1, "b": 3}
    client.batch_write_arrow(data, "test", fresh_set, key="id", bins=("b",), policy=REPLACE)
    assert bins_of(official, fresh_set, 1) == {"b": 3}


def test_no_set(client, official):
    client.batch_write_arrow(pa.table({"id": ["arrow without a set"]}), "test", None, key="id")
    assert official.get(("test", None, "arrow without a set"))[2] == {"id": "arrow without a set"}
    official.remove(("test", None, "arrow without a set"))


# Forms of data


def forms_of(data: Any) -> dict[str, Any]:
    class Stream:
        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            return data.__arrow_c_stream__(requested_schema)

    class Array:
        def __arrow_c_array__(self, requested_schema: Any = None) -> Any:
            return data.combine_chunks().to_batches()[0].__arrow_c_array__(requested_schema)

    return {
        "table": data,
        "batch": data.to_batches()[0],
        "reader": data.to_reader(max_chunksize=2),
        "python reader": reader_of(data.to_batches(max_chunksize=1), data.schema),
        "stream": Stream(),
        "array": Array(),
    }


@pytest.mark.parametrize("form", ["table", "batch", "reader", "python reader", "stream", "array"])
def test_forms(client, official, fresh_set, form):
    data = forms_of(pa.table({"id": range(5), "text": list("abcde")}))[form]
    assert client.batch_write_arrow(data, "test", fresh_set, key="id").ok.all()
    assert [bins_of(official, fresh_set, row)["text"] for row in range(5)] == list("abcde")


def test_empty_tables(client, fresh_set):
    empty = pa.table({"id": pa.array([], pa.int64())})
    assert len(client.batch_write_arrow(empty, "test", fresh_set, key="id")) == 0
    no_batches = reader_of([], empty.schema)
    assert len(client.batch_write_arrow(no_batches, "test", fresh_set, key="id")) == 0


def test_polars(client, official, fresh_set):
    pl = pytest.importorskip("polars")
    from datetime import date, datetime, timedelta

    frame = pl.DataFrame(
        {
            "id": ["a", "b"],
            "text": ["Ada", None],
            "kind": pl.Series(["x", "y"], dtype=pl.Categorical),
            "level": pl.Series(["low", "high"], dtype=pl.Enum(["low", "high"])),
            "scores": [[1.5, None], []],
            "vector": pl.Series([[1, 2], [3, 4]], dtype=pl.Array(pl.Int16, 2)),
            "place": [{"lat": 1.5, "lon": None}, None],
            "at": [datetime(1970, 1, 1, 0, 0, 1), None],
            "day": [date(1970, 1, 3), None],
            "took": [timedelta(milliseconds=5), None],
            "raw": [b"\x00\xff", None],
            "nothing": [None, None],
            "nothings": [[None], []],
        }
    )
    assert client.batch_write_arrow(frame, "test", fresh_set, key="id").ok.all()
    assert bins_of(official, fresh_set, "a") == {
        "id": "a",
        "text": "Ada",
        "kind": "x",
        "level": "low",
        "scores": [1.5, None],
        "vector": [1, 2],
        "place": {"lat": 1.5},
        "at": 1_000_000,
        "day": 2,
        "took": 5_000,
        "raw": b"\x00\xff",
        "nothings": [None],
    }
    assert bins_of(official, fresh_set, "b") == {
        "id": "b",
        "kind": "y",
        "level": "high",
        "scores": [],
        "vector": [3, 4],
        "nothings": [],
    }
    with pytest.raises(TypeError, match=r"data is a LazyFrame.*pass frame\.collect\(\)"):
        client.batch_write_arrow(frame.lazy(), "test", fresh_set, key="id")


def test_duckdb(client, official, fresh_set):
    duckdb = pytest.importorskip("duckdb")
    relation = duckdb.sql(
        "select i as id, 'name ' || i as name, [i, i + 1] as list, {'a': i} as struct, map {'k': i} as map, "
        "case when i % 2 = 0 then i end as half from range(5000) t(i)"
    )
    assert client.batch_write_arrow(relation, "test", fresh_set, key="id").ok.sum() == 5000
    bins = {"id": 4999, "name": "name 4999", "list": [4999, 5000], "struct": {"a": 4999}, "map": {"k": 4999}}
    assert bins_of(official, fresh_set, 4999) == bins
    assert bins_of(official, fresh_set, 2)["half"] == 2
    with pytest.raises(TypeError, match=r"\"price\" is decimal\(4, 2\)"):
        client.batch_write_arrow(
            duckdb.sql("select 1 as id, 1.25::decimal(4, 2) as price"), "test", "s", key="id"
        )


class TestPandas:
    @pytest.fixture
    def pd(self) -> Any:
        return pytest.importorskip("pandas")

    def test_dtypes(self, client, official, fresh_set, pd):
        frame = pd.DataFrame(
            {
                "id": [1, 2, 3],
                "visits": pd.array([10, None, 30], dtype="Int32"),
                "member": pd.array([True, None, False], dtype="boolean"),
                "name": pd.array(["Ada", None, "Cleo"], dtype="string"),
                "kind": pd.Categorical(["a", "b", None]),
                "at": pd.to_datetime(["1970-01-01 00:00:01", None, "1970-01-02 00:00:00"]).as_unit("ms"),
                "zoned": pd.to_datetime(["1970-01-01T00:00:01Z"] * 3).as_unit("s").tz_convert("Asia/Tokyo"),
                "took": pd.to_timedelta([1, None, 2], unit="s").as_unit("us"),
                "arrow": pd.array([2**40, None, 1], dtype=pd.ArrowDtype(pa.int64())),
                "vector": [np.arange(2, dtype="f4"), np.ones(2, "f4"), None],
                "words": [["a", "b"], [], None],
            }
        )
        assert client.batch_write_arrow(frame, "test", fresh_set, key="id").ok.all()
        assert bins_of(official, fresh_set, 1) == {
            "id": 1,
            "visits": 10,
            "member": True,
            "name": "Ada",
            "kind": "a",
            "at": 1000,
            "zoned": 1,
            "took": 1_000_000,
            "arrow": 2**40,
            "vector": [0.0, 1.0],
            "words": ["a", "b"],
        }
        second = {"id": 2, "kind": "b", "zoned": 1, "vector": [1.0, 1.0], "words": []}
        assert bins_of(official, fresh_set, 2) == second
        assert bins_of(official, fresh_set, 3)["visits"] == 30

    def test_nan_is_null_but_in_arrow_backed_columns(self, client, official, fresh_set, pd):
        frame = pd.DataFrame({"id": [1, 2], "x": [0.5, float("nan")]})
        frame["y"] = pd.array(pa.array([None, float("nan")]), dtype=pd.ArrowDtype(pa.float64()))
        client.batch_write_arrow(frame, "test", fresh_set, key="id")
        assert bins_of(official, fresh_set, 1) == {"id": 1, "x": 0.5}
        assert is_same(bins_of(official, fresh_set, 2), {"id": 2, "y": float("nan")})

    def test_the_index(self, client, official, fresh_set, pd):
        frame = pd.DataFrame({"n": [10, 20]}, index=["a", "b"])
        with pytest.raises(ValueError, match=r"no column \"id\".*reset_index\(\)"):
            client.batch_write_arrow(frame, "test", fresh_set, key="id")
        frame.index.name = "id"
        client.batch_write_arrow(frame, "test", fresh_set, key="id")
        assert bins_of(official, fresh_set, "b") == {"id": "b", "n": 20}
        # Of some selections, pandas makes a RangeIndex, too.
        filtered = pd.concat([frame, frame]).reset_index().loc[[0, 1, 3]]
        with pytest.raises(ValueError, match=r"__index_level_0__.*reset_index\(drop=True\)"):
            client.batch_write_arrow(filtered, "test", fresh_set, key="id")
        for data in (filtered.reset_index(drop=True), filtered):
            options = {} if data is not filtered else {"bins": ["id", "n"]}
            assert client.batch_write_arrow(data, "test", fresh_set, key="id", **options).ok.all()

    def test_mixed_columns_are_what_pandas_refuses(self, client, fresh_set, pd):
        frame = pd.DataFrame({"id": [1, 2], "mixed": [1, "a"]})
        with pytest.raises((ValueError, TypeError)):
            client.batch_write_arrow(frame, "test", fresh_set, key="id")


# What is refused


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"key": "x"}, ValueError, 'no column "x" for the primary keys; it has "id", "n"'),
        ({"key": 1}, TypeError, r"key is 1 \(int\); it must be the name of a column"),
        ({"key": "f"}, TypeError, '"f" is float64, and a primary key is an integer, text or binary'),
        ({"bins": ["n", "x"]}, ValueError, 'bins has "x", but data has no such column'),
        ({"bins": "n"}, TypeError, r"bins is 'n' \(str\); it must be a list of column names"),
        ({"bins": [1]}, TypeError, r"bins has 1 \(int\)"),
        ({"bins": []}, ValueError, "bins is empty"),
        ({"nulls": "keep"}, ValueError, 'nulls is \'keep\'.*"omit" or "remove"'),
        ({"progress": 1}, TypeError, r"progress is 1 \(int\); it must be a function"),
        ({"policy": {"no_such": 1}}, ValueError, "no_such"),
        ({"namespace": 1}, TypeError, r"namespace is 1 \(int\); it must be a str"),
        ({"set": "s" * 64}, ValueError, "a set name has at most 63"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_arguments_are_refused(client, fresh_set, options, error, text):
    arguments = {"namespace": "test", "set": fresh_set, "key": "id", **options}
    with pytest.raises(error, match=text):
        client.batch_write_arrow(pa.table({"id": [1], "n": [2], "f": [0.5]}), **arguments)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ([{"id": 1}], r"data is a list.*pyarrow\.Table\.from_pylist"),
        ({"id": [1]}, r"data is a dict.*pyarrow\.table\(data\)"),
        (np.zeros(1, "i8,i8"), "data is a ndarray.*batch_write_numpy"),
        (None, "data is a NoneType.*a table or record batch of pyarrow"),
        (pa.Table, "data is a type"),
    ],
    ids=["list", "dict", "numpy", "None", "class"],
)
def test_other_data_is_refused_with_what_to_do(client, fresh_set, data, text):
    with pytest.raises(TypeError, match=text):
        client.batch_write_arrow(data, "test", fresh_set, key="id")


def test_a_single_column_is_no_table(client, fresh_set):
    for column in (pa.array([1, 2]), pa.chunked_array([[1, 2]])):
        with pytest.raises(TypeError, match="data cannot be read as a table of named columns"):
            client.batch_write_arrow(column, "test", fresh_set, key="id")


@pytest.mark.parametrize(
    ("column", "text"),
    [
        (
            pa.array([1], pa.decimal128(5, 2)),
            r'"v" is decimal\(5, 2\).*float64, to text, or to an integer',
        ),
        (pa.array([(1, 2, 3)], pa.month_day_nano_interval()), '"v" is interval.*a duration'),
        (pa.array([[1]], pa.list_(pa.decimal256(40, 2))), '"v", its elements is decimal'),
        (pa.array([[(0.5, 1)]], pa.map_(pa.float64(), pa.int8())), '"v" is a map with keys of float64'),
        (
            pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1]), pa.array(["a"])]),
            '"v" is union.*convert it, or leave it out',
        ),
    ],
    ids=["decimal", "interval", "inside", "map keys", "union"],
)
def test_types_that_no_bin_holds_are_refused(client, official, fresh_set, column, text):
    data = pa.table({"id": [1], "v": column})
    with pytest.raises(TypeError, match=text):
        client.batch_write_arrow(data, "test", fresh_set, key="id")
    assert official.exists(("test", fresh_set, 1))[1] is None
    assert client.batch_write_arrow(data, "test", fresh_set, key="id", bins=["id"]).ok.all()


def test_objects_of_polars_are_refused(client, official, fresh_set):
    """polars exports them as the addresses of objects."""
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"id": [1], "u": [uuid.UUID(int=7)]})
    assert frame.schema["u"] == pl.Object

    refusal = r"column 'u' has the polars type Object.* pl\.col\('u'\)\.map_elements\(str, return_dtype="
    for key in ("id", "u"):
        for options in ({}, {"bins": ["id", "u"]}):
            with pytest.raises(aerospike.ParamError, match=refusal) as caught:
                client.batch_write_arrow(frame, "test", fresh_set, key=key, **options)
            assert isinstance(caught.value, TypeError)
    with pytest.raises(TypeError, match=refusal):
        client.batch_write_arrow(frame, "test", fresh_set, key="u", bins=["id"])
    # No frame is made with objects inside: polars panics when it is released.
    assert _has_objects(pl.List(pl.Struct({"n": pl.Int8, "u": pl.Object})), pl)
    assert not _has_objects(pl.List(pl.Struct({"n": pl.Int8})), pl)
    with pytest.raises(TypeError, match=refusal):
        client.batch_write_arrow(frame["u"], "test", fresh_set, key="u")
    assert client.query("test", fresh_set).results() == []

    assert client.batch_write_arrow(frame, "test", fresh_set, key="id", bins=["id"]).ok.all()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pl.exceptions.PolarsInefficientMapWarning)
        text = frame.with_columns(pl.col("u").map_elements(str, return_dtype=pl.String))
    assert client.batch_write_arrow(text, "test", fresh_set, key="id").ok.all()
    assert bins_of(official, fresh_set, 1) == {"id": 1, "u": str(uuid.UUID(int=7))}


def invalid_text() -> Any:
    return pa.StringArray.from_buffers(2, pa.py_buffer(np.array([0, 1, 2], "i4")), pa.py_buffer(b"a\xff"))


def invalid_index() -> Any:
    return pa.DictionaryArray.from_arrays(pa.array([0, 5]), pa.array(["a"]), safe=False)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        (pa.array([1, 2**63], pa.uint64()), r"'v': 9223372036854775808 is above 2\*\*63 - 1"),
        (pa.array([[], [2**64 - 1]], pa.list_(pa.uint64())), r"'v': 18446744073709551615 is above"),
        (
            pa.array([[], [("a", 1), ("a", 2)]], pa.map_(pa.string(), pa.int8())),
            "'v': its map has the key \"a\" twice",
        ),
        (invalid_text(), "'v': its text is not UTF-8"),
        (invalid_index(), "'v': the array is invalid: an index is outside of its dictionary"),
    ],
    ids=["uint64", "uint64 in a list", "repeated key", "text", "index"],
)
def test_values_that_no_bin_holds_are_refused_by_row(client, official, fresh_set, column, text):
    data = pa.table({"id": [1, 2], "v": column})
    with pytest.raises(aerospike.ParamError, match=rf"^data: row 1, column {text}") as caught:
        client.batch_write_arrow(data, "test", fresh_set, key="id")
    assert isinstance(caught.value, ValueError)
    assert official.exists(("test", fresh_set, 1))[1] is None, "nothing was sent"


def test_a_null_key_is_refused_by_row(client, official, fresh_set):
    blocks = [pa.record_batch({"id": pa.array(ids)}) for ids in ([1, 2], [3, None])]
    with pytest.raises(
        ValueError, match=r"row 3, column 'id': the primary key is null.*2 rows of the blocks"
    ) as caught:
        client.batch_write_arrow(reader_of(blocks, blocks[0].schema), "test", fresh_set, key="id")
    assert caught.value.batch.ok.tolist() == [True, True]
    assert official.exists(("test", fresh_set, 2))[1] is not None
    assert official.exists(("test", fresh_set, 3))[1] is None


# Results


def test_each_row_has_a_code(client, official, fresh_set):
    for key in ("b", "d"):
        official.put(("test", fresh_set, key), {"x": 1})
    data = pa.table({"id": list("abcde")}).to_reader(max_chunksize=2)
    with pytest.warns(RuntimeWarning, match=r"rows were not written \(RecordExistsError\)") as caught:
        result = client.batch_write_arrow(
            data, "test", fresh_set, key="id", policy={"exists": aerospike.POLICY_EXISTS_CREATE}
        )
    assert result.result_codes.tolist() == [0, 5, 0, 5, 0]
    assert not result.in_doubt.any()
    assert caught[0].message.batch is result
    assert [tuple(failure) for failure in result.failures] == [(1, "b", 5, False), (3, "d", 5, False)]
    with pytest.raises(aerospike.RecordExistsError, match="first is row 1, key 'b'"):
        result.raise_for_failures()
    again = pickle.loads(pickle.dumps(result))  # noqa: S301 (made here)
    assert again.failures == result.failures
    assert again.result_codes.tolist() == result.result_codes.tolist()


def test_blocks_in_which_all_rows_fail_do_not_end_the_call(client, official, fresh_set):
    for key in range(2):
        official.put(("test", fresh_set, key), {"x": 1})
    blocks = [pa.record_batch({"id": pa.array([key, key + 1])}) for key in (0, 2)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = client.batch_write_arrow(
            reader_of(blocks, blocks[0].schema),
            "test",
            fresh_set,
            key="id",
            policy={"exists": aerospike.POLICY_EXISTS_CREATE},
        )
    assert result.result_codes.tolist() == [5, 5, 0, 0]


def test_no_answer_raises_with_the_rows_before(face, own_node, fresh_set):
    client = face.connect({**own_node.config, "policies": {"batch_parent_write": {"total_timeout": 1000}}})
    sent = threading.Event()

    def blocks() -> Any:
        yield pa.record_batch({"id": pa.array([1, 2])})
        assert sent.wait(30)
        own_node.kill(0)
        yield pa.record_batch({"id": pa.array([3, 4])})

    schema = pa.schema({"id": pa.int64()})
    with pytest.raises(aerospike.AerospikeError) as caught:
        client.batch_write_arrow(
            reader_of(blocks(), schema), "test", fresh_set, key="id", progress=lambda done: sent.set()
        )
    result = caught.value.batch
    assert result.ok.tolist() == [True, True, False, False]
    assert [failure.key for failure in result.failures] == [3, 4]
    client.close()


def test_progress_is_called_with_the_rows_done(client, fresh_set):
    done: list[int] = []
    data = pa.table({"id": np.arange(150_000), "n": np.arange(150_000)})
    options = {"key": "id", "policy": PATIENCE, "progress": done.append}
    assert client.batch_write_arrow(data, "test", fresh_set, **options).ok.all()
    assert done[-1] == 150_000
    assert len(done) == 3
    assert done == sorted(done)
    back = client.batch_read(aerospike.Keys("test", fresh_set, [0, 149_999]), _dtype=[("n", "i8")])
    assert back.batch_records["n"].tolist() == [0, 149_999]


def test_an_error_of_progress_ends_the_call(client, fresh_set):
    class StopError(Exception):
        pass

    def progress(done: int) -> None:
        raise StopError

    data = pa.table({"id": range(3)})
    with pytest.raises(StopError):
        client.batch_write_arrow(data, "test", fresh_set, key="id", progress=progress)


# Streams


class Released:
    """Notes when a stream has released the generator that it reads from."""

    def __init__(self, batches: Any, schema: Any) -> None:
        self.schema = schema
        self._alive = threading.Event()
        self._alive.set()
        alive = self._alive

        def generate() -> Any:
            try:
                yield from batches
            finally:
                alive.clear()

        self._generator = generate()

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        generator, self._generator = self._generator, None
        return pa.RecordBatchReader.from_batches(self.schema, generator).__arrow_c_stream__()

    @property
    def is_done(self) -> bool:
        gc.collect()
        return not self._alive.is_set()


def endless(sent: threading.Event | None = None) -> Any:
    for start in range(0, 10**9, 1000):
        yield pa.record_batch({"id": pa.array(np.arange(start, start + 1000) % 5000)})
        if sent is not None:
            sent.set()


SCHEMA = pa.schema({"id": pa.int64()})


def test_a_stream_that_fails_raises_with_the_rows_before(client, official, fresh_set):
    def fails() -> Any:
        yield pa.record_batch({"id": pa.array([1, 2])})
        raise OSError("the disk is gone")

    data = Released(fails(), SCHEMA)
    with pytest.raises(
        aerospike.ClientError, match=r"reading the rows from 2 on failed: .*the disk is gone"
    ) as caught:
        client.batch_write_arrow(data, "test", fresh_set, key="id")
    assert caught.value.batch.ok.tolist() == [True, True]
    assert official.exists(("test", fresh_set, 2))[1] is not None
    eventually("the stream is released", lambda: data.is_done)


def test_a_stream_is_released_after_the_call_and_after_errors(client, fresh_set):
    for options, error in [({}, None), ({"key": "x"}, ValueError), ({"policy": {"no_such": 1}}, ValueError)]:
        data = Released([pa.record_batch({"id": pa.array([1, 2])})], SCHEMA)
        arguments = {"key": "id", **options}
        if error is None:
            client.batch_write_arrow(data, "test", fresh_set, **arguments)
        else:
            with pytest.raises(error):
                client.batch_write_arrow(data, "test", fresh_set, **arguments)
        # A generator that was never started has nothing to finish; it is gone all the same.
        if error is None:
            eventually("the stream is released", lambda data=data: data.is_done)


def test_the_arrays_are_released(client, fresh_set):
    owner = np.arange(1000)
    reference = weakref.ref(owner)
    data = pa.table({"id": pa.array(owner)})
    client.batch_write_arrow(data, "test", fresh_set, key="id")
    del data, owner
    eventually("the array is released", lambda: gc.collect() >= 0 and reference() is None)


def test_memory_is_bounded(client, fresh_set):
    """The stream is read as fast as rows are written, not faster."""
    ahead = 0
    read = 0
    written = 0

    def blocks() -> Any:
        nonlocal read, ahead
        for _ in range(25):
            read += 10_000
            ahead = max(ahead, read - written)
            yield pa.record_batch({"id": pa.array(np.arange(10_000))})

    def progress(done: int) -> None:
        nonlocal written
        written = done

    result = client.batch_write_arrow(
        reader_of(blocks(), SCHEMA), "test", fresh_set, key="id", policy=PATIENCE, progress=progress
    )
    assert result.ok.sum() == 250_000
    # What is being written, what is ready, and the block in the thread's hands.
    assert ahead <= 2 * 65_536 + 2 * 10_000


def test_cancelling_releases_the_stream(config, fresh_set):
    sent = threading.Event()
    data = Released(endless(sent), SCHEMA)

    async def main() -> None:
        async with aerospike.AsyncClient(config) as client:
            call = asyncio.create_task(client.batch_write_arrow(data, "test", fresh_set, key="id"))
            await asyncio.get_running_loop().run_in_executor(None, sent.wait, 30)
            await asyncio.sleep(0.05)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

    asyncio.run(main())
    eventually("the stream is released", lambda: data.is_done)


def test_the_loop_runs_while_a_stream_blocks(config, fresh_set):
    def slow() -> Any:
        for start in range(3):
            time.sleep(0.2)
            yield pa.record_batch({"id": pa.array([start])})

    class Slow:
        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            time.sleep(0.2)
            return reader_of(slow(), SCHEMA).__arrow_c_stream__()

    async def main() -> float:
        longest = 0.0
        async with aerospike.AsyncClient(config) as client:
            call = asyncio.create_task(client.batch_write_arrow(Slow(), "test", fresh_set, key="id"))
            while not call.done():
                before = time.perf_counter()
                await asyncio.sleep(0.001)
                longest = max(longest, time.perf_counter() - before)
            assert (await call).ok.all()
        return longest

    assert asyncio.run(main()) < 0.15


def test_a_closed_client(face, config, fresh_set):
    client = face.connect(config)
    client.close()
    with pytest.raises(aerospike.ClientError, match="closed"):
        client.batch_write_arrow(pa.table({"id": [1]}), "test", fresh_set, key="id")


def test_a_polars_that_is_being_imported_is_left_alone(client, fresh_set, monkeypatch):
    monkeypatch.setitem(sys.modules, "polars", types.ModuleType("polars"))
    table = pa.table({"id": [1], "n": [2]})
    assert client.batch_write_arrow(table, "test", fresh_set, key="id").ok.all()
