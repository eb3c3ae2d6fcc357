"""Batch writes while nodes fail: which rows are sent again, which are in doubt, and to which node they go."""

from __future__ import annotations

import asyncio
import sys

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py import operations as op
from aerospike_py.batch import BatchRecords, Read, Remove, Write
from aerospike_py.testing import DevServer
from tests.support.faces import Face
from tests.support.records import MAP_KEYED_BY_A_LIST, put_as_it_is

N = 3000


@pytest.fixture(scope="module")
def server():
    with DevServer(nodes=3, replication_factor=2) as node:
        yield node


@pytest.fixture
def client(server, face: Face):
    with face.connect(server.config) as connected:
        yield connected


def table(n: int = N) -> np.ndarray:
    rows = np.zeros(n, [("_key", "i8"), ("n", "i8")])
    rows["_key"] = rows["n"] = np.arange(n)
    return rows


def test_rows_go_to_the_masters(server, client, fresh_set):
    before = [server.counters(node)["passed_on"] for node in range(3)]
    rows = [server.counters(node)["batch_rows"] for node in range(3)]
    assert client.batch_write_numpy(table(), "test", fresh_set).ok.all()
    assert [server.counters(node)["passed_on"] for node in range(3)] == before
    asked = [server.counters(node)["batch_rows"] - was for node, was in zip(range(3), rows, strict=True)]
    assert sum(asked) == N
    assert min(asked) > N // 5


def test_rows_of_several_namespaces_go_in_requests_of_their_own(face, fresh_set):
    """A server that lacks the namespace of a row refuses the request but has applied the rows before it."""
    with DevServer(namespaces=["test", "bar"]) as node, face.connect(node.config) as client:
        keys = [(("test", "bar")[n % 2], fresh_set, n) for n in range(10)]
        assert [row.result for row in client.batch_operate(keys, [op.increment("n", 1)])] == [0] * 10
        assert node.counters(0)["batch_requests"] == 2
        assert [row.record.bins["n"] for row in client.batch_read(keys)] == [1] * 10
        # Reads may be repeated.
        assert node.counters(0)["batch_requests"] == 3


@pytest.mark.parametrize("fault", ["close", "close-mid-frame"])
def test_an_increment_is_never_sent_twice(faulty, client, fresh_set, fault):
    keys = [("test", fresh_set, n) for n in range(N)]
    faulty.inject(fault, 1, command="batch", times=1)
    answer = client.batch_operate(keys, [op.increment("n", 1)], {"max_retries": 5, "total_timeout": 5000})
    doubtful = [row for row in answer if row.in_doubt]
    assert doubtful
    assert all(row.result == -10 for row in doubtful)
    assert all(row.result == 0 for row in answer if not row.in_doubt)
    faulty.clear_faults()
    for row, read in zip(answer, client.batch_read(keys), strict=True):
        count = 0 if read.record is None else read.record.bins["n"]
        assert count == 1 or (row.in_doubt and count == 0), (row, count)


def test_busy_rows_are_sent_again(faulty, client, fresh_set):
    faulty.inject("row-code", 2, command="batch", times=1, code=14)
    assert client.batch_write_numpy(table(), "test", fresh_set).ok.all()
    faulty.inject("row-code", 2, command="batch", times=1, code=9)
    with pytest.warns(RuntimeWarning, match="may have been written"):
        result = client.batch_write_numpy(table(), "test", fresh_set)
    assert result.in_doubt.any()
    assert (result.result_codes[result.in_doubt] == 9).all()
    with pytest.raises(aerospike.TimeoutError) as caught:
        result.raise_for_failures()
    assert caught.value.in_doubt


def test_a_batch_without_any_answer_raises(faulty, client, fresh_set):
    faulty.inject("close", command="batch")
    with pytest.raises(aerospike.ClientError) as caught:
        client.batch_write_numpy(table(), "test", fresh_set)
    assert caught.value.in_doubt
    assert "may have been applied" in str(caught.value)


def mixed(fresh_set: str, n: int) -> BatchRecords:
    keys = [("test", fresh_set, key) for key in range(n)]
    return BatchRecords(
        [
            Remove(keys[0]),
            *(Read(key, None, True) for key in keys[1 : n // 2]),
            *(Write(key, [op.increment("n", 1)]) for key in keys[n // 2 :]),
        ]
    )


def test_rows_have_results_when_the_call_raises(faulty, client, fresh_set):
    batch = mixed(fresh_set, 300)
    assert client.batch_write(batch).batch_records[-1].result == 0
    # Results of the call before are not taken for results of this one.
    faulty.inject("close", command="batch")
    with pytest.raises(aerospike.ClientError) as caught:
        client.batch_write(batch, {"max_retries": 1})
    assert caught.value.in_doubt
    assert {row.result for row in batch} == {-10}
    assert batch.result == -10
    assert [row.in_doubt for row in batch] == [not isinstance(row, Read) for row in batch]
    assert all(row.record is None for row in batch)
    faulty.clear_faults()
    client.batch_write(batch)
    assert {row.result for row in batch if not isinstance(row, Remove)} <= {0, 2}
    assert not any(row.in_doubt for row in batch)
    assert batch.result == 0


def test_a_row_whose_answer_cannot_be_read_is_in_doubt(face, fresh_set):
    with DevServer(options=["--any-map-keys"]) as server, face.connect(server.config) as client:
        keys = [("test", fresh_set, n) for n in range(3)]
        client.batch_operate(keys, [op.write("n", 1)])
        put_as_it_is(server.hosts[0], keys[1], b"m", MAP_KEYED_BY_A_LIST)
        steps = [op.increment("n", 1), op.read("m")]
        same = client.batch_operate(keys, steps)
        with pytest.warns(RuntimeWarning, match="rows of the batch failed"):
            each = client.batch_write(BatchRecords([Write(keys[1], steps), Read(keys[1], [op.read("m")])]))
        assert [(row.result, row.in_doubt) for row in same] == [(0, False), (-1, True), (0, False)]
        assert [(row.result, row.in_doubt) for row in each] == [(-1, True), (-1, False)]
        assert client.select(keys[1], ["n"]).bins == {"n": 3}


def test_rows_of_a_cancelled_call_have_no_answer(server, fresh_set):
    async def main() -> None:
        async with aerospike.AsyncClient(server.config) as client:
            batch = mixed(fresh_set, 300)
            await client.batch_write(batch)
            for node in range(3):
                server.pause(node)
            try:
                task = asyncio.create_task(client.batch_write(batch, {"total_timeout": 30_000}))
                await asyncio.sleep(0.05)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            finally:
                for node in range(3):
                    server.resume(node)
            assert {row.result for row in batch} == {-15}
            assert [row.in_doubt for row in batch] == [not isinstance(row, Read) for row in batch]

    asyncio.run(main())


def test_a_node_that_dies_fails_its_own_rows_only(face, fresh_set):
    with DevServer(nodes=3, replication_factor=2) as server, face.connect(server.config) as client:
        server.kill(1)
        policy = {"max_retries": 100, "sleep_between_retries": 20, "total_timeout": 20_000}
        result = client.batch_write_numpy(table(), "test", fresh_set, policy=policy)
        # Rows that were sent may be in doubt; the others go to the new master.
        assert (result.ok | result.in_doubt).all()
        assert result.ok.sum() > N // 3
        keys = aerospike.Keys("test", fresh_set, np.arange(N)[result.ok])
        assert client.batch_read(keys, _dtype=[("n", "i8")]).ok.all()


def test_a_cancelled_call_lets_the_array_go(server, fresh_set):
    async def main() -> None:
        async with aerospike.AsyncClient(server.config) as client:
            data = table(50_000)
            held = sys.getrefcount(data)
            task = asyncio.create_task(client.batch_write_numpy(data, "test", fresh_set))
            await asyncio.sleep(0.005)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            del task
            # Threads of the runtime cannot free Python objects: the next call does.
            for _ in range(100):
                client.is_connected()
                if sys.getrefcount(data) == held:
                    break
                await asyncio.sleep(0.02)
            assert sys.getrefcount(data) == held
            assert (await client.batch_write_numpy(data[:10], "test", fresh_set)).ok.all()

    asyncio.run(main())
