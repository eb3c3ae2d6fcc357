"""Tables as plain text."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

ELLIPSIS = "…"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> str:
    """Lays out cells in columns, two spaces apart.

    Args:
        header: the names of the columns.
        rows: the cells, one per column in each row.
        right: indices of the columns to align to the right.
    """
    lines = [[printable(cell) for cell in row] for row in (header, *rows)]
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    rule = ["-" * width for width in widths]
    return "\n".join(
        "  ".join(
            _pad(cell, width, right=number in right)
            for number, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in (lines[0], rule, *lines[1:])
    )


def shorten(text: str, width: int) -> str:
    """The text, cut to ``width`` characters."""
    return text if len(text) <= width else text[: width - 1] + ELLIPSIS


def printable(text: str) -> str:
    """The text with unprintable characters escaped.

    Names and values come from a server and must not be able to control the terminal.
    """
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def _pad(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space
