"""Samples of a set.

A query finds the keys, a batch reads the records. The query alone would do, but a value that Python cannot
hold (text that is not UTF-8, a map whose key is a list) ends it; in a batch it costs its own row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .exception import ClientError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .async_client import AsyncClient
    from .client import Client
    from .exception import AerospikeError
    from .records import BatchRecords, Key, Record

NO_BINS = {"nobins": True}
_NOT_FOUND = 2


class Sample(NamedTuple):
    """Records, and those that cannot be made into Python objects with what is in their way."""

    records: list[Record]
    unreadable: list[tuple[Key, AerospikeError]]


def sample(
    client: Client, namespace: str, set: str | None, count: int, bins: Sequence[str] | None = None
) -> Sample:
    """Reads at most so many records, in the order of their digests."""
    query = client.query(namespace, set)
    query.max_records = count
    keys = [record.key for record in query.results(options=NO_BINS)]
    return _sorted_out(client.batch_read(keys, bins)) if keys else Sample([], [])


async def sample_async(client: AsyncClient, namespace: str, set: str | None, count: int) -> Sample:
    """As :func:`sample`, awaited."""
    query = client.query(namespace, set)
    query.max_records = count
    keys = [record.key for record in await query.results(options=NO_BINS)]
    return _sorted_out(await client.batch_read(keys)) if keys else Sample([], [])


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
