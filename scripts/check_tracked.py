#!/usr/bin/env python3
"""Checks that no file of the checkout contains

- paths of a particular machine;
- hosts of package registries, such as a mirror's name in a lock file or a setting;
- anything that would install `aerospike-py` from an index, where the name belongs to another project. Only
  the benchmarks do, for comparison, in a separate environment.

Needs git and the standard library. Exits with 1 and one line per finding.
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


# Assembled from pieces, so that this file is not a finding.
HOME = "|".join(["/" + name + r"/[\w.]" for name in ("home", "root", "Users", "work")] + [r"[A-Z]:\\Users\\"])
REGISTRIES = "|".join(
    [r"py" + r"pi\.org", r"python" + r"hosted\.org", r"crates" + r"\.io", r"conda\." + r"anaconda\.org"]
)
RULES = [
    Rule(re.compile(rf"(?<![\w.])(?:{HOME})"), "a path of a particular machine"),
    # cargo writes this name into every lock file, whatever registry the crates came from.
    Rule(re.compile(rf"(?i)(?<![\w-])(?!crates\.io-index)(?:[\w-]+\.)*(?:{REGISTRIES})"), "a registry host"),
    Rule(
        # An install command with the bare name, or a requirement line. A path to our own wheel is neither.
        re.compile(
            r"""(?ix) \b install \b .* [\s"'=] aerospike[-_]py (?![\w-])
                | ^ \s* ["']? aerospike[-_]py \s* (?: \[ | [=<>~!]= | ["']? ,? \s* $ )"""
        ),
        "aerospike-py on an index is another project's package, not ours",
        frozenset({"benches/requirements/aerospike-py.txt"}),
    ),
]


def files_of(tree: Path, *patterns: str) -> list[str]:
    """The tracked files, and the untracked ones that are not ignored."""
    answer = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=tree,
        check=True,
        stdout=subprocess.PIPE,
    )
    names = [name for name in answer.stdout.decode().split("\0") if name]
    # git lists a deleted file until the next commit.
    return [name for name in names if (tree / name).is_file() and not (tree / name).is_symlink()]


def findings(tree: Path, names: list[str]) -> Iterator[str]:
    for name in names:
        try:
            text = (tree / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # not text
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
