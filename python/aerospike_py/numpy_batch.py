"""The result of a batch read into NumPy arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from ._pickled_keys import PickledKeys
from ._result_codes import ABOUT_RECORD, describe, failure
from ._rows_by_key import RowsByKey, tuple_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from ._types import BatchKeys


class MissingFieldWarning(RuntimeWarning):
    """No record found by a batch read has the bin of a field. The name of the field, or of the set, may be
    wrong.

    A client warns once about each field, for reads of the same bins from the same sets. Ignore the warning if
    bins are optional.

    Example:
        >>> import warnings
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore", MissingFieldWarning)
        ...     batch = client.batch_read(keys, _dtype=np.dtype([("nickname", "S8"), ("visits", "i8")]))
        >>> batch.present["nickname"].any()
        np.False_
    """


class NumpyBatchRecords:
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
        inexact: field name to the number of values that changed to fit the field.
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
        self.batch_records = batch_records
        self.meta = meta
        self.result_codes = result_codes
        self.inexact = inexact
        self.decode_errors = decode_errors
        self._keys = keys
        self._presence = presence
        self._changed_cells = changed_cells
        self._failed_cells = failed_cells
        self._key_tuples: list[tuple[Any, ...]] | None = None
        self._map_cache: dict[Any, int] | None = None
        self._rows_by_key: RowsByKey | None = None
        self._present: npt.NDArray[Any] | None = None

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

    def __len__(self) -> int:
        return len(self.result_codes)

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
        return self.batch_records[index]

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        import numpy as np

        return np.array(self.batch_records, dtype=dtype, copy=copy)

    # -- missing rows and values

    @property
    def ok(self) -> npt.NDArray[np.bool_]:
        """bool array, shape ``(n,)``: True where the record was found (``result_codes == 0``).

        Example:
            >>> client.batch_read(keys, _dtype=dtype).ok.tolist()
            [True, True, False]
        """
        ok: npt.NDArray[np.bool_] = self.result_codes == 0
        return ok

    @property
    def present(self) -> npt.NDArray[Any]:
        """Structured bool array, shape ``(n,)``, with the field names of the dtype; sub-arrays have one bool.

        True where the record has the bin and its value is in the field, so a stored zero differs from a
        missing bin.

        Example:
            >>> batch = client.batch_read(keys, _dtype=dtype)
            >>> batch.batch_records["visits"].tolist(), batch.present["visits"].tolist()
            ([7, 0, 0], [True, True, False])
        """
        if self._present is None:
            import numpy as np

            names = self.batch_records.dtype.names or ()
            present = np.empty(len(self), dtype=[(name, np.bool_) for name in names])
            bits = np.unpackbits(self._presence, axis=1, count=len(names))
            for column, name in enumerate(names):
                present[name] = bits[:, column]
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
        present = self.present
        for name in dtype.names or ():
            missing = ~present[name]
            column = mask[name]
            column[...] = missing.reshape(missing.shape + (1,) * (column.ndim - 1))
        try:
            return np.ma.MaskedArray(self.batch_records, mask=mask)
        except ValueError:
            for name in dtype.names or ():
                base = dtype[name].base
                if base.kind in "Mm" and np.datetime_data(base) not in [
                    (unit, 1) for unit in _MASKABLE_UNITS
                ]:
                    raise TypeError(
                        f"field {name!r} has the dtype {base}, which NumPy cannot mask; "
                        "use .present, or a unit without a step, such as M8[s]"
                    ) from None
            raise

    def filled(self, fill_value: Any) -> npt.NDArray[Any]:
        """A copy of :attr:`batch_records` in which values that are not present are replaced.

        Args:
            fill_value: a value for all fields, a dict of field names and values (other fields keep their
                zeros), or a tuple with a value per field. NumPy casts each value to its field.

        Raises:
            ValueError: a value does not fit its field, or the dict has a name that is not a field.

        Example:
            >>> client.batch_read(keys, _dtype=dtype).filled({"visits": -1})["visits"].tolist()
            [7, 0, -1]
        """
        import numpy as np

        dtype = self.batch_records.dtype
        names = dtype.names or ()
        if isinstance(fill_value, np.void) and fill_value.dtype.names is not None:
            fill_value = fill_value.item()
        if isinstance(fill_value, Mapping):
            values = {self._field(name)[0]: value for name, value in fill_value.items()}
        elif isinstance(fill_value, tuple):
            if len(fill_value) != len(names):
                raise ValueError(
                    f"fill_value has {len(fill_value)} values; it must have one for each of the "
                    f"{len(names)} fields"
                )
            values = dict(zip(names, fill_value, strict=True))
        else:
            values = dict.fromkeys(names, fill_value)
        filled = np.array(self.batch_records)
        for name, value in values.items():
            try:
                # On a cell of its own: whether it fits must not depend on what is missing.
                np.zeros((), dtype[name])[...] = value
            except (TypeError, ValueError, OverflowError) as error:
                raise ValueError(
                    f"fill_value {value!r} does not fit the field {name!r} ({dtype[name]}); "
                    "pass a dict with a value for each field"
                ) from error
            filled[name][~self.present[name]] = value
        return filled

    def inexact_mask(self, field: str) -> npt.NDArray[np.bool_]:
        """bool array, shape ``(n,)``: True where the record's value changed to fit the field.

        Example:
            >>> batch = client.batch_read(keys, _dtype=dtype)
            >>> batch["name"][batch.inexact_mask("name")].tolist()
            []
        """
        return self._cell_mask(field, self._changed_cells)

    def failed_mask(self, field: str) -> npt.NDArray[np.bool_]:
        """bool array, shape ``(n,)``: True where the field cannot hold the record's value.

        Such cells are zero and not present.

        Example:
            >>> batch = client.batch_read(keys, _dtype=np.dtype([("name", "i4")]), errors="coerce")
            >>> batch.failed_mask("name").tolist()
            [True, True, False]
        """
        return self._cell_mask(field, self._failed_cells)

    def _cell_mask(self, field: str, cells: npt.NDArray[np.uint8] | None) -> npt.NDArray[np.bool_]:
        import numpy as np

        _, column = self._field(field)
        if cells is None:
            return np.zeros(len(self), dtype=np.bool_)
        mask: npt.NDArray[np.bool_] = (cells[:, column // 8] & (0x80 >> column % 8)) != 0
        return mask

    def _field(self, name: Any) -> tuple[str, int]:
        """A field's name and position."""
        names = self.batch_records.dtype.names or ()
        if isinstance(name, str) and name in names:
            return name, names.index(name)
        nearest = get_close_matches(name, names, n=1) if isinstance(name, str) else ()
        hint = f"; the nearest is {nearest[0]!r}" if nearest else f"; the fields are {', '.join(names)}"
        raise ValueError(f"{name!r:.80} is no field of the dtype{hint}")

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

    def to_pandas(self, meta_prefix: str = "") -> pd.DataFrame:
        """The fields as a ``pandas.DataFrame``, with the columns ``gen``, ``ttl`` and ``result_code``.

        The index is the primary key. If the batch has several sets, the index has the levels set and key; if
        it has several namespaces, the levels namespace, set and key. Columns have native byte order. A
        numeric column with missing values has a nullable pandas dtype. Sub-arrays, ``S`` and ``V`` fields are
        object columns.

        Args:
            meta_prefix: prefix for the column names ``gen``, ``ttl`` and ``result_code``.

        Returns:
            A new DataFrame with n rows. It shares no memory with the batch.

        Raises:
            ValueError: a bin has the name of one of these columns.
            ImportError: pandas is not installed.

        Example:
            >>> frame = client.batch_read(keys, _dtype=dtype).to_pandas()
            >>> frame["visits"].tolist()
            [7, 0, <NA>]
        """
        from ._export.pandas import data_frame

        meta = {"gen": self.meta["gen"], "ttl": self.meta["ttl"], "result_code": self.result_codes}
        return data_frame(self.batch_records, self.present, meta, self._keys, meta_prefix)

    # -- repr and pickling

    def __repr__(self) -> str:
        return f"<NumpyBatchRecords {self._describe()}, dtype={self.batch_records.dtype}>"

    def _describe(self) -> str:
        parts = [f"{len(self)} rows", *describe(Counter(self.result_codes.tolist()), "found")]
        if self.inexact:
            parts.append(f"inexact={self.inexact!r}")
        if self.decode_errors:
            parts.append(f"decode_errors={self.decode_errors}")
        return ", ".join(parts)

    def _repr_html_(self) -> str:
        from ._export.html import table

        return table(
            f"NumpyBatchRecords: {self._describe()}",
            self.batch_records,
            self.present,
            self.result_codes,
            self._keys,
        )

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state["_rows_by_key"] = None
        if not isinstance(self._keys, PickledKeys):
            keys = self._keys
            state["_keys"] = PickledKeys(
                keys.primary_keys(),
                keys.spaces(),
                keys.space_of(),
                keys.digest_rows(),
                keys.text_digests(),
            )
        return state


_MASKABLE_UNITS = ("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as")
