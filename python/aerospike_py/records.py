"""Records and rows of batches as Python objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .exception import AerospikeError


class Key(NamedTuple):
    """The key of a record, as the client returns it. It is hashable, and can be passed wherever a key can.

    Attributes:
        namespace: the namespace.
        set: the set, None for none.
        key: the primary key. None if the server did not store it, or if another client stored a key that is
            neither an integer nor text nor bytes. Text that is not UTF-8 comes as bytes.
        digest: 20 bytes that identify the record in its namespace.

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

    Attributes:
        key: the :class:`Key`.
        meta: ``{"gen": ..., "ttl": ...}``: the generation, and the time to live in seconds (4294967295 for a
            record that never expires).
        bins: bin name to value; empty if only the header was read.

    Example:
        >>> key, meta, bins = client.get(("test", "users", 1))
        >>> meta["gen"], bins["visits"]
        (1, 7)
    """

    key: Key
    meta: dict[str, int]
    bins: dict[str, Any]


class OrderedRecord(NamedTuple):
    """The result of ``operate_ordered``: ``(key, meta, bins)``.

    Attributes:
        key: the :class:`Key`.
        meta: as in :class:`Record`.
        bins: ``(name, value)`` of each result, in order.

    Example:
        >>> steps = [op.read("a"), op.increment("a", 1), op.read("a")]
        >>> client.operate_ordered(("test", "users", 1), steps).bins
        [('a', 1), ('a', 2)]
    """

    key: Key
    meta: dict[str, int]
    bins: list[tuple[str, Any]]


class Exists(NamedTuple):
    """The result of ``exists``: ``(key, meta)``.

    Attributes:
        key: the :class:`Key`.
        meta: as in :class:`Record`; None if the record does not exist.

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
        key: key of the row.
        result: result code, 0 for success.
        record: the record, or None.
        in_doubt: whether a write may have been applied although it failed, or was applied and its answer
            cannot be represented in Python.
        error: why a record cannot be represented in Python (a map whose key is a list, text that is not
            UTF-8), with ``key`` and ``bin``, else None. The result is then -1.

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
    """The rows of a batch, in the order of the keys.

    Attributes:
        batch_records: one :class:`BatchRecord` per key.
        result: 0, or the code of an error of the whole batch.

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
