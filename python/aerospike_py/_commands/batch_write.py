"""Batches that write: arrays, operations on many records, deletions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from .._utils.event_loop import call
from ..numpy_write import _prepare

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from .. import _native
    from .._types import Keys, PrimaryKeys
    from ..numpy_write import NumpyWriteResult
    from ..operations import Operation
    from ..records import BatchRecords
    from ..types import ArrayWritePolicy, BatchPolicy, BatchRemovePolicy, BatchWritePolicy


class BatchWrites:
    """Batches that write, waited for."""

    _core: _native.Core

    def batch_write_numpy(
        self,
        data: npt.NDArray[Any],
        namespace: str,
        set: str | None,
        *,
        key_field: str | None = None,
        keys: PrimaryKeys | None = None,
        bins: Sequence[str] | None = None,
        policy: ArrayWritePolicy | None = None,
        present: npt.NDArray[Any] | None = None,
        strings_as: Literal["str", "blob"] = "str",
        arrays_as: Literal["blob", "list"] = "blob",
    ) -> NumpyWriteResult:
        """Writes the rows of a structured array, each to a record: fields become bins.

        The values go from the array's memory into the requests; the array must not be changed before the
        call has ended. Rows are written in chunks side by side, in no order. A row that may have been
        applied is not sent again.

        Args:
            data: one-dimensional structured array, of any strides and byte order, or a masked array of such;
                its own dtype says what is written. Integers, floats, bools, ``M8``, ``m8``, ``S``, ``V`` and
                sub-arrays.
            namespace: the records' namespace.
            set: their set, None for none.
            key_field: the field with the primary keys (integers, ``S``, ``U`` or ``V<n>``), ``"_key"`` unless
                named; it is not written as a bin unless ``bins`` names it.
            keys: the primary keys, instead of a field: :class:`~aerospike_py.Keys` of the same namespace and
                set, or an array or sequence of them.
            bins: the fields to write; None for all.
            policy: batch policy and the rows' write policy in one (``total_timeout``, ``max_retries``,
                ``exists``, ``ttl``, ``key`` ...).
            present: structured array of bools with the fields' names, as ``batch.present``: bins that are
                False are left out, and keep what they were. A masked array's mask does the same.
            strings_as: ``"str"`` writes ``S`` fields as strings without their trailing NULs, ``"blob"`` as
                blobs of the whole field.
            arrays_as: ``"blob"`` writes sub-arrays as blobs of their bytes, ``"list"`` as (nested) lists.

        Returns:
            :class:`~aerospike_py.NumpyWriteResult`: a result code a row. A ``RuntimeWarning`` says so when
            rows were not written.

        Raises:
            TypeError, ValueError: the array, its dtype, a key or a value that no bin can hold (an unsigned
                integer from 2**63 on, an ``S`` field that is not UTF-8) is refused before anything is sent.
            TimeoutError, ConnectionError, ...: no row was answered; the most common cause.

        Example:
            >>> data = np.array([(1, 21.5), (2, 22.0)], dtype=[("_key", "i8"), ("temperature", "f8")])
            >>> client.batch_write_numpy(data, "test", "sensors")
            <NumpyWriteResult 2 of 2 rows written>
        """
        data, dtype, rows, presence = _prepare(data, namespace, set, key_field, keys, bins, present)
        result: NumpyWriteResult = self._core.batch_write_numpy(
            None, data, dtype, rows, presence, strings_as, arrays_as, policy
        )
        return result

    def batch_write(
        self, batch_records: BatchRecords, policy_batch: BatchPolicy | None = None
    ) -> BatchRecords:
        """Does to many records what each row says: writes, reads and deletions in one batch.

        Args:
            batch_records: ``BatchRecords([Write(key, ops), Read(key, ops), Remove(key)])`` of
                :mod:`aerospike_py.batch`; ``result``, ``record`` and ``in_doubt`` of each row are filled in.
            policy_batch: batch policy (``total_timeout``, ``max_retries`` ...). A row that may have been
                applied is not sent again.

        Returns:
            The same ``batch_records``.

        Raises:
            ParamError: a row is not what it must be; nothing is sent.
            TimeoutError, ConnectionError, ...: no row was answered; the most common cause. The rows are
                filled in all the same.

        Example:
            >>> from aerospike_py.batch import BatchRecords, Write
            >>> rows = BatchRecords([Write(("test", "users", 1), [{"op": 1, "bin": "name", "val": "Ada"}])])
            >>> client.batch_write(rows).batch_records[0].result
            0
        """
        result: BatchRecords = self._core.batch_write(None, batch_records, policy_batch)
        return result

    def batch_operate(
        self,
        keys: Keys,
        ops: Sequence[Operation],
        policy_batch: BatchPolicy | None = None,
        policy_batch_write: BatchWritePolicy | None = None,
        ttl: int | None = None,
    ) -> BatchRecords:
        """Applies the same operations to many records.

        Args:
            keys: ``(namespace, set, primary_key)`` tuples, or :class:`~aerospike_py.Keys`.
            ops: operations, as :mod:`aerospike_py.operations` makes them.
            policy_batch: batch policy. A row that may have been applied is not sent again.
            policy_batch_write: policy of the rows (``key``, ``gen``, ``exists``, ``ttl`` ...).
            ttl: seconds to live, over the policy's.

        Returns:
            :class:`~aerospike_py.BatchRecords`; where operations read, their results are the records' bins.

        Raises:
            ParamError: a key or an operation is refused; nothing is sent.
            TimeoutError, ConnectionError, ...: no row was answered; the most common cause.

        Example:
            >>> from aerospike_py import operations as op
            >>> keys = [("test", "users", 1), ("test", "users", 2)]
            >>> client.batch_operate(keys, [op.increment("visits", 1)])
            BatchRecords(...)
        """
        result: BatchRecords = self._core.batch_operate(
            None, keys, ops, policy_batch, policy_batch_write, ttl
        )
        return result

    def batch_remove(
        self,
        keys: Keys,
        policy_batch: BatchPolicy | None = None,
        policy_batch_remove: BatchRemovePolicy | None = None,
    ) -> BatchRecords:
        """Deletes many records.

        Args:
            keys: ``(namespace, set, primary_key)`` tuples, or :class:`~aerospike_py.Keys`.
            policy_batch: batch policy. A row that may have been applied is not sent again.
            policy_batch_remove: policy of the rows (``gen`` with ``generation``, ``durable_delete`` ...).

        Returns:
            :class:`~aerospike_py.BatchRecords`; the result of a record that was not there is 2.

        Raises:
            ParamError: a key is refused; nothing is sent.
            TimeoutError, ConnectionError, ...: no row was answered; the most common cause.

        Example:
            >>> [row.result for row in client.batch_remove([("test", "users", 1)])]
            [0]
        """
        result: BatchRecords = self._core.batch_remove(None, keys, policy_batch, policy_batch_remove)
        return result


class AsyncBatchWrites:
    """Batches that write, awaited."""

    _core: _native.Core

    async def batch_write_numpy(
        self,
        data: npt.NDArray[Any],
        namespace: str,
        set: str | None,
        *,
        key_field: str | None = None,
        keys: PrimaryKeys | None = None,
        bins: Sequence[str] | None = None,
        policy: ArrayWritePolicy | None = None,
        present: npt.NDArray[Any] | None = None,
        strings_as: Literal["str", "blob"] = "str",
        arrays_as: Literal["blob", "list"] = "blob",
    ) -> NumpyWriteResult:
        """As :meth:`Client.batch_write_numpy`, awaited.

        Example:
            >>> data = np.array([(1, 21.5)], dtype=[("_key", "i8"), ("temperature", "f8")])
            >>> await client.batch_write_numpy(data, "test", "sensors")
            <NumpyWriteResult 1 of 1 rows written>
        """
        data, dtype, rows, presence = _prepare(data, namespace, set, key_field, keys, bins, present)
        result: NumpyWriteResult = await call(
            self._core.batch_write_numpy, data, dtype, rows, presence, strings_as, arrays_as, policy
        )
        return result

    async def batch_write(
        self, batch_records: BatchRecords, policy_batch: BatchPolicy | None = None
    ) -> BatchRecords:
        """As :meth:`Client.batch_write`, awaited.

        Example:
            >>> from aerospike_py.batch import BatchRecords, Write
            >>> rows = BatchRecords([Write(("test", "users", 1), [op.write("name", "Ada")])])
            >>> (await client.batch_write(rows)).batch_records[0].result
            0
        """
        result: BatchRecords = await call(self._core.batch_write, batch_records, policy_batch)
        return result

    async def batch_operate(
        self,
        keys: Keys,
        ops: Sequence[Operation],
        policy_batch: BatchPolicy | None = None,
        policy_batch_write: BatchWritePolicy | None = None,
        ttl: int | None = None,
    ) -> BatchRecords:
        """As :meth:`Client.batch_operate`, awaited.

        Example:
            >>> await client.batch_operate([("test", "users", 1)], [op.increment("visits", 1)])
            BatchRecords(...)
        """
        result: BatchRecords = await call(
            self._core.batch_operate, keys, ops, policy_batch, policy_batch_write, ttl
        )
        return result

    async def batch_remove(
        self,
        keys: Keys,
        policy_batch: BatchPolicy | None = None,
        policy_batch_remove: BatchRemovePolicy | None = None,
    ) -> BatchRecords:
        """As :meth:`Client.batch_remove`, awaited.

        Example:
            >>> [row.result for row in await client.batch_remove([("test", "users", 1)])]
            [0]
        """
        result: BatchRecords = await call(self._core.batch_remove, keys, policy_batch, policy_batch_remove)
        return result
