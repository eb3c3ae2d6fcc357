"""What queries over the primary index return, with both clients."""

import copy
import pickle
import time

import pytest

import aerospike_py as aerospike

SEND = {"key": aerospike.POLICY_KEY_SEND}
PARTITIONS = 4096
STATUS: dict[int | str, object] = {"done": False, "retry": True}


def partition_of(record):
    return int.from_bytes(record.key.digest[:2], "little") % PARTITIONS


def fill(client, name, count, namespace="test"):
    """Writes ``count`` records, every second one with its key; returns their digests."""
    keys = [(namespace, name, number) for number in range(count)]
    for number, key in enumerate(keys):
        client.put(key, {"n": number, "s": f"s{number % 7}"}, policy=SEND if number % 2 else None)
    return {aerospike.calc_digest(*key) for key in keys}


def digests(records):
    found = [record.key.digest for record in records]
    assert len(set(found)) == len(found), "records came twice"
    return set(found)


def test_every_record_comes_once_and_whole(client, fresh_set):
    expected = fill(client, fresh_set, 300)
    records = client.query("test", fresh_set).results()
    assert digests(records) == expected
    for key, meta, bins in records:
        number = bins["n"]
        assert key == ("test", fresh_set, number if number % 2 else None, key.digest)
        assert key.digest == aerospike.calc_digest("test", fresh_set, number)
        assert bins == {"n": number, "s": f"s{number % 7}"}
        assert meta == {"gen": 1, "ttl": aerospike.TTL_NEVER_EXPIRE}
        assert client.get(key).bins == bins


def test_values_and_meta_equal_those_of_get(client, fresh_set):
    values = {"i": -7, "f": 2.5, "t": True, "s": "ü", "b": b"\0x", "l": [1, ["a"]], "m": {"k": [None, 2]}}
    key = ("test", fresh_set, "k")
    client.put(key, values, {"ttl": 1000}, SEND)
    client.put(key, {"s": "v"}, {"ttl": 1000})
    [record] = client.query("test", fresh_set).results()
    read = client.get(key, SEND)
    assert (record.key, record.bins, record.meta["gen"]) == (read.key, read.bins, 2)
    assert 990 < record.meta["ttl"] <= 1000


def test_bins_are_chosen(client, fresh_set):
    expected = fill(client, fresh_set, 20)
    query = client.query("test", fresh_set)
    query.select("n", "nobin")
    assert {tuple(record.bins) for record in query.results()} == {("n",)}
    with pytest.raises(aerospike.ParamError, match=r"select: the query reads the bins .* already"):
        query.select("nobin")
    assert query.select().select("nobin").results() == []
    query.select()
    assert {tuple(record.bins) for record in query} == {("n", "s")}
    headers = query.results(None, {"nobins": True})
    assert digests(headers) == expected
    assert all(record.bins == {} and record.meta["gen"] == 1 for record in headers)


def test_a_namespace_is_all_of_its_sets(client, fresh_set):
    ours = fill(client, fresh_set, 10, "bar") | fill(client, fresh_set + "b", 10, "bar")
    client.put(("bar", None, fresh_set), {"n": 1})
    ours.add(aerospike.calc_digest("bar", None, fresh_set))
    found = {record.key.digest: record.key for record in client.query("bar")}
    assert ours <= set(found)
    assert found[aerospike.calc_digest("bar", None, fresh_set)].set is None
    assert client.query("bar", "no-such-set").results() == []


def test_iteration_may_stop_and_begin_again(client, fresh_set):
    expected = fill(client, fresh_set, 300)
    query = client.query("test", fresh_set)
    first = next(iter(query))
    assert first.key.digest in expected
    assert not query.is_done()
    with query.records({"socket_timeout": 5000}) as records:
        some = [next(records) for _ in range(10)]
        assert len(digests(some)) == 10
    with pytest.raises(StopIteration):
        next(records)
    assert digests(query) == expected
    assert query.is_done()


def test_foreach(client, fresh_set):
    expected = fill(client, fresh_set, 50)
    query = client.query("test", fresh_set)
    found = []
    query.foreach(found.append)
    assert digests(found) == expected

    seen = []

    def three(record):
        seen.append(record)
        return len(seen) < 3

    query.foreach(three)
    assert len(seen) == 3

    def fails(_record):
        raise KeyError("from the callback")

    with pytest.raises(KeyError, match="from the callback"):
        query.foreach(fails)

    found = []
    query.foreach(lambda *args: found.append(args), {"partition_filter": {"begin": 0, "count": 2048}})
    assert found
    assert all(partition == partition_of(record) < 2048 for partition, record in found)


@pytest.mark.parametrize("size", [1, 7, 50, 60])
def test_pages(client, fresh_set, size):
    expected = fill(client, fresh_set, 50)
    query = client.query("test", fresh_set)
    query.max_records = size
    assert len(query.results()) == min(size, 50)
    query.paginate()
    found, pages = [], 0
    while not query.is_done():
        page = query.results()
        assert len(page) == min(size, 50 - len(found))
        found += page
        pages += 1
    assert digests(found) == expected
    assert 50 // size <= pages <= 50 // size + 2
    assert query.results() == []


def test_a_page_may_be_abandoned_halfway(client, fresh_set):
    expected = fill(client, fresh_set, 400)
    query = client.query("test", fresh_set)
    query.paginate()
    found = []
    while not query.is_done():
        before = len(found)
        for record in query:
            # The record at which a page ends comes again.
            if len(found) == before + 37:
                break
            found.append(record)
    assert digests(found) == expected


def test_a_query_continues_elsewhere_from_its_status(client, fresh_set):
    expected = fill(client, fresh_set, 100)
    query = client.query("test", fresh_set)
    assert query.get_partitions_status() == {}
    query.max_records = 30
    first = query.results()
    status = query.get_partitions_status()
    assert list(status) == ["done", "retry", *range(PARTITIONS)]
    assert (status["done"], status["retry"]) == (False, False)
    for record in first:
        number, init, retry, digest, _ = status[partition_of(record)]
        assert (number, init, retry) == (partition_of(record), True, True)
        assert digest <= record.key.digest
    rest = client.query("test", fresh_set)
    second = rest.results({"partition_filter": {"partition_status": status}})
    assert digests(first + second) == expected
    assert rest.is_done()
    done = rest.get_partitions_status()
    assert done["done"] is True
    assert done["retry"] is False
    partitions = [status for partition, status in done.items() if isinstance(partition, int)]
    assert not any(retry for _, _, retry, _, _ in partitions)
    assert rest.results({"partition_filter": {"partition_status": done}}) == []
    # "retry" asks again for every partition; after the last record there is none.
    assert rest.results({"partition_filter": {"partition_status": {**done, "retry": True}}}) == []


def test_partitions_are_chosen(client, fresh_set):
    fill(client, fresh_set, 300)
    everything = client.query("test", fresh_set).results()

    def found(**chosen):
        return digests(client.query("test", fresh_set).results({"partition_filter": chosen}))

    def of(begin, end):
        return {record.key.digest for record in everything if begin <= partition_of(record) < end}

    assert found(begin=100, count=500) == of(100, 600)
    assert found(begin=4000) == of(4000, PARTITIONS)
    assert found(count=10) == of(0, 10)
    assert found() == of(0, PARTITIONS)
    for record in everything[:5]:
        partition, digest = partition_of(record), record.key.digest
        below = {other for other in of(partition, partition + 1) if other < digest}
        assert found(digest={"init": True, "value": digest}) == below
        assert found(begin=partition, count=1, digest={"init": True, "value": bytearray(digest)}) == below
        assert found(begin=partition, count=1, digest={"init": False}) == of(partition, partition + 1)


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (
            {"total_timeot": 5},
            "query policy has an unknown key 'total_timeot'; did you mean \"total_timeout\"",
        ),
        ({"max_retries": -1}, '"max_retries" is -1'),
        ({"expected_duration": 3}, "one of the QUERY_DURATION_\\* constants"),
        ({"expressions": b"x"}, '"expressions" is b.x. .*must be an expression'),
        (
            {"partition_filter": {"begin": 4096}},
            '"begin" is 4096 .*; it must be a whole number from 0 to 4095',
        ),
        ({"partition_filter": {"count": 0}}, '"count" is 0 .*; it must be a whole number from 1 to 4096'),
        ({"partition_filter": {"begin": 4000, "count": 97}}, "invalid partition range: 97 from 4000 on"),
        ({"partition_filter": {"begn": 0}}, 'did you mean "begin"'),
        ({"partition_filter": 5}, '"partition_filter" is of type int; it must be a dict'),
        ({"partition_filter": {"digest": {"init": True}}}, '"init" but no "value"'),
        (
            {"partition_filter": {"digest": {"init": True, "value": b"x"}}},
            "a digest is b'x' .*; it must be 20 bytes",
        ),
        (
            {"partition_filter": {"begin": 1, "digest": {"init": True, "value": bytes(20)}}},
            "the digest belongs to partition 0, not to 1",
        ),
        ({"partition_filter": {"partition_status": [1]}}, "it must be a dict"),
        (
            {"partition_filter": {"partition_status": {**STATUS, 0: (0,)}}},
            "it must be what get_partitions_status",
        ),
        (
            {"partition_filter": {"partition_status": {"done": "no", "retry": True}}},
            "\"done\" is 'no' .*; it must be True or False",
        ),
        (
            {"partition_filter": {"partition_status": {**STATUS, 0: (0, False, True, "text", 0)}}},
            "a digest is 'text'",
        ),
        (
            {"partition_filter": {"count": 1, "partition_status": {**STATUS, 1: (1, False, True, None, 0)}}},
            "is not in the query's range",
        ),
    ],
)
def test_policies_that_are_refused(client, fresh_set, policy, message):
    with pytest.raises(aerospike.ParamError, match=message):
        client.query("test", fresh_set).results(policy)


def test_other_arguments_that_are_refused(client, fresh_set):
    query = client.query("test", fresh_set)
    with pytest.raises(
        aerospike.ParamError, match=r'query options has an unknown key .nobin.; did you mean "nobins"'
    ):
        query.results(None, {"nobin": True})
    for policy in ({"short_query": True}, {"expected_duration": aerospike.QUERY_DURATION_SHORT}):
        rated = client.query("test", fresh_set)
        rated.records_per_second = 7
        with pytest.raises(aerospike.ParamError, match=r"records_per_second is 7 .*a short query"):
            rated.results(policy)
    with pytest.raises(aerospike.NamespaceNotFound):
        client.query("nowhere").results()
    query.paginate()
    query.results({"partition_filter": {"begin": 0, "count": 5}})
    with pytest.raises(aerospike.ParamError, match="names other partitions"):
        query.results({"partition_filter": {"begin": 0, "count": 6}})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((None, None), "namespace is None .*; it must be a str"),
        ((5,), "namespace is 5 .*; it must be a str"),
        ((b"test",), "namespace is b'test' .*; it must be a str"),
        (("\ud800",), "namespace has lone surrogates"),
        (("n" * 32,), "a namespace name has at most 31"),
        (("test", 5), "set is 5 .*; it must be a str or None"),
        (("test", ["s"]), "set is \\['s'\\] .*; it must be a str"),
        (("test", "s" * 64), "a set name has at most 63"),
    ],
)
def test_names_are_checked_when_the_query_is_made(client, arguments, message):
    with pytest.raises(aerospike.ParamError, match=message):
        client.query(*arguments)


@pytest.mark.parametrize("bins", [(22,), (None,), ("a", 5), (["a", "b"],), ("\ud800",)])
def test_bins_are_checked_when_they_are_selected(client, fresh_set, bins):
    query = client.query("test", fresh_set).select("kept")
    with pytest.raises(aerospike.ParamError, match=r"bin name .*(must be a str|has lone surrogates)"):
        query.select(*bins)
    with pytest.raises(aerospike.BinNameError, match="16 bytes"):
        query.select("x" * 16)


@pytest.mark.parametrize("name", ["max_records", "records_per_second", "ttl"])
def test_numbers_are_checked_when_they_are_set(client, config, fresh_set, name):
    query = aerospike.client(config).query("test", fresh_set)  # also on a client that is not connected
    assert getattr(query, name) == 0
    message = f"{name} is .*; it must be " + ("a time to live" if name == "ttl" else "a whole number")
    for value in ("all", None, 2.5, True, b"1"):
        with pytest.raises(TypeError, match=message):
            setattr(query, name, value)
    for value in (-4, 2**64):
        with pytest.raises(aerospike.ParamError, match=message):
            setattr(query, name, value)
    setattr(query, name, 7)
    assert getattr(query, name) == 7


@pytest.mark.parametrize("ttl", [-1, -2, -3])
def test_times_to_live_are_those_of_the_official_client(client, fresh_set, ttl):
    query = client.query("test", fresh_set)
    query.ttl = ttl
    assert query.ttl == ttl % 2**32


def test_callbacks_are_checked_before_the_query_runs(client, fresh_set):
    for callback in (5, None, "print"):
        with pytest.raises(aerospike.ParamTypeError, match=r"callback is .*; it must be a function"):
            client.query("test", fresh_set).foreach(callback)


def test_policies_are_checked_when_an_iterator_is_made(client, fresh_set):
    query = client.query("test", fresh_set)
    for arguments in (({"total_timeot": 5},), (5,), (None, 5), (None, {"nobins": 1})):
        with pytest.raises(aerospike.ParamError, match=r"query (policy|options)"):
            query.records(*arguments)


@pytest.mark.parametrize("copier", [pickle.dumps, copy.copy, copy.deepcopy])
def test_neither_queries_nor_their_iterators_can_be_pickled(config, copier):
    with aerospike.client(config) as client:
        query = client.query("test", "users")
        for thing in (query, query.records()):
            with pytest.raises(TypeError, match=r"cannot be pickled or copied: .* get_partitions_status"):
                copier(thing)
        asynchronous = aerospike.AsyncClient(config).query("test", "users")
        for thing in (asynchronous, asynchronous.records()):
            with pytest.raises(TypeError, match=f"{type(thing).__name__} cannot be pickled or copied"):
                copier(thing)


def test_every_policy_key_is_taken(client, fresh_set):
    expected = fill(client, fresh_set, 20)
    policy = {
        "total_timeout": 20_000,
        "socket_timeout": 10_000,
        "max_retries": 3,
        "sleep_between_retries": 10,
        "replica": aerospike.POLICY_REPLICA_MASTER,
        "max_concurrent_nodes": 1,
        "compress": False,
    }
    for duration in ("LONG", "SHORT", "LONG_RELAX_AP"):
        policy["expected_duration"] = getattr(aerospike, f"QUERY_DURATION_{duration}")
        assert digests(client.query("test", fresh_set).results(policy)) == expected
    policy = {"short_query": True, "partition_filter": {"begin": 0, "count": PARTITIONS}}
    assert digests(client.query("test", fresh_set).results(policy)) == expected


def test_default_policies_of_the_config(face, config, fresh_set):
    with face.connect({**config, "policies": {"query": {"total_timeout": 250}}}) as client:
        fill(client, fresh_set, 40)
        query = client.query("test", fresh_set)
        query.records_per_second = 10
        start = time.perf_counter()
        with pytest.raises(aerospike.TimeoutError, match="query at node "):
            query.results()
        assert time.perf_counter() - start < 2
        assert len(query.results({"total_timeout": 0, "partition_filter": {"begin": 0, "count": 100}})) < 40
    with pytest.raises(aerospike.ParamError, match='config policy "query" has an unknown key'):
        face.client({**config, "policies": {"query": {"partition_filter": {}}}})


def test_a_rate_is_kept(client, fresh_set):
    expected = fill(client, fresh_set, 100)
    query = client.query("test", fresh_set)
    query.records_per_second = 80
    start = time.perf_counter()
    assert digests(query) == expected
    assert 0.5 < time.perf_counter() - start < 5


def test_a_client_that_is_closed_ends_its_queries(face, config, fresh_set):
    client = face.connect(config)
    fill(client, fresh_set, 2000)
    query = client.query("test", fresh_set)
    records = iter(query)
    next(records)
    client.close()
    with pytest.raises(aerospike.ClientError, match="closed"):
        for _ in records:
            pass
    with pytest.raises(aerospike.ClientError, match="the client is closed"):
        query.results()
