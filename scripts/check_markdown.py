#!/usr/bin/env python3
"""Checks that Markdown files say what their authors see: tables, code fences and headings.

- Table: a line that starts with `|` must belong to a table. A table starts after a blank line with a header
  and a delimiter row (`|---|---:|`), every row has as many cells as the header, and a blank line ends it.
- Fence: every code fence is closed.
- Heading: a page starts at level 1, and a heading is at most one level below the one before it.

Renderers accept all of this and show pipes, code or a wrong outline, so no build would fail.
`scripts/site_tables.py` also runs `text_rows` on each rendered page of the site, which covers docstrings.

Needs git and the standard library. Exits with 1 and one line per finding.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from scripts.check_tracked import files_of

FENCE = re.compile(r"^\s*(?P<marks>`{3,}|~{3,})(?P<info>[^`]*)$")
DELIMITER = re.compile(r"^\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?$")
HEADING = re.compile(r"^(?P<marks>#{1,6})\s+\S")
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
Lines = list[tuple[int, str]]


def findings(text: str) -> list[str]:
    """One `line: what is wrong` per finding."""
    # A comment may hold code that looks like Markdown. Line numbers stay.
    text = COMMENT.sub(lambda found: "\n" * found.group().count("\n"), text)
    prose, unclosed = without_fences(text)
    found = [f"{line}: a code fence that is not closed" for line in unclosed]
    found += [f"{line}: {problem}" for line, problem in (*tables(prose), *headings(prose))]
    return sorted(found, key=lambda line: int(line.partition(":")[0]))


def without_fences(text: str) -> tuple[Lines, list[int]]:
    """The numbered lines outside code fences, and the first line of a fence without an end."""
    prose: Lines = []
    opened: tuple[int, str] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.match(line)
        if opened is None and fence:
            opened = (number, fence["marks"])
            prose.append((number, "```"))
        elif opened is None:
            prose.append((number, line))
        elif fence and not fence["info"].strip() and fence["marks"].startswith(opened[1]):
            opened = None
    return prose, [] if opened is None else [opened[0]]


def tables(prose: Lines) -> Iterator[tuple[int, str]]:
    for block in blocks(prose):
        rows = [(number, line.strip()) for number, line in block if line.strip().startswith("|")]
        if not rows:
            delimiters = [number for number, line in block if "|" in line and DELIMITER.match(line.strip())]
            yield from ((number, "a delimiter row without a table") for number in delimiters)
        elif rows[0] != (block[0][0], block[0][1].strip()):
            yield rows[0][0], "a table row inside a paragraph"
        elif len(rows) < 2 or not DELIMITER.match(rows[1][1]):
            yield (
                rows[0][0],
                "a table row that no header and delimiter row precede",
            )
        else:
            yield from (
                (number, "a line inside a table")
                for number, line in block
                if (number, line.strip()) not in rows
            )
            width = cells(rows[0][1])
            yield from (
                (number, f"a row of {cells(line)} cells in a table of {width}")
                for number, line in rows
                if cells(line) != width
            )


def blocks(prose: Lines) -> Iterator[Lines]:
    """Runs of lines without a blank line between them; a fence or a heading ends one."""
    block: Lines = []
    for number, line in [*prose, (0, "")]:
        if line.strip() and line != "```" and not HEADING.match(line):
            block.append((number, line))
        elif block:
            yield block
            block = []


def cells(row: str) -> int:
    """The number of cells of a row. On most hosts, a pipe in code separates cells unless it is escaped."""
    return row.replace("\\|", "").removeprefix("|").removesuffix("|").count("|") + 1


def headings(prose: Lines) -> Iterator[tuple[int, str]]:
    before = 0
    for number, line in prose:
        found = HEADING.match(line)
        if found is None:
            continue
        level = len(found["marks"])
        if level > before + 1:
            yield number, f"a heading of level {level} after one of level {before}"
        before = level


SKIPPED = ("code", "pre", "script", "style", "h1", "h2", "h3", "h4", "h5", "h6")


class _Text(HTMLParser):
    """Collects the lines of text outside code and headings."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._skipped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._skipped += tag in SKIPPED
        if tag in ("p", "li", "td", "dd", "br"):
            self.lines.append("")

    def handle_endtag(self, tag: str) -> None:
        self._skipped -= tag in SKIPPED

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            first, *more = data.split("\n")
            self.lines = [*self.lines[:-1], "".join([*self.lines[-1:], first]), *more]


def text_rows(html: str) -> list[str]:
    """The lines of a rendered page that show a table row or a code fence as text."""
    parser = _Text()
    parser.feed(html)
    return [line.strip() for line in parser.lines if re.match(r"\s*(\|.*\||`{3,}|~{3,})", line)]


def main() -> int:
    tree = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    found = [
        f"{name}:{line}"
        for name in files_of(tree, "*.md")
        for line in findings((tree / name).read_text(encoding="utf-8"))
    ]
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
