"""Results as HTML tables, for notebooks."""

from __future__ import annotations

from html import escape
from itertools import islice
from reprlib import Repr
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

#: Rows that a table shows; it says how many there are.
ROWS = 10
# Columns for fields.
_COLUMNS = 20
# Characters of a value.
_WIDTH = 60
_REPR = Repr()
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = _WIDTH


def table(
    caption: str,
    count: int,
    label: str,
    labels: Sequence[str],
    fields: Mapping[str, tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]],
    meta: Mapping[str, npt.NDArray[Any]],
) -> str:
    """The first rows. Values that are not present are dashes.

    Args:
        caption: the text above the table.
        count: the number of all rows.
        label: name of the first column, which says what a row is.
        labels: its cells, for the first :data:`ROWS` rows.
        fields: name to values, and bools that are True where a value is present.
        meta: name to values of the columns behind the fields.
    """
    shown = dict(islice(fields.items(), _COLUMNS))
    more = ["…"] if len(fields) > _COLUMNS else []
    header = [label, *shown, *more, *meta]
    rows = []
    for row, name in enumerate(labels):
        cells = [_text(values[row]) if present[row] else "-" for values, present in shown.values()]
        rows.append([name, *cells, *more, *(str(values[row]) for values in meta.values())])
    return _html(caption, header, rows, count)


def objects(
    caption: str, header: Sequence[str], rows: Iterable[Mapping[str, Any]], count: int, note: str = ""
) -> str:
    """The first rows of Python values, by column. What a row lacks, and None, is a dash.

    Args:
        caption: the text above the table.
        header: the names of the columns.
        rows: the first :data:`ROWS` rows; more are left out.
        count: the number of all rows.
        note: a last line of the caption.
    """
    shown = list(header)[:_COLUMNS]
    more = ["…"] if len(header) > len(shown) else []
    cells = [
        [*("-" if row.get(name) is None else _object(row[name]) for name in shown), *more]
        for row in islice(rows, ROWS)
    ]
    return _html(caption, [*shown, *more], cells, count, note)


def arrow_rows(records: Any) -> Iterable[Mapping[str, Any]]:
    """The first rows of a result in Arrow columns; none without pyarrow.

    Columns that are not shown are not converted.
    """
    try:
        import pyarrow
    except ImportError:
        return []
    names = [name for name, _ in records.columns[:_COLUMNS]]
    batches = pyarrow.RecordBatchReader.from_stream(records)
    for batch in batches:
        rows: list[dict[str, Any]] = batch.select(names).slice(0, ROWS).to_pylist()
        return rows
    return []


def _html(caption: str, header: list[str], rows: list[list[str]], count: int, note: str = "") -> str:
    if count > len(rows) and rows:
        rows.append(["…"] * len(header))
    return "\n".join(
        [
            "<table>",
            f"<caption>{escape(caption)}{f'<br>{escape(note)}' if note else ''}</caption>",
            f"<thead><tr>{_cells('th', header)}</tr></thead>",
            "<tbody>",
            *(f"<tr>{_cells('td', row)}</tr>" for row in rows),
            "</tbody>",
            "</table>",
        ]
    )


def _cells(tag: str, texts: list[str]) -> str:
    return "".join(f"<{tag}>{escape(text)}</{tag}>" for text in texts)


def _text(value: Any) -> str:
    import numpy as np

    text = np.array2string(value, threshold=6) if isinstance(value, np.ndarray) else str(value)
    return _cut(text)


def _object(value: Any) -> str:
    """A Python value. Of a large one only the beginning is converted."""
    return _cut(value[: _WIDTH + 1] if isinstance(value, str) else _REPR.repr(value))


def _cut(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
