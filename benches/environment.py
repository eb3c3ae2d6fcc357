"""The machine (without names), the Python environments and the programs of a run."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


def hosts_of(text: str) -> list[tuple[str, int]]:
    """``host:port,host:port`` as pairs."""
    pairs = (entry.strip().rpartition(":") for entry in text.split(","))
    return [(host, int(port)) for host, _, port in pairs]


def server_of(hosts: list[tuple[str, int]]) -> str:
    """The edition and build of the servers in AEROSPIKE_HOSTS, without their names."""
    import aerospike_py

    def answers(command: str) -> list[str]:
        return [(answer or "").strip() for _, answer in client.info_all(command).values()]

    client = aerospike_py.client({"hosts": hosts}).connect()
    try:
        found = [" ".join(words) for words in zip(answers("edition"), answers("build"), strict=True)]
    finally:
        client.close()
    nodes = f", {len(found)} nodes" if len(found) > 1 else ""
    return f"{' and '.join(sorted(set(found)))} at AEROSPIKE_HOSTS{nodes}"


def cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(), re.MULTILINE)
        if found:
            return found.group(1).strip()
    if sys.platform == "darwin":
        answer = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"],
            check=False,
            capture_output=True,
            text=True,
        )
        if answer.returncode == 0:
            return answer.stdout.strip()
    return platform.processor() or platform.machine()


def machine() -> dict[str, str | int]:
    """The facts that figures depend on."""
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count() or 1,
        "system": platform.system(),
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def commit() -> str:
    """The measured commit, marked if the checkout differs from it."""
    answer = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--exclude=*"],  # noqa: S607
        cwd=HERE,
        check=False,
        capture_output=True,
        text=True,
    )
    return answer.stdout.strip() or "unknown"


def peer_python(name: str) -> str:
    """The Python of a separate environment, created from its pinned file if it is missing or outdated."""
    requirements = HERE / "requirements" / f"{name}.txt"
    venv = HERE / f".venv-peers-{name}"
    python = venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    installed = venv / "installed.txt"
    wanted = requirements.read_text(encoding="utf-8")
    if not (installed.exists() and installed.read_text(encoding="utf-8") == wanted):
        print(f"installing {name} into a separate environment ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "-r", str(requirements)], check=True)
        installed.write_text(wanted, encoding="utf-8")
    return str(python)


def bench_arguments(given: list[str] | None) -> list[str]:
    """The arguments of this run as an argument of `make bench`."""
    words = sys.argv[1:] if given is None else given
    return [f"BENCH_ARGS='{' '.join(words)}'"] if words else []


def floor_program() -> str:
    """Builds the wire floor program (release) and returns its path."""
    command = ["cargo", "build", "--quiet", "--release", "-p", "wire-protocol", "--example", "wire_floor"]
    subprocess.run(command, cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return str(target / "release/examples/wire_floor")


def import_seconds(python: str, module: str) -> float:
    """Seconds that a fresh interpreter needs to import a module, without NumPy."""
    code = f"import numpy, time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
    # `python -c` searches the current folder first: keep the checkout's packages out of it.
    answer = subprocess.run([python, "-c", code], cwd=HERE, check=True, capture_output=True, text=True)
    return float(answer.stdout)


def draw(folder: Path) -> None:
    """Draws the plots of the results in a folder."""
    subprocess.run([peer_python("plots"), "-m", "benches.plots", str(folder)], cwd=ROOT, check=True)
