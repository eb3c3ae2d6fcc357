"""A hook of mkdocs: tables of the constants and of the exceptions, read from the code that has them.

A line `<!-- table: constants -->` in a page becomes the tables.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent.parent / "python" / "aerospike_py"
PLACE = re.compile(r"^<!-- table: (?P<name>\w+) -->$", re.MULTILINE)


def constants() -> Iterator[str]:
    """A section for each comment line of its own; names and values below it."""
    for line in (PACKAGE / "constants.py").read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            yield from ("", f"## {line[2:].rstrip('.')}", "", "| constant | value |", "|---|---:|")
        elif found := re.fullmatch(r"([A-Z]\w+) = (\S+)", line):
            yield f"| `{found[1]}` | {found[2]} |"


def exceptions() -> Iterator[str]:
    yield from ("| class | base class | code | meaning |", "|---|---|---:|---|")
    tree = ast.parse((PACKAGE / "exception.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if not isinstance(node, ast.ClassDef) or node.name.startswith("_"):
            continue
        bases = ", ".join(f"`{ast.unparse(base)}`" for base in node.bases)
        codes = [code for code in map(code_of, node.body) if code is not None]
        what = (ast.get_docstring(node) or "").split("\n\n")[0].replace("\n", " ").replace("``", "`")
        yield f"| `{node.name}` | {bases} | {codes[0] if codes else ''} | {what} |"


def code_of(line: ast.stmt) -> str | None:
    """The value where the line is `code = value`."""
    if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "code":
        return ast.unparse(line.value)
    return None


TABLES: dict[str, Callable[[], Iterator[str]]] = {"constants": constants, "exceptions": exceptions}


def on_page_markdown(markdown: str, **kwargs: Any) -> str:
    return PLACE.sub(lambda place: "\n".join(TABLES[place["name"]]()), markdown)
