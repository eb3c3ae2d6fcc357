"""How slow a service becomes while a job reads a set of the same cluster, and what limits change.

    python benches/service_and_job.py [--rows N] [--seconds N] [--rounds N]

Three embedded nodes hold records of five bins. This process is the service: every 10 ms it reads a batch of
100 records into an array. A time counts from the moment at which the batch was due, so a batch that waits for
the one before it is slow, too. The job runs in another process, where 24 threads keep reading the set's 24
splits. The cases take turns in each round; figures are medians of the rounds. Nodes, service and job share
the cores of this machine, so the job also takes CPU from the service: it would not on a machine of its own.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import aerospike_py as aerospike
from benches.engines import DTYPE, SET, cluster

READERS = 24
BATCH = 100
INTERVAL = 0.01
# What the job passes to `splits`, by the name of the case; None: no job.
CASES: dict[str, dict[str, Any] | None] = {
    "no job": None,
    "job without limits": {},
    "`max_concurrent=1`": {"max_concurrent": 1},
    "`records_per_second=2000`": {"records_per_second": 2000},
    "both": {"max_concurrent": 1, "records_per_second": 2000},
}


def job(config: Any, limits: dict[str, Any], started: Any, ended: Any, records: Any) -> None:
    """Reads splits with a thread for each until the service has what it wants."""
    splits = aerospike.splits(config, "test", SET, READERS, **limits)
    counts = [0] * READERS

    def read(number: int) -> None:
        while not ended.is_set():
            for block in splits[number].batches(4096):
                counts[number] += len(block)
                if ended.is_set():
                    break

    threads = [threading.Thread(target=read, args=(number,)) for number in range(READERS)]
    for thread in threads:
        thread.start()
    started.set()
    begun, before = time.perf_counter(), sum(counts)
    ended.wait()
    records.value = (sum(counts) - before) / (time.perf_counter() - begun)
    for thread in threads:
        thread.join()


def serve(client: Any, rows: int, seconds: float) -> Any:
    """The times of the service's batches, in milliseconds."""
    numbers = np.random.default_rng(1)
    times = []
    begun = time.perf_counter()
    for turn in range(round(seconds / INTERVAL)):
        keys = [("test", SET, key) for key in numbers.integers(rows, size=BATCH).tolist()]
        due = begun + turn * INTERVAL
        time.sleep(max(0.0, due - time.perf_counter()))
        found = client.batch_read(keys, _dtype=DTYPE, policy={"total_timeout": 60_000})
        times.append(1000 * (time.perf_counter() - due))
        assert (found.result_codes == 0).all()
    return np.array(times)


def case(client: Any, config: Any, limits: dict[str, Any] | None, rows: int, seconds: float) -> Any:
    """The service's median, 99th percentile and slowest time, and the job's records per second."""
    if limits is None:
        times, read = serve(client, rows, seconds), 0.0
    else:
        spawn = multiprocessing.get_context("spawn")
        started, ended, records = spawn.Event(), spawn.Event(), spawn.Value("d", 0.0)
        process = spawn.Process(target=job, args=(config, limits, started, ended, records))
        process.start()
        assert started.wait(60), "the job did not start"
        time.sleep(0.5)
        times = serve(client, rows, seconds)
        ended.set()
        process.join(120)
        assert process.exitcode == 0, "the job failed"
        read = records.value
        assert read > 0, "the job read nothing"
    return *np.percentile(times, [50, 99, 100]), read


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    print(
        f"{args.rows} records, {READERS} readers; medians of {args.rounds} rounds of {args.seconds} s; "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start; {processor()}\n",
        flush=True,
    )
    found: dict[str, list[Any]] = {name: [] for name in CASES}
    with cluster(args.rows) as config, aerospike.client(config).connect() as client:
        for _ in range(args.rounds):
            for name, limits in CASES.items():
                found[name].append(case(client, config, limits, args.rows, args.seconds))
    print("| job | service p50 | p99 | slowest | the job reads |\n|---|---|---|---|---|")
    for name, rounds in found.items():
        p50, p99, slowest, read = np.median(rounds, axis=0)
        print(f"| {name} | {p50:.2f} ms | {p99:.2f} ms | {slowest:.0f} ms | {read:,.0f} records/s |")
    print(f"\nload {os.getloadavg()[0]:.1f} at the end")
    return 0


def processor() -> str:
    """The processor's name."""
    try:
        with open("/proc/cpuinfo") as lines:
            return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


if __name__ == "__main__":
    sys.exit(main())
