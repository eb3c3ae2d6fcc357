"""The official client on the embedded node: it connects unchanged, and every command behaves as on a real
server."""

from __future__ import annotations

import threading

import pytest

from tests.support.waiting import eventually

aerospike = pytest.importorskip("aerospike", exc_type=ModuleNotFoundError)
exp = pytest.importorskip("aerospike_helpers.expressions")
batch = pytest.importorskip("aerospike_helpers.batch.records")
predicates = pytest.importorskip("aerospike.predicates")
operations = pytest.importorskip("aerospike_helpers.operations.operations")
list_operations = pytest.importorskip("aerospike_helpers.operations.list_operations")
ex = aerospike.exception

# The client warns of operations whose replacements the protocol of this server lacks.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

NEVER = aerospike.TTL_NEVER_EXPIRE
VALUES = {
    "int": -7,
    "big": 2**63 - 1,
    "small": -(2**63),
    "float": -2.5e-300,
    "inf": float("inf"),
    "true": True,
    "false": False,
    "str": "grüße 日本 😀",
    "empty": "",
    "bytes": b"\x00\x01\xfe\xff",
    "no_bytes": b"",
    "list": [1, "two", 3.0, b"four", True, None, [5, ["six"]], {"seven": 7}],
    "no_list": [],
    "map": {"a": 1, "b": "two", 3: [4, 5], "n": {"x": None}, b"k": 1.5},
    "no_map": {},
}


@pytest.fixture
def key(fresh_set):
    return ("test", fresh_set, "key")


def many(fresh_set, count, namespace="test"):
    return [(namespace, fresh_set, i) for i in range(count)]


def test_knows_its_node(official, server):
    nodes = official.get_node_names()
    assert [(node["address"], node["port"]) for node in nodes] == server.hosts
    assert official.is_connected()
    answers = official.info_all("build")
    assert [error for error, _ in answers.values()] == [None] * len(nodes)
    assert "test" in official.info_random_node("namespaces")


def test_put_and_get_every_type(official, key):
    assert official.put(key, VALUES) == 0
    _, meta, bins = official.get(key)
    assert bins == VALUES
    assert {name: type(value) for name, value in bins.items()} == {
        name: type(value) for name, value in VALUES.items()
    }
    assert meta == {"ttl": NEVER, "gen": 1}


def test_geojson_and_ordered_maps(official, key):
    point = aerospike.GeoJSON({"type": "Point", "coordinates": [-122.0, 37.5]})
    official.put(key, {"g": point, "m": aerospike.KeyOrderedDict({"c": 3, "a": 1})})
    bins = official.get(key)[2]
    assert bins["g"].unwrap() == point.unwrap()
    assert list(bins["m"].items()) == [("a", 1), ("c", 3)]


@pytest.mark.parametrize("user_key", ["text", 12345, -1, bytearray(b"\x01\x00\x02")])
def test_kinds_of_keys(official, fresh_set, user_key):
    key = ("test", fresh_set, user_key)
    official.put(key, {"a": 1}, policy={"key": aerospike.POLICY_KEY_SEND})
    found, _, bins = official.get(key, policy={"key": aerospike.POLICY_KEY_SEND})
    assert (found[2], bins) == (user_key, {"a": 1})
    digest = aerospike.calc_digest("test", fresh_set, user_key)
    assert official.get(("test", fresh_set, None, digest))[2] == {"a": 1}


def test_records_without_a_set(official, fresh_set):
    key = ("test", None, fresh_set)
    official.put(key, {"a": 1})
    assert official.get(key)[2] == {"a": 1}
    official.remove(key)


def test_select_and_exists(official, key):
    official.put(key, {"a": 1, "b": 2, "c": 3})
    assert official.select(key, ["c", "a", "nobin"])[2] == {"a": 1, "c": 3}
    assert official.select(key, ["nobin"])[2] == {}
    assert official.exists(key)[1] == {"ttl": NEVER, "gen": 1}


def test_what_is_missing(official, key):
    assert official.exists(key)[1] is None
    for call in (
        lambda: official.get(key),
        lambda: official.select(key, ["a"]),
        lambda: official.remove(key),
        lambda: official.touch(key, 10),
        lambda: official.operate(key, [operations.read("a")]),
    ):
        with pytest.raises(ex.RecordNotFound):
            call()


def test_bins_are_removed(official, key):
    official.put(key, {"a": 1, "b": 2})
    official.remove_bin(key, ["a"])
    assert official.get(key)[1:] == ({"ttl": NEVER, "gen": 2}, {"b": 2})
    official.put(key, {"b": aerospike.null()})
    assert official.exists(key)[1] is None


def test_modify(official, key):
    official.put(key, {"s": "mid", "b": b"\x05", "i": 10, "f": 1.5})
    official.append(key, "s", "-end")
    official.prepend(key, "s", "start-")
    official.append(key, "b", bytearray(b"\x06"))
    official.increment(key, "i", -20)
    official.increment(key, "f", 0.25)
    official.increment(key, "new", 3)
    _, meta, bins = official.get(key)
    assert bins == {"s": "start-mid-end", "b": b"\x05\x06", "i": -10, "f": 1.75, "new": 3}
    assert meta["gen"] == 7
    for call in (lambda: official.increment(key, "s", 1), lambda: official.append(key, "i", "x")):
        with pytest.raises(ex.BinIncompatibleType):
            call()
    assert official.get(key)[1]["gen"] == 7


def test_time_to_live(official, key):
    official.put(key, {"a": 1}, policy={"ttl": 1000})
    assert official.get(key)[1]["ttl"] in (999, 1000)
    official.put(key, {"a": 2}, policy={"ttl": aerospike.TTL_DONT_UPDATE})
    assert official.get(key)[1]["ttl"] in (998, 999, 1000)
    official.touch(key, 5000)
    assert official.get(key)[1]["ttl"] in (4999, 5000)
    official.put(key, {"a": 3}, policy={"ttl": NEVER})
    assert official.get(key)[1] == {"ttl": NEVER, "gen": 4}


@pytest.mark.embedded
def test_records_expire(own_node, fresh_set):
    client = aerospike.client(own_node.config).connect()
    try:
        keys = many(fresh_set, 2)
        client.put(keys[0], {"a": 1}, policy={"ttl": 100})
        client.put(keys[1], {"a": 1})
        own_node.advance(102)
        assert [client.exists(key)[1] is None for key in keys] == [True, False]
        assert [record.result for record in client.batch_read(keys).batch_records] == [2, 0]
        client.put(keys[0], {"a": 2}, policy={"exists": aerospike.POLICY_EXISTS_CREATE})
        assert client.get(keys[0])[1]["gen"] == 1
    finally:
        client.close()


@pytest.mark.embedded
def test_times_to_live_after_the_clock_was_moved(own_node, fresh_set, face):
    """Clients subtract their own clock from what the node sends: what is left is right all the same."""
    ours = face.connect(own_node.config)
    client = aerospike.client(own_node.config).connect()
    try:
        keys = many(fresh_set, 3)
        client.put(keys[0], {"a": 1}, policy={"ttl": 600})
        own_node.advance(300)
        client.put(keys[1], {"a": 1}, policy={"ttl": 60})
        client.put(keys[2], {"a": 1}, policy={"ttl": NEVER})
        expected = [(298, 300), (58, 60), (NEVER, NEVER)]
        for read in (
            lambda key: client.get(key)[1],
            lambda key: client.exists(key)[1],
            lambda key: client.operate(key, [operations.read("a")])[1],
            lambda key: client.batch_read([key]).batch_records[0].record[1],
            lambda key: ours.get(key).meta,
            lambda key: ours.exists(key).meta,
            lambda key: ours.batch_read([key]).batch_records[0].record.meta,
        ):
            for key, (least, most) in zip(keys, expected, strict=True):
                assert least <= read(key)["ttl"] <= most
        for found in (client.query("test", fresh_set).results(), ours.query("test", fresh_set).results()):
            left = sorted(record[1]["ttl"] for record in found)
            assert 58 <= left[0] <= 60
            assert 298 <= left[1] <= 300
            assert left[2] == NEVER
        own_node.advance(62)
        assert [client.exists(key)[1] is None for key in keys] == [False, True, False]
        client.touch(keys[0], 1000)
        assert 998 <= client.get(keys[0])[1]["ttl"] <= 1000
    finally:
        client.close()
        ours.close()


def test_generations(official, key):
    equal, greater = aerospike.POLICY_GEN_EQ, aerospike.POLICY_GEN_GT
    official.put(key, {"a": 1})
    official.put(key, {"a": 2}, meta={"gen": 1}, policy={"gen": equal})
    official.put(key, {"a": 3}, meta={"gen": 9}, policy={"gen": greater})
    for meta, policy in (({"gen": 9}, equal), ({"gen": 1}, greater)):
        with pytest.raises(ex.RecordGenerationError):
            official.put(key, {"a": 4}, meta=meta, policy={"gen": policy})
    with pytest.raises(ex.RecordGenerationError):
        official.remove(key, meta={"gen": 9}, policy={"gen": equal})
    assert official.get(key)[1:] == ({"ttl": NEVER, "gen": 3}, {"a": 3})
    official.remove(key, meta={"gen": 3}, policy={"gen": equal})
    assert official.exists(key)[1] is None


def test_existence(official, key):
    create, update = aerospike.POLICY_EXISTS_CREATE, aerospike.POLICY_EXISTS_UPDATE
    replace, any_replace = aerospike.POLICY_EXISTS_REPLACE, aerospike.POLICY_EXISTS_CREATE_OR_REPLACE
    for policy in (update, replace):
        with pytest.raises(ex.RecordNotFound):
            official.put(key, {"a": 1}, policy={"exists": policy})
    official.put(key, {"a": 1}, policy={"exists": create})
    with pytest.raises(ex.RecordExistsError):
        official.put(key, {"a": 2}, policy={"exists": create})
    official.put(key, {"b": 2}, policy={"exists": update})
    assert official.get(key)[2] == {"a": 1, "b": 2}
    official.put(key, {"c": 3}, policy={"exists": replace})
    assert official.get(key)[2] == {"c": 3}
    official.put(key, {"d": 4}, policy={"exists": any_replace})
    assert official.get(key)[2] == {"d": 4}


def test_operate(official, key):
    official.put(key, {"i": 10, "s": "mid"})
    steps = [
        operations.read("i"),
        operations.increment("i", 1),
        operations.read("i"),
        operations.append("s", "!"),
        operations.prepend("s", "<"),
        operations.write("new", [1, 2]),
        operations.read("s"),
        operations.touch(),
        operations.read("nobin"),
        operations.read("new"),
    ]
    _, meta, bins = official.operate_ordered(key, steps, policy={"ttl": 500})
    assert bins == [("i", 10), ("i", 11), ("s", "<mid!"), ("new", [1, 2])]
    assert meta["gen"] == 2
    assert meta["ttl"] in (499, 500)
    assert official.operate(key, [operations.read("s"), operations.read("i")])[2] == {"s": "<mid!", "i": 11}
    assert official.operate(key, [operations.read("i"), operations.delete()])[2] == {"i": 11}
    assert official.exists(key)[1] is None


def test_batch_read(official, fresh_set):
    keys = many(fresh_set, 300)
    for _, _, i in keys[:200]:
        official.put(("test", fresh_set, i), {"i": i, "f": i / 2, "s": f"v{i}"})
    answer = official.batch_read(keys)
    assert answer.result == 0
    for i, record in enumerate(answer.batch_records):
        if i < 200:
            assert (record.result, record.record[2]) == (0, {"i": i, "f": i / 2, "s": f"v{i}"})
        else:
            assert (record.result, record.record) == (2, None)
    answer = official.batch_read(keys[:3], ["s", "nobin"])
    assert [record.record[2] for record in answer.batch_records] == [{"s": f"v{i}"} for i in range(3)]
    answer = official.batch_read(keys[199:201], [])
    assert [record.result for record in answer.batch_records] == [0, 2]


def test_batch_read_of_several_sets_and_namespaces(official, fresh_set):
    places = [("test", fresh_set), ("test", f"{fresh_set}-2"), ("bar", fresh_set)]
    for n, (namespace, name) in enumerate(places):
        for i in range(3):
            official.put((namespace, name, i), {"v": 10 * n + i})
    keys = [(namespace, name, i) for i in range(3) for namespace, name in places]
    values = [record.record[2]["v"] for record in official.batch_read(keys).batch_records]
    assert values == [0, 10, 20, 1, 11, 21, 2, 12, 22]


def test_batch_read_in_every_mode(official, fresh_set):
    keys = many(fresh_set, 3)
    for key in keys[:2]:
        official.put(key, {"v": key[2]})
    for policy in (
        {"allow_inline": False},
        {"allow_inline_ssd": True},
        {"respond_all_keys": False},
        {"concurrent": True},
        {"read_mode_ap": aerospike.POLICY_READ_MODE_AP_ALL},
        {"total_timeout": 5000, "socket_timeout": 2500},
    ):
        answer = official.batch_read(keys, policy=policy)
        assert [record.result for record in answer.batch_records] == [0, 0, 2], policy


def test_a_large_batch(official, fresh_set):
    keys = many(fresh_set, 5000)
    wide = bytes(range(250))
    writes = [batch.Write(key, [operations.write("b", wide), operations.write("i", key[2])]) for key in keys]
    assert official.batch_write(batch.BatchRecords(writes)).result == 0
    records = official.batch_read(keys).batch_records
    assert [record.record[2] for record in records] == [{"b": wide, "i": i} for i in range(5000)]


def test_batch_write(official, fresh_set):
    keys = many(fresh_set, 5)
    official.put(keys[0], {"i": 0})
    official.put(keys[1], {"i": 1})
    create, update = aerospike.POLICY_EXISTS_CREATE, aerospike.POLICY_EXISTS_UPDATE
    asked = batch.BatchRecords(
        [
            batch.Write(keys[0], [operations.increment("i", 5), operations.read("i")]),
            batch.Read(keys[1], [operations.read("i")]),
            batch.Read(keys[1], None, read_all_bins=True),
            batch.Remove(keys[1]),
            batch.Write(keys[2], [operations.write("i", 2)], policy={"ttl": 600}),
            batch.Write(keys[0], [operations.write("i", 9)], policy={"exists": create}),
            batch.Write(keys[3], [operations.write("i", 9)], policy={"exists": update}),
            batch.Write(
                keys[0], [operations.write("i", 9)], meta={"gen": 77}, policy={"gen": aerospike.POLICY_GEN_EQ}
            ),
            batch.Write(keys[0], [operations.append("i", "x")]),
            batch.Remove(keys[4]),
        ]
    )
    official.batch_write(asked)
    records = asked.batch_records
    assert [record.result for record in records] == [0, 0, 0, 0, 0, 5, 2, 3, 12, 2]
    assert [record.record[2] for record in records[:3]] == [{"i": 5}, {"i": 1}, {"i": 1}]
    assert records[4].record[1]["ttl"] in (599, 600)
    results = [record.result for record in official.batch_read(keys).batch_records]
    assert results == [0, 2, 0, 2, 2]


def test_batch_operate_and_remove(official, fresh_set):
    keys = many(fresh_set, 3)
    steps = [operations.increment("n", 1), operations.read("n")]
    for n in (1, 2):
        records = official.batch_operate(keys, steps).batch_records
        assert [(record.result, record.record[2]) for record in records] == [(0, {"n": n})] * 3
    assert official.batch_remove(keys[:2]).result == 0
    assert [record.result for record in official.batch_remove(keys).batch_records] == [2, 2, 0]
    assert [record.result for record in official.batch_read(keys).batch_records] == [2, 2, 2]


def test_namespaces_that_are_not_there(official, fresh_set):
    for call in (
        lambda: official.get(("nowhere", fresh_set, 1)),
        lambda: official.put(("nowhere", fresh_set, 1), {"a": 1}),
    ):
        with pytest.raises(ex.NamespaceNotFound):
            call()
    official.put(("test", fresh_set, 1), {"a": 1})
    keys = [("test", fresh_set, 1), ("nowhere", fresh_set, 1)]
    assert [record.result for record in official.batch_read(keys).batch_records] == [0, 20]


def test_what_the_community_edition_refuses(official, key):
    official.put(key, {"a": 1})
    with pytest.raises(ex.AerospikeError) as error:
        official.remove(key, policy={"durable_delete": True})
    assert error.value.code == 25
    with pytest.raises(ex.AerospikeError) as error:
        official.put(key, {"s": "a" * 400}, policy={"compress": True})
    assert error.value.code == 25
    assert official.get(key)[2] == {"a": 1}


def indexed(query):
    query.where(predicates.equals("a", 1))
    return query


def test_filters_and_list_operations(official, key):
    official.put(key, {"a": 1, "l": [1]})
    is_one, is_two = (exp.Eq(exp.IntBin("a"), value).compile() for value in (1, 2))
    assert official.get(key, policy={"expressions": is_one})[2] == {"a": 1, "l": [1]}
    for call in (
        lambda: official.get(key, policy={"expressions": is_two}),
        lambda: official.put(key, {"a": 2}, policy={"expressions": is_two}),
    ):
        with pytest.raises(ex.FilteredOut):
            call()
    for expression, count in ((is_one, 1), (is_two, 0)):
        assert len(official.query("test", key[1]).results({"expressions": expression})) == count
        answer = official.batch_read([key, key], policy={"expressions": expression})
        assert [record.result for record in answer.batch_records] == [0 if count else 27] * 2
    assert official.operate(key, [list_operations.list_append("l", 2)])[2] == {"l": 2}
    appended = official.batch_operate([key, key], [list_operations.list_append("l", 3)])
    assert [record.record[2] for record in appended.batch_records] == [{"l": 3}, {"l": 4}]
    assert official.get(key)[2] == {"a": 1, "l": [1, 2, 3, 3]}


@pytest.mark.embedded
def test_what_does_not_exist_says_so(official, key):
    official.put(key, {"a": 1, "l": [1]})
    with pytest.raises(ex.AerospikeError) as error:
        indexed(official.query("test", key[1])).results()
    assert error.value.code == 201
    with pytest.raises(ex.UDFError) as error:
        official.apply(key, "module", "function", [])
    assert error.value.code == 100
    for command in ("sindex-create:namespace=test", "no-such-command"):
        with pytest.raises(ex.AerospikeError) as error:
            official.info_all(command)
        assert error.value.code == 4
    assert official.get(key)[2] == {"a": 1, "l": [1]}


def test_a_login_is_refused_as_without_security(config):
    with pytest.raises(ex.SecurityNotSupported):
        aerospike.client({"hosts": config["hosts"], "user": "someone", "password": "secret"}).connect()


def test_many_threads(official, fresh_set):
    failures: list[object] = []

    def work(worker):
        try:
            for i in range(100):
                key = ("test", fresh_set, f"{worker}-{i}")
                official.put(key, {"v": i})
                official.increment(("test", fresh_set, "sum"), "n", 1)
                if official.get(key)[2] != {"v": i}:
                    failures.append(key)
        except Exception as error:  # noqa: BLE001 (a thread's error must reach the test)
            failures.append(error)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert official.get(("test", fresh_set, "sum"))[2] == {"n": 800}


@pytest.mark.embedded
def test_alternate_services_and_racks_of_a_cluster_without_them(own_cluster):
    for settings in ({"use_services_alternate": True}, {"rack_aware": True, "rack_id": 1}):
        client = aerospike.client({**own_cluster.config, **settings}).connect()
        try:
            assert len(client.get_node_names()) == 3, settings
        finally:
            client.close()


@pytest.mark.embedded
def test_a_cluster_and_its_faults(own_cluster, fresh_set):
    client = aerospike.client({**own_cluster.config, "tend_interval": 250}).connect()
    try:
        keys = many(fresh_set, 300)
        for key in keys:
            client.put(key, {"v": key[2]})

        def nodes():
            return sorted(node["port"] for node in client.get_node_names())

        def wait_for(ports):
            eventually(lambda: f"the client sees {ports}, not {nodes()}", lambda: nodes() == sorted(ports))

        def read():
            records = client.batch_read(keys).batch_records
            assert [record.record[2]["v"] for record in records] == list(range(300))

        ports = [port for _, port in own_cluster.hosts]
        wait_for(ports)
        read()
        own_cluster.kill(1)
        wait_for([ports[0], ports[2]])
        read()
        own_cluster.restart(1)
        wait_for(ports)
        read()
    finally:
        client.close()
