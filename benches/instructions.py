#!/usr/bin/env python3
"""Counts instructions per record of the hot loops with valgrind. A busy machine does not change them.

make instructions                             count and write results/instructions.md
make instructions BENCH_ARGS=--check          fail where a loop needs 3 % more than that file says
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
# The growth that --check accepts.
SLACK = 0.03
PASSES = (1, 3)
MEANINGS = {
    "digest": "the digest of a key of about ten characters, many keys at a time",
    "request": "one key's row in the request",
    "parse": "one record of a reply: checked, its five bins walked and dropped",
    "decode-natural": "one record of a reply, written into `i8` and `f8` fields",
    "decode-some-missing": "the same, every third record without one of the bins",
    "decode-converted": "the same, into `f4`, `i4`, `f2`, `u1` and `?` fields",
    "decode-twelve": "one record of a reply, twelve numeric bins",
    "decode-nested": "the same twelve values in a map in a map, into a struct of a struct",
    "batch": "one record of a batch of 100 over a socket, from its key to a sink that counts, on one thread",
    "batch-metrics": "the same with metrics on",
}
# What is counted of whole batches, and the argument of its example.
BATCHES = {"batch": "off", "batch-metrics": "on"}
BATCH_KEYS = 100
# Sockets make counts vary by chance, so more passes and the least of a few counts.
BATCH_PASSES, BATCH_COUNTS = (100, 1_100), 3


def build(package: str, example: str) -> str:
    command = ["cargo", "build", "--quiet", "--release", "-p", package, "--example", example]
    subprocess.run(command, cwd=ROOT, check=True)
    return str(Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release/examples" / example)


def output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def collected(valgrind: str, program: str, loop: str, passes: int) -> int:
    """Instructions of a whole run of the program."""
    command = [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", program, loop, str(passes)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    found = re.search(r"Collected : (\d+)", answer.stderr)
    if not found:
        raise SystemExit(f"valgrind did not say how much it collected:\n{answer.stderr}")
    return int(found.group(1))


def count(valgrind: str) -> dict[str, float]:
    """Instructions per record of each loop, and of batches."""
    return count_loops(valgrind, build("record-decode", "hot_loops")) | count_batches(
        valgrind, build("aero-io", "batch_instructions")
    )


def count_loops(valgrind: str, program: str) -> dict[str, float]:
    rows = int(output(program, "rows", "0"))
    few, many = PASSES
    counts = {}
    for loop in output(program, "loops", "0").split():
        more = collected(valgrind, program, loop, many) - collected(valgrind, program, loop, few)
        counts[loop] = round(more / (many - few) / rows, 1)
        print(f"  {loop}: {counts[loop]}", flush=True)
    return counts


def count_batches(valgrind: str, program: str) -> dict[str, float]:
    few, many = BATCH_PASSES
    counts = {}
    for name, metrics in BATCHES.items():
        runs = [
            [collected(valgrind, program, metrics, passes) for _ in range(BATCH_COUNTS)]
            for passes in (few, many)
        ]
        counts[name] = round((min(runs[1]) - min(runs[0])) / (many - few) / BATCH_KEYS, 1)
        print(f"  {name}: {counts[name]}", flush=True)
    return counts


def markdown(counts: dict[str, float], compiler: str) -> str:
    lines = [
        "# Instructions of the hot loops",
        "",
        f"Per record or key, on {platform.machine()}, rustc {compiler}, release profile, counted by",
        "callgrind (`make instructions`). `make instructions BENCH_ARGS=--check` fails if a loop needs",
        f"{SLACK * 100:g} % more.",
        "A change that makes a loop longer on purpose records the new figure in the same commit.",
        "",
        "| loop | instructions | what |",
        "|---|---:|---|",
        *(f"| {loop} | {figure} | {MEANINGS.get(loop, '')} |" for loop, figure in counts.items()),
    ]
    return "\n".join(lines) + "\n"


def recorded(text: str) -> dict[str, float]:
    return {loop: float(figure) for loop, figure in ROW.findall(text)}


def grown(before: dict[str, float], now: dict[str, float]) -> list[str]:
    """A line for each loop that became longer or cannot be compared."""
    found = [f"{loop} is recorded and was not counted" for loop in before if loop not in now]
    for loop, figure in now.items():
        if loop not in before:
            found.append(f"{loop} is not recorded: make instructions")
        elif figure > before[loop] * (1 + SLACK):
            found.append(f"{loop}: {figure} instructions, {before[loop]} are recorded")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Count the instructions of the hot loops.")
    parser.add_argument("--check", action="store_true", help="compare with the recorded figures")
    arguments = parser.parse_args()
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        print("missing: valgrind (apt-get install valgrind)", file=sys.stderr)
        return 1
    counts = count(valgrind)
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
