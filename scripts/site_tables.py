"""A hook of mkdocs for tables.

- A line `<!-- table: constants -->` or `<!-- table: exceptions -->` in a page becomes the tables, read from
  the code that defines them.
- A rendered page that shows a table row or a code fence as text gets a warning, so the strict build fails.
"""

from __future__ import annotations

import ast
import logging
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "python" / "aerospike_py"
# mkdocs loads a hook as a file, not as a module of the checkout.
sys.path.append(str(ROOT))

from scripts.check_markdown import text_rows  # noqa: E402

LOG = logging.getLogger("mkdocs.hooks.site_tables")
PLACE = re.compile(r"^<!-- table: (?P<name>\w+) -->$", re.MULTILINE)


def constants() -> Iterator[str]:
    """A section for each comment line of the constants, with the names and values below it."""
    files = sorted((PACKAGE / "constants").glob("*.py"))
    for line in [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]:
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


def on_page_content(html: str, *, page: Any, **kwargs: Any) -> str:
    for line in text_rows(html):
        LOG.warning("%s: shown as text, not as a table or as code: %s", page.file.src_uri, line[:80])
    return html
