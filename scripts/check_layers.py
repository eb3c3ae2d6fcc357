#!/usr/bin/env python3
"""Checks the rules for crates and source files.

- Each crate depends only on crates of lower floors, and on others' crates only where they belong (pyo3 in
  py-bindings alone).
- `unsafe` is only in the files that are listed here with a reason.
- No source file is longer than LONGEST lines, unless it is listed with a reason.

Run it without arguments for this checkout, or with the path of another tree. Needs cargo and the standard
library. Exits with 1 and one line per violation.
"""

from __future__ import annotations

import fnmatch
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FLOORS = {
    "dtype-schema": 1,
    "wire-protocol": 1,
    "record-decode": 2,
    "record-ops": 2,
    "aero-io": 2,
    "arrow-columns": 3,
    "record-udf": 3,
    "dev-server": 4,
    "py-bindings": 5,
}

# Others' crates, and which crates may depend on them (tests excepted). A pattern covers a family. Unlisted
# crates are allowed on floors 2 to 5; floor 1 may use only FLOOR_1_MAY_USE.
RESTRICTED = {
    "pyo3*": {"py-bindings"},
    "numpy": {"py-bindings"},
    "arrow-*": {"arrow-columns", "py-bindings"},
    "tokio": {"aero-io", "dev-server", "py-bindings"},
    "tokio-*": {"aero-io", "dev-server"},
    "rustls*": {"aero-io", "dev-server"},
    "mlua": {"record-udf"},
    "bcrypt": {"aero-io", "dev-server"},
    "aerospike*": {"aero-io"},
}
FLOOR_1_MAY_USE = {"thiserror", "base64", "ripemd", "flate2"}
# Not even for tests: these crates must build without Python.
NEVER_IN_TESTS = {"pyo3*", "numpy"}

# Files with `unsafe`, and why. No other file may have it, and a crate without an entry must say
# `#![forbid(unsafe_code)]` in each of its roots.
UNSAFE = {
    "wire-protocol/src/digest/lanes/mod.rs": "dispatch to code for CPU features: many digests at once",
    "record-decode/src/memory/mod.rs": "several tasks write the rows of one array",
    "record-decode/src/memory/view.rs": "the bytes of one of these rows",
    "record-decode/src/rows/mod.rs": "the constructor passes the caller's guarantees on to that memory",
    "record-decode/src/rows/block.rs": "as rows/mod.rs, for rows of a query",
    "record-decode/src/rows/tests.rs": "tests call that constructor",
    "record-decode/src/rows/loom_models.rs": "tests under loom call that constructor",
    "py-bindings/src/arrays/memory.rs": "addresses of NumPy's memory for the tasks that fill it",
    "py-bindings/src/arrays/matrix.rs": "the same for a matrix",
    "py-bindings/src/arrays/heap.rs": "mapped memory that grows without being copied",
    "py-bindings/src/arrays/space.rs": "memory that grows while tasks fill it, and becomes NumPy's",
    "py-bindings/src/python/interpreter.rs": "asks CPython which interpreter imports: pyo3 has no safe way",
    "py-bindings/src/python/process.rs": "registers a fork handler, asks whose a descriptor is",
    "py-bindings/src/python/tuples.rs": "makes named tuples: pyo3 can only call their class",
    "py-bindings/src/commands/batch_operate_numpy.rs": "passes that memory on, as batch_read does",
    "py-bindings/src/commands/batch_read_sets.rs": "the same, for an array of each set",
    "py-bindings/src/commands/read_matrix.rs": "the same, for the columns of each group",
    "py-bindings/src/commands/batch_write_arrow/import.rs": "takes tables out of Arrow's capsules",
    "py-bindings/src/commands/batch_read.rs": "passes that memory to the row buffer and keeps its contract",
}

# The files of py-bindings that may use tokio: the others see calls, not the runtime that drives them.
TOKIO_IN_BINDINGS = {"call/runtime.rs"}

# The files of py-bindings that may use wire-protocol, and what for. The others use what aero-io re-exports.
WIRE_IN_BINDINGS = {
    "args/expression.rs": "compiled expressions, encoded",
    "args/operations/arguments.rs": "their arguments",
    "args/operations/blobs.rs": "the numbers of operations on bits and sketches",
    "args/operations/collections.rs": "the numbers of operations on lists and maps",
    "args/operations/context.rs": "contexts",
    "args/operations/made.rs": "contexts as base64",
    "args/operations/mod.rs": "operations are encoded once, into the bytes of a request",
    "args/operations/paths.rs": "operations on paths",
    "args/operations/policies.rs": "policies of expressions",
    "args/operations/scalar.rs": "operations on whole bins",
    "args/operations/table.rs": "families of operations",
    "args/operations/text.rs": "the numbers of operations on strings",
    "args/paths.rs": "the numbers of steps of contexts",
    "args/predicate.rs": "predicates, as bytes",
    "args/policy/query.rs": "the number of partitions, and the partition of a digest",
    "args/policy/rows.rs": "what a row of a batch says about its write",
    "args/row_command.rs": "what a row of a batch reads",
    "commands/batch_write_arrow/rows.rs": "keys in Arrow columns, and their digests",
    "commands/indexes.rs": "info commands about indexes",
    "args/function.rs": "arguments of functions, as msgpack",
    "commands/functions.rs": "info commands about modules",
    "commands/info.rs": "errors in info answers",
    "commands/query/background.rs": "the answers of nodes about jobs",
    "keys/mod.rs": "user keys, and the digests of many keys at once",
    "python/errors.rs": "result codes",
    "results/projected_rows.rs": "the records and result codes of a batch that is answered in part",
    "results/group_rows.rs": "records of several arrays",
    "results/sinks.rs": "the records of a batch's answer",
    "values/decode.rs": "bin values and msgpack, into Python objects",
    "values/encode.rs": "bin values and msgpack, from Python objects",
}

LONGEST = 500
LONGER = {
    "python/aerospike_py/exception.py": "one class per error code, nothing else",
}


@dataclass(frozen=True)
class Dependency:
    name: str
    kind: str  # "normal", "build" or "dev"


@dataclass(frozen=True)
class Crate:
    name: str
    directory: Path
    dependencies: tuple[Dependency, ...]
    roots: tuple[Path, ...]


def read_crates(tree: Path) -> list[Crate]:
    answer = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--offline", "--format-version", "1"],
        cwd=tree,
        check=True,
        stdout=subprocess.PIPE,
    )
    packages: list[dict[str, Any]] = json.loads(answer.stdout)["packages"]
    return [
        Crate(
            name=package["name"],
            directory=Path(package["manifest_path"]).parent,
            dependencies=tuple(
                Dependency(found["name"], found["kind"] or "normal") for found in package["dependencies"]
            ),
            roots=tuple(
                Path(target["src_path"])
                for target in package["targets"]
                if {"lib", "rlib", "cdylib", "bin"} & set(target["kind"])
            ),
        )
        for package in packages
    ]


def check_floors(crates: list[Crate]) -> Iterator[str]:
    for crate in crates:
        floor = FLOORS.get(crate.name)
        if floor is None:
            yield f"{crate.name}: on no floor; add it to FLOORS"
            continue
        for dependency in crate.dependencies:
            below = FLOORS.get(dependency.name)
            if dependency.kind != "dev":
                if below is not None and below >= floor:
                    yield (
                        f"{crate.name} (floor {floor}) depends on {dependency.name} (floor {below}): "
                        f"not below it"
                    )
                elif below is None:
                    yield from check_foreign(crate.name, floor, dependency.name)
            elif matches(dependency.name, NEVER_IN_TESTS) and crate.name != "py-bindings":
                yield f"{crate.name}: {dependency.name} as a dev-dependency; it belongs in py-bindings"
    for name in sorted(FLOORS.keys() - {crate.name for crate in crates}):
        yield f"{name}: not a member of the workspace"


def check_foreign(crate: str, floor: int, dependency: str) -> Iterator[str]:
    for pattern, homes in RESTRICTED.items():
        if fnmatch.fnmatch(dependency, pattern) and crate not in homes:
            yield f"{crate} depends on {dependency}, which belongs in {', '.join(sorted(homes))}"
            return
    if floor == 1 and dependency not in FLOOR_1_MAY_USE:
        yield f"{crate} depends on {dependency}; floor 1 may use {', '.join(sorted(FLOOR_1_MAY_USE))} only"


def matches(name: str, patterns: set[str]) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


# Comments, strings and characters of Rust. Raw strings come first, because quotes mean something else in
# them; a lifetime ('a) is not a character.
NOT_CODE = re.compile(
    r"""
      //[^\n]*
    | /\*.*?\*/
    | b?r(?P<hashes>\#*)".*?"(?P=hashes)
    | b?"(?:\\.|[^"\\])*"
    | b?'(?:\\.[^'\n]*|[^'\\\n])'
    """,
    re.VERBOSE | re.DOTALL,
)


def code_of(text: str) -> str:
    """The text without comments, strings and characters; line breaks stay."""
    return NOT_CODE.sub(lambda found: "\n" * found.group().count("\n") or " ", text)


def check_unsafe(crates: list[Crate]) -> Iterator[str]:
    for crate in crates:
        allowed = {entry for entry in UNSAFE if entry.startswith(f"{crate.name}/")}
        unsafe_files = set()
        for path in sorted((crate.directory / "src").rglob("*.rs")):
            name = f"{crate.name}/{path.relative_to(crate.directory).as_posix()}"
            code = code_of(path.read_text(encoding="utf-8"))
            lines = [n for n, line in enumerate(code.splitlines(), 1) if re.search(r"\bunsafe\b", line)]
            if lines:
                unsafe_files.add(name)
            if lines and name not in allowed:
                yield f"{name}:{lines[0]}: unsafe; it may stand in {', '.join(sorted(allowed)) or 'no file'}"
        for name in sorted(allowed - unsafe_files):
            yield f"{name}: listed in UNSAFE, but nothing there is unsafe"
        for root in crate.roots:
            if not allowed and "#![forbid(unsafe_code)]" not in code_of(root.read_text(encoding="utf-8")):
                name = root.relative_to(crate.directory).as_posix()
                yield f"{crate.name}/{name}: does not say #![forbid(unsafe_code)]"


def check_bindings(crates: list[Crate]) -> Iterator[str]:
    for crate in crates:
        if crate.name != "py-bindings":
            continue
        for used, allowed in (("tokio", TOKIO_IN_BINDINGS), ("wire_protocol", set(WIRE_IN_BINDINGS))):
            source = crate.directory / "src"
            users = {
                path.relative_to(source).as_posix()
                for path in source.rglob("*.rs")
                if re.search(rf"\b{used}\s*::", code_of(path.read_text(encoding="utf-8")))
            }
            for name in sorted(users - allowed):
                yield f"py-bindings/src/{name}: uses {used}; only {', '.join(sorted(allowed))} may"
            for name in sorted(name for name in allowed - users if (source / name).exists()):
                yield f"py-bindings/src/{name}: may use {used}, but does not; take it off the list"


def check_lengths(tree: Path) -> Iterator[str]:
    for path in source_files(tree):
        name = path.relative_to(tree).as_posix()
        length = length_without_tests(path)
        if length > LONGEST and name not in LONGER:
            yield f"{name}: {length} lines, more than {LONGEST}: split it, or list it in LONGER with a reason"
    for name in LONGER:
        path = tree / name
        if path.exists() and length_without_tests(path) <= LONGEST:
            yield f"{name}: listed as longer than {LONGEST} lines, but it is not"


def source_files(tree: Path) -> Iterator[Path]:
    patterns = {
        "crates": "*/src/**/*.rs",
        "fuzz": "fuzz_targets/**/*.rs",
        "python": "**/*.py",
        "scripts": "*.py",
        "benches": "**/*.py",
        "examples": "**/*.py",
    }
    for folder, pattern in patterns.items():
        for path in sorted((tree / folder).glob(pattern)):
            parts = path.relative_to(tree).parts
            if any(part.startswith(".") or part in ("tests", "tests.rs") for part in parts):
                continue
            yield path


def length_without_tests(path: Path) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    if path.suffix == ".rs":
        for number, line in enumerate(lines):
            if line == "#[cfg(test)]" and lines[number + 1 : number + 2] == ["mod tests {"]:
                return number
    return len(lines)


def violations(tree: Path) -> list[str]:
    crates = read_crates(tree)
    return [
        *check_floors(crates),
        *check_unsafe(crates),
        *check_bindings(crates),
        *check_lengths(tree),
    ]


def main() -> int:
    tree = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    found = violations(tree)
    for line in found:
        print(line, file=sys.stderr)
    if found:
        print(f"check_layers: {len(found)} violations", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
