"""A griffe extension: Sphinx notation in docstrings becomes Markdown with links to the reference."""

from __future__ import annotations

import re
from typing import Any

import griffe

ROLE = re.compile(r":(?P<role>class|meth|func|mod|attr|exc|data|obj):`(?P<short>~?)(?P<target>[\w.]+)`")
LITERAL = re.compile(r"(?<!`)``(?!`)([^`]+)``(?!`)")
PACKAGE = "aerospike_py"
# Modules whose names users import from the package itself.
MODULES_WITHIN = (
    "async_client",
    "client",
    "keys",
    "numpy_batch",
    "numpy_query",
    "numpy_records",
    "numpy_write",
    "query",
    "records",
    "stats",
    "values",
)
# Terms in double backticks on a separate line, with the explanation indented below.
TERM = re.compile(r"^(?P<terms>``[^`\n]+``(?:, ``[^`\n]+``)*)\n(?P<text>(?: {4}.*(?:\n|$))+)", re.MULTILINE)
# A paragraph of prompts outside any section.
PROMPTS = re.compile(r"^>>> .*(?:\n(?!\s*$).*)*", re.MULTILINE)

RULE = re.compile(r"^=+(?: +=+)+$")
TABLE = re.compile(r"^(?P<rule>=+(?: +=+)+)\n(?:.*\n)+?(?P=rule)\n(?:.*\n)+?(?P=rule)$", re.MULTILINE)


def table(found: re.Match[str]) -> str:
    """Converts a table in Sphinx' simple notation to Markdown."""
    columns = [(bar.start(), bar.end()) for bar in re.finditer("=+", found["rule"])]
    columns[-1] = (columns[-1][0], len(found[0]))
    rows: list[list[str]] = []
    for line in found[0].splitlines():
        if RULE.match(line):
            continue
        cells = [line[start:end].strip().replace("|", "\\|") for start, end in columns]
        if cells[0]:
            rows.append(cells)
        else:  # a continuation line
            rows[-1] = [f"{before} {more}".strip() for before, more in zip(rows[-1], cells, strict=True)]
    lines = [f"| {' | '.join(cells)} |" for cells in rows]
    return "\n".join([lines[0], "|---" * len(columns) + "|", *lines[1:]])


def full_name(target: str, place: Any) -> str:
    """The dotted name in the reference that a role at this place refers to."""
    if target.startswith(f"{PACKAGE}."):
        return target
    first = target.partition(".")[0]
    scope = place
    while scope is not None:
        member = scope.members.get(first)
        # The methods of the clients are in modules that are partly named like them.
        if member is not None and (member.is_alias or not member.is_module or "." in target):
            path = member.target_path if member.is_alias else member.path
            return public(path + target.removeprefix(first))
        scope = scope.parent
    # An unknown name is one of the package, or another method of the clients.
    return f"{PACKAGE}.{target}" if first[0].isupper() or first == "client" else f"{PACKAGE}.Client.{target}"


def public(name: str) -> str:
    """The name under which an object is documented: on the package or, for commands, on the client."""
    parts = name.split(".")
    if "_commands" in parts:
        kind, *method = parts[parts.index("_commands") + 2 :]
        return ".".join([PACKAGE, "AsyncClient" if kind.startswith("Async") else "Client", *method])
    if parts[1:2] == ["query"]:
        # A folder, whose classes are in modules of their own; it exports them, too.
        return ".".join([PACKAGE, *parts[2 if parts[2][0].isupper() else 3 :]])
    if parts[1:2] == ["_inference"]:
        return ".".join([PACKAGE, "inference", *parts[3:]])
    return ".".join([*parts[:1], *parts[2:]] if parts[1] in MODULES_WITHIN else parts)


def markdown(text: str, place: Any) -> str:
    def link(role: re.Match[str]) -> str:
        target = role["target"]
        shown = target.rpartition(".")[2] if role["short"] else target
        if role["role"] == "attr":  # listed with its class, without an anchor
            return f"`{shown}`"
        return f"[`{shown}`][{full_name(target, place)}]"

    def term(found: re.Match[str]) -> str:
        lines = [line.strip() for line in found["text"].splitlines()]
        return f"- {found['terms']}: {' '.join(lines)}\n"

    # griffe formats a section of this name as code.
    text = re.sub(r"^Example:$", "Examples:", text, flags=re.MULTILINE)
    text = TABLE.sub(table, text)
    text = PROMPTS.sub(lambda found: f"```pycon\n{found[0]}\n```", text)
    return LITERAL.sub(r"`\1`", ROLE.sub(link, TERM.sub(term, text)))


class Markdown(griffe.Extension):  # type: ignore[misc]  # mypy does not see griffe
    """Rewrites each docstring when the package has been loaded."""

    def on_package(self, *, pkg: griffe.Module, **kwargs: Any) -> None:
        """Called by griffe when the package has been loaded."""
        self._rewrite(pkg)

    def _rewrite(self, place: griffe.Object) -> None:
        if place.docstring is not None:
            place.docstring.value = markdown(place.docstring.value, place)
        for member in place.members.values():
            if not member.is_alias:
                self._rewrite(member)
