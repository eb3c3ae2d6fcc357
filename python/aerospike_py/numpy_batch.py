"""The result of a batch read into NumPy arrays."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from ._pickled_keys import pickled
from ._result_codes import ABOUT_RECORD, describe, failure
from ._rows_by_key import RowsByKey, tuple_of
from .numpy_records import NumpyRecords

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from ._types import BatchKeys


class NumpyBatchRecords(NumpyRecords):
    """Records of a batch as NumPy arrays, one row per key, in the order of the keys.

    Indexing (``batch["visits"]``, ``batch[5]``, slices, masks) works as on :attr:`batch_records`, and
    ``np.asarray(batch)`` returns that array. ``len`` and iteration work on rows; ``in`` tests for a key.

    Attributes:
        batch_records: structured array of exactly the requested dtype, shape ``(n,)``. A cell (one field of
            one row) without a value is zero; :attr:`present` distinguishes it from a stored zero.
        meta: structured array ``[("gen", "u4"), ("ttl", "u4")]``, shape ``(n,)``. ``ttl`` is the time to live
            in seconds: at least 1, ``0xFFFFFFFF`` if the record never expires, 0 for a row without a record.
        result_codes: ``int32`` array, shape ``(n,)``: 0 found, 2 not found, 27 filtered out, or another code
            of the server. The client's own codes are negative.
        inexact: field name to the number of values that changed to fit the field. A field in a struct has a
            dotted name, such as ``features.trips``.
        decode_errors: number of values that do not fit their field. Their cells are zero and not present.

    Example:
        >>> batch = client.batch_read(keys, _dtype=np.dtype([("name", "S8"), ("visits", "i8")]))
        >>> batch
        <NumpyBatchRecords 3 rows, 2 found, 1 missing, dtype=[('name', 'S8'), ('visits', '<i8')]>
        >>> batch["visits"][batch.ok].sum()
        np.int64(7)
    """

    def __init__(
        self,
        batch_records: npt.NDArray[Any],
        meta: npt.NDArray[Any],
        result_codes: npt.NDArray[np.int32],
        keys: BatchKeys,
        presence: npt.NDArray[np.uint8],
        inexact: dict[str, int],
        decode_errors: int,
        changed_cells: npt.NDArray[np.uint8] | None = None,
        failed_cells: npt.NDArray[np.uint8] | None = None,
    ) -> None:
        super().__init__(batch_records, meta, presence, inexact, decode_errors, changed_cells, failed_cells)
        self.result_codes = result_codes
        self._keys = keys
        self._key_tuples: list[tuple[Any, ...]] | None = None
        self._map_cache: dict[Any, int] | None = None
        self._rows_by_key: RowsByKey | None = None

    # -- keys

    @property
    def keys(self) -> list[tuple[Any, ...]]:
        """The keys, in the order of the rows, in the form that every command takes: ``(namespace, set,
        primary_key)``, or ``(namespace, set, None, digest)`` for a key that was given by its digest. A key of
        text that is not UTF-8 has its digest, too, which tells it from a bytes key.

        Example:
            >>> batch = client.batch_read(keys, _dtype=dtype)
            >>> batch.keys[2]
            ('test', 'users', 3)
            >>> again = client.batch_read([batch.keys[row] for row in np.flatnonzero(~batch.ok)])
        """
        if self._key_tuples is None:
            spaces = [(namespace, set_ or None) for namespace, set_ in self._keys.spaces()]
            space_of = self._keys.space_of() or [0] * len(self)
            primary_keys = self._keys.primary_keys()
            tuples: list[tuple[Any, ...]] = [
                (*spaces[space], key) for space, key in zip(space_of, primary_keys, strict=True)
            ]
            for row in self._keys.digest_rows():
                tuples[row] = (*tuples[row][:2], None, tuples[row][2])
            for row, digest in self._keys.text_digests().items():
                tuples[row] = (*tuples[row], digest)
            self._key_tuples = tuples
        return self._key_tuples

    @property
    def _map(self) -> dict[Any, int]:
        """Primary key to row, from the keys at the time of the call. The last row of a repeated key wins."""
        if self._map_cache is None:
            self._map_cache = {key: row for row, key in enumerate(self._keys.primary_keys())}
        return self._map_cache

    def _whole_keys(self) -> RowsByKey:
        if self._rows_by_key is None:
            self._rows_by_key = RowsByKey(self._keys)
        return self._rows_by_key

    def _row(self, key: Any) -> int:
        """The row of a primary key or key tuple. Raises KeyError if there is none, or more than one set has
        it."""
        if isinstance(key, dict):
            key = tuple_of(key)
        if isinstance(key, tuple):
            return self._whole_keys().row(key)
        if isinstance(key, bytearray):
            key = bytes(key)
        try:
            row = self._map.get(key)
        except TypeError:
            raise KeyError(f"{key!r} is neither a primary key nor (namespace, set, primary key)") from None
        if row is None:
            raise KeyError(f"{key!r} was not in the batch")
        if len(self._keys.spaces()) > 1:
            holders = self._whole_keys().spaces_with(key)
            if len(holders) > 1:
                names = ", ".join(f"{namespace}.{set_ or '(no set)'}" for namespace, set_ in holders)
                raise KeyError(
                    f"{key!r} is a primary key in several sets ({names}); pass the whole key, "
                    f"such as {(*holders[0], key)!r}"
                )
        return row

    def get(self, primary_key: Any) -> np.void:
        """The row of a key.

        Args:
            primary_key: a primary key, or a complete key: ``(namespace, set, primary_key)``, or the same as a
                dict, ``{"ns": ..., "set": ..., "key": ...}``.

        Returns:
            A scalar of the dtype. It refers to the memory of :attr:`batch_records`.

        Raises:
            KeyError: the key was not in the batch, or the primary key occurs in several sets.

        Example:
            >>> batch = client.batch_read(keys, _dtype=dtype)
            >>> batch.get(1)["visits"], batch.get(("test", "users", 2))["name"]
            (np.int64(7), np.bytes_(b'Bea'))
        """
        row: np.void = self.batch_records[self._row(primary_key)]
        return row

    def __contains__(self, key: object) -> bool:
        if isinstance(key, bytearray):
            key = bytes(key)
        try:
            if isinstance(key, dict):
                key = tuple_of(key)
            if isinstance(key, tuple):
                self._whole_keys().row(key)
                return True
            return key in self._map
        except (KeyError, TypeError):
            return False

    # -- missing rows

    @property
    def ok(self) -> npt.NDArray[np.bool_]:
        """bool array, shape ``(n,)``: True where the record was found (``result_codes == 0``).

        Example:
            >>> client.batch_read(keys, _dtype=dtype).ok.tolist()
            [True, True, False]
        """
        ok: npt.NDArray[np.bool_] = self.result_codes == 0
        return ok

    def raise_for_failures(self) -> None:
        """Raises an error if any row failed, that is, has a result code other than 0, 2 or 27.

        Raises:
            AerospikeError: the class is that of the most frequent code. The message has the number of
                failures by code, and the first failed row. ``batch`` is this result.

        Example:
            >>> client.batch_read(keys, _dtype=dtype).raise_for_failures()
        """
        import numpy as np

        failed = ~np.isin(self.result_codes, ABOUT_RECORD)
        if not failed.any():
            return
        row = int(failed.argmax())
        raise failure(
            Counter(self.result_codes[failed].tolist()),
            f"{int(failed.sum())} of {len(self)} rows failed",
            f"the first is row {row}, key {self._keys.primary_key(row)!r}; the others are in .batch",
            False,
            self,
        )

    # -- as other objects

    def to_pandas(self, meta_prefix: str = "") -> pd.DataFrame:
        """The fields as a ``pandas.DataFrame``, with the columns ``gen``, ``ttl`` and ``result_code``.

        The index is the primary key. If the batch has several sets, the index has the levels set and key; if
        it has several namespaces, the levels namespace, set and key. A field in a struct is a column with a
        dotted name, such as ``features.trips``. Columns have native byte order. A numeric column with missing
        values has a nullable pandas dtype. Sub-arrays, ``S`` and ``V`` fields are object columns.

        Args:
            meta_prefix: prefix for the column names ``gen``, ``ttl`` and ``result_code``.

        Returns:
            A new DataFrame with n rows. It shares no memory with the batch.

        Raises:
            ValueError: a field has the name of one of these columns.
            ImportError: pandas is not installed.

        Example:
            >>> frame = client.batch_read(keys, _dtype=dtype).to_pandas()
            >>> frame["visits"].tolist()
            [7, 0, <NA>]
        """
        return super().to_pandas(meta_prefix)

    def _row_name(self, row: int) -> str:
        return f"key {self._row_id(row)!r}"

    def _row_id(self, row: int) -> Any:
        return self._keys.primary_key(row)

    def _row_counts(self) -> list[str]:
        return describe(Counter(self.result_codes.tolist()), "found")

    def _row_columns(self) -> dict[str, npt.NDArray[Any]]:
        return {**super()._row_columns(), "result_code": self.result_codes}

    def _html_labels(self, rows: int) -> tuple[str, list[str]]:
        keys = [self._keys.primary_key(row) for row in range(rows)]
        spaces = self._keys.spaces()
        space_of = self._keys.space_of() if len(spaces) > 1 else None
        if space_of is not None:
            keys = [(*spaces[space], key) for space, key in zip(space_of, keys, strict=False)]
        return "key", [repr(key) for key in keys]

    def _html_columns(self) -> dict[str, npt.NDArray[Any]]:
        return {"result_code": self.result_codes}

    def _pandas_index(self) -> pd.Index[Any]:
        from ._export.pandas import index_of_keys

        return index_of_keys(self._keys)

    # -- pickling

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state["_rows_by_key"] = None
        state["_keys"] = pickled(self._keys)
        return state
