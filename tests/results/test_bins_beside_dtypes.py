"""Bins that are named beside a dtype or schema: a warning names misspelt ones, with both clients."""

import warnings

import numpy as np
import pyarrow as pa
import pytest

import aerospike_py as aerospike
from aerospike_py import Keys, MissingFieldWarning
from aerospike_py._read_bins import warn_of_unread

DTYPE = np.dtype([("age", "i4"), ("n", "i4")])
SCHEMA = {"age": "int64", "n": "int64"}


def misspelt(argument, reader="field"):
    text = f"^{argument} has 'aeg', which no {reader} or path reads, and leaves out 'age', whose {reader} "
    return pytest.warns(MissingFieldWarning, match=text)


@pytest.fixture
def keys(client, fresh_set):
    client.put(("test", fresh_set, 1), {"age": 36, "n": 2, "m": {"k": 3}})
    return Keys("test", fresh_set, [1])


def test_a_misspelt_bin(client, keys):
    with misspelt("bins"):
        batch = client.batch_read(keys, ["aeg", "n"], _dtype=DTYPE)
    assert batch["n"].tolist() == [2]
    assert batch.present["age"].tolist() == [False]


@pytest.mark.parametrize("bins", [["age"], [], ["age", "n", "aeg"], ["n", "zzz"], ("m", "n")])
def test_lists_that_are_meant(client, keys, bins):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        batch = client.batch_read(keys, bins, _dtype=DTYPE)
    assert batch.present["age"].tolist() == ["age" in bins]


def test_paths_read_their_bins(client, keys):
    dtype, paths = np.dtype([("k", "i4"), ("age", "i4")]), {"k": ("m", "k"), "age": "n"}
    assert client.batch_read(keys, ["m", "n"], _dtype=dtype, paths=paths)[0].item() == (3, 2)
    # The name of a field with a path is no bin.
    paths = {"k": ("m", "k"), "age": "years"}
    with pytest.warns(MissingFieldWarning, match="bins has 'yaers', .* leaves out 'years'"):
        client.batch_read(keys, ["m", "yaers"], _dtype=dtype, paths=paths)
    with pytest.raises(TypeError, match="paths is"):
        client.batch_read(keys, ["m", "age"], _dtype=dtype, paths=[])


def test_a_dtype_for_each_set(client, keys, fresh_set):
    dtypes = {fresh_set: DTYPE, "other": np.dtype([("x", "i4")])}
    assert client.batch_read(keys, ["age", "x"], _dtype=dtypes)[fresh_set]["age"].tolist() == [36]
    with misspelt("bins"):
        client.batch_read(keys, ["aeg", "x"], _dtype=dtypes)


@pytest.mark.parametrize(
    "schema",
    [SCHEMA, DTYPE, pa.schema([("age", pa.int64()), ("n", pa.int64())])],
    ids=["dict", "dtype", "schema"],
)
def test_columns(client, keys, schema):
    with misspelt("bins", "column"):
        client.batch_read_arrow(keys, schema, bins=["aeg"])
    assert client.batch_read_arrow(keys, schema, bins=["n"]).to_pyarrow()["n"].to_pylist() == [2]
    with misspelt("select", "column"):
        client.query("test", keys.set).select("aeg").to_arrow(schema)
    columns = client.query("test", keys.set).select("age").to_arrow(schema).to_pyarrow()
    assert (columns["age"].to_pylist(), columns["n"].to_pylist()) == ([36], [None])


def test_polars_schemas(client, keys):
    pl = pytest.importorskip("polars")
    schema = pl.Schema({"age": pl.Int64})
    with misspelt("bins", "column"):
        client.batch_read_arrow(keys, schema, bins=["aeg"])
    assert len(client.batch_read_arrow(keys, schema, bins=["age"])) == 1


def test_queries_into_arrays(client, keys):
    def query(*bins):
        return client.query("test", keys.set).select(*bins)

    with misspelt("select"):
        query("aeg").to_numpy(DTYPE)
    assert query("m").to_numpy(np.dtype([("k", "i4")]), paths={"k": ("m", "k")})["k"].tolist() == [3]


@pytest.mark.parametrize("read", ["numpy_batches", "arrow_batches"])
def test_blocks(config, keys, read):
    with aerospike.client(config) as client, misspelt("select", "field" if "numpy" in read else "column"):
        list(getattr(client.query("test", keys.set).select("aeg"), read)(DTYPE))


def test_what_is_wrong_otherwise_is_left_to_the_extension(client, keys):
    for bins in ("age", {"age"}, np.array(["x", "y"]), [1]):
        with pytest.raises(TypeError, match=r"bins is|bin name"):
            client.batch_read(keys, bins, _dtype=DTYPE)
    with pytest.raises(TypeError, match="dtype"):
        client.batch_read(keys, ["x"], _dtype="nonsense")


def test_schemas_whose_names_cannot_be_told():
    class Exporter:
        def __arrow_c_schema__(self):
            raise AssertionError

    warn_of_unread("bins", ["x"], [(Exporter(), None)], "column")


def test_many_names_are_not_compared(client, keys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        names = [f"age{number}" for number in range(1_001)]
        warn_of_unread("bins", names, [([("age", "i4")], None)], "field")
