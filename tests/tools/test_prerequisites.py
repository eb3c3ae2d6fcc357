"""scripts/prerequisites.sh names what is missing and how to get it; `make dev` says what it does."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT

SCRIPT = ROOT / "scripts/prerequisites.sh"
# The programs that the script uses.
USED = ("sh", "cat", "dirname", "head", "mktemp", "rm", "sed", "sort", "uname")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell script")


class Machine:
    """A PATH that has only the programs that a test puts there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for name in USED:
            found = shutil.which(name)
            assert found is not None
            (path / name).symlink_to(found)

    def add(self, name: str, script: str) -> None:
        (self.path / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.path / name).chmod(0o755)

    def run(self, what: str = "all", **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.path / "sh"), str(SCRIPT), what],
            env={"PATH": str(self.path), **environment},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def machine(tmp_path):
    """A machine that has everything."""
    made = Machine(tmp_path)
    made.add("python3", f'exec "{sys.executable}" "$@"')
    made.add("cargo", "echo 'cargo 1.99.0 (0123456 2030-01-01)'")
    # A compiler that writes its output: `cc probe.c -o probe`.
    made.add("cc", ': > "$3"')
    return made


def test_everything_is_there(machine):
    done = machine.run()
    assert done.returncode == 0, done.stderr
    assert "Rust 1.99.0" in done.stdout


def assert_missing(done, what, advice):
    assert done.returncode != 0
    assert done.stderr.startswith(f"missing: {what}")
    assert "Debian" in done.stderr
    assert "elsewhere" in done.stderr
    assert advice in done.stderr


def test_no_python(machine):
    (machine.path / "python3").unlink()
    assert_missing(machine.run(), "Python >= 3.10", "apt-get install python3 python3-venv")


def test_only_an_old_python(machine):
    machine.add("python3", "exit 1")
    assert_missing(machine.run("python"), "Python >= 3.10", "apt-get install python3")


def test_an_old_python_is_passed_over(machine):
    (machine.path / "python3").rename(machine.path / "python3.12")
    machine.add("python3", "exit 1")
    done = machine.run("python")
    assert done.returncode == 0
    assert os.path.samefile(done.stdout.strip(), sys.executable)


def test_the_python_that_was_asked_for_is_too_old(machine):
    machine.add("python3.6", "exit 1")
    done = machine.run("python", PYTHON="python3.6")
    assert_missing(done, "Python >= 3.10: PYTHON=python3.6", "leave PYTHON unset")


def test_a_python_without_venv(machine):
    # Debian's python3 without python3-venv runs, but lacks these modules.
    machine.add("python3", f'case "$2" in *ensurepip*) exit 1 ;; esac\nexec "{sys.executable}" "$@"')
    assert_missing(machine.run(), "the venv module of python3", "apt-get install python3-venv")


def test_no_cargo(machine):
    (machine.path / "cargo").unlink()
    assert_missing(machine.run(), "cargo", "rustup")


def test_cargo_without_a_toolchain(machine):
    machine.add("cargo", "echo 'error: no default toolchain' >&2\nexit 1")
    assert_missing(machine.run("rust"), "a Rust toolchain", "rustup default stable")


@pytest.mark.parametrize(("version", "old"), [("1.9.0", True), ("1.85.1", True), ("2.0.0", False)])
def test_an_old_rust(machine, version, old):
    machine.add("cargo", f"echo 'cargo {version} (0123456 2020-01-01)'")
    done = machine.run("rust")
    if old:
        assert_missing(done, "Rust >= ", "rustup update stable")
    else:
        assert done.returncode == 0


def test_no_linker(machine):
    (machine.path / "cc").unlink()
    assert_missing(machine.run(), "a C compiler", "build-essential")


def test_a_compiler_that_does_not_link(machine):
    machine.add("cc", "echo 'cannot find crt1.o' >&2\nexit 1")
    assert_missing(machine.run(), "a C compiler", "build-essential")


@pytest.mark.skipif(
    shutil.which("make") is None or shutil.which("cargo") is None, reason="needs make and cargo"
)
@pytest.mark.parametrize("at_terminal", [False, True])
@pytest.mark.parametrize("target", ["dev", "build"])
def test_a_build_shows_progress_at_a_terminal_only(tmp_path, target, at_terminal):
    # Stands for the Python of .venv, which would run maturin.
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "pip quiet: $PIP_QUIET; $*"\n')
    python.chmod(0o755)
    tools = tmp_path / ".tools"
    tools.touch()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    terminal, errors = os.openpty()
    done = subprocess.run(
        ["make", target, f"VENV={tmp_path}", f"PY={python}", "LOCKED=--locked", "-o", str(tools)],
        cwd=ROOT,
        env=kept,
        stdout=subprocess.PIPE,
        stderr=errors if at_terminal else subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(errors)
    os.close(terminal)
    assert done.returncode == 0, done.stderr
    said, *_, ran = done.stdout.splitlines()
    assert said.startswith("compiling the extension: the first time, ")
    release = ["--release"] if target == "build" else []
    quiet = [] if at_terminal else ["--quiet"]
    assert ran == "pip quiet: 1; " + " ".join(["-m maturin develop", *quiet, *release, "--locked"])
