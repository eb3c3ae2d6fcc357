"""aerospike-native on the embedded node: it connects unchanged, and every command behaves as on a real
server."""

from __future__ import annotations

import pytest

an = pytest.importorskip("aerospike_native", exc_type=ModuleNotFoundError)
ex = an.exceptions
Op = an.Operation

VALUES = {
    "int": -7,
    "big": 2**63 - 1,
    "float": -2.5e-300,
    "true": True,
    "str": "grüße 日本 😀",
    "empty": "",
    "bytes": b"\x00\x01\xfe\xff",
    "list": [1, "two", 3.0, b"four", True, None, [5, ["six"]], {"seven": 7}],
    "map": {"a": 1, "b": "two", 3: [4, 5], "n": {"x": None}},
}


@pytest.fixture
def key(fresh_set):
    return an.Key("test", fresh_set, "key")


def many(fresh_set, count, namespace="test"):
    return [an.Key(namespace, fresh_set, i) for i in range(count)]


def policy(kind, **settings):
    made = kind()
    for name, value in settings.items():
        setattr(made, name, value)
    return made


def writing(**settings):
    return policy(an.WritePolicy, **settings)


def results(records):
    return [record.result_code for record in records]


def code_of(call):
    with pytest.raises(ex.ServerError) as error:
        call()
    return error.value.result_code


@pytest.mark.embedded
def test_knows_its_node(native):
    assert native.info_blocking("build") == {"build": "8.1.2.0"}
    assert native.info_blocking("edition") == {"edition": "Aerospike Community Edition"}
    assert "test" in native.info_blocking("namespaces")["namespaces"].split(";")
    assert len(native.info_on_all_nodes_blocking("node")) == 1


def test_put_and_get_every_type(native, key):
    native.put_blocking(key, VALUES)
    record = native.get_blocking(key)
    assert (record.bins, record.generation, record.ttl) == (VALUES, 1, None)


def test_geojson(native, key):
    text = '{"type": "Point", "coordinates": [-122.0, 37.5]}'
    native.put_blocking(key, {"g": an.GeoJSON(text)})
    assert native.get_blocking(key).bins == {"g": an.GeoJSON(text)}


@pytest.mark.parametrize("user_key", ["text", 12345, -1, b"\x01\x00\x02"])
def test_kinds_of_keys(native, fresh_set, user_key):
    key = an.Key("test", fresh_set, user_key)
    native.put_blocking(key, {"a": 1}, policy=writing(send_key=True))
    assert native.get_blocking(key).bins == {"a": 1}
    assert native.get_blocking(an.Key.key_with_digest("test", fresh_set, key.digest)).bins == {"a": 1}


def test_select_and_exists(native, key):
    assert native.exists_blocking(key) is False
    native.put_blocking(key, {"a": 1, "b": 2, "c": 3})
    assert native.get_blocking(key, ["c", "a", "nobin"]).bins == {"a": 1, "c": 3}
    assert native.get_blocking(key, ["nobin"]).bins == {}
    assert native.get_blocking(key, []).bins == {}
    assert native.exists_blocking(key) is True


def test_what_is_missing(native, key):
    for call in (
        lambda: native.get_blocking(key),
        lambda: native.touch_blocking(key),
        lambda: native.operate_blocking(key, [Op.get_bin("a")]),
    ):
        with pytest.raises(ex.RecordNotFound):
            call()
    assert native.delete_blocking(key) is False


def test_modify(native, key):
    native.put_blocking(key, {"s": "mid", "b": b"\x05", "i": 10, "f": 1.5})
    native.append_blocking(key, {"s": "-end"})
    native.prepend_blocking(key, {"s": "start-"})
    native.append_blocking(key, {"b": b"\x06"})
    native.add_blocking(key, {"i": -20})
    native.add_blocking(key, {"f": 0.25})
    record = native.get_blocking(key)
    assert record.bins == {"s": "start-mid-end", "b": b"\x05\x06", "i": -10, "f": 1.75}
    assert record.generation == 6
    for call in (
        lambda: native.add_blocking(key, {"s": 1}),
        lambda: native.append_blocking(key, {"i": "x"}),
    ):
        with pytest.raises(ex.BinTypeError):
            call()


def test_time_to_live(native, key):
    native.put_blocking(key, {"a": 1}, policy=writing(expiration=an.Expiration.seconds(1000)))
    assert native.get_blocking(key).ttl in (999, 1000)
    native.put_blocking(key, {"a": 2}, policy=writing(expiration=an.Expiration.DONT_UPDATE))
    assert native.get_blocking(key).ttl in (998, 999, 1000)
    native.touch_blocking(key, policy=writing(expiration=an.Expiration.seconds(5000)))
    assert native.get_blocking(key).ttl in (4999, 5000)
    native.put_blocking(key, {"a": 3}, policy=writing(expiration=an.Expiration.NEVER_EXPIRE))
    assert native.get_blocking(key).ttl is None


def test_generations(native, key):
    equal, greater = an.GenerationPolicy.EXPECT_GEN_EQUAL, an.GenerationPolicy.EXPECT_GEN_GREATER
    native.put_blocking(key, {"a": 1})
    native.put_blocking(key, {"a": 2}, policy=writing(generation=1, generation_policy=equal))
    native.put_blocking(key, {"a": 3}, policy=writing(generation=9, generation_policy=greater))
    for generation, kind in ((9, equal), (1, greater)):
        refused = writing(generation=generation, generation_policy=kind)
        with pytest.raises(ex.GenerationError):
            native.put_blocking(key, {"a": 4}, policy=refused)
    with pytest.raises(ex.GenerationError):
        native.delete_blocking(key, policy=writing(generation=9, generation_policy=equal))
    record = native.get_blocking(key)
    assert (record.generation, record.bins) == (3, {"a": 3})


def test_existence(native, key):
    action = an.RecordExistsAction
    for kind in (action.UPDATE_ONLY, action.REPLACE_ONLY):
        with pytest.raises(ex.RecordNotFound):
            native.put_blocking(key, {"a": 1}, policy=writing(record_exists_action=kind))
    native.put_blocking(key, {"a": 1}, policy=writing(record_exists_action=action.CREATE_ONLY))
    with pytest.raises(ex.RecordExistsError):
        native.put_blocking(key, {"a": 2}, policy=writing(record_exists_action=action.CREATE_ONLY))
    for kind, bins, then in (
        (action.UPDATE_ONLY, {"b": 2}, {"a": 1, "b": 2}),
        (action.REPLACE_ONLY, {"c": 3}, {"c": 3}),
        (action.REPLACE, {"d": 4}, {"d": 4}),
    ):
        native.put_blocking(key, bins, policy=writing(record_exists_action=kind))
        assert native.get_blocking(key).bins == then


def test_operate(native, key):
    native.put_blocking(key, {"i": 10, "s": "mid"})
    steps = [Op.add("i", 1), Op.append("s", "!"), Op.prepend("s", "<"), Op.get_bin("i"), Op.get_bin("s")]
    assert native.operate_blocking(key, steps).results == [None, None, None, 11, "<mid!"]
    record = native.operate_blocking(key, [Op.put("n", "new"), Op.get()])
    assert record.bins == {"i": 11, "s": "<mid!", "n": "new"}
    five_minutes = writing(expiration=an.Expiration.seconds(300))
    record = native.operate_blocking(key, [Op.touch(), Op.get_bin("i")], policy=five_minutes)
    assert (record.results, record.generation) == ([11], 4)
    assert record.ttl in (299, 300)
    header = native.operate_blocking(key, [Op.get_header()])
    assert (header.bins, header.generation) == ({}, 4)
    each = native.operate_blocking(
        key, [Op.put("i", 7), Op.get_bin("nobin")], policy=writing(respond_per_each_op=True)
    )
    assert each.results == [None, None]
    assert native.operate_blocking(key, [Op.get_bin("i"), Op.delete()]).results == [7, None]
    assert native.exists_blocking(key) is False


def test_batch_read(native, fresh_set):
    keys = many(fresh_set, 300)
    for i, key in enumerate(keys[:200]):
        native.put_blocking(key, {"i": i, "f": i / 2, "s": f"v{i}"})
    records = native.batch_read_blocking(keys)
    assert results(records) == [0] * 200 + [2] * 100
    assert [record.record.bins for record in records[:200]] == [
        {"i": i, "f": i / 2, "s": f"v{i}"} for i in range(200)
    ]
    some = native.batch_read_blocking(keys[:3], ["s", "nobin"])
    assert [record.record.bins for record in some] == [{"s": f"v{i}"} for i in range(3)]
    assert native.batch_exists_blocking(keys[199:201]) == [True, False]
    headers = native.batch_get_header_blocking(keys[199:201])
    assert (headers[0].generation, headers[1]) == (1, None)


def test_batch_read_of_several_sets_and_namespaces(native, fresh_set):
    places = [("test", fresh_set), ("test", f"{fresh_set}-2"), ("bar", fresh_set)]
    keys = [an.Key(namespace, name, i) for i in range(3) for namespace, name in places]
    for n, key in enumerate(keys):
        native.put_blocking(key, {"v": n})
    assert [record.record.bins["v"] for record in native.batch_read_blocking(keys)] == list(range(9))


def test_batch_write(native, fresh_set):
    keys = many(fresh_set, 4)
    bins = [{"i": i, "l": [i, "x"], "m": {"k": i}} for i in range(4)]
    assert results(native.batch_write_blocking(keys, bins)) == [0] * 4
    assert [record.record.bins for record in native.batch_read_blocking(keys)] == bins
    more = many(fresh_set, 5)
    create = policy(an.BatchWritePolicy, record_exists_action=an.RecordExistsAction.CREATE_ONLY)
    written = native.batch_write_blocking(more[3:], [{"i": 9}, {"i": 9}], write_policy=create)
    assert results(written) == [5, 0]


def test_batch_of_everything(native, fresh_set):
    keys = many(fresh_set, 4)
    for i, key in enumerate(keys[:2]):
        native.put_blocking(key, {"i": i, "j": i})
    records = native.batch_blocking(
        [
            an.BatchReadOp(keys[0]),
            an.BatchReadOp(keys[1], ["i"]),
            an.BatchWriteOp(keys[2], [Op.put("i", 1)]),
            an.BatchDeleteOp(keys[3]),
        ]
    )
    assert results(records) == [0, 0, 0, 2]
    assert [record.record.bins for record in records[:2]] == [{"i": 0, "j": 0}, {"i": 1}]
    assert native.get_blocking(keys[2]).bins == {"i": 1}


def test_batch_operate_and_delete(native, fresh_set):
    keys = many(fresh_set, 3)
    steps = [[Op.add("n", 1), Op.get_bin("n")]] * 3
    for n in (1, 2):
        records = native.batch_operate_blocking(keys, steps)
        assert [record.record.results for record in records] == [[None, n]] * 3
    assert results(native.batch_delete_blocking(keys[:2])) == [0, 0]
    assert results(native.batch_delete_blocking(keys)) == [2, 2, 0]


def test_what_the_community_edition_refuses(native, key):
    native.put_blocking(key, {"a": 1})
    assert code_of(lambda: native.delete_blocking(key, policy=writing(durable_delete=True))) == 25
    assert (
        code_of(lambda: native.put_blocking(key, {"s": "a" * 400}, policy=writing(use_compression=True)))
        == 25
    )
    assert native.get_blocking(key).bins == {"a": 1}


def test_filters_and_list_operations(native, key):
    native.put_blocking(key, {"a": 1, "l": [1]})
    one, two = (
        an.FilterExpression.eq(an.FilterExpression.int_bin("a"), an.FilterExpression.int_val(value))
        for value in (1, 2)
    )
    assert native.get_blocking(key, filter_expression=one).bins == {"a": 1, "l": [1]}
    assert code_of(lambda: native.get_blocking(key, filter_expression=two)) == 27
    for expression, code in ((one, 0), (two, 27)):
        read = policy(an.BatchReadPolicy, filter_expression=expression)
        assert results(native.batch_read_blocking([key, key], read_policy=read)) == [code, code]
    native.operate_blocking(key, [an.ListOperation.append("l", 2, an.ListPolicy())])
    assert native.get_blocking(key).bins == {"a": 1, "l": [1, 2]}


@pytest.mark.embedded
def test_a_cluster(own_cluster, fresh_set):
    hosts = ",".join(f"{host}:{port}" for host, port in own_cluster.hosts)
    client = an.new_client_blocking(an.ClientPolicy(), hosts)
    try:
        assert len(client.info_on_all_nodes_blocking("node")) == 3
        keys = many(fresh_set, 100)
        client.batch_write_blocking(keys, [{"v": i} for i in range(100)])
        assert [record.record.bins["v"] for record in client.batch_read_blocking(keys)] == list(range(100))
    finally:
        client.close_blocking()
