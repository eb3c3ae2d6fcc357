"""Batches that write: arrays, operations on many records, deletions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from .. import _native
from .._finish import warn_of_failed_reads
from .._utils.dtypes import one_dtype
from .._utils.event_loop import call
from ..records import BatchRecords
from .write_array import check_rows
from .write_arrow import ArrowWrite

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from .._operation import Operation
    from .._types import ArrowData, Casting, Errors, Keys, PrimaryKeys
    from ..numpy_batch import NumpyBatchRecords
    from ..numpy_write import NumpyWriteResult
    from ..types import ArrayWritePolicy, BatchPolicy, BatchRemovePolicy, BatchWritePolicy


class BatchWriteCommands:
    """Batches that write, for ``Client``."""

    _core: _native.Core

    def batch_write_numpy(
        self,
        data: npt.NDArray[Any],
        namespace: str,
        set: str | None,
        *,
        key_field: str | None = None,
        key_type: Literal["str", "bytes"] = "str",
        keys: PrimaryKeys | None = None,
        bins: Sequence[str] | None = None,
        policy: ArrayWritePolicy | None = None,
        present: npt.NDArray[Any] | None = None,
        strings_as: Literal["str", "blob"] = "str",
        arrays_as: Literal["blob", "list"] = "blob",
        nat: Literal["omit", "raise"] = "omit",
    ) -> NumpyWriteResult:
        """Writes the rows of a structured array, one record per row. Fields become bins.

        Values go straight from the array's memory into the requests, so the array must not change during the
        call. Rows are written in concurrent chunks, in no particular order. A row that may have been applied
        is not retried.

        Args:
            data: structured array of shape ``(n,)``, with any strides and byte order, or a masked array. Its
                fields may be integers, floats, bools, ``M8``, ``m8``, ``S``, ``V`` and sub-arrays.
            namespace: namespace of the records.
            set: set of the records, or None.
            key_field: the field with the primary keys (integers, ``S``, ``U`` or ``V<n>``), ``"_key"`` by
                default. It is not written as a bin unless ``bins`` names it.
            key_type: ``"bytes"`` makes the values of an ``S`` array bytes keys, as in
                :class:`~aerospike_py.Keys`; by default they are string keys.
            keys: the primary keys, instead of a field: :class:`~aerospike_py.Keys` of the same namespace and
                set, or an array or sequence of n primary keys.
            bins: names of the fields to write; None for all.
            policy: batch policy and write policy in one (``total_timeout``, ``max_retries``, ``exists``,
                ``ttl``, ``key`` ...).
            present: structured bool array of shape ``(n,)`` with the names of the fields, like
                ``batch.present``. Where it is False, the bin is not written and keeps its value. The mask of
                a masked array does the same.
            strings_as: ``"str"`` writes ``S`` fields as strings without trailing NULs, ``"blob"`` as blobs
                of the whole field.
            arrays_as: ``"blob"`` writes sub-arrays as blobs of their bytes, ``"list"`` as (nested) lists.
            nat: ``"omit"`` does not write the bin of a time that is NaT, like a masked one; ``"raise"``
                refuses it.

        Returns:
            :class:`~aerospike_py.NumpyWriteResult`, with a result code per row. If rows were not written, a
            ``RuntimeWarning`` is issued.

        Raises:
            TypeError, ValueError: the array, its dtype or a key is invalid, or no bin can hold a value (an
                unsigned integer of 2**63 or more, also in a list; an ``S`` field that is not UTF-8). Nothing
                was sent.
            TimeoutError, ConnectionError, ...: no row was answered. The class is that of the most common
                cause.

        Example:
            >>> data = np.array([(1, 21.5), (2, 22.0)], dtype=[("_key", "i8"), ("temperature", "f8")])
            >>> client.batch_write_numpy(data, "test", "sensors")
            <NumpyWriteResult 2 of 2 rows written>
        """
        rows = check_rows(
            data,
            namespace,
            set,
            key_field,
            keys,
            bins,
            present,
            key_type=key_type,
            nat=nat,
        )
        result: NumpyWriteResult = self._core.batch_write_numpy(None, *rows, strings_as, arrays_as, policy)
        return result

    def batch_write_arrow(
        self,
        data: ArrowData,
        namespace: str,
        set: str | None,
        *,
        key: str,
        bins: Sequence[str] | None = None,
        nulls: Literal["omit", "remove"] = "omit",
        policy: ArrayWritePolicy | None = None,
        progress: Callable[[int], object] | bool | None = None,
    ) -> NumpyWriteResult:
        """Writes a table, one record per row. Columns become bins.

        A stream is read block by block, on a thread of its own, while the rows before are written: it may be
        longer than memory. Rows go from the columns' memory straight into the requests. They are written in
        concurrent chunks, in no particular order. A row that may have been applied is not retried.

        Args:
            data: anything that exports Arrow (``__arrow_c_stream__`` or ``__arrow_c_array__``): a table, a
                record batch or a reader of pyarrow, a frame of polars or pandas, a DuckDB relation.
            namespace: namespace of the records.
            set: set of the records, or None.
            key: the column with the primary keys: integers, text or binary, or dictionaries of these. It is
                also written as a bin, unless ``bins`` leaves it out.
            bins: names of the columns to write; None for all.
            nulls: ``"omit"`` does not write the bin of a null, which keeps its value; ``"remove"`` removes
                the bin.
            policy: batch policy and write policy in one (``total_timeout``, ``max_retries``, ``exists``,
                ``ttl``, ``key`` ...). Its times are for each block of at most 65,536 rows.
            progress: called with the number of rows done after each block; True shows a bar at a terminal and
                in a notebook, that of tqdm where it is installed.

        Returns:
            :class:`~aerospike_py.NumpyWriteResult`, with a result code per row. If rows were not written, a
            ``RuntimeWarning`` is issued.

        Raises:
            TypeError: data exports no Arrow, or a column has a type that no bin can hold (decimal, interval).
                Nothing was sent.
            ValueError: an argument is invalid, a column does not exist or has a name that no bin can have;
                nothing was sent. Or a row has a null key or a value that no bin can hold (an unsigned
                integer of 2**63 or more, text that is not UTF-8, a map with a key twice); nothing of its
                record batch was sent. If rows of earlier ones were, the error's ``batch`` has their result.
            ClientError: the stream failed. ``batch`` has the result of the rows before.
            TimeoutError, ConnectionError, ...: no row of a block was answered. The class is that of the most
                common cause. ``batch`` has the result so far.

        Example:
            >>> import pyarrow as pa
            >>> data = pa.table({"id": [1, 2], "name": ["Ada", None], "scores": [[1.5, 2.0], []]})
            >>> client.batch_write_arrow(data, "test", "users", key="id")
            <NumpyWriteResult 2 of 2 rows written>
        """
        return ArrowWrite(self._core, data, namespace, set, key, bins, nulls, policy, progress).run()

    def batch_write(
        self, batch_records: BatchRecords, policy_batch: BatchPolicy | None = None
    ) -> BatchRecords:
        """Writes, reads and deletes many records in one batch.

        Args:
            batch_records: ``BatchRecords([Write(key, ops), Read(key, ops), Remove(key)])``, see
                :mod:`aerospike_py.batch`. The call sets ``result``, ``record`` and ``in_doubt`` of each row.
            policy_batch: batch policy (``total_timeout``, ``max_retries`` ...). A row that may have been
                applied is not retried.

        Returns:
            The same ``batch_records`` object. If rows of the class ``Read`` failed, a ``RuntimeWarning``
            names the causes.

        Raises:
            ParamError: a row is invalid. Nothing was sent.
            TimeoutError, ConnectionError, ...: no row was answered. The class is that of the most common
                cause. The results of the rows are set.

        Example:
            >>> from aerospike_py.batch import BatchRecords, Write
            >>> rows = BatchRecords([Write(("test", "users", 1), [{"op": 1, "bin": "name", "val": "Ada"}])])
            >>> client.batch_write(rows).batch_records[0].result
            0
        """
        result: BatchRecords = self._core.batch_write(None, batch_records, policy_batch)
        warn_of_failed_reads(result, only_reads=False)
        return result

    @overload
    def batch_operate(
        self,
        keys: Keys,
        ops: Sequence[Operation],
        policy_batch: BatchPolicy | None = None,
        policy_batch_write: BatchWritePolicy | None = None,
        ttl: int | None = None,
        _dtype: None = None,
    ) -> BatchRecords: ...

    @overload
    def batch_operate(
        self,
        keys: Keys,
        ops: Sequence[Operation],
        policy_batch: BatchPolicy | None = None,
        policy_batch_write: BatchWritePolicy | None = None,
        ttl: int | None = None,
        *,
        _dtype: npt.DTypeLike,
        fields: Sequence[str | None] | None = None,
        casting: Casting = "unsafe",
        errors: Errors = "raise",
        out: npt.NDArray[Any] | None = None,
    ) -> NumpyBatchRecords: ...

    @overload
    def batch_operate(
        self,
        keys: Keys,
        ops: Sequence[Operation],
        policy_batch: BatchPolicy | None = None,
        policy_batch_write: BatchWritePolicy | None = None,
        ttl: int | None = None,
        *,
        dtype: npt.DTypeLike,
        fields: Sequence[str | None] | None = None,
        casting: Casting = "unsafe",
        errors: Errors = "raise",
        out: npt.NDArray[Any] | None = None,
    ) -> NumpyBatchRecords: ...

    def batch_operate(
        self,
        keys: Keys,
        ops: Sequence[Operation],
        policy_batch: BatchPolicy | None = None,
        policy_batch_write: BatchWritePolicy | None = None,
        ttl: int | None = None,
        _dtype: npt.DTypeLike | None = None,
        *,
        fields: Sequence[str | None] | None = None,
        casting: Casting = "unsafe",
        errors: Errors = "raise",
        out: npt.NDArray[Any] | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> BatchRecords | NumpyBatchRecords:
        """Applies the same operations to many records. With ``_dtype``, reads their results into an array.

        Args:
            keys: ``(namespace, set, primary_key)`` tuples, or :class:`~aerospike_py.Keys`.
            ops: operations, made with :mod:`aerospike_py.operations`, :mod:`~aerospike_py.list_operations`,
                :mod:`~aerospike_py.map_operations` and their siblings.
            policy_batch: batch policy. A row that may have been applied is not retried.
            policy_batch_write: write policy of the rows (``key``, ``gen``, ``exists``, ``ttl`` ...).
            ttl: time to live in seconds, instead of the policy's.
            _dtype: structured dtype. Each field takes the result of an operation, for each key.
            fields: the field of each operation, or None for a result that is not needed. By default the field
                that has the name of the operation's bin. Two operations cannot fill one field.
            casting: as in :meth:`batch_read`.
            errors: as in :meth:`batch_read`.
            out: as in :meth:`batch_read`.
            dtype: the same as ``_dtype``.

        Returns:
            :class:`~aerospike_py.BatchRecords`, one row per key. The results of reads are the bins of the
            row's record. If no operation writes and rows failed, a ``RuntimeWarning`` names the causes. With
            a dtype, :class:`~aerospike_py.NumpyBatchRecords`.

        Raises:
            ParamError: a key, an operation or a field is invalid. Nothing was sent.
            BatchDecodeError: results do not fit their fields.
            TimeoutError, ConnectionError, ...: no row was answered. The class is that of the most common
                cause.

        Example:
            >>> from aerospike_py import operations as op
            >>> keys = [("test", "users", 1), ("test", "users", 2)]
            >>> client.batch_operate(keys, [op.increment("visits", 1)])
            <BatchRecords 2 rows, 2 done>
            >>> ops = [op.increment("visits", 1), op.read("visits")]
            >>> batch = client.batch_operate(keys, ops, dtype=[("visits", "i4")], fields=[None, "visits"])
            >>> batch.batch_records["visits"].tolist()
            [9, 2]
        """
        dtype = one_dtype(_dtype, dtype)
        result: BatchRecords | NumpyBatchRecords = self._core.batch_operate(
            *(None, keys, ops, policy_batch, policy_batch_write, ttl, dtype, fields, casting, errors, out)
        )
        if isinstance(result, BatchRecords) and _native.only_read(ops):
            warn_of_failed_reads(result, only_reads=True)
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
            policy_batch: batch policy. A row that may have been applied is not retried.
            policy_batch_remove: remove policy of the rows (``gen`` with ``generation``, ``durable_delete``
                ...).

        Returns:
            :class:`~aerospike_py.BatchRecords`, one row per key. A row's result is 2 if its record did not
            exist.

        Raises:
            ParamError: a key is invalid. Nothing was sent.
            TimeoutError, ConnectionError, ...: no row was answered. The class is that of the most common
                cause.

        Example:
            >>> [row.result for row in client.batch_remove([("test", "users", 1)])]
            [0]
        """
        result: BatchRecords = self._core.batch_remove(None, keys, policy_batch, policy_batch_remove)
        return result


class AsyncBatchWriteCommands:
    """Batches that write, for ``AsyncClient``."""

    _core: _native.Core

    async def batch_write_numpy(
        self,
        data: npt.NDArray[Any],
        namespace: str,
        set: str | None,
        *,
        key_field: str | None = None,
        key_type: Literal["str", "bytes"] = "str",
        keys: PrimaryKeys | None = None,
        bins: Sequence[str] | None = None,
        policy: ArrayWritePolicy | None = None,
        present: npt.NDArray[Any] | None = None,
        strings_as: Literal["str", "blob"] = "str",
        arrays_as: Literal["blob", "list"] = "blob",
        nat: Literal["omit", "raise"] = "omit",
    ) -> NumpyWriteResult:
        """Like :meth:`Client.batch_write_numpy`, awaited.

        Example:
            >>> data = np.array([(1, 21.5)], dtype=[("_key", "i8"), ("temperature", "f8")])
            >>> await client.batch_write_numpy(data, "test", "sensors")
            <NumpyWriteResult 1 of 1 rows written>
        """
        rows = check_rows(
            data,
            namespace,
            set,
            key_field,
            keys,
            bins,
            present,
            key_type=key_type,
            nat=nat,
        )
        result: NumpyWriteResult = await call(
            self._core.batch_write_numpy, *rows, strings_as, arrays_as, policy
        )
        return result

    async def batch_write_arrow(
        self,
        data: ArrowData,
        namespace: str,
        set: str | None,
        *,
        key: str,
        bins: Sequence[str] | None = None,
        nulls: Literal["omit", "remove"] = "omit",
        policy: ArrayWritePolicy | None = None,
        progress: Callable[[int], object] | bool | None = None,
    ) -> NumpyWriteResult:
        """Like :meth:`Client.batch_write_arrow`, awaited.

        The data is exported and read on other threads. ``progress`` is called in the event loop.

        Example:
            >>> import pyarrow as pa
            >>> data = pa.table({"id": [1, 2], "name": ["Ada", None]})
            >>> await client.batch_write_arrow(data, "test", "users", key="id")
            <NumpyWriteResult 2 of 2 rows written>
        """
        return await ArrowWrite(
            self._core, data, namespace, set, key, bins, nulls, policy, progress
        ).run_async()

    async def batch_write(
        self, batch_records: BatchRecords, policy_batch: BatchPolicy | None = None
    ) -> BatchRecords:
        """Like :meth:`Client.batch_write`, awaited.

        Example:
            >>> from aerospike_py.batch import BatchRecords, Write
            >>> rows = BatchRecords([Write(("test", "users", 1), [op.write("name", "Ada")])])
            >>> (await client.batch_write(rows)).batch_records[0].result
            0
        """
        result: BatchRecords = await call(self._core.batch_write, batch_records, policy_batch)
        warn_of_failed_reads(result, only_reads=False)
        return result

    @overload
    async def batch_operate(
        self,
        keys: Keys,
        ops: Sequence[Operation],
        policy_batch: BatchPolicy | None = None,
        policy_batch_write: BatchWritePolicy | None = None,
        ttl: int | None = None,
        _dtype: None = None,
    ) -> BatchRecords: ...

    @overload
    async def batch_operate(
        self,
        keys: Keys,
        ops: Sequence[Operation],
        policy_batch: BatchPolicy | None = None,
        policy_batch_write: BatchWritePolicy | None = None,
        ttl: int | None = None,
        *,
        _dtype: npt.DTypeLike,
        fields: Sequence[str | None] | None = None,
        casting: Casting = "unsafe",
        errors: Errors = "raise",
        out: npt.NDArray[Any] | None = None,
    ) -> NumpyBatchRecords: ...

    @overload
    async def batch_operate(
        self,
        keys: Keys,
        ops: Sequence[Operation],
        policy_batch: BatchPolicy | None = None,
        policy_batch_write: BatchWritePolicy | None = None,
        ttl: int | None = None,
        *,
        dtype: npt.DTypeLike,
        fields: Sequence[str | None] | None = None,
        casting: Casting = "unsafe",
        errors: Errors = "raise",
        out: npt.NDArray[Any] | None = None,
    ) -> NumpyBatchRecords: ...

    async def batch_operate(
        self,
        keys: Keys,
        ops: Sequence[Operation],
        policy_batch: BatchPolicy | None = None,
        policy_batch_write: BatchWritePolicy | None = None,
        ttl: int | None = None,
        _dtype: npt.DTypeLike | None = None,
        *,
        fields: Sequence[str | None] | None = None,
        casting: Casting = "unsafe",
        errors: Errors = "raise",
        out: npt.NDArray[Any] | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> BatchRecords | NumpyBatchRecords:
        """Like :meth:`Client.batch_operate`, awaited.

        Example:
            >>> await client.batch_operate([("test", "users", 1)], [op.increment("visits", 1)])
            <BatchRecords 1 row, 1 done>
        """
        dtype = one_dtype(_dtype, dtype)
        result: BatchRecords | NumpyBatchRecords = await call(
            self._core.batch_operate,
            *(keys, ops, policy_batch, policy_batch_write, ttl, dtype, fields, casting, errors, out),
        )
        if isinstance(result, BatchRecords) and _native.only_read(ops):
            warn_of_failed_reads(result, only_reads=True)
        return result

    async def batch_remove(
        self,
        keys: Keys,
        policy_batch: BatchPolicy | None = None,
        policy_batch_remove: BatchRemovePolicy | None = None,
    ) -> BatchRecords:
        """Like :meth:`Client.batch_remove`, awaited.

        Example:
            >>> [row.result for row in await client.batch_remove([("test", "users", 1)])]
            [0]
        """
        result: BatchRecords = await call(self._core.batch_remove, keys, policy_batch, policy_batch_remove)
        return result
