"""The blocks of Python and shell in the Markdown pages."""

from __future__ import annotations

import ast
import contextlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# `<!-- run` hides code that the page needs but its readers do not: it is run and not shown. If the paragraph
# "This prints:" follows, the text block after it is the expected output.
PYTHON = re.compile(
    r"^(?:```python|<!-- run)\n(.*?)^(?:```|-->)$(?:\n\nThis prints:\n\n```text\n(.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANY = re.compile(r"^ *(?:```|~~~)([^\n`]*)\n.*?^ *(?:```|~~~)$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A block of a page, the line number of its code, and the output that the page gives for it."""

    line: int
    code: str
    prints: str | None = None

    def in_place(self) -> str:
        """The code behind blank lines, so that a failure shows the line number of the page."""
        return "\n" * (self.line - 1) + self.code


def blocks(text: str, kind: re.Pattern[str]) -> Iterator[Block]:
    for found in kind.finditer(text):
        prints = found[2] if kind is PYTHON else None
        yield Block(text.count("\n", 0, found.start(1)) + 1, found[1], prints)


def commands(block: Block) -> Iterator[str]:
    """The commands of a shell block, without comments and prompts, continued lines joined."""
    for line in block.code.replace("\\\n", " ").splitlines():
        command = re.sub(r"(^|\s)#.*$", "", line).strip()
        if command:
            yield command


class _Checked(ast.NodeTransformer):
    """Compares expressions with the values in the comments beside them."""

    def __init__(self, comments: dict[int, str]) -> None:
        self.comments = comments

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        told = self.comments.get(node.end_lineno or node.lineno)
        if told is None:
            return node
        call = ast.Call(
            func=ast.Name("__told__", ast.Load()),
            args=[node.value, ast.Constant(told), ast.Constant(node.lineno)],
            keywords=[],
        )
        return ast.copy_location(ast.Expr(ast.copy_location(call, node)), node)


def raising(tree: ast.Module) -> ast.Module:
    """Lets a `try` of a page fail if its body raises nothing: the page shows an error that there is not."""
    for node in tree.body:
        if isinstance(node, ast.Try) and node.handlers and not node.orelse:
            message = f"line {node.lineno}: the page shows an error, but nothing is raised"
            call = ast.Call(ast.Name("AssertionError", ast.Load()), [ast.Constant(message)], [])
            node.orelse = [ast.copy_location(ast.Raise(ast.copy_location(call, node)), node)]
    return tree


_COMMENT = re.compile(r"^(?P<code>.*\S) {2}# (?P<text>.*)$")


def told(comment: str) -> str | None:
    """The value in a comment such as `# 82` or `# 44.75: the mean`; None where it is words."""
    for text in (comment, comment.partition(": ")[0]):
        try:
            ast.literal_eval(text)
        except (ValueError, SyntaxError):
            continue
        return text
    return None


def plain(value: Any) -> Any:
    """The value without NumPy types and named tuples, as a literal can write it."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, tuple):
        return tuple(plain(part) for part in value)
    if isinstance(value, list):
        return [plain(part) for part in value]
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return value


def compare(value: Any, literal: str, line: int) -> None:
    expected = ast.literal_eval(literal)
    found = plain(value)
    assert found == expected, f"line {line}: the page tells {literal}, but it is {found!r}"
    assert type(found) is type(expected), f"line {line}: the page tells {literal}, but it is {found!r}"


def run(block: Block, page: str, names: dict[str, Any]) -> int:
    """Runs a block; returns how many values it has told, all of them right.

    The next block finds its code as ``__before__``, to run it in some other way.
    """
    comments: dict[int, str] = {}
    for number, line in enumerate(block.code.splitlines(), block.line):
        found = _COMMENT.match(line)
        literal = found and told(found["text"])
        if literal:
            comments[number] = literal
    tree = raising(_Checked(comments).visit(ast.parse(block.in_place(), page)))
    count = 0

    def checked(value: Any, literal: str, line: int) -> None:
        nonlocal count
        compare(value, literal, line)
        count += 1

    names["__told__"] = checked
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(ast.fix_missing_locations(tree), page, "exec"), names)  # noqa: S102
    names["__before__"] = block.code
    if block.prints is not None:
        assert printed.getvalue() == block.prints, f"the block at line {block.line} prints something else"
        count += 1
    return count
