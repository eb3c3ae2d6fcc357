#!/usr/bin/env python3
"""Checks that imports inside a crate, and inside the Python package, run one way.

A room is a module or folder directly below a crate's `src` or below `python/aerospike_py`. `scripts/rooms.py`
lists the rooms of each, top to bottom, and for each room the rooms that it imports. An arrow may only point
to a room further down the list, so a list that passes has no circle. This script fails on:

- a room that is not listed, or a listed one that does not exist;
- an import between two rooms that is not listed, or a listed one that no file has;
- a listed arrow that points up.

Tests are left out: `tests.rs`, `tests/`, and modules behind `#[cfg(test)]`. Python's type-only imports count.

With `--counts`: prints the number of rooms and arrows of each. With `--found NAME`: prints what the sources
of NAME have now, in the form of `scripts/rooms.py`. A path checks another tree.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from scripts.check_layers import code_of
from scripts.rooms import ROOMS

PACKAGE = "aerospike_py"

Arrows = dict[str, set[str]]


def source_folder(tree: Path, name: str) -> Path:
    return tree / "python" / name if name == PACKAGE else tree / "crates" / name / "src"


def arrows_of(tree: Path, name: str) -> Arrows:
    """The rooms of a crate or of the package, and what each imports."""
    folder = source_folder(tree, name)
    return python_arrows(folder) if name == PACKAGE else rust_arrows(folder)


# ---------------------------------------------------------------- Rust

USE = re.compile(r"\buse\s+((?:crate|self|super)\b[^;]*);")
PATH = re.compile(r"\b(crate|super(?:\s*::\s*super)*|self)\s*::\s*([A-Za-z_]\w*)")
TEST_MODULE = re.compile(
    r"#\[cfg\((?:test|all\(test, loom\)|all\(loom, test\))\)\]\s*(?:#\[[^\]]*\]\s*)*mod\s+(\w+)\s*([;{])"
)


def rust_arrows(folder: Path) -> Arrows:
    roots = {folder / "lib.rs", folder / "main.rs"}
    files = [path for path in sorted(folder.rglob("*.rs")) if path not in roots]
    skipped = {module for path in [*roots, *files] if path.exists() for module in test_modules(path)}
    files = [path for path in files if not is_below(path, skipped)]
    arrows: Arrows = {room_of(path, folder): set() for path in files}
    for path in files:
        room = room_of(path, folder)
        for target in rust_imports(path, folder):
            if target != room:
                arrows[room].add(target)
    return arrows


def room_of(path: Path, folder: Path) -> str:
    first = path.relative_to(folder).parts[0]
    return first.removesuffix(".rs").removesuffix(".py")


def module_folder(path: Path) -> Path:
    """The folder in which a file's own submodules stand."""
    return path.parent if path.name in ("lib.rs", "main.rs", "mod.rs") else path.with_suffix("")


def test_modules(path: Path) -> Iterator[Path]:
    for name, end in TEST_MODULE.findall(code_of(path.read_text(encoding="utf-8"))):
        if end == ";":
            yield module_folder(path) / name


def is_below(path: Path, modules: set[Path]) -> bool:
    return path.name == "tests.rs" or any(
        module in (path.with_suffix(""), *path.parents) for module in modules
    )


def without_test_modules(code: str) -> str:
    """The code without its `#[cfg(test)] mod name { ... }`."""
    kept, position = [], 0
    for found in TEST_MODULE.finditer(code):
        if found.group(2) != "{" or found.start() < position:
            continue
        kept.append(code[position : found.start()])
        depth, position = 1, found.end()
        while depth and position < len(code):
            depth += {"{": 1, "}": -1}.get(code[position], 0)
            position += 1
    kept.append(code[position:])
    return "".join(kept)


def rust_imports(path: Path, folder: Path) -> Iterator[str]:
    """The rooms that a file names; `crate` for what it takes from the crate's root."""
    code = without_test_modules(code_of(path.read_text(encoding="utf-8")))
    here = list(module_folder(path).relative_to(folder).parts)
    for found in USE.finditer(code):
        for names in flat_use(found.group(1)):
            yield from target_of(names, here, folder)
    for start, name in PATH.findall(USE.sub("", code)):
        yield from target_of([*re.split(r"\s*::\s*", start), name], here, folder)


def flat_use(tree: str) -> Iterator[list[str]]:
    """`a::{b, c::d}` as `[a, b]` and `[a, c, d]`."""
    head, brace, rest = tree.partition("{")
    names = [name.strip().split(" as ")[0].strip() for name in head.split("::") if name.strip()]
    if not brace:
        yield names
        return
    depth, item = 0, ""
    for letter in rest[: rest.rindex("}")] + ",":
        if letter == "," and depth == 0:
            if item.strip():
                yield from ([*names, *inner] for inner in flat_use(item.strip()))
            item = ""
        else:
            depth += {"{": 1, "}": -1}.get(letter, 0)
            item += letter


def target_of(names: list[str], here: list[str], folder: Path) -> Iterator[str]:
    place = list(here)
    names = list(names)
    if names[0] == "crate":
        place, names = [], names[1:]
    while names and names[0] in ("self", "super"):
        if names[0] == "super":
            # One more than the file is deep: from a module within the file.
            place = place[:-1]
        names = names[1:]
    if place:
        yield place[0]
    elif names and is_module(folder, names[0]):
        yield names[0]
    else:
        yield "crate"


def is_module(folder: Path, name: str) -> bool:
    return (folder / f"{name}.rs").exists() or (folder / name).is_dir()


# ---------------------------------------------------------------- Python


def python_arrows(folder: Path) -> Arrows:
    index = {folder / "__init__.py", folder / "__main__.py"}
    files = [
        path for path in sorted(folder.rglob("*.py*")) if path.suffix in (".py", ".pyi") and path not in index
    ]
    arrows: Arrows = {room_of(path, folder).removesuffix(".pyi"): set() for path in files}
    for path in files:
        room = room_of(path, folder).removesuffix(".pyi")
        arrows[room] |= {target for target in python_imports(path, folder) if target != room}
    return arrows


def python_imports(path: Path, folder: Path) -> Iterator[str]:
    package = [*path.relative_to(folder).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            module = (node.module or "").split(".") if node.module else []
            if node.level:
                module = [*package[: len(package) - node.level + 1], *module]
            elif module[:1] == [folder.name]:
                module = module[1:]
            else:
                continue
            yield from [module[0]] if module else root_names(node, folder)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                parts = alias.name.split(".")
                if parts[0] == folder.name:
                    yield parts[1] if len(parts) > 1 else "__init__"


def root_names(node: ast.ImportFrom, folder: Path) -> Iterator[str]:
    for alias in node.names:
        exists = any((folder / f"{alias.name}{end}").exists() for end in (".py", ".pyi", ""))
        yield alias.name if exists else "__init__"


# ---------------------------------------------------------------- the check


def violations(tree: Path, rooms: Mapping[str, Mapping[str, tuple[str, ...]]] = ROOMS) -> Iterator[str]:
    for name, listed in rooms.items():
        found = arrows_of(tree, name)
        order = {room: place for place, room in enumerate(listed)}
        for room in sorted(found.keys() - listed.keys()):
            yield f"{name}: the room {room} is not listed in scripts/rooms.py"
        for room in listed:
            if room not in found:
                yield f"{name}: the room {room} is listed in scripts/rooms.py, but does not exist"
                continue
            for target in sorted(found[room] - set(listed[room])):
                yield f"{name}: {room} imports {target}, which scripts/rooms.py does not allow"
            for target in listed[room]:
                if target not in found[room]:
                    yield f"{name}: {room} -> {target} is listed, but no file of {room} imports it"
                if order.get(target, len(order)) <= order[room]:
                    yield f"{name}: {room} -> {target} points up: {target} has to stand below {room}"


def main() -> int:
    parser = argparse.ArgumentParser(description="Checks the arrows between the rooms of each crate.")
    parser.add_argument("tree", nargs="?", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--counts", action="store_true", help="print rooms and arrows of each crate")
    parser.add_argument("--found", metavar="NAME", help="print the rooms and arrows that NAME has now")
    arguments = parser.parse_args()
    if arguments.found:
        for room, targets in arrows_of(arguments.tree, arguments.found).items():
            print(
                f'        "{room}": ({"".join(f"{target!r}, " for target in sorted(targets))}),'.replace(
                    "'", '"'
                )
            )
        return 0
    if arguments.counts:
        for name in ROOMS:
            found = arrows_of(arguments.tree, name)
            print(f"{name}: {len(found)} rooms, {sum(map(len, found.values()))} arrows")
        return 0
    lines = list(violations(arguments.tree))
    for line in lines:
        print(line, file=sys.stderr)
    if lines:
        print(f"check_rooms: {len(lines)} violations", file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
