"""Source text: the functions of a test file, and trees that tests of the scripts write."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from tests.support import ROOT


@cache
def functions_of(path: str) -> frozenset[str]:
    """The names of the functions that a file defines at its top level."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in tree.body if isinstance(node, functions))


def write(path: Path, text: str) -> None:
    """Writes a file, and its folders if they are missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
