#!/usr/bin/env python3
"""Checks that DEVELOPERS.md lists each direct dependency, and that crates come from the public registry.

- The tables of the section "Dependencies" have a line for each dependency of a crate in the workspace, in
  fuzz/ or in benches/rust, each requirement of pyproject.toml and each line under "Direct dependencies" in
  requirements/, and no other lines.
- Every package of the lock files is ours, or has the public registry as its source and a checksum.

cargo-deny checks licences and advisories (deny.toml). Needs cargo and the standard library. Exits with 1 and
one line per finding.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

CRATES_IO = "registry+https://github.com/rust-lang/crates" + ".io-index"
CARGO_WORKSPACES = (".", "fuzz", "benches/rust")
SECTION = re.compile(r"^## Dependencies\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| (`[^|]+`) \|", re.MULTILINE)
ASKED = re.compile(r"^# Direct dependencies\.\n(.*?)(?=^$|\Z)", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"^([A-Za-z0-9][\w.-]*)")


def crates_asked_for(tree: Path) -> set[str]:
    names: set[str] = set()
    own: set[str] = set()
    for folder in CARGO_WORKSPACES:
        answer = subprocess.run(
            ["cargo", "metadata", "--no-deps", "--offline", "--format-version", "1"],
            cwd=tree / folder,
            check=True,
            stdout=subprocess.PIPE,
        )
        for package in json.loads(answer.stdout)["packages"]:
            own.add(package["name"])
            names |= {dependency["name"] for dependency in package["dependencies"]}
    return names - own


def packages_asked_for(tree: Path) -> set[str]:
    lines: list[str] = []
    for path in sorted((tree / "requirements").glob("*.txt")):
        for block in ASKED.findall(path.read_text(encoding="utf-8")):
            lines += block.splitlines()
    project = (tree / "pyproject.toml").read_text(encoding="utf-8")
    lists = r"^(?:requires|dependencies|numpy|pandas|feast) = \[([^\]]*)\]"
    for found in re.findall(lists, project, re.MULTILINE):
        lines += re.findall(r"\"([^\"]+)\"", found)
    return {name.group(1).lower() for line in lines if (name := NAME.match(line))}


def listed(tree: Path) -> set[str]:
    section = SECTION.search((tree / "DEVELOPERS.md").read_text(encoding="utf-8"))
    rows = ROW.findall(section.group(1)) if section else []
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def foreign(lock: Path) -> Iterator[str]:
    for package in lock.read_text(encoding="utf-8").split("[[package]]")[1:]:
        facts = dict(re.findall(r"^(\w+) = \"([^\"]*)\"$", package, re.MULTILINE))
        where = f"{lock.name}: {facts['name']} {facts['version']}"
        if "source" not in facts:
            continue  # a path: ours
        if facts["source"] != CRATES_IO:
            yield f"{where} does not come from the public registry: {facts['source']}"
        elif "checksum" not in facts:
            yield f"{where} has no checksum"


def findings(tree: Path) -> list[str]:
    asked = crates_asked_for(tree) | packages_asked_for(tree)
    found = [f"DEVELOPERS.md does not say what {name} is for" for name in sorted(asked - listed(tree))]
    found += [
        f"DEVELOPERS.md lists {name}, which is not a direct dependency"
        for name in sorted(listed(tree) - asked)
    ]
    for folder in CARGO_WORKSPACES:
        found += foreign(tree / folder / "Cargo.lock")
    return found


def main() -> int:
    tree = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    found = findings(tree)
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
