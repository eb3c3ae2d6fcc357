"""Runs the official client's test suite with this package; compares with the official client.

    python -m tests.official_suite.run CHECKOUT --hosts 127.0.0.1:3000

The server should be one of its own: the suite truncates namespaces and makes indexes and modules.
`base.txt` has the number of tests in each file that pass with the official client, `not_in_base.txt` those
that do not, `differences.txt` those that do not pass with this package, by reason. Each file of the suite
runs in a process of its own, so that one that hangs costs only its own tests. The command fails if fewer than
95 % of the tests pass that pass with the official client.

With ``--client official`` the suite runs with the official client, and the contents of `base.txt` and
`not_in_base.txt` are printed.
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
BASE = HERE / "base.txt"
NOT_IN_BASE = HERE / "not_in_base.txt"
DIFFERENCES = HERE / "differences.txt"

CONFIG = """[input-validation]
validate_keys: true

[community-edition]
hosts: {hosts}
"""


#: What part of the base has to pass.
WANTED = 0.95
#: Seconds that a file of the suite may take.
LONGEST = 600


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


def read_base() -> dict[str, int]:
    """The number of tests in each file that pass with the official client."""
    return {name: int(count) for name, count in (line.split() for line in lines(BASE))}


def suite_of(checkout: Path) -> Path:
    """The folder of the suite: of the checkout, or the checkout itself."""
    return next(
        (folder for folder in (checkout / "test", checkout) if (folder / "new_tests").is_dir()), checkout
    )


def run_file(suite: Path, name: str, client: str, results: Path, arguments: list[str]) -> None:
    environment = {
        **os.environ,
        "OFFICIAL_SUITE_CLIENT": client,
        "OFFICIAL_SUITE_RESULTS": str(results),
        "PYTHONPATH": os.pathsep.join([str(ROOT / "python"), str(ROOT), str(suite)]),
    }
    command = [
        *(sys.executable, "-m", "pytest", "-c", str(suite / "tox.ini"), "--rootdir", str(suite)),
        *("-p", "tests.official_suite.adapter", "-p", "no:asyncio", "-p", "no:anyio"),
        *("-p", "no:aerospike_py", "-p", "no:cacheprovider", "-p", "no:xdist"),
        *("--continue-on-collection-errors", "--timeout", "60", "-q", "--tb=no"),
        *(f"new_tests/{name}", *arguments),
    ]
    try:
        done = subprocess.run(
            command, cwd=suite, env=environment, check=False, timeout=LONGEST, capture_output=True, text=True
        )
        outcome = done.stdout.strip().rpartition("\n")[2]
    except subprocess.TimeoutExpired:
        outcome = f"no end in {LONGEST} s"
    say(f"{name}: {outcome}")


def run(checkout: Path, hosts: str, client: str, files: list[str], arguments: list[str]) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        suite = Path(folder) / "test"
        shutil.copytree(suite_of(checkout), suite)
        (suite / "config.conf").write_text(CONFIG.format(hosts=hosts.replace(",", ";")), encoding="utf-8")
        results = Path(folder) / "results.jsonl"
        results.touch()
        for name in files or sorted(path.name for path in (suite / "new_tests").glob("test_*.py")):
            run_file(suite, name, client, results, arguments)
        return read_results(results)


def compare(results: dict[str, str], files: list[str]) -> int:
    """Prints what passes. The base is that of the files that ran, of all if ``files`` is empty."""
    not_in_base = TestList(NOT_IN_BASE)
    differences = TestList(DIFFERENCES)
    base = sum(count for name, count in read_base().items() if not files or name in files)
    tests = [test for test in results if not_in_base.reason(test) is None]
    failed = [test for test in tests if results[test] != "passed"]
    passed = len(tests) - len(failed)
    for test in failed:
        if differences.reason(test) is None:
            say(f"not listed: {test}")
    for test in tests:
        if differences.reason(test) is not None and results[test] == "passed":
            say(f"passes now: {test}")
    part = passed / base if base else 0.0
    say(f"passed with the official client: {base}")
    say(f"passed with this package:        {passed} ({part:.1%})")
    reasons = Counter(differences.reason(test) or "not listed" for test in failed)
    reasons["did not run"] = base - passed - len(failed)
    for reason, count in reasons.most_common():
        if count:
            say(f"{count:5} {reason}")
    if part < WANTED:
        say(f"fewer than {WANTED:.0%}")
    return 1 if part < WANTED else 0


def print_base(results: dict[str, str]) -> None:
    passed = Counter(test.partition("::")[0] for test, outcome in results.items() if outcome == "passed")
    for name, count in sorted(passed.items()):
        say(f"{name} {count}")
    for test, outcome in sorted(results.items()):
        if outcome != "passed":
            say(test)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("checkout", type=Path, help="a checkout of the client, or its folder test")
    parser.add_argument("--hosts", required=True, help="host:port[,host:port...] of a server for this run")
    parser.add_argument("--client", choices=["ours", "official"], default="ours")
    parser.add_argument("arguments", nargs="*", help="files, such as test_kv.py, and arguments for pytest")
    arguments = parser.parse_intermixed_args()
    files = [Path(name).name for name in arguments.arguments if name.endswith(".py")]
    others = [name for name in arguments.arguments if not name.endswith(".py")]
    results = run(arguments.checkout.resolve(), arguments.hosts, arguments.client, files, others)
    if arguments.client == "ours":
        return compare(results, files)
    print_base(results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
