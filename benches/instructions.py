#!/usr/bin/env python3
"""Counts the instructions of the hot loops, a record, with valgrind: figures that no busy machine spoils.

make instructions                             count, and write results/instructions.md
make instructions BENCH_ARGS=--check          fail where a loop takes 3 % more than is written there
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RECORDED = ROOT / "benches/results/instructions.md"
ROW = re.compile(r"^\| (\S+) \| ([\d.]+) \|", re.MULTILINE)
# A loop may grow by so much unnoticed.
SLACK = 0.03
PASSES = (1, 3)
MEANINGS = {
    "digest": "the digest of a key of about ten characters, many at a time",
    "request": "a key's row in the request",
    "parse": "a record of the answer, checked, its five bins walked and dropped",
    "decode-natural": "a record of the answer, written into `i8` and `f8` fields",
    "decode-some-missing": "the same, every third record without one of the bins",
    "decode-converted": "the same, into `f4`, `i4`, `f2`, `u1` and `?` fields",
}


def build() -> str:
    command = ["cargo", "build", "--quiet", "--release", "-p", "record-decode", "--example", "hot_loops"]
    subprocess.run(command, cwd=ROOT, check=True)
    return str(Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release/examples/hot_loops")


def output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def collected(valgrind: str, program: str, loop: str, passes: int) -> int:
    """Instructions of a whole run."""
    command = [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", program, loop, str(passes)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    found = re.search(r"Collected : (\d+)", answer.stderr)
    if not found:
        raise SystemExit(f"valgrind did not say how much it collected:\n{answer.stderr}")
    return int(found.group(1))


def count(valgrind: str, program: str) -> dict[str, float]:
    """Instructions a record, by loop."""
    rows = int(output(program, "rows", "0"))
    few, many = PASSES
    counts = {}
    for loop in output(program, "loops", "0").split():
        more = collected(valgrind, program, loop, many) - collected(valgrind, program, loop, few)
        counts[loop] = round(more / (many - few) / rows, 1)
        print(f"  {loop}: {counts[loop]}", flush=True)
    return counts


def markdown(counts: dict[str, float], compiler: str) -> str:
    lines = [
        "# Instructions of the hot loops",
        "",
        f"Of a record or key, on {platform.machine()}, rustc {compiler}, release profile, by callgrind",
        "(`make instructions`). `make instructions BENCH_ARGS=--check` fails where a loop has grown by more",
        f"than {SLACK * 100:g} %; a change that means to is recorded with it.",
        "",
        "| loop | instructions | what |",
        "|---|---:|---|",
        *(f"| {loop} | {figure} | {MEANINGS.get(loop, '')} |" for loop, figure in counts.items()),
    ]
    return "\n".join(lines) + "\n"


def recorded(text: str) -> dict[str, float]:
    return {loop: float(figure) for loop, figure in ROW.findall(text)}


def grown(before: dict[str, float], now: dict[str, float]) -> list[str]:
    """What has become worse, or cannot be compared, in words."""
    found = [f"{loop} is recorded and was not counted" for loop in before if loop not in now]
    for loop, figure in now.items():
        if loop not in before:
            found.append(f"{loop} is not recorded: make instructions")
        elif figure > before[loop] * (1 + SLACK):
            found.append(f"{loop}: {figure} instructions, {before[loop]} are recorded")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Count the instructions of the hot loops.")
    parser.add_argument("--check", action="store_true", help="compare with what is recorded")
    arguments = parser.parse_args()
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        print("missing: valgrind (apt-get install valgrind)", file=sys.stderr)
        return 1
    counts = count(valgrind, build())
    if not arguments.check:
        compiler = output("rustc", "--version").split()[1]
        RECORDED.write_text(markdown(counts, compiler), encoding="utf-8")
        return 0
    found = grown(recorded(RECORDED.read_text(encoding="utf-8")), counts)
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
