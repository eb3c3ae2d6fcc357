#!/usr/bin/env python3
"""Completes awaited calls by the package's queue and by pyo3-async-runtimes' future_into_py.

make bench-left-out                   both benchmarks of this folder
python benches/rust/completions.py    this one; builds the extension first

Prints what a call costs. The awaiting side is the package's own, too: `aerospike_py._utils.event_loop`,
over an extension that has only the queue. A call does nothing, so what is measured is how it is started,
completed and awaited.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.machinery
import importlib.util
import os
import statistics
import subprocess
import sys
import time
import types
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent
CALLS = 10_000
ROUNDS = 15
# Calls in flight at a time.
WIDTHS = (1, 100, 10_000)


def build() -> Any:
    command = ["cargo", "build", "--quiet", "--release", "--lib", "--features", "completions", "--locked"]
    subprocess.run(command, cwd=FOLDER, check=True, env={**os.environ, "PYO3_PYTHON": sys.executable})
    target = Path(os.environ.get("CARGO_TARGET_DIR", FOLDER / "target")) / "release"
    names = ("libleft_out.so", "libleft_out.dylib")
    library = next(target / name for name in names if (target / name).exists())
    loader = importlib.machinery.ExtensionFileLoader("left_out", str(library))
    specification = importlib.machinery.ModuleSpec("left_out", loader, origin=str(library))
    module = importlib.util.module_from_spec(specification)
    loader.exec_module(module)
    return module


def package_call(extension: Any) -> Callable[..., Awaitable[Any]]:
    """`event_loop.call` of the package, with `extension` in place of the package's own."""
    package = types.ModuleType("aerospike_py")
    package.__path__ = [str(ROOT / "python/aerospike_py")]
    package._native = extension  # type: ignore[attr-defined]
    sys.modules |= {"aerospike_py": package, "aerospike_py._native": extension}
    call: Callable[..., Awaitable[Any]] = importlib.import_module("aerospike_py._utils.event_loop").call
    return call


async def run(start: Callable[[], Awaitable[Any]], width: int) -> tuple[float, float]:
    """Microseconds of wall and processor time per call."""

    async def one_after_another(calls: int) -> None:
        for _ in range(calls):
            await start()

    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one_after_another(CALLS // width) for _ in range(width)))
    return (time.perf_counter() - wall) / CALLS * 1e6, (time.process_time() - cpu) / CALLS * 1e6


async def main() -> None:
    extension = build()
    call = package_call(extension)

    async def by_future_into_py() -> None:
        await extension.by_future_into_py()

    ways: dict[str, Callable[[], Awaitable[Any]]] = {
        "the package's queue": lambda: call(extension.by_queue),
        "future_into_py": by_future_into_py,
    }
    print(f"{CALLS:,} awaited calls, medians of {ROUNDS} alternating rounds, us per call")
    print(f"{'':22} {'in flight':>10} {'wall':>8} {'CPU':>8}")
    for width in WIDTHS:
        samples: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, start in ways.items():
                samples[name].append(await run(start, width))
        for name, taken in samples.items():
            wall, cpu = (statistics.median(column) for column in zip(*taken, strict=True))
            print(f"{name:22} {width:>10,} {wall:>8.2f} {cpu:>8.2f}")


if __name__ == "__main__":
    asyncio.run(main())
