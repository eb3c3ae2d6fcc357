"""The end of a read: warnings and errors, once its result is there.

Texts of warnings name fields and causes only, never counts or keys:
Python keeps each text for good.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar

from ._leaves import Node, leaves, named, without_value
from ._result_codes import ABOUT_RECORD, causes
from ._utils.warnings import warn
from .exception import BatchDecodeError
from .numpy_records import MissingFieldWarning, NumpyRecords

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    import numpy as np

    from .feature_matrix import FeatureMatrix
    from .numpy_batch import NumpyBatchRecords
    from .records import BatchRecords

# Failures that the message of a BatchDecodeError lists.
_LISTED_FAILURES = 3

# Leaves of a struct that a warning lists.
_LISTED_LEAVES = 8

_Failure = tuple[int, str, str, str]
_Part = tuple[Any, Sequence[int], Sequence[str], Sequence[str], "Sequence[_Failure] | None", "_Paths | None"]
_Paths = Mapping[str, "str | Sequence[Any]"]
_Result = TypeVar("_Result", bound=NumpyRecords)


def finish_batch_read(
    batch: NumpyBatchRecords,
    failed_codes: Sequence[int],
    missing: Sequence[str],
    unmatched: Sequence[str],
    failures: Sequence[_Failure] | None,
    paths: _Paths | None = None,
) -> NumpyBatchRecords:
    """Warns of what the caller might overlook, and raises if values do not fit. Warnings and errors have the
    batch.

    The extension calls this for reads into arrays.

    Args:
        batch: the result.
        failed_codes: result codes of rows that failed.
        missing: fields that no record has a value for, and that no earlier call has warned of.
        unmatched: names of bins without a field.
        failures: (row, field, type of value, reason) of the first values that do not fit, if this is an
            error.
        paths: where fields come from, if not from the bin of their name: a bin, or a bin and steps.
    """
    found: list[Warning] = []
    if failed_codes:
        found.append(RuntimeWarning(_failed_rows(failed_codes, "see result_codes, and raise_for_failures()")))
    found += warnings_of_values(batch, missing, unmatched, paths)
    return finish(batch, found, failures, paths)


def finish_batch_sets(
    batches: dict[Any, NumpyBatchRecords], parts: Sequence[_Part]
) -> dict[Any, NumpyBatchRecords]:
    """The end of a batch read with a dtype for each set: :func:`finish_batch_read`, once for all sets.

    Args:
        batches: the results by set.
        parts: for sets with something to warn of or raise, the name and the arguments of
            :func:`finish_batch_read`.
    """
    found: list[Warning] = []
    codes = {code for _, failed_codes, *_ in parts for code in failed_codes}
    if codes:
        advice = "see result_codes, and raise_for_failures(), of each set"
        found.append(RuntimeWarning(_failed_rows(codes, advice)))
    refused: list[tuple[Any, Sequence[_Failure], _Paths]] = []
    for name, _, missing, unmatched, failures, paths in parts:
        of_set = warnings_of_values(batches[name], missing, unmatched, paths)
        found += [type(warning)(f"set {name!r}: {warning}") for warning in of_set]
        if failures is not None:
            refused.append((name, failures, paths or {}))
    try:
        for warning in found:
            warning.batch = batches  # type: ignore[attr-defined]
            warn(warning)
    except Warning:
        if not refused:
            raise
        raise _sets_error(batches, refused)  # noqa: B904 - the warning is its context
    if refused:
        raise _sets_error(batches, refused)
    return batches


def _sets_error(
    batches: dict[Any, NumpyBatchRecords], refused: Sequence[tuple[Any, Sequence[_Failure], _Paths]]
) -> BatchDecodeError:
    errors = [(name, _decode_error(batches[name], failures, paths)) for name, failures, paths in refused]
    return BatchDecodeError(
        "; ".join(f"set {name!r}: {error.args[0]}" for name, error in errors),
        failures=[failure for _, error in errors for failure in error.failures],
        batch=batches,
        count=sum(batches[name].decode_errors for name, _ in errors),
    )


def finish_matrix(
    features: FeatureMatrix,
    failed_codes: Sequence[int],
    missing: Sequence[str],
    failures: Sequence[tuple[int, int, str, str, str]] | None,
) -> FeatureMatrix:
    """The end of a read into a matrix: :func:`finish_batch_read` for columns.

    Args:
        features: the result.
        failed_codes: result codes of records that failed.
        missing: columns that no record has a value for, and that no earlier call has warned of.
        failures: (row, group, column, type of value, reason) of the first values that do not fit, if this is
            an error.
    """
    found: list[Warning] = []
    if failed_codes:
        found.append(RuntimeWarning(_failed_rows(failed_codes, "see result_codes, and raise_for_failures()")))
    if features.inexact:
        names = ", ".join(name for name in features.columns if name in features.inexact)
        found.append(
            RuntimeWarning(
                f"values changed to fit their columns ({names}); they are counted in .inexact, and "
                'casting="same_value" makes this an error'
            )
        )
    if missing:
        what = "the column" if len(missing) == 1 else "the columns"
        columns = ", ".join(map(repr, missing))
        found.append(
            MissingFieldWarning(
                f"no record that was found has a value for {what} {columns}; check the names of bins and "
                "sets, and paths, or ignore MissingFieldWarning if the bins are optional"
            )
        )
    try:
        for warning in found:
            warning.batch = features  # type: ignore[attr-defined]
            warn(warning)
    except Warning:
        if failures is None:
            raise
        raise _matrix_error(features, failures)  # noqa: B904 - the warning is its context
    if failures is not None:
        raise _matrix_error(features, failures)
    return features


def _matrix_error(
    features: FeatureMatrix, failures: Sequence[tuple[int, int, str, str, str]]
) -> BatchDecodeError:
    count = features.decode_errors
    keys = features._keys
    listed = [
        (row, keys[group].primary_key(row), column, reason) for row, group, column, _, reason in failures
    ]
    shown = "; ".join(
        f"row {row}, group {group}, key {keys[group].primary_key(row)!r}: {kind} into column {column!r} "
        f"({features.matrix.dtype.str}): {reason}"
        for row, group, column, kind, reason in failures[:_LISTED_FAILURES]
    )
    more = f"; and {count - _LISTED_FAILURES} more (see .failures)" if count > _LISTED_FAILURES else ""
    values = "value does" if count == 1 else "values do"
    return BatchDecodeError(
        f"{count} {values} not fit the matrix: {shown}{more}. The other values are in .batch; "
        'errors="coerce" leaves such cells at the fill value instead',
        failures=listed,
        batch=features,
        count=count,
    )


def finish(
    records: _Result,
    found: Iterable[Warning],
    failures: Sequence[_Failure] | None,
    paths: _Paths | None = None,
) -> _Result:
    """Issues warnings and raises if values do not fit. Warnings and errors have the result as ``batch``.

    Args:
        records: the result.
        found: what to warn of.
        failures: (row, field, type of value, reason) of the first values that do not fit, if this is an
            error.
        paths: where fields come from, if not from the bin of their name: a bin, or a bin and steps.
    """
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


def warnings_of_values(
    records: NumpyRecords,
    missing: Sequence[str],
    unmatched: Sequence[str],
    paths: _Paths | None = None,
) -> Iterator[Warning]:
    """What to warn of in the values of a result: those that changed, and fields that no record has."""
    if records.inexact:
        yield changed_values(records.batch_records.dtype, records.inexact)
    if missing:
        yield missing_fields(records.batch_records.dtype, missing, unmatched, paths)


def missing_fields(
    dtype: np.dtype[Any], missing: Sequence[str], unmatched: Sequence[str], paths: _Paths | None = None
) -> MissingFieldWarning:
    """What to warn of if no record has these fields."""
    return MissingFieldWarning(_missing_fields(dtype, missing, unmatched, paths or {}))


def changed_values(dtype: np.dtype[Any], changed: Container[str]) -> RuntimeWarning:
    """What to warn of if values of these fields changed."""
    # In the order of the dtype: the text must not depend on the order of the records.
    names = [field.name for field in leaves(dtype) if field.name in changed]
    return RuntimeWarning(
        f"values changed to fit their fields ({', '.join(names)}); they are counted in "
        '.inexact, and casting="same_value" makes this an error'
    )


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


def _failed_rows(codes: Iterable[int], advice: str) -> str:
    return f"rows of the batch failed ({causes(codes)}); {advice}"


def _missing_fields(
    dtype: np.dtype[Any], missing: Sequence[str], unmatched: Sequence[str], paths: _Paths
) -> str:
    absent = without_value(dtype, missing)
    known = {node.path for node in absent}
    seen = (name for name in dtype.names or () if (name,) not in known)
    bins_seen = [*unmatched, *seen]
    bins: list[str] = []
    fields: list[str] = []
    for node in absent:
        bin_name, steps = _source(node.path, paths)
        nearest = [] if len(node.path) > 1 or steps else get_close_matches(bin_name, bins_seen, n=1)
        hint = f" (the nearest bin is {nearest[0]!r})" if nearest else ""
        if len(node.path) == 1 and not steps and node.is_leaf:
            bins.append(repr(bin_name) + hint)
            continue
        place = f" ({_place(bin_name, steps)})" if node.path[0] in paths else ""
        fields.append(_whole(node) + (hint or place))
    parts = []
    if bins:
        parts.append(f"{'the bin' if len(bins) == 1 else 'the bins'} {', '.join(bins)}")
    if fields:
        parts.append(f"a value for {'the field' if len(fields) == 1 else 'the fields'} {', '.join(fields)}")
    checked = "the names of fields and sets" if not paths else "the names of fields and sets, and paths"
    return (
        f"no record that was found has {', or '.join(parts)}; check {checked}, "
        "or ignore MissingFieldWarning if the bins are optional"
    )


def _whole(node: Node) -> str:
    """A field without any value. A struct with its leaves: any of their names may be wrong, and Python
    shows each text once."""
    inner = leaves(node.dtype, node.path)
    if len(inner) < 2:
        return repr((inner or [node])[0].name)
    listed = [leaf.name for leaf in inner[:_LISTED_LEAVES]] + ["..."] * (len(inner) > _LISTED_LEAVES)
    return f"{node.name!r} ({', '.join(listed)})"


def _decode_error(records: NumpyRecords, failures: Sequence[_Failure], paths: _Paths) -> BatchDecodeError:
    count = records.decode_errors
    listed = [(row, records._row_id(row), field, reason) for row, field, _, reason in failures]
    shown = "; ".join(
        f"{records._row_name(row)}, {_value(records, field, paths)} ({kind}) into field {field!r} "
        f"({_field_name(records, field)}): {reason}"
        for row, field, kind, reason in failures[:_LISTED_FAILURES]
    )
    more = f"; and {count - _LISTED_FAILURES} more (see .failures)" if count > _LISTED_FAILURES else ""
    values = "value does" if count == 1 else "values do"
    return BatchDecodeError(
        f"{count} {values} not fit the dtype: {shown}{more}. The other values are in .batch; "
        'errors="coerce" leaves such cells empty instead',
        failures=listed,
        batch=records,
        count=count,
    )


def _source(path: Sequence[str], paths: _Paths) -> tuple[str, list[Any]]:
    """The bin of a field, and the steps from there to its value."""
    source = paths.get(path[0], path[0])
    whole = [source] if isinstance(source, str) else list(source)
    return str(whole[0]), [*whole[1:], *path[1:]]


def _value(records: NumpyRecords, field: str, paths: _Paths) -> str:
    """Where a field's value is: ``bin 'features' at ['driver']['trips']``."""
    return _place(*_source(named(records.batch_records.dtype, field).path, paths))


def _place(bin_name: str, steps: Sequence[Any]) -> str:
    return f"bin {bin_name!r}" + (f" at {''.join(f'[{step!r}]' for step in steps)}" if steps else "")


def _field_name(records: NumpyRecords, field: str) -> str:
    dtype = named(records.batch_records.dtype, field).dtype
    if dtype.names is not None:
        return f"a struct of {len(dtype.names)} {'field' if len(dtype.names) == 1 else 'fields'}"
    shape: list[int] = []
    # A sub-array of sub-arrays has the dimensions of both.
    while dtype.subdtype is not None:
        dtype, inner = dtype.subdtype
        shape += inner
    return f"{dtype.str}{shape}" if shape else dtype.str
