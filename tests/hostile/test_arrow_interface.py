"""Consumers of the Arrow C interface at their worst: they release early, late, in any order and in other
processes, keep one column of many, and cancel what they wait for.

What is kept must be whole, and what is released must not be touched again: AddressSanitizer sees that
(`make asan-python`). The same tests run without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import aerospike_py as aerospike

pa = pytest.importorskip("pyarrow")

from tests.support.c_streams import Stream, import_array, moved, release  # noqa: E402

pytestmark = pytest.mark.timeout(300)

#: Several record batches of at most 65,536 rows.
ROWS = 150_000
STORED = 50
SCHEMA = {"n": "int64", "f": "float32", "y": "bool", "t": "utf8", "b": "binary", "l": "list<utf8>"}
#: Sanitizers and busy machines take their time.
PATIENT: Any = {"total_timeout": 60_000, "socket_timeout": 30_000}


def _bins(row: int) -> dict[str, Any]:
    return {
        "n": row, "f": row / 2, "y": row % 2 == 0, "t": f"text {row}" * 3, "b": bytes(row),
        "l": ["a", str(row)],
    }  # fmt: skip


def _expected(row: int) -> dict[str, Any]:
    return _bins(row % STORED)


@pytest.fixture(scope="module")
def filled(config: Any) -> str:
    name = "arrow_interface"
    with aerospike.client(config) as client:
        for row in range(STORED):
            client.put(("test", name, row), _bins(row))
    return name


@pytest.fixture
def own(config: Any) -> Iterator[Any]:
    with aerospike.client(config) as client:
        yield client


def _read(client: Any, name: str, rows: int = ROWS) -> Any:
    keys = aerospike.Keys("test", name, np.arange(rows) % STORED)
    return client.batch_read_arrow(keys, SCHEMA, policy=PATIENT)


def _churn() -> None:
    """Uses memory that was freed for something else."""
    gc.collect()
    kept = [bytearray(b"\xa5" * size) for size in (64, 1000, 8000, 65_536, 600_000, 1_500_000) * 4]
    del kept


def _drain(stream: Stream) -> int:
    """Releases the batches that are left, and returns the number of their rows."""
    rows = 0
    while (array := stream.next()) is not None:
        rows += array.length
        release(array)
    return rows


# -- one result


def test_a_stream_is_released_before_between_and_after_its_batches(own: Any, filled: str) -> None:
    records = _read(own, filled)
    for taken in range(5):
        stream = Stream(records)
        arrays = [array for array in (stream.next() for _ in range(taken)) if array is not None]
        assert len(arrays) == min(taken, 3)
        stream.release()
        _churn()
        for array in reversed(arrays):
            schema = Stream(records).schema()
            batch = import_array(array, schema)
            assert batch[-1].as_py()["t"] is not None
            del batch
    # A capsule that was never opened.
    del stream
    records.__arrow_c_stream__()
    records.__arrow_c_schema__()
    _churn()


def test_the_end_comes_again_and_again(own: Any, filled: str) -> None:
    stream = Stream(_read(own, filled, 10))
    first, second = stream.schema(), stream.schema()
    assert (first.n_children, second.n_children) == (len(SCHEMA), len(SCHEMA))
    array = stream.next()
    assert array is not None
    assert array.length == 10
    assert [stream.next() for _ in range(3)] == [None] * 3
    release(first)
    stream.release()
    release(array)
    release(second)


def test_a_column_outlives_the_batch_that_it_was_moved_out_of(own: Any, filled: str) -> None:
    records = _read(own, filled)
    for at, name in enumerate(SCHEMA):
        stream = Stream(records)
        array, schema = stream.next(), stream.schema()
        assert array is not None
        column, kind = moved(array.children[at].contents), moved(schema.children[at].contents)
        stream.release()
        release(array)
        release(schema)
        if name == "l":
            del records
        _churn()
        values = import_array(column, kind)
        values.validate(full=True)
        assert values[:200].to_pylist() == [_expected(row)[name] for row in range(200)]


def test_part_of_a_result_outlives_it_its_client_and_its_modules(config: Any, filled: str) -> None:
    program = f"""
import gc, sys
import pyarrow as pa
import aerospike_py
client = aerospike_py.client({config!r}).connect()
keys = [("test", {filled!r}, row % {STORED}) for row in range(70_000)]
records = client.batch_read_arrow(keys, {SCHEMA!r}, policy={PATIENT!r})
batches = client.query("test", {filled!r}).arrow_batches({{"n": "int64"}}, rows=10)
reader = pa.RecordBatchReader.from_stream(batches)
block = reader.read_next_batch()
unopened = records.__arrow_c_stream__()
column = records.to_pyarrow()["t"].slice(69_990)
table = pa.RecordBatchReader.from_stream(records)
batch = table.read_next_batch()
client.close()
del client, records, batches, keys, table, aerospike_py
for name in [name for name in sys.modules if name.startswith("aerospike_py")]:
    del sys.modules[name]
gc.collect()
kept = [bytearray(700_000) for _ in range(30)]
print(column.to_pylist()[-1], batch.num_rows, batch.column("l")[7].as_py(), block.num_rows)
try:
    while reader.read_next_batch():
        pass
except (StopIteration, pa.ArrowException, OSError, Exception):
    print("ended")
del reader, unopened
gc.collect()
sys.kept = (column, batch, block)
"""
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    text = _bins((70_000 - 1) % STORED)["t"]
    expected = f"{text} 65536 ['a', '7'] 10\nended\n"
    assert (answer.returncode, answer.stdout) == (0, expected), answer.stderr


def test_many_threads_read_and_release_one_result(own: Any, filled: str) -> None:
    records = _read(own, filled)
    failed: list[BaseException] = []

    def read(number: int) -> None:
        try:
            for _ in range(5):
                reader = pa.RecordBatchReader.from_stream(records)
                batches = [reader.read_next_batch() for _ in range(1 + number % 3)]
                del reader
                row = 65_536 * (len(batches) - 1)
                assert batches[-1].slice(0, 1).to_pylist() == [_expected(row)]
        except BaseException as error:  # noqa: BLE001
            failed.append(error)

    threads = [threading.Thread(target=read, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_child_reads_and_releases_what_its_parent_exported(own: Any, filled: str) -> None:
    records = _read(own, filled)
    stream = Stream(records)
    array = stream.next()
    assert array is not None
    batches = own.query("test", filled).arrow_batches({"n": "int64"}, rows=7)
    rows = len(next(batches))
    pid = os.fork()
    if pid == 0:
        code = 9
        try:
            rest = [stream.next(), stream.next()]
            code = 1 if any(batch is None for batch in rest) or stream.next() is not None else 0
            stream.release()
            for batch in [array, *rest]:
                release(batch)
            again = Stream(records)
            copy = import_array(again.next(), again.schema())
            code |= 2 if copy[70].as_py() != _expected(70) else 0
            again.release()
            try:
                next(batches)
            except aerospike.AerospikeError as error:
                code |= 0 if "fork" in str(error) else 4
            else:
                code |= 8
            del records, batches, copy
            gc.collect()
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    release(array)
    assert stream.next() is not None
    stream.release()
    assert rows + sum(len(block) for block in batches) == STORED


# -- streams of queries


def test_a_stream_of_a_query_is_left_at_any_block(own: Any, filled: str) -> None:
    for taken in range(7):
        stream = Stream(own.query("test", filled).arrow_batches(SCHEMA, rows=10))
        arrays = [stream.next() for _ in range(taken)]
        assert sum(array is not None for array in arrays) == min(taken, STORED // 10)
        schema = stream.schema()
        stream.release()
        _churn()
        if arrays and arrays[0] is not None:
            row = import_array(arrays.pop(0), schema)[0].as_py()
            assert row == _bins(row["n"])
        for array in filter(None, arrays):
            release(array)


def test_a_stream_ends_when_its_query_or_client_is_closed(config: Any, filled: str) -> None:
    for what in ("query", "client"):
        client = aerospike.client(config).connect()
        batches = client.query("test", filled).arrow_batches(SCHEMA, rows=10)
        stream = Stream(batches)
        kept = stream.next()
        assert kept is not None
        (batches if what == "query" else client).close()
        left = 0
        # Closing the client is an error of the query, closing the query its end.
        with contextlib.nullcontext() if what == "query" else contextlib.suppress(OSError):
            left = _drain(stream)
        assert left < STORED
        # After the end it stays at its end.
        assert stream.next() is None
        del batches, client
        _churn()
        stream.release()
        release(kept)


def test_a_thread_that_waits_for_a_block_is_cancelled(own: Any, filled: str) -> None:
    for number in range(20):
        batches = own.query("test", filled).arrow_batches(SCHEMA, rows=1 + number)
        reader = pa.RecordBatchReader.from_stream(batches)
        read: list[int] = []

        def drain(reader: Any = reader, read: list[int] = read) -> None:
            read.extend(batch.num_rows for batch in reader)

        thread = threading.Thread(target=drain)
        thread.start()
        batches.close()
        thread.join(60)
        assert not thread.is_alive()
        assert sum(read) <= STORED
        del reader, batches


def test_a_consumer_that_raises_in_the_middle(own: Any, filled: str) -> None:
    batches = own.query("test", filled).arrow_batches({"n": "int64"}, rows=10)
    seen: list[int] = []

    def consume(reader: Any) -> None:
        for batch in reader:
            seen.append(batch.num_rows)
            _ = 1 // (2 - len(seen))

    with pytest.raises(ZeroDivisionError):
        consume(pa.RecordBatchReader.from_stream(batches))
    assert seen == [10, 10]
    del batches
    _churn()


def test_tasks_are_cancelled_in_the_middle(config: Any, filled: str) -> None:
    async def main() -> int:
        done = 0
        async with aerospike.AsyncClient(config) as client:
            keys = aerospike.Keys("test", filled, np.arange(20_000) % STORED)
            for number in range(40):
                query = client.query("test", filled)
                calls = [
                    client.batch_read_arrow(keys, SCHEMA, policy=PATIENT),
                    query.to_arrow(SCHEMA, policy=PATIENT),
                    _blocks(client, filled),
                ]
                tasks = [asyncio.ensure_future(call) for call in calls]
                await asyncio.sleep(number * 0.0005)
                for task in tasks:
                    task.cancel()
                outcomes = await asyncio.gather(*tasks, return_exceptions=True)
                for outcome in outcomes:
                    assert not isinstance(outcome, Exception), outcome
                    if not isinstance(outcome, BaseException):
                        done += 1
                        table = pa.table(outcome)
                        table.validate(full=True)
            records = await client.batch_read_arrow(keys, SCHEMA, policy=PATIENT)
            assert pa.table(records).slice(19_999).to_pylist() == [_expected(19_999)]
        return done

    assert asyncio.run(main()) <= 120


async def _blocks(client: Any, name: str) -> Any:
    async with client.query("test", name).arrow_batches(SCHEMA, rows=5, policy=PATIENT) as batches:
        kept = [pa.table(block) async for block in batches]
    return pa.concat_tables(kept)


def test_a_stream_whose_blocks_fail_says_why_and_is_released(own: Any, filled: str) -> None:
    stream = Stream(own.query("test", filled).arrow_batches({"n": "int8"}, rows=10))
    read = [stream.next() for _ in range(5)]
    stream.release()
    assert all(read)
    for array in read:
        release(array)
    for row in range(20):
        own.put(("test", f"{filled}_bad", row), {"n": 1000})
    with pytest.raises(aerospike.exception.BatchDecodeError, match="int8"):
        Stream(own.query("test", f"{filled}_bad").arrow_batches({"n": "int8"}, rows=10))
    for row in range(2000):
        own.put(("test", f"{filled}_late", row), {"n": 1000 if row == 1234 else 1})
    stream = Stream(own.query("test", f"{filled}_late").arrow_batches({"n": "int8"}, rows=10))
    with pytest.raises(OSError, match="int8"):
        _drain(stream)
    assert stream.next() is None
    stream.release()
