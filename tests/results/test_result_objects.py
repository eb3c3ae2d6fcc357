"""Result objects pickle, copy, unpack and have a useful repr."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py import operations as op
from aerospike_py.batch import BatchRecords, Read, Remove, Write
from tests.support import records

DTYPE = np.dtype([("name", "S8"), ("n", "i4"), ("v", "f4", (2,))])
SKETCH = aerospike.HyperLogLog(records.SKETCH)


@pytest.fixture
def keys(client, fresh_set):
    keys = [("test", fresh_set, key) for key in ("ann", 2, b"three", "nobody")]
    for number, key in enumerate(keys[:3]):
        client.put(key, {"name": f"n{number}", "n": number, "v": [0.5, number]})
    return keys


def results(client, keys) -> dict[str, Any]:
    """One of each kind of result."""
    there = keys[0]
    return {
        "record": client.get(there),
        "key": client.get(there).key,
        "exists": client.exists(there),
        "no record": client.exists(keys[3]),
        "operated": client.operate(there, [op.read("n")]),
        "ordered": client.operate_ordered(there, [op.read("n"), op.read("name")]),
        "batch": client.batch_read(keys),
        "row": client.batch_read(keys).batch_records[0],
        "row without a record": client.batch_read(keys).batch_records[3],
        "info": client.info_all("build"),
        "info errors": client.info_all("nonsense"),
        "stats": client.stats(),
        "node": client.stats().nodes[0],
        "connections": client.stats().nodes[0].conns,
        "written rows": client.batch_write(BatchRecords([Write(there, [op.increment("n", 0)]), Read(there)])),
        "a row that removes": Remove(keys[3]),
        "place": aerospike.GeoJSON({"type": "Point", "coordinates": [1, 2]}),
        "map": aerospike.KeyOrderedDict({"a": 1}),
        "sketch": SKETCH,
        "operation": op.increment("n", 1),
    }


def ways(value):
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        yield pickle.loads(pickle.dumps(value, protocol))  # noqa: S301
    yield copy.copy(value)
    yield copy.deepcopy(value)


def test_results_pickle_and_copy(client, keys):
    for name, value in results(client, keys).items():
        for again in ways(value):
            assert type(again) is type(value), name
            assert repr(again) == repr(value), name
            if name != "info errors":  # exceptions are equal to themselves alone
                assert again == value, name


def test_unpickled_results_are_usable(client, keys):
    again = pickle.loads(pickle.dumps(client.batch_read(keys)))  # noqa: S301
    assert client.get(again.batch_records[1].key).bins["n"] == 1
    assert len({row.key for row in again}) == len(keys)
    [error] = [error for error, _ in client.info_all("nonsense").values()][:1]
    assert pickle.loads(pickle.dumps(error)).code == error.code  # noqa: S301


def test_arrays_pickle_and_copy(client, keys):
    batch = client.batch_read(keys, _dtype=DTYPE)
    for again in ways(batch):
        assert (again.batch_records == batch.batch_records).all()
        assert (again.meta == batch.meta).all()
        assert (again.result_codes == batch.result_codes).all()
        assert (again.present == batch.present).all()
        assert again._map == batch._map
        assert again.get(b"three")["n"] == 2
        assert again.get(keys[0])["name"] == b"n0"
        assert keys[3] in again
        assert repr(again) == repr(batch)


def test_results_of_writes_pickle_and_copy(client, fresh_set):
    data = np.array([(1, 2.5), (2, 3.5)], dtype=[("_key", "i8"), ("v", "f8")])
    exists = {"exists": aerospike.POLICY_EXISTS_CREATE}
    client.put(("test", fresh_set, 2), {"v": 0.0})
    with pytest.warns(RuntimeWarning, match=r"rows were not written \(RecordExistsError\)"):
        result = client.batch_write_numpy(data, "test", fresh_set, policy=exists)
    for again in ways(result):
        assert repr(again) == repr(result)
        assert again.failures == result.failures
        assert [failure.key for failure in again.failures] == [2]


def test_a_pickled_error_keeps_its_batch(client, keys):
    client.put(keys[0], {"n": "no number"})
    with pytest.raises(aerospike.BatchDecodeError) as caught:
        client.batch_read(keys, _dtype=DTYPE)
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301
    assert (again.failures, again.count) == (caught.value.failures, caught.value.count)
    assert again.batch.batch_records["n"].tolist() == [0, 1, 2, 0]
    # As with any exception, the cause is not pickled; the message has it.
    assert again.msg == caught.value.msg


def test_keys_of_arrays_pickle(client, fresh_set):
    keys = aerospike.Keys("test", fresh_set, np.arange(3))
    again = pickle.loads(pickle.dumps(keys))  # noqa: S301
    assert repr(again) == repr(keys)
    assert client.batch_read(again).batch_records[2].key.key == 2


def test_results_unpack_and_have_names(client, keys):
    key, meta, bins = client.get(keys[0])
    namespace, set, primary_key, digest = key
    assert (namespace, set, primary_key) == (*keys[0][:2], None)
    assert client.get(keys[0], {"key": aerospike.POLICY_KEY_SEND}).key[:3] == keys[0]
    assert (meta["gen"], bins["n"], len(digest)) == (1, 0, 20)
    assert client.get(keys[0])._asdict().keys() == {"key", "meta", "bins"}
    for record in client.batch_read(keys[:2]):
        assert record.record.bins["name"].startswith("n")


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: aerospike.GeoJSON("{}"), "GeoJSON('{}')"),
        (lambda: aerospike.KeyOrderedDict({"a": 1}), "{'a': 1}"),
        (lambda: aerospike.HyperLogLog(b"x"), "HyperLogLog(b'x')"),
        (lambda: aerospike.Keys("test", "s", [1, 2]), "<Keys test.s, 2 values>"),
        (
            lambda: aerospike.Key("test", "s", 1, b"d"),
            "Key(namespace='test', set='s', key=1, digest=b'd')",
        ),
        (lambda: aerospike.RecordNotFound("it is gone", 2), "RecordNotFound('it is gone')"),
        (
            lambda: aerospike.client({"hosts": [("db", 3000)], "user": "u", "password": "p"}),
            "<Client of db:3000: not connected>",
        ),
        (
            lambda: aerospike.AsyncClient({"hosts": [("::1", 3000)]}),
            "<AsyncClient of [::1]:3000: not connected>",
        ),
    ],
)
def test_reprs(make, expected):
    assert repr(make()) == expected


def test_reprs_of_results(client, keys):
    assert repr(client.get(keys[0])).startswith("Record(key=Key(namespace='test', ")
    assert repr(client.batch_read(keys)) == "<BatchRecords 4 rows, 3 found, 1 missing>"
    assert repr(client.batch_read(keys).batch_records[0]).startswith("BatchRecord(key=Key(")
    batch = client.batch_read(keys, _dtype=np.dtype([("n", "i4")]))
    assert repr(batch) == "<NumpyBatchRecords 4 rows, 3 found, 1 missing, dtype=[('n', '<i4')]>"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        narrow = client.batch_read(keys, _dtype=np.dtype([("name", "S1")]))
    described = "4 rows, 3 found, 1 missing, inexact={'name': 3}"
    assert repr(narrow) == f"<NumpyBatchRecords {described}, dtype=[('name', 'S1')]>"
    assert repr(client.stats()).startswith("ClusterStats(nodes=[NodeStats(name='")
