"""The code and commands in README.md, DEVELOPERS.md and the pages of docs run.

Blocks of Python run as they stand, one after the other; an expression with a value in the comment beside it
has to have that value. Of shell commands each has to be known here: its targets, files, modules and options
exist.
"""

import functools
import importlib.util
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import aerospike_py
from aerospike_py import Client
from aerospike_py.testing import DevServer
from scripts import site_tables
from scripts.check_tracked import files_of
from tests.support import ROOT, pages
from tests.support.pages import ANY, PYTHON, SHELL, Block

OUTSIDE = [
    "README.md",
    "CONTRIBUTING.md",
    "DEVELOPERS.md",
    "RELEASING.md",
    "SECURITY.md",
    "benches/README.md",
]
PAGES = [*OUTSIDE, *files_of(ROOT, "docs/*.md")]
TEXTS = {page: (ROOT / page).read_text(encoding="utf-8") for page in PAGES}
# Packages that a page needs and some environments lack.
NEEDS = {"docs/moving.md": "aerospike", "docs/pandas.md": "pandas", "docs/feast.md": "feast"}
LANGUAGES = {"python", "sh", "", "text", "toml", "ini", "yaml"}


def having(kind: re.Pattern[str]) -> list[str]:
    return [page for page in PAGES if kind.search(TEXTS[page])]


@pytest.mark.parametrize("page", having(PYTHON))
@pytest.mark.filterwarnings("ignore:values changed to fit:RuntimeWarning")
def test_the_examples_of_a_page_run(page, monkeypatch, tmp_path):
    if page in NEEDS:
        pytest.importorskip(NEEDS[page])
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "page"}
    # Each page starts with an empty node, as its readers do.
    with DevServer() as server:
        for block in pages.blocks(TEXTS[page], PYTHON):
            code = block.code.replace('[("127.0.0.1", 3000)]', repr(server.hosts))
            pages.run(replace(block, code=code), page, names)
        client = names.get("client")
        if isinstance(client, Client):
            client.close()


def test_every_block_is_checked():
    """Every block is in a known language, and every Python or shell block is found."""
    for page, text in TEXTS.items():
        languages = {found[1].strip() for found in ANY.finditer(text)}
        assert languages <= LANGUAGES, f"{page} has blocks of {languages - LANGUAGES}"
        fences = len(re.findall(r"^```(?:python|sh)$", text, re.MULTILINE))
        runs = sum(len(list(pages.blocks(text, kind))) for kind in (PYTHON, SHELL))
        assert fences == runs - text.count("\n<!-- run\n"), f"{page} has a block that is not read"


# ---------------------------------------------------------------- the reference


def test_the_reference_has_every_public_name():
    documented = set(re.findall(r"^::: (\S+)$", "\n".join(TEXTS.values()), re.MULTILINE))
    tables = {*aerospike_py.constants.__all__, *aerospike_py.exception.__all__}
    functions = {
        "client": "aerospike_py.client.client",
        "calc_digest": "aerospike_py._native.calc_digest",
        "Transaction": "aerospike_py._native.Transaction",
        **{name: f"aerospike_py.splits.{name}" for name in ("splits", "Split", "SplitMetrics")},
    }
    missing = {
        name
        for name in set(aerospike_py.__all__) - tables - {"__version__", "constants", "exception"}
        if functions.get(name, f"aerospike_py.{name}") not in documented
    }
    assert not missing, f"say `::: aerospike_py.NAME` in a page of docs/reference: {missing}"


def test_the_tables_of_the_reference_are_complete():
    constants = set(re.findall(r"^\| `(\w+)` \|", "\n".join(site_tables.constants()), re.MULTILINE))
    assert constants == set(aerospike_py.constants.__all__)
    lines = "\n".join(site_tables.exceptions())
    exceptions = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| (\S*) \|", lines, re.MULTILINE))
    assert set(exceptions) == set(aerospike_py.exception.__all__)
    for name, code in exceptions.items():
        if code:
            assert getattr(aerospike_py.exception, name).code == int(code)


# ---------------------------------------------------------------- values in comments


@pytest.mark.parametrize(
    ("comment", "literal"),
    [
        ("82", "82"),
        ("44.75: a column", "44.75"),
        ("['D2']", "['D2']"),
        ("True", "True"),
        ("a column", None),
        ("2 of them", None),
        ("a: b", None),
    ],
)
def test_values_are_recognised_in_comments(comment, literal):
    assert pages.told(comment) == literal


@pytest.mark.parametrize(
    "code",
    [
        "1 + 1  # 3",
        "[1, 2]  # [1]: a list",
        "x = 5\nx  # 6",
        "True  # 1",
        "if True:\n    2  # 3\n",
    ],
)
def test_a_wrong_value_is_found(code):
    with pytest.raises(AssertionError, match="the page tells"):
        pages.run(Block(1, code), "page", {})


def test_an_error_that_is_not_raised_is_found():
    with pytest.raises(AssertionError, match="line 1: the page shows an error, but nothing is raised"):
        pages.run(Block(1, "try:\n    1 + 1\nexcept ValueError:\n    pass\n"), "page", {})
    assert pages.run(Block(1, "try:\n    int('a')\nexcept ValueError:\n    1  # 1\n"), "page", {}) == 1


def test_what_is_printed_is_compared():
    block = Block(1, "print(1)\n", "1\n")
    assert pages.run(block, "page", {}) == 1
    with pytest.raises(AssertionError, match="prints something else"):
        pages.run(replace(block, prints="2\n"), "page", {})


def test_right_values_are_counted():
    assert pages.run(Block(1, "1 + 1  # 2\n{'a': (1,)}  # {'a': (1,)}\n3  # words\n"), "page", {}) == 2


# ---------------------------------------------------------------- shell


@functools.cache
def targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    checks = " ".join(re.findall(r"^CHECKS := (.*)$", makefile, re.MULTILINE))
    return {*re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE), *checks.split()}


@functools.cache
def variables() -> set[str]:
    return set(re.findall(r"\$\(([A-Z_]+)\)", (ROOT / "Makefile").read_text(encoding="utf-8"))) | {
        "PYTHON",
        "HYPOTHESIS_PROFILE",
        "PROPTEST_CASES",
    }


@functools.cache
def help_of(*command: str) -> str:
    answer = subprocess.run(
        [*command, "--help"], capture_output=True, text=True, timeout=60, cwd=ROOT, check=False
    )
    assert answer.returncode == 0, f"{shlex.join(command)} --help: {answer.stderr or answer.stdout}"
    return answer.stdout


def check_options(command: tuple[str, ...], words: list[str]) -> None:
    options = {word.partition("=")[0] for word in words if word.startswith("--")}
    unknown = {option for option in options if option not in help_of(*command)}
    assert not unknown, f"{shlex.join(command)} knows no {unknown}"


def is_in_tree(word: str) -> bool:
    return (ROOT / word.partition("::")[0]).exists()


def make(words: list[str]) -> None:
    for word in words:
        name, is_variable, value = word.partition("=")
        if not is_variable:
            assert name in targets(), f"no target {name}"
            continue
        assert name in variables(), f"the Makefile does nothing with {name}"
        if name == "PYTEST_ARGS":
            pytest_arguments(shlex.split(value))
        if name == "BENCH_ARGS" and "bench" in words:
            check_options((sys.executable, "benches/run.py"), shlex.split(value))
        if name == "BENCH_ARGS" and "bench-availability" in words:
            check_options((sys.executable, "benches/availability.py"), shlex.split(value))


def pytest_arguments(words: list[str]) -> None:
    for word in words:
        if word.endswith(".py") or "/" in word:
            assert is_in_tree(word), f"no file {word}"


def cargo(words: list[str]) -> None:
    assert words[0] in {
        "bench",
        "build",
        "doc",
        "fuzz",
        "install",
        "nextest",
        "package",
        "publish",
        "run",
        "test",
    }, words[0]
    if "-p" in words:
        crate = ROOT / "crates" / words[words.index("-p") + 1]
        assert crate.is_dir(), crate
        for option, folder in (("--bench", "benches"), ("--test", "tests"), ("--example", "examples")):
            for position, word in enumerate(words):
                if word == option:
                    name = words[position + 1]
                    assert list(crate.glob(f"{folder}/{name}*")), f"{crate} has no {folder}/{name}"


def python(words: list[str]) -> None:
    if words[0] == "-c":
        compile(words[1], "-c", "exec")
    elif words[0] == "-m":
        name, rest = words[1], words[2:]
        assert name in ("venv", "pip") or importlib.util.find_spec(name), f"no module {name}"
        if name.split(".")[0] == "aerospike_py":
            ours((sys.executable, "-m", name), rest)
        if name == "pip":
            pip(rest)
    else:
        assert is_in_tree(words[0]), f"no file {words[0]}"


def ours(command: tuple[str, ...], words: list[str]) -> None:
    """A program of the package: its help lists its subcommands and options."""
    if words and not words[0].startswith("-"):
        command, words = (*command, words[0]), words[1:]
    check_options(command, words)


def pip(words: list[str]) -> None:
    """This package is installed by path: on an index its name is another project's."""
    assert words[0] == "install", words
    for word in words[1:]:
        if not word.startswith("-"):
            assert not re.match(r"aerospike[-_]py(?![\w/*-])", word), f"{word}: another project's package"


def server(words: list[str]) -> None:
    """gunicorn and uvicorn: the application exists."""
    for word in words:
        module, is_application, name = word.partition(":")
        if is_application and re.fullmatch(r"[a-z_.]+", module) and not module.endswith("."):
            path = ROOT / f"{module.replace('.', '/')}.py"
            if "." in module:
                defined = rf"^(?:async )?(?:def )?{name}\b"
                assert re.search(defined, path.read_text(encoding="utf-8"), re.MULTILINE), word
    for word in words:
        if word.startswith("examples/"):
            assert is_in_tree(word), word


def command_line(words: list[str]) -> None:
    assert "\naerospike-py = " in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    ours((sys.executable, "-m", "aerospike_py"), words)


PROGRAMS: dict[str, Callable[[list[str]], None]] = {
    "make": make,
    "cargo": cargo,
    "python": python,
    "python3": python,
    ".venv/bin/python": python,
    "pip": pip,
    "gunicorn": server,
    "uvicorn": server,
    "pytest": pytest_arguments,
    "aerospike-py": command_line,
    ".ci/run": pytest_arguments,
    # `taskset -c CORE PROGRAM ...`
    "taskset": lambda words: PROGRAMS[words[2]](words[3:]),
    # Not ours to check.
    "apt-get": lambda words: None,
    "cd": lambda words: None,
    "curl": lambda words: None,
    "git": lambda words: None,
    "openssl": lambda words: None,
    "rustup": lambda words: None,
    "source": lambda words: None,
    ".": lambda words: None,
}


def check(command: str, place: str) -> None:
    words = [word for word in shlex.split(command) if word != "&"]
    while words and re.match(r"[A-Z_]+=", words[0]):
        words.pop(0)
    try:
        assert words[0] in PROGRAMS, f"nobody checks {words[0]!r}: say in PROGRAMS how"
        PROGRAMS[words[0]](words[1:])
    except AssertionError as error:
        raise AssertionError(f"{place}: {command}: {error}") from None


@pytest.mark.parametrize("page", having(SHELL))
def test_the_commands_of_a_page_exist(page):
    for block in pages.blocks(TEXTS[page], SHELL):
        for command in pages.commands(block):
            check(command, f"{page}, block at line {block.line}")


# Commands in a sentence or a table that can be told from words.
INLINE = re.compile(r"`((?:[A-Z_]+=\S+ )?(?:make|cargo|python -m) [^`\n]+)`")


@pytest.mark.parametrize("page", having(INLINE))
def test_the_commands_within_lines_exist(page):
    for found in INLINE.finditer(TEXTS[page]):
        command = found[1].replace("\\|", "|")
        if "..." in command.split() or "|" in command:
            continue  # a form, no command
        line = TEXTS[page].count("\n", 0, found.start()) + 1
        check(command, f"{page}:{line}")


@pytest.mark.parametrize(
    "command",
    [
        "make demmo",
        "make bench BENCH_ARG=--quick",
        "make bench BENCH_ARGS=--quik",
        'make test-python PYTEST_ARGS="tests/test_nothing.py"',
        "python -m aerospike_py.devserver --prt 3000",
        "python -m aerospike_py.nothing",
        "python examples/nothing.py",
        "cargo bench -p wire-protocol --bench nothing",
        "cargo bench -p nothing",
        "gunicorn -c examples/gunicorn_conf.py examples.features_wsgi:app",
        "uvicorn -c examples/nothing.py",
        "python -m pip install aerospike" + "-py",
        "aerospik-py serve",
    ],
)
def test_a_wrong_command_is_found(command):
    with pytest.raises(AssertionError, match="here: "):
        check(command, "here")
