"""Rows of ``batch_write``, one class for each kind of command.

The classes have the names and arguments of the official client's ``aerospike_helpers.batch.records``: to
migrate, change the import.

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

from ..records import BatchRecord, BatchRecords

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .._operation import Operation
    from ..types import BatchReadPolicy, BatchRemovePolicy, BatchWritePolicy

__all__ = ["BatchRecord", "BatchRecords", "Read", "Remove", "Write"]


@dataclass(slots=True)
class Write(BatchRecord):
    """A row with operations that write, and may also read.

    Attributes:
        key: ``(namespace, set, primary_key)``.
        ops: operations, made with :mod:`aerospike_py.operations`. At least one must write.
        meta: ``{"gen": ..., "ttl": ...}``: the expected generation, and the time to live in seconds.
        policy: policy of this row (``key``, ``gen``, ``exists``, ``commit_level``, ``durable_delete``,
            ``ttl``). It takes precedence over ``batch_write`` in the client's policies.
        result, record, in_doubt, error: the outcome, as in :class:`BatchRecord`.

    Example:
        >>> Write(("test", "users", 1), [{"op": 1, "bin": "name", "val": "Ada"}]).key
        ('test', 'users', 1)
    """

    ops: Sequence[Operation] = ()
    meta: Mapping[str, int] | None = None
    policy: BatchWritePolicy | None = None

    #: How the extension recognizes the row.
    kind: ClassVar[str] = "write"

    def __init__(
        self,
        key: Any,
        ops: Sequence[Operation],
        meta: Mapping[str, int] | None = None,
        policy: BatchWritePolicy | None = None,
    ) -> None:
        BatchRecord.__init__(self, key)
        self.ops, self.meta, self.policy = ops, meta, policy


@dataclass(slots=True)
class Read(BatchRecord):
    """A row that reads some bins, all bins, or no bins: then only the generation and the time to live.

    Attributes:
        key: ``(namespace, set, primary_key)``.
        ops: reads, made with ``operations.read``, or None.
        read_all_bins: read every bin; ``ops`` must be empty.
        meta: None or empty, because a read does not use it.
        policy: ``read_mode_ap``, ``read_mode_sc`` and ``read_touch_ttl_percent`` of this row.
        result, record, in_doubt, error: the outcome, as in :class:`BatchRecord`.

    Example:
        >>> Read(("test", "users", 1), None, read_all_bins=True).read_all_bins
        True
    """

    ops: Sequence[Operation] | None = None
    read_all_bins: bool = False
    meta: Mapping[str, int] | None = None
    policy: BatchReadPolicy | None = None

    #: How the extension recognizes the row.
    kind: ClassVar[str] = "read"

    def __init__(
        self,
        key: Any,
        ops: Sequence[Operation] | None = None,
        read_all_bins: bool = False,
        meta: Mapping[str, int] | None = None,
        policy: BatchReadPolicy | None = None,
    ) -> None:
        BatchRecord.__init__(self, key)
        self.ops, self.read_all_bins, self.meta, self.policy = ops, read_all_bins, meta, policy


@dataclass(slots=True)
class Remove(BatchRecord):
    """A row that deletes its record.

    Attributes:
        key: ``(namespace, set, primary_key)``.
        policy: policy of this row (``key``, ``gen`` with ``generation``, ``commit_level``,
            ``durable_delete``). It takes precedence over ``batch_remove`` in the client's policies.
        result, record, in_doubt, error: the outcome, as in :class:`BatchRecord`.

    Example:
        >>> Remove(("test", "users", 1)).key
        ('test', 'users', 1)
    """

    policy: BatchRemovePolicy | None = None

    #: How the extension recognizes the row.
    kind: ClassVar[str] = "remove"

    def __init__(self, key: Any, policy: BatchRemovePolicy | None = None) -> None:
        BatchRecord.__init__(self, key)
        self.policy = policy
