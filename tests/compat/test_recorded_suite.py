"""The embedded node answers the recorded traffic of a test suite as the real server did.

``tests/support/replay.py`` says what is compared, and prints a table. What a second real server answered
alike, the node must answer alike, except for the tests that are listed here with the reason.
"""

from __future__ import annotations

import re

import pytest

from aerospike_py.testing import DevServer
from tests.support import replay

UDF = "runs user-defined functions"
CLOCK = "asks whether a record is older than a millisecond, which the replay can be faster than"

# Files that are about features which the node does not have.
OTHER_FEATURES = {
    "aggregate": UDF,
    "apply": UDF,
    "batch_apply": UDF,
    "query_apply": UDF,
    "scan_apply": UDF,
}

# Tests of the other files that may differ: a pattern of their names, and why.
EXCEPTIONS = {
    "batch_write": [(r"_with_expr_filtering_out_record\[policy_batch_apply\]", UDF)],
    "expressions_base": [("test_scan_with_results_method_and_expressions$", CLOCK)],
}


def reason_of(name: str, test: str) -> str | None:
    """Why a test of a recorded file may be answered differently."""
    return next((why for pattern, why in EXCEPTIONS.get(name, ()) if re.search(pattern, test)), None)


@pytest.mark.embedded
@pytest.mark.parametrize("name", [name for name in replay.files() if name not in OTHER_FEATURES])
def test_recorded_tests_are_answered_alike(name: str) -> None:
    with DevServer() as server:
        report = replay.replay(name, server.hosts[0])
    alike = set(report.alike)
    differing = [test for test in replay.control().get(name, ()) if test not in alike]
    assert [test for test in differing if reason_of(name, test) is None] == []


def test_every_exception_is_one() -> None:
    recorded = set(replay.files())
    assert OTHER_FEATURES.keys() <= recorded
    for name, patterns in EXCEPTIONS.items():
        for pattern, _ in patterns:
            assert any(re.search(pattern, test) for test in replay.control()[name]), (name, pattern)


def test_the_exceptions_are_few() -> None:
    measured = {name: tests for name, tests in replay.control().items() if name not in OTHER_FEATURES}
    tests = [(name, test) for name, names in measured.items() for test in names]
    excepted = [entry for entry in tests if reason_of(*entry) is not None]
    assert len(excepted) <= len(tests) // 100, excepted
