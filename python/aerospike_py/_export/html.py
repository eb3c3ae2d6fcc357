"""Results as HTML tables, for notebooks."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from .._types import BatchKeys

# Rows and columns that a table shows; it says how many there are.
_ROWS = 10
_COLUMNS = 20
# Characters of a value.
_WIDTH = 60


def table(
    caption: str,
    records: npt.NDArray[Any],
    present: npt.NDArray[Any],
    result_codes: npt.NDArray[np.int32],
    keys: BatchKeys,
) -> str:
    """The first rows, with their keys and result codes. Values that are not present are dashes."""
    names = records.dtype.names or ()
    shown = names[:_COLUMNS]
    spaces = keys.spaces()
    space_of = keys.space_of() if len(spaces) > 1 else None
    header = ["key", *shown, *(["…"] if len(names) > _COLUMNS else []), "result_code"]
    rows = []
    for row in range(min(len(records), _ROWS)):
        key = keys.primary_key(row)
        cells = [repr(key if space_of is None else (*spaces[space_of[row]], key))]
        cells += [_text(records[name][row]) if present[name][row] else "-" for name in shown]
        cells += ["…"] if len(names) > _COLUMNS else []
        rows.append([*cells, str(result_codes[row])])
    if len(records) > _ROWS:
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
