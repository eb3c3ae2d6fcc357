"""Runs the official client's test suite with this package; compares with the official client.

    python -m tests.official_suite.run CHECKOUT --hosts 127.0.0.1:3000

The server should be one of its own: the suite truncates namespaces and makes indexes and modules.
`not_in_base.txt` lists the tests that do not pass with the official client either,
`differences.txt` those that do not pass with this package, by reason. The command fails if another test
fails.

With ``--client official`` the suite runs with the official client, and the list of the tests that do not pass
is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
NOT_IN_BASE = HERE / "not_in_base.txt"
DIFFERENCES = HERE / "differences.txt"

CONFIG = """[input-validation]
validate_keys: true

[community-edition]
hosts: {hosts}
"""


def say(text: str) -> None:
    sys.stdout.write(text + "\n")


def lines(path: Path) -> Iterator[str]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip():
            yield line


def read_differences(path: Path = DIFFERENCES) -> dict[str, str]:
    """Test to reason. A line that begins with ``#`` is the reason of the tests below it."""
    found = {}
    reason = ""
    for line in lines(path):
        if line.startswith("# "):
            reason = line[2:]
        else:
            found[line] = reason
    return found


def read_results(path: Path) -> dict[str, str]:
    """Test to outcome: passed, failed, skipped or xfailed. A failure of a fixture is one of the test."""
    found: dict[str, str] = {}
    for line in lines(path):
        result = json.loads(line)
        if result["when"] != "teardown" and found.get(result["id"]) != "failed":
            found[result["id"].removeprefix("new_tests/")] = result["outcome"]
    return found


def run(checkout: Path, hosts: str, client: str, arguments: list[str]) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        suite = Path(folder) / "test"
        shutil.copytree(checkout / "test", suite)
        (suite / "config.conf").write_text(CONFIG.format(hosts=hosts.replace(",", ";")), encoding="utf-8")
        results = Path(folder) / "results.jsonl"
        results.touch()
        environment = {
            **os.environ,
            "OFFICIAL_SUITE_CLIENT": client,
            "OFFICIAL_SUITE_RESULTS": str(results),
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(suite)]),
        }
        command = [
            *(sys.executable, "-m", "pytest", "-c", str(suite / "tox.ini"), "--rootdir", str(suite)),
            *("-p", "tests.official_suite.adapter", "-p", "no:asyncio", "-p", "no:anyio"),
            *("-p", "no:aerospike_py", "-p", "no:cacheprovider", "-p", "no:xdist"),
            *("--continue-on-collection-errors", "--timeout", "60", "-q", "--tb=line"),
            *(arguments or ["new_tests"]),
        ]
        subprocess.run(command, cwd=suite, env=environment, check=False)
        return read_results(results)


def compare(results: dict[str, str]) -> int:
    not_in_base = set(lines(NOT_IN_BASE))
    differences = read_differences()
    base = [test for test in results if test not in not_in_base]
    failed = [test for test in base if results[test] != "passed"]
    say(
        f"{len(base)} tests pass with the official client, "
        f"{len(base) - len(failed)} of them with this package"
    )
    for reason, count in Counter(differences.get(test, "not listed") for test in failed).most_common():
        say(f"{count:5} {reason}")
    unlisted = [test for test in failed if test not in differences]
    for test in unlisted:
        say(f"not listed: {test}")
    for test in base:
        if test in differences and results[test] == "passed":
            say(f"passes now: {test}")
    return 1 if unlisted or not base else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("checkout", type=Path, help="a checkout of aerospike-client-python")
    parser.add_argument("--hosts", required=True, help="host:port[,host:port...] of a server for this run")
    parser.add_argument("--client", choices=["ours", "official"], default="ours")
    parser.add_argument("pytest", nargs="*", help="arguments for pytest, such as new_tests/test_kv.py")
    arguments = parser.parse_args()
    results = run(arguments.checkout.resolve(), arguments.hosts, arguments.client, arguments.pytest)
    if arguments.client == "ours":
        return compare(results)
    for test, outcome in sorted(results.items()):
        if outcome != "passed":
            say(test)
    return 0


if __name__ == "__main__":
    sys.exit(main())
