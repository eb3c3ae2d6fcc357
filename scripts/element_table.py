"""Writes docs/element-table.md from the tested examples: `python -m scripts.element_table`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.element_table import BINS, REFUSED, ROWS, Example

TARGET = Path(__file__).resolve().parent.parent / "docs" / "element-table.md"

HEAD = """# Fields and bin types

<!-- Written by `python -m scripts.element_table` from tests/support/element_table.py: change it there. -->

This page shows how each kind of field stores values of each type of bin.

- A *changed* value was altered to fit. It is counted in `batch.inexact` and causes a warning. With
  `casting="same_value"`, it is refused instead.
- A *refused* value leaves its element zero and not present. It raises `BatchDecodeError` or, with
  `errors="coerce"`, is counted in `batch.decode_errors`.
- A bin that is missing or nil leaves zeros, and `present` is False.
- A *language blob* is a Java, C#, Python, Ruby, PHP or Erlang object that an old client serialized. `get`
  returns its bytes.

Any byte order, offset, padding, alignment and title of a field is accepted.

`tests/integration/test_element_table.py` reads every example below through a server;
`tests/integration/test_numpy_oracle.py` compares arbitrary dtypes and values with NumPy's own casts.
"""


def table() -> list[str]:
    """One row per field, one column per bin type; a refused type is an empty cell."""
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
    lines = [
        HEAD,
        *table(),
        "",
        "An empty cell means that the field refuses bins of that type.",
        "",
        "## Examples",
    ]
    for row in ROWS:
        lines += [
            "",
            f"### {row.name}",
            "",
            "| dtype | bin value | field value |",
            "|---|---|---|",
        ]
        for bin_type in row.takes:
            lines += [shown(example) for example in row.cell(bin_type).examples]
    return "\n".join(lines) + "\n"


def main() -> None:
    if "--check" in sys.argv[1:]:
        if TARGET.read_text(encoding="utf-8") != document():
            sys.exit("docs/element-table.md is out of date; run: python -m scripts.element_table")
        return
    TARGET.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
