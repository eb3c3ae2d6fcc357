"""Names and indexes that users of other libraries try: the error says what to use instead."""

import copy
import pickle
from unittest import mock

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py import AsyncClient, Keys
from aerospike_py._commands.unsupported import INSTEAD
from aerospike_py.feature_matrix import _INSTEAD as OF_MATRICES
from aerospike_py.numpy_records import _INSTEAD as OF_ARRAYS
from aerospike_py.query.base import _INSTEAD as OF_QUERIES
from aerospike_py.records import _INSTEAD as OF_BATCHES


@pytest.fixture
def client(config):
    with aerospike.client(config) as made:
        yield made


@pytest.fixture
def keys(client, fresh_set):
    client.put(("test", fresh_set, 1), {"age": 36, "name": "Ada"})
    return Keys("test", fresh_set, [1, 2])


@pytest.mark.parametrize("kind", [aerospike.Client, AsyncClient])
@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("get_many", r"use batch_read\(keys\)$"),
        ("delete", r"use remove\(key\)$"),
        ("list_append", r"use operate\(key, \[aerospike_py\.list_operations\.list_append\(\.\.\.\)\]\)$"),
        ("map_put", r"aerospike_py\.map_operations\.map_put"),
        ("nothing_of_the_kind", "has no attribute 'nothing_of_the_kind'$"),
    ],
)
def test_a_method_of_another_client(kind, name, remedy):
    client = kind({"hosts": ["127.0.0.1:1"]})
    assert not hasattr(client, name)
    with pytest.raises(AttributeError, match=remedy) as caught:
        getattr(client, name)
    assert (caught.value.name, caught.value.obj) == (name, client)


def test_what_to_use_exists(client, fresh_set):
    """No name in the tables exists itself, and the methods in the advice do."""
    query = client.query("test", fresh_set)
    array = client.batch_read([], _dtype=np.dtype([("age", "i4")]))
    matrix = client.read_matrix([([], ["age"])])
    tables = (
        (client, INSTEAD),
        (query, OF_QUERIES),
        (client.batch_read([]), OF_BATCHES),
        (array, OF_ARRAYS),
        (matrix, OF_MATRICES),
    )
    for owner, table in tables:
        for name, advice in table.items():
            assert not hasattr(owner, name), name
            method = advice.partition("(")[0]
            if method.isidentifier() and method != "len":
                assert any(hasattr(each, method) for each, _ in tables), advice


def test_attributes_of_queries_and_batches(client, keys):
    with pytest.raises(AttributeError, match=r"use to_arrow\(\)\.to_pandas\(\)$"):
        client.query("test", keys.set).to_pandas  # noqa: B018
    batch = client.batch_read(keys)
    with pytest.raises(AttributeError, match=r"use batch_read\(keys, _dtype=dtype\)$"):
        batch.to_numpy  # noqa: B018
    assert pickle.loads(pickle.dumps(batch)) == copy.deepcopy(batch) == batch  # noqa: S301


def test_attributes_of_arrays_and_matrices(client, keys):
    pa, pl, duckdb = (pytest.importorskip(name) for name in ("pyarrow", "polars", "duckdb"))
    dtype = np.dtype([("age", "i4")])
    batch = client.batch_read(keys, _dtype=dtype)
    found = client.query("test", keys.set).to_numpy(dtype)
    matrix = client.read_matrix([(keys, ["age"])])
    for records, of in ((batch, "records"), (found, "records"), (matrix, "features")):
        for name in ("to_arrow", "to_pyarrow"):
            with pytest.raises(AttributeError, match=rf"{name}'; use pyarrow\.table\({of}\)$") as caught:
                getattr(records, name)
            assert (caught.value.name, caught.value.obj) == (name, records)
        with pytest.raises(AttributeError, match=rf"use polars\.DataFrame\({of}\)$"):
            records.to_polars()
        with pytest.raises(AttributeError, match=r"use duckdb\.from_arrow\(pyarrow\.table\("):
            records.to_duckdb()
        with pytest.raises(AttributeError, match=r"has no attribute 'nothing'$"):
            records.nothing  # noqa: B018
        # What the advice says works.
        columns = pa.table(records)
        assert columns["age"].to_pylist()[0] == pl.DataFrame(records)["age"][0] == 36
        assert duckdb.from_arrow(columns).fetchall()[0] == (36,)
        again = pickle.loads(pickle.dumps(records))  # noqa: S301
        assert repr(again) == repr(copy.copy(records)) == repr(records)
    with pytest.raises(AttributeError, match=r"use pyarrow\.table\(features\)\.to_pandas\(\)$"):
        matrix.to_pandas()


def test_items_of_results_without_items(client, keys):
    arrow = client.batch_read_arrow(keys, {"name": "utf8"})
    with pytest.raises(TypeError, match=r"to_pyarrow\(\) or to_duckdb\(\), as in \.to_pandas\(\)\['name'\]$"):
        arrow["name"]
    matrix = client.read_matrix([(keys, ["age", ("years", ("age",))])])
    with pytest.raises(TypeError, match=r"index its array, \.matrix\[:, 0\]: \.columns has"):
        matrix["age"]
    with pytest.raises(TypeError, match=r"\.matrix\[row, column\]"):
        matrix[0]


def test_a_field_that_is_not_there(client, keys):
    batch = client.batch_read(keys, _dtype=np.dtype([("age", "i4"), ("name", "S8")]))
    with pytest.raises(ValueError, match=r"no field of name aeg; the fields are age, name$"):
        batch["aeg"]
    with pytest.raises(KeyError):
        batch[["aeg"]]
    with pytest.raises(IndexError):
        batch[5]


@pytest.mark.parametrize("kind", [aerospike.Client, AsyncClient])
@pytest.mark.parametrize("make", ["query", "scan"])
@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("max_record", "did you mean 'max_records'?"),
        ("record_per_second", "did you mean 'records_per_second'?"),
        ("policy", "its settings are max_records, records_per_second, ttl"),
    ],
)
def test_a_setting_that_a_query_does_not_have(kind, make, name, remedy):
    query = getattr(kind({"hosts": ["127.0.0.1:1"]}), make)("test", "names")
    with pytest.raises(AttributeError) as caught:
        setattr(query, name, 2)
    assert str(caught.value) == f"{type(query).__name__!r} object has no attribute {name!r}; {remedy}"
    assert name not in vars(query)


@pytest.mark.parametrize("kind", [aerospike.Client, AsyncClient])
def test_attributes_that_can_be_set(kind, monkeypatch):
    """Methods can be replaced, as tests do; subclasses have attributes of their own."""
    client = kind({"hosts": ["127.0.0.1:1"]})
    query = client.query("test", "names")
    for owner, name in ((client, "get"), (query, "results")):
        with mock.patch.object(owner, name, new_callable=mock.Mock, return_value=5):
            assert getattr(owner, name)() == 5
        monkeypatch.setattr(owner, name, lambda: 6)
        assert getattr(owner, name)() == 6
        monkeypatch.undo()
        assert name not in vars(owner)
    monkeypatch.setattr(kind, "ping", lambda self: 7, raising=False)
    assert client.ping() == 7

    class Logging:
        def __setattr__(self, name, value):
            seen.append(name)
            super().__setattr__(name, value)

    class Mine(kind, Logging):
        def __init__(self, config, namespace):
            super().__init__(config)
            self.namespace = namespace

    seen = []
    mine = Mine({"hosts": ["127.0.0.1:1"]}, "test")
    mine.timeout = 5
    assert (mine.namespace, mine.timeout) == ("test", 5)
    assert {"_core", "namespace", "timeout"} <= {*seen}


@pytest.mark.parametrize("kind", [aerospike.Client, AsyncClient])
@pytest.mark.parametrize("bins", [["age", "ctr"], ("age", "ctr")])
def test_names_of_bins_in_a_list(kind, bins):
    query = kind({"hosts": ["127.0.0.1:1"]}).query("test", "names")
    with pytest.raises(aerospike.ParamTypeError, match=r"one by one: select\('age', 'ctr'\)$"):
        query.select(bins)


def test_what_only_async_for_iterates_over():
    query = AsyncClient({"hosts": ["127.0.0.1:1"]}).query("test", "names")
    for each in (query, query.records(), query.numpy_batches(np.dtype([("a", "i4")])), query.arrow_batches()):
        with pytest.raises(
            TypeError, match=f"'{type(each).__name__}' object is not iterable; use `async for`"
        ):
            iter(each)


def test_the_names_that_completion_offers():
    names = dir(aerospike)
    assert {*aerospike.__all__, "TimeoutError", "__version__", "__doc__"} <= {*names}
    assert not {"annotations", "explains_wrong_calls", "async_client", "_commands", "_HIDDEN"} & {*names}


def test_one_of_a_thing_has_no_plural(client, keys):
    one = Keys("test", keys.set, [1])
    assert repr(client.batch_read(one)) == "<BatchRecords 1 row, 1 found>"
    assert repr(client.batch_read_arrow(one, {"age": "int64"})).startswith("<ArrowRecords 1 row x 1 column, ")
    assert repr(client.read_matrix([(one, ["age"])])).startswith("<FeatureMatrix 1 row, 1 column, ")
    assert "1 row, " in repr(client.batch_read(one, _dtype=np.dtype([("age", "i4")])))
    assert client.infer_dtype("test", keys.set).summary().startswith("1 record, 2 fields of ")


@pytest.mark.parametrize("kind", [aerospike.Client, AsyncClient])
def test_a_client_without_nodes_is_no_table(kind):
    assert kind({"hosts": ["127.0.0.1:1"]})._repr_html_() is None
