"""The two kinds of query: for ``Client`` and for ``AsyncClient``."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._utils.describe import describe
from .._utils.dtypes import one_dtype
from .._utils.other_names import refuse_iter, refuses_unknown_attributes
from .._wrong_calls import methods_explain_wrong_calls, methods_name_their_class
from ..exception import ClientError, ParamTypeError, QueryDecodeError
from .arrays import AsyncNumpyBatches, NumpyBatches, NumpyRun, checked, read_all, read_all_async
from .arrow import ArrowBatches, ArrowRun, AsyncArrowBatches
from .arrow import read_all as read_all_columns
from .arrow import read_all_async as read_all_columns_async
from .background import AsyncBackgroundRuns, BackgroundRuns
from .base import has_partition_filter
from .records import AsyncQueryRecords, QueryRecords

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from .._types import ArrowSchema, Casting, Errors, MetaColumns, Paths, Project
    from ..arrow_records import ArrowRecords
    from ..numpy_query import NumpyQueryRecords
    from ..records import Record
    from ..types import QueryPolicy

_PARTITIONS = 4096


def _partition_of(record: Record) -> int:
    return int.from_bytes(record.key.digest[:2], "little") % _PARTITIONS


def _check_callback(callback: object) -> None:
    if not callable(callback):
        what = f"callback is {describe(callback)}; it must be a function that takes a record"
        # The code that the official client has for it.
        raise ParamTypeError(what, ClientError.code)


@refuses_unknown_attributes
@methods_explain_wrong_calls
@methods_name_their_class
class Query(BackgroundRuns):
    """A query, created by :meth:`Client.query`. Iterate over it to run it.

    Example:
        >>> for key, meta, bins in client.query("test", "users"):
        ...     print(bins["name"], meta["gen"])
        Ada 1
        Bea 1
    """

    def results(
        self, policy: QueryPolicy | None = None, options: Mapping[str, bool] | None = None
    ) -> list[Record]:
        """Runs the query and returns all its records.

        Args:
            policy: query policy (``total_timeout``, ``max_retries``, ``partition_filter`` ...).
            options: ``{"nobins": True}`` reads no bins.

        Returns:
            A list of named tuples ``(key, meta, bins)``. ``key.key`` is the primary key if the server stored
            it, otherwise None.

        Raises:
            AerospikeError: the query failed. Records that arrived before the failure are not returned, and
                the query's position is what it was before the call. To get records as they arrive, use
                :meth:`records`.
            QueryDecodeError: Python cannot represent some of the records. Its ``records`` has all others.

        Example:
            >>> len(client.query("test", "users").results({"total_timeout": 10_000}))
            2
        """
        records = self.records(policy, options)
        found: list[Record] = []
        try:
            while (block := records._rest()) is not None:
                found += block
                records._used += len(block)
        except QueryDecodeError as error:
            error.records = found
            raise
        except BaseException:
            records._rewind()
            raise
        return found

    def foreach(
        self,
        callback: Callable[..., Any],
        policy: QueryPolicy | None = None,
        options: Mapping[str, bool] | None = None,
    ) -> None:
        """Runs the query and calls a function with each record as it arrives.

        Args:
            callback: called as ``callback(record)``, or as ``callback(partition, record)`` if the policy has
                a ``partition_filter``. The query ends when it returns False or raises; if the query is
                continued, it begins with this record.
            policy: query policy, as in :meth:`results`.
            options: as in :meth:`results`.

        Raises:
            AerospikeError: the query failed. Exceptions of ``callback`` are raised unchanged.
            QueryDecodeError: Python cannot represent some of the records. ``callback`` was called with all
                others.

        Example:
            >>> client.query("test", "users").foreach(lambda record: print(record.bins["name"]))
            Ada
            Bea
        """
        _check_callback(callback)
        with_partition = has_partition_filter(policy)
        with self.records(policy, options) as records:
            while (block := records._rest()) is not None:
                for record in block:
                    records._used += 1
                    answer = callback(_partition_of(record), record) if with_partition else callback(record)
                    if answer is False:
                        return

    def records(
        self, policy: QueryPolicy | None = None, options: Mapping[str, bool] | None = None
    ) -> QueryRecords:
        """Runs the query and iterates over its records. Iterating over the query does the same, without a
        policy.

        Args:
            policy: query policy, as in :meth:`results`.
            options: as in :meth:`results`.

        Returns:
            An iterator over named tuples ``(key, meta, bins)``. Use it as a context manager, or close it.

        Example:
            >>> with client.query("test").records({"socket_timeout": 5_000}) as records:
            ...     first = next(records)
        """
        return QueryRecords(self, policy, options)

    def to_numpy(
        self,
        _dtype: npt.DTypeLike | None = None,
        *,
        paths: Paths | None = None,
        casting: Casting = "unsafe",
        errors: Errors = "raise",
        policy: QueryPolicy | None = None,
        project: Project = "client",
        dtype: npt.DTypeLike | None = None,
    ) -> NumpyQueryRecords:
        """Runs the query and reads its records into one NumPy array.

        Each value is written from the socket into the array, without an object for each record. Every record
        of the query is a row, also one that has none of the bins; :meth:`select` narrows the fields to be
        filled, as ``bins`` does in :meth:`Client.batch_read`. The records come in no order.

        Args:
            _dtype: structured dtype. Each field takes the bin of its name.
            paths: where fields come from, if not from the bin of their name, as in :meth:`Client.batch_read`.
            casting: ``"unsafe"`` or ``"same_value"``, as in :meth:`Client.batch_read`.
            errors: ``"raise"`` or ``"coerce"``, as in :meth:`Client.batch_read`.
            policy: query policy, as in :meth:`results`.
            project: ``"client"``: values are picked out of maps and lists while they are decoded.
            dtype: the same as ``_dtype``.

        Returns:
            The arrays, of shape ``(n,)``, contiguous.

        Raises:
            AerospikeError: the query failed. ``batch`` has the records that came before. They count as taken:
                a query that continues begins behind them.
            BatchDecodeError: values do not fit their fields. ``batch`` has all records; ``failures`` names
                them by digest.
            MemoryError: there is no memory for all records. ``batch`` has those for which there is.

        Example:
            >>> dtype = np.dtype([("name", "S8"), ("visits", "i8")])
            >>> records = client.query("test", "users").to_numpy(dtype)
            >>> sorted(records["name"].tolist())
            [b'Ada', b'Bea']
        """
        run = NumpyRun(self, one_dtype(_dtype, dtype), casting, errors, None, policy, None, paths, project)
        return read_all(run)

    def numpy_batches(
        self,
        _dtype: npt.DTypeLike | None = None,
        rows: int = 65_536,
        *,
        paths: Paths | None = None,
        out: npt.NDArray[Any] | None = None,
        casting: Casting = "unsafe",
        errors: Errors = "raise",
        policy: QueryPolicy | None = None,
        project: Project = "client",
        dtype: npt.DTypeLike | None = None,
    ) -> NumpyBatches:
        """Runs the query and iterates over its records in NumPy arrays, in blocks of rows. Memory is bounded
        by a few blocks, whatever the size of the set.

        Args:
            _dtype: structured dtype, as in :meth:`to_numpy`.
            rows: the maximum number of rows of a block. All blocks but the last have that many, unless there
                is no memory for them.
            paths: as in :meth:`to_numpy`.
            out: array of ``_dtype`` into which each block is written, at most ``len(out)`` rows. A block is
                then a view of it, valid until the next one is asked for; nodes wait meanwhile.
            casting: as in :meth:`to_numpy`.
            errors: as in :meth:`to_numpy`. A block whose values do not fit raises with ``batch``; asking
                again continues with the next block.
            policy: query policy, as in :meth:`results`.
            project: ``"client"``: values are picked out of maps and lists while they are decoded.
            dtype: the same as ``_dtype``.

        Returns:
            An iterator over :class:`NumpyQueryRecords`. Use it as a context manager, or close it.

        Example:
            >>> dtype = np.dtype([("visits", "i8")])
            >>> with client.query("test", "users").numpy_batches(dtype, rows=1000) as batches:
            ...     [len(block) for block in batches]
            [2]
        """
        return NumpyBatches(
            self, one_dtype(_dtype, dtype), casting, errors, checked(rows), policy, out, paths, project
        )

    def to_arrow(
        self,
        schema: ArrowSchema | None = None,
        *,
        paths: Paths | None = None,
        meta: MetaColumns = (),
        casting: Casting = "same_value",
        errors: Errors = "raise",
        policy: QueryPolicy | None = None,
    ) -> ArrowRecords:
        """Runs the query and reads its records into Arrow columns.

        Every record of the query is a row, also one that has none of the bins; :meth:`select` narrows the
        columns to be filled. The records come in no order.

        Args:
            schema: the columns, as in :meth:`Client.batch_read_arrow`. None infers them from the first
                65,536 records; what does not fit later is a decode error.
            paths: where columns come from, if not from the bin of their name, as in :meth:`to_numpy`.
            meta: columns about records, as in :meth:`Client.batch_read_arrow`: ``"key"`` (the stored primary
                key), ``"digest"``, ``"set"``, ``"gen"``, ``"ttl"``.
            casting: ``"same_value"`` or ``"unsafe"``, as in :meth:`Client.batch_read_arrow`.
            errors: ``"raise"`` or ``"coerce"``, as in :meth:`Client.batch_read_arrow`.
            policy: query policy, as in :meth:`results`.

        Returns:
            :class:`~aerospike_py.ArrowRecords`: record batches of at most 65,536 rows.

        Raises:
            AerospikeError: the query failed. ``batch`` has the records that came before. They count as taken:
                a query that continues begins behind them.
            BatchDecodeError: values do not fit their columns. ``batch`` has all records; ``failures`` names
                them by digest.
            ClientError: no columns can be inferred, because bins mix types.

        Example:
            >>> records = client.query("test", "users").to_arrow({"name": "utf8", "visits": "int64"})
            >>> sorted(records.to_pyarrow()["name"].to_pylist())
            ['Ada', 'Bea']
        """
        return read_all_columns(ArrowRun(self, schema, casting, errors, None, paths, meta, policy))

    def arrow_batches(
        self,
        schema: ArrowSchema | None = None,
        rows: int = 65_536,
        *,
        paths: Paths | None = None,
        meta: MetaColumns = (),
        casting: Casting = "same_value",
        errors: Errors = "raise",
        policy: QueryPolicy | None = None,
    ) -> ArrowBatches:
        """Runs the query and iterates over its records in Arrow columns, in blocks of rows. Memory is bounded
        by a few blocks, whatever the size of the set.

        Args:
            schema: the columns, as in :meth:`to_arrow`. None infers them from the first block.
            rows: the maximum number of rows of a block. All blocks but the last have that many.
            paths: as in :meth:`to_arrow`.
            meta: as in :meth:`to_arrow`.
            casting: as in :meth:`to_arrow`.
            errors: as in :meth:`to_arrow`. A block whose values do not fit raises with ``batch``; asking
                again continues with the next block.
            policy: query policy, as in :meth:`results`.

        Returns:
            An iterator over :class:`ArrowRecords`, which also exports itself as one Arrow stream. Use it as a
            context manager, or close it.

        Example:
            >>> import pyarrow as pa
            >>> batches = client.query("test", "users").arrow_batches({"visits": "int64"})
            >>> pa.RecordBatchReader.from_stream(batches).read_all().num_rows
            2
        """
        return ArrowBatches(self, schema, casting, errors, checked(rows), paths, meta, policy)

    def __iter__(self) -> QueryRecords:
        return self.records()


@refuses_unknown_attributes
@methods_name_their_class
class AsyncQuery(AsyncBackgroundRuns):
    """A query, created by :meth:`AsyncClient.query`. Iterate over it to run it.

    Example:
        >>> async for key, meta, bins in client.query("test", "users"):
        ...     print(bins["name"], meta["gen"])
        Ada 1
        Bea 1
    """

    async def results(
        self, policy: QueryPolicy | None = None, options: Mapping[str, bool] | None = None
    ) -> list[Record]:
        """Like :meth:`Query.results`, awaited.

        Example:
            >>> len(await client.query("test", "users").results())
            2
        """
        records = self.records(policy, options)
        found: list[Record] = []
        try:
            while (block := await records._rest()) is not None:
                found += block
                records._used += len(block)
        except QueryDecodeError as error:
            error.records = found
            raise
        except BaseException:
            records._rewind()
            raise
        return found

    async def foreach(
        self,
        callback: Callable[..., Any],
        policy: QueryPolicy | None = None,
        options: Mapping[str, bool] | None = None,
    ) -> None:
        """Like :meth:`Query.foreach`, awaited. ``callback`` may be a coroutine function.

        Example:
            >>> await client.query("test", "users").foreach(lambda record: print(record.bins["name"]))
            Ada
            Bea
        """
        _check_callback(callback)
        with_partition = has_partition_filter(policy)
        async with self.records(policy, options) as records:
            while (block := await records._rest()) is not None:
                for record in block:
                    records._used += 1
                    answer = callback(_partition_of(record), record) if with_partition else callback(record)
                    if inspect.isawaitable(answer):
                        answer = await answer
                    if answer is False:
                        return

    def records(
        self, policy: QueryPolicy | None = None, options: Mapping[str, bool] | None = None
    ) -> AsyncQueryRecords:
        """Like :meth:`Query.records`, for ``async for``.

        Example:
            >>> async for record in client.query("test", "users").records({"socket_timeout": 5_000}):
            ...     print(record.bins["name"])
            Ada
            Bea
        """
        return AsyncQueryRecords(self, policy, options)

    async def to_numpy(
        self,
        _dtype: npt.DTypeLike | None = None,
        *,
        paths: Paths | None = None,
        casting: Casting = "unsafe",
        errors: Errors = "raise",
        policy: QueryPolicy | None = None,
        project: Project = "client",
        dtype: npt.DTypeLike | None = None,
    ) -> NumpyQueryRecords:
        """Like :meth:`Query.to_numpy`, awaited.

        Example:
            >>> dtype = np.dtype([("visits", "i8")])
            >>> len(await client.query("test", "users").to_numpy(dtype))
            2
        """
        run = NumpyRun(self, one_dtype(_dtype, dtype), casting, errors, None, policy, None, paths, project)
        return await read_all_async(run)

    def numpy_batches(
        self,
        _dtype: npt.DTypeLike | None = None,
        rows: int = 65_536,
        *,
        paths: Paths | None = None,
        out: npt.NDArray[Any] | None = None,
        casting: Casting = "unsafe",
        errors: Errors = "raise",
        policy: QueryPolicy | None = None,
        project: Project = "client",
        dtype: npt.DTypeLike | None = None,
    ) -> AsyncNumpyBatches:
        """Like :meth:`Query.numpy_batches`, for ``async for``.

        Example:
            >>> dtype = np.dtype([("visits", "i8")])
            >>> async with client.query("test", "users").numpy_batches(dtype) as batches:
            ...     [len(block) async for block in batches]
            [2]
        """
        return AsyncNumpyBatches(
            self, one_dtype(_dtype, dtype), casting, errors, checked(rows), policy, out, paths, project
        )

    async def to_arrow(
        self,
        schema: ArrowSchema | None = None,
        *,
        paths: Paths | None = None,
        meta: MetaColumns = (),
        casting: Casting = "same_value",
        errors: Errors = "raise",
        policy: QueryPolicy | None = None,
    ) -> ArrowRecords:
        """Like :meth:`Query.to_arrow`, awaited.

        Example:
            >>> len(await client.query("test", "users").to_arrow({"visits": "int64"}))
            2
        """
        run = ArrowRun(self, schema, casting, errors, None, paths, meta, policy)
        return await read_all_columns_async(run)

    def arrow_batches(
        self,
        schema: ArrowSchema | None = None,
        rows: int = 65_536,
        *,
        paths: Paths | None = None,
        meta: MetaColumns = (),
        casting: Casting = "same_value",
        errors: Errors = "raise",
        policy: QueryPolicy | None = None,
    ) -> AsyncArrowBatches:
        """Like :meth:`Query.arrow_batches`, for ``async for``.

        Example:
            >>> async with client.query("test", "users").arrow_batches({"visits": "int64"}) as batches:
            ...     [len(block) async for block in batches]
            [2]
        """
        return AsyncArrowBatches(self, schema, casting, errors, checked(rows), paths, meta, policy)

    def __aiter__(self) -> AsyncQueryRecords:
        return self.records()

    if not TYPE_CHECKING:  # Type checkers must report a plain `for`.
        __iter__ = refuse_iter
