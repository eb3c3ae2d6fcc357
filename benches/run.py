#!/usr/bin/env python3
"""Compares this package with other clients, round by round, in one run against one server. See README.md.

make bench                                      everything, about half an hour
make bench BENCH_ARGS=--quick                   a quick look, about 2 minutes
make bench BENCH_ARGS="--only batch async"      some workloads
make bench BENCH_ARGS=--report-only             tables and plots again, from kept results
make bench AEROSPIKE_HOSTS=host:port BENCH_ARGS="--out benches/results/server"
                                                a real server, results beside those of the embedded one
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shlex
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benches import environment, report  # noqa: E402
from benches.bench import EFFORTS, Bench, find_pythons  # noqa: E402
from benches.clients import CLIENTS, FLOOR  # noqa: E402
from benches.process import Floor  # noqa: E402
from benches.suites import arrow, batches, beside, flight, matrix, nested, queries, records, writes  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RESULTS = ROOT / "benches/results"
# Results of shorter runs are not kept in the repository.
LOOKS = ROOT / "target/bench"

SUITES: dict[str, tuple[str, Callable[[Bench], dict[str, Any]]]] = {
    "batch": ("Batches of 100 to 1,000,000 keys, 5 numeric bins, into an array", batches.by_size),
    "shapes": ("Wide records and vectors into an array", batches.shapes),
    "mixed": ("Batches with missing records, and with several sets", batches.mixed),
    "async": ("Batches of 100 in flight on an event loop", flight.run),
    "beside": ("Other Python code while batches are read", beside.run),
    "records": ("Records as Python objects", records.run),
    "writes": ("Records written from an array", writes.run),
    "query": ("Whole sets by a query, into an array and as Python records", queries.run),
    "arrow": ("Numbers, text and lists of floats into Arrow columns", arrow.run),
    "nested": ("Features in a map of maps, and as bins of their own, into an array", nested.run),
    "matrix": ("Features of three sets into one matrix", matrix.run),
}


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare this package with other clients.")
    parser.add_argument(
        "--quick",
        dest="effort",
        action="store_const",
        const="quick",
        default="full",
        help="fewer and smaller samples",
    )
    parser.add_argument(
        "--tiny", dest="effort", action="store_const", const="tiny", help="only check that it runs"
    )
    parser.add_argument("--only", nargs="+", metavar="WORKLOAD", choices=list(SUITES), default=list(SUITES))
    parser.add_argument("--clients", nargs="+", choices=CLIENTS, default=list(CLIENTS))
    parser.add_argument("--no-floor", action="store_true", help="leave the wire floor out")
    parser.add_argument("--no-plots", action="store_true")
    parser.add_argument(
        "--report-only", action="store_true", help="write tables and plots again, without measuring"
    )
    parser.add_argument("--out", type=Path, help="folder of the results")
    parsed = parser.parse_args(arguments)
    if parsed.out is None:
        parsed.out = RESULTS if parsed.effort == "full" else LOOKS
    return parsed


def command(arguments: Sequence[str] | None) -> str:
    given = shlex.join(sys.argv[1:] if arguments is None else arguments)
    # The server's name stays out of the results.
    words = ["make bench"]
    if os.environ.get("AEROSPIKE_HOSTS"):
        words.append("AEROSPIKE_HOSTS=...")
    if given:
        words.append(f'BENCH_ARGS="{given}"')
    return " ".join(words)


def measure(parsed: argparse.Namespace, about: dict[str, Any]) -> None:
    pythons, notes = find_pythons(parsed.clients)
    with ExitStack() as stack:
        given = os.environ.get("AEROSPIKE_HOSTS")
        if given:
            hosts = environment.hosts_of(given)
            server = environment.server_of(hosts)
        else:
            from aerospike_py.testing import DevServer

            hosts = stack.enter_context(DevServer()).hosts
            server = "the embedded server, in a separate process on the same machine"
        floor = None if parsed.no_floor else stack.enter_context(Floor(environment.floor_program(), hosts))
        bench = Bench(hosts, EFFORTS[parsed.effort], pythons, floor)
        stack.callback(bench.close)
        for name in parsed.only:
            title, run = SUITES[name]
            print(f"{name}: {title}", flush=True)
            bench.notes[:] = notes
            figures = run(bench)
            result = {
                "title": title,
                **about,
                "server": server,
                "numpy": bench.numpy(),
                "versions": {**bench.versions(), FLOOR: "this checkout"},
                "effort": parsed.effort,
                "notes": list(bench.notes),
                "figures": figures,
            }
            write(result, parsed.out / f"{name}.json")


def write(result: dict[str, Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # One line per fact, so that diffs between runs are readable.
    facts = ",\n".join(f" {json.dumps(key)}: {json.dumps(value)}" for key, value in result.items())
    path.write_text(f"{{\n{facts}\n}}\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    parsed = parse_arguments(arguments)
    about = {
        "command": command(arguments),
        "commit": environment.commit(),
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "machine": environment.machine(),
    }
    if not parsed.report_only:
        measure(parsed, about)
    if not parsed.no_plots:
        environment.draw(parsed.out)
    text = report.write(parsed.out)
    if parsed.out.resolve() == RESULTS / report.SERVER:
        # Its page links to the new one.
        report.write(RESULTS)
    print(f"\n{text}")


if __name__ == "__main__":
    main()
