"""Batch reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from .._utils.event_loop import call

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from .. import _native
    from .._types import Casting, Errors, Keys
    from ..numpy_batch import NumpyBatchRecords
    from ..records import BatchRecords
    from ..types import BatchPolicy


class BatchReads:
    """Batch reads, waited for."""

    _core: _native.Core

    @overload
    def batch_read(
        self,
        keys: Keys,
        bins: Sequence[str] | None = None,
        policy: BatchPolicy | None = None,
        _dtype: None = None,
    ) -> BatchRecords: ...

    @overload
    def batch_read(
        self,
        keys: Keys,
        bins: Sequence[str] | None = None,
        policy: BatchPolicy | None = None,
        *,
        _dtype: npt.DTypeLike,
        casting: Casting = "unsafe",
        errors: Errors = "raise",
        out: npt.NDArray[Any] | None = None,
    ) -> NumpyBatchRecords: ...

    @overload
    def batch_read(
        self,
        keys: Keys,
        bins: Sequence[str] | None,
        policy: BatchPolicy | None,
        _dtype: npt.DTypeLike,
        *,
        casting: Casting = "unsafe",
        errors: Errors = "raise",
        out: npt.NDArray[Any] | None = None,
    ) -> NumpyBatchRecords: ...

    def batch_read(
        self,
        keys: Keys,
        bins: Sequence[str] | None = None,
        policy: BatchPolicy | None = None,
        _dtype: npt.DTypeLike | None = None,
        *,
        casting: Casting = "unsafe",
        errors: Errors = "raise",
        out: npt.NDArray[Any] | None = None,
    ) -> BatchRecords | NumpyBatchRecords:
        """Reads many records, into NumPy arrays where a dtype is given.

        Args:
            keys: ``(namespace, set, primary_key)`` tuples, or :class:`~aerospike_py.Keys`.
            bins: names of the bins to read; None reads those that the dtype has fields for (all of them
                without a dtype), ``[]`` none: headers only.
            policy: batch policy (``total_timeout``, ``max_retries``, ``replica`` ...).
            _dtype: structured dtype whose field names are bin names. Values are written from the wire
                into an array of it.
            casting: ``"unsafe"`` lets values change to fit, counts them and warns; ``"same_value"``
                makes every change an error.
            errors: ``"raise"`` raises ``BatchDecodeError`` (with the complete batch) for values that
                their field cannot take; ``"coerce"`` leaves such cells zero and not present.
            out: array of the dtype, one row a key, to fill instead of a new one. It must not be resized
                during the call; after an exception its content is undefined.

        Returns:
            :class:`~aerospike_py.NumpyBatchRecords` with a dtype, else
            :class:`~aerospike_py.BatchRecords`.

        Raises:
            TypeError, ValueError: keys, dtype or ``out`` are refused before anything is sent.
            BatchDecodeError: values do not fit their fields.
            TimeoutError, ConnectionError, ...: no row was answered; the most common cause.

        Example:
            >>> batch = client.batch_read(keys, _dtype=np.dtype([("visits", "i8"), ("age", "f4")]))
            >>> batch.batch_records["age"].tolist(), batch.result_codes.tolist()
            ([36.0, 41.0, 0.0], [0, 0, 2])
            >>> [row.record.bins for row in client.batch_read(keys, ["name"]) if row.result == 0]
            [{'name': 'Ada'}, {'name': 'Bea'}]
        """
        result: BatchRecords | NumpyBatchRecords = self._core.batch_read(
            None, keys, bins, policy, _dtype, casting, errors, out
        )
        return result


class AsyncBatchReads:
    """Batch reads, awaited."""

    _core: _native.Core

    @overload
    async def batch_read(
        self,
        keys: Keys,
        bins: Sequence[str] | None = None,
        policy: BatchPolicy | None = None,
        _dtype: None = None,
    ) -> BatchRecords: ...

    @overload
    async def batch_read(
        self,
        keys: Keys,
        bins: Sequence[str] | None = None,
        policy: BatchPolicy | None = None,
        *,
        _dtype: npt.DTypeLike,
        casting: Casting = "unsafe",
        errors: Errors = "raise",
        out: npt.NDArray[Any] | None = None,
    ) -> NumpyBatchRecords: ...

    @overload
    async def batch_read(
        self,
        keys: Keys,
        bins: Sequence[str] | None,
        policy: BatchPolicy | None,
        _dtype: npt.DTypeLike,
        *,
        casting: Casting = "unsafe",
        errors: Errors = "raise",
        out: npt.NDArray[Any] | None = None,
    ) -> NumpyBatchRecords: ...

    async def batch_read(
        self,
        keys: Keys,
        bins: Sequence[str] | None = None,
        policy: BatchPolicy | None = None,
        _dtype: npt.DTypeLike | None = None,
        *,
        casting: Casting = "unsafe",
        errors: Errors = "raise",
        out: npt.NDArray[Any] | None = None,
    ) -> BatchRecords | NumpyBatchRecords:
        """As :meth:`Client.batch_read`, awaited.

        A cancelled call has stopped writing into ``out`` before the cancellation is seen.

        Example:
            >>> batch = await client.batch_read(keys, _dtype=np.dtype([("visits", "i8")]))
            >>> batch.batch_records["visits"].tolist()
            [7, 0, 0]
        """
        result: BatchRecords | NumpyBatchRecords = await call(
            self._core.batch_read, keys, bins, policy, _dtype, casting, errors, out
        )
        return result
