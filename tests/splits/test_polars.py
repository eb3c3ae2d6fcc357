"""``scan_aerospike``: what polars pushes down changes what travels, not the result."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aerospike_py as aerospike
from aerospike_py._engines import clients
from aerospike_py._engines.columns import kinds
from aerospike_py._engines.conditions import filter_for
from aerospike_py.testing import DevServer
from tests.support.mixed_records import BOOLEANS, COMPARISONS, FLOATS, INTEGERS, SCHEMA, TEXTS, row

pl = pytest.importorskip("polars")

from aerospike_py._engines.polars_predicates import condition_of  # noqa: E402
from aerospike_py.polars import scan_aerospike  # noqa: E402

pytestmark = pytest.mark.embedded


@pytest.fixture(scope="module")
def server():
    with DevServer(nodes=2) as made:
        with aerospike.client(made.config).connect() as client:
            for k in range(200):
                client.put(("test", "p", k), row(k))
        yield made
        clients.close_all()


@pytest.fixture(scope="module")
def everything(server):
    return scan_aerospike(server.config, "test", "p", schema=SCHEMA).collect()


def comparisons(column, values):
    literals = st.sampled_from([value for value in values if value is not None])
    name = pl.col(column)
    simple = st.builds(
        lambda operator, value: operator(name, value),
        st.sampled_from(
            [
                *COMPARISONS,
                lambda a, b: pl.lit(b) < a,
                lambda a, b: a.eq_missing(b),
                lambda a, b: a.ne_missing(b),
            ]
        ),
        literals,
    )
    among = st.lists(st.sampled_from(LISTED[column]), max_size=4).map(
        lambda found: name.is_in(pl.Series(found, dtype=DTYPES[column]))
    )
    null = st.sampled_from([name.is_null(), name.is_not_null()])
    return st.one_of(simple, among, null)


LISTED = {"i": INTEGERS, "f": FLOATS, "s": TEXTS, "b": BOOLEANS}
DTYPES = {"i": pl.Int64, "f": pl.Float64, "s": pl.String, "b": pl.Boolean}
LEAVES = st.one_of(
    comparisons("i", [*INTEGERS, 2.5, 5.0]),
    comparisons("f", FLOATS),
    comparisons("s", TEXTS),
    comparisons("b", BOOLEANS),
    st.sampled_from([pl.col("b"), ~pl.col("b"), pl.col("i").is_between(0, 5), pl.col("f").is_nan()]),
    st.sampled_from(["", "a", "ab", "\ud7ff", "\U0010ffff", "a\U0010ffff"]).map(pl.col("s").str.starts_with),
)
PREDICATES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda a, b: a & b, inner, inner),
        st.builds(lambda a, b: a | b, inner, inner),
        st.builds(lambda a: ~a, inner),
    ),
    max_leaves=5,
)


@settings(max_examples=60)
@given(predicate=PREDICATES)
def test_a_filter_changes_nothing_but_what_travels(server, everything, predicate):
    wanted = everything.filter(predicate)["k"].sort().to_list()
    lazy = scan_aerospike(server.config, "test", "p", schema=SCHEMA).filter(predicate)
    assert lazy.collect()["k"].sort().to_list() == wanted
    assert lazy.select("k").collect()["k"].sort().to_list() == wanted


@pytest.mark.parametrize(
    ("predicate", "travelling"),
    [
        (pl.col("k") > 189, 10),
        (pl.col("k").is_in([1, 2, 3]), 3),
        ((pl.col("k") < 5) | (pl.col("k") == 100), 6),
        (pl.col("k").is_between(10, 19), 10),
        ((pl.col("k") < 5) & (pl.col("k") * 2 == 4), 5),
        (~(pl.col("k") >= 5), 5),
    ],
)
def test_filters_reach_the_cluster(server, predicate, travelling):
    condition = filter_for(condition_of(predicate), kinds(SCHEMA))
    [split] = aerospike.splits(server.config, "test", "p", 1, schema=SCHEMA, where=condition)
    assert len(split.read()) == travelling


def test_unknown_predicates_stay_with_polars(server):
    for predicate in [pl.col("i") * 2 > 4, pl.col("s").str.contains("a"), pl.col("f").is_nan()]:
        assert filter_for(condition_of(predicate), kinds(SCHEMA)) is None
    assert json.loads(pl.col("i").meta.serialize(format="json")) == {"Column": "i"}


def test_columns_and_rows_are_pushed_down(server):
    lazy = scan_aerospike(server.config, "test", "p", schema=SCHEMA, meta=("gen",))
    assert lazy.select("s", "k").collect().columns == ["s", "k"]
    assert lazy.head(5).collect().height == 5
    assert lazy.filter(pl.col("k") >= 100).head(5).collect().height == 5
    assert lazy.select(pl.len()).collect().item() == 200
    assert lazy.filter(pl.col("gen") == 1).select(pl.len()).collect().item() == 200


def test_an_empty_set(server):
    lazy = scan_aerospike(server.config, "test", "nothing")
    assert lazy.collect().schema == {"_rows": pl.Boolean}
    assert lazy.select(pl.len()).collect().item() == 0
    assert lazy.filter(pl.col("_rows").is_null()).select("_rows").collect().height == 0


def test_a_set_that_grows_is_read_anew(server, fresh_set):
    with aerospike.client(server.config).connect() as client:
        client.put(("test", fresh_set, 1), {"k": 1})
        lazy = scan_aerospike(server.config, "test", fresh_set)
        assert lazy.collect().height == 1
        client.put(("test", fresh_set, 2), {"k": 2, "later": "x"})
    assert lazy.collect().height == 2
    assert scan_aerospike(server.config, "test", fresh_set).collect().columns == ["k", "later"]
