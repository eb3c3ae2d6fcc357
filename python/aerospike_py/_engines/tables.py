"""Results as pyarrow tables with the columns of their split."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

from .library import library

if TYPE_CHECKING:
    from ..arrow_records import ArrowRecords

_ROWS = "_rows"


class ReadsColumns(Protocol):
    """A ``Split``, as it is used here."""

    schema: dict[str, Any]

    def batches(self) -> Iterator[ArrowRecords]: ...
    def empty(self) -> ArrowRecords: ...


def table(records: ArrowRecords, split: ReadsColumns) -> Any:
    """The records as a ``pyarrow.Table``, without the column that stands for rows without bins."""
    made = library("pyarrow", None).RecordBatchReader.from_stream(records).read_all()
    if not split.schema and _ROWS in made.column_names:
        return made.select([name for name in made.column_names if name != _ROWS])
    return made


def tables(split: ReadsColumns) -> Iterator[Any]:
    """The split's blocks; one without rows if it has none, which still has the columns."""
    has_any = False
    for records in split.batches():
        has_any = True
        yield table(records, split)
    if not has_any:
        yield table(split.empty(), split)
