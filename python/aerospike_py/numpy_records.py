"""What results in NumPy arrays have in common, whether a batch read or a query made them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from ._leaves import bools, find, leaves, spread
from ._utils.describe import counted
from ._utils.other_names import no_attribute

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import numpy.typing as npt
    import pandas as pd


# Methods of other results and of frames, and what to use instead.
_INSTEAD = {
    "to_arrow": "pyarrow.table(records)",
    "to_dict": "to_pandas().to_dict()",
    "to_duckdb": "duckdb.from_arrow(pyarrow.table(records))",
    "to_numpy": "batch_records, the structured array",
    "to_polars": "polars.DataFrame(records)",
    "to_pyarrow": "pyarrow.table(records)",
}


class MissingFieldWarning(RuntimeWarning):
    """No record found by a read has a value for a field. Its name, or a part of its path, may be wrong.

    If no record was found at all, as in a wrong set, there is no warning: ``ok`` of the result says so. A
    client warns once about each field, for reads of the same bins from the same sets. Ignore the warning if
    bins are optional.

    Example:
        >>> import warnings
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore", MissingFieldWarning)
        ...     batch = client.batch_read(keys, _dtype=np.dtype([("nickname", "S8"), ("visits", "i8")]))
        >>> batch.present["nickname"].any()
        np.False_
    """


class NumpyRecords:
    """Records as NumPy arrays, one row per record: the base of :class:`~aerospike_py.NumpyBatchRecords` and
    :class:`~aerospike_py.NumpyQueryRecords`. A function that takes either can be annotated with it.

    Indexing (``records["visits"]``, ``records[5]``, slices, masks) works as on :attr:`batch_records`, and
    ``np.asarray(records)`` returns that array. ``len`` and iteration work on rows.

    Attributes:
        batch_records: structured array of exactly the requested dtype, shape ``(n,)``. A cell (one field of
            one row) without a value is zero; :attr:`present` distinguishes it from a stored zero.
        meta: structured array ``[("gen", "u4"), ("ttl", "u4")]``, shape ``(n,)``. ``ttl`` is the time to live
            in seconds: at least 1, ``0xFFFFFFFF`` if the record never expires, 0 for a row without a record.
        inexact: field name to the number of values that changed to fit the field. A field in a struct has a
            dotted name, such as ``features.trips``.
        decode_errors: number of values that do not fit their field. Their cells are zero and not present.

    Example:
        >>> def visits(records: NumpyRecords) -> int:
        ...     return int(records["visits"].sum())
        >>> visits(client.batch_read(keys, _dtype=dtype))
        7
        >>> visits(client.query("test", "users").to_numpy(dtype))
        7
    """

    def __init__(
        self,
        batch_records: npt.NDArray[Any],
        meta: npt.NDArray[Any],
        presence: npt.NDArray[np.uint8],
        inexact: dict[str, int],
        decode_errors: int,
        changed_cells: npt.NDArray[np.uint8] | None = None,
        failed_cells: npt.NDArray[np.uint8] | None = None,
    ) -> None:
        self.batch_records = batch_records
        self.meta = meta
        self.inexact = inexact
        self.decode_errors = decode_errors
        # One bit for each leaf of the dtype in each row, as np.packbits has them; None if there are none.
        self._presence = presence
        self._changed_cells = changed_cells
        self._failed_cells = failed_cells
        self._present: npt.NDArray[Any] | None = None

    # -- what kinds of results differ in

    def _row_name(self, row: int) -> str:
        """What messages call a row, such as ``key 'ada'``."""
        raise NotImplementedError

    def _row_id(self, row: int) -> Any:
        """What identifies a row's record in ``BatchDecodeError.failures``: its primary key or digest."""
        raise NotImplementedError

    def _row_counts(self) -> list[str]:
        """What ``repr`` says about rows, beside their number."""
        return []

    def _html_labels(self, rows: int) -> tuple[str, list[str]]:
        """The first column of the HTML table: its name, and the cells of the first rows."""
        raise NotImplementedError

    def _row_columns(self) -> dict[str, npt.NDArray[Any]]:
        """The columns of ``to_pandas`` that are about records, beside the fields."""
        return {"gen": self.meta["gen"], "ttl": self.meta["ttl"]}

    def _html_columns(self) -> dict[str, npt.NDArray[Any]]:
        """The columns of the HTML table that are about records, beside the fields."""
        return {}

    def _pandas_index(self) -> pd.Index[Any]:
        """The index of ``to_pandas``."""
        raise NotImplementedError

    # -- rows

    def __len__(self) -> int:
        return len(self.batch_records)

    def __iter__(self) -> Iterator[np.void]:
        return iter(self.batch_records)

    # -- as an array

    @overload
    def __getitem__(self, index: str | list[str] | slice) -> npt.NDArray[Any]: ...

    @overload
    def __getitem__(self, index: SupportsIndex) -> np.void: ...

    @overload
    def __getitem__(self, index: Any) -> Any: ...

    def __getitem__(self, index: Any) -> Any:
        try:
            return self.batch_records[index]
        except ValueError:
            names = self.batch_records.dtype.names or ()
            if not isinstance(index, str) or index in names:
                raise
            raise ValueError(f"no field of name {index}; the fields are {', '.join(names)}") from None

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        import numpy as np

        return np.array(self.batch_records, dtype=dtype, copy=copy)

    # -- missing values

    @property
    def present(self) -> npt.NDArray[Any]:
        """Structured bool array, shape ``(n,)``, with the field names of the dtype; sub-arrays have one bool.
        Fields that are structs have one for each of their fields.

        True where the record has the bin and its value is in the field, so a stored zero differs from a
        missing bin.

        Example:
            >>> batch = client.batch_read(keys, _dtype=dtype)
            >>> batch.batch_records["visits"].tolist(), batch.present["visits"].tolist()
            ([7, 0, 0], [True, True, False])
        """
        if self._present is None:
            import numpy as np

            dtype = self.batch_records.dtype
            fields = leaves(dtype)
            present = np.zeros(len(self), bools(dtype))
            bits = np.unpackbits(self._presence, axis=1, count=len(fields))
            for column, field in enumerate(fields):
                field.in_array(present)[...] = bits[:, column]
            self._present = present
        return self._present

    @property
    def masked(self) -> np.ma.MaskedArray[Any, Any]:
        """``numpy.ma.MaskedArray`` over the memory of :attr:`batch_records`, masked where not present.

        Raises:
            TypeError: NumPy cannot mask the dtype of a field: a time without a unit, or with a step (``M8``,
                ``m8[25s]``).

        Example:
            >>> client.batch_read(keys, _dtype=dtype).masked["visits"].tolist()
            [7, 0, None]
        """
        import numpy as np

        dtype = self.batch_records.dtype
        mask: npt.NDArray[Any] = np.zeros(len(self), dtype=np.ma.make_mask_descr(dtype))
        for field in leaves(dtype):
            missing = ~field.in_array(self.present)
            column = field.in_array(mask)
            column[...] = missing.reshape(missing.shape + (1,) * (column.ndim - 1))
        try:
            return np.ma.MaskedArray(self.batch_records, mask=mask)
        except ValueError:
            for field in leaves(dtype):
                base = field.dtype.base
                if base.kind in "Mm" and np.datetime_data(base) not in [
                    (unit, 1) for unit in _MASKABLE_UNITS
                ]:
                    raise TypeError(
                        f"field {field.name!r} has the dtype {base}, which NumPy cannot mask; "
                        "use .present, or a unit without a step, such as M8[s]"
                    ) from None
            raise

    def filled(self, fill_value: Any) -> npt.NDArray[Any]:
        """A copy of :attr:`batch_records` in which values that are not present are replaced.

        Args:
            fill_value: a value for all fields, a dict of field names and values (other fields keep their
                zeros), or a tuple with a value per field. For a field that is a struct, the value is again
                one of these. The dict may name a field in a struct by its dotted name or its tuple of names.
                NumPy casts each value to its field.

        Raises:
            ValueError: a value does not fit its field, or the dict has a name that is not a field.

        Example:
            >>> client.batch_read(keys, _dtype=dtype).filled({"visits": -1})["visits"].tolist()
            [7, 0, -1]
        """
        import numpy as np

        dtype = self.batch_records.dtype
        values = spread(dtype, fill_value)
        filled = np.array(self.batch_records)
        for field in leaves(dtype):
            if field.path not in values:
                continue
            value = values[field.path]
            try:
                # On a cell of its own: whether it fits must not depend on what is missing.
                np.zeros((), field.dtype)[...] = value
            except (TypeError, ValueError, OverflowError) as error:
                raise ValueError(
                    f"fill_value {value!r} does not fit the field {field.name!r} ({field.dtype}); "
                    "pass a dict with a value for each field"
                ) from error
            field.in_array(filled)[~field.in_array(self.present)] = value
        return filled

    def inexact_mask(self, field: str | tuple[str, ...]) -> npt.NDArray[np.bool_]:
        """bool array, shape ``(n,)``: True where the record's value changed to fit the field.

        Args:
            field: the name of a field. One in a struct has a dotted name, ``"features.trips"``, or a tuple of
                names, ``("features", "trips")``. The name of a struct stands for any of its fields.

        Example:
            >>> batch = client.batch_read(keys, _dtype=dtype)
            >>> batch["name"][batch.inexact_mask("name")].tolist()
            []
        """
        return self._cell_mask(field, self._changed_cells)

    def failed_mask(self, field: str | tuple[str, ...]) -> npt.NDArray[np.bool_]:
        """bool array, shape ``(n,)``: True where the field cannot hold the record's value.

        Such cells are zero and not present.

        Args:
            field: the name of a field, as :meth:`inexact_mask` takes it. A struct whose value is no map fails
                in all its fields.

        Example:
            >>> batch = client.batch_read(keys, _dtype=np.dtype([("name", "i4")]), errors="coerce")
            >>> batch.failed_mask("name").tolist()
            [True, True, False]
        """
        return self._cell_mask(field, self._failed_cells)

    def _cell_mask(
        self, field: str | tuple[str, ...], cells: npt.NDArray[np.uint8] | None
    ) -> npt.NDArray[np.bool_]:
        import numpy as np

        dtype = self.batch_records.dtype
        path = find(dtype, field).path
        mask = np.zeros(len(self), dtype=np.bool_)
        if cells is not None:
            for column, leaf in enumerate(leaves(dtype)):
                if leaf.path[: len(path)] == path:
                    mask |= (cells[:, column // 8] & (0x80 >> column % 8)) != 0
        return mask

    # -- as other objects

    def __arrow_c_schema__(self) -> object:
        """The fields as columns of Arrow, for the Arrow C data interface."""
        from ._export.arrow import arrow_table

        return arrow_table(self.batch_records[:0], self.present[:0]).__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The fields as columns of Arrow, copied, for the Arrow C stream interface:
        ``pyarrow.table(records)``, ``polars.DataFrame(records)``. What is not present is null."""
        from ._export.arrow import arrow_table

        return arrow_table(self.batch_records, self.present).__arrow_c_stream__(requested_schema)

    def to_pandas(self, meta_prefix: str = "") -> pd.DataFrame:
        """The fields as a ``pandas.DataFrame``, with the columns ``gen``, ``ttl`` and others about records.

        A field in a struct is a column with a dotted name, such as ``features.trips``. Columns have native
        byte order. A numeric column with missing values has a nullable pandas dtype. Sub-arrays, ``S`` and
        ``V`` fields are object columns.

        Args:
            meta_prefix: prefix for the names of the columns that are not fields.

        Returns:
            A new DataFrame with n rows. It shares no memory with the arrays.

        Raises:
            ValueError: a field has the name of one of these columns.
            ImportError: pandas is not installed.

        Example:
            >>> client.query("test", "users").to_numpy(np.dtype([("visits", "i8")])).to_pandas().shape
            (2, 3)
        """
        from ._export.pandas import data_frame

        return data_frame(self._columns(), self._row_columns(), self._pandas_index, meta_prefix)

    if not TYPE_CHECKING:  # Type checkers must report attributes that do not exist.

        def __getattr__(self, name: str) -> Any:
            if name in _INSTEAD:
                raise no_attribute(self, name, _INSTEAD)
            return super().__getattribute__(name)  # raises again what a property raised

    def _columns(self) -> dict[str, tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]]:
        """Dotted name of each field that is no struct, to its values and where they are present."""
        records, present = self.batch_records, self.present
        return {
            field.name: (field.in_array(records), field.in_array(present)) for field in leaves(records.dtype)
        }

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._describe()}, dtype={self.batch_records.dtype}>"

    def _describe(self) -> str:
        parts = [counted(len(self), "row"), *self._row_counts()]
        if self.inexact:
            parts.append(f"inexact={self.inexact!r}")
        if self.decode_errors:
            parts.append(f"decode_errors={self.decode_errors}")
        return ", ".join(parts)

    def _ipython_key_completions_(self) -> list[str]:
        """The names that notebooks offer after ``records["``."""
        return list(self.batch_records.dtype.names or ())

    def _repr_html_(self) -> str:
        from ._export.html import ROWS, table

        header, labels = self._html_labels(min(len(self), ROWS))
        return table(
            f"{type(self).__name__}: {self._describe()}",
            len(self),
            header,
            labels,
            self._columns(),
            self._html_columns(),
        )


_MASKABLE_UNITS = ("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as")
