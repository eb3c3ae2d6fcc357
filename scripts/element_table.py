"""Writes docs/element-table.md from the examples that the tests run: `python -m scripts.element_table`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.element_table import BINS, REFUSED, ROWS, Example

TARGET = Path(__file__).resolve().parent.parent / "docs" / "element-table.md"

HEAD = """# What each field takes

<!-- Written by `python -m scripts.element_table` from tests/support/element_table.py: change it there. -->

Every cell of this table, with each example below it, is read through a node by
`tests/integration/test_element_table.py`; `tests/integration/test_numpy_oracle.py` checks any dtype and any
value against NumPy's own casts.

A value that *changed* to fit is counted in `batch.inexact` and warned of, or refused under
`casting="same_value"`. A value that is *refused* leaves its cell zero and not present, and is reported by
`BatchDecodeError` or, under `errors="coerce"`, counted in `batch.decode_errors`. A bin that is missing or nil
leaves zeros and `present` False. Byte order, offset, padding, alignment and titles are free.
"""


def table() -> list[str]:
    """Fields down, bin types across; bin types that a field refuses are left empty."""
    lines = ["| field | " + " | ".join(BINS.values()) + " |", "|---" * (len(BINS) + 1) + "|"]
    for row in ROWS:
        rules = [row.cell(bin_type).rule for bin_type in BINS]
        lines.append(
            f"| {row.name} | " + " | ".join("" if rule == REFUSED else rule for rule in rules) + " |"
        )
    return lines


def shown(example: Example) -> str:
    value = repr(example.value)
    if example.cell == REFUSED:
        outcome = "refused"
    else:
        outcome = f"`{example.cell!r}`" + (", changed" if example.changed else "")
    return f"| `{example.dtype}` | `{value}` | {outcome} |"


def document() -> str:
    """The whole page."""
    lines = [HEAD, *table(), "", "An empty cell: the field refuses bins of that type.", "", "## Examples"]
    for row in ROWS:
        lines += [
            "",
            f"### {row.name}",
            "",
            "| dtype | value of the bin | the field holds |",
            "|---|---|---|",
        ]
        for bin_type in row.takes:
            lines += [shown(example) for example in row.cell(bin_type).examples]
    return "\n".join(lines) + "\n"


def main() -> None:
    if "--check" in sys.argv[1:]:
        if TARGET.read_text(encoding="utf-8") != document():
            sys.exit(
                "docs/element-table.md is not what the examples say; run: python -m scripts.element_table"
            )
        return
    TARGET.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
