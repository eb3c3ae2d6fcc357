"""Batches in which rows fail: their codes, warnings, errors and reprs, with both clients."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py import operations as op
from aerospike_py.batch import BatchRecords, Read, Remove, Write

DTYPE = np.dtype([("n", "i8")])
COUNT = 300


@pytest.fixture(scope="module")
def cluster():
    from aerospike_py.testing import DevServer

    with DevServer(nodes=3, replication_factor=1) as made:
        yield made


@pytest.fixture
def faulty(cluster):
    yield cluster
    cluster.clear_faults()


@pytest.fixture
def clustered(face, faulty):
    with face.connect(faulty.config) as client:
        yield client


@pytest.fixture
def keys(clustered, fresh_set):
    """A third of these records is on each node; the last key has no record."""
    data = np.zeros(COUNT, [("_key", "i8"), ("n", "i8")])
    data["_key"] = data["n"] = np.arange(COUNT)
    clustered.batch_write_numpy(data, "test", fresh_set)
    return [("test", fresh_set, number) for number in range(COUNT + 1)]


def quietly(call: Any, *args: Any, **kwargs: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return call(*args, **kwargs)


# ---------------------------------------------------------------- the batch's own code


@pytest.mark.parametrize("code", [5, 12, 22, 26])
def test_a_batch_with_a_failed_row_has_failed(faulty, clustered, keys, code):
    faulty.inject("row-code", 1, command="batch", code=code)
    writes = [Write(key, [op.write("n", 1)]) for key in keys]
    batches = [
        quietly(clustered.batch_read, keys),
        quietly(clustered.batch_read, keys, ["n"]),
        clustered.batch_operate(keys, [op.increment("n", 1)]),
        clustered.batch_write(BatchRecords([*writes[:200], *map(Remove, keys[200:])])),
        quietly(clustered.batch_write, BatchRecords([Read(key, [op.read("n")]) for key in keys])),
        clustered.batch_remove(keys),
    ]
    for batch in batches:
        assert {row.result for row in batch} >= {0, code}
        assert batch.result == -16


@pytest.mark.parametrize("code", [2, 27])
def test_a_batch_whose_rows_have_no_record_has_not_failed(faulty, clustered, keys, code):
    faulty.inject("row-code", 1, command="batch", code=code)
    for batch in (
        clustered.batch_read(keys),
        clustered.batch_operate(keys, [op.read("n")]),
        clustered.batch_write(BatchRecords([Write(key, [op.write("n", 1)]) for key in keys])),
        clustered.batch_remove(keys),
    ):
        assert {row.result for row in batch} >= {0, code}
        assert batch.result == 0
        batch.raise_for_failures()


# ---------------------------------------------------------------- warnings


@pytest.mark.parametrize("dtype", [DTYPE, None], ids=["numpy", "records"])
def test_a_partial_read_warns_once_of_its_causes(faulty, clustered, keys, dtype):
    faulty.inject("row-code", 0, command="batch", code=22)
    faulty.inject("close", 1, command="batch")
    both = [*keys, ("no such", "s", 1)]
    with pytest.warns(RuntimeWarning, match="rows of the batch failed") as caught:
        batch = clustered.batch_read(both, policy={"max_retries": 0}, _dtype=dtype)
    assert len(caught) == 1
    text = str(caught[0].message)
    assert "(ConnectionError, NamespaceNotFound, ForbiddenError)" in text
    assert not any(letter.isdigit() for letter in text)
    assert caught[0].message.batch is batch


def test_operations_that_read_warn_too(faulty, clustered, keys):
    faulty.inject("row-code", 1, command="batch", code=22)
    reads = [op.read("n"), op.read("other")]
    for call, argument in (
        (clustered.batch_operate, (keys, reads)),
        (clustered.batch_write, (BatchRecords([Read(key, reads) for key in keys]),)),
        (clustered.batch_write, (BatchRecords([Read(key, read_all_bins=True) for key in keys]),)),
    ):
        with pytest.warns(RuntimeWarning, match=r"rows of the batch failed \(ForbiddenError\)") as caught:
            batch = call(*argument)
        assert len(caught) == 1
        assert caught[0].message.batch is batch
    # The codes of writes are results that programs expect.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clustered.batch_operate(keys, [op.read("n"), op.write("n", 1)])
        clustered.batch_write(BatchRecords([Write(key, [op.write("n", 1)]) for key in keys]))
        clustered.batch_remove(keys)


@pytest.mark.parametrize("dtype", [DTYPE, None], ids=["numpy", "records"])
@pytest.mark.parametrize("code", [2, 27])
def test_answers_about_records_do_not_warn(faulty, clustered, keys, dtype, code):
    faulty.inject("row-code", 1, command="batch", code=code)
    batch = clustered.batch_read(keys, _dtype=dtype)
    batch.raise_for_failures()
    assert {"2": "missing", "27": "filtered out"}[str(code)] in repr(batch)


def test_a_timeout_is_not_a_missing_record(faulty, clustered, keys):
    faulty.inject("silent", 2, command="batch")
    policy = {"total_timeout": 200, "max_retries": 0}
    with pytest.warns(RuntimeWarning, match=r"rows of the batch failed \(TimeoutError\)"):
        batch = clustered.batch_read(keys[:COUNT], policy=policy, _dtype=DTYPE)
    found, failed = (int((batch.result_codes == code).sum()) for code in (0, 9))
    assert found + failed == COUNT
    assert f"{found} found, {failed} failed ({failed} TimeoutError)" in repr(batch)


# ---------------------------------------------------------------- raise_for_failures


@pytest.mark.parametrize("dtype", [DTYPE, None], ids=["numpy", "records"])
def test_the_dominant_cause_is_raised_with_the_batch(faulty, clustered, keys, dtype):
    faulty.inject("row-code", 1, command="batch", code=22)
    batch = quietly(clustered.batch_read, [("no such", "s", 1), *keys], _dtype=dtype)
    with pytest.raises(aerospike.ForbiddenError) as caught:
        batch.raise_for_failures()
    error = caught.value
    assert error.batch is batch  # type: ignore[attr-defined]
    assert (error.code, error.in_doubt) == (22, False)
    codes = [row.result for row in batch] if dtype is None else batch.result_codes.tolist()
    failed = codes.count(22)
    assert f"{failed + 1} of {COUNT + 2} rows failed: ForbiddenError (22): {failed}" in error.msg
    assert "NamespaceNotFound (20): 1; the first is row 0, key " in error.msg
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert len(again.batch) == len(batch)


def test_failed_writes_may_be_in_doubt(faulty, clustered, keys):
    faulty.inject("close", 1, command="batch", times=1)
    batch = clustered.batch_operate(keys[:COUNT], [op.increment("n", 1)], {"max_retries": 0})
    with pytest.raises(aerospike.ConnectionError) as caught:
        batch.raise_for_failures()
    assert caught.value.in_doubt
    assert " done, " in repr(batch)
    assert "ConnectionError)" in repr(batch)


def test_a_row_that_python_cannot_hold_is_the_cause():
    key = aerospike.Key("test", "s", 1, bytes(20))
    missing = aerospike.BatchRecord(key, 2)
    batch = aerospike.BatchRecords(
        [missing, aerospike.BatchRecord(key, -1, error=aerospike.ClientError("unhashable"))]
    )
    with pytest.raises(aerospike.ClientError) as caught:
        batch.raise_for_failures()
    assert caught.value.__cause__ is batch.batch_records[1].error
    assert "1 of 2 rows failed: ClientError (-1): 1; the first is row 1, key ('test'" in str(caught.value)


# ---------------------------------------------------------------- repr


def test_reprs_tell_why_rows_have_no_record(faulty, clustered, keys):
    faulty.inject("row-code", 1, command="batch", code=22)
    batch = quietly(clustered.batch_read, [*keys, ("no such", "s", 1)], _dtype=DTYPE)
    codes = batch.result_codes.tolist()
    missing = f", {codes.count(2)} missing" if 2 in codes else ""
    counts = f"{COUNT + 2} rows, {codes.count(0)} found{missing}, {codes.count(22) + 1} failed"
    causes = f"({codes.count(22)} ForbiddenError, 1 NamespaceNotFound)"
    assert repr(batch) == f"<NumpyBatchRecords {counts} {causes}, dtype=[('n', '<i8')]>"
    records = quietly(clustered.batch_read, [*keys, ("no such", "s", 1)])
    assert repr(records) == f"<BatchRecords {counts} {causes}>"
    data = np.zeros(COUNT, [("n", "i8")])
    written = quietly(clustered.batch_write_numpy, data, *keys[0][:2], keys=range(COUNT))
    failed = int((~written.ok).sum())
    counts = f"{COUNT - failed} of {COUNT} rows written, {failed} failed"
    assert repr(written) == f"<NumpyWriteResult {counts} ({failed} ForbiddenError)>"


def test_rows_that_were_not_sent_are_not_done():
    batch = BatchRecords([Write(("test", "s", 1), [op.write("a", 1)]), Remove(("test", "s", 2))])
    assert repr(batch) == "<BatchRecords 2 rows, 0 done, 2 not sent>"
    assert repr(aerospike.BatchRecords()) == "<BatchRecords 0 rows, 0 done>"
