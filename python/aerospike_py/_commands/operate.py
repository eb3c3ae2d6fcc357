"""Operations on a record's bins, and the commands that are one operation each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._utils.event_loop import call
from ..constants import OPERATOR_APPEND, OPERATOR_INCR, OPERATOR_PREPEND

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .. import _native
    from .._types import KeyLike
    from ..operations import Operation
    from ..records import OrderedRecord, Record
    from ..types import OperatePolicy, ReadPolicy, WritePolicy


class Operations:
    """Operations on a record's bins, waited for."""

    _core: _native.Core

    def select(self, key: KeyLike, bins: Sequence[str], policy: ReadPolicy | None = None) -> Record:
        """Reads some bins of a record.

        Args:
            key: ``(namespace, set, primary_key)``.
            bins: names of bins; one that the record does not have is left out of the answer.
            policy: read policy.

        Returns:
            The named tuple ``(key, meta, bins)``.

        Raises:
            RecordNotFound: there is no such record.

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
    ) -> None:
        """Gives a record a new time to live and a new generation.

        Args:
            key: ``(namespace, set, primary_key)``.
            val: seconds to live, or a ``TTL_*`` constant; with 0 it is that of ``meta``, else of the policy.
            meta: ``{"gen": ..., "ttl": ...}``.
            policy: operate policy.

        Raises:
            RecordNotFound: there is no such record.

        Example:
            >>> client.touch(("test", "users", 1), 3600)
        """
        self._core.touch(None, key, val, meta, policy)

    def append(
        self,
        key: KeyLike,
        bin: str,
        val: str | bytes | bytearray,
        meta: Mapping[str, int] | None = None,
        policy: OperatePolicy | None = None,
    ) -> None:
        """Appends text to a bin of text, or bytes to a bin of bytes; a bin that is missing begins empty.

        It is never sent again once it may have been applied: the error's ``in_doubt`` is true then.

        Raises:
            BinIncompatibleType: the bin holds something else.

        Example:
            >>> client.append(("test", "users", 1), "log", "; seen")
        """
        self._core.change(None, OPERATOR_APPEND, key, bin, val, meta, policy)

    def prepend(
        self,
        key: KeyLike,
        bin: str,
        val: str | bytes | bytearray,
        meta: Mapping[str, int] | None = None,
        policy: OperatePolicy | None = None,
    ) -> None:
        """Puts text before a bin's text, or bytes before its bytes. As :meth:`append` in all else.

        Example:
            >>> client.prepend(("test", "users", 1), "name", "Dr. ")
        """
        self._core.change(None, OPERATOR_PREPEND, key, bin, val, meta, policy)

    def increment(
        self,
        key: KeyLike,
        bin: str,
        offset: float,
        meta: Mapping[str, int] | None = None,
        policy: OperatePolicy | None = None,
    ) -> None:
        """Adds an int to an integer bin, or a float to a float bin; a bin that is missing begins at zero.

        It is never sent again once it may have been applied: the error's ``in_doubt`` is true then.

        Raises:
            BinIncompatibleType: the bin holds something else (an int is not added to a float).

        Example:
            >>> client.increment(("test", "users", 1), "visits", 1)
        """
        self._core.change(None, OPERATOR_INCR, key, bin, offset, meta, policy)

    def remove_bin(
        self,
        key: KeyLike,
        list: Sequence[str],
        meta: Mapping[str, int] | None = None,
        policy: WritePolicy | None = None,
    ) -> None:
        """Removes bins of a record; a record that has none left is gone.

        Example:
            >>> client.remove_bin(("test", "users", 1), ["log"])
        """
        self._core.remove_bin(None, key, list, meta, policy)

    def operate(
        self,
        key: KeyLike,
        list: Sequence[Operation],
        meta: Mapping[str, int] | None = None,
        policy: OperatePolicy | None = None,
    ) -> Record:
        """Applies operations to a record, in order and as one.

        Where all of them read it is a read: any replica may answer. A list with ``increment``, ``append`` or
        ``prepend`` is never sent again once it may have been applied.

        Args:
            key: ``(namespace, set, primary_key)``.
            list: what the helpers of :mod:`aerospike_py.operations` make.
            meta: ``{"gen": ..., "ttl": ...}``; a ``touch`` in the list that names seconds comes before it.
            policy: operate policy.

        Returns:
            The named tuple ``(key, meta, bins)``; of several reads of one bin the last one counts.

        Raises:
            ParamError: an operation is not what it must be; the message names its position.

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
        """As :meth:`operate`, with every result in order.

        Returns:
            The named tuple ``(key, meta, bins)``, its bins a list of ``(name, value)``, one a result.

        Example:
            >>> client.operate_ordered(("test", "users", 1), [op.read("a"), op.read("b")]).bins
            [('a', 1), ('b', 2)]
        """
        record: OrderedRecord = self._core.operate(None, key, list, meta, policy, True)
        return record


class AsyncOperations:
    """Operations on a record's bins, awaited."""

    _core: _native.Core

    async def select(self, key: KeyLike, bins: Sequence[str], policy: ReadPolicy | None = None) -> Record:
        """As :meth:`Client.select`, awaited.

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
    ) -> None:
        """As :meth:`Client.touch`, awaited.

        Example:
            >>> await client.touch(("test", "users", 1), 3600)
        """
        await call(self._core.touch, key, val, meta, policy)

    async def append(
        self,
        key: KeyLike,
        bin: str,
        val: str | bytes | bytearray,
        meta: Mapping[str, int] | None = None,
        policy: OperatePolicy | None = None,
    ) -> None:
        """As :meth:`Client.append`, awaited.

        Example:
            >>> await client.append(("test", "users", 1), "log", "; seen")
        """
        await call(self._core.change, OPERATOR_APPEND, key, bin, val, meta, policy)

    async def prepend(
        self,
        key: KeyLike,
        bin: str,
        val: str | bytes | bytearray,
        meta: Mapping[str, int] | None = None,
        policy: OperatePolicy | None = None,
    ) -> None:
        """As :meth:`Client.prepend`, awaited.

        Example:
            >>> await client.prepend(("test", "users", 1), "name", "Dr. ")
        """
        await call(self._core.change, OPERATOR_PREPEND, key, bin, val, meta, policy)

    async def increment(
        self,
        key: KeyLike,
        bin: str,
        offset: float,
        meta: Mapping[str, int] | None = None,
        policy: OperatePolicy | None = None,
    ) -> None:
        """As :meth:`Client.increment`, awaited.

        Example:
            >>> await client.increment(("test", "users", 1), "visits", 1)
        """
        await call(self._core.change, OPERATOR_INCR, key, bin, offset, meta, policy)

    async def remove_bin(
        self,
        key: KeyLike,
        list: Sequence[str],
        meta: Mapping[str, int] | None = None,
        policy: WritePolicy | None = None,
    ) -> None:
        """As :meth:`Client.remove_bin`, awaited.

        Example:
            >>> await client.remove_bin(("test", "users", 1), ["log"])
        """
        await call(self._core.remove_bin, key, list, meta, policy)

    async def operate(
        self,
        key: KeyLike,
        list: Sequence[Operation],
        meta: Mapping[str, int] | None = None,
        policy: OperatePolicy | None = None,
    ) -> Record:
        """As :meth:`Client.operate`, awaited.

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
        """As :meth:`Client.operate_ordered`, awaited.

        Example:
            >>> (await client.operate_ordered(("test", "users", 1), [op.read("a"), op.read("b")])).bins
            [('a', 1), ('b', 2)]
        """
        record: OrderedRecord = await call(self._core.operate, key, list, meta, policy, True)
        return record
