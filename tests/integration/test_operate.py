"""Operations on the bins of a record, with both clients."""

import inspect

import pytest

import aerospike_py as aerospike
from aerospike_py import operations as op


@pytest.fixture
def key(client, fresh_set):
    key = ("test", fresh_set, "k")
    client.put(key, {"i": 10, "f": 1.5, "s": "mid", "b": b"\x05"})
    return key


def test_select(client, key):
    record = client.select(key, ["s", "nobin"])
    assert (record.bins, record.meta["gen"], record.key.key) == ({"s": "mid"}, 1, "k")
    assert client.select(key, ("i", "f")).bins == {"i": 10, "f": 1.5}
    with pytest.raises(aerospike.exception.RefusedRequest, match=r"use exists\(\)") as refused:
        client.select(key, [])
    assert isinstance(refused.value, aerospike.InvalidRequest)
    assert isinstance(refused.value, aerospike.ParamError)
    assert refused.value.code == 4
    with pytest.raises(aerospike.RecordNotFound):
        client.select((*key[:2], "nobody"), ["s"])
    with pytest.raises(aerospike.ParamError, match=r"get\(\)"):
        client.select(key, None)


def test_append_prepend_increment(client, key):
    assert client.append(key, "s", "!") == 0
    assert client.prepend(key, "s", "<") == 0
    assert client.increment(key, "i", 5) == 0
    client.increment(key, "f", 0.25)
    client.append(key, "b", bytearray(b"\x06"))
    client.increment(key, "new", -3)
    assert client.get(key).bins == {"i": 15, "f": 1.75, "s": "<mid!", "b": b"\x05\x06", "new": -3}


@pytest.mark.parametrize(
    ("method", "name", "value"), [("increment", "s", 1), ("append", "i", "x"), ("prepend", "f", b"x")]
)
def test_a_bin_of_the_wrong_type_is_refused_by_the_server(client, key, method, name, value):
    with pytest.raises(aerospike.BinIncompatibleType) as caught:
        getattr(client, method)(key, name, value)
    assert (caught.value.code, caught.value.in_doubt) == (12, False)
    assert f"(BIN_TYPE, code 12), bin {name}: {method} at node" in caught.value.msg


def test_the_error_of_several_operations_names_their_bins(client, key):
    client.put(key, {"n": 1, "s": "x"})
    with pytest.raises(aerospike.BinIncompatibleType, match="bins n, s: operate at node"):
        client.operate(key, [op.increment("n", 1), op.read("n"), op.increment("s", 1)])
    many = [op.increment(f"b{number}", 1) for number in range(9)]
    with pytest.raises(aerospike.BinIncompatibleType, match=r"b4, \.\.\.: operate at node"):
        client.operate(key, [*many, op.increment("s", 1)])


@pytest.mark.parametrize(
    ("method", "value"),
    [
        ("increment", "1"),
        ("increment", True),
        ("increment", None),
        ("append", 1),
        ("prepend", [1]),
        ("append", None),
    ],
)
def test_a_value_that_cannot_be_used(client, key, method, value):
    with pytest.raises(aerospike.ParamError, match=f"{method}: bin 'i'|{method}: bin \"i\""):
        getattr(client, method)(key, "i", value)


def test_touch(client, key):
    assert client.touch(key, 600) == 0
    assert client.exists(key).meta == {"gen": 2, "ttl": pytest.approx(600, abs=2)}
    client.touch(key, policy={"ttl": 900})
    assert client.exists(key).meta["ttl"] == pytest.approx(900, abs=2)
    client.touch(key, meta={"ttl": 300}, policy={"ttl": 900})
    assert client.exists(key).meta["ttl"] == pytest.approx(300, abs=2)
    with pytest.raises(aerospike.RecordNotFound):
        client.touch((*key[:2], "nobody"))
    with pytest.raises(aerospike.ParamError, match=r"val is -5 .*TTL_NEVER_EXPIRE"):
        client.touch(key, -5)


def test_remove_bin(client, key):
    assert client.remove_bin(key, ["i", "f"]) == 0
    assert client.get(key).bins == {"s": "mid", "b": b"\x05"}
    client.remove_bin(key, ("s", "b", "nobin"))
    assert client.exists(key).meta is None
    with pytest.raises(aerospike.ParamError, match="at least one"):
        client.remove_bin(key, [])


def test_operate(client, key):
    record = client.operate(key, [op.increment("i", 1), op.append("s", "!"), op.read("i"), op.read("s")])
    assert record.bins == {"i": 11, "s": "mid!"}
    assert (record.key.key, record.meta["gen"]) == ("k", 2)
    record = client.operate(
        key, [op.read("i"), op.write("z", 9), op.increment("i", 1), op.read("i"), op.read("z")]
    )
    assert record.bins == {"i": 12, "z": 9}
    assert client.operate(key, [op.read("nobin"), op.read("s")]).bins == {"s": "mid!"}
    assert client.operate(key, [op.write("z", None)]).bins == {}
    assert "z" not in client.get(key).bins


def test_operate_ordered(client, key):
    record = client.operate_ordered(key, [op.read("i"), op.increment("i", 1), op.read("i"), op.read("s")])
    assert record.bins == [("i", 10), ("i", 11), ("s", "mid")]
    assert isinstance(record, aerospike.OrderedRecord)


def test_operate_that_reads_changes_nothing(client, key):
    meta = {"gen": 77, "ttl": 60}
    record = client.operate(key, [op.read("i")], meta, {"gen": aerospike.POLICY_GEN_EQ, "exists": 1})
    assert (record.bins, record.meta) == ({"i": 10}, {"gen": 1, "ttl": 0xFFFFFFFF})
    with pytest.raises(aerospike.RecordNotFound):
        client.operate((*key[:2], "nobody"), [op.read("i")])


def test_operate_touch_and_delete(client, key):
    record = client.operate(key, [op.touch(300), op.read("i")], {"ttl": 500})
    assert record.bins == {"i": 10}
    assert client.exists(key).meta["ttl"] == pytest.approx(300, abs=2)
    assert client.operate(key, [op.read("i"), op.delete()]).bins == {"i": 10}
    assert client.exists(key).meta is None


def test_operate_by_generation(client, key):
    policy = {"gen": aerospike.POLICY_GEN_EQ}
    with pytest.raises(aerospike.RecordGenerationError) as caught:
        client.operate(key, [op.increment("i", 1)], {"gen": 5}, policy)
    assert not caught.value.in_doubt
    client.operate(key, [op.increment("i", 1)], {"gen": 1}, policy)
    assert client.get(key).bins["i"] == 11


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ({"op": 0, "bin": "a"}, "must be a list of dicts"),
        ([], "at least one"),
        ([op.read("a"), "read"], r"operations\[1\] is 'read'"),
        ([{"bin": "a"}], r"operations\[0\].*no \"op\""),
        ([{"op": 99, "bin": "a"}], r"OPERATOR_\* or OP_\* constants"),
        ([{"op": "read", "bin": "a"}], r"OPERATOR_\* or OP_\* constants"),
        ([{"op": 0}], 'without a "bin"'),
        ([{"op": 0, "bin": ""}], "empty"),
        ([{"op": 0, "bin": 5}], "must be a str"),
        ([{"op": 1, "bin": "a"}], 'without a "val"'),
        ([{"op": 0, "bin": "a", "vall": 5}], "does not accept"),
        ([{"op": 14, "bin": "a"}], "does not accept"),
        ([{"op": 0, "bin": "m", "ctx": [1]}], "has no context"),
        ([op.touch("soon")], "time to live"),  # type: ignore[arg-type]
        ([op.increment("i", True)], r"operations\[0\].*an int or a float"),
    ],
)
def test_operations_that_are_refused(client, key, operations, expected):
    with pytest.raises(aerospike.ParamError, match=expected) as caught:
        client.operate(key, operations)
    assert caught.value.code == -2
    assert client.get(key).meta["gen"] == 1


def test_a_bin_name_that_is_too_long(client, key):
    with pytest.raises(aerospike.BinNameError, match="15"):
        client.operate(key, [op.read("b" * 16)])
    with pytest.raises(aerospike.BinNameError, match="15"):
        client.increment(key, "b" * 16, 1)


def test_policies_of_the_config(face, config, fresh_set):
    key = ("test", fresh_set, "k")
    with face.connect(
        {**config, "policies": {"operate": {"exists": aerospike.POLICY_EXISTS_UPDATE}}}
    ) as client:
        with pytest.raises(aerospike.RecordNotFound):
            client.increment(key, "a", 1)
        client.increment(key, "a", 1, policy={"exists": aerospike.POLICY_EXISTS_IGNORE})
        assert client.get(key).bins == {"a": 1}
        with pytest.raises(aerospike.ParamError, match='did you mean "total_timeout"'):
            client.operate(key, [op.read("a")], policy={"total_timout": 5})


def test_info(client):
    names = client.get_node_names()
    answers = client.info_all("namespaces")
    assert sorted(answers) == names
    for error, answer in answers.values():
        assert error is None
        assert "test" in answer.rstrip("\n").split(";")
        assert answer.endswith("\n")
    assert "test" in client.info_random_node("namespaces")
    assert client.info_single_node("namespaces\n", names[0]) == "namespaces\t" + answers[names[0]][1]
    for error, answer in client.info_all("nonsense").values():
        assert (error.code, answer) == (4, None)
    with pytest.raises(aerospike.AerospikeError, match="nowhere"):
        client.info_single_node("build", "nowhere")
    with pytest.raises(aerospike.ParamError, match="one non-empty line"):
        client.info_random_node("build\nnamespaces")
    with pytest.raises(aerospike.ParamError, match='did you mean "timeout"'):
        client.info_all("build", {"timeot": 5})


def test_truncate_arguments(client):
    with pytest.raises(aerospike.ParamError, match="namespace is"):
        client.truncate("te;st", None)
    with pytest.raises(aerospike.ParamError, match="nanos is"):
        client.truncate("test", "s", -1)


def test_both_faces_have_equal_signatures():
    def public(face):
        return {
            name: str(inspect.signature(member).parameters)
            for name, member in inspect.getmembers(face, inspect.isfunction)
            if not name.startswith("_")
        }

    assert public(aerospike.Client) == public(aerospike.AsyncClient)
