"""The benches run and report. Their figures are not checked."""

import json
import subprocess
import sys

import numpy as np
import pytest

from aerospike_py.testing import DevServer
from benches import environment, instructions, process, report, run, statistic, targets
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


def samples(cpu):
    return {"cpu": [cpu], "wall": [cpu]}


FLOOR = {"1": samples(30.0), "4": samples(20.0)}


def wide_results():
    """The workloads of the wide plot, as a run with some clients writes them."""
    queries = {"query-100000": {"array": {"ours": samples(2e4), "wire-floor": {"1": samples(1e4)}}}}
    texts = {
        "ours, arrow": samples(1_000.0),
        "ours-keys, arrow": samples(900.0),
        "ours-keys, array": samples(800.0),
        "official, arrow": samples(9_000.0),
        "wire-floor": FLOOR,
    }
    figures = {
        "query": {"sizes": {"query-100000": 100_000}, "queries": queries},
        "arrow": {"arrow-text": {"100": texts}},
        "matrix": {
            "entities": 10,
            "ways": {"ours-keys, matrix": samples(5.0), "wire-floor": FLOOR},
            "lag": [],
        },
    }
    notes = {"arrow": ["aerospike-py, arrow.prepare (arrow-text, 100): TypeError: no text"]}
    return {
        name: {"figures": of, "notes": notes.get(name, []), "versions": {"official": "1.2"}}
        for name, of in figures.items()
    }


def test_the_floor_and_other_clients_are_in_the_tables_of_wide_shapes():
    found = wide_results()
    arrow = list(report.TABLES["arrow"](found["arrow"]["figures"]))
    assert any(line.startswith("| 100 | wire floor, 4 connections | 0.020 ms |") for line in arrow)
    assert any(line.startswith("| 100 | official client, into columns | 9.00 ms |") for line in arrow)
    matrix = list(report.TABLES["matrix"](found["matrix"]["figures"]))
    assert "| wire floor, 4 connections | one batch over the sets | 0.020 ms | 0.020 ms | 4.00 |" in matrix


def test_panels_of_the_wide_plot():
    plots_wide = pytest.importorskip("benches.plots_wide", exc_type=ImportError)
    query, texts, matrix = plots_wide.panels(wide_results())
    assert query.bars == {"ours": 0.2, "wire-floor": 0.1}
    # This package once, with a list of tuples where that was measured.
    assert texts.bars == {"ours": 10.0, "official": 90.0, "wire-floor": 0.2}
    assert texts.impossible == {"aerospike-py"}
    assert matrix.bars == {"ours-keys": 0.5, "wire-floor": 2.0}
    assert plots_wide.rows([query, texts, matrix]) == ["ours", "official", "wire-floor"]
    # A client that can do nothing here is left out of all panels.
    assert plots_wide.panels({}) == []


def test_the_wide_plot_is_drawn_from_new_and_kept_results(tmp_path):
    plots_wide = pytest.importorskip("benches.plots_wide", exc_type=ImportError)
    for name, found in (("new", wide_results()), ("kept", statistic.results(ROOT / "benches/results"))):
        folder = tmp_path / name
        folder.mkdir()
        plots_wide.draw(found, folder)
        assert "prefers-color-scheme: dark" in (folder / "wide.svg").read_text(encoding="utf-8")
        assert (folder / "wide.png").stat().st_size > 10_000
    plots_wide.draw({}, tmp_path)
    assert not (tmp_path / "wide.svg").exists()


def test_the_wide_plot_is_beside_the_first_of_its_workloads():
    found = statistic.results(ROOT / "benches/results")
    text = report.markdown(found, {"wide.svg"}, "../README.md")
    assert text.count("(wide.svg)") == 1
    assert text.index(f"## {found['query']['title']}") < text.index("(wide.svg)")
    del found["query"]
    text = report.markdown(found, {"wide.svg"}, "../README.md")
    assert text.index(f"## {found['arrow']['title']}") < text.index("(wide.svg)")


def test_pages_of_both_servers_link_to_each_other_and_to_the_guide(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "ROOT", tmp_path)
    results = tmp_path / "benches/results"
    kept = (ROOT / "benches/results/beside.json").read_text(encoding="utf-8")
    for folder in (results, results / "server"):
        folder.mkdir(parents=True)
        (folder / "beside.json").write_text(kept, encoding="utf-8")
        report.write(folder)
    assert "(../README.md)" in (results / "server/README.md").read_text(encoding="utf-8")
    text = report.write(results / "server")
    assert "[How it is measured](../../README.md)" in text
    assert "[how](../../README.md#other-python-code" in text
    text = report.write(results)
    assert "(server/README.md)" in text
    assert "[How it is measured](../README.md)" in text


@pytest.mark.embedded
def test_a_server_has_its_edition_and_build_and_not_its_address(monkeypatch):
    with DevServer() as server:
        found = environment.server_of(server.hosts)
    assert found == "Aerospike Community Edition 8.1.2.0 at AEROSPIKE_HOSTS"
    monkeypatch.setenv("AEROSPIKE_HOSTS", "db.example:3000")
    assert run.command(["--quick"]) == 'make bench AEROSPIKE_HOSTS=... BENCH_ARGS="--quick"'
    monkeypatch.delenv("AEROSPIKE_HOSTS")
    assert run.command([]) == "make bench"


def test_a_client_with_our_module_name_does_not_find_this_package(monkeypatch):
    found = {}

    class Started(Exception):  # noqa: N818
        pass

    def start(command, *, env, **_):
        found[command[0]] = env
        raise Started

    monkeypatch.setenv("PYTHONPATH", "python")
    monkeypatch.setattr(process.subprocess, "Popen", start)
    for python in ("other/python", sys.executable):
        with pytest.raises(Started):
            process.Worker("aerospike-py", python, [])
    assert "PYTHONPATH" not in found["other/python"]
    assert found[sys.executable]["PYTHONPATH"] == "python"
