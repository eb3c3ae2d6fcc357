"""Measures the line coverage of three crates by their own tests: `make coverage`.

Uses the coverage tools of the Rust toolchain (`rustup component add llvm-tools`). Prints each file, with the
lines on which some instance of the code did not run. Fails if a crate is below LEAST per cent.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

CRATES = ("dtype-schema", "wire-protocol", "record-decode")
LEAST = 95.0


def tool(name: str) -> str:
    sysroot = subprocess.run(
        ["rustc", "--print", "sysroot"], check=True, capture_output=True, text=True
    ).stdout.strip()
    for found in Path(sysroot).glob(f"lib/rustlib/*/bin/{name}"):
        return str(found)
    on_path = shutil.which(name)
    if on_path is None:
        sys.exit(f"missing: {name} (rustup component add llvm-tools)")
    return on_path


def run_tests(profiles: Path) -> list[str]:
    """Runs the instrumented tests; returns the test binaries."""
    environment = {
        **os.environ,
        "RUSTFLAGS": "-C instrument-coverage",
        "LLVM_PROFILE_FILE": str(profiles / "%p-%m.profraw"),
        "CARGO_TARGET_DIR": "target/coverage",
    }
    packages = [argument for crate in CRATES for argument in ("-p", crate)]
    command = ["cargo", "test", "--quiet", "--lib", "--tests", *packages]
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    built = subprocess.run(
        [*command, "--no-run", "--message-format=json"],
        check=True,
        env=environment,
        capture_output=True,
        text=True,
    )
    messages = [json.loads(line) for line in built.stdout.splitlines() if line.startswith("{")]
    return [message["executable"] for message in messages if message.get("executable")]


def uncovered(segments: list[list[Any]]) -> list[int]:
    """Lines on which a counted region that never ran begins."""
    return sorted(
        {line for line, _, count, has_count, is_entry, *_ in segments if has_count and is_entry and not count}
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        profiles = Path(directory)
        binaries = run_tests(profiles)
        merged = profiles / "all.profdata"
        raw = [str(path) for path in profiles.glob("*.profraw")]
        subprocess.run([tool("llvm-profdata"), "merge", "-sparse", *raw, "-o", str(merged)], check=True)
        objects = [argument for binary in binaries[1:] for argument in ("--object", binary)]
        exported = subprocess.run(
            [
                *(tool("llvm-cov"), "export", f"--instr-profile={merged}", binaries[0], *objects),
                "--ignore-filename-regex=(registry|rustc|/tests/|/tests\\.rs|loom_models)",
            ],
            check=True,
            capture_output=True,
            text=True,
        )
    lines, covered = dict.fromkeys(CRATES, 0), dict.fromkeys(CRATES, 0)
    for file in json.loads(exported.stdout)["data"][0]["files"]:
        path = file["filename"].partition("crates/")[2]
        crate = path.partition("/")[0]
        summary = file["summary"]["lines"]
        lines[crate] += summary["count"]
        covered[crate] += summary["covered"]
        missed = uncovered(file["segments"])
        note = f"  not run: {', '.join(map(str, missed))}" if missed else ""
        print(f"{summary['percent']:6.1f} %  {path}{note}")
    low = False
    for crate in CRATES:
        share = 100 * covered[crate] / lines[crate]
        low |= share < LEAST
        print(f"{share:6.2f} %  {crate}: {covered[crate]} of {lines[crate]} lines")
    if low:
        sys.exit(f"below {LEAST:g} %")


if __name__ == "__main__":
    main()
