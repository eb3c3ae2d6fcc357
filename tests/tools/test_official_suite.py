"""The runner of the official client's test suite: its lists, its verdict, and the imports it replaces."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.official_suite import run

PROGRAM = """
import tests.official_suite.adapter
import aerospike
import aerospike_helpers.operations.map_operations as maps
from aerospike import exception, predicates
from aerospike_helpers import cdt_ctx, expressions, HyperLogLog
from aerospike_helpers.batch.records import BatchRecords, Write
from aerospike_helpers.expressions import arithmetic, base
from aerospike_helpers.metrics import MetricsPolicy
from aerospike_helpers.operations import list_operations, operations

import aerospike_py

assert aerospike is aerospike_py
assert exception is aerospike_py.exception
assert base.IntBin is aerospike_py.expressions.IntBin
assert Write is aerospike_py.batch.Write
assert maps.map_size is aerospike_py.map_operations.map_size
assert operations.read is aerospike_py.operations.read
print("moved")
"""


def test_the_adapter_gives_this_package_to_official_imports() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, cwd=run.ROOT
    )
    assert (done.stdout, done.returncode) == ("moved\n", 0), done.stderr


def test_lists_have_tests_and_how_several_begin(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("# one reason\na.py::one\na.py::many[*\n\n# another\nb.py::*\n", encoding="utf-8")
    found = run.TestList(path)
    assert found.reason("a.py::one") == "one reason"
    assert found.reason("a.py::many[1-2]") == "one reason"
    assert found.reason("b.py::Class::any") == "another"
    assert found.reason("a.py::one_more") is None
    assert found.reason("a.py::many") is None


def test_the_lists_of_the_project_are_read() -> None:
    for path in (run.NOT_IN_BASE, run.DIFFERENCES):
        found = run.TestList(path)
        assert found.tests
        assert found.starts
        assert "no reason given" not in [*found.tests.values(), *found.starts.values()]


def test_failures_of_fixtures_are_failures(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    rows = [
        ("a", "failed", "setup"),
        ("b", "passed", "call"),
        ("b", "failed", "teardown"),
        ("c", "skipped", "setup"),
    ]
    path.write_text(
        "".join(
            json.dumps({"id": f"new_tests/{test}", "outcome": outcome, "when": when}) + "\n"
            for test, outcome, when in rows
        ),
        encoding="utf-8",
    )
    assert run.read_results(path) == {"a": "failed", "b": "passed", "c": "skipped"}


@pytest.fixture
def lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (
        ("base", "f.py 40\ng.py 60\n"),
        ("not_in_base", "# not passed\nf.py::old\n"),
        ("differences", "# a reason\nf.py::differs\n"),
    ):
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
        monkeypatch.setattr(run, name.upper(), tmp_path / f"{name}.txt")


def results(passed: int) -> dict[str, str]:
    return {"f.py::old": "failed", "f.py::differs": "failed"} | {
        f"f.py::good[{number}]": "passed" for number in range(passed)
    }


@pytest.mark.usefixtures("lists")
def test_fewer_than_95_percent_of_the_base_fail(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.compare(results(95), []) == 0
    printed = capsys.readouterr().out
    assert "passed with the official client: 100\n" in printed
    assert "passed with this package:        95 (95.0%)\n" in printed
    assert "    4 did not run\n    1 a reason\n" in printed
    assert run.compare(results(94), []) == 1
    assert "fewer than 95%" in capsys.readouterr().out


@pytest.mark.usefixtures("lists")
def test_the_lists_are_compared_with_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.compare({**results(95), "f.py::new": "failed", "f.py::differs": "passed"}, []) == 0
    printed = capsys.readouterr().out
    assert "not listed: f.py::new\n" in printed
    assert "passes now: f.py::differs\n" in printed
    assert "    1 not listed\n" in printed


@pytest.mark.usefixtures("lists")
def test_the_base_is_that_of_the_files_that_ran(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.compare(results(39), ["f.py"]) == 0
    assert "passed with the official client: 40\n" in capsys.readouterr().out


@pytest.mark.usefixtures("lists")
def test_a_run_without_tests_fails() -> None:
    assert run.compare({"f.py::old": "failed"}, []) == 1


def test_the_suite_is_found_in_a_checkout_and_in_its_folder(tmp_path: Path) -> None:
    suite = tmp_path / "checkout" / "test"
    (suite / "new_tests").mkdir(parents=True)
    assert run.suite_of(suite.parent) == suite
    assert run.suite_of(suite) == suite
