"""The benches run and report. Their figures are not checked."""

import json
import subprocess
import sys

import numpy as np
import pytest

from benches import instructions, report, run, statistic, targets
from benches.workloads import WORKLOADS
from benches.workloads.numeric import COLUMNS, NUMERIC
from tests.support import ROOT


@pytest.mark.embedded
def test_all_workloads_run_with_ours_alone(tmp_path):
    command = [sys.executable, "benches/run.py", "--tiny", "--no-floor", "--no-plots", "--out", str(tmp_path)]
    answer = subprocess.run(
        [*command, "--clients", "ours", "ours-keys"], cwd=ROOT, capture_output=True, text=True, timeout=110
    )
    assert answer.returncode == 0, answer.stderr
    found = statistic.results(tmp_path)
    assert set(found) == set(run.SUITES)
    for result in found.values():
        assert {"command", "commit", "date", "machine", "versions", "server"} <= set(result)
        # No failure may have become a note; writing arrays has a name of its own.
        assert [note for note in result["notes"] if "write_array" not in note] == []
    assert (tmp_path / "README.md").read_text(encoding="utf-8").count("\n## ") == 1 + len(run.SUITES)


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=lambda workload: workload.name)
def test_a_workload_expects_what_it_writes(workload):
    expected = workload.expected(20)
    assert expected.dtype == workload.dtype
    for number in range(20):
        values = workload.values(number)
        assert list(values) == list(workload.bins)
        if not workload.there(number):
            assert expected[number] == np.zeros((), workload.dtype)
        elif not workload.vector:
            row = tuple(values.values())
            np.testing.assert_equal(expected[number].item(), workload.cells(row) if workload.cells else row)
    assert [key.decode() for key in workload.names(5, 3)] == [key for _, _, key in workload.keys(5, 3)]


def test_columns_follow_their_formula():
    assert [column.formula() for column in COLUMNS][:2] == [
        "temperature:f:20.0:0.125:0",
        "humidity:i:40:1:60",
    ]
    assert isinstance(COLUMNS[1].value(61), int)
    assert NUMERIC.row(61)[1] == 41


def batch_results(ours, peer, floor):
    clients = {
        "ours": {"cpu": [ours], "wall": [ours]},
        "aerospike-py": {"cpu": [peer], "wall": [peer]},
        "wire-floor": {
            "1": {"cpu": [1.0], "wall": [floor + 500.0]},
            "4": {"cpu": [2.0], "wall": [floor, floor, floor]},
        },
    }
    return {"batch": {"figures": {"numeric": {"10000": clients}}}}


def test_targets_are_judged_by_the_figures():
    found = targets.evaluate(batch_results(ours=2_000.0, peer=32_000.0, floor=1_000.0))
    by_text = {target.what: target for target in found}
    less = by_text["10,000 × 5, tuples: CPU, `aerospike-py` (PyPI) / this package"]
    assert (less.measured, less.verdict) == (16.0, "met")
    above = by_text["10,000 × 5, tuples: wall time above the wire floor, per record"]
    assert (above.measured, above.verdict) == (100.0, "met")
    missing = by_text["10,000 × 5, tuples: CPU, official client / this package"]
    assert (missing.measured, missing.verdict) == (None, "not measured")
    worse = targets.evaluate(batch_results(ours=4_000.0, peer=32_000.0, floor=1_000.0))
    assert worse[0].verdict == "**not met**"


def test_work_while_batches_run():
    stretch = {
        "alone": {"turns": 1_000, "wall": 1.0, "running": 1.0, "queued": 0.0},
        # A turn costs a millisecond there.
        "elsewhere": {"turns": 600, "wall": 1.0, "running": 0.6, "queued": 0.4, "loop": 0.002},
        # Of 0.8 s for which there was a core, it worked for 0.72 and waited for 0.04.
        "here": {"turns": 720, "wall": 1.0, "running": 0.76, "queued": 0.2, "batches": 10},
    }
    found = statistic.beside([stretch], 1_000)
    assert found["kept"] == pytest.approx(0.9)
    assert found["lost"] == pytest.approx(8.0)
    assert found["lost_by_clocks"] == pytest.approx(6.0)
    assert found["kept_by_clocks"] == pytest.approx(1 - 0.06 / 0.8)
    assert found["of_alone"] == pytest.approx(0.72)
    assert statistic.beside([], 1_000) is None


def test_short_figures():
    assert [report.short(value) for value in (None, 0.12345, 1.2345, 12.345, 1234.5)] == [
        "-",
        "0.123",
        "1.23",
        "12.3",
        "1,234",
    ]


def test_instructions_that_grow_are_found():
    counts = {"digest": 100.0, "parse": 50.0}
    assert instructions.recorded(instructions.markdown(counts, "1.95.0")) == counts
    assert instructions.grown(counts, {"digest": 102.9, "parse": 40.0}) == []
    found = instructions.grown(counts, {"digest": 103.1, "new": 1.0})
    assert [line.split()[0] for line in found] == ["parse", "digest:", "new"]


def test_results_that_are_kept_can_be_reported():
    found = statistic.results(ROOT / "benches/results")
    for name, result in found.items():
        assert json.dumps(result)
        assert list(report.TABLES[name](result["figures"]))
    assert all(target.verdict for target in targets.evaluate(found))
