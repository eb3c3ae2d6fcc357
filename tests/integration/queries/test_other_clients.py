"""The same queries by the official client, aerospike-native and this client."""

from __future__ import annotations

import contextlib

import pytest

import aerospike_py
from tests.support.records import put_as_it_is
from tests.support.twins import aerospike, shown

aerospike_native = pytest.importorskip("aerospike_native", exc_type=ModuleNotFoundError)

# The official client warns of deprecated calls.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SEND = {"key": aerospike.POLICY_KEY_SEND}
PARTITIONS = {"begin": 0, "count": 2048}


def fill(twin, name, count=200):
    """Records of every type of value; every second one stores its key, every third one expires."""
    for number in range(count):
        bins = {
            "n": number,
            "f": number / 3,
            "s": f"s{number % 5}",
            "l": [number, ["x", None]],
            "m": {"k": number, "b": bytearray(b"\0x")},
            "o": twin.KeyOrderedDict({"z": 1, "a": number}),
            "g": twin.GeoJSON({"type": "Point", "coordinates": [number / 10, 1.5]}),
        }
        policy = {"ttl": 10_000 if number % 3 == 0 else 0, **(SEND if number % 2 else {})}
        twin.client.put(("test", name, number), bins, None, policy)


def comparable(records):
    """Records sorted by digest, as text that tells types apart; times to live rounded to minutes."""
    found = []
    for (namespace, name, key, digest), meta, bins in records:
        ttl = meta["ttl"]
        life = ttl if ttl == aerospike.TTL_NEVER_EXPIRE else -(-ttl // 60)
        found.append((bytes(digest), namespace, name, key, meta["gen"], life, shown(bins)))
    return sorted(found, key=lambda record: record[0])


@pytest.mark.parametrize("writer", [0, 1], ids=["official", "ours"])
def test_the_records_are_the_same(twins, fresh_set, writer):
    fill(twins[writer], fresh_set)
    official, ours = (comparable(twin.client.query("test", fresh_set).results()) for twin in twins)
    assert len(ours) == 200
    assert ours == official


@pytest.mark.parametrize(
    ("bins", "policy", "options"),
    [
        (("n",), None, None),
        (("nobin", "s"), None, None),
        (("nobin",), None, None),
        ((), None, {"nobins": True}),
        ((), {"partition_filter": PARTITIONS}, None),
        ((), {"partition_filter": {"begin": 4095, "count": 1}}, None),
        ((), {"expected_duration": aerospike.QUERY_DURATION_SHORT}, None),
        ((), {"replica": aerospike.POLICY_REPLICA_MASTER, "max_retries": 1}, None),
    ],
)
def test_selections_return_the_same(twins, fresh_set, bins, policy, options):
    fill(twins[0], fresh_set)

    def found(twin):
        query = twin.client.query("test", fresh_set)
        if bins:
            query.select(*bins)
        return comparable(
            query.results(*(argument for argument in (policy or {}, options) if argument is not None))
        )

    assert found(twins[1]) == found(twins[0])


def test_pages_are_the_same_records(twins, fresh_set):
    fill(twins[0], fresh_set)

    def pages(twin):
        query = twin.client.query("test", fresh_set)
        query.max_records = 30
        query.paginate()
        found = []
        while not query.is_done():
            page = query.results()
            assert len(page) <= 30
            found += page
        return comparable(found)

    official, ours = map(pages, twins)
    assert len(ours) == len({record[0] for record in ours}) == 200
    assert ours == official


def test_foreach_makes_the_same_calls(twins, fresh_set):
    fill(twins[0], fresh_set)

    def calls(twin, policy, stop):
        found = []
        query = twin.client.query("test", fresh_set)

        def callback(*arguments):
            found.append(arguments)
            return not stop

        query.foreach(callback, policy)
        return sorted((len(call), call[0] if len(call) == 2 else None) for call in found)

    for policy in ({}, {"partition_filter": PARTITIONS}):
        assert calls(twins[1], policy, False) == calls(twins[0], policy, False)
    assert len(calls(twins[1], {}, True)) == len(calls(twins[0], {}, True)) == 1


@pytest.mark.parametrize("first", [0, 1], ids=["official", "ours"])
def test_one_client_continues_the_query_of_the_other(twins, fresh_set, first):
    fill(twins[0], fresh_set)
    query = twins[first].client.query("test", fresh_set)
    query.max_records = 80
    query.paginate()
    whole = {"begin": 0, "count": 4096}
    begun = query.results({"partition_filter": whole})
    rest = twins[1 - first].client.query("test", fresh_set)
    status = query.get_partitions_status()
    second = rest.results({"partition_filter": {**whole, "partition_status": status}})
    assert (len(begun), len(second)) == (80, 120)
    both = {bytes(record[0][3]) for record in [*begun, *second]}
    assert len(both) == 200


@pytest.mark.parametrize("ends", ["returns False", "raises"])
def test_a_query_that_stops_continues_with_the_same_record(twins, fresh_set, ends):
    fill(twins[0], fresh_set, 100)

    def rest(twin):
        seen = []

        def callback(partition, record):
            seen.append(bytes(record[0][3]))
            if len(seen) == 6 and ends == "raises":
                raise KeyError("from the callback")
            return len(seen) < 6

        query = twin.client.query("test", fresh_set)
        with contextlib.suppress(KeyError, aerospike.exception.ClientError):
            query.foreach(callback, {"partition_filter": {}})
        status = query.get_partitions_status()
        following = twin.client.query("test", fresh_set)
        found = following.results({"partition_filter": {"partition_status": status}})
        again = {bytes(record[0][3]) for record in found} & set(seen)
        return len(seen), len(found), again == {seen[5]}, following.is_done()

    official, ours = map(rest, twins)
    assert ours == (6, 95, True, True)
    assert ours == official


@pytest.mark.parametrize("filter_", [{}, {"begin": 0, "count": 4096}, {"begin": 0, "count": 2048}])
@pytest.mark.parametrize("is_same_dict", [True, False])
def test_runs_with_a_partition_filter_page(twins, fresh_set, filter_, is_same_dict):
    fill(twins[0], fresh_set, 100)

    def pages(twin):
        query = twin.client.query("test", fresh_set)
        query.max_records = 40
        policy = {"partition_filter": filter_}
        found = []
        while not query.is_done():
            page = query.results(policy if is_same_dict else {"partition_filter": dict(filter_)})
            found.append((len(page), query.is_done()))
        return found

    official, ours = map(pages, twins)
    assert ours == official
    if filter_.get("count") != 2048:
        assert ours == [(40, False), (40, False), (20, True)]


@pytest.mark.parametrize(
    "call",
    [
        lambda twin, query: twin.client.query(None, None),
        lambda twin, query: twin.client.query(5),
        lambda twin, query: twin.client.query(b"test"),
        lambda twin, query: twin.client.query("test", 5),
        lambda twin, query: twin.client.query("test", b"s"),
        lambda twin, query: query.select(22),
        lambda twin, query: query.select(None),
        lambda twin, query: query.select(["a", "b"]),
        lambda twin, query: query.select("a", 5),
        lambda twin, query: query.results(5),
        lambda twin, query: query.results({}, 5),
        lambda twin, query: query.results({"partition_filter": 5}),
        lambda twin, query: query.results({"partition_filter": {"begin": -1}}),
        lambda twin, query: query.results({"max_retries": "x"}),
        lambda twin, query: query.results({}, {"nobins": 1}),
        lambda twin, query: query.foreach(print, 5),
        lambda twin, query: query.foreach(print, {}, 5),
        lambda twin, query: query.foreach(),
        lambda twin, query: query.paginate(5),
        lambda twin, query: setattr(query, "max_records", "x"),
        lambda twin, query: setattr(query, "max_records", None),
        lambda twin, query: setattr(query, "records_per_second", 2.5),
        lambda twin, query: setattr(query, "ttl", "x"),
    ],
)
def test_wrong_arguments_are_refused_alike(twins, fresh_set, call):
    """A ParamTypeError is both the ParamError and the TypeError that the official client raises."""

    def caught_from(twin):
        with pytest.raises(Exception) as caught:
            call(twin, twin.client.query("test", fresh_set))
        return caught.value

    official, ours = map(caught_from, twins)
    assert type(official).__name__ in [kind.__name__ for kind in type(ours).__mro__]
    assert getattr(official, "code", None) in (None, getattr(ours, "code", None))


@pytest.mark.embedded
def test_records_whose_keys_have_other_types_are_read_alike(twins, fresh_set, server):
    fill(twins[0], fresh_set, 10)
    for number, key in enumerate([b"\x02" + bytes(8), b"\x14\x90", b"\x63?"]):
        digest = aerospike_py.calc_digest("test", fresh_set, f"odd {number}")
        place = ("test", fresh_set)
        put_as_it_is(server.hosts[0], place, b"n", bytes(8), 1, stored_key=key, digest=digest)
    official, ours = (comparable(twin.client.query("test", fresh_set).results()) for twin in twins)
    assert len(ours) == 13
    assert ours == official


def test_the_official_scan_reads_the_same(twins, fresh_set):
    fill(twins[0], fresh_set)
    scan = twins[0].client.scan("test", fresh_set)
    assert comparable(scan.results()) == comparable(twins[1].client.query("test", fresh_set).results())


def test_aerospike_native_reads_the_same(native, client, fresh_set):
    for number in range(100):
        client.put(("test", fresh_set, number), {"n": number})
    statement = aerospike_native.Statement("test", fresh_set, None)
    records = list(native.query_blocking(statement, aerospike_native.PartitionFilter.all()))
    assert sorted(record.bins["n"] for record in records) == list(range(100))
    assert sorted(record.bins["n"] for record in client.query("test", fresh_set)) == list(range(100))


@pytest.mark.embedded
def test_the_official_client_meets_faults_as_on_a_real_cluster(own_cluster):
    """The client asks again for partitions of other nodes and for those that a broken connection cut off."""
    with aerospike_py.client(own_cluster.config) as ours:
        for number in range(2_000):
            ours.put(("test", "s", number), {"n": number, "b": bytes(200)})
        official = aerospike.client(own_cluster.config).connect()
        try:
            for fault in (None, "close", "close-mid-frame"):
                if fault is not None:
                    own_cluster.inject(fault, node=1, command="query", times=1)
                found = sorted(record[2]["n"] for record in official.query("test", "s").results())
                assert found == list(range(2_000)), fault
        finally:
            official.close()


@pytest.mark.embedded
def test_the_official_client_receives_codes(own_node):
    own_node.inject("code", code=22, command="query")
    official = aerospike.client(own_node.config).connect()
    with aerospike_py.client(own_node.config) as ours:
        for twin, errors in ((official, aerospike.exception), (ours, aerospike_py)):
            with pytest.raises(errors.AerospikeError) as caught:
                twin.query("test", "s").results()
            assert caught.value.code == 22
    official.close()
