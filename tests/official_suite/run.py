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


#: Fixtures that would fail for a whole class: file, text, and what replaces it in the copy that is run. The
#: official client cuts the name of a bin at a NUL byte; this one does not.
CHANGED = [("new_tests/test_query.py", 'bytearray("sal\\0kj", "utf-8")', '"sal"')]


def say(text: str) -> None:
    sys.stdout.write(text + "\n")


def lines(path: Path) -> Iterator[str]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip():
            yield line


class TestList:
    """Tests with a reason each.

    A line that begins with ``#`` is the reason of the lines below it. Each of these is a test, or how several
    begin, followed by ``*``.
    """

    def __init__(self, path: Path) -> None:
        self.tests: dict[str, str] = {}
        self.starts: dict[str, str] = {}
        reason = "no reason given"
        for line in lines(path):
            if line.startswith("# "):
                reason = line[2:]
            elif line.endswith("*"):
                self.starts[line[:-1]] = reason
            else:
                self.tests[line] = reason

    def reason(self, test: str) -> str | None:
        if test in self.tests:
            return self.tests[test]
        return next((why for start, why in self.starts.items() if test.startswith(start)), None)


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
        for name, text, instead in CHANGED:
            file = suite / name
            file.write_text(file.read_text(encoding="utf-8").replace(text, instead), encoding="utf-8")
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
    not_in_base = TestList(NOT_IN_BASE)
    differences = TestList(DIFFERENCES)
    base = [test for test in results if not_in_base.reason(test) is None]
    failed = [test for test in base if results[test] != "passed"]
    say(
        f"{len(base)} tests pass with the official client, "
        f"{len(base) - len(failed)} of them with this package"
    )
    for reason, count in Counter(differences.reason(test) or "not listed" for test in failed).most_common():
        say(f"{count:5} {reason}")
    unlisted = [test for test in failed if differences.reason(test) is None]
    for test in unlisted:
        say(f"not listed: {test}")
    for test in base:
        if differences.reason(test) is not None and results[test] == "passed":
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
