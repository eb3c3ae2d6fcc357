"""Spark: sums over a million records, filters, killed workers and nodes, and writes."""

from __future__ import annotations

import functools
import json
import logging
import math
import operator
import os
import signal
import sys

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import aerospike_py as aerospike
from tests.support.mixed_records import BOOLEANS, FLOATS, INTEGERS, SCHEMA, TEXTS, row

pytest.importorskip("pyspark")
pa = pytest.importorskip("pyarrow")
from pyspark.sql import SparkSession  # noqa: E402
from pyspark.sql import datasource as sources  # noqa: E402
from pyspark.sql import functions as F  # noqa: E402, N812

from aerospike_py._engines.columns import kinds  # noqa: E402
from aerospike_py._engines.conditions import filter_for  # noqa: E402
from aerospike_py._engines.spark_types import conditions_of, spark_schema  # noqa: E402
from aerospike_py.spark import AerospikeDataSource  # noqa: E402
from aerospike_py.testing import DevServer  # noqa: E402

ROWS = 1_000_000
SUM = ROWS * (ROWS - 1) // 2
MIXED = "i long, f double, s string, b boolean, k long"
# Warnings of PySpark about the version of pandas.
pytestmark = [pytest.mark.timeout(900), pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def spark():
    # The Python of Spark's workers. Without it they run the first python3 of the PATH.
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    session = (
        SparkSession.builder.master("local[2,4]")  # two workers; a task may fail three times
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.memory", "1g")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.python.filterPushdown.enabled", "true")
        .getOrCreate()
    )
    session.dataSource.register(AerospikeDataSource)
    yield session
    session.stop()


def options(config, name, **rest):
    return {"config": json.dumps(config), "namespace": "test", "set": name, "splits": "4", **rest}


def read(spark, config, name, schema=None, **rest):
    reader = spark.read.format("aerospike").options(**options(config, name, **rest))
    return (reader.schema(schema) if schema else reader).load()


def write(frame, config, name, **rest):
    frame.write.format("aerospike").options(**options(config, name, key="id", **rest)).mode("append").save()


def summed(frame):
    [found] = frame.agg(F.sum("id"), F.count("*")).collect()
    return tuple(found)


def test_sums_and_columns(spark, million):
    assert summed(read(spark, million.config, "million", "id long, a long")) == (SUM, ROWS)
    hosts = ",".join(f"{host}:{port}" for host, port in million.hosts)
    plain = {"hosts": hosts, "namespace": "test", "set": "million", "columns": "a,c", "splits": "2"}
    frame = spark.read.format("aerospike").options(**plain).load()
    assert frame.schema.simpleString() == "struct<a:bigint,c:double>"


def test_the_reader_yields_arrow_batches(million):
    source = AerospikeDataSource(options(million.config, "million", columns="id", splits="3"))
    reader = source.reader(source.schema())
    partitions = reader.partitions()
    assert len(partitions) == 3
    batches = list(reader.read(partitions[0]))
    assert all(isinstance(batch, pa.RecordBatch) and batch.schema.names == ["id"] for batch in batches)
    assert abs(sum(batch.num_rows for batch in batches) - ROWS / 3) < ROWS / 30


# -- filters


@pytest.fixture(scope="module")
def whole(mixed):
    return aerospike.splits(mixed, "test", "mixed", 1, schema=SCHEMA)[0]


def travelling(whole, filters):
    """The keys of the records that travel if Spark passes these filters on."""
    condition = filter_for(conditions_of(filters, spark_schema(arrow_schema())), kinds(SCHEMA))
    split = whole.select(["k"]) if condition is None else whole.select(["k"]).where(condition)
    return sorted(split.read().to_pyarrow()["k"].to_pylist())


def arrow_schema():
    types = {"int64": pa.int64(), "float64": pa.float64(), "utf8": pa.string(), "bool": pa.bool_()}
    return pa.schema([(name, types[kind]) for name, kind in SCHEMA.items()])


def test_filters_reach_the_cluster(whole):
    assert travelling(whole, [sources.GreaterThan(("k",), 189)]) == list(range(190, 200))
    assert travelling(whole, [sources.In(("k",), (1, 2, 3))]) == [1, 2, 3]
    assert travelling(whole, [sources.Not(sources.GreaterThanOrEqual(("k",), 5))]) == list(range(5))
    assert len(travelling(whole, [sources.StringStartsWith(("s",), "abc")])) == 17
    assert len(travelling(whole, [sources.StringContains(("s",), "a")])) == 200


def key(value):
    """Spark's order: NaN equals itself and is the largest."""
    return (1, 0.0) if isinstance(value, float) and math.isnan(value) else (0, value)


COMPARE = {
    sources.EqualTo: operator.eq,
    sources.GreaterThan: operator.gt,
    sources.GreaterThanOrEqual: operator.ge,
    sources.LessThan: operator.lt,
    sources.LessThanOrEqual: operator.le,
}


def holds(filter_, bins):
    """A filter for a record: true, false, or None for null."""
    if isinstance(filter_, sources.Not):
        inner = holds(filter_.child, bins)
        return None if inner is None else not inner
    value = bins.get(filter_.attribute[0])
    if isinstance(filter_, sources.IsNull):
        return value is None
    if isinstance(filter_, sources.IsNotNull):
        return value is not None
    if isinstance(filter_, sources.EqualNullSafe):
        return value is not None and key(value) == key(filter_.value)
    if value is None:
        return None
    if isinstance(filter_, sources.StringStartsWith):
        return value.startswith(filter_.value)
    if isinstance(filter_, sources.In):
        return any(key(value) == key(other) for other in filter_.value)
    test = COMPARE[type(filter_)]
    if isinstance(value, str):
        return test(value.encode(), filter_.value.encode())
    return test(key(value), key(filter_.value))


def filters_of(name, values):
    some = st.sampled_from([value for value in values if value is not None])
    made = [
        st.builds(lambda kind, value: kind((name,), value), st.sampled_from([*COMPARE]), some),
        st.builds(lambda value: sources.EqualNullSafe((name,), value), some),
        st.builds(lambda found: sources.In((name,), tuple(found)), st.lists(some, min_size=1, max_size=4)),
        st.sampled_from([sources.IsNull((name,)), sources.IsNotNull((name,))]),
    ]
    if values is TEXTS:
        made.append(st.builds(lambda value: sources.StringStartsWith((name,), value), some))
    return st.one_of(made)


SIMPLE = st.one_of(
    filters_of("i", INTEGERS), filters_of("f", FLOATS), filters_of("s", TEXTS), filters_of("b", BOOLEANS)
)


@settings(max_examples=60)
@given(filters=st.lists(st.one_of(SIMPLE, SIMPLE.map(sources.Not)), min_size=1, max_size=3))
def test_no_record_that_passes_stays_behind(whole, filters):
    wanted = [k for k in range(200) if all(holds(filter_, row(k)) is True for filter_ in filters)]
    assert set(wanted) <= set(travelling(whole, filters))


def columns_of(name, values):
    """Conditions of Spark, as SQL. Spark makes the filters that it pushes from them."""
    some = st.sampled_from([literal(value) for value in values if value is not None])
    compare = st.builds(
        lambda sign, value: f"{name} {sign} {value}",
        st.sampled_from(["=", "<>", "<", "<=", ">", ">=", "<=>"]),
        some,
    )
    among = st.builds(
        lambda no, found: f"{name} {no} in ({', '.join(found)})",
        st.sampled_from(["", "not"]),
        st.lists(some, min_size=1, max_size=4),
    )
    return st.one_of(compare, among, st.sampled_from([f"{name} is null", f"{name} is not null"]))


def literal(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return "'" + value + "'"
    if isinstance(value, float):
        return f"double('{'NaN' if math.isnan(value) else value}')"
    return f"bigint('{value}')"


CONDITIONS = st.recursive(
    st.one_of(
        columns_of("i", INTEGERS),
        columns_of("f", FLOATS),
        columns_of("s", TEXTS),
        columns_of("b", BOOLEANS),
        st.sampled_from(["s like 'a%'", "b", "not b", "i % 3 = 2", "startswith(s, 'ab')"]),
    ),
    lambda inner: st.one_of(
        st.builds("({}) and ({})".format, inner, inner),
        st.builds("({}) or ({})".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=4,
)


@settings(max_examples=2, phases=(Phase.explicit, Phase.generate))
@given(conditions=st.lists(CONDITIONS, min_size=8, max_size=8, unique=True))
def test_spark_finds_the_same_rows_with_and_without_pushdown(spark, mixed, conditions):
    """Eight conditions in one job: each on a dataframe of its own, as pushdown requires."""
    [split] = aerospike.splits(mixed, "test", "mixed", 1, schema=SCHEMA)
    rows = spark.createDataFrame(split.read().to_pyarrow(), MIXED)
    flags = [F.coalesce(F.expr(text), F.lit(False)).alias(f"c{n}") for n, text in enumerate(conditions)]
    wanted = {
        (n, found["k"]) for found in rows.select("k", *flags).collect() for n in range(8) if found[f"c{n}"]
    }
    pushed = [
        read(spark, mixed, "mixed", MIXED, splits="1", pushFilters="true").where(text).select(F.lit(n), "k")
        for n, text in enumerate(conditions)
    ]
    found = [tuple(row) for row in functools.reduce(lambda a, b: a.union(b), pushed).collect()]
    assert len(found) == len(set(found))
    assert set(found) == wanted


def test_filters_are_pushed_only_on_request(spark, mixed):
    """Spark plans the read of a dataframe once, with the filter of its first use."""
    frame = read(spark, mixed, "mixed", MIXED)
    assert frame.where("k < 5").count() == 5
    assert frame.count() == 200
    assert frame.where("k < 5").union(frame.where("k >= 190")).count() == 15
    once = read(spark, mixed, "mixed", MIXED, pushFilters="true")
    assert once.where("k < 5").count() == 5


def test_spark_with_its_own_settings_reads(spark, mixed):
    """The setting for pushdown is off by default, and Spark then refuses readers that take filters."""
    spark.conf.set("spark.sql.python.filterPushdown.enabled", "false")
    try:
        assert read(spark, mixed, "mixed", MIXED).where("k < 5").count() == 5
        with pytest.raises(Exception, match="filter pushdown is disabled"):
            read(spark, mixed, "mixed", MIXED, pushFilters="true").where("k < 5").count()
    finally:
        spark.conf.set("spark.sql.python.filterPushdown.enabled", "true")


# -- sets


def test_empty_sets_and_more_splits_than_records(spark, million):
    untyped = read(spark, million.config, "nothing")
    assert (untyped.columns, untyped.count(), untyped.collect()) == (["_rows"], 0, [])
    with pytest.raises(Exception, match="a set without records needs a schema"):
        read(spark, million.config, "nothing", columns="id")
    assert summed(read(spark, million.config, "nothing", "id long")) == (None, 0)
    assert summed(read(spark, million.config, "one", "id long", splits="20")) == (1, 1)


def test_sets_that_change(spark, evolved):
    config, name, put = evolved
    before = read(spark, config, name)
    put(20, later="x")
    assert before.columns == ["id"]
    assert summed(before) == (sum(range(40)), 40)
    both = read(spark, config, name, "id long, later string")
    assert sorted(str(found["later"]) for found in both.collect()) == ["None"] * 20 + ["x"] * 20
    put(40, id="text")
    with pytest.raises(Exception, match="BatchDecodeError"):
        read(spark, config, name, "id long").collect()


# -- failures


def test_a_worker_that_is_killed(spark, million, tmp_path):
    path = str(tmp_path / "killed")
    base = AerospikeDataSource

    class Dying(base):
        """Kills its worker once, in the middle of a split."""

        @classmethod
        def name(cls):
            return "dying"

        def reader(self, schema):
            made = super().reader(schema)
            read = made.read

            def dying(partition):
                for batch in read(partition):
                    yield batch
                    try:
                        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
                    except FileExistsError:
                        continue
                    os.kill(os.getpid(), signal.SIGKILL)

            made.read = dying
            return made

    spark.dataSource.register(Dying)
    made = spark.read.format("dying").options(**options(million.config, "million")).schema("id long").load()
    assert summed(made) == (SUM, ROWS)
    assert os.path.exists(path)


def test_a_node_that_dies_in_the_middle(spark, million, dies):
    # A node reads at most 40,000 records per second for a split: each takes about two seconds.
    frame = read(spark, million.config, "million", "id long", splits="12", recordsPerSecond="40000")
    killed = dies(4.0)
    assert summed(frame) == (SUM, ROWS)
    assert killed.is_set(), "the job ended before the node died"


# -- writes


def test_writes(spark, million, fresh_set):
    frame = read(spark, million.config, "million", "id long, a long").where("id < 1000")
    write(frame, million.config, fresh_set)
    written = read(spark, million.config, fresh_set, "id long, a long")
    assert summed(written) == (sum(range(1000)), 1000)
    assert written.agg(F.sum("a")).collect()[0][0] == sum(value % 97 for value in range(1000))


CREATE = json.dumps({"exists": aerospike.POLICY_EXISTS_CREATE})


def put_three(config, name):
    with aerospike.client(config).connect() as client:
        for key in range(3):
            client.put(("test", name, key), {"id": key})


def test_rows_that_fail_are_counted(million, fresh_set):
    put_three(million.config, fresh_set)
    source = AerospikeDataSource(options(million.config, fresh_set, key="id", policy=CREATE))
    message = r"3 of 10 rows were not written: RecordExistsError \(5\): 3; the first keys are 0, 1, 2"
    with pytest.raises(aerospike.RecordExistsError, match=message):
        source.writer(None, False).write(iter([pa.RecordBatch.from_pydict({"id": list(range(10))})]))
    # The other rows are there.
    assert len(aerospike.splits(million.config, "test", fresh_set, 1)[0].read()) == 10


def test_jobs_whose_rows_fail(spark, million, fresh_set):
    """Spark repeats the task, which would find its own rows: it is refused."""
    put_three(million.config, fresh_set)
    frame = spark.range(10).repartition(1)
    with pytest.raises(Exception, match="attempt 4 of this task is refused"):
        write(frame, million.config, fresh_set, policy=CREATE)
    assert summed(read(spark, million.config, fresh_set, "id long"))[1] == 10
    replaced = frame.write.format("aerospike").options(**options(million.config, fresh_set, key="id"))
    with pytest.raises(Exception, match="overwrite"):
        replaced.mode("overwrite").save()


def test_a_writer_that_is_killed(spark, million, tmp_path, fresh_set):
    """Its task is repeated, and the rows that it had written are written again."""
    path = str(tmp_path / "killed")
    base = AerospikeDataSource

    class Dying(base):
        @classmethod
        def name(cls):
            return "dying-writer"

        def writer(self, schema, overwrite):
            made = super().writer(schema, overwrite)
            write = made.write

            def dying(batches):
                message = write(batches)
                try:
                    os.close(os.open(path, os.O_CREAT | os.O_EXCL))
                except FileExistsError:
                    return message
                os.kill(os.getpid(), signal.SIGKILL)
                raise AssertionError("the worker was killed")

            made.write = dying
            return made

    spark.dataSource.register(Dying)
    frame = spark.range(500).repartition(2)
    settings = options(million.config, fresh_set, key="id")
    frame.write.format("dying-writer").options(**settings).mode("append").save()
    assert os.path.exists(path)
    assert summed(read(spark, million.config, fresh_set, "id long")) == (sum(range(500)), 500)


def test_commits_and_aborts_say_what_was_written(million, fresh_set, caplog):
    source = AerospikeDataSource(options(million.config, fresh_set, key="id"))
    writer = source.writer(None, False)
    batches = [pa.RecordBatch.from_pydict({"id": list(range(first, first + 10))}) for first in (0, 10)]
    message = writer.write(iter(batches))
    assert (message.rows, message.bytes) == (20, 160)
    with caplog.at_level(logging.INFO, "aerospike_py.spark"):
        writer.commit([message, message])
        writer.abort([message, None])
    logged = [record.getMessage() for record in caplog.records if record.name == "aerospike_py.spark"]
    assert logged == [
        "wrote 40 rows",
        "the job was aborted; 20 rows of its finished tasks stay in the set",
    ]
    [split] = aerospike.splits(million.config, "test", fresh_set, 1)
    assert len(split.read()) == 20


@pytest.mark.parametrize("in_config", [True, False])
def test_plans_do_not_show_the_password(spark, in_config):
    with DevServer(users={"ann": "verysecret"}) as server:
        credentials = {"user": "ann", "password": "verysecret"}
        config = {**server.config, **(credentials if in_config else {})}
        rest = {} if in_config else credentials
        frame = read(spark, config, "s", "id long", **rest)
        assert frame.count() == 0
        plans = frame._jdf.queryExecution()
        shown = [spark._jvm.PythonSQLUtils.explainString(plans, mode) for mode in ("extended", "formatted")]
        for text in (*shown, plans.toString()):
            assert "aerospike" in text
            assert "verysecret" not in text
        assert "verysecret" not in plans.analyzed().toJSON()


def test_options_that_are_also_in_the_config():
    """So that a password need not be in the JSON."""
    config = {"hosts": [("a", 1)], "user": "bob", "tend_interval": 500}
    settings = options(config, "s", key="id", hosts="b:2, [::1]:3", user="ann", password="verysecret")
    writer = AerospikeDataSource(settings).writer(None, False)
    assert writer._target.config == {
        "hosts": [("b", 2), ("::1", 3)],
        "user": "ann",
        "password": "verysecret",
        "tend_interval": 500,
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sets": "x"}, "the option 'sets' is unknown"),
        ({"splits": "many"}, "the option 'splits' is 'many'"),
        ({"splits": "0"}, "n is 0"),
        ({"pushFilters": "yes"}, "the option 'pushFilters' is 'yes'"),
        ({"config": None}, '"hosts" is missing'),
        ({"config": None, "hosts": "localhost"}, "it must be host:port"),
        ({"config": '"password"'}, "config has the type str; it must be a dict"),
        ({"namespace": None}, "the option 'namespace' is missing"),
    ],
)
def test_wrong_options(million, changes, message):
    given = {**options(million.config, "million"), **changes}
    source = AerospikeDataSource({name: value for name, value in given.items() if value is not None})
    with pytest.raises(aerospike.ParamError, match=message):
        source.reader(source.schema()).partitions()
