"""Where ``DevServer`` starts: in any working directory, with the parent's copy of the package."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import aerospike_py

pytestmark = pytest.mark.embedded

BODY = """
import aerospike_py
from aerospike_py.testing import DevServer
with DevServer() as server, aerospike_py.client(server.config).connect() as client:
    client.put(("test", "s", 1), {"a": 1})
    print(client.get(("test", "s", 1)).bins)
"""


@pytest.fixture
def run(tmp_path):
    """Runs a Python script in a directory with traps, and returns what it printed."""

    def run(body, *options, cwd=tmp_path, **environment):
        script = tmp_path.parent / f"{tmp_path.name}-script" / "script.py"
        script.parent.mkdir(exist_ok=True)
        script.write_text(textwrap.dedent(body))
        result = subprocess.run(
            [sys.executable, *options, str(script)],
            cwd=cwd,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    return run


def copy_of_the_package(folder: Path) -> Path:
    """A folder with the package under it, as links."""
    folder.mkdir()
    (folder / "aerospike_py").symlink_to(Path(aerospike_py.__file__).parent)
    return folder


@pytest.mark.parametrize(
    "trap", ["signal.py", "json.py", "subprocess.py", "aerospike_py/__init__.py", "numpy.py"]
)
def test_the_working_directory_shadows_nothing(run, tmp_path, trap):
    (tmp_path / trap).parent.mkdir(exist_ok=True)
    (tmp_path / trap).write_text("raise RuntimeError('the wrong module')")
    assert run(BODY) == "{'a': 1}\n"


def test_a_namespace_package_in_the_working_directory(run, tmp_path):
    (tmp_path / "aerospike_py").mkdir()
    assert run(BODY) == "{'a': 1}\n"


@pytest.mark.parametrize("place", ["lib", "signal"])
def test_a_package_found_by_sys_path(run, tmp_path, place):
    """Without its installation, as in a program that carries the package; also beside a trap."""
    folder = copy_of_the_package(tmp_path / place)
    (folder / "signal.py").write_text("raise RuntimeError('the wrong module')")
    # -S: no site-packages; the standard library comes first in the child, this folder only for the package.
    body = f"import signal, sys; sys.path.insert(0, {str(folder)!r})\n{BODY}"
    assert run(body, "-S") == "{'a': 1}\n"


def test_a_package_in_the_working_directory(run, tmp_path):
    folder = copy_of_the_package(tmp_path / "all")
    body = f"import sys; sys.path.insert(0, '')\n{BODY}"
    assert run(body, "-S", cwd=folder) == "{'a': 1}\n"


def test_pythonpath(run, tmp_path):
    folder = copy_of_the_package(tmp_path / "all")
    assert run(BODY, "-S", PYTHONPATH=str(folder)) == "{'a': 1}\n"


@pytest.mark.parametrize("options", [["-I"], ["-E", "-s"]])
def test_options_of_the_interpreter(run, options):
    assert run(BODY, *options) == "{'a': 1}\n"


def test_a_directory_that_was_changed_or_deleted(run, tmp_path):
    folder = copy_of_the_package(tmp_path / "all")
    gone = tmp_path / "gone"
    gone.mkdir()
    body = f"import sys; sys.path.insert(0, 'all')\nimport aerospike_py, os\nos.chdir({str(gone)!r})\n"
    assert run(f"{body}os.rmdir({str(gone)!r})\n{BODY}", "-S") == "{'a': 1}\n"
    assert folder.is_dir()
