"""Names and indexes that users of other libraries try: the error says what to use instead."""

import copy
import pickle

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py import AsyncClient, Keys
from aerospike_py._commands.unsupported import INSTEAD
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
    tables = ((client, INSTEAD), (query, OF_QUERIES), (client.batch_read([]), OF_BATCHES))
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
