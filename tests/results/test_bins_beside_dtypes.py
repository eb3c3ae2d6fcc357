"""Bins that are named beside a dtype or schema: names that nothing reads are refused, with both clients."""

import numpy as np
import pyarrow as pa
import pytest

import aerospike_py as aerospike
from aerospike_py import Keys
from aerospike_py._read_bins import refuse_unread

DTYPE = np.dtype([("age", "i4"), ("n", "i4")])
SCHEMA = {"age": "int64", "n": "int64"}


@pytest.fixture
def keys(client, fresh_set):
    client.put(("test", fresh_set, 1), {"age": 36, "n": 2, "m": {"k": 3}})
    return Keys("test", fresh_set, [1])


def test_a_bin_that_no_field_reads_is_refused(client, keys):
    with pytest.raises(
        aerospike.ParamError, match=r"^bins has 'aeg', which no field or path reads \(did you mean 'age'"
    ):
        client.batch_read(keys, ["aeg", "n"], _dtype=DTYPE)
    with pytest.raises(ValueError, match=r"^bins has 'm', 'zzz', which no field or path reads; add a field"):
        client.batch_read(keys, ("m", "age", "zzz"), dtype=[("age", "i4")])
    batch = client.batch_read(keys, ["age"], _dtype=DTYPE)
    assert batch["age"].tolist() == [36]
    assert not batch.present["n"].any()
    assert client.batch_read(keys, [], _dtype=DTYPE).result_codes.tolist() == [0]


def test_paths_read_their_bins(client, keys):
    dtype, paths = np.dtype([("k", "i4"), ("age", "i4")]), {"k": ("m", "k"), "age": "n"}
    assert client.batch_read(keys, ["m", "n"], _dtype=dtype, paths=paths)[0].item() == (3, 2)
    with pytest.raises(ValueError, match="bins has 'age', which no field or path reads"):
        client.batch_read(keys, ["m", "age"], _dtype=dtype, paths=paths)
    with pytest.raises(TypeError, match="paths is"):
        client.batch_read(keys, ["m", "age"], _dtype=dtype, paths=[])


def test_a_bin_that_a_field_of_any_set_reads(client, keys, fresh_set):
    dtypes = {fresh_set: DTYPE, "other": np.dtype([("x", "i4")])}
    assert client.batch_read(keys, ["age", "x"], _dtype=dtypes)[fresh_set]["age"].tolist() == [36]
    with pytest.raises(ValueError, match=r"bins has 'aeg', .* \(did you mean 'age'\?\)"):
        client.batch_read(keys, ["aeg", "x"], _dtype=dtypes)


@pytest.mark.parametrize(
    "schema",
    [SCHEMA, DTYPE, pa.schema([("age", pa.int64()), ("n", pa.int64())])],
    ids=["dict", "dtype", "schema"],
)
def test_columns(client, keys, schema):
    with pytest.raises(
        ValueError, match=r"^bins has 'aeg', which no column or path reads \(did you mean 'age'"
    ):
        client.batch_read_arrow(keys, schema, bins=["aeg"])
    assert client.batch_read_arrow(keys, schema, bins=["n"]).to_pyarrow()["n"].to_pylist() == [2]
    with pytest.raises(
        ValueError, match=r"^select has 'aeg', which no column or path reads \(did you mean 'age'"
    ):
        client.query("test", keys.set).select("aeg").to_arrow(schema)
    columns = client.query("test", keys.set).select("age").to_arrow(schema).to_pyarrow()
    assert (columns["age"].to_pylist(), columns["n"].to_pylist()) == ([36], [None])


def test_polars_schemas(client, keys):
    pl = pytest.importorskip("polars")
    schema = pl.Schema({"age": pl.Int64})
    with pytest.raises(ValueError, match=r"bins has 'aeg'"):
        client.batch_read_arrow(keys, schema, bins=["aeg"])
    assert len(client.batch_read_arrow(keys, schema, bins=["age"])) == 1


def test_queries_into_arrays(client, keys):
    def query(*bins):
        return client.query("test", keys.set).select(*bins)

    with pytest.raises(
        ValueError, match=r"^select has 'aeg', which no field or path reads \(did you mean 'age'"
    ):
        query("aeg").to_numpy(DTYPE)
    assert query("m").to_numpy(np.dtype([("k", "i4")]), paths={"k": ("m", "k")})["k"].tolist() == [3]


def test_blocks(config, keys):
    with aerospike.client(config) as client:
        for read in ("numpy_batches", "arrow_batches"):
            with pytest.raises(ValueError, match=r"^select has 'aeg'"):
                getattr(client.query("test", keys.set).select("aeg"), read)(DTYPE)


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

    refuse_unread("bins", ["x"], [(Exporter(), None)], "column")
