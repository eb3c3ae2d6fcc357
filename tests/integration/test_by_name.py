"""Methods and functions that the official client has, by its names."""

import logging

import pytest

import aerospike_py
from aerospike_py import expressions as exp


def test_nodes_and_stats(client):
    (node,) = client.get_stats().nodes
    assert client.get_nodes() == [(node.address, node.port)]
    assert client.get_stats().thread_pool_queued_tasks == client.get_stats().recover_queue_size == 0
    assert node.conns.recovered == node.conns.aborted == 0


def test_shm_key_warns(client):
    with pytest.warns(RuntimeWarning, match="share no memory"):
        assert client.shm_key() is None


@pytest.mark.parametrize("expression", [None, exp.Eq(exp.IntBin("a"), 1).compile()], ids=["none", "equal"])
def test_xdr_filters_report_the_answer_of_a_community_server(client, expression):
    with pytest.raises(aerospike_py.AerospikeError) as caught:
        client.set_xdr_filter("dc", "test", expression)
    assert isinstance(caught.value, aerospike_py.ServerError)


@pytest.mark.parametrize("arguments", [("", "test"), ("dc;a", "test"), ("dc", "te:st"), (1, "test")])
def test_wrong_names_of_xdr_filters_are_refused(client, arguments):
    with pytest.raises(aerospike_py.ParamError, match="it must be"):
        client.set_xdr_filter(*arguments, None)


def test_scans(client, fresh_set):
    keys = [("test", fresh_set, number) for number in range(5)]
    for number, key in enumerate(keys):
        client.put(key, {"a": number, "b": 1})
    scan = client.scan("test", fresh_set)
    scan.select("a")
    assert sorted(record.bins["a"] for record in scan.results()) == list(range(5))
    seen = []
    client.scan("test", fresh_set).foreach(seen.append, None, {"nobins": True}, None)
    assert [record.bins for record in seen] == [{}] * 5
    scan = client.scan("test", fresh_set)
    assert len(scan.results({"max_records": 2, "records_per_second": 1000})) == 2
    assert (scan.max_records, scan.records_per_second) == (2, 1000)
    with pytest.raises(aerospike_py.ParamError, match="partition_filter"):
        client.scan("test", fresh_set).results(nodename="D1")
    with pytest.raises(aerospike_py.ParamError, match="partition_filter"):
        client.scan("test", fresh_set).foreach(seen.append, nodename="D1")


def test_serializers_are_refused_with_what_to_do(client, fresh_set):
    key = ("test", fresh_set, 1)
    client.put(key, {"a": 1}, None, None, aerospike_py.SERIALIZER_NONE)
    with pytest.raises(aerospike_py.ParamError, match=r"json\.dumps"):
        client.put(key, {"a": 1}, serializer=aerospike_py.SERIALIZER_USER)
    with pytest.raises(aerospike_py.ClientError, match=r"pickle\.dumps"):
        aerospike_py.set_serializer(repr)
    with pytest.raises(aerospike_py.ClientError, match=r"pickle\.loads"):
        aerospike_py.set_deserializer(repr)
    aerospike_py.unset_serializers()


def test_config_providers(config):
    provider = aerospike_py.ConfigProvider("config.yaml", interval=30_000)
    assert (provider.path, provider.interval) == ("config.yaml", 30_000)
    with pytest.raises(AttributeError):
        provider.path = "other.yaml"  # type: ignore[misc]
    for arguments in ((1,), ("config.yaml", "x"), ("config.yaml", True)):
        with pytest.raises(TypeError, match="it must be"):
            aerospike_py.ConfigProvider(*arguments)
    for interval in (-1, 2**32):
        with pytest.raises(ValueError, match="32 bits"):
            aerospike_py.ConfigProvider("config.yaml", interval)
    with pytest.warns(UserWarning, match="config_provider"):
        aerospike_py.client({**config, "config_provider": provider})


def test_geojson():
    point = {"type": "Point", "coordinates": [1, 2]}
    made = aerospike_py.geodata(point)
    assert made.unwrap() == point
    assert aerospike_py.geojson(made.dumps()) == made
    made.wrap({"type": "Point", "coordinates": [3, 4]})
    assert made.unwrap()["coordinates"] == [3, 4]
    made.loads('{"type": "Point", "coordinates": [5, 6]}')
    assert made.unwrap()["coordinates"] == [5, 6]
    for wrong in (
        lambda: aerospike_py.geodata("x"),
        lambda: aerospike_py.geojson({}),
        lambda: made.wrap("x"),
    ):
        with pytest.raises(TypeError, match="it must be"):
            wrong()
    with pytest.raises(aerospike_py.ClientError, match="not JSON"):
        made.loads("{")


def test_partition_of_a_digest(client):
    digest = aerospike_py.calc_digest("test", "users", 1)
    assert aerospike_py.get_partition_id(digest) == client.get_key_partition_id("test", "users", 1)
    with pytest.raises(aerospike_py.ParamError, match="20 bytes"):
        aerospike_py.get_partition_id(b"short")


def test_log_handlers(capsys):
    logger = logging.getLogger("aerospike_py")
    before = logger.level
    seen = []
    try:
        aerospike_py.set_log_level(aerospike_py.LOG_LEVEL_WARN)
        aerospike_py.set_log_handler(lambda *arguments: seen.append(arguments))
        logger.info("unseen")
        logger.warning("seen %s", 1)
        aerospike_py.set_log_handler(None)
        logger.warning("gone")
        ((level, _, path, line, text),) = seen
        assert (level, text) == (aerospike_py.LOG_LEVEL_WARN, "seen 1")
        assert path == __file__
        assert line > 0
        aerospike_py.set_log_handler()
        logger.error("printed")
        assert "0 - printed" in capsys.readouterr().out
        with pytest.raises(aerospike_py.ParamError, match="LOG_LEVEL"):
            aerospike_py.set_log_level(9)
        with pytest.raises(aerospike_py.ParamError, match="function or None"):
            aerospike_py.set_log_handler(1)
    finally:
        aerospike_py.set_log_handler(None)
        logger.setLevel(before)


def test_indexes_without_a_bin_or_a_type_are_refused(client, fresh_set):
    with pytest.raises(aerospike_py.ParamError, match="bin is None"):
        client.index_integer_create("test", fresh_set, None, "no_bin")
    with pytest.raises(aerospike_py.ParamError, match="index_datatype is None"):
        client.index_list_create("test", fresh_set, "a", None, "no_type")


def test_an_index_of_a_namespace_that_no_node_has(client, fresh_set):
    with pytest.raises(aerospike_py.NamespaceNotFound):
        client.index_integer_create("nowhere", fresh_set, "a", f"nowhere_{fresh_set}")


def test_sketches_are_shown_as_such():
    assert (
        str(aerospike_py.HyperLogLog(b"ab")) == repr(aerospike_py.HyperLogLog(b"ab")) == "HyperLogLog(b'ab')"
    )
