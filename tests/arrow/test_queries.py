"""Queries into Arrow columns: whole, in blocks, and as streams."""

from __future__ import annotations

import asyncio
from typing import Any

import pyarrow as pa
import pytest

import aerospike_py as aerospike

ROWS = 300
SCHEMA = {"n": "int64", "t": "utf8"}


@pytest.fixture
def filled(client: Any, fresh_set: str) -> str:
    for row in range(ROWS):
        bins = {"n": row, "t": f"text {row}"} if row % 3 else {"other": 1}
        client.put(("test", fresh_set, row), bins, policy={"key": aerospike.POLICY_KEY_SEND})
    return fresh_set


def _expected(rows: range = range(ROWS)) -> dict[int, int | None]:
    return {row: row if row % 3 else None for row in rows}


def test_all_records_are_rows(client: Any, filled: str) -> None:
    records = client.query("test", filled).to_arrow(SCHEMA, meta=("key", "digest", "set", "gen", "ttl"))
    table = records.to_pyarrow()
    table.validate(full=True)
    assert len(records) == ROWS
    assert dict(zip(table["key"].to_pylist(), table["n"].to_pylist(), strict=True)) == _expected()
    assert table["digest"].to_pylist() == [bytes(digest) for digest in records.digests]
    assert records.keys() == table["key"].to_pylist()
    assert set(table["set"].to_pylist()) == {filled}
    assert records.meta["gen"].tolist() == table["gen"].to_pylist() == [1] * ROWS
    with pytest.raises(AttributeError, match="no result codes"):
        _ = records.result_codes
    assert records.ok.all()


def test_select_narrows(client: Any, filled: str) -> None:
    query = client.query("test", filled)
    query.select("t")
    table = query.to_arrow(SCHEMA).to_pyarrow()
    assert (table.num_rows, table["n"].null_count, table["t"].null_count) == (ROWS, ROWS, ROWS // 3)


def test_a_query_without_records(client: Any, fresh_set: str) -> None:
    records = client.query("test", fresh_set).to_arrow(SCHEMA, meta=("key",))
    assert (len(records), records.to_pyarrow().schema.names) == (0, ["key", "n", "t"])
    assert len(client.query("test", fresh_set).to_arrow()) == 0


class TestBlocks:
    """Of the synchronous client."""

    @pytest.fixture
    def client(self, config: Any) -> Any:
        with aerospike.client(config) as client:
            yield client

    def test_blocks(self, client: Any, filled: str) -> None:
        blocks = list(client.query("test", filled).arrow_batches(SCHEMA, rows=64, meta=("key",)))
        assert [len(block) for block in blocks] == [64] * 4 + [ROWS - 4 * 64]
        table = pa.concat_tables([block.to_pyarrow() for block in blocks])
        assert dict(zip(table["key"].to_pylist(), table["n"].to_pylist(), strict=True)) == _expected()

    @pytest.mark.parametrize("schema", [SCHEMA, None])
    def test_the_iterator_is_a_stream(self, client: Any, filled: str, schema: Any) -> None:
        batches = client.query("test", filled).arrow_batches(schema, rows=100)
        reader = pa.RecordBatchReader.from_stream(batches)
        table = reader.read_all()
        assert table.num_rows == ROWS
        assert sum(filter(None, table["n"].to_pylist())) == sum(row for row in range(ROWS) if row % 3)
        with pytest.raises(RuntimeError, match="exported"):
            batches.__arrow_c_stream__()

    def test_a_stream_of_no_records_has_columns(self, client: Any, fresh_set: str) -> None:
        reader = pa.RecordBatchReader.from_stream(client.query("test", fresh_set).arrow_batches(SCHEMA))
        assert reader.schema.names == ["n", "t"]
        assert reader.read_all().num_rows == 0

    def test_a_stream_left_early(self, client: Any, filled: str) -> None:
        with client.query("test", filled).arrow_batches(SCHEMA, rows=10) as batches:
            reader = pa.RecordBatchReader.from_stream(batches)
            assert reader.read_next_batch().num_rows == 10
        del reader

    def test_a_stream_read_after_close_ends(self, client: Any, filled: str) -> None:
        batches = client.query("test", filled).arrow_batches(SCHEMA, rows=10)
        reader = pa.RecordBatchReader.from_stream(batches)
        batches.close()
        assert sum(batch.num_rows for batch in reader) <= ROWS

    def test_errors_pass_through_the_stream(self, client: Any, filled: str) -> None:
        batches = client.query("test", filled).arrow_batches({"t": "int64"}, rows=300)
        with pytest.raises(aerospike.exception.BatchDecodeError):
            pa.RecordBatchReader.from_stream(batches)
        several = client.query("test", filled).arrow_batches({"n": "int8"}, rows=10)
        with pytest.raises((pa.ArrowException, OSError, aerospike.exception.BatchDecodeError), match="int8"):
            pa.RecordBatchReader.from_stream(several).read_all()

    def test_a_block_that_does_not_fit_is_followed_by_the_next(self, client: Any, filled: str) -> None:
        batches = client.query("test", filled).arrow_batches({"n": "int8"}, rows=50)
        rows, failed = 0, 0
        while True:
            try:
                rows += len(next(batches))
            except aerospike.exception.BatchDecodeError as error:  # noqa: PERF203
                rows += len(error.batch)
                failed += error.count
            except StopIteration:
                break
        assert (rows, failed) == (ROWS, sum(row > 127 and row % 3 > 0 for row in range(ROWS)))

    def test_a_query_goes_on_where_it_was_left(self, client: Any, filled: str) -> None:
        query = client.query("test", filled)
        query.max_records = 100
        query.paginate()
        seen: list[Any] = []
        while not query.is_done():
            seen += query.to_arrow(SCHEMA, meta=("key",)).to_pyarrow()["key"].to_pylist()
        assert sorted(seen) == list(range(ROWS))

    def test_what_comes_later_must_fit(self, client: Any, fresh_set: str) -> None:
        """Every record has a bin of its own, so that those behind the first block are no columns."""
        for row in range(40):
            client.put(("test", fresh_set, row), {f"n{row}": row})
        batches = client.query("test", fresh_set).arrow_batches(rows=10, errors="coerce")
        blocks = list(batches)
        assert [len(block.schema_names) for block in blocks] == [10] * 4
        assert [block.decode_errors for block in blocks] == [0, 10, 10, 10]
        batches = client.query("test", fresh_set).arrow_batches(rows=10)
        next(batches)
        with pytest.raises(
            aerospike.exception.BatchDecodeError, match="from which the columns were inferred"
        ):
            next(batches)
        batches.close()


def test_asynchronous_blocks(config: Any, fresh_set: str) -> None:
    async def read() -> tuple[list[int], int, int]:
        async with aerospike.AsyncClient(config) as client:
            for row in range(100):
                await client.put(("test", fresh_set, row), {"n": row})
            lengths, total = [], 0
            async with client.query("test", fresh_set).arrow_batches({"n": "int64"}, rows=30) as batches:
                async for block in batches:
                    lengths.append(len(block))
                    total += sum(block.to_pyarrow()["n"].to_pylist())
            return lengths, total, len(await client.query("test", fresh_set).to_arrow())

    assert asyncio.run(read()) == ([30, 30, 30, 10], 4950, 100)
