"""The result of ``batch_write_numpy``."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from ._utils.warnings import warn
from .exception import _error_class

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from . import _native


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
    """The outcome of each row of ``batch_write_numpy``.

    Attributes:
        result_codes: int32 array, shape ``(n,)``: 0 where the row was written, else a code of the server
            (positive) or the client (negative).
        in_doubt: bool array, shape ``(n,)``: True where a row failed but may have been written.

    Example:
        >>> data = np.array([(1, 21.5)], dtype=[("_key", "i8"), ("temperature", "f8")])
        >>> client.batch_write_numpy(data, "test", "sensors")
        <NumpyWriteResult 1 of 1 rows written>
    """

    __slots__ = ("_keys", "in_doubt", "result_codes")

    def __init__(
        self, result_codes: npt.NDArray[np.int32], in_doubt: npt.NDArray[np.bool_], keys: _native.KeyTable
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
                failures by code, and the first failed row. ``in_doubt`` is True if any row is in doubt.

        Example:
            >>> result = client.batch_write_numpy(np.array([(1, 2)], "i8,i8"), "test", "s", key_field="f0")
            >>> result.raise_for_failures()
        """
        text = self._describe_failures()
        if text is None:
            return
        codes = Counter(code for code in self.result_codes.tolist() if code)
        code = codes.most_common(1)[0][0]
        raise _error_class(code)(text, code, bool(self.in_doubt.any()))

    def _describe_failures(self) -> str | None:
        failed = self.result_codes != 0
        codes = Counter(self.result_codes[failed].tolist())
        if not codes:
            return None
        row = int(failed.argmax())
        kinds = ", ".join(
            f"{_error_class(code).__name__} ({code}): {count}" for code, count in codes.most_common()
        )
        doubt = int(self.in_doubt.sum())
        return (
            f"{codes.total()} of {len(self)} rows were not written: {kinds}; the first is row {row}, "
            f"key {self._keys.primary_key(row)!r}"
            + (f"; {doubt} of them may have been written" if doubt else "")
        )

    def __len__(self) -> int:
        return len(self.result_codes)

    def __repr__(self) -> str:
        return f"<NumpyWriteResult {int(self.ok.sum())} of {len(self)} rows written>"

    def __reduce__(self) -> Any:
        return (_restore, (self.result_codes, self.in_doubt, self._keys.primary_keys()))


class _PickledKeys:
    """Primary keys as a list: they take the place of the extension's ``KeyTable`` in a pickled result."""

    def __init__(self, keys: list[Any]) -> None:
        self._keys = keys

    def primary_keys(self) -> list[Any]:
        return self._keys

    def primary_key(self, row: int) -> Any:
        return self._keys[row]


def _restore(codes: Any, in_doubt: Any, keys: list[Any]) -> NumpyWriteResult:
    return NumpyWriteResult(codes, in_doubt, _PickledKeys(keys))  # type: ignore[arg-type]


def _finish(codes: Any, in_doubt: Any, keys: Any) -> NumpyWriteResult:
    """The result of a call; warns if rows failed. The extension calls this at the end of a batch write."""
    result = NumpyWriteResult(codes, in_doubt, keys)
    text = result._describe_failures() if codes.any() else None
    if text is not None:
        warn(f"batch_write_numpy: {text}; see result_codes and raise_for_failures()", RuntimeWarning)
    return result
