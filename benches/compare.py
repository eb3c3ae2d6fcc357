#!/usr/bin/env python3
"""Compares this package with its peers, in turn, in one run. See README.md.

make bench                            everything
make bench BENCH_ARGS=--quick         about two minutes
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
import sys
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benches import environment, parts, report, targets  # noqa: E402
from benches.processes import Floor, Process  # noqa: E402
from benches.workloads import WORKLOADS  # noqa: E402

PEERS = ("ours", "ours-keys", "aerospike-py", "official", "aerospike-native")
WORKLOAD = WORKLOADS["numeric"]


def chosen_clients(names: list[str]) -> tuple[dict[str, str], list[str]]:
    """The Python of each client that can run here, and a note on each that cannot."""
    pythons, notes = {}, []
    for name in names:
        if name == "aerospike-py":
            pythons[name] = environment.peer_python(name)
        elif name == "aerospike-native" and find_spec("aerospike_native") is None:
            notes.append("aerospike-native is left out: it needs Python 3.11")
        else:
            pythons[name] = sys.executable
    return pythons, notes


def hosts_of(text: str) -> list[tuple[str, int]]:
    pairs = (entry.strip().rpartition(":") for entry in text.split(","))
    return [(host, int(port)) for host, _, port in pairs]


def wire_floor() -> Path:
    """The floor's program, built where it is missing or older than its source."""
    command = ["cargo", "build", "--quiet", "--release", "-p", "aero-io", "--example", "wire_floor"]
    subprocess.run(command, cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "release/examples" / ("wire_floor.exe" if sys.platform == "win32" else "wire_floor")


def parse_arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare this package with other clients.")
    parser.add_argument("--quick", action="store_true", help="about two minutes, up to 10^4 keys")
    parser.add_argument("--tiny", action="store_true", help="only shows that it runs")
    parser.add_argument("--clients", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--only", nargs="+", choices=list(parts.PARTS), default=list(parts.PARTS))
    parser.add_argument("--out", type=Path, default=ROOT / "benches/results", help="folder of the results")
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> None:
    arguments = parse_arguments(given)
    effort = parts.TINY if arguments.tiny else parts.QUICK if arguments.quick else parts.FULL
    pythons, notes = chosen_clients(arguments.clients)
    with ExitStack() as stack:
        addresses = os.environ.get("AEROSPIKE_HOSTS")
        if addresses:
            hosts, server = hosts_of(addresses), "the one of AEROSPIKE_HOSTS"
        else:
            from aerospike_py.testing import DevServer

            hosts = stack.enter_context(DevServer()).hosts
            server = "the embedded node, in a process of its own on the same machine"
        print("connecting ...", flush=True)
        floor = None
        if {"batches", "competing"} & set(arguments.only):
            floor = stack.enter_context(Floor(wire_floor(), hosts))
        workers = [stack.enter_context(Process(name, python, hosts)) for name, python in pythons.items()]
        # Records for the batches of every part that runs.
        count = max(effort.sizes) if "batches" in arguments.only else parts.COMPETING_BATCH
        count = max(count, parts.COMPETING_BATCH)
        print(f"writing {count:,} records", flush=True)
        # The records are the official client's, whoever is compared.
        with Process("official", sys.executable, hosts) as loader:
            loader.ask("load", workload=WORKLOAD.name, count=count)
        figures: dict[str, Any] = {}
        for name in arguments.only:
            print(f"{name}:", flush=True)
            # Keys change nothing for the parts without them.
            taking = [worker for worker in workers if name == "batches" or worker.client != "ours-keys"]
            figures[name] = parts.PARTS[name](WORKLOAD, taking, floor, effort)
        if "records" in figures:
            figures["records"]["import"] = parts.imports(pythons, 3 if arguments.tiny else 11)
        result = {
            "title": f"Compared with other clients: {WORKLOAD.title}",
            "command": " ".join(["make bench", *environment.bench_arguments(given)]),
            "commit": environment.commit(),
            "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
            "server": server,
            "machine": environment.machine(),
            "numpy": workers[0].about["numpy"],
            "versions": {worker.client: worker.about["version"] for worker in workers},
            "notes": notes,
            "figures": figures,
            "targets": targets.judge(figures),
        }
        mode = "tiny" if arguments.tiny else "quick" if arguments.quick else "full"
        parts_run = "" if set(arguments.only) == set(parts.PARTS) else "-" + "-".join(arguments.only)
        write(result, arguments.out, mode + parts_run)


def write(result: dict[str, Any], folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    # One line a fact, so that a diff of two runs can be read.
    facts = ",\n".join(f" {json.dumps(key)}: {json.dumps(value)}" for key, value in result.items())
    (folder / f"{name}.json").write_text(f"{{\n{facts}\n}}\n", encoding="utf-8")
    text = report.markdown(result)
    (folder / f"{name}.md").write_text(text, encoding="utf-8")
    print(f"\n{text}")


if __name__ == "__main__":
    main()
