#!/usr/bin/env python3
"""Checks that links in Markdown files lead to existing files and headings of the checkout.

Links to other sites are not followed. Needs git and the standard library. Exits with 1 and one line per
broken link.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from scripts.check_tracked import files_of

FENCE = re.compile(r"^(```|~~~).*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]+`")
INLINE = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^\s)>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
REFERENCE = re.compile(r"^ {0,3}\[[^\]]+\]:\s+<?(\S+?)>?(?:\s|$)", re.MULTILINE)
HEADING = re.compile(r"^ {0,3}#{1,6}\s+(.+?)\s*#*\s*$", re.MULTILINE)
ANCHOR = re.compile(r"<a\s+(?:id|name)=\"([^\"]+)\"")


def blank(found: re.Match[str]) -> str:
    """Line breaks only, so that line numbers stay the same."""
    return "\n" * found.group().count("\n")


def anchors_of(path: Path) -> set[str]:
    text = FENCE.sub(blank, path.read_text(encoding="utf-8"))
    anchors: set[str] = set(ANCHOR.findall(text))
    for heading in HEADING.findall(text):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        number = 1
        unique = slug
        while unique in anchors:
            unique = f"{slug}-{number}"
            number += 1
        anchors.add(unique)
    return anchors


def dead_links(tree: Path, path: Path) -> Iterator[str]:
    # Links in code are examples.
    text = CODE.sub("", FENCE.sub(blank, path.read_text(encoding="utf-8")))
    for pattern in (INLINE, REFERENCE):
        for found in pattern.finditer(text):
            link = found.group(1)
            if re.match(r"[a-z][a-z0-9+.-]*:", link):
                continue
            place = f"{path.relative_to(tree)}:{text.count(chr(10), 0, found.start()) + 1}"
            name, _, anchor = unquote(link).partition("#")
            target = (path.parent / name).resolve() if name else path
            if not target.is_relative_to(tree) or not target.exists():
                yield f"{place}: {link}: no such file"
            elif anchor and (target.suffix != ".md" or anchor not in anchors_of(target)):
                yield f"{place}: {link}: no such heading"


def main() -> int:
    tree = (Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()
    found = [line for name in files_of(tree, "*.md") for line in dead_links(tree, tree / name)]
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
