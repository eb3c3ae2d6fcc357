#!/usr/bin/env python3
"""Measures secondary indexes of the embedded server, and queries that use them.

    python benches/indexes.py [--records 1000000] [--rounds 5]

Prints the client's CPU time per record of a query into an array, without and with a predicate; how long the
server takes to build an index; and the server's CPU time per written record, without and with three indexes.
Build the release extension first (``make build``). Linux only.
"""

from __future__ import annotations

import argparse
import itertools
import os
import resource
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import aerospike_py
from aerospike_py import predicates
from aerospike_py.testing import DevServer

if TYPE_CHECKING:
    from collections.abc import Callable

DTYPE = np.dtype([("n", "i8"), ("a", "i8"), ("b", "f8"), ("c", "i8"), ("d", "f8")])
CHUNK = 5_000
PATIENT: aerospike_py.types.ArrayWritePolicy = {"total_timeout": 60_000, "socket_timeout": 60_000}


def client_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def server_cpu() -> float:
    """The time that the threads of the server's process have run."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()
    threads = [thread for child in children for thread in Path(f"/proc/{child}/task").iterdir()]
    return sum(int((thread / "schedstat").read_text(encoding="ascii").split()[0]) for thread in threads) / 1e9


def rows(first: int, count: int) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    table = np.zeros(count, DTYPE)
    table["n"] = np.arange(first, first + count)
    for name in "abcd":
        table[name] = table["n"] % 1000
    return table


def fill(client: aerospike_py.Client, name: str, count: int, shift: int = 0) -> None:
    for first in range(0, count, CHUNK):
        size = min(CHUNK, count - first)
        keys = np.arange(first, first + size)
        client.batch_write_numpy(
            rows(first + shift, size), "test", name, keys=keys, policy=PATIENT
        ).raise_for_failures()


def queries(client: aerospike_py.Client, count: int, rounds: int) -> None:
    def cpu_of(predicate: Any) -> Callable[[], float]:
        def measure() -> float:
            query = client.query("test", "filled")
            if predicate is not None:
                query.where(predicate)
            before = client_cpu()
            found = len(query.to_numpy(DTYPE))
            used = client_cpu() - before
            assert found == count
            return used * 1e9 / count

        measure()
        return measure

    primary, indexed = cpu_of(None), cpu_of(predicates.between("n", 0, count))
    samples = [(primary(), indexed()) for _ in range(rounds)]
    without, with_index = (statistics.median(sample) for sample in zip(*samples, strict=True))
    print(f"query into an array, CPU of the client per record: {without:.0f} ns without a predicate,")
    print(f"    {with_index:.0f} ns with one ({with_index / without:.2f} times)")


def creation(client: aerospike_py.Client, count: int, rounds: int) -> None:
    walls, cpus = [], []
    for _ in range(rounds):
        before, start = server_cpu(), time.perf_counter()
        client.index_single_value_create("test", "filled", "n", aerospike_py.INDEX_NUMERIC, "filled_n")
        walls.append(time.perf_counter() - start)
        cpus.append(server_cpu() - before)
        if len(walls) < rounds:
            client.index_remove("test", "filled_n")
    print(f"index over {count} records: {statistics.median(walls):.2f} s, CPU of the server")
    print(f"    {statistics.median(cpus):.2f} s")


def writes(client: aerospike_py.Client, count: int, rounds: int) -> None:
    def cpu_of(name: str) -> float:
        # Each round changes all values, so that the entries of the records move.
        before = server_cpu()
        fill(client, name, count, next(shifts))
        return (server_cpu() - before) * 1e6 / count

    shifts = itertools.count()
    for bin_name in ("n", "a", "c"):
        index = f"indexed_{bin_name}"
        client.index_single_value_create("test", "indexed", bin_name, aerospike_py.INDEX_NUMERIC, index)
    samples = [(cpu_of("plain"), cpu_of("indexed")) for _ in range(rounds)]
    without, with_indexes = (statistics.median(sample) for sample in zip(*samples, strict=True))
    print(f"a written record of five bins, CPU of the server: {without:.1f} us without indexes,")
    print(f"    {with_indexes:.1f} us with three ({with_indexes / without:.2f} times)")


def main() -> None:
    parser = argparse.ArgumentParser(description="secondary indexes of the embedded server")
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with DevServer() as server, aerospike_py.client(server.config) as client:
        fill(client, "filled", options.records)
        creation(client, options.records, options.rounds)
        queries(client, options.records, options.rounds)
        writes(client, max(options.records // 10, 1000), options.rounds)


if __name__ == "__main__":
    main()
