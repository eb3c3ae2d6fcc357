"""scripts/check_rooms.py finds imports that run the wrong way."""

from pathlib import Path

import pytest

from scripts import check_rooms
from tests.support.sources import write


def crate(tree: Path, **sources: str) -> Path:
    """A crate `shop` with these files below `src`, named as `folder__file`."""
    write(tree / "crates/shop/src/lib.rs", "mod top;\nmod bottom;\npub use top::Top;\n")
    for name, text in {"top": "", "bottom": "", **sources}.items():
        write(tree / f"crates/shop/src/{name.replace('__', '/')}.rs", text)
    return tree


def found(tree: Path, **rooms: tuple[str, ...]) -> list[str]:
    return list(check_rooms.violations(tree, {"shop": rooms}))


@pytest.mark.parametrize(
    "code",
    [
        "use crate::bottom::Thing;",
        "pub(crate) use crate::{bottom::{self, Thing}, top};",
        "use super::bottom;",
        "fn f() { crate::bottom::g() }",
        "fn f() { super::bottom::g() }",
        "mod tests_of_nothing { use super::super::bottom::X; }",
        "use crate::{\n    bottom::Thing as Other,\n};",
        "#[cfg(test)]\nmod tests { fn f() { if a { b } } }\nuse crate::bottom::Thing;",
    ],
)
def test_an_import_that_is_listed(tmp_path, code):
    assert found(crate(tmp_path, top=code), top=("bottom",), bottom=()) == []
    (line,) = found(tmp_path, top=(), bottom=())
    assert "shop: top imports bottom" in line


@pytest.mark.parametrize(
    "code",
    [
        "// use crate::top::Top;",
        '/* crate::top */ const X: &str = "crate::top::Top";',
        "#[cfg(test)]\nmod tests {\n    use crate::top::Top;\n    fn f() { { } }\n}\n",
        "use std::top::X; use super::bottom::Y; use self::top::Z;",
    ],
)
def test_what_is_no_import_between_rooms(tmp_path, code):
    assert found(crate(tmp_path, bottom=code), top=(), bottom=()) == []


def test_folders_are_rooms_and_their_tests_are_left_out(tmp_path):
    tree = crate(
        tmp_path,
        bottom="",
        cellar__mod="mod wine;\n#[cfg(test)]\nmod trial;\n",
        cellar__wine="use super::super::bottom::X;\nuse super::trial::Y;",
        cellar__trial="use crate::top::Top;",
        cellar__tests="use crate::top::Top;",
    )
    assert found(tree, top=(), cellar=("bottom",), bottom=()) == []


def test_the_root_is_no_room_to_import_from(tmp_path):
    (line,) = found(crate(tmp_path, bottom="use crate::Top;"), top=(), bottom=())
    assert "bottom imports crate" in line


def test_a_circle_cannot_be_listed(tmp_path):
    tree = crate(tmp_path, top="use crate::bottom::X;", bottom="use crate::top::Y;")
    lines = found(tree, top=("bottom",), bottom=("top",))
    assert lines == ["shop: bottom -> top points up: top has to stand below bottom"]


def test_a_list_that_is_not_right(tmp_path):
    tree = crate(tmp_path, attic="")
    lines = found(tree, top=("bottom",), bottom=(), cellar=())
    assert lines == [
        "shop: the room attic is not listed in scripts/rooms.py",
        "shop: top -> bottom is listed, but no file of top imports it",
        "shop: the room cellar is listed in scripts/rooms.py, but does not exist",
    ]


def package(tree: Path, **sources: str) -> list[str]:
    for name, text in {"__init__": "from .top import x\n", "top": "", "bottom": "", **sources}.items():
        write(tree / f"python/aerospike_py/{name.replace('__mod', '/__init__')}.py", text)
    return list(check_rooms.violations(tree, {"aerospike_py": {"top": (), "bottom": (), "_inner": ()}}))


@pytest.mark.parametrize(
    "code",
    [
        "from . import top",
        "from .top import x",
        "def f():\n    from aerospike_py.top import x",
        "import aerospike_py.top",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .top import x",
    ],
)
def test_imports_of_python(tmp_path, code):
    (line,) = package(tmp_path, bottom=code, _inner__mod="")
    assert "aerospike_py: bottom imports top" in line


def test_imports_from_a_folder_of_python(tmp_path):
    assert package(tmp_path, _inner__mod="import json\nfrom . import other\nfrom .other import x") == []
    (line,) = package(tmp_path, _inner__mod="from ..top import x\nfrom . import other")
    assert "aerospike_py: _inner imports top" in line
    (line,) = package(tmp_path, _inner__mod="from .. import x")
    assert "aerospike_py: _inner imports __init__" in line


def test_the_sources_match_the_rooms(request):
    assert list(check_rooms.violations(request.config.rootpath)) == []
