"""The tests as source text: tables of the docs name tests, and those tests have to exist."""

from __future__ import annotations

import ast
from functools import cache

from tests.support import ROOT


@cache
def functions_of(path: str) -> frozenset[str]:
    """The names of the functions that a file defines at its top level."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in tree.body if isinstance(node, functions))
