"""Records and rows of batches as Python objects."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ._result_codes import ABOUT_RECORD, cause, describe, failure
from ._utils.describe import counted
from ._utils.other_names import no_attribute

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .exception import AerospikeError

# Attributes that users of other clients try, to what does the same here.
_INSTEAD = {
    "to_arrow": "batch_read_arrow(keys)",
    "to_dict": "{row.key.key: row.record.bins for row in batch if row.record}",
    "to_numpy": "batch_read(keys, _dtype=dtype)",
    "to_pandas": "batch_read_arrow(keys).to_pandas()",
    "to_polars": "batch_read_arrow(keys).to_polars()",
}


class Key(NamedTuple):
    """The key of a record, as the client returns it. It is hashable, and every command accepts it as a key.

    Attributes:
        namespace: the namespace.
        set: the set, or None. It and the primary key are None if the name of the set is not UTF-8.
        key: the primary key. ``get`` returns None unless its key policy is ``POLICY_KEY_SEND``; a query
            returns None if the server did not store it, or if another client stored a key that is neither an
            integer nor text nor bytes. Text that is not UTF-8 is returned as bytes.
        digest: 20 bytes that identify the record in its namespace.

    Example:
        >>> key = client.get(("test", "users", 1), {"key": POLICY_KEY_SEND}).key
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


class RecordHeader(NamedTuple):
    """A record without bins, as ``batch_read(keys, [])`` returns it: ``(key, meta)``.

    Attributes:
        key: the :class:`Key`.
        meta: as in :class:`Record`.

    Example:
        >>> key, meta = client.batch_read([("test", "users", 1)], []).batch_records[0].record
        >>> meta["gen"]
        1
    """

    key: Key
    meta: dict[str, int] | None

    @property
    def bins(self) -> dict[str, Any]:
        """Empty: no bins were read.

        Example:
            >>> client.batch_read([("test", "users", 1)], []).batch_records[0].record.bins
            {}
        """
        return {}


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
        record: the :class:`Record`, or None. ``batch_read(keys, [])`` returns a :class:`RecordHeader`, which
            has two items.
        in_doubt: whether a write may have been applied although it failed, or was applied and its answer
            cannot be represented in Python.
        error: if the record cannot be represented in Python (a map whose key is a list, text that is not
            UTF-8), an exception with ``key`` and ``bin``, and the result is -1; otherwise None.

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


@dataclass(slots=True, repr=False)
class BatchRecords:
    """The rows of a batch, in the order of the keys.

    Attributes:
        batch_records: one :class:`BatchRecord` per key.
        result: 0 if no row failed; -16 if one did, that is, has a result other than 0, 2 (not found) or 27
            (filtered out); or the code of an error of the whole batch.

    Example:
        >>> batch = client.batch_read(keys, ["name"])
        >>> batch
        <BatchRecords 3 rows, 2 found, 1 missing>
        >>> [row.result for row in batch.batch_records]
        [0, 0, 2]
    """

    batch_records: list[BatchRecord] = field(default_factory=list)
    result: int = 0
    # What a row without an error is called: "found" by reads.
    _success: str = field(default="done", compare=False)

    def raise_for_failures(self) -> None:
        """Raises an error if any row failed, that is, has a result other than 0, 2 or 27.

        Raises:
            AerospikeError: the class is that of the most frequent result. The message has the number of
                failures by result, and the first failed row. ``in_doubt`` is True if any row is in doubt;
                ``batch`` is this object.

        Example:
            >>> client.batch_read(keys).raise_for_failures()
        """
        failed = [row for row, record in enumerate(self.batch_records) if record.result not in ABOUT_RECORD]
        if not failed:
            return
        first = self.batch_records[failed[0]]
        raise failure(
            Counter(self.batch_records[row].result for row in failed),
            f"{len(failed)} of {len(self)} rows failed",
            f"the first is row {failed[0]}, key {tuple(first.key)[:3]!r}; the others are in .batch",
            any(self.batch_records[row].in_doubt for row in failed),
            self,
        ) from first.error

    def __repr__(self) -> str:
        # Objects that are no rows are refused when the batch is sent. An error shows them with this repr.
        rows = [row for row in self.batch_records if hasattr(row, "result")]
        # Rows that have not been sent have the result 0, and no record.
        unsent = sum(row.result == 0 and row.record is None for row in rows)
        counts = Counter(row.result for row in rows)
        counts[0] -= unsent
        parts = [counted(len(self), "row"), *describe(counts, self._success)]
        return f"<BatchRecords {', '.join(parts)}{f', {unsent} not sent' if unsent else ''}>"

    def _repr_html_(self) -> str:
        from ._export.html import ROWS, objects

        rows = []
        for row in self.batch_records[:ROWS]:
            key = getattr(row, "key", None)
            code = getattr(row, "result", None)
            bins = getattr(getattr(row, "record", None), "bins", None)
            named = bins if isinstance(bins, dict) else dict(bins or ())
            rows.append(
                {
                    "key": key[2] if isinstance(key, tuple) and len(key) > 2 else key,
                    "result": "ok" if code == 0 else cause(code) if isinstance(code, int) else None,
                    # A bin of the name "key" has a column of its own.
                    **{f"bin {name}" if name in ("key", "result") else name: named[name] for name in named},
                }
            )
        header = list(dict.fromkeys(["key", "result", *(name for row in rows for name in row)]))
        return objects(repr(self)[1:-1], header, rows, len(self))

    if not TYPE_CHECKING:  # Type checkers must report these names as missing.

        def __getattr__(self, name: str) -> Any:
            raise no_attribute(self, name, _INSTEAD)

    def __len__(self) -> int:
        return len(self.batch_records)

    def __iter__(self) -> Iterator[BatchRecord]:
        return iter(self.batch_records)
