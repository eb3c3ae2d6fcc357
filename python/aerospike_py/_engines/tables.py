"""Results as pyarrow tables with the columns of their split."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from .library import library

if TYPE_CHECKING:
    from ..arrow_records import ArrowRecords


class ReadsColumns(Protocol):
    """A ``Split``, as it is used here."""

    def batches(self) -> Iterator[ArrowRecords]: ...
    def empty(self) -> ArrowRecords: ...


def table(records: ArrowRecords) -> Any:
    """The records as a ``pyarrow.Table``."""
    return library("pyarrow", None).RecordBatchReader.from_stream(records).read_all()


def tables(split: ReadsColumns) -> Generator[Any, None, None]:
    """The split's blocks; one without rows if it has none, which still has the columns."""
    has_any = False
    for records in split.batches():
        has_any = True
        yield table(records)
    if not has_any:
        yield table(split.empty())
