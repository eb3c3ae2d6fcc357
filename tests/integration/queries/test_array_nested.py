"""Queries into nested dtypes and with paths: each row is what a batch read gives for the same record."""

import numpy as np
import pytest
from hypothesis import given, settings

import aerospike_py as aerospike
from aerospike_py._leaves import leaves
from tests.integration.test_nested_oracle import REPLACE, batches, batches_with_paths
from tests.integration.test_numpy_oracle import RELAXED, bits_of

pytestmark = [
    pytest.mark.filterwarnings("ignore:values changed to fit:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::aerospike_py.MissingFieldWarning"),
]
FEATURES = {"driver": {"trips": 7, "score": 0.5}, "last": [1, 2, 3]}


def blocks_of(client, name, dtype, **options):
    """The whole query, and the same in blocks of two rows."""
    yield client.query("test", name).to_numpy(dtype, **options)
    with client.query("test", name).numpy_batches(dtype, rows=2, **options) as blocks:
        yield from blocks


def check_rows(block, dtype, of_batch, row_of):
    for row, digest in enumerate(map(bytes, block.digests)):
        if digest not in row_of:
            continue
        other = row_of[digest]
        for leaf in leaves(dtype):
            for mine, theirs in (
                (leaf.in_array(block.present), leaf.in_array(of_batch.present)),
                (block.failed_mask(leaf.path), of_batch.failed_mask(leaf.path)),
                (block.inexact_mask(leaf.path), of_batch.inexact_mask(leaf.path)),
            ):
                assert mine[row] == theirs[other], leaf.name
            found = bits_of({"": leaf.in_array(block.batch_records)}, "", row)
            assert found == bits_of({"": leaf.in_array(of_batch.batch_records)}, "", other), leaf.name


@settings(suppress_health_check=RELAXED, max_examples=40)
@given(batches())
def test_nested_dtypes(client, fresh_set, batch):
    dtype, records = batch
    keys = [("test", fresh_set, row) for row in range(len(records))]
    for key, record in zip(keys, records, strict=True):
        client.put(key, {**record, "unread": 1}, policy=REPLACE)
    compare(client, fresh_set, keys, dtype)


@settings(suppress_health_check=RELAXED, max_examples=40)
@given(batches_with_paths())
def test_paths(client, fresh_set, batch):
    dtype, paths, trees = batch
    keys = [("test", fresh_set, row) for row in range(len(trees))]
    for key, tree in zip(keys, trees, strict=True):
        client.put(key, {"all": tree}, policy=REPLACE)
    compare(client, fresh_set, keys, dtype, paths=paths)


def compare(client, name, keys, dtype, **options):
    row_of = {bytes(aerospike.calc_digest(*key)): row for row, key in enumerate(keys)}
    of_batch = client.batch_read(keys, _dtype=dtype, errors="coerce", **options)
    seen = []
    for block in blocks_of(client, name, dtype, errors="coerce", **options):
        check_rows(block, dtype, of_batch, row_of)
        seen += [digest for digest in map(bytes, block.digests) if digest in row_of]
    assert sorted(seen) == sorted(list(row_of) * 2), "each record once in each of the two"


def test_select_narrows_paths_by_bin(client, fresh_set):
    client.put(("test", fresh_set, 1), {"f": FEATURES, "n": 1})
    dtype = np.dtype([("trips", "i8"), ("newest", "i8"), ("n", "i8")])
    paths = {"trips": ("f", "driver", "trips"), "newest": ("f", "last", -1)}
    everything = client.query("test", fresh_set).to_numpy(dtype, paths=paths)
    assert everything.batch_records.tolist() == [(7, 3, 1)]
    query = client.query("test", fresh_set)
    query.select("f")
    narrow = query.to_numpy(dtype, paths=paths)
    assert (narrow.batch_records.tolist(), narrow.present.tolist()) == ([(7, 3, 0)], [(True, True, False)])


@pytest.mark.parametrize(
    ("paths", "why"),
    [
        ({"other": "f"}, "no field"),
        ({"trips": ()}, "is empty"),
        ({"trips": ("f", 1.5)}, r"step 1 is 1\.5"),
        ({"trips": ("f", True)}, "step 1 is True"),
        ({"trips": "a name of more than 15 bytes"}, "at most 15"),
    ],
)
def test_wrong_paths_are_refused_before_anything_is_sent(client, fresh_set, paths, why):
    refused = (TypeError, aerospike.exception.ClientError, aerospike.exception.BinNameError)
    query = client.query("test", fresh_set)
    with pytest.raises(refused, match=why):
        query.to_numpy(np.dtype([("trips", "i8")]), paths=paths)
    with (
        pytest.raises(refused, match=why),
        query.numpy_batches(np.dtype([("trips", "i8")]), paths=paths) as blocks,
    ):
        next(iter(blocks))


def test_failures_name_the_record_and_the_place(client, fresh_set):
    key = ("test", fresh_set, 1)
    client.put(key, {"f": {"driver": {"trips": "many"}}})
    with pytest.raises(aerospike.BatchDecodeError) as caught:
        client.query("test", fresh_set).to_numpy(
            np.dtype([("trips", "<i4")]), paths={"trips": ("f", "driver", "trips")}
        )
    assert "bin 'f' at ['driver']['trips'] (string) into field 'trips' (<i4)" in caught.value.msg
    assert bytes(aerospike.calc_digest(*key)).hex() in caught.value.msg.lower()
    assert len(caught.value.batch) == 1
