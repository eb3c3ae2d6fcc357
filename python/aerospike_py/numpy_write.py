"""The result of ``batch_write_numpy`` and ``batch_write_arrow``."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from ._result_codes import causes, describe, failure
from ._utils.warnings import warn
from .exception import ParamError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from . import _native

#: The result code of a row that was not sent, because all its bins are missing.
NO_BINS = ParamError.code


class WriteFailure(NamedTuple):
    """A row that failed.

    Attributes:
        row: index of the row.
        key: primary key of the row.
        code: result code, never 0.
        in_doubt: whether the row may have been written although it failed.
    """

    row: int
    key: Any
    code: int
    in_doubt: bool


class NumpyWriteResult:
    """The outcome of each row of ``batch_write_numpy`` or ``batch_write_arrow``.

    Attributes:
        result_codes: int32 array, shape ``(n,)``: 0 where the row was written, otherwise a code of the server
            (positive) or the client (negative).
        in_doubt: bool array, shape ``(n,)``: True where a row failed but may have been written.

    Example:
        >>> data = np.array([(1, 21.5)], dtype=[("_key", "i8"), ("temperature", "f8")])
        >>> client.batch_write_numpy(data, "test", "sensors")
        <NumpyWriteResult 1 of 1 rows written>
    """

    __slots__ = ("_keys", "in_doubt", "result_codes")

    def __init__(
        self,
        result_codes: npt.NDArray[np.int32],
        in_doubt: npt.NDArray[np.bool_],
        keys: _native.KeyTable | _FailedKeys,
    ) -> None:
        self.result_codes = result_codes
        self.in_doubt = in_doubt
        self._keys = keys

    @property
    def ok(self) -> npt.NDArray[np.bool_]:
        """bool array, shape ``(n,)``: True where the row was written.

        Example:
            >>> result = client.batch_write_numpy(np.array([(1, 2)], "i8,i8"), "test", "s", key_field="f0")
            >>> result.ok
            array([ True])
        """
        ok: npt.NDArray[np.bool_] = self.result_codes == 0
        return ok

    @property
    def failures(self) -> list[WriteFailure]:
        """The rows that failed, in order.

        Example:
            >>> result = client.batch_write_numpy(np.array([(1, 2)], "i8,i8"), "test", "s", key_field="f0")
            >>> [failure.key for failure in result.failures if not failure.in_doubt]
            []
        """
        rows = self.result_codes.nonzero()[0].tolist()
        if not rows:
            return []
        key = self._keys.primary_key
        return [
            WriteFailure(row, key(row), int(self.result_codes[row]), bool(self.in_doubt[row])) for row in rows
        ]

    def raise_for_failures(self) -> None:
        """Raises an error if any row failed.

        Raises:
            AerospikeError: the class is that of the most frequent code. The message has the number of
                failures by code, and the first failed row. ``in_doubt`` is True if any row is in doubt;
                ``batch`` is this result.

        Example:
            >>> result = client.batch_write_numpy(np.array([(1, 2)], "i8,i8"), "test", "s", key_field="f0")
            >>> result.raise_for_failures()
        """
        failed = self.result_codes != 0
        if not failed.any():
            return
        row = int(failed.argmax())
        failed_codes = self.result_codes[failed]
        doubt = int(self.in_doubt.sum())
        raise failure(
            Counter(failed_codes.tolist()),
            f"{int(failed.sum())} of {len(self)} rows were not written",
            f"the first is row {row}, key {self._keys.primary_key(row)!r}"
            + (f"; {doubt} of them may have been written" if doubt else "")
            + _about_no_bins(failed_codes),
            doubt > 0,
            self,
        )

    def __len__(self) -> int:
        return len(self.result_codes)

    def __repr__(self) -> str:
        parts = describe(Counter(self.result_codes.tolist()), f"of {len(self)} rows written", {})
        return f"<NumpyWriteResult {', '.join(parts)}>"

    def _repr_html_(self) -> str | None:
        """A table of the rows that failed. Without any, notebooks show the ``repr``."""
        from ._export.html import ROWS, objects

        failed = self.result_codes.nonzero()[0]
        if not len(failed):
            return None
        rows = [
            {
                "row": row,
                "key": self._keys.primary_key(row),
                "result": causes([int(self.result_codes[row])]),
                "in doubt": bool(self.in_doubt[row]),
            }
            for row in failed[:ROWS].tolist()
        ]
        return objects(repr(self)[1:-1], list(rows[0]), rows, len(failed))

    def __reduce__(self) -> Any:
        keys = {row: self._keys.primary_key(row) for row in self.result_codes.nonzero()[0].tolist()}
        return (_restore, (self.result_codes, self.in_doubt, keys))


def _about_no_bins(codes: npt.NDArray[np.int32]) -> str:
    return f"; rows of the code {NO_BINS} have no bin to write" if (codes == NO_BINS).any() else ""


class _FailedKeys:
    """The primary keys of the rows that failed; results need no others."""

    def __init__(self, keys: dict[int, Any]) -> None:
        self._keys = keys

    def primary_key(self, row: int) -> Any:
        return self._keys[row]


def _restore(codes: Any, in_doubt: Any, keys: dict[int, Any]) -> NumpyWriteResult:
    return NumpyWriteResult(codes, in_doubt, _FailedKeys(keys))


def _finish(codes: Any, in_doubt: Any, keys: Any) -> NumpyWriteResult:
    """The result of a call; warns if rows failed. The extension calls this at the end of a batch write."""
    result = NumpyWriteResult(codes, in_doubt, keys)
    if codes.any():
        # Without counts and keys: Python keeps the text of each warning for good.
        doubt = "; those in doubt may have been written" if in_doubt.any() else ""
        failed = causes(codes[codes != 0].tolist())
        warning = RuntimeWarning(
            f"rows were not written ({failed}){doubt}; see result_codes, and raise_for_failures()"
            + _about_no_bins(codes)
        )
        warning.batch = result  # type: ignore[attr-defined]
        warn(warning)
    return result
