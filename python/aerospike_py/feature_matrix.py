"""The result of ``read_matrix``: features of several sets in one matrix."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NoReturn

from ._pickled_keys import pickled
from ._result_codes import ABOUT_RECORD, describe, failure
from ._utils.describe import counted
from ._utils.other_names import no_attribute

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ._types import BatchKeys


# Methods of other results and of frames, and what to use instead.
_INSTEAD = {
    "batch_records": "matrix",
    "to_arrow": "pyarrow.table(features)",
    "to_dict": "pyarrow.table(features).to_pydict()",
    "to_duckdb": "duckdb.from_arrow(pyarrow.table(features))",
    "to_numpy": "matrix, the array",
    "to_pandas": "pyarrow.table(features).to_pandas()",
    "to_polars": "polars.DataFrame(features)",
    "to_pyarrow": "pyarrow.table(features)",
}


class FeatureMatrix:
    """Features of several sets as one matrix, a row per entity and a column per feature.

    ``np.asarray(features)`` is :attr:`matrix`, and libraries that read Arrow take it as a table with named
    columns: ``pyarrow.table(features)``, ``polars.DataFrame(features)``. There, cells without a value are
    null.

    Attributes:
        matrix: array of shape ``(rows, columns)``, C-contiguous. Cells without a value hold the fill value.
        columns: the names of the columns.
        result_codes: ``int32`` array of shape ``(rows, groups)``: 0 found, 2 not found, 27 filtered out, or
            another code of the server. The client's own codes are negative.
        inexact: column name to the number of values that changed to fit.
        decode_errors: number of values that are no numbers, or do not fit. Their cells hold the fill value
            and are not present.

    Example:
        >>> features = client.read_matrix([(Keys("test", "users", [1, 2]), ["visits", "age"])])
        >>> features
        <FeatureMatrix 2 rows, 2 columns, 2 found, dtype=float32>
        >>> features.matrix.tolist()
        [[7.0, 36.0], [0.0, 41.0]]
    """

    __slots__ = (
        "_keys",
        "_presence",
        "_present",
        "columns",
        "decode_errors",
        "inexact",
        "matrix",
        "result_codes",
    )

    def __init__(
        self,
        matrix: npt.NDArray[Any],
        columns: list[str],
        result_codes: npt.NDArray[np.int32],
        presence: list[tuple[npt.NDArray[np.uint8], int]],
        inexact: dict[str, int],
        decode_errors: int,
        keys: list[BatchKeys],
    ) -> None:
        self.matrix = matrix
        self.columns = tuple(columns)
        self.result_codes: npt.NDArray[np.int32] = result_codes.T
        self.inexact = inexact
        self.decode_errors = decode_errors
        # For each group, one bit for each of its columns in each row, as np.packbits has them, and the number
        # of its columns.
        self._presence = presence
        self._keys = keys
        self._present: npt.NDArray[np.bool_] | None = None

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """bool array of shape ``(rows, columns)``: True where the record has the value and it is in the cell.

        Example:
            >>> client.read_matrix([(Keys("test", "users", [1, 3]), ["visits"])]).present.tolist()
            [[True], [False]]
        """
        if self._present is None:
            import numpy as np

            parts = [np.unpackbits(bits, axis=1, count=width) for bits, width in self._presence]
            self._present = np.concatenate(parts, axis=1).view(np.bool_)
        return self._present

    @property
    def ok(self) -> npt.NDArray[np.bool_]:
        """bool array, shape ``(rows,)``: True where each group has a record (all ``result_codes`` are 0).

        Example:
            >>> client.read_matrix([(Keys("test", "users", [1, 3]), ["visits"])]).ok.tolist()
            [True, False]
        """
        ok: npt.NDArray[np.bool_] = (self.result_codes == 0).all(axis=1)
        return ok

    def raise_for_failures(self) -> None:
        """Raises an error if a record of any row failed, that is, has a result code other than 0, 2 or 27.

        Raises:
            AerospikeError: the class is that of the most frequent code. ``batch`` is this result.

        Example:
            >>> client.read_matrix([(Keys("test", "users", [1, 3]), ["visits"])]).raise_for_failures()
        """
        import numpy as np

        failed = ~np.isin(self.result_codes, ABOUT_RECORD)
        if not failed.any():
            return
        row, group = (int(place) for place in np.argwhere(failed)[0])
        raise failure(
            Counter(self.result_codes[failed].tolist()),
            f"{int(failed.sum())} of {failed.size} records failed",
            f"the first is row {row}, group {group}, key {self._keys[group].primary_key(row)!r}; "
            "the others are in .batch",
            False,
            self,
        )

    # -- as other objects

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        import numpy as np

        return np.array(self.matrix, dtype=dtype, copy=copy)

    def __arrow_c_schema__(self) -> object:
        """The columns as columns of Arrow, for the Arrow C data interface."""
        from ._export.arrow import arrow_table

        return arrow_table(*self._structured(0)).__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The columns as columns of Arrow, copied, for the Arrow C stream interface."""
        from ._export.arrow import arrow_table

        return arrow_table(*self._structured(len(self))).__arrow_c_stream__(requested_schema)

    def _structured(self, rows: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """The first rows as structured arrays, of the values and of where they are present."""
        import numpy as np

        of_values = np.dtype([(name, self.matrix.dtype) for name in self.columns])
        of_bools = np.dtype([(name, np.bool_) for name in self.columns])
        return (
            self.matrix[:rows].view(of_values).reshape(rows),
            self.present[:rows].view(of_bools).reshape(rows),
        )

    if not TYPE_CHECKING:  # Type checkers must report that there are no items, and no such attributes.

        def __getattr__(self, name: str) -> Any:
            if name in _INSTEAD:
                raise no_attribute(self, name, _INSTEAD)
            return super().__getattribute__(name)  # raises again what a property raised

        def __getitem__(self, index: Any) -> NoReturn:
            what = f":, {self.columns.index(index)}" if index in self.columns else "row, column"
            raise TypeError(
                f"{type(self).__name__} has no items; index its array, .matrix[{what}]: .columns has the "
                "names of its columns"
            )

    def __reduce__(self) -> Any:
        keys = [pickled(keys) for keys in self._keys]
        columns = list(self.columns)
        arguments = (
            self.matrix, columns, self.result_codes.T, self._presence, self.inexact, self.decode_errors, keys
        )  # fmt: skip
        return type(self), arguments

    def __len__(self) -> int:
        return len(self.matrix)

    @property
    def shape(self) -> tuple[int, int]:
        """The number of rows and of columns.

        Example:
            >>> client.read_matrix([(Keys("test", "users", [1, 2]), ["visits", "age"])]).shape
            (2, 2)
        """
        rows, columns = self.matrix.shape
        return rows, columns

    def _repr_html_(self) -> str:
        from ._export.html import ROWS, table

        fields = {
            name: (self.matrix[:, column], self.present[:, column])
            for column, name in enumerate(self.columns)
        }
        codes = {
            f"code {group}" if self.result_codes.shape[1] > 1 else "code": self.result_codes[:, group]
            for group in range(min(self.result_codes.shape[1], ROWS))
        }
        labels = [str(row) for row in range(min(len(self), ROWS))]
        return table(repr(self)[1:-1], len(self), "row", labels, fields, codes)

    def __repr__(self) -> str:
        parts = [counted(len(self), "row"), counted(len(self.columns), "column")]
        parts += describe(Counter(self.result_codes.ravel().tolist()), "found")
        if self.inexact:
            parts.append(f"inexact={self.inexact!r}")
        if self.decode_errors:
            parts.append(f"decode_errors={self.decode_errors}")
        return f"<{type(self).__name__} {', '.join(parts)}, dtype={self.matrix.dtype}>"
