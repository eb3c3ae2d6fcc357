"""Reads a sample of a set.

A query finds the keys, then batch reads get the records. A query that reads the records would list only the
first hundred of those that Python cannot represent (text that is not UTF-8, a map whose key is a list); in a
batch each has its own row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..exception import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .._types import SampledClient
    from .._utils.steps import Steps
    from ..exception import AerospikeError
    from ..records import BatchRecords, Key, Record

_NO_BINS = {"nobins": True}
_NOT_FOUND = 2
# Limits how many records are in memory at once.
_SLICE = 5_000


class Sample(NamedTuple):
    """A part of the sample: its records, and keys and errors of records that Python cannot represent."""

    records: list[Record]
    unreadable: list[tuple[Key, AerospikeError]]


def read_sample(
    client: SampledClient,
    namespace: str,
    set: str | None,
    count: int,
    take: Callable[[Sample], None],
    bins: Sequence[str] | None = None,
) -> Steps[None]:
    """Reads up to ``count`` records in the order of their digests; calls ``take`` with each part."""
    query = client.query(namespace, set)
    query.max_records = count
    found: list[Record] = yield query.results(options=_NO_BINS)
    keys = [record.key for record in found]
    for start in range(0, len(keys), _SLICE):
        batch: BatchRecords = yield client._read_records(keys[start : start + _SLICE], bins)
        take(_split(batch))


def _split(batch: BatchRecords) -> Sample:
    records, unreadable = [], []
    for row in batch:
        if row.record is not None:
            records.append(row.record)
        elif row.error is not None:
            unreadable.append((row.key, row.error))
        elif row.result != _NOT_FOUND:  # the record may have been deleted after the query found it
            raise ClientError(f"record {row.key} could not be read: code {row.result}", row.result)
    return Sample(records, unreadable)
