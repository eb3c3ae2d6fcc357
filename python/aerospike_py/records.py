"""Records as Python objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .exception import AerospikeError


class Key(NamedTuple):
    """A record's key as the client returns it. It hashes, and is accepted wherever a key is.

    Example:
        >>> key = client.get(("test", "users", 1)).key
        >>> key.set, key.key, len(key.digest)
        ('users', 1, 20)
        >>> {key: "a key of a dict"}[key]
        'a key of a dict'
    """

    namespace: str
    set: str | None
    key: str | int | bytes | None
    digest: bytes


class Record(NamedTuple):
    """A record: ``(key, meta, bins)``.

    ``meta`` is ``{"gen": ..., "ttl": ...}`` or None, ``bins`` a dict or None.

    Example:
        >>> key, meta, bins = client.get(("test", "users", 1))
        >>> meta["gen"], bins["visits"]
        (1, 7)
    """

    key: Key
    meta: dict[str, int] | None
    bins: dict[str, Any] | None


class OrderedRecord(NamedTuple):
    """The answer of ``operate_ordered``: ``(key, meta, bins)``, its bins a list of ``(name, value)``.

    Example:
        >>> steps = [op.read("a"), op.increment("a", 1), op.read("a")]
        >>> client.operate_ordered(("test", "users", 1), steps).bins
        [('a', 1), ('a', 2)]
    """

    key: Key
    meta: dict[str, int] | None
    bins: list[tuple[str, Any]]


class Exists(NamedTuple):
    """The answer of ``exists``: ``(key, meta)``, ``meta`` None where there is no such record.

    Example:
        >>> client.exists(("test", "users", "nobody")).meta is None
        True
    """

    key: Key
    meta: dict[str, int] | None


@dataclass(slots=True)
class BatchRecord:
    """A row of a batch.

    Attributes:
        key: the row's key.
        result: its result code, 0 where the record was found.
        record: the record, or None.
        in_doubt: whether a write may have been applied although it failed, or was applied and its answer
            cannot be read.
        error: why a record that was found could not be made into Python objects (a map whose key is a
            list, text that is not UTF-8); its result is then -1.

    Example:
        >>> row = client.batch_read(keys, ["name"]).batch_records[0]
        >>> row.result, row.record.bins
        (0, {'name': 'Ada'})
    """

    key: Key
    result: int = 0
    record: Record | None = None
    in_doubt: bool = False
    error: AerospikeError | None = None


@dataclass(slots=True)
class BatchRecords:
    """The rows of a batch, in the keys' order.

    Attributes:
        batch_records: one :class:`BatchRecord` a key.
        result: 0, or the code of a failure of the batch as a whole.

    Example:
        >>> batch = client.batch_read(keys, ["name"])
        >>> [row.result for row in batch.batch_records]
        [0, 0, 2]
    """

    batch_records: list[BatchRecord] = field(default_factory=list)
    result: int = 0

    def __len__(self) -> int:
        return len(self.batch_records)

    def __iter__(self) -> Iterator[BatchRecord]:
        return iter(self.batch_records)
