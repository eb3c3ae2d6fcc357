"""Daft: sums, projections, filters and limits."""

from __future__ import annotations

import pytest

daft = pytest.importorskip("daft")
from aerospike_py.daft import read_aerospike  # noqa: E402

ROWS = 1_000_000
pytestmark = pytest.mark.timeout(600)


def test_sums_filters_and_limits(million):
    frame = read_aerospike(million.config, "test", "million", n=8)
    assert frame.sum("id").to_pydict() == {"id": [ROWS * (ROWS - 1) // 2]}
    assert frame.count_rows() == ROWS
    assert frame.where(daft.col("id") < 10).select("a").count_rows() == 10
    assert frame.select("a").limit(3).count_rows() == 3
    assert frame.where(daft.col("id") > 10).limit(3).select("a").count_rows() == 3


def test_empty_sets_and_more_splits_than_records(million):
    assert read_aerospike(million.config, "test", "nothing", n=5, schema={"id": "int64"}).count_rows() == 0
    untyped = read_aerospike(million.config, "test", "nothing", n=5)
    assert untyped.count_rows() == 0
    assert untyped.to_pydict() == {"_rows": []}
    assert read_aerospike(million.config, "test", "one", n=50).to_pydict() == {"id": [1]}


def test_few_places_at_a_node(million):
    """Also with more splits than Daft has threads, each of which may wait for its place."""
    frame = read_aerospike(million.config, "test", "million", n=60, max_concurrent=1)
    assert frame.sum("id").to_pydict() == {"id": [ROWS * (ROWS - 1) // 2]}


def test_columns_about_records(million):
    frame = read_aerospike(million.config, "test", "one", n=2, meta=["gen"])
    assert frame.select("gen").count_rows() == 1
    assert frame.to_pydict().keys() == {"gen", "id"}


def test_sets_that_change(evolved):
    config, name, put = evolved
    before = read_aerospike(config, "test", name, n=2)
    put(20, later="x")
    assert before.column_names == ["id"]
    assert before.sum("id").to_pydict() == {"id": [sum(range(40))]}


def test_a_node_that_dies_in_the_middle(million, dies):
    # A node reads at most 40,000 records per second for a split: each takes about two seconds.
    frame = read_aerospike(
        million.config, "test", "million", n=12, schema={"id": "int64"}, records_per_second=40_000
    )
    killed = dies(1.0)
    assert frame.sum("id").to_pydict() == {"id": [ROWS * (ROWS - 1) // 2]}
    assert killed.is_set(), "the job ended before the node died"
