"""The result of a query into NumPy arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .numpy_records import NumpyRecords

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from ._types import RecordLabels

# Bytes of a digest that the HTML table shows.
_SHOWN = 6


class _Labels:
    """The stored keys and the sets of a result that was pickled."""

    def __init__(self, keys: list[Any], sets: list[str | None] | None) -> None:
        self._keys = keys
        self._sets = sets

    def keys(self) -> list[Any]:
        return self._keys

    def sets(self) -> list[str | None]:
        return self._sets or []


class NumpyQueryRecords(NumpyRecords):
    """Records of a query as NumPy arrays, one row per record, in no order.

    Every record of the query is a row, also one that has none of the bins. Indexing
    (``records["visits"]``, ``records[5]``, slices, masks) works as on :attr:`batch_records`, and
    ``np.asarray(records)`` returns that array. ``len`` and iteration work on rows.

    Attributes:
        batch_records: structured array of exactly the requested dtype, shape ``(n,)``. A cell (one field of
            one row) without a value is zero; :attr:`present` distinguishes it from a stored zero.
        meta: structured array ``[("gen", "u4"), ("ttl", "u4")]``, shape ``(n,)``. ``ttl`` is the time to live
            in seconds: at least 1, ``0xFFFFFFFF`` if the record never expires.
        digests: array of 20-byte voids (``V20``), shape ``(n,)``. ``bytes(digests[row])`` is the last part of
            a key, ``(namespace, set, None, digest)``.
        inexact: field name to the number of values that changed to fit the field. A field in a struct has a
            dotted name, such as ``features.trips``.
        decode_errors: number of values that do not fit their field. Their cells are zero and not present.

    Example:
        >>> dtype = np.dtype([("name", "S8"), ("visits", "i8")])
        >>> records = client.query("test", "users").to_numpy(dtype)
        >>> records
        <NumpyQueryRecords 2 rows, dtype=[('name', 'S8'), ('visits', '<i8')]>
        >>> records["visits"].sum()
        np.int64(7)
    """

    def __init__(
        self,
        batch_records: npt.NDArray[Any],
        meta: npt.NDArray[Any],
        digests: npt.NDArray[np.void],
        labels: RecordLabels,
        has_sets: bool,
        presence: npt.NDArray[np.uint8],
        inexact: dict[str, int],
        decode_errors: int,
        changed_cells: npt.NDArray[np.uint8] | None = None,
        failed_cells: npt.NDArray[np.uint8] | None = None,
    ) -> None:
        super().__init__(batch_records, meta, presence, inexact, decode_errors, changed_cells, failed_cells)
        self.digests = digests
        self._labels = labels
        self._has_sets = has_sets
        self._keys: list[Any] | None = None
        self._sets: npt.NDArray[Any] | None = None

    @property
    def sets(self) -> npt.NDArray[Any]:
        """Object array of the records' sets, shape ``(n,)``: a str, or None for a record without a set.

        Raises:
            AttributeError: the query was of one set, which all its records have.

        Example:
            >>> dtype = np.dtype([("visits", "i8")])
            >>> records = client.query("test").to_numpy(dtype)
            >>> len(records[records.sets == "users"])
            2
        """
        if not self._has_sets:
            raise AttributeError("the query was of one set; only queries of a whole namespace have sets")
        if self._sets is None:
            import numpy as np

            sets = np.empty(len(self), dtype=object)
            sets[:] = self._labels.sets()
            self._sets = sets
        return self._sets

    def keys(self) -> list[Any]:
        """The primary keys that servers have stored, by row; None where none is stored.

        A key is stored if the record was written with the policy ``"key": POLICY_KEY_SEND``.

        Example:
            >>> dtype = np.dtype([("visits", "i8")])
            >>> len(client.query("test", "users").to_numpy(dtype).keys())
            2
        """
        if self._keys is None:
            self._keys = self._labels.keys()
        return self._keys

    # -- what differs from other results

    def _row_name(self, row: int) -> str:
        return f"the record with the digest {self._row_id(row).hex()}"

    def _row_id(self, row: int) -> bytes:
        return bytes(self.digests[row])

    def _html_labels(self, rows: int) -> tuple[str, list[str]]:
        keys = self.keys()[:rows]
        if all(key is not None for key in keys):
            return "key", [str(key) for key in keys]
        return "digest", [f"{bytes(digest)[:_SHOWN].hex()}…" for digest in self.digests[:rows]]

    def _pandas_index(self) -> pd.Index[Any]:
        """The stored keys if all records have one, else the digests; with the sets of a whole namespace."""
        import pandas as pd

        keys = self.keys()
        if any(key is None for key in keys):
            name, labels = "digest", [bytes(digest) for digest in self.digests]
        else:
            name, labels = "key", keys
        if self._has_sets:
            return pd.MultiIndex.from_arrays(
                [self.sets, pd.Index(labels, tupleize_cols=False)], names=["set", name]
            )
        return pd.Index(labels, name=name, tupleize_cols=False)

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state["_labels"] = _Labels(self.keys(), self._labels.sets() if self._has_sets else None)
        return state
