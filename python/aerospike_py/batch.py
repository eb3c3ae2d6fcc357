"""Records of ``batch_write``: what each row of a batch does.

The classes have the names and arguments of the official client's ``aerospike_helpers.batch.records``, so code
moves over by changing the import.

>>> from aerospike_py import operations as op
>>> from aerospike_py.batch import BatchRecords, Read, Remove, Write
>>> batch = BatchRecords(
...     [
...         Write(("test", "users", 1), [op.write("name", "Ada")]),
...         Read(("test", "users", 2), [op.read("name")]),
...         Remove(("test", "users", 3)),
...     ]
... )
>>> len(batch)
3
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from .records import BatchRecord, BatchRecords

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .operations import Operation

__all__ = ["BatchRecord", "BatchRecords", "Read", "Remove", "Write"]


@dataclass(slots=True)
class Write(BatchRecord):
    """A row that writes, and may read: operations, the first that is not a read makes it a write.

    Attributes:
        key: ``(namespace, set, primary_key)``.
        ops: operations, as :mod:`aerospike_py.operations` makes them.
        meta: ``{"gen": ..., "ttl": ...}``: the generation to compare with, seconds to live.
        policy: policy of this row (``key``, ``gen``, ``exists``, ``commit_level``, ``durable_delete``,
            ``ttl``), over that of the client's config for ``batch_write``.
        result, record, in_doubt, error: what became of it, as in :class:`BatchRecord`.

    Example:
        >>> Write(("test", "users", 1), [{"op": 1, "bin": "name", "val": "Ada"}]).key
        ('test', 'users', 1)
    """

    ops: Sequence[Operation] = ()
    meta: Mapping[str, int] | None = None
    policy: Mapping[str, Any] | None = None

    #: What the core takes it for.
    kind: ClassVar[str] = "write"

    def __init__(
        self,
        key: Any,
        ops: Sequence[Operation],
        meta: Mapping[str, int] | None = None,
        policy: Mapping[str, Any] | None = None,
    ) -> None:
        BatchRecord.__init__(self, key)
        self.ops, self.meta, self.policy = ops, meta, policy


@dataclass(slots=True)
class Read(BatchRecord):
    """A row that reads: some bins, all of them, or with neither the header alone.

    Attributes:
        key: ``(namespace, set, primary_key)``.
        ops: reads, as ``operations.read`` makes them, or None.
        read_all_bins: reads every bin; ``ops`` must be empty then.
        meta: has no meaning for a read, and may be empty.
        policy: ``read_mode_ap``, ``read_mode_sc`` and ``read_touch_ttl_percent`` of this row.
        result, record, in_doubt, error: what became of it, as in :class:`BatchRecord`.

    Example:
        >>> Read(("test", "users", 1), None, read_all_bins=True).read_all_bins
        True
    """

    ops: Sequence[Operation] | None = None
    read_all_bins: bool = False
    meta: Mapping[str, int] | None = None
    policy: Mapping[str, Any] | None = None

    #: What the core takes it for.
    kind: ClassVar[str] = "read"

    def __init__(
        self,
        key: Any,
        ops: Sequence[Operation] | None = None,
        read_all_bins: bool = False,
        meta: Mapping[str, int] | None = None,
        policy: Mapping[str, Any] | None = None,
    ) -> None:
        BatchRecord.__init__(self, key)
        self.ops, self.read_all_bins, self.meta, self.policy = ops, read_all_bins, meta, policy


@dataclass(slots=True)
class Remove(BatchRecord):
    """A row that deletes its record.

    Attributes:
        key: ``(namespace, set, primary_key)``.
        policy: policy of this row (``key``, ``gen`` with ``generation``, ``commit_level``,
            ``durable_delete``), over that of the client's config for ``batch_remove``.
        result, record, in_doubt, error: what became of it, as in :class:`BatchRecord`.

    Example:
        >>> Remove(("test", "users", 1)).key
        ('test', 'users', 1)
    """

    policy: Mapping[str, Any] | None = None

    #: What the core takes it for.
    kind: ClassVar[str] = "remove"

    def __init__(self, key: Any, policy: Mapping[str, Any] | None = None) -> None:
        BatchRecord.__init__(self, key)
        self.policy = policy
