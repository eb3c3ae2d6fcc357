#!/usr/bin/env python3
"""Looks through every file of the checkout for what must not be in it.

- paths of somebody's machine;
- hosts of package registries (a mirror's name in a lock file or in a setting);
- anything that would install `aerospike-py` from an index, where that name belongs to another project: only
  the benches compare with it, in an environment of its own.

Needs git and the standard library. Exits with 1 and one line a finding.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Rule(NamedTuple):
    pattern: re.Pattern[str]
    why: str
    allowed: frozenset[str] = frozenset()


# Put together from pieces, so that this file does not find itself.
HOME = "|".join(["/" + name + r"/[\w.]" for name in ("home", "root", "Users", "work")] + [r"[A-Z]:\\Users\\"])
REGISTRIES = "|".join(
    [r"py" + r"pi\.org", r"python" + r"hosted\.org", r"crates" + r"\.io", r"conda\." + r"anaconda\.org"]
)
RULES = [
    Rule(re.compile(rf"(?<![\w.])(?:{HOME})"), "a path of somebody's machine"),
    # cargo writes this name into every lock file, wherever the crates came from.
    Rule(re.compile(rf"(?i)(?<![\w-])(?!crates\.io-index)(?:[\w-]+\.)*(?:{REGISTRIES})"), "a registry host"),
    Rule(
        # An install command with the bare name, or a requirement line; a path to our own wheel is neither.
        re.compile(
            r"""(?ix) \b install \b .* [\s"'=] aerospike[-_]py (?![\w-])
                | ^ \s* ["']? aerospike[-_]py \s* (?: \[ | [=<>~!]= | ["']? ,? \s* $ )"""
        ),
        "aerospike-py on an index is another project's package, not ours",
        frozenset({"benches/requirements/aerospike-py.txt"}),
    ),
]


def files_of(tree: Path, *patterns: str) -> list[str]:
    """The files that are in the repository or would be with the next commit."""
    answer = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=tree,
        check=True,
        stdout=subprocess.PIPE,
    )
    names = [name for name in answer.stdout.decode().split("\0") if name]
    # A file that was deleted is listed until the next commit.
    return [name for name in names if (tree / name).is_file() and not (tree / name).is_symlink()]


def findings(tree: Path, names: list[str]) -> Iterator[str]:
    for name in names:
        try:
            text = (tree / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # no text: nothing that a reader or a tool would follow
        for number, line in enumerate(text.splitlines(), 1):
            for rule in RULES:
                if name not in rule.allowed and rule.pattern.search(line):
                    yield f"{name}:{number}: {rule.why}: {line.strip()[:120]}"


def main() -> int:
    tree = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    found = list(findings(tree, files_of(tree)))
    for line in found:
        print(line, file=sys.stderr)
    if found:
        print(f"check_tracked: {len(found)} findings", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
