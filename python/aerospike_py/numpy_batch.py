"""The result of a batch read into NumPy arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._utils.warnings import warn
from .exception import BatchDecodeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from ._types import BatchKeys


class _PickledKeys:
    """Keys as Python objects: they take the place of the extension's ``KeyTable`` in a pickled batch."""

    def __init__(
        self, primary_keys: list[Any], spaces: list[tuple[str, str]], space_of: list[int] | None
    ) -> None:
        self._primary_keys = primary_keys
        self._spaces = spaces
        self._space_of = space_of

    def __len__(self) -> int:
        return len(self._primary_keys)

    def primary_keys(self) -> list[Any]:
        return self._primary_keys

    def spaces(self) -> list[tuple[str, str]]:
        return self._spaces

    def space_of(self) -> list[int] | None:
        return self._space_of


def _tuple_of(key: dict[str, Any]) -> tuple[Any, ...]:
    """A key that is a dict, as a tuple."""
    return tuple(key.get(name) for name in ("ns", "set", "key", "digest"))


class NumpyBatchRecords:
    """Records of a batch as NumPy arrays, one row per key, in the order of the keys.

    Attributes:
        batch_records: structured array of exactly the requested dtype, shape ``(n,)``. Cells without a value
            are zero; :attr:`present` tells them from real zeros.
        meta: structured array ``[("gen", "u4"), ("ttl", "u4")]``, shape ``(n,)``. ``ttl`` is the time to live
            in seconds: at least 1, ``0xFFFFFFFF`` if the record never expires, 0 for a row without a record.
        result_codes: ``int32`` array, shape ``(n,)``: 0 found, 2 not found, 27 filtered out, or another code
            of the server. Codes of the client are negative.
        inexact: field name to the number of values that changed to fit the field.
        decode_errors: number of values that do not fit their field. Their cells are zero and not present.

    Example:
        >>> batch = client.batch_read(keys, _dtype=np.dtype([("name", "S8"), ("visits", "i8")]))
        >>> batch
        <NumpyBatchRecords 3 rows, 2 found, dtype=[('name', 'S8'), ('visits', '<i8')]>
        >>> batch.batch_records[batch.ok]["visits"].sum()
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
    ) -> None:
        self.batch_records = batch_records
        self.meta = meta
        self.result_codes = result_codes
        self.inexact = inexact
        self.decode_errors = decode_errors
        self._keys = keys
        self._presence = presence
        self._map_cache: dict[Any, int] | None = None
        self._rows_by_space: dict[tuple[int, Any], int] | None = None
        self._present: npt.NDArray[Any] | None = None

    # -- keys ---------------------------------------------------------------------------------------

    @property
    def _map(self) -> dict[Any, int]:
        """Primary key to row, from the keys at the time of the call. The last row of a repeated key wins."""
        if self._map_cache is None:
            self._map_cache = {key: row for row, key in enumerate(self._keys.primary_keys())}
        return self._map_cache

    def _space_map(self) -> dict[tuple[int, Any], int]:
        """``(index into spaces(), primary key)`` to row, for batches of several sets."""
        if self._rows_by_space is None:
            space_of = self._keys.space_of() or [0] * len(self)
            keys = self._keys.primary_keys()
            self._rows_by_space = {
                (space, key): row for row, (space, key) in enumerate(zip(space_of, keys, strict=True))
            }
        return self._rows_by_space

    def _row(self, key: Any) -> int:
        """The row of a primary key or key tuple. Raises KeyError if there is none, or more than one set has
        it."""
        if isinstance(key, dict):
            key = _tuple_of(key)
        if isinstance(key, tuple):
            return self._row_of_tuple(key)
        if isinstance(key, bytearray):
            key = bytes(key)
        try:
            row = self._map.get(key)
        except TypeError:
            raise KeyError(f"{key!r} is neither a primary key nor (namespace, set, primary key)") from None
        if row is None:
            raise KeyError(f"{key!r} was not in the batch")
        spaces = self._keys.spaces()
        if len(spaces) > 1:
            rows = self._space_map()
            holders = [spaces[i] for i in range(len(spaces)) if (i, key) in rows]
            if len(holders) > 1:
                names = ", ".join(f"{namespace}.{set_ or '(no set)'}" for namespace, set_ in holders)
                raise KeyError(
                    f"{key!r} is a primary key in several sets ({names}); pass the whole key, "
                    f"such as {(*holders[0], key)!r}"
                )
        return row

    def _row_of_tuple(self, key: tuple[Any, ...]) -> int:
        if len(key) not in (3, 4):
            raise KeyError(f"{key!r} is neither a primary key nor (namespace, set, primary key)")
        namespace, set_, primary_key = key[:3]
        if primary_key is None and len(key) == 4:
            primary_key = key[3]
        if isinstance(primary_key, bytearray):
            primary_key = bytes(primary_key)
        try:
            space = self._keys.spaces().index((namespace, set_ or ""))
            return self._space_map()[space, primary_key]
        except (ValueError, KeyError):
            raise KeyError(f"{key!r} was not in the batch") from None

    def get(self, primary_key: Any) -> np.void:
        """The row of a key.

        Args:
            primary_key: a primary key, or a whole key: ``(namespace, set, primary_key)``, or the same as a
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
                key = _tuple_of(key)
            if isinstance(key, tuple):
                self._row_of_tuple(key)
                return True
            return key in self._map
        except (KeyError, TypeError):
            return False

    def __len__(self) -> int:
        return len(self.result_codes)

    def __iter__(self) -> Iterator[np.void]:
        return iter(self.batch_records)

    # -- missing rows and values
    # -------------------------------------------------------------------------------

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

        True where the record had the bin and its value is in the field. This tells a zero from a missing bin.

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

    def to_pandas(self, meta_prefix: str = "") -> pd.DataFrame:
        """The fields as a ``pandas.DataFrame``, with the columns ``gen``, ``ttl`` and ``result_code``.

        The index is the primary key; for several sets it is set and key, for several namespaces namespace,
        set and key. Columns have native byte order. A numeric column with missing values has a nullable dtype
        of pandas. Sub-arrays, ``S`` and ``V`` fields are object columns.

        Args:
            meta_prefix: put before the names ``gen``, ``ttl`` and ``result_code``.

        Returns:
            A new frame with n rows. It shares no memory with the batch.

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
    # --------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        found = int(self.ok.sum())
        parts = [f"{len(self)} rows", f"{found} found"]
        if self.inexact:
            parts.append(f"inexact={self.inexact!r}")
        if self.decode_errors:
            parts.append(f"decode_errors={self.decode_errors}")
        return f"<NumpyBatchRecords {', '.join(parts)}, dtype={self.batch_records.dtype}>"

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        if not isinstance(self._keys, _PickledKeys):
            keys = self._keys
            state["_keys"] = _PickledKeys(keys.primary_keys(), keys.spaces(), keys.space_of())
        return state


# Failures that the message of a BatchDecodeError lists.
_LISTED_FAILURES = 3

_MASKABLE_UNITS = ("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as")


def _finish(
    batch: NumpyBatchRecords, failures: list[tuple[int, str, str, str]], count: int, coerce: bool
) -> NumpyBatchRecords:
    """Warns if values changed, and raises if values do not fit. Both the warning and the error have the
    batch.

    The extension calls this at the end of a batch read. ``failures`` are (row, field, type of bin, reason) of
    the first values that do not fit, ``count`` is the number of all.
    """
    failed = count > 0 and not coerce
    if batch.inexact:
        counts = ", ".join(f"{name}: {number}" for name, number in batch.inexact.items())
        warning = RuntimeWarning(
            f'values changed to fit their fields ({counts}); casting="same_value" makes this an error'
        )
        # If warnings are errors, the caller still gets the batch.
        warning.batch = batch  # type: ignore[attr-defined]
        try:
            warn(warning)
        except RuntimeWarning:
            if not failed:
                raise
            raise _decode_error(batch, failures, count)  # noqa: B904 - the warning is its context
    if failed:
        raise _decode_error(batch, failures, count)
    return batch


def _decode_error(
    batch: NumpyBatchRecords, failures: list[tuple[int, str, str, str]], count: int
) -> BatchDecodeError:
    keys = batch._keys.primary_keys()
    listed = [(row, keys[row], field, reason) for row, field, _, reason in failures]
    shown = "; ".join(
        f"key {keys[row]!r}, bin {field!r} ({bin_type}) into field {field!r} "
        f"({_field_name(batch, field)}): {reason}"
        for row, field, bin_type, reason in failures[:_LISTED_FAILURES]
    )
    more = f"; and {count - _LISTED_FAILURES} more (see .failures)" if count > _LISTED_FAILURES else ""
    values = "value does" if count == 1 else "values do"
    return BatchDecodeError(
        f"{count} {values} not fit the dtype: {shown}{more}. The other values are in .batch; "
        'errors="coerce" leaves such cells empty instead',
        failures=listed,
        batch=batch,
        count=count,
    )


def _field_name(batch: NumpyBatchRecords, field: str) -> str:
    dtype = batch.batch_records.dtype[field]
    if dtype.subdtype is None:
        return dtype.str
    base, shape = dtype.subdtype
    return f"{base.str}{list(shape)}"
