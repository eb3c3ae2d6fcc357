#!/usr/bin/env python3
"""Tests a wheel like a user: `python -m scripts.try_wheel dist/aerospike_py-....whl`.

- It is small and complete: one native module, stubs, licence, bill of materials, entry points.
- Installed by path into a clean virtual environment, outside the checkout, it imports quickly without NumPy,
  and runs the first example of README.md and the command line.

The environment uses the Python that runs this script. It gets NumPy as pinned in requirements/dev.txt; our
package is never requested from an index. Exits with 1 and the first problem.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOST_BYTES = 8 * 1024 * 1024
MOST_IMPORT_MS = 50.0
IMPORTS = 15

NEEDED = [
    r"aerospike_py/_native[\w.-]*\.(so|pyd)",
    r"aerospike_py/_native\.pyi",
    r"aerospike_py/py\.typed",
    r"pytest_aerospike_py/__init__\.py",
    r"aerospike_py-[\w.]+\.dist-info/licenses/LICENSE",
    r"aerospike_py-[\w.]+\.dist-info/sboms/[\w.-]+\.json",
    r"aerospike_py-[\w.]+\.dist-info/entry_points\.txt",
]

# CPU time, so that other programs on the machine do not matter.
TIME_IMPORT = """
import sys, time
start = time.process_time()
import aerospike_py
took = time.process_time() - start
assert "numpy" not in sys.modules
print(took * 1000)
"""
WHERE = "import aerospike_py; print(aerospike_py.__version__, aerospike_py.__file__)"


class WrongError(Exception):
    """A problem of the wheel."""


def look_into(wheel: Path) -> None:
    """Checks the wheel's size and its files."""
    size = wheel.stat().st_size
    if size > MOST_BYTES:
        raise WrongError(f"it has {size} bytes, more than {MOST_BYTES}")
    names = zipfile.ZipFile(wheel).namelist()
    for pattern in NEEDED:
        found = [name for name in names if re.fullmatch(pattern, name)]
        if len(found) != 1:
            raise WrongError(f"it has {len(found)} files {pattern}, not one")
    foreign = [name for name in names if not name.startswith(("aerospike_py", "pytest_aerospike_py/"))]
    if foreign:
        raise WrongError(f"it has files that are not the package's: {foreign}")
    print(f"{wheel.name}: {size / 1e6:.1f} MB, {len(names)} files")


def run(*command: str | Path, cwd: Path) -> str:
    """Runs a command without the checkout's environment variables; returns its output."""
    keep = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))
    }
    answer = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=keep, capture_output=True, text=True, check=False
    )
    if answer.returncode != 0:
        raise WrongError(f"{' '.join(map(str, command))[:200]}:\n{answer.stdout}{answer.stderr}")
    return answer.stdout


def pip(python: Path, *arguments: str | Path, cwd: Path) -> None:
    run(
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        *arguments,
        cwd=cwd,
    )


def quick_start() -> str:
    """The first block of Python in README.md."""
    found = re.search(
        r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S
    )
    if found is None:
        raise WrongError("README.md has no block of Python")
    return found.group(1)


def try_out(wheel: Path, here: Path) -> None:
    """Installs the wheel into a new environment below `here` and runs it there."""
    venv.create(here / "venv", with_pip=True)
    scripts = here / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    python = scripts / "python"
    pip(python, "--no-index", wheel.resolve(), cwd=here)

    version, _, place = run(python, "-c", WHERE, cwd=here).strip().partition(" ")
    if not Path(place).is_relative_to(here.resolve()) or f"-{version}-" not in wheel.name:
        raise WrongError(f"what was imported is {version} at {place}")
    fastest = min(float(run(python, "-c", TIME_IMPORT, cwd=here)) for _ in range(IMPORTS))
    if fastest > MOST_IMPORT_MS:
        raise WrongError(f"importing it takes {fastest:.0f} ms at best, more than {MOST_IMPORT_MS:.0f}")
    print(f"imported in {fastest:.0f} ms (the best of {IMPORTS}), without NumPy")
    if run(scripts / "aerospike-py", "--version", cwd=here).strip() != f"aerospike-py {version}":
        raise WrongError("aerospike-py --version says another version")

    pins = [
        line
        for line in (ROOT / "requirements/dev.txt").read_text().splitlines()
        if line.startswith("numpy==")
    ]
    (here / "numpy.txt").write_text("\n".join(pins))
    pip(python, "-r", here / "numpy.txt", cwd=here)
    (here / "quick_start.py").write_text(quick_start())
    run(python, "-W", "error", here / "quick_start.py", cwd=here)
    run(python, "-m", "aerospike_py", "bench", "--records", "1000", "--seconds", "0.1", cwd=here)
    print("the first example and a benchmark against the embedded server ran")


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: python -m scripts.try_wheel WHEEL", file=sys.stderr)
        return 2
    wheel = Path(sys.argv[1])
    try:
        look_into(wheel)
        with tempfile.TemporaryDirectory() as here:
            try_out(wheel, Path(here).resolve())
    except WrongError as error:
        print(f"{wheel.name}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
