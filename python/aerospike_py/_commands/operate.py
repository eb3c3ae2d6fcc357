"""Operations on the bins of a record, and commands that are a single operation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._utils.event_loop import call
from ..constants import OPERATOR_APPEND, OPERATOR_INCR, OPERATOR_PREPEND

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .. import _native
    from .._operation import Operation
    from .._types import KeyLike
    from ..records import OrderedRecord, Record
    from ..types import OperatePolicy, ReadPolicy, WritePolicy


class OperateCommands:
    """Operations on the bins of a record, for ``Client``."""

    _core: _native.Core

    def select(self, key: KeyLike, bins: Sequence[str], policy: ReadPolicy | None = None) -> Record:
        """Reads some bins of a record.

        Args:
            key: ``(namespace, set, primary_key)``.
            bins: names of the bins to read. Bins that the record does not have are left out.
            policy: read policy.

        Returns:
            The named tuple ``(key, meta, bins)``.

        Raises:
            RecordNotFound: the record does not exist.

        Example:
            >>> client.select(("test", "users", 1), ["name"]).bins
            {'name': 'Ada'}
        """
        record: Record = self._core.select(None, key, bins, policy)
        return record

    def touch(
        self,
        key: KeyLike,
        val: int = 0,
        meta: Mapping[str, int] | None = None,
        policy: OperatePolicy | None = None,
    ) -> int:
        """Sets a record's time to live and increments its generation.

        Args:
            key: ``(namespace, set, primary_key)``.
            val: time to live in seconds, or a ``TTL_*`` constant. 0 takes it from ``meta``, else the policy.
            meta: ``{"gen": ..., "ttl": ...}``: the expected generation, and the time to live in seconds.
            policy: operate policy.

        Raises:
            RecordNotFound: the record does not exist.

        Example:
            >>> client.touch(("test", "users", 1), 3600)
            0
        """
        done: int = self._core.touch(None, key, val, meta, policy)
        return done

    def append(
        self,
        key: KeyLike,
        bin: str,
        val: str | bytes | bytearray,
        meta: Mapping[str, int] | None = None,
        policy: OperatePolicy | None = None,
    ) -> int:
        """Appends a string to a string bin, or bytes to a blob bin. A missing bin counts as empty.

        The command is not retried once it may have been applied; the error then has ``in_doubt`` set.

        Args:
            key: ``(namespace, set, primary_key)``.
            bin: name of the bin.
            val: the string or bytes to append.
            meta: ``{"gen": ..., "ttl": ...}``: the expected generation, and the time to live in seconds.
            policy: operate policy.

        Raises:
            BinIncompatibleType: the bin has another type.

        Example:
            >>> client.append(("test", "users", 1), "log", "; seen")
            0
        """
        done: int = self._core.change(None, OPERATOR_APPEND, key, bin, val, meta, policy)
        return done

    def prepend(
        self,
        key: KeyLike,
        bin: str,
        val: str | bytes | bytearray,
        meta: Mapping[str, int] | None = None,
        policy: OperatePolicy | None = None,
    ) -> int:
        """Prepends a string to a string bin, or bytes to a blob bin. Otherwise like :meth:`append`.

        Example:
            >>> client.prepend(("test", "users", 1), "name", "Dr. ")
            0
        """
        done: int = self._core.change(None, OPERATOR_PREPEND, key, bin, val, meta, policy)
        return done

    def increment(
        self,
        key: KeyLike,
        bin: str,
        offset: float,
        meta: Mapping[str, int] | None = None,
        policy: OperatePolicy | None = None,
    ) -> int:
        """Adds an int to an integer bin, or a float to a float bin. A missing bin counts as zero.

        The command is not retried once it may have been applied; the error then has ``in_doubt`` set.

        Args:
            key: ``(namespace, set, primary_key)``.
            bin: name of the bin.
            offset: the number to add; may be negative.
            meta: ``{"gen": ..., "ttl": ...}``: the expected generation, and the time to live in seconds.
            policy: operate policy.

        Raises:
            BinIncompatibleType: the bin has another type. An int cannot be added to a float bin.

        Example:
            >>> client.increment(("test", "users", 1), "visits", 1)
            0
        """
        done: int = self._core.change(None, OPERATOR_INCR, key, bin, offset, meta, policy)
        return done

    def remove_bin(
        self,
        key: KeyLike,
        list: Sequence[str],
        meta: Mapping[str, int] | None = None,
        policy: WritePolicy | None = None,
    ) -> int:
        """Removes bins of a record. The server deletes a record without bins.

        Args:
            key: ``(namespace, set, primary_key)``.
            list: names of the bins to remove.
            meta: ``{"gen": ..., "ttl": ...}``: the expected generation, and the time to live in seconds.
            policy: write policy.

        Example:
            >>> client.remove_bin(("test", "users", 1), ["log"])
            0
        """
        done: int = self._core.remove_bin(None, key, list, meta, policy)
        return done

    def operate(
        self,
        key: KeyLike,
        list: Sequence[Operation],
        meta: Mapping[str, int] | None = None,
        policy: OperatePolicy | None = None,
    ) -> Record:
        """Applies operations to a record, in order and atomically.

        If all operations are reads, any replica may answer. A list with operations that change a bin, such as
        ``increment`` or ``list_append``, is not retried once it may have been applied.

        Args:
            key: ``(namespace, set, primary_key)``.
            list: operations, made with :mod:`aerospike_py.operations`, :mod:`~aerospike_py.list_operations`,
                :mod:`~aerospike_py.map_operations` and their siblings.
            meta: ``{"gen": ..., "ttl": ...}``: the expected generation, and the time to live in seconds. A
                ``touch`` with seconds takes precedence over ``ttl``.
            policy: operate policy.

        Returns:
            The named tuple ``(key, meta, bins)``. If a bin is read several times, it has the last result.

        Raises:
            ParamError: an operation is invalid; the message has its position.

        Example:
            >>> from aerospike_py import operations as op
            >>> client.operate(("test", "users", 1), [op.increment("visits", 1), op.read("visits")]).bins
            {'visits': 8}
        """
        record: Record = self._core.operate(None, key, list, meta, policy, False)
        return record

    def operate_ordered(
        self,
        key: KeyLike,
        list: Sequence[Operation],
        meta: Mapping[str, int] | None = None,
        policy: OperatePolicy | None = None,
    ) -> OrderedRecord:
        """Like :meth:`operate`, but returns every result, in order.

        Returns:
            The named tuple ``(key, meta, bins)``, where ``bins`` is a list of ``(name, value)`` pairs, one
            per result.

        Example:
            >>> client.operate_ordered(("test", "users", 1), [op.read("a"), op.read("b")]).bins
            [('a', 1), ('b', 2)]
        """
        record: OrderedRecord = self._core.operate(None, key, list, meta, policy, True)
        return record


class AsyncOperateCommands:
    """Operations on the bins of a record, for ``AsyncClient``."""

    _core: _native.Core

    async def select(self, key: KeyLike, bins: Sequence[str], policy: ReadPolicy | None = None) -> Record:
        """Like :meth:`Client.select`, awaited.

        Example:
            >>> (await client.select(("test", "users", 1), ["name"])).bins
            {'name': 'Ada'}
        """
        record: Record = await call(self._core.select, key, bins, policy)
        return record

    async def touch(
        self,
        key: KeyLike,
        val: int = 0,
        meta: Mapping[str, int] | None = None,
        policy: OperatePolicy | None = None,
    ) -> int:
        """Like :meth:`Client.touch`, awaited.

        Example:
            >>> await client.touch(("test", "users", 1), 3600)
            0
        """
        done: int = await call(self._core.touch, key, val, meta, policy)
        return done

    async def append(
        self,
        key: KeyLike,
        bin: str,
        val: str | bytes | bytearray,
        meta: Mapping[str, int] | None = None,
        policy: OperatePolicy | None = None,
    ) -> int:
        """Like :meth:`Client.append`, awaited.

        Example:
            >>> await client.append(("test", "users", 1), "log", "; seen")
            0
        """
        done: int = await call(self._core.change, OPERATOR_APPEND, key, bin, val, meta, policy)
        return done

    async def prepend(
        self,
        key: KeyLike,
        bin: str,
        val: str | bytes | bytearray,
        meta: Mapping[str, int] | None = None,
        policy: OperatePolicy | None = None,
    ) -> int:
        """Like :meth:`Client.prepend`, awaited.

        Example:
            >>> await client.prepend(("test", "users", 1), "name", "Dr. ")
            0
        """
        done: int = await call(self._core.change, OPERATOR_PREPEND, key, bin, val, meta, policy)
        return done

    async def increment(
        self,
        key: KeyLike,
        bin: str,
        offset: float,
        meta: Mapping[str, int] | None = None,
        policy: OperatePolicy | None = None,
    ) -> int:
        """Like :meth:`Client.increment`, awaited.

        Example:
            >>> await client.increment(("test", "users", 1), "visits", 1)
            0
        """
        done: int = await call(self._core.change, OPERATOR_INCR, key, bin, offset, meta, policy)
        return done

    async def remove_bin(
        self,
        key: KeyLike,
        list: Sequence[str],
        meta: Mapping[str, int] | None = None,
        policy: WritePolicy | None = None,
    ) -> int:
        """Like :meth:`Client.remove_bin`, awaited.

        Example:
            >>> await client.remove_bin(("test", "users", 1), ["log"])
            0
        """
        done: int = await call(self._core.remove_bin, key, list, meta, policy)
        return done

    async def operate(
        self,
        key: KeyLike,
        list: Sequence[Operation],
        meta: Mapping[str, int] | None = None,
        policy: OperatePolicy | None = None,
    ) -> Record:
        """Like :meth:`Client.operate`, awaited.

        Example:
            >>> from aerospike_py import operations as op
            >>> steps = [op.increment("visits", 1), op.read("visits")]
            >>> record = await client.operate(("test", "users", 1), steps)
            >>> record.bins
            {'visits': 8}
        """
        record: Record = await call(self._core.operate, key, list, meta, policy, False)
        return record

    async def operate_ordered(
        self,
        key: KeyLike,
        list: Sequence[Operation],
        meta: Mapping[str, int] | None = None,
        policy: OperatePolicy | None = None,
    ) -> OrderedRecord:
        """Like :meth:`Client.operate_ordered`, awaited.

        Example:
            >>> (await client.operate_ordered(("test", "users", 1), [op.read("a"), op.read("b")])).bins
            [('a', 1), ('b', 2)]
        """
        record: OrderedRecord = await call(self._core.operate, key, list, meta, policy, True)
        return record
