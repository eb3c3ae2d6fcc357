"""The code of a batch as a whole: the official client's and ours, on the same faults."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

import aerospike_py
from tests.support.twins import Twin, aerospike

pytestmark = pytest.mark.embedded

KEYS = [("test", "whole", number) for number in range(200)]


@pytest.fixture(scope="module")
def cluster():
    from aerospike_py.testing import DevServer

    with DevServer(nodes=3) as made:
        yield made


@pytest.fixture
def both(face, cluster):
    official = aerospike.client({"hosts": cluster.hosts}).connect()
    for key in KEYS:
        official.put(key, {"n": 1})
    ours = face.connect(cluster.config)
    yield Twin(official, is_official=True), Twin(ours, is_official=False)
    cluster.clear_faults()
    official.close()
    ours.close()


def outcomes(twin: Twin) -> dict[str, tuple[int, list[int]]]:
    """The code of each kind of batch, and those of its rows."""
    client, op, batch = twin.client, twin.op, twin.batch
    writes = [batch.Write(key, [op.write("n", 1)]) for key in KEYS]
    reads = [batch.Read(key, [op.read("n")]) for key in KEYS]
    made: dict[str, Any] = {
        "read": client.batch_read(KEYS),
        "read of bins": client.batch_read(KEYS, ["n"]),
        "operate": client.batch_operate(KEYS, [op.write("n", 1)]),
        "operate to read": client.batch_operate(KEYS, [op.read("n")]),
        "write": client.batch_write(batch.BatchRecords(writes)),
        "write of reads": client.batch_write(batch.BatchRecords(reads)),
        "remove": client.batch_remove(KEYS[:100]),
    }
    for key in KEYS[:100]:
        client.put(key, {"n": 1})
    return {name: (rows.result, [row.result for row in rows.batch_records]) for name, rows in made.items()}


@pytest.mark.parametrize("code", [2, 3, 5, 12, 22, 26, 27])
def test_the_code_of_a_batch_with_such_rows(both, cluster, code):
    cluster.inject("row-code", 1, command="batch", code=code)
    theirs, ours = both
    expected = outcomes(theirs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        assert outcomes(ours) == expected
    whole = {result for result, _ in expected.values()}
    assert whole == ({0} if code in (2, 27) else {-16})
    assert aerospike_py.BatchFailed.code == -16


def test_the_code_of_a_batch_with_a_namespace_that_is_not_there(both):
    keys = [*KEYS[:2], ("no such", "whole", 1)]
    theirs, ours = (twin.client for twin in both)
    expected = theirs.batch_read(keys)
    assert expected.result == -16
    with pytest.warns(RuntimeWarning, match="NamespaceNotFound"):
        answer = ours.batch_read(keys)
    assert answer.result == expected.result
    assert [row.result for row in answer] == [row.result for row in expected.batch_records] == [0, 0, 20]
