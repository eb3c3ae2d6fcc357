"""Batch reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from .._finish import warn_of_failed_rows
from .._read_bins import warn_of_unread
from .._utils.dtypes import is_by_set, one_dtype
from .._utils.event_loop import call
from ..records import BatchRecords
from .sets import by_set

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from .. import _native
    from .._types import Casting, Errors, Keys, Paths, Project
    from ..numpy_batch import NumpyBatchRecords
    from ..types import BatchPolicy


SetT = TypeVar("SetT", bound="str | tuple[str, str | None] | None")


class BatchReadCommands:
    """Batch reads, for ``Client``."""

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
    def batch_read(  # type: ignore[overload-overlap]  # a dict of dtypes is a dtype, too
        self,
        keys: Keys,
        bins: Sequence[str] | None = None,
        policy: BatchPolicy | None = None,
        *,
        _dtype: Mapping[SetT, npt.DTypeLike],
        casting: Casting = "unsafe",
        errors: Errors = "raise",
        out: Mapping[SetT, npt.NDArray[Any]] | None = None,
        paths: Mapping[SetT, Paths] | None = None,
        project: Project = "client",
    ) -> dict[SetT, NumpyBatchRecords]: ...

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
        paths: Paths | None = None,
        project: Project = "client",
    ) -> NumpyBatchRecords: ...

    @overload
    def batch_read(
        self,
        keys: Keys,
        bins: Sequence[str] | None = None,
        policy: BatchPolicy | None = None,
        *,
        dtype: npt.DTypeLike,
        casting: Casting = "unsafe",
        errors: Errors = "raise",
        out: npt.NDArray[Any] | None = None,
        paths: Paths | None = None,
        project: Project = "client",
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
        paths: Paths | None = None,
        project: Project = "client",
    ) -> NumpyBatchRecords: ...

    def batch_read(
        self,
        keys: Keys,
        bins: Sequence[str] | None = None,
        policy: BatchPolicy | None = None,
        _dtype: npt.DTypeLike | Mapping[Any, npt.DTypeLike] | None = None,
        *,
        casting: Casting = "unsafe",
        errors: Errors = "raise",
        out: npt.NDArray[Any] | Mapping[Any, npt.NDArray[Any]] | None = None,
        paths: Paths | Mapping[Any, Paths] | None = None,
        project: Project = "client",
        dtype: npt.DTypeLike | Mapping[Any, npt.DTypeLike] | None = None,
    ) -> BatchRecords | NumpyBatchRecords | dict[Any, NumpyBatchRecords]:
        """Reads many records. With ``_dtype``, reads them into NumPy arrays.

        Args:
            keys: n ``(namespace, set, primary_key)`` tuples, or :class:`~aerospike_py.Keys`.
            bins: names of the bins to read. None reads the bins that the dtype has fields for, or all bins
                without a dtype. Fields of other bins stay zero.
                ``[]`` reads no bins, only generations and times to live; records are then ``(key, meta)``.
            policy: batch policy (``total_timeout``, ``max_retries``, ``replica`` ...).
            _dtype: structured dtype whose field names are bin names. Values go from the socket straight into
                an array of this dtype. A field that is itself structured takes a map: each of its fields
                takes the value under the key that is its name, to a depth of 16. Or a dtype for each set, as
                ``{"users": dtype, ("test", "items"): dtype}``: a name stands for the set in every namespace,
                a tuple counts more than a name, and None is the key of records without a set. ``out`` and
                ``paths`` are then mappings by the same keys.
            casting: ``"unsafe"`` changes values to fit their fields, counts the changes and warns.
                ``"same_value"`` makes every change a decode error.
            errors: ``"raise"`` raises ``BatchDecodeError``, which has the complete batch, if values do not
                fit their fields. ``"coerce"`` leaves their cells zero and not present.
            out: array of the dtype and shape ``(n,)`` to fill instead of a new one. It must not be resized
                during the call. After an exception, its contents are undefined.
            paths: where fields come from, by name: ``"bin"``, or ``("bin", step, ...)``. A step is a key of
                a map (str, bytes or int) or the index of a list (int, negative from the end). Such fields
                may have any name; the other fields come from the bin of their name. ``bins`` compares with
                bins.
            project: ``"client"``: the server sends bins whole, and values are picked while they are decoded.
                ``"server"``: the server picks the values of nested fields and ``paths``, so that only these
                travel; records in which it cannot are read a second time. The result is the same.
            dtype: the same as ``_dtype``.

        Returns:
            With a dtype, :class:`~aerospike_py.NumpyBatchRecords`; otherwise
            :class:`~aerospike_py.BatchRecords`. Either has one row per key, in the order of the keys. If rows
            failed (a missing record is not a failure), a ``RuntimeWarning`` names the causes;
            ``raise_for_failures()`` of the result raises an error instead. With a dtype for each set, a dict
            by the same keys, whose results are as if each set was read alone.

        Raises:
            TypeError, ValueError: an argument is invalid. Nothing was sent.
            BatchDecodeError: values do not fit their fields.
            TimeoutError, ConnectionError, ...: no row was answered. The class is that of the most common
                cause.

        Example:
            >>> batch = client.batch_read(keys, _dtype=np.dtype([("visits", "i8"), ("age", "f4")]))
            >>> batch.batch_records["age"].tolist(), batch.result_codes.tolist()
            ([36.0, 41.0, 0.0], [0, 0, 2])
            >>> [row.record.bins for row in client.batch_read(keys, ["name"]) if row.result == 0]
            [{'name': 'Ada'}, {'name': 'Bea'}]
        """
        dtype = one_dtype(_dtype, dtype)
        if is_by_set(dtype):
            sets = by_set(cast("Mapping[Any, Any]", dtype), paths, out)
            if bins is not None:
                warn_of_unread("bins", bins, ((each[3], each[4]) for each in sets), "field")
            of_sets: dict[Any, NumpyBatchRecords] = self._core.batch_read_sets(
                None, keys, bins, policy, sets, casting, errors, project
            )
            return of_sets
        if bins is not None and dtype is not None:
            warn_of_unread("bins", bins, ((dtype, paths),), "field")
        result: BatchRecords | NumpyBatchRecords = self._core.batch_read(
            None, keys, bins, policy, dtype, casting, errors, out, paths, project
        )
        if isinstance(result, BatchRecords):
            warn_of_failed_rows(result)
        return result

    def _read_records(self, keys: Keys, bins: Sequence[str] | None) -> BatchRecords:
        """Reads records without a warning of those that failed, for callers that look at each row."""
        result: BatchRecords = self._core.batch_read(
            None, keys, bins, None, None, "unsafe", "raise", None, None, "client"
        )
        return result


class AsyncBatchReadCommands:
    """Batch reads, for ``AsyncClient``."""

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
    async def batch_read(  # type: ignore[overload-overlap]  # a dict of dtypes is a dtype, too
        self,
        keys: Keys,
        bins: Sequence[str] | None = None,
        policy: BatchPolicy | None = None,
        *,
        _dtype: Mapping[SetT, npt.DTypeLike],
        casting: Casting = "unsafe",
        errors: Errors = "raise",
        out: Mapping[SetT, npt.NDArray[Any]] | None = None,
        paths: Mapping[SetT, Paths] | None = None,
        project: Project = "client",
    ) -> dict[SetT, NumpyBatchRecords]: ...

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
        paths: Paths | None = None,
        project: Project = "client",
    ) -> NumpyBatchRecords: ...

    @overload
    async def batch_read(
        self,
        keys: Keys,
        bins: Sequence[str] | None = None,
        policy: BatchPolicy | None = None,
        *,
        dtype: npt.DTypeLike,
        casting: Casting = "unsafe",
        errors: Errors = "raise",
        out: npt.NDArray[Any] | None = None,
        paths: Paths | None = None,
        project: Project = "client",
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
        paths: Paths | None = None,
        project: Project = "client",
    ) -> NumpyBatchRecords: ...

    async def batch_read(
        self,
        keys: Keys,
        bins: Sequence[str] | None = None,
        policy: BatchPolicy | None = None,
        _dtype: npt.DTypeLike | Mapping[Any, npt.DTypeLike] | None = None,
        *,
        casting: Casting = "unsafe",
        errors: Errors = "raise",
        out: npt.NDArray[Any] | Mapping[Any, npt.NDArray[Any]] | None = None,
        paths: Paths | Mapping[Any, Paths] | None = None,
        project: Project = "client",
        dtype: npt.DTypeLike | Mapping[Any, npt.DTypeLike] | None = None,
    ) -> BatchRecords | NumpyBatchRecords | dict[Any, NumpyBatchRecords]:
        """Like :meth:`Client.batch_read`, awaited.

        Once a cancelled call has raised, nothing writes into ``out`` any more.

        Example:
            >>> batch = await client.batch_read(keys, _dtype=np.dtype([("visits", "i8")]))
            >>> batch.batch_records["visits"].tolist()
            [7, 0, 0]
        """
        dtype = one_dtype(_dtype, dtype)
        if is_by_set(dtype):
            sets = by_set(cast("Mapping[Any, Any]", dtype), paths, out)
            if bins is not None:
                warn_of_unread("bins", bins, ((each[3], each[4]) for each in sets), "field")
            of_sets: dict[Any, NumpyBatchRecords] = await call(
                self._core.batch_read_sets, keys, bins, policy, sets, casting, errors, project
            )
            return of_sets
        if bins is not None and dtype is not None:
            warn_of_unread("bins", bins, ((dtype, paths),), "field")
        result: BatchRecords | NumpyBatchRecords = await call(
            self._core.batch_read, keys, bins, policy, dtype, casting, errors, out, paths, project
        )
        if isinstance(result, BatchRecords):
            warn_of_failed_rows(result)
        return result

    async def _read_records(self, keys: Keys, bins: Sequence[str] | None) -> BatchRecords:
        result: BatchRecords = await call(
            self._core.batch_read, keys, bins, None, None, "unsafe", "raise", None, None, "client"
        )
        return result
