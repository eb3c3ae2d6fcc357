"""Queries into NumPy arrays in blocks, with both clients: sizes, a caller's array, stopping and resuming."""

import asyncio
import copy
import gc
import pickle
import threading
import time
import warnings

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py import AsyncClient
from aerospike_py.exception import BatchDecodeError

DTYPE = np.dtype([("n", "i8")])
RECORDS = 300
POISON = 0xEE


def fill(client, name, count=RECORDS):
    for number in range(count):
        client.put(("test", name, number), {"n": number})
    return set(range(count))


def numbers(blocks):
    """The numbers of all rows. A block of a caller's array must be copied before the next one is read."""
    found = [number for block in blocks for number in block["n"].tolist()]
    assert len(found) == len(set(found)), "records came twice"
    return set(found)


def rest_of(client, name, query):
    """What follows, read with another query."""
    status = query.get_partitions_status()
    rest = client.query("test", name)
    found = rest.to_numpy(DTYPE, policy={"partition_filter": {"partition_status": status}})
    assert rest.is_done()
    records = client.query("test", name).results({"partition_filter": {"partition_status": status}})
    assert {record.bins["n"] for record in records} == numbers([found])
    return numbers([found])


class TestSizes:
    @pytest.mark.parametrize("rows", [1, 2, 99, 100, 101, 10**12, 2**63 - 1, np.int64(7), np.uint8(50)])
    def test_all_blocks_but_the_last_are_full(self, client, fresh_set, rows):
        everything = fill(client, fresh_set, 100)
        query = client.query("test", fresh_set)
        blocks = [*query.numpy_batches(DTYPE, rows)]
        assert numbers(blocks) == everything
        sizes = [len(block) for block in blocks]
        assert all(size == rows for size in sizes[:-1])
        assert 0 < sizes[-1] <= rows
        assert query.is_done()

    def test_there_is_a_default(self, client, fresh_set):
        everything = fill(client, fresh_set, 100)
        [block] = client.query("test", fresh_set).numpy_batches(DTYPE)
        assert numbers([block]) == everything

    def test_blocks_have_memory_of_their_own(self, client, fresh_set):
        fill(client, fresh_set, 100)
        blocks = [*client.query("test", fresh_set).numpy_batches(DTYPE, rows=10)]
        before = [block["n"].tolist() for block in blocks]
        for block in blocks:
            block.batch_records["n"] = -1
            block.meta["gen"] = 0
        blocks = [*client.query("test", fresh_set).numpy_batches(DTYPE, rows=10)]
        # The rows may come in another order.
        assert sorted(n for block in blocks for n in block["n"].tolist()) == sorted(
            n for block in before for n in block
        )

    def test_at_the_end_nothing_follows(self, client, fresh_set):
        fill(client, fresh_set, 10)
        batches = client.query("test", fresh_set).numpy_batches(DTYPE)
        assert len([*batches]) == 1
        for _ in range(2):
            with pytest.raises(StopIteration):
                next(batches)
        batches.close()


class TestOut:
    def blocks(self, client, name, out, **more):
        """Reads all records into ``out``; returns copies of the blocks."""
        found = []
        for block in client.query("test", name).numpy_batches(out.dtype, out=out, **more):
            assert np.shares_memory(block.batch_records, out)
            assert block.batch_records.ctypes.data == out.ctypes.data
            assert block.batch_records.strides == out.strides
            assert block.present["n"].all()
            found.append({"n": block["n"].copy(), "digests": block.digests.copy()})
        return found

    @pytest.mark.parametrize("length", [1, 7, 100, 101, 1000])
    def test_blocks_are_views_of_it(self, client, fresh_set, length):
        everything = fill(client, fresh_set, 100)
        out = np.empty(length, DTYPE)
        blocks = self.blocks(client, fresh_set, out)
        assert numbers(blocks) == everything
        assert [len(block["n"]) for block in blocks[:-1]] == [length] * (len(blocks) - 1)
        for block in blocks:
            expected = [aerospike.calc_digest("test", fresh_set, int(number)) for number in block["n"]]
            assert [bytes(digest) for digest in block["digests"]] == [bytes(digest) for digest in expected]

    def test_rows_may_be_fewer(self, client, fresh_set):
        everything = fill(client, fresh_set, 100)
        out = np.empty(50, DTYPE)
        out["n"] = -1
        blocks = self.blocks(client, fresh_set, out, rows=8)
        assert [len(block["n"]) for block in blocks] == [8] * 12 + [4]
        assert numbers(blocks) == everything
        assert (out["n"][8:] == -1).all()

    def test_only_its_rows_are_written(self, client, fresh_set):
        everything = fill(client, fresh_set, 100)
        dtype = np.dtype({"names": ["n"], "formats": ["<i8"], "offsets": [3], "itemsize": 13})
        memory = np.full(13 * 3 * 9 + 1, POISON, "u1")
        whole = memory[1:].view(dtype)
        out = whole[3:24:3]  # unaligned, strided
        assert len(out) == 7
        blocks = self.blocks(client, fresh_set, out)
        assert numbers(blocks) == everything
        mask = np.ones(len(memory), bool)
        for row in range(3, 24, 3):
            at = 1 + 13 * row
            mask[at + 3 : at + 11] = False
        assert (memory[mask] == POISON).all()

    def test_cells_without_a_value_are_zeroed_in_it(self, client, fresh_set):
        for number in range(20):
            client.put(("test", fresh_set, number), {"n": number, **({"m": 5} if number % 2 else {})})
        dtype = np.dtype([("n", "i8"), ("m", "i4"), ("v", "u1", (3,))])
        out = np.empty(6, dtype)
        out.view("u1").fill(POISON)
        found = 0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for block in client.query("test", fresh_set).numpy_batches(dtype, out=out):
                assert (block["m"] == np.where(block["n"] % 2, 5, 0)).all()
                assert (block.present["m"] == (block["n"] % 2 == 1)).all()
                assert not block["v"].any()
                found += len(block)
                out.view("u1").fill(POISON)
        assert found == 20

    def test_kinds_of_memory(self, client, fresh_set, tmp_path):
        everything = fill(client, fresh_set, 100)
        for out in (
            np.empty(30, DTYPE).view(np.recarray),
            np.memmap(tmp_path / "memory", DTYPE, "w+", shape=30).view(np.ndarray),
            np.frombuffer(bytearray(8 * 30), DTYPE),
        ):
            assert numbers(self.blocks(client, fresh_set, out)) == everything

    @pytest.mark.parametrize(
        ("make", "error", "message"),
        [
            (lambda: np.empty(0, DTYPE), ValueError, "out has no rows"),
            (lambda: np.empty(5, "i8"), TypeError, "out has the dtype int64; it must have _dtype"),
            (lambda: np.empty(5, [("n", ">i8")]), TypeError, "out has the dtype"),
            (lambda: np.empty(5, [("m", "i8")]), TypeError, "out has the dtype"),
            (lambda: np.empty((5, 1), DTYPE), ValueError, "out has 2 dimensions"),
            (lambda: np.empty((), DTYPE), ValueError, "out has 0 dimensions"),
            (lambda: np.empty(5, DTYPE)[::-1], ValueError, "overlap or run backwards"),
            (lambda: np.broadcast_to(np.empty(1, DTYPE), 5), ValueError, "out"),
            (lambda: np.frombuffer(bytes(40), DTYPE), ValueError, "out is read-only|out .*writ"),
            (lambda: [1, 2], TypeError, "out is a list"),
            (lambda: memoryview(bytearray(40)), TypeError, "out is a memoryview"),
            (lambda: np.ma.zeros(5, DTYPE), TypeError, "out is a"),
        ],
    )
    def test_wrong_ones_are_refused(self, client, fresh_set, make, error, message):
        with pytest.raises(error, match=message):
            client.query("test", fresh_set).numpy_batches(DTYPE, out=make())

    def test_nobody_writes_to_it_once_the_query_is_closed(self, client, fresh_set):
        fill(client, fresh_set)
        query = client.query("test", fresh_set)
        query.records_per_second = 400
        out = np.empty(50, DTYPE)
        with query.numpy_batches(DTYPE, out=out) as batches:
            next(batches)
        out["n"] = -1
        time.sleep(0.3)
        assert (out["n"] == -1).all()

    def test_nobody_writes_to_it_before_the_next_block_is_asked_for(self, client, fresh_set):
        everything = fill(client, fresh_set)
        out = np.empty(50, DTYPE)
        found = []
        for block in client.query("test", fresh_set).numpy_batches(DTYPE, out=out):
            before = block["n"].copy()
            found.append({"n": before})
            time.sleep(0.05)
            assert (block["n"] == before).all()
        assert numbers(found) == everything


class TestSettings:
    @pytest.mark.parametrize("count", [1, 7, 299, 300, 1000])
    def test_max_records(self, client, fresh_set, count):
        everything = fill(client, fresh_set)
        query = client.query("test", fresh_set)
        query.max_records = count
        assert len(query.to_numpy(DTYPE)) == min(count, RECORDS)
        blocks = [*query.numpy_batches(DTYPE, rows=50)]
        found = numbers(blocks)
        assert len(found) == min(count, RECORDS)
        assert found | rest_of(client, fresh_set, query) == everything

    @pytest.mark.parametrize("size", [1, 70, 300, 301])
    @pytest.mark.parametrize("rows", [None, 13])
    def test_pages(self, client, fresh_set, size, rows):
        if (size, rows) == (1, None):
            size = 40
        everything = fill(client, fresh_set, RECORDS if size > 1 else 30)
        query = client.query("test", fresh_set)
        query.max_records = size
        query.paginate()
        found = []
        while not query.is_done():
            page = [query.to_numpy(DTYPE)] if rows is None else [*query.numpy_batches(DTYPE, rows)]
            assert sum(map(len, page)) == min(size, len(everything) - sum(map(len, found)))
            found += page
        assert numbers(found) == everything
        assert len(query.to_numpy(DTYPE)) == 0

    def test_pages_may_be_read_in_different_ways(self, client, fresh_set):
        everything = fill(client, fresh_set)
        query = client.query("test", fresh_set)
        query.max_records = 100
        query.paginate()
        found = {record.bins["n"] for record in query.results()}
        found |= numbers([query.to_numpy(DTYPE)])
        found |= numbers(query.numpy_batches(DTYPE, 7))
        assert found == everything

    def test_partitions_are_chosen(self, client, fresh_set):
        everything = fill(client, fresh_set)
        parts = [{"partition_filter": {"begin": begin, "count": 512}} for begin in range(0, 4096, 512)]
        found = [client.query("test", fresh_set).to_numpy(DTYPE, policy=part) for part in parts]
        assert numbers(found) == everything
        for part, at in zip(found, range(0, 4096, 512), strict=True):
            partitions = {int.from_bytes(bytes(digest)[:2], "little") % 4096 for digest in part.digests}
            assert all(at <= partition < at + 512 for partition in partitions)
        one = client.query("test", fresh_set)
        blocks = [*one.numpy_batches(DTYPE, 7, policy=parts[3])]
        assert numbers(blocks) == numbers([found[3]])

    def test_runs_with_a_filter_continue(self, client, fresh_set):
        everything = fill(client, fresh_set)
        query = client.query("test", fresh_set)
        query.max_records = 100
        policy = {"partition_filter": {"begin": 0, "count": 4096}}
        pages = [query.to_numpy(DTYPE, policy=policy) for _ in range(3)]
        assert numbers(pages) == everything
        assert len(query.to_numpy(DTYPE, policy=policy)) == 0
        assert [*query.numpy_batches(DTYPE, policy=policy)] == []

    def test_a_rate_is_kept(self, client, fresh_set):
        everything = fill(client, fresh_set, 100)
        query = client.query("test", fresh_set)
        query.records_per_second = 80
        start = time.perf_counter()
        assert numbers([query.to_numpy(DTYPE)]) == everything
        assert 0.5 < time.perf_counter() - start < 5


def leave_the_loop(batches, seen, at):
    for block in batches:
        seen.append(block)
        if len(seen) == at:
            break
    del batches
    gc.collect()


def close_the_iterator(batches, seen, at):
    seen += [next(batches) for _ in range(at)]
    batches.close()


def leave_the_block(batches, seen, at):
    with batches:
        seen += [next(batches) for _ in range(at)]


def raise_in_the_block(batches, seen, at):
    def body():
        for block in batches:
            seen.append(block)
            if len(seen) == at:
                raise KeyError

    with pytest.raises(KeyError), batches:
        body()


class TestResuming:
    @pytest.mark.parametrize("at", [1, 2, 10, 29])
    @pytest.mark.parametrize("rows", [10, 1])
    @pytest.mark.parametrize(
        "stop", [leave_the_loop, close_the_iterator, leave_the_block, raise_in_the_block]
    )
    def test_the_block_at_which_a_query_stops_comes_again(self, client, fresh_set, stop, at, rows):
        everything = fill(client, fresh_set, 10 * 30 if rows > 1 else 30)
        query = client.query("test", fresh_set)
        seen = []
        stop(query.numpy_batches(DTYPE, rows), seen, at)
        assert not query.is_done()
        first, rest = numbers(seen), rest_of(client, fresh_set, query)
        assert len(first) == at * rows
        assert first & rest == numbers(seen[-1:])
        assert first | rest == everything

    def test_the_status_counts_a_block_when_the_next_is_asked_for(self, client, fresh_set):
        everything = fill(client, fresh_set)
        query = client.query("test", fresh_set)
        batches = query.numpy_batches(DTYPE, rows=25)
        assert query.get_partitions_status() == {}
        taken = set()
        for _ in range(5):
            block = next(batches)
            assert rest_of(client, fresh_set, query) == everything - taken
            taken |= numbers([block])
        assert numbers(batches) == everything - taken
        assert query.is_done()
        assert rest_of(client, fresh_set, query) == set()

    def test_a_query_that_paginates_continues_with_that_block(self, client, fresh_set):
        everything = fill(client, fresh_set)
        query = client.query("test", fresh_set)
        query.paginate()
        found = []
        for _ in range(100):
            if query.is_done():
                break
            seen = []
            for block in query.numpy_batches(DTYPE, rows=20):
                seen.append(block)
                if len(seen) == 4:
                    break
            else:
                found += seen
                continue
            found += seen[:-1]
        assert numbers(found) == everything

    def test_a_block_with_values_that_do_not_fit_counts_when_the_next_is_asked_for(self, client, fresh_set):
        for number in range(100):
            client.put(("test", fresh_set, number), {"n": number, "t": "text"})
        dtype = np.dtype([("n", "i8"), ("t", "i8")])
        query = client.query("test", fresh_set)
        batches = query.numpy_batches(dtype, rows=30)
        with pytest.raises(BatchDecodeError) as first:
            next(batches)
        assert rest_of(client, fresh_set, query) == set(range(100))
        with pytest.raises(BatchDecodeError) as second:
            next(batches)
        assert rest_of(client, fresh_set, query) == set(range(100)) - numbers([first.value.batch])
        batches.close()
        assert rest_of(client, fresh_set, query) == set(range(100)) - numbers([first.value.batch])
        assert len(numbers([first.value.batch, second.value.batch])) == 60

    # The real server keeps the records of a slowed query back until it has many.
    @pytest.mark.embedded
    def test_a_failure_has_what_came_and_the_query_continues_behind_it(self, client, fresh_set):
        everything = fill(client, fresh_set)
        query = client.query("test", fresh_set)
        query.records_per_second = 400
        with pytest.raises(aerospike.TimeoutError) as raised:
            query.to_numpy(DTYPE, policy={"total_timeout": 300})
        batch = raised.value.batch
        assert 0 < len(batch) < RECORDS
        assert rest_of(client, fresh_set, query) == everything - numbers([batch])
        assert not query.is_done()

    # The real server keeps the records of a slowed query back until it has many.
    @pytest.mark.embedded
    def test_a_failure_between_blocks(self, client, fresh_set):
        everything = fill(client, fresh_set)
        query = client.query("test", fresh_set)
        query.records_per_second = 400
        batches = query.numpy_batches(DTYPE, rows=25, policy={"total_timeout": 300})
        found = []
        with pytest.raises(aerospike.TimeoutError):
            found.extend(batches)
        assert 0 < len(numbers(found)) < RECORDS
        assert rest_of(client, fresh_set, query) == everything - numbers(found)
        with pytest.raises(StopIteration):
            next(batches)

    # The real server keeps the records of a slowed query back until it has many.
    @pytest.mark.embedded
    def test_a_paginating_query_goes_on_after_failures(self, client, fresh_set):
        everything = fill(client, fresh_set)
        query = client.query("test", fresh_set)
        query.paginate()
        query.records_per_second = 600
        found, failures = [], 0
        while not query.is_done():
            try:
                found.append(query.to_numpy(DTYPE, policy={"total_timeout": 150}))
            except aerospike.TimeoutError as error:  # noqa: PERF203
                failures += 1
                found.append(error.batch)
        assert numbers(found) == everything
        assert failures > 0

    def test_a_later_run_takes_precedence(self, client, fresh_set):
        everything = fill(client, fresh_set)
        query = client.query("test", fresh_set)
        batches = query.numpy_batches(DTYPE, rows=10)
        next(batches)
        assert numbers([query.to_numpy(DTYPE)]) == everything
        batches.close()
        assert query.is_done()


class TestClosing:
    def test_before_the_first_block(self, client, fresh_set):
        fill(client, fresh_set, 10)
        batches = client.query("test", fresh_set).numpy_batches(DTYPE)
        batches.close()
        batches.close()
        assert [*batches] == []

    def test_between_blocks(self, client, fresh_set):
        fill(client, fresh_set)
        batches = client.query("test", fresh_set).numpy_batches(DTYPE, rows=10)
        block = next(batches)
        batches.close()
        with pytest.raises(StopIteration):
            next(batches)
        assert len(block["n"]) == 10

    def test_from_another_thread(self, client, fresh_set):
        everything = fill(client, fresh_set)
        query = client.query("test", fresh_set)
        query.records_per_second = 100
        batches = query.numpy_batches(DTYPE, rows=200)
        found = []
        thread = threading.Thread(target=found.extend, args=(batches,))
        thread.start()
        time.sleep(0.5)
        start = time.perf_counter()
        batches.close()
        thread.join(10)
        assert not thread.is_alive()
        assert time.perf_counter() - start < 1
        assert found == []
        assert not query.is_done()
        assert rest_of(client, fresh_set, query) == everything

    def test_threads_share_an_iterator(self, config, client, fresh_set):
        everything = fill(client, fresh_set)
        with aerospike.client(config) as own:
            query = own.query("test", fresh_set)
            batches = query.numpy_batches(DTYPE, rows=3)
            found: list[list] = [[] for _ in range(4)]
            threads = [threading.Thread(target=mine.extend, args=(batches,)) for mine in found]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
            assert numbers([block for mine in found for block in mine]) == everything
            assert query.is_done()


@pytest.mark.parametrize("copier", [pickle.dumps, copy.copy, copy.deepcopy])
def test_iterators_cannot_be_copied(config, copier):
    clients = [aerospike.client(config), AsyncClient(config)]
    for client in clients:
        batches = client.query("test", "users").numpy_batches(DTYPE)
        with pytest.raises(
            TypeError, match=rf"{type(batches).__name__} cannot be pickled or copied: .*get_partitions_status"
        ):
            copier(batches)
    clients[0].close()


class TestAsync:
    def run(self, config, name, body, count=RECORDS):
        async def main():
            async with AsyncClient(config) as client:
                await asyncio.gather(*(client.put(("test", name, n), {"n": n}) for n in range(count)))
                await body(client)

        asyncio.run(main())

    def test_cancelled_waits_lose_nothing(self, config, fresh_set):
        async def body(client):
            query = client.query("test", fresh_set)
            query.records_per_second = 500
            batches = query.numpy_batches(DTYPE, rows=10)
            found, cancelled = [], 0
            while True:
                try:
                    found.append(await asyncio.wait_for(anext(batches), 0.004))
                except asyncio.TimeoutError:  # noqa: PERF203
                    cancelled += 1
                except StopAsyncIteration:
                    break
            assert cancelled > 10
            assert numbers(found) == set(range(RECORDS))
            assert query.is_done()

        self.run(config, fresh_set, body)

    def test_cancelled_waits_for_a_callers_array_lose_nothing(self, config, fresh_set):
        async def body(client):
            query = client.query("test", fresh_set)
            query.records_per_second = 500
            batches = query.numpy_batches(DTYPE, out=np.zeros(10, DTYPE))
            found, cancelled = [], 0
            while True:
                try:
                    block = await asyncio.wait_for(anext(batches), 0.004)
                    found.append({"n": block["n"].copy()})
                except asyncio.TimeoutError:  # noqa: PERF203
                    cancelled += 1
                except StopAsyncIteration:
                    break
            assert cancelled > 10
            assert numbers(found) == set(range(RECORDS))

        self.run(config, fresh_set, body)

    def test_a_cancelled_call_for_all_has_taken_none(self, config, fresh_set):
        async def body(client):
            query = client.query("test", fresh_set)
            query.records_per_second = 400
            query.paginate()
            for _ in range(2):
                task = asyncio.create_task(query.to_numpy(DTYPE))
                await asyncio.sleep(0.2)
                start = time.perf_counter()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert time.perf_counter() - start < 0.2
            query.records_per_second = 0
            assert numbers([await query.to_numpy(DTYPE)]) == set(range(RECORDS))

        self.run(config, fresh_set, body)

    def test_one_task_at_a_time(self, config, fresh_set):
        async def body(client):
            batches = client.query("test", fresh_set).numpy_batches(DTYPE, rows=10)
            outcomes = await asyncio.gather(*(anext(batches) for _ in range(2)), return_exceptions=True)
            names = sorted(type(outcome).__name__ for outcome in outcomes)
            assert names == ["NumpyQueryRecords", "RuntimeError"]
            assert "another task" in str(next(one for one in outcomes if isinstance(one, RuntimeError)))
            blocks = [block async for block in batches]
            assert len(blocks) == RECORDS / 10 - 1

        self.run(config, fresh_set, body)

    def test_closing_while_another_task_waits(self, config, fresh_set):
        async def body(client):
            query = client.query("test", fresh_set)
            query.records_per_second = 50
            batches = query.numpy_batches(DTYPE, rows=1000)

            async def read():
                return [block async for block in batches]

            task = asyncio.create_task(read())
            await asyncio.sleep(0.3)
            await batches.aclose()
            assert await asyncio.wait_for(task, 2) == []
            await batches.aclose()
            status = query.get_partitions_status()
            rest = await client.query("test", fresh_set).to_numpy(
                DTYPE, policy={"partition_filter": {"partition_status": status}}
            )
            assert numbers([rest]) == set(range(RECORDS))

        self.run(config, fresh_set, body)

    def test_nothing_is_done_before_it_is_awaited(self, config, fresh_set):
        async def body(client):
            call = client.query("test", fresh_set).to_numpy("no dtype", casting=5)
            call.close()
            both = asyncio.gather(*(client.query("test", fresh_set).to_numpy(DTYPE) for _ in range(2)))
            assert [len(records) for records in await asyncio.wait_for(both, 10)] == [10, 10]

        self.run(config, fresh_set, body, 10)
