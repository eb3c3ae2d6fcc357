"""Samples of a set.

A query finds the keys, a batch reads the records. The query alone would do, but a value that Python cannot
hold (text that is not UTF-8, a map whose key is a list) ends it; in a batch it costs its own row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..exception import ClientError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from ..async_client import AsyncClient
    from ..client import Client
    from ..exception import AerospikeError
    from ..records import BatchRecords, Key, Record

NO_BINS = {"nobins": True}
_NOT_FOUND = 2
# Records that are in memory at once.
_SLICE = 5_000


class Sample(NamedTuple):
    """Records, and those that cannot be made into Python objects with what is in their way."""

    records: list[Record]
    unreadable: list[tuple[Key, AerospikeError]]


def samples(
    client: Client, namespace: str, set: str | None, count: int, bins: Sequence[str] | None = None
) -> Iterator[Sample]:
    """Reads at most so many records, in the order of their digests, slice by slice."""
    query = client.query(namespace, set)
    query.max_records = count
    keys = [record.key for record in query.results(options=NO_BINS)]
    for start in range(0, len(keys), _SLICE):
        yield _sorted_out(client.batch_read(keys[start : start + _SLICE], bins))


async def samples_async(
    client: AsyncClient, namespace: str, set: str | None, count: int
) -> AsyncIterator[Sample]:
    """As :func:`samples`, awaited."""
    query = client.query(namespace, set)
    query.max_records = count
    keys = [record.key for record in await query.results(options=NO_BINS)]
    for start in range(0, len(keys), _SLICE):
        yield _sorted_out(await client.batch_read(keys[start : start + _SLICE]))


def _sorted_out(batch: BatchRecords) -> Sample:
    records, unreadable = [], []
    for row in batch:
        if row.record is not None:
            records.append(row.record)
        elif row.error is not None:
            unreadable.append((row.key, row.error))
        elif row.result != _NOT_FOUND:  # it may have gone since it was found
            raise ClientError(f"record {row.key} could not be read: code {row.result}", row.result)
    return Sample(records, unreadable)
