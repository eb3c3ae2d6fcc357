#!/usr/bin/env python3
"""Measures what the memory of a large result costs a batch into an array.

    python benches/result_memory.py [--records 1000] [--rounds 40]

Reads vectors of 1,024 float32, each time into a new array: of this package, or of NumPy
(``out=np.empty(...)``). Each result is dropped before the next call, or 20 are kept and then all dropped.
Prints the client's CPU time per record and the page faults of a call. Build the release extension first
(``make build``). Linux only.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import aerospike_py
from aerospike_py.testing import DevServer

if TYPE_CHECKING:
    from collections.abc import Callable

DTYPE = np.dtype([("embedding", "f4", (1_024,))])
SET = "result_memory"
CALLS = 20


def faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def sample(read: Callable[[], Any], records: int, *, keep: bool) -> tuple[float, float]:
    """Nanoseconds of CPU per record, and page faults of a call."""
    kept = []
    before, start = faults(), time.process_time_ns()
    for _ in range(CALLS):
        result = read()
        if keep:
            kept.append(result)
        del result
    kept.clear()
    return (time.process_time_ns() - start) / CALLS / records, (faults() - before) / CALLS


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=40)
    arguments = parser.parse_args()
    records = arguments.records
    keys = [("test", SET, number) for number in range(records)]
    with DevServer() as server, aerospike_py.client(server.config) as client:
        for key in keys:
            client.put(key, {"embedding": np.full(1_024, key[2], "f4").tobytes()})

        def ours() -> Any:
            return client.batch_read(keys, _dtype=DTYPE).batch_records

        def numpys() -> Any:
            return client.batch_read(keys, _dtype=DTYPE, out=np.empty(records, DTYPE)).batch_records

        for keep in (False, True):
            ways = {"this package's": ours, "NumPy's": numpys}
            taken: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
            for _ in range(arguments.rounds):
                for way, read in ways.items():
                    taken[way].append(sample(read, records, keep=keep))
            for way, figures in taken.items():
                cpu, faulted = (statistics.median(column) for column in zip(*figures, strict=True))
                kind = "kept" if keep else "dropped"
                print(f"{way:14} memory, {kind:7}: {cpu:6,.0f} ns of CPU per record, {faulted:6,.0f} faults")


if __name__ == "__main__":
    main()
