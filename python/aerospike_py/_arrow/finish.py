"""The end of a read into Arrow columns: the result, warnings and errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from .._result_codes import causes
from .._utils.warnings import warn
from ..arrow_records import ArrowRecords
from ..exception import BatchDecodeError
from ..numpy_records import MissingFieldWarning

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .. import _native
    from .._types import BatchKeys, RecordLabels

# Failures that the message of a BatchDecodeError lists.
_LISTED_FAILURES = 3

_Failure = tuple[int, str, str, str]
_Paths = Mapping[str, Sequence[Any]]


def finish_arrow_batch(
    table: _native.ArrowTable,
    rows: _native.RowMeta,
    keys: BatchKeys,
    inexact: dict[str, int],
    decode_errors: int,
    notes: tuple[Sequence[int], Sequence[str], Sequence[str]],
    failures: Sequence[_Failure] | None,
    paths: _Paths | None,
) -> ArrowRecords:
    """Makes the result of a batch, warns of what the caller might overlook, and raises if values do not fit.

    The extension calls this.

    Args:
        table: the columns.
        rows: generation, time to live and result code of each row.
        keys: the keys of the batch.
        inexact: column to the number of its values that changed to fit.
        decode_errors: the number of values that do not fit.
        notes: result codes of rows that failed; columns that no record has a value for; names of bins
            without a column.
        failures: (row, column, type of value, reason) of the first values that do not fit, if this is an
            error.
        paths: where columns come from, if not from the bin of their name.
    """
    records = ArrowRecords(table, rows, inexact, decode_errors, batch_keys=keys)
    failed_codes, missing, unmatched = notes
    found: list[Warning] = []
    if failed_codes:
        found.append(RuntimeWarning(f"rows of the batch failed ({causes(failed_codes)}); see result_codes"))
    found += warnings_of_columns(records.schema_names, inexact, missing, unmatched, paths)
    return finish(records, found, failures, paths)


def arrow_query_records(
    table: _native.ArrowTable,
    labels: RecordLabels,
    rows: _native.RowMeta,
    has_sets: bool,
    inexact: dict[str, int],
    decode_errors: int,
) -> ArrowRecords:
    """Makes the result of a query, or a block of it. The extension calls this."""
    return ArrowRecords(table, rows, inexact, decode_errors, labels=labels, has_sets=has_sets)


def warnings_of_columns(
    columns: Sequence[str],
    changed: Iterable[str],
    missing: Sequence[str],
    unmatched: Sequence[str],
    paths: _Paths | None,
) -> Iterator[Warning]:
    """What to warn of in the values of a result: those that changed, and columns that no record has."""
    names = set(changed)
    if names:
        yield RuntimeWarning(
            f"values changed to fit their columns ({', '.join(c for c in columns if c in names)}); they are "
            'counted in .inexact, and casting="same_value" makes this an error'
        )
    if missing:
        yield MissingFieldWarning(_missing(columns, missing, unmatched, paths or {}))


def warnings_of_bins(records: ArrowRecords, bins: Sequence[str] | None) -> Iterator[Warning]:
    """What to warn of if columns were inferred: bins that the caller named and no record has."""
    names = records.schema_names
    missing = [name for name in bins or () if name not in names]
    if missing and records._has_records():
        yield MissingFieldWarning(_missing([*names, *missing], missing, (), {}))


def _missing(columns: Sequence[str], missing: Sequence[str], unmatched: Sequence[str], paths: _Paths) -> str:
    seen = [*unmatched, *(name for name in columns if name not in missing)]
    parts = []
    for name in missing:
        nearest = [] if name in paths else get_close_matches(name, seen, n=1)
        hint = f" (the nearest bin is {nearest[0]!r})" if nearest else ""
        parts.append(repr(name) + (f" ({_value(name, paths)})" if name in paths else hint))
    return (
        f"no record that was found has a value for {'the column' if len(parts) == 1 else 'the columns'} "
        f"{', '.join(parts)}; check the names of columns and sets{', and paths' if paths else ''}, or ignore "
        "MissingFieldWarning if the bins are optional"
    )


def finish(
    records: ArrowRecords,
    found: Iterable[Warning],
    failures: Sequence[_Failure] | None,
    paths: _Paths | None,
) -> ArrowRecords:
    """Issues warnings and raises if values do not fit. Warnings and errors have the result as ``batch``."""
    try:
        for warning in found:
            # If warnings are errors, the caller still gets the result.
            warning.batch = records  # type: ignore[attr-defined]
            warn(warning)
    except Warning:
        if failures is None:
            raise
        raise _decode_error(records, failures, paths or {})  # noqa: B904 - the warning is its context
    if failures is not None:
        raise _decode_error(records, failures, paths or {})
    return records


def _decode_error(records: ArrowRecords, failures: Sequence[_Failure], paths: _Paths) -> BatchDecodeError:
    count = records.decode_errors
    types = dict(records.columns)
    listed = [(row, records._row_id(row), column, reason) for row, column, _, reason in failures]
    shown = "; ".join(
        f"{records._row_name(row)}, {_value(column, paths)} ({kind}) into column {column!r}"
        f"{_type(types, column)}: {reason}"
        for row, column, kind, reason in failures[:_LISTED_FAILURES]
    )
    more = f"; and {count - _LISTED_FAILURES} more (see .failures)" if count > _LISTED_FAILURES else ""
    values = "value does" if count == 1 else "values do"
    return BatchDecodeError(
        f"{count} {values} not fit the schema: {shown}{more}. The other values are in .batch; "
        'errors="coerce" makes such values null instead',
        failures=listed,
        batch=records,
        count=count,
    )


def _type(types: Mapping[str, str], column: str) -> str:
    kind = types.get(column)
    return "" if kind is None else f" ({kind})"


def _value(column: str, paths: _Paths) -> str:
    """Where a value is: ``bin 'features' at ['driver']``."""
    name, *steps = column.split(".")
    if column in paths:
        name, steps = column, []
    source = list(paths.get(name, (name,)))
    steps = [*source[1:], *steps]
    return f"bin {source[0]!r}" + (f" at {''.join(f'[{step!r}]' for step in steps)}" if steps else "")
