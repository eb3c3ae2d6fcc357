"""The embedded node answers the recorded traffic of a test suite as the real server did.

``tests/support/replay.py`` says what is compared, and prints a table. What a second real server answered
alike, the node must answer alike, except for the tests that are listed here with the reason.
"""

from __future__ import annotations

import re

import pytest

from aerospike_py.testing import DevServer
from tests.support import replay

STREAM = "is about a function over the stream of records, which nodes refuse here"
CLOCK = "asks whether a record is older than a millisecond, which the replay can be faster than"

# Tests that may differ: a pattern of their names, and why.
EXCEPTIONS = {
    "aggregate": [("test_neg_aggregate_with_where_incorrect$", STREAM)],
    "expressions_base": [("test_scan_with_results_method_and_expressions$", CLOCK)],
}


def reason_of(name: str, test: str) -> str | None:
    """Why a test of a recorded file may be answered differently."""
    return next((why for pattern, why in EXCEPTIONS.get(name, ()) if re.search(pattern, test)), None)


@pytest.mark.embedded
@pytest.mark.parametrize("name", replay.files())
def test_recorded_tests_are_answered_alike(name: str) -> None:
    with DevServer() as server:
        report = replay.replay(name, server.hosts[0])
    alike = set(report.alike)
    differing = [test for test in replay.control().get(name, ()) if test not in alike]
    assert [test for test in differing if reason_of(name, test) is None] == []


def test_every_exception_is_one() -> None:
    recorded = set(replay.files())
    assert EXCEPTIONS.keys() <= recorded
    for name, patterns in EXCEPTIONS.items():
        for pattern, _ in patterns:
            assert any(re.search(pattern, test) for test in replay.control()[name]), (name, pattern)


def test_the_exceptions_are_few() -> None:
    tests = [(name, test) for name, names in replay.control().items() for test in names]
    excepted = [entry for entry in tests if reason_of(*entry) is not None]
    assert len(excepted) <= len(tests) // 100, excepted
