"""Result codes of the rows of a batch, summed up: for warnings, errors and reprs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from .exception import _error_class

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .exception import AerospikeError

#: Codes that say only whether there is a record: found, not found, filtered out. Rows with others failed.
ABOUT_RECORD = (0, 2, 27)

_WITHOUT_RECORD = {2: "missing", 27: "filtered out"}


def cause(code: int) -> str:
    """The name of a code's exception; with the code, if the class stands for several."""
    error_class = _error_class(code)
    return error_class.__name__ if error_class.code == code else f"{error_class.__name__} ({code})"


def causes(codes: Iterable[int]) -> str:
    """The names of the codes' exceptions. The same text for the same codes, however often they occur."""
    return ", ".join(cause(code) for code in sorted(set(codes)))


def describe(
    counts: Mapping[int, int], success: str, without_record: Mapping[int, str] = _WITHOUT_RECORD
) -> list[str]:
    """How many rows succeeded, have no record, and failed, by cause: the parts of a ``repr``.

    Args:
        counts: code to number of rows.
        success: what a row with the code 0 is called.
        without_record: what rows are called whose code is no failure.
    """
    parts = [f"{counts.get(0, 0)} {success}"]
    parts += [f"{counts[code]} {name}" for code, name in without_record.items() if counts.get(code)]
    failed = Counter(
        {code: count for code, count in counts.items() if code != 0 and code not in without_record}
    )
    if failed:
        by_cause = ", ".join(f"{count} {cause(code)}" for code, count in failed.most_common())
        parts.append(f"{failed.total()} failed ({by_cause})")
    return parts


def failure(counts: Mapping[int, int], what: str, rest: str, in_doubt: bool, batch: Any) -> AerospikeError:
    """The error of the most frequent of the codes.

    Args:
        counts: code to number of rows, of the rows that failed.
        what: what happened, such as ``"2 of 3 rows failed"``.
        rest: the end of the message.
        in_doubt: whether writes may have been applied.
        batch: the result, for the error's attribute ``batch``.
    """
    common = Counter(counts).most_common()
    code = common[0][0]
    kinds = ", ".join(f"{_error_class(code).__name__} ({code}): {count}" for code, count in common)
    error = _error_class(code)(f"{what}: {kinds}; {rest}", code, in_doubt)
    error.batch = batch  # type: ignore[attr-defined]
    return error
