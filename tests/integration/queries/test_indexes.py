"""Secondary indexes: managing them, and queries with predicates, with both clients."""

from __future__ import annotations

import contextlib
import threading
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import aerospike_py as aerospike
from aerospike_py import cdt_ctx, predicates
from aerospike_py import expressions as exp
from aerospike_py import list_operations as lists
from aerospike_py import operations as op
from tests.support.servers import RealServer

# Servers answer slowly while they write their metadata.
SLOW = {"timeout": 30_000}
NUMERIC, STRING, BLOB = aerospike.INDEX_NUMERIC, aerospike.INDEX_STRING, aerospike.INDEX_BLOB
GEO = aerospike.INDEX_GEO2DSPHERE
LIST, KEYS, VALUES = aerospike.INDEX_TYPE_LIST, aerospike.INDEX_TYPE_MAPKEYS, aerospike.INDEX_TYPE_MAPVALUES
COUNT = 240


def bins_of(number):
    """The bins of a record: most have all, some lack one, some have values of another type."""
    bins = {
        "n": number % 50 - 10,
        "s": f"s{number % 7}",
        "b": bytes([number % 5]),
        "l": [number % 10, number % 10 + 1, number % 10 + 20],
        "m": {f"k{number % 6}": number % 8, "all": 99},
        "deep": {"a": [number % 4, 7]},
        "g": aerospike.GeoJSON({"type": "Point", "coordinates": [number % 20, number % 9]}),
        "number": number,
    }
    if number % 11 == 0:
        del bins["n"]
    if number % 13 == 0:
        bins["n"] = "text"
    return bins


@pytest.fixture
def indexes(client, fresh_set):
    """Creates indexes of the test's set, by a short name; they are removed at its end."""
    made = []

    def create(kind, *arguments, **named):
        short = arguments[-1]
        name = f"{fresh_set}_{short}"
        made.append(name)
        function = getattr(client, f"index_{kind}_create")
        assert function("test", fresh_set, *arguments[:-1], name, SLOW, **named) == 0
        return name

    yield create
    for name in made:
        assert client.index_remove("test", name, SLOW) == 0


@pytest.fixture
def filled(client, fresh_set):
    for number in range(COUNT):
        client.put(("test", fresh_set, number), bins_of(number))
    return fresh_set


def found(records):
    numbers = [record.bins["number"] for record in records]
    assert len(set(numbers)) == len(numbers), "records came twice"
    return set(numbers)


def expected(condition):
    return {number for number in range(COUNT) if condition(bins_of(number))}


def is_int(bins, low, high):
    return isinstance(bins.get("n"), int) and low <= bins["n"] <= high


def test_values_of_bins(client, filled, indexes):
    indexes("single_value", "n", NUMERIC, "n")
    indexes("single_value", "s", STRING, "s")
    indexes("single_value", "b", BLOB, "b")
    for predicate, condition in (
        (predicates.equals("n", 7), lambda bins: is_int(bins, 7, 7)),
        (predicates.equals("n", -3), lambda bins: is_int(bins, -3, -3)),
        (predicates.equals("n", 12345), lambda bins: False),
        (predicates.between("n", -5, 5), lambda bins: is_int(bins, -5, 5)),
        (predicates.between("n", -(2**63), 2**63 - 1), lambda bins: is_int(bins, -100, 100)),
        (predicates.equals("s", "s3"), lambda bins: bins["s"] == "s3"),
        (predicates.equals("s", ""), lambda bins: False),
        (predicates.equals("b", b"\x02"), lambda bins: bins["b"] == b"\x02"),
    ):
        records = client.query("test", filled).where(predicate).results()
        assert found(records) == expected(condition), predicate
        for record in records:
            assert record.bins == client.get(record.key).bins


def test_values_of_lists_and_maps(client, filled, indexes):
    indexes("list", "l", NUMERIC, "l")
    indexes("map_keys", "m", STRING, "mk")
    indexes("map_values", "m", NUMERIC, "mv")
    for predicate, condition in (
        (predicates.contains("l", LIST, 4), lambda bins: 4 in bins["l"]),
        (predicates.range("l", LIST, 3, 5), lambda bins: any(3 <= item <= 5 for item in bins["l"])),
        (predicates.range("l", LIST, 0, 100), lambda bins: True),
        (predicates.contains("m", KEYS, "k2"), lambda bins: "k2" in bins["m"]),
        (predicates.contains("m", KEYS, "all"), lambda bins: True),
        (predicates.contains("m", VALUES, 3), lambda bins: 3 in bins["m"].values()),
        (predicates.range("m", VALUES, 2, 99), lambda bins: True),
    ):
        records = client.query("test", filled).where(predicate).results()
        assert found(records) == expected(condition), predicate


def test_a_record_with_many_entries_comes_once(client, fresh_set, indexes):
    """More entries than a server compares with each other."""
    for number in range(5):
        client.put(("test", fresh_set, number), {"number": number, "l": list(range(number, 300))})
    indexes("list", "l", NUMERIC, "l")
    query = client.query("test", fresh_set).where(predicates.range("l", LIST, 0, 1000))
    assert found(query.results()) == set(range(5))
    assert sorted(query.to_numpy(np.dtype([("number", "i8")]))["number"]) == [0, 1, 2, 3, 4]
    query.max_records = 3
    assert len(found(query.results())) == 3


def test_contexts_names_and_expressions(client, filled, indexes):
    ctx = [cdt_ctx.cdt_ctx_map_key("a")]
    indexes("list", "deep", NUMERIC, "deep", ctx=ctx)
    first = [*ctx, cdt_ctx.cdt_ctx_list_index(0)]
    indexes("single_value", "deep", NUMERIC, "first", ctx=first)
    named = indexes("single_value", "n", NUMERIC, "n")
    twice = exp.Mul(exp.IntBin("number"), 2).compile()
    indexes("expr", aerospike.INDEX_TYPE_DEFAULT, NUMERIC, twice, "twice")

    query = client.query("test", filled).where(predicates.contains("deep", LIST, 7), ctx)
    assert found(query.results()) == set(range(COUNT))
    query = client.query("test", filled).where(predicates.equals("deep", 3), ctx=first)
    assert found(query.results()) == expected(lambda bins: bins["deep"]["a"][0] == 3)
    for bin_name in ("n", None):
        predicate = predicates.between(bin_name, 0, 3)
        query = client.query("test", filled).where_with_index_name(named, predicate)
        assert found(query.results()) == expected(lambda bins: is_int(bins, 0, 3))
    for expression in (twice, client.get_expression_base64(twice)):
        query = client.query("test", filled).where_with_expr(expression, predicates.between(None, 10, 20))
        assert found(query.results()) == set(range(5, 11))


def test_places(client, filled, indexes):
    indexes("single_value", "g", GEO, "g")

    def is_near(bins):
        longitude, latitude = bins["g"].geo_data["coordinates"]
        return abs(longitude - 5) < 0.5 and abs(latitude - 5) < 0.5

    near = predicates.geo_within_radius("g", 5, 5, 50_000)
    assert found(client.query("test", filled).where(near).results()) == expected(is_near)
    box = '{"type": "Polygon", "coordinates": [[[-1, -1], [3.5, -1], [3.5, 2.5], [-1, 2.5], [-1, -1]]]}'
    inside = predicates.geo_within_geojson_region("g", box)

    def is_in_box(bins):
        longitude, latitude = bins["g"].geo_data["coordinates"]
        return longitude < 3.5 and latitude < 2.5

    in_box = expected(is_in_box)
    assert found(client.query("test", filled).where(inside).results()) == in_box


def test_regions_around_a_point(client, fresh_set, indexes):
    for number in range(6):
        west = number * 2
        ring = [[west, 0], [west + 3, 0], [west + 3, 3], [west, 3], [west, 0]]
        region = aerospike.GeoJSON({"type": "Polygon", "coordinates": [ring]})
        client.put(("test", fresh_set, number), {"r": region, "number": number})
    indexes("single_value", "r", GEO, "r")
    for predicate in (
        predicates.geo_contains_point("r", 4.5, 1.5),
        predicates.geo_contains_geojson_point("r", '{"type": "Point", "coordinates": [4.5, 1.5]}'),
    ):
        assert found(client.query("test", fresh_set).where(predicate).results()) == {1, 2}


def test_arrays_blocks_and_columns(client, filled, indexes):
    indexes("single_value", "n", NUMERIC, "n")
    dtype = np.dtype([("number", "i8"), ("s", "S4"), ("none", "i4")])
    wanted = expected(lambda bins: is_int(bins, 0, 20))

    def query():
        return client.query("test", filled).where(predicates.between("n", 0, 20))

    with pytest.warns(aerospike.MissingFieldWarning):
        rows = query().to_numpy(dtype)
    assert set(rows["number"].tolist()) == wanted
    assert len(rows) == len(wanted)
    assert not rows.present["none"].any()
    assert rows.present["s"].all()
    # Every record is a row, also without any of the bins.
    assert len(query().to_numpy(np.dtype([("nothing", "i8")]))) == len(wanted)
    sizes, numbers = [], set()
    with query().numpy_batches(np.dtype([("number", "i8")]), rows=16) as blocks:
        for block in blocks:
            sizes.append(len(block))
            numbers |= set(block["number"].tolist())
    assert numbers == wanted
    assert sum(sizes) == len(wanted)
    assert set(sizes[:-1]) <= {16}
    columns = query().to_arrow({"number": "int64"})
    assert len(columns) == len(wanted)


@pytest.mark.parametrize("low", [-10, 0])
def test_pages_and_resuming(client, filled, indexes, low):
    """Index values have a sign: pages go on behind negative ones."""
    indexes("single_value", "n", NUMERIC, "n")
    wanted = expected(lambda bins: is_int(bins, low, 30))
    query = client.query("test", filled).where(predicates.between("n", low, 30))
    query.max_records = 37
    query.paginate()
    pages = []
    while not query.is_done():
        pages.append(query.results())
        assert len(pages[-1]) <= 37
    assert found([record for page in pages for record in page]) == wanted
    assert all(len(page) == 37 for page in pages[:-2])

    # A run that stops in the middle, continued by another query.
    first = client.query("test", filled).where(predicates.between("n", low, 30))
    taken = []
    with first.records() as records:
        for record in records:
            if len(taken) == 50:
                break
            taken.append(record)
    status = first.get_partitions_status()
    assert all(isinstance(entry[4], int) for entry in status.values() if isinstance(entry, tuple))
    policy = {"partition_filter": {"partition_status": status}}
    rest = client.query("test", filled).where(predicates.between("n", low, 30)).results(policy)
    assert found([*taken, *rest]) == wanted


def test_resuming_into_arrays(client, filled, indexes):
    indexes("single_value", "n", NUMERIC, "n")
    dtype = np.dtype([("number", "i8")])
    wanted = sorted(expected(lambda bins: is_int(bins, -10, 30)))
    for kind in ("numpy", "arrow"):
        query = client.query("test", filled).where(predicates.between("n", -10, 30))
        numbers = []
        blocks = (
            query.numpy_batches(dtype, rows=40)
            if kind == "numpy"
            else query.arrow_batches({"number": "int64"}, rows=40)
        )
        with blocks:
            for block in blocks:
                if len(numbers) == 80:
                    break
                column = block["number"] if kind == "numpy" else block.to_pyarrow()["number"]
                numbers += column.tolist() if kind == "numpy" else column.to_pylist()
        policy = {"partition_filter": {"partition_status": query.get_partitions_status()}}
        rest = (
            client.query("test", filled)
            .where(predicates.between("n", -10, 30))
            .to_numpy(dtype, policy=policy)
        )
        assert sorted([*numbers, *rest["number"].tolist()]) == wanted, kind


def test_partitions_filters_and_limits(client, filled, indexes):
    indexes("single_value", "n", NUMERIC, "n")
    wanted = expected(lambda bins: is_int(bins, 0, 30))
    predicate = predicates.between("n", 0, 30)
    numbers = []
    for begin, count in ((0, 1000), (1000, 2000), (3000, 1096)):
        policy = {"partition_filter": {"begin": begin, "count": count}}
        numbers += client.query("test", filled).where(predicate).results(policy)
    assert found(numbers) == wanted
    is_even = exp.Eq(exp.Mod(exp.IntBin("number"), 2), 0).compile()
    records = client.query("test", filled).where(predicate).results({"expressions": is_even})
    assert found(records) == {number for number in wanted if number % 2 == 0}
    query = client.query("test", filled).where(predicate).select("number")
    query.max_records = 10
    assert len(found(query.results())) == 10
    headers = client.query("test", filled).where(predicate).results(None, {"nobins": True})
    assert len(headers) == len(wanted)
    assert all(record.bins == {} for record in headers)
    short = {"short_query": True}
    assert found(client.query("test", filled).where(predicate).results(short)) == wanted


def test_an_index_follows_its_records(client, filled, indexes):
    indexes("single_value", "n", NUMERIC, "n")

    def numbers():
        return found(client.query("test", filled).where(predicates.between("n", 1000, 2000)).results())

    assert numbers() == set()
    client.put(("test", filled, 5), {"n": 1500})
    client.operate(("test", filled, 6), [op.increment("n", 1200)])
    client.put(("test", filled, "new"), {"n": 1800, "number": 500})
    assert numbers() == {5, 6, 500}
    client.remove_bin(("test", filled, 5), ["n"])
    client.put(("test", filled, 6), {"n": "text"})
    client.remove(("test", filled, "new"))
    assert numbers() == set()


def test_a_namespace_wide_index(client, filled):
    name = f"{filled}_all"
    bin_name = filled[:13]
    client.put(("test", filled, "wide"), {bin_name: 7, "number": 1000})
    assert client.index_single_value_create("test", None, bin_name, NUMERIC, name, SLOW) == 0
    try:
        query = client.query("test").where(predicates.equals(bin_name, 7))
        assert found(query.results()) == {1000}
        [index] = [index for index in client.index_list("test", SLOW) if index["name"] == name]
        assert (index["set"], index["bin"]) == (None, bin_name)
    finally:
        client.index_remove("test", name, SLOW)


# -- managing indexes


def test_older_names_and_listing(client, filled, indexes):
    created = {
        indexes("integer", "n", "n"): ("n", "default", "numeric"),
        indexes("string", "s", "s"): ("s", "default", "string"),
        indexes("blob", "b", "b"): ("b", "default", "blob"),
        indexes("geo2dsphere", "g", "g"): ("g", "default", "geo2dsphere"),
        indexes("map_keys", "m", STRING, "mk"): ("m", "mapkeys", "string"),
        indexes("map_values", "m", NUMERIC, "mv"): ("m", "mapvalues", "numeric"),
    }
    name = f"{filled}_cdt"
    ctx = [cdt_ctx.cdt_ctx_map_key("a")]
    client.index_cdt_create("test", filled, "deep", LIST, NUMERIC, name, ctx, SLOW)
    created[name] = ("deep", "list", "numeric")
    try:
        listed = {index["name"]: index for index in client.index_list("test", SLOW)}
        for name, properties in created.items():
            index = listed[name]
            assert (index["bin"], index["index_type"], index["index_datatype"]) == properties
            assert (index["namespace"], index["set"], index["state"]) == ("test", filled, "ready")
        assert listed[name]["ctx"] == client.get_cdtctx_base64(ctx)
    finally:
        client.index_remove("test", name, SLOW)
    assert name not in {index["name"] for index in client.index_list("test", SLOW)}


def test_an_index_of_a_set(client, filled, server):
    if not isinstance(server, RealServer):
        pytest.skip("the embedded server has no indexes of sets")
    name = f"{filled}_set"
    try:
        assert client.index_set_create("test", filled, name, SLOW) == 0
        [index] = [index for index in client.index_list("test", SLOW) if index["name"] == name]
        assert (index["index_type"], index["set"], index["bin"]) == ("set", filled, None)
        assert len(client.query("test", filled).results()) == COUNT
    finally:
        client.index_remove("test", name, SLOW)


def test_waiting(client, filled, indexes):
    name = indexes("single_value", "n", NUMERIC, "n", wait_timeout=0)
    client.index_wait_till_complete("test", name, 30_000)
    assert client.query("test", filled).where(predicates.equals("n", 1)).results()
    with pytest.raises(aerospike.IndexNotFound, match=r'no node knows index "t\w+_none"'):
        client.index_wait_till_complete("test", f"{filled}_none", 5_000)


def test_an_index_that_exists(client, filled, indexes):
    name = indexes("single_value", "n", NUMERIC, "n")
    assert client.index_single_value_create("test", filled, "n", NUMERIC, name, SLOW) == 0
    with pytest.raises(aerospike.IndexFoundError) as error:
        client.index_single_value_create("test", filled, "s", STRING, name, SLOW)
    assert error.value.code == 200
    assert f'index "{name}" exists with other properties; remove it with index_remove() first' in str(
        error.value
    )
    assert client.index_remove("test", f"{filled}_never", SLOW) == 0


def test_the_same_index_under_another_name_is_renamed(client, filled, indexes):
    """So does a real server."""
    name = indexes("single_value", "n", NUMERIC, "old")
    assert client.index_single_value_create("test", filled, "n", NUMERIC, f"{filled}_new", SLOW) == 0
    try:
        names = [index["name"] for index in client.index_list("test") if index["set"] == filled]
        assert names == [f"{filled}_new"]
        between = predicates.between("n", 0, 5)
        assert client.query("test", filled).where(between).results()
        with pytest.raises(aerospike.IndexNotFound, match=f'no index "{name}"'):
            client.query("test", filled).where_with_index_name(name, between).results()
    finally:
        assert client.index_remove("test", f"{filled}_new", SLOW) == 0


def test_predicates_without_their_index(client, filled, indexes):
    indexes("single_value", "n", NUMERIC, "n")
    policy = {"max_retries": 0}
    for predicate, what in (
        (predicates.equals("n", "text"), f'string index on bin "n", on set "{filled}"'),
        (predicates.equals("s", "s1"), 'string index on bin "s"'),
        (predicates.contains("n", LIST, 1), 'numeric index on list elements of bin "n"'),
    ):
        query = client.query("test", filled).where(predicate)
        with pytest.raises(aerospike.IndexNotFound) as error:
            query.results(policy)
        assert error.value.code == 201
        assert what in str(error.value)
        assert "create it first" in str(error.value)
        with pytest.raises(aerospike.IndexNotFound):
            query.to_numpy(np.dtype([("n", "i8")]), policy=policy)
    query = client.query("test", filled).where_with_index_name("nowhere", predicates.equals(None, 1))
    with pytest.raises(aerospike.IndexNotFound, match='index "nowhere"'):
        query.results(policy)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: c.index_single_value_create("test", "s", "n", 99, "i"), "index_datatype is 99"),
        (lambda c: c.index_single_value_create("test", "s", "n", "x", "i"), "index_datatype is 'x'"),
        (lambda c: c.index_single_value_create("", "s", "n", NUMERIC, "i"), "ns is ''"),
        (lambda c: c.index_single_value_create("test", 5, "n", NUMERIC, "i"), "set is 5"),
        (lambda c: c.index_single_value_create("test", "s", "a;b", NUMERIC, "i"), 'bin is "a;b"'),
        (lambda c: c.index_single_value_create("test", "s", "n", NUMERIC, ""), "name is ''"),
        (lambda c: c.index_single_value_create("test", "s", "n", NUMERIC, "i", {"timeut": 1}), "timeut"),
        (lambda c: c.index_single_value_create("test", "s", "n", NUMERIC, "i", None, 5), "ctx is 5"),
        (
            lambda c: c.index_single_value_create("test", "s", "n", NUMERIC, "i", wait_timeout=-1),
            "wait_timeout",
        ),
        (lambda c: c.index_map_keys_create("test", "s", "n", GEO, "i"), "INDEX_GEO2DSPHERE"),
        (
            lambda c: c.index_expr_create("test", "s", 9, NUMERIC, exp.IntBin("a").compile(), "i"),
            "index_type is 9",
        ),
        (lambda c: c.index_expr_create("test", "s", 0, NUMERIC, 5, "i"), "expressions is 5"),
        (lambda c: c.index_remove("test", 5), "name is 5"),
        (lambda c: c.index_wait_till_complete("test", "i", "soon"), "timeout is 'soon'"),
        (lambda c: c.job_info("x", "query"), "job_id is 'x'"),
        (lambda c: c.job_info(1, "jobs"), "module is 'jobs'"),
    ],
)
def test_wrong_arguments_are_named(client, call, message):
    with pytest.raises(aerospike.AerospikeError) as error:
        call(client)
    assert error.value.code in (-2, 21)
    assert message in str(error.value)


def test_the_server_refuses_a_name_that_is_too_long(client):
    for bin, name in (("n", "i" * 300), ("x" * 16, "i")):
        with pytest.raises(aerospike.InvalidRequest, match="too long") as error:
            client.index_single_value_create("test", "s", bin, NUMERIC, name)
        assert error.value.code == 4


def test_a_second_predicate_is_refused(client, fresh_set):
    """It must not replace the first: the query would return records that the first leaves out."""
    first, second = predicates.equals("s", "s1"), predicates.equals("n", 1)
    query = client.query("test", fresh_set)
    query.where(first)
    for call in (
        lambda: query.where(second),
        lambda: query.where_with_index_name("name", second),
        lambda: query.where_with_expr(exp.IntBin("n"), second),
    ):
        with pytest.raises(aerospike.ParamError, match="has a predicate already; put further"):
            call()
    query = client.query("test", fresh_set)
    with pytest.raises(aerospike.ParamError):
        query.where(predicates.equals(None, 1))
    query.where(second)  # one that was refused does not count


def test_wrong_predicates_are_named(client, fresh_set):
    query = client.query("test", fresh_set)
    good = predicates.equals("n", 1)
    for call, message in (
        (lambda: query.where(5), "predicate is 5"),
        (lambda: query.where(("n", 1)), "predicate is ('n', 1)"),
        (lambda: query.where((0, 4, "n", "x")), "val is 'x'"),
        (lambda: query.where((1, 4, "n", 5, 1)), "min is 5 and max is 1"),
        (lambda: query.where((0, 0, "s", "x" * 3000)), "predicate is refused"),
        (lambda: query.where(predicates.equals(None, 1)), "predicate has no bin"),
        (lambda: query.where(good, [5]), "ctx[0] is 5"),
        (lambda: query.where_with_index_name(5, good), "index_name is 5"),
        (lambda: query.where_with_index_name(None, good), "index_name is None"),
        (lambda: query.where_with_expr("%%", good), "expr is '%%'"),
        (lambda: query.where_with_expr(None, good), "expr is None"),
    ):
        with pytest.raises(aerospike.ParamError) as error:
            call()
        assert message in str(error.value)
    digest = {"partition_filter": {"digest": {"init": True, "value": bytes(20)}}}
    with pytest.raises(aerospike.ParamError, match='pass "partition_status" to continue it'):
        client.query("test", fresh_set).where(good).results(digest)


# -- operations and background queries


def test_operations_that_read(client, filled, indexes):
    query = client.query("test", filled)
    query.add_ops([op.read("number"), lists.list_size("l"), lists.list_get("l", 0)])
    records = query.results()
    assert found(records) == set(range(COUNT))
    assert all(record.bins["l"] == record.bins["number"] % 10 for record in records)
    indexes("single_value", "n", NUMERIC, "n")
    query = client.query("test", filled).where(predicates.between("n", 0, 5))
    query.add_ops([op.read("number"), lists.list_size("l")])
    assert found(query.results()) == expected(lambda bins: is_int(bins, 0, 5))
    for run in (
        lambda: query.to_numpy(np.dtype([("n", "i8")])),
        lambda: query.to_arrow({"n": "int64"}),
        lambda: query.select("n").results(),
        lambda: query.select().results(None, {"nobins": True}),
        lambda: client.query("test", filled).add_ops([op.write("n", 1)]).results(),
        lambda: client.query("test", filled).add_ops([]),
    ):
        with pytest.raises(aerospike.ParamError):
            run()


def wait_for(client, job, seconds=60):
    deadline = time.monotonic() + seconds
    while True:
        info = client.job_info(job, aerospike.JOB_QUERY, SLOW)
        assert set(info) == {"progress_pct", "records_read", "status"}
        if info["status"] == aerospike.JOB_STATUS_COMPLETED:
            return info
        assert time.monotonic() < deadline, info
        time.sleep(0.02)


def test_background_queries_change_each_record_once(client, filled, indexes):
    query = client.query("test", filled).add_ops([op.increment("times", 1), lists.list_append("log", 1)])
    info = wait_for(client, query.execute_background())
    assert info["progress_pct"] == 100
    assert info["records_read"] == COUNT
    records = client.query("test", filled).results()
    assert all(record.bins["times"] == 1 and record.bins["log"] == [1] for record in records)

    indexes("single_value", "n", NUMERIC, "n")
    query = client.query("test", filled).where(predicates.between("n", 0, 9)).add_ops([op.write("hit", 5)])
    query.ttl = 1000
    wait_for(client, query.execute_background({"expressions": exp.LT(exp.IntBin("number"), 100)}))
    hit = {
        record.bins["number"]: record.meta["ttl"]
        for record in client.query("test", filled).results()
        if "hit" in record.bins
    }
    assert set(hit) == {number for number in expected(lambda bins: is_int(bins, 0, 9)) if number < 100}
    assert all(900 < ttl <= 1000 for ttl in hit.values())


def test_background_queries_that_cannot_be(client, filled):
    query = client.query("test", filled)
    write = [op.write("x", 1)]
    with pytest.raises(
        aerospike.ParamError, match=r"no operations and no function; pass them to add_ops\(\)"
    ):
        query.execute_background()
    with pytest.raises(aerospike.ParamError, match="operations that read"):
        client.query("test", filled).add_ops([*write, op.read("n")]).execute_background()
    query.add_ops(write)
    for policy, message in (
        ({"exists": aerospike.POLICY_EXISTS_CREATE}, '"exists" is for new records only'),
        ({"gen": aerospike.POLICY_GEN_EQ}, '"gen" compares generations'),
        ({"unknown": 1}, "unknown key 'unknown'"),
    ):
        with pytest.raises(aerospike.ParamError) as error:
            query.execute_background(policy)
        assert message in str(error.value)
    query.where(predicates.equals("n", 1))
    with pytest.raises(aerospike.IndexNotFound, match='numeric index on bin "n"') as caught:
        query.execute_background()
    assert not caught.value.in_doubt
    assert all("x" not in record.bins for record in client.query("test", filled).results())
    # A set without records has nothing to change.
    assert client.query("test", f"{filled}-").add_ops(write).execute_background() > 0
    unknown = {"progress_pct": 0, "records_read": 0, "status": aerospike.JOB_STATUS_COMPLETED}
    assert client.job_info(12345, aerospike.JOB_SCAN, SLOW) == unknown


# -- against a filter in Python


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(
        st.one_of(
            st.integers(-5, 5),
            st.sampled_from([-(2**63), 2**63 - 1]),
            st.text("ab", max_size=2),
            st.none(),
            st.lists(st.integers(-3, 3), max_size=3),
        ),
        max_size=12,
    ),
    low=st.integers(-6, 6),
    width=st.integers(0, 6),
    text=st.text("ab", max_size=2),
)
def test_predicates_equal_a_filter_in_python(property_set, values, low, width, text):
    client, name = property_set
    for number, value in enumerate(values):
        bins = {"number": number, **({} if value is None else {"v": value})}
        client.put(("test", name, number), bins, policy={"exists": aerospike.POLICY_EXISTS_CREATE_OR_REPLACE})
    for number in range(len(values), 12):
        with contextlib.suppress(aerospike.RecordNotFound):
            client.remove(("test", name, number))

    def check(predicate, condition):
        wanted = {number for number, value in enumerate(values) if condition(value)}
        assert found(client.query("test", name).where(predicate).results()) == wanted, predicate

    high = low + width

    def is_in(value):
        return isinstance(value, int) and low <= value <= high

    check(predicates.equals("v", low), lambda value: isinstance(value, int) and value == low)
    check(predicates.between("v", low, high), is_in)
    check(predicates.between("v", -(2**63), low), lambda value: isinstance(value, int) and value <= low)
    check(predicates.equals("v", text), lambda value: value == text)
    check(predicates.contains("v", LIST, low), lambda value: isinstance(value, list) and low in value)
    check(
        predicates.range("v", LIST, low, high),
        lambda value: isinstance(value, list) and any(is_in(item) for item in value),
    )


@pytest.fixture(scope="module")
def property_set(config):
    name = f"properties{threading.get_ident() % 100_000}"
    client = aerospike.client(config).connect()
    made = [f"{name}_{kind}" for kind in ("n", "s", "l")]
    client.index_single_value_create("test", name, "v", NUMERIC, made[0], SLOW)
    client.index_single_value_create("test", name, "v", STRING, made[1], SLOW)
    client.index_list_create("test", name, "v", NUMERIC, made[2], SLOW)
    yield client, name
    for index in made:
        client.index_remove("test", index, SLOW)
    for number in range(12):
        with contextlib.suppress(aerospike.RecordNotFound):
            client.remove(("test", name, number))
    client.close()
