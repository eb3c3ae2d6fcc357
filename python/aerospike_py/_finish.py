"""The end of a batch read: warnings and errors, once its result is there.

Texts of warnings name fields and causes only, never counts or keys:
Python keeps each text for good.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from ._result_codes import ABOUT_RECORD, causes
from ._utils.warnings import warn
from .exception import BatchDecodeError
from .numpy_batch import MissingFieldWarning

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np

    from .numpy_batch import NumpyBatchRecords
    from .records import BatchRecords

# Failures that the message of a BatchDecodeError lists.
_LISTED_FAILURES = 3

_Failure = tuple[int, str, str, str]


def finish_batch_read(
    batch: NumpyBatchRecords,
    failed_codes: Sequence[int],
    missing: Sequence[str],
    unmatched: Sequence[str],
    failures: Sequence[_Failure] | None,
) -> NumpyBatchRecords:
    """Warns of what the caller might overlook, and raises if values do not fit. Warnings and errors have the
    batch.

    The extension calls this for reads into arrays.

    Args:
        batch: the result.
        failed_codes: result codes of rows that failed.
        missing: fields whose bin no record has, and that no earlier call has warned of.
        unmatched: names of bins without a field.
        failures: (row, field, type of bin, reason) of the first values that do not fit, if this is an error.
    """
    try:
        for warning in _warnings(batch, failed_codes, missing, unmatched):
            # If warnings are errors, the caller still gets the batch.
            warning.batch = batch  # type: ignore[attr-defined]
            warn(warning)
    except Warning:
        if failures is None:
            raise
        raise _decode_error(batch, failures)  # noqa: B904 - the warning is its context
    if failures is not None:
        raise _decode_error(batch, failures)
    return batch


def warn_of_failed_rows(batch: BatchRecords) -> None:
    """Warns if rows of a batch read failed."""
    if batch.result == 0:
        return
    _warn_of_rows(batch, {row.result for row in batch.batch_records}.difference(ABOUT_RECORD))


def warn_of_failed_reads(batch: BatchRecords, *, only_reads: bool) -> None:
    """Warns if rows that read failed, in a batch of operations. Rows that write have codes that a program
    expects, such as that of a record that exists already.

    Args:
        batch: the result.
        only_reads: every row reads; otherwise, those of the class ``Read`` do.
    """
    if batch.result == 0:
        return
    rows = (row for row in batch.batch_records if only_reads or getattr(row, "kind", None) == "read")
    codes = {row.result for row in rows}.difference(ABOUT_RECORD)
    if codes:
        _warn_of_rows(batch, codes)


def _warn_of_rows(batch: BatchRecords, codes: Iterable[int]) -> None:
    warning = RuntimeWarning(_failed_rows(codes, "see the results of the rows, and raise_for_failures()"))
    warning.batch = batch  # type: ignore[attr-defined]
    warn(warning)


def _warnings(
    batch: NumpyBatchRecords, failed_codes: Sequence[int], missing: Sequence[str], unmatched: Sequence[str]
) -> Iterator[Warning]:
    if failed_codes:
        yield RuntimeWarning(_failed_rows(failed_codes, "see result_codes, and raise_for_failures()"))
    if batch.inexact:
        yield RuntimeWarning(
            f"values changed to fit their fields ({', '.join(batch.inexact)}); they are counted in .inexact, "
            'and casting="same_value" makes this an error'
        )
    if missing:
        absent = set(missing)
        present = (name for name in batch.batch_records.dtype.names or () if name not in absent)
        yield MissingFieldWarning(_missing_fields(missing, [*unmatched, *present]))


def _failed_rows(codes: Iterable[int], advice: str) -> str:
    return f"rows of the batch failed ({causes(codes)}); {advice}"


def _missing_fields(missing: Sequence[str], seen: Sequence[str]) -> str:
    described = []
    for name in missing:
        nearest = get_close_matches(name, seen, n=1)
        described.append(f"{name!r} (the nearest bin is {nearest[0]!r})" if nearest else repr(name))
    bins = "the bin" if len(described) == 1 else "the bins"
    return (
        f"no record that was found has {bins} {', '.join(described)}; check the names of fields and sets, "
        "or ignore MissingFieldWarning if the bins are optional"
    )


def _decode_error(batch: NumpyBatchRecords, failures: Sequence[_Failure]) -> BatchDecodeError:
    count = batch.decode_errors
    keys = {row: batch._keys.primary_key(row) for row, *_ in failures}
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


def _field_name(batch: NumpyBatchRecords, field: str) -> Any:
    base: np.dtype[Any] = batch.batch_records.dtype[field]
    shape: list[int] = []
    # A sub-array of sub-arrays has the dimensions of both.
    while base.subdtype is not None:
        base, inner = base.subdtype
        shape += inner
    return f"{base.str}{shape}" if shape else base.str
