"""Indexes, predicates and background queries: the official client's requests, and the same records."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

import aerospike_py
from aerospike_py import cdt_ctx, expressions, predicates
from aerospike_py import operations as op
from tests.support.frames import HEADER, parse
from tests.support.proxy import Proxy

aerospike = pytest.importorskip("aerospike", exc_type=ModuleNotFoundError)
official_predicates = pytest.importorskip("aerospike.predicates")
official_ctx = pytest.importorskip("aerospike_helpers.cdt_ctx")
official_exp = pytest.importorskip("aerospike_helpers.expressions.base")
official_op = pytest.importorskip("aerospike_helpers.operations.operations")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SLOW = {"timeout": 30_000}
LIST, KEYS, VALUES = aerospike.INDEX_TYPE_LIST, aerospike.INDEX_TYPE_MAPKEYS, aerospike.INDEX_TYPE_MAPVALUES
CIRCLE = '{"type": "AeroCircle", "coordinates": [[1.0, 2.0], 3.0]}'
POINT = '{"type": "Point", "coordinates": [1.0, 2.0]}'
TASK_ID = 7

PREDICATES = [
    ("equals", ("n", 5)),
    ("equals", ("n", -(2**63))),
    ("equals", ("s", "ü")),
    ("equals", ("s", "")),
    ("equals", ("b", b"\0x")),
    ("equals", ("b", bytearray(b"x"))),
    ("between", ("n", -3, 9)),
    ("contains", ("l", LIST, 3)),
    ("contains", ("m", KEYS, "k1")),
    ("contains", ("m", VALUES, b"x")),
    ("range", ("m", VALUES, 1, 3)),
    ("range", ("n", 0, 1, 3)),
    ("geo_within_geojson_region", ("g", CIRCLE)),
    ("geo_within_geojson_region", ("g", CIRCLE, LIST)),
    ("geo_within_radius", ("g", 1.0, 2.0, 3.0)),
    ("geo_within_radius", ("g", 1, 2, 3, VALUES)),
    ("geo_contains_geojson_point", ("g", POINT)),
    ("geo_contains_point", ("g", 1.0, 2.0)),
    ("geo_contains_point", ("g", 1, 2, KEYS)),
]


class Log(dict[int, bytes]):
    """Where a proxy puts the last request of each type; this keeps all of them."""

    def __init__(self) -> None:
        super().__init__()
        self.all: list[bytes] = []

    def __setitem__(self, kind: int, frame: bytes) -> None:
        self.all.append(frame)


class Sends:
    """A client behind a proxy; what a call sends, apart from what differs each time."""

    def __init__(self, proxy: Proxy, client: Any) -> None:
        self.client = client
        self.log = proxy.requests = Log()

    def of(self, call: Any) -> list[Any]:
        self.log.all.clear()
        with contextlib.suppress(aerospike.exception.AerospikeError, aerospike_py.AerospikeError):
            call(self.client)
        sent: list[Any] = []
        for frame in list(self.log.all):
            if frame[1] == 1:
                command = frame[8:].decode().strip()
                if command.startswith(("sindex", "query-show")) and command not in sent:
                    sent.append(command)
            elif frame[1] == 3:
                header = HEADER.unpack_from(frame[8:])
                request = parse(frame)
                fields = {kind: data for kind, data in request.fields.items() if kind != TASK_ID}
                sent.append((header[:5], request.ttl, fields, request.ops))
        return sent


@pytest.fixture(scope="module")
def sends(server: Any) -> Iterator[tuple[Sends, Sends]]:
    with contextlib.ExitStack() as stack:
        proxies = [stack.enter_context(Proxy(server.hosts[0])) for _ in range(2)]
        official = aerospike.client({"hosts": [proxies[0].address], "tend_interval": 1_000_000}).connect()
        stack.callback(official.close)
        config: Any = {"hosts": [proxies[1].address], "tend_interval": 60_000}
        ours = stack.enter_context(aerospike_py.client(config).connect())
        yield Sends(proxies[0], official), Sends(proxies[1], ours)


@pytest.mark.parametrize(("name", "arguments"), PREDICATES)
def test_predicates_are_the_same_tuples(name: str, arguments: tuple[Any, ...]) -> None:
    theirs = getattr(official_predicates, name)(*arguments)
    assert getattr(predicates, name)(*arguments) == theirs


def test_every_predicate_of_the_official_client_is_here() -> None:
    theirs = {name for name in dir(official_predicates) if not name.startswith("_")}
    assert theirs == set(predicates.__all__)


@pytest.mark.parametrize(("name", "arguments"), PREDICATES)
def test_queries_are_the_same_requests(
    sends: tuple[Sends, Sends], name: str, arguments: tuple[Any, ...]
) -> None:
    theirs, ours = sends
    predicate = getattr(official_predicates, name)(*arguments)
    policy = {"max_retries": 0, "partition_filter": {"begin": 5, "count": 3}}

    def query(client: Any) -> Any:
        made = client.query("test", "interop")
        made.where(predicate)
        return made.results(policy)

    sent = ours.of(query)
    assert sent == theirs.of(query)
    assert len(sent) == 1


def test_other_ways_to_an_index_are_the_same_requests(sends: tuple[Sends, Sends]) -> None:
    theirs, ours = sends
    policy = {"max_retries": 0, "partition_filter": {"begin": 5, "count": 3}}

    def query(how: str, *arguments: Any) -> Any:
        def call(client: Any) -> Any:
            made = client.query("test", "interop")
            getattr(made, how)(*arguments)
            return made.results(policy)

        return call

    for how, official, own in (
        ("where", [official_ctx.cdt_ctx_list_index(1)], [cdt_ctx.cdt_ctx_list_index(1)]),
        ("where", [official_ctx.cdt_ctx_map_key("k")], [cdt_ctx.cdt_ctx_map_key("k")]),
        ("where_with_index_name", "name", "name"),
        ("where_with_expr", official_exp.IntBin("n").compile(), expressions.IntBin("n").compile()),
    ):
        for predicate in (predicates.equals("n", 1), predicates.range("n", LIST, 1, 2)):
            official_arguments = (predicate, official) if how == "where" else (official, predicate)
            own_arguments = (predicate, own) if how == "where" else (own, predicate)
            sent = ours.of(query(how, *own_arguments))
            assert sent == theirs.of(query(how, *official_arguments)), how
            assert len(sent) == 1


CREATE = [
    ("index_single_value_create", ("n", aerospike.INDEX_NUMERIC)),
    ("index_single_value_create", ("s", aerospike.INDEX_STRING)),
    ("index_single_value_create", ("b", aerospike.INDEX_BLOB)),
    ("index_single_value_create", ("g", aerospike.INDEX_GEO2DSPHERE)),
    ("index_single_value_create", ("n", aerospike.INDEX_INTEGER)),
    ("index_list_create", ("l", aerospike.INDEX_NUMERIC)),
    ("index_map_keys_create", ("m", aerospike.INDEX_STRING)),
    ("index_map_values_create", ("m", aerospike.INDEX_NUMERIC)),
    ("index_integer_create", ("n",)),
    ("index_string_create", ("s",)),
    ("index_blob_create", ("b",)),
    ("index_geo2dsphere_create", ("g",)),
]


@pytest.mark.parametrize("set_name", ["interop", None])
def test_indexes_are_created_by_the_same_commands(sends: tuple[Sends, Sends], set_name: str | None) -> None:
    theirs, ours = sends
    expression = official_exp.IntBin("n").compile()
    calls = [
        *(
            (
                name,
                lambda c, n=name, a=arguments, i="interop_ix": getattr(c, n)("test", set_name, *a, i, SLOW),
            )
            for name, arguments in CREATE
        ),
        ("expr", lambda c: c.index_expr_create("test", set_name, LIST, 0, expression, "interop_ix", SLOW)),
        ("remove", lambda c: c.index_remove("test", "interop_ix", SLOW)),
        ("job", lambda c: c.job_info(12345, "query", SLOW)),
    ]
    if set_name is not None:
        calls.append(("set", lambda c: c.index_set_create("test", set_name, "interop_ix", SLOW)))
    for name, call in calls:
        try:
            assert ours.of(call) == theirs.of(call), name
        finally:
            ours.client.index_remove("test", "interop_ix", SLOW)
    context = [official_ctx.cdt_ctx_list_index(1)]
    with_context = [
        lambda c: c.index_single_value_create("test", set_name, "l", 4, "interop_ix", SLOW, context),
        lambda c: c.index_list_create("test", set_name, "l", 4, "interop_ix", SLOW, context),
        lambda c: c.index_cdt_create("test", set_name, "l", LIST, 4, "interop_ix", context, SLOW),
    ]
    for call in with_context:
        try:
            assert ours.of(call) == theirs.of(call)
        finally:
            ours.client.index_remove("test", "interop_ix", SLOW)


def test_background_queries_are_the_same_requests(sends: tuple[Sends, Sends]) -> None:
    theirs, ours = sends
    is_big = official_exp.GT(official_exp.IntBin("n"), 2).compile()

    def background(policy: dict[str, Any] | None, where: Any = None, **named: Any) -> Any:
        def call(client: Any) -> Any:
            made = client.query("test", "interop-none")
            if where is not None:
                made.where(*where)
            made.add_ops([official_op.write("a", 1), official_op.increment("n", 2)])
            for name, value in named.items():
                setattr(made, name, value)
            return made.execute_background(*([] if policy is None else [policy]))

        return call

    for call in (
        background(None),
        background({"expressions": is_big}),
        background({"durable_delete": True}),
        background({"exists": aerospike.POLICY_EXISTS_REPLACE, "socket_timeout": 777}),
        background(None, records_per_second=300),
        background(None, ttl=500),
        background(None, (predicates.equals("n", 1),)),
        background(None, (predicates.contains("n", LIST, 1), [official_ctx.cdt_ctx_list_index(1)])),
    ):
        sent = ours.of(call)
        assert sent == theirs.of(call)
        assert len(sent) == 1


# -- the same records


@pytest.fixture
def filled(client: Any, fresh_set: str) -> Iterator[str]:
    for number in range(120):
        bins = {
            "n": number % 20 - 5,
            "s": f"s{number % 4}",
            "l": [number % 6, 9],
            "m": {f"k{number % 3}": number},
        }
        client.put(("test", fresh_set, number), bins)
    names = [f"{fresh_set}_{short}" for short in "nslm"]
    client.index_single_value_create("test", fresh_set, "n", aerospike.INDEX_NUMERIC, names[0], SLOW)
    client.index_single_value_create("test", fresh_set, "s", aerospike.INDEX_STRING, names[1], SLOW)
    client.index_list_create("test", fresh_set, "l", aerospike.INDEX_NUMERIC, names[2], SLOW)
    client.index_map_keys_create("test", fresh_set, "m", aerospike.INDEX_STRING, names[3], SLOW)
    yield fresh_set
    for name in names:
        client.index_remove("test", name, SLOW)


def test_both_clients_find_the_same_records(official: Any, client: Any, filled: str) -> None:
    for predicate in (
        predicates.equals("n", -2),
        predicates.between("n", -5, 4),
        predicates.equals("s", "s2"),
        predicates.contains("l", LIST, 3),
        predicates.contains("l", LIST, 9),
        predicates.range("l", LIST, 2, 4),
        predicates.contains("m", KEYS, "k1"),
    ):
        query = official.query("test", filled)
        query.where(predicate)
        theirs = sorted((bytes(record[0][3]), record[2]) for record in query.results())
        ours = client.query("test", filled).where(predicate).results()
        assert sorted((record.key.digest, record.bins) for record in ours) == theirs, predicate


def test_one_client_continues_where_the_other_stopped(official: Any, client: Any, filled: str) -> None:
    predicate = predicates.between("n", -5, 14)
    both = (official, client)
    for first, second in (both, both[::-1]):
        begin = first.query("test", filled)
        begin.where(predicate)
        begin.max_records = 45
        begin.paginate()
        digests = [bytes(record[0][3]) for record in begin.results()]
        status = begin.get_partitions_status()
        rest = second.query("test", filled)
        rest.where(predicate)
        policy = {"partition_filter": {"begin": 0, "count": 4096, "partition_status": status}}
        digests += [bytes(record[0][3]) for record in rest.results(policy)]
        assert len(digests) == len(set(digests)) == 120


def test_both_clients_ask_about_the_same_job(official: Any, client: Any, filled: str) -> None:
    job = client.query("test", filled).add_ops([op.write("a", 1)]).execute_background()
    deadline = time.monotonic() + 60
    while client.job_info(job, "query", SLOW)["status"] != aerospike.JOB_STATUS_COMPLETED:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert client.job_info(job, "query", SLOW) == official.job_info(job, "query", SLOW)
