"""Results as HTML tables, for notebooks."""

from __future__ import annotations

from html import escape
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

#: Rows that a table shows; it says how many there are.
ROWS = 10
# Columns for fields.
_COLUMNS = 20
# Characters of a value.
_WIDTH = 60


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
    if count > ROWS:
        rows.append(["…"] * len(header))
    return "\n".join(
        [
            "<table>",
            f"<caption>{escape(caption)}</caption>",
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
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
