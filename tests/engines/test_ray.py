"""Ray: sums over a million records, projections, filters, killed workers and nodes, and writes."""

from __future__ import annotations

import os
import re
import signal
import sys

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import aerospike_py as aerospike
from tests.support.mixed_records import BOOLEANS, COMPARISONS, FLOATS, INTEGERS, SCHEMA, TEXTS

ray = pytest.importorskip("ray")
pytest.importorskip("ray.data")
from ray.data.expressions import col, lit  # noqa: E402

from aerospike_py._engines.columns import kinds  # noqa: E402
from aerospike_py._engines.conditions import filter_for  # noqa: E402
from aerospike_py._engines.ray_predicates import columns_of, condition_of  # noqa: E402
from aerospike_py.ray import AerospikeDatasink, AerospikeDatasource  # noqa: E402

ROWS = 1_000_000
SUM = ROWS * (ROWS - 1) // 2
# Warnings of Ray about itself.
pytestmark = [pytest.mark.timeout(900), pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module", autouse=True)
def workers():
    path = os.pathsep.join(filter(None, sys.path))
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        object_store_memory=200 * 2**20,
        runtime_env={"env_vars": {"PYTHONPATH": path}},
    )
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield
    ray.shutdown()


def source(config, name, **options):
    return ray.data.read_datasource(AerospikeDatasource(config, "test", name, **options))


def total(data, column="id"):
    return sum(int(batch[column].sum()) for batch in data.iter_batches(batch_size=None))


def test_sums_and_columns(million):
    data = source(million.config, "million", n=8)
    assert data.sum("id") == SUM
    assert data.count() == ROWS
    assert data.select_columns(["a", "id"]).schema().names == ["a", "id"]
    assert data.select_columns(["a"]).take(1)[0].keys() == {"a"}


def test_stats_have_the_rows_of_the_read(million):
    """Ray's own figures, as the page says."""
    stats = source(million.config, "million", n=4, columns=["id"]).materialize().stats()
    assert "ReadAerospike" in stats
    assert re.search(rf"Output num rows per block: .*, {ROWS} total", stats)


def test_only_the_columns_and_rows_that_are_needed_are_read(million):
    """What reaches the tasks, without running them."""
    whole = AerospikeDatasource(million.config, "test", "million", n=1)
    narrow = whole.apply_projection({"id": "id"}).apply_predicate((col("a") == 96) & (col("id") < 97_000))
    [task] = narrow.get_read_tasks(1)
    [block] = [block for block in task() if block.num_rows]
    assert block.column_names == ["id"]
    assert sorted(block["id"].to_pylist()) == list(range(96, 97_000, 97))
    [task] = whole.get_read_tasks(1, per_task_row_limit=7)
    assert sum(block.num_rows for block in task()) == 7
    assert whole.get_projection_map() is None
    assert whole.get_current_predicate() is None


def test_filters_reach_the_cluster(mixed):
    for predicate, travelling in [
        (col("k") > 189, 10),
        (lit(189) < col("k"), 10),
        (col("k").is_in([1, 2, 3]), 3),
        (~col("k").not_in([1, 2, 3]), 3),
        ((col("k") < 5) | (col("k") == 100), 6),
        ((col("k") < 5) & (col("k") * 2 == 4), 5),
        (~(col("k") >= 5), 5),
        (col("s").str.starts_with("abc"), 17),
    ]:
        condition = filter_for(condition_of(predicate), kinds(SCHEMA))
        [split] = aerospike.splits(mixed, "test", "mixed", 1, schema=SCHEMA, where=condition)
        assert len(split.read()) == travelling, predicate
    assert columns_of((col("k") * 2 == 4) | col("s").str.starts_with("a")) == ["k", "s"]


def test_other_filters_stay_with_ray(mixed):
    for predicate in [
        col("i") * 2 > 4,
        col("s").str.contains("a"),
        col("s").str.starts_with("A", ignore_case=True),
        col("i") == col("k"),
    ]:
        assert filter_for(condition_of(predicate), kinds(SCHEMA)) is None


def leaves(name, values, listed):
    column = col(name)
    compare = st.builds(
        lambda operator, value: operator(column, value),
        st.sampled_from(
            [
                *COMPARISONS,
                lambda a, b: lit(b) < a,
            ]
        ),
        st.sampled_from([value for value in values if value is not None]),
    )
    some = st.lists(st.sampled_from(listed), min_size=1, max_size=4).filter(
        lambda found: any(value is not None for value in found)
    )
    nulls = st.sampled_from([column.is_null(), column.is_not_null()])
    return st.one_of(compare, some.map(column.is_in), some.map(column.not_in), nulls)


def predicates(texts):
    return st.recursive(
        st.one_of(
            leaves("i", INTEGERS, INTEGERS),
            leaves("f", FLOATS, FLOATS),
            leaves("s", texts, texts),
            st.sampled_from([col("b") == True, col("b") != False, ~(col("b") == True), col("b").is_null()]),  # noqa: E712
            st.sampled_from([text for text in texts if text is not None]).map(col("s").str.starts_with),
            st.just(BOOLEANS).map(col("b").is_in),
        ),
        lambda inner: st.one_of(
            st.builds(lambda a, b: a & b, inner, inner),
            st.builds(lambda a, b: a | b, inner, inner),
            st.builds(lambda a: ~a, inner),
        ),
        max_leaves=5,
    )


# Ray's own filters cannot have other text: it is in the labels of its metrics, which are ASCII.
ASCII = [text for text in TEXTS if text is None or text.isascii()]


@pytest.fixture(scope="module")
def whole(mixed):
    return AerospikeDatasource(mixed, "test", "mixed", n=1, schema=SCHEMA)


@pytest.fixture(scope="module")
def everything(mixed):
    [split] = aerospike.splits(mixed, "test", "mixed", 1, schema=SCHEMA)
    return split.read().to_pyarrow()


@settings(max_examples=60)
@given(predicate=predicates(TEXTS))
def test_a_filter_changes_nothing_but_what_travels(whole, everything, predicate):
    """The tasks that Ray would run, called here."""
    wanted = sorted(everything.filter(predicate.to_pyarrow())["k"].to_pylist())
    found = whole.apply_predicate(predicate).apply_projection({"k": "k"})
    [task] = found.get_read_tasks(1)
    assert sorted(value for block in task() for value in block["k"].to_pylist()) == wanted


@settings(max_examples=8, phases=(Phase.explicit, Phase.generate))
@given(predicate=predicates(ASCII))
def test_ray_finds_the_same_rows_with_and_without_pushdown(mixed, everything, predicate):
    wanted = ray.data.from_arrow(everything).filter(expr=predicate)
    found = source(mixed, "mixed", n=2, schema=SCHEMA).filter(expr=predicate)
    assert sorted(row["k"] for row in found.take_all()) == sorted(row["k"] for row in wanted.take_all())
    assert found.count() == wanted.count()


def test_a_filter_that_goes_into_the_read_may_have_any_text(mixed, everything):
    [text, *_] = [text for text in TEXTS if text is not None and not text.isascii()]
    wanted = everything["s"].to_pylist().count(text)
    assert wanted
    found = source(mixed, "mixed", n=2, schema=SCHEMA).filter(expr=col("s") == text)
    assert [row["s"] for row in found.take_all()] == [text] * wanted
    assert found.count() == wanted


def test_empty_sets_and_more_splits_than_records(million):
    untyped = source(million.config, "nothing", n=3)
    assert untyped.count() == 0
    assert untyped.take_all() == []
    assert untyped.schema().names == ["_rows"]
    assert source(million.config, "nothing", n=3, schema={"id": "int64"}).count() == 0
    assert source(million.config, "one", n=50).take_all() == [{"id": 1}]


def test_sets_that_change(evolved):
    config, name, put = evolved
    before = source(config, name, n=2)
    put(20, later="x")
    assert before.schema().names == ["id"]
    assert total(before) == sum(range(40))
    after = source(config, name, n=2, schema={"id": "int64", "later": "utf8"})
    assert sorted(str(row["later"]) for row in after.take_all()) == ["None"] * 20 + ["x"] * 20
    put(40, id="text")
    with pytest.raises(Exception, match="BatchDecodeError"):
        source(config, name, n=2, schema={"id": "int64"}).take_all()


def test_a_worker_that_is_killed(million, tmp_path):
    path = str(tmp_path / "killed")

    def kill_once(batch):
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return batch
        os.kill(os.getpid(), signal.SIGKILL)
        return batch

    data = source(million.config, "million", n=8, columns=["id"])
    assert total(data.map_batches(kill_once, batch_format="pyarrow", batch_size=None)) == SUM
    assert os.path.exists(path)


def test_a_node_that_dies_in_the_middle(million, dies):
    # A node reads at most 40,000 records per second for a split: each takes about two seconds.
    data = source(million.config, "million", n=12, columns=["id"], records_per_second=40_000)
    killed = dies(3.0)
    assert total(data) == SUM
    assert killed.is_set(), "the job ended before the node died"


def test_writes(million, fresh_set):
    data = source(million.config, "million", n=4).filter(expr=col("id") < 1000)
    sink = AerospikeDatasink(million.config, "test", fresh_set, key="id", bins=["id", "a"])
    data.write_datasink(sink)
    assert sink.rows == 1000
    assert source(million.config, fresh_set, n=2).select_columns(["a"]).sum("a") == sum(
        value % 97 for value in range(1000)
    )
    # Writing the same rows again changes nothing.
    data.write_datasink(sink)
    assert source(million.config, fresh_set, n=2).count() == 1000


def test_rows_that_fail_are_counted(million, fresh_set):
    with aerospike.client(million.config).connect() as client:
        for key in range(3):
            client.put(("test", fresh_set, key), {"id": key})
    data = ray.data.from_items([{"id": key} for key in range(10)], override_num_blocks=1)
    create = {"exists": aerospike.POLICY_EXISTS_CREATE}
    sink = AerospikeDatasink(million.config, "test", fresh_set, key="id", policy=create)
    with pytest.raises(aerospike.RecordExistsError, match=r"3 of 10 rows were not written.*keys are 0, 1, 2"):
        data.write_datasink(sink)
    # The other rows are there: rows are written as tasks run.
    assert source(million.config, fresh_set, n=1).count() == 10
    assert sink.rows == 0
