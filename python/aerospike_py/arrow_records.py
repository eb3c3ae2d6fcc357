"""Results in Arrow columns."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from ._result_codes import ABOUT_RECORD, describe, failure
from ._utils.describe import counted

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import numpy.typing as npt
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from . import _native
    from ._types import BatchKeys, RecordLabels

# Columns that repr shows.
_SHOWN = 12


class ArrowRecords:
    """Records in Arrow columns, one row per record: of :meth:`Client.batch_read_arrow` in the order of the
    keys, of :meth:`Query.to_arrow` in no order.

    Libraries that speak Arrow take it as it is, without a copy of the columns: ``pyarrow.table(records)``,
    ``polars.DataFrame(records)``, ``duckdb.sql("select * from records")``. A bin that a record lacks is null.

    Attributes:
        decode_errors: number of values that do not fit their column. They are null.
        inexact: column to the number of its values that changed to fit, with ``casting="unsafe"``.

    Example:
        >>> records = client.batch_read_arrow(keys, {"name": "utf8", "visits": "int64"})
        >>> records
        <ArrowRecords 3 rows x 2 columns, 2 found, 1 missing: name: utf8, visits: int64>
        >>> records.result_codes.tolist()
        [0, 0, 2]
    """

    def __init__(
        self,
        table: _native.ArrowTable,
        rows: _native.RowMeta,
        inexact: dict[str, int],
        decode_errors: int,
        *,
        batch_keys: BatchKeys | None = None,
        labels: RecordLabels | None = None,
        has_sets: bool = False,
    ) -> None:
        self.inexact = inexact
        self.decode_errors = decode_errors
        self._table = table
        self._rows = rows
        self._bytes: dict[str, bytes] = {}
        self._batch_keys = batch_keys
        self._labels = labels
        self._has_sets = has_sets
        self._keys: list[Any] | None = None

    # -- for other libraries

    def __arrow_c_schema__(self) -> object:
        """The schema, for the Arrow C data interface."""
        return self._table.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The record batches, for the Arrow C stream interface."""
        return self._table.__arrow_c_stream__(requested_schema)

    def to_pyarrow(self) -> pa.Table:
        """The columns as a ``pyarrow.Table``, which shares their memory.

        Raises:
            ImportError: pyarrow is not installed.

        Example:
            >>> client.batch_read_arrow(keys, {"visits": "int64"}).to_pyarrow().column_names
            ['visits']
        """
        pyarrow = _library("pyarrow", "to_pyarrow()")
        return pyarrow.RecordBatchReader.from_stream(self).read_all()

    def to_polars(self) -> pl.DataFrame:
        """The columns as a ``polars.DataFrame``. polars copies text, and shares the memory of numbers.

        Raises:
            ImportError: polars is not installed.

        Example:
            >>> client.batch_read_arrow(keys, {"visits": "int64"}).to_polars()["visits"].to_list()
            [7, 0, None]
        """
        frame: pl.DataFrame = _library("polars", "to_polars()").DataFrame(self)
        return frame

    def to_pandas(self, **options: Any) -> pd.DataFrame:
        """The columns as a ``pandas.DataFrame``, made by pyarrow.

        Integers with nulls keep their type, because columns have pandas' Arrow types; ``types_mapper=None``
        makes columns of NumPy types, with which they become floats.

        Args:
            options: as for ``pyarrow.Table.to_pandas``.

        Raises:
            ImportError: pandas or pyarrow is not installed.

        Example:
            >>> client.batch_read_arrow(keys, {"visits": "int64"}).to_pandas()["visits"].tolist()
            [7, 0, <NA>]
        """
        pandas = _library("pandas", "to_pandas()")
        options.setdefault("types_mapper", pandas.ArrowDtype)
        frame: pd.DataFrame = self.to_pyarrow().to_pandas(**options)
        return frame

    def to_duckdb(self, connection: duckdb.DuckDBPyConnection | None = None) -> duckdb.DuckDBPyRelation:
        """The columns as a relation of DuckDB.

        Args:
            connection: the connection that the relation is of; None for DuckDB's default connection.

        Raises:
            ImportError: duckdb or pyarrow is not installed.

        Example:
            >>> client.batch_read_arrow(keys, {"visits": "int64"}).to_duckdb().sum("visits").fetchall()
            [(7,)]
        """
        duckdb = _library("duckdb", "to_duckdb()")
        return (duckdb if connection is None else connection).from_arrow(self.to_pyarrow())

    if not TYPE_CHECKING:  # Type checkers must report that there are no items.

        def __getitem__(self, index: Any) -> NoReturn:
            raise TypeError(
                f"{type(self).__name__} has no items; convert it first with to_pandas(), to_polars(), "
                f"to_pyarrow() or to_duckdb(), as in .to_pandas()[{index!r:.80}]"
            )

    # -- about rows

    def __len__(self) -> int:
        return len(self._table)

    @property
    def columns(self) -> list[tuple[str, str]]:
        """Name and type of each column.

        Example:
            >>> client.batch_read_arrow(keys, {"visits": "int64"}, meta=("gen",)).columns
            [('gen', 'uint32'), ('visits', 'int64')]
        """
        return self._table.columns()

    @property
    def schema_names(self) -> list[str]:
        """Names of the columns.

        Example:
            >>> client.batch_read_arrow(keys, {"visits": "int64"}).schema_names
            ['visits']
        """
        return [name for name, _ in self._table.columns()]

    @property
    def nbytes(self) -> int:
        """Bytes of the columns in memory.

        Example:
            >>> client.batch_read_arrow(keys, {"visits": "int64"}).nbytes > 0
            True
        """
        return self._table.nbytes()

    @property
    def meta(self) -> npt.NDArray[Any]:
        """Structured array ``[("gen", "u4"), ("ttl", "u4")]``, shape ``(n,)``. ``ttl`` is the time to live in
        seconds: at least 1, ``0xFFFFFFFF`` if the record never expires, 0 for a row without a record.

        Example:
            >>> client.batch_read_arrow(keys, {"visits": "int64"}).meta["gen"].tolist()
            [1, 1, 0]
        """
        import numpy as np

        return np.frombuffer(self._bytes_of("meta"), dtype=[("gen", "u4"), ("ttl", "u4")])

    @property
    def result_codes(self) -> npt.NDArray[np.int32]:
        """``int32`` array, shape ``(n,)``: 0 found, 2 not found, 27 filtered out, or another code of the
        server. The client's own codes are negative.

        Raises:
            AttributeError: the result is that of a query, whose rows are all records.

        Example:
            >>> client.batch_read_arrow(keys, {"visits": "int64"}).result_codes.tolist()
            [0, 0, 2]
        """
        import numpy as np

        if self._batch_keys is None:
            raise AttributeError("results of queries have no result codes: all their rows are records")
        return np.frombuffer(self._bytes_of("result_codes"), dtype=np.int32)

    @property
    def ok(self) -> npt.NDArray[np.bool_]:
        """bool array, shape ``(n,)``: True where the record was found (``result_codes == 0``).

        Example:
            >>> client.batch_read_arrow(keys, {"visits": "int64"}).ok.tolist()
            [True, True, False]
        """
        import numpy as np

        if self._batch_keys is None:
            return np.ones(len(self), dtype=np.bool_)
        ok: npt.NDArray[np.bool_] = self.result_codes == 0
        return ok

    @property
    def digests(self) -> npt.NDArray[np.void]:
        """Array of 20-byte voids (``V20``), shape ``(n,)``: the digests of a query's records.

        Raises:
            AttributeError: the result is that of a batch.

        Example:
            >>> client.query("test", "users").to_arrow({"visits": "int64"}).digests.shape
            (2,)
        """
        import numpy as np

        if self._batch_keys is not None:
            raise AttributeError(
                'results of batches have no digests; pass meta=("digest",) for a column of them'
            )
        return np.frombuffer(self._bytes_of("digests"), dtype="V20")

    @property
    def sets(self) -> list[str | None]:
        """The sets of a query's records, None for a record without a set.

        Raises:
            AttributeError: the result is not that of a query of a whole namespace.

        Example:
            >>> client.query("test").to_arrow({"visits": "int64"}).sets
            ['users', 'users']
        """
        if self._labels is None or not self._has_sets:
            raise AttributeError(
                'only queries of a whole namespace have sets; pass meta=("set",) for a column'
            )
        return self._labels.sets()

    def keys(self) -> list[Any]:
        """The primary keys by row: those of the batch, or those that servers have stored, None where none is.

        Example:
            >>> client.batch_read_arrow(keys, {"visits": "int64"}).keys()
            [1, 2, 3]
        """
        if self._keys is None:
            source = self._batch_keys.primary_keys if self._batch_keys is not None else None
            if source is None:
                self._keys = [] if self._labels is None else self._labels.keys()
            else:
                self._keys = source()
        return self._keys

    def raise_for_failures(self) -> None:
        """Raises an error if any row failed, that is, has a result code other than 0, 2 or 27.

        Raises:
            AerospikeError: the class is that of the most frequent code. ``batch`` is this result.

        Example:
            >>> client.batch_read_arrow(keys, {"visits": "int64"}).raise_for_failures()
        """
        if self._batch_keys is None:
            return
        codes = self._codes()
        failed = [(row, code) for row, code in enumerate(codes) if code not in ABOUT_RECORD]
        if failed:
            raise failure(
                Counter(code for _, code in failed),
                f"{len(failed)} of {len(self)} rows failed",
                f"the first is row {failed[0][0]}, {self._row_name(failed[0][0])}; the others are in .batch",
                False,
                self,
            )

    def _has_records(self) -> bool:
        """Whether any row is a record."""
        return len(self) > 0 if self._batch_keys is None else 0 in self._codes()

    def _codes(self) -> list[int]:
        return memoryview(self._bytes_of("result_codes")).cast("i").tolist()

    def _row_name(self, row: int) -> str:
        if self._batch_keys is not None:
            return f"key {self._row_id(row)!r}"
        return f"the record with the digest {self._row_id(row).hex()}"

    def _row_id(self, row: int) -> Any:
        """What identifies a row's record in ``BatchDecodeError.failures``: its primary key or digest."""
        if self._batch_keys is not None:
            return self._batch_keys.primary_key(row)
        return self._bytes_of("digests")[20 * row : 20 * row + 20]

    def _bytes_of(self, what: Literal["meta", "result_codes", "digests"]) -> bytes:
        """What is known about the rows, which most callers do not look at: copied when it is."""
        found = self._bytes.get(what)
        if found is None:
            found = self._bytes[what] = getattr(self._rows, what)()
        return found

    def __repr__(self) -> str:
        columns = self.columns
        parts = [f"{counted(len(self), 'row')} x {counted(len(columns), 'column')}"]
        if self._batch_keys is not None:
            parts += describe(Counter(self._codes()), "found")
        if self.inexact:
            parts.append(f"inexact={self.inexact!r}")
        if self.decode_errors:
            parts.append(f"decode_errors={self.decode_errors}")
        shown = ", ".join(f"{name}: {kind}" for name, kind in columns[:_SHOWN])
        more = f", and {len(columns) - _SHOWN} more" if len(columns) > _SHOWN else ""
        return f"<{type(self).__name__} {', '.join(parts)}: {shown}{more}>"

    def _repr_html_(self) -> str:
        from ._export.html import arrow_rows, objects

        parts = repr(self)[1:-1].partition(": ")[0]
        rows = arrow_rows(self)
        types = {name: f"<{kind}>" for name, kind in self.columns}
        note = "" if rows or not len(self) else "install pyarrow to see the first rows here"
        return objects(parts, list(types), [types, *rows], len(self) + 1, note)

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} cannot be pickled or copied; pickle to_pyarrow() instead")


def _library(name: str, method: str) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(f"{method} needs {name}: pip install {name}", name=name) from error
