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
