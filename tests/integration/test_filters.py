"""Filter expressions: on every command, batch row and query, into records and arrays."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py import expressions as exp
from aerospike_py import operations as op
from aerospike_py.batch import BatchRecords, Read, Remove, Write
from aerospike_py.expressions.resources import _BaseExpr

IS_EVEN = exp.Eq(exp.Mod(exp.IntBin("n"), 2), 0)


@pytest.fixture
def keys(client: Any, fresh_set: str) -> list[Any]:
    keys = [("test", fresh_set, n) for n in range(6)]
    for n, key in enumerate(keys):
        client.put(key, {"n": n, "f": n / 2})
    return keys


def forms(client: Any) -> dict[str, Any]:
    return {
        "an object": IS_EVEN,
        "compiled": IS_EVEN.compile(),
        "base64": client.get_expression_base64(IS_EVEN),
    }


COMMANDS: dict[str, Any] = {
    "get": lambda client, key, policy: client.get(key, policy),
    "select": lambda client, key, policy: client.select(key, ["n"], policy),
    "exists": lambda client, key, policy: client.exists(key, policy),
    "put": lambda client, key, policy: client.put(key, {"x": 1}, None, policy),
    "touch": lambda client, key, policy: client.touch(key, 300, None, policy),
    "append": lambda client, key, policy: client.append(key, "s", "x", None, policy),
    "prepend": lambda client, key, policy: client.prepend(key, "s", "x", None, policy),
    "increment": lambda client, key, policy: client.increment(key, "x", 1, None, policy),
    "remove_bin": lambda client, key, policy: client.remove_bin(key, ["x"], None, policy),
    "operate": lambda client, key, policy: client.operate(
        key, [op.write("x", 1), op.read("n")], None, policy
    ),
    "operate, reads": lambda client, key, policy: client.operate(key, [op.read("n")], None, policy),
    "operate_ordered": lambda client, key, policy: client.operate_ordered(key, [op.read("n")], None, policy),
    "remove": lambda client, key, policy: client.remove(key, None, policy),
}


@pytest.mark.parametrize("command", ["get", "increment", "operate", "batch_read", "query"])
def test_a_refused_request_with_a_filter_says_that_it_may_be_the_filter(
    client: Any, keys: list[Any], command: str
) -> None:
    policy = {"expressions": exp.Eq(exp.IntBin("n"), "3")}
    calls = COMMANDS | {
        "batch_read": lambda client, key, policy: client.batch_read([key], policy=policy),
        "query": lambda client, key, policy: client.query(*key[:2]).results(policy),
    }
    with pytest.raises(aerospike.InvalidRequest, match="it may be the filter expression, for example"):
        calls[command](client, keys[1], policy)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_filter(client: Any, keys: list[Any], command: str) -> None:
    call = COMMANDS[command]
    for form, filter_ in forms(client).items():
        with pytest.raises(aerospike.FilteredOut) as caught:
            call(client, keys[1], {"expressions": filter_})
        assert caught.value.code == 27, form
    assert client.get(keys[1]).bins == {"n": 1, "f": 0.5}
    if command != "remove":
        for filter_ in forms(client).values():
            call(client, keys[2], {"expressions": filter_})
    else:
        call(client, keys[2], {"expressions": IS_EVEN})
        assert client.exists(keys[2]).meta is None


def test_filtered_rows_of_batches(client: Any, keys: list[Any]) -> None:
    policy = {"expressions": IS_EVEN}
    missing = (*keys[0][:2], "missing")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        batch = client.batch_read([*keys, missing], policy=policy)
    assert [row.result for row in batch] == [0, 27, 0, 27, 0, 27, 2]
    assert [row.record.bins["n"] for row in batch if row.record is not None] == [0, 2, 4]
    batch = client.batch_operate(keys, [op.increment("n", 10)], policy)
    assert [row.result for row in batch] == [0, 27, 0, 27, 0, 27]
    batch = client.batch_remove(keys, policy)
    assert [row.result for row in batch] == [0, 27, 0, 27, 0, 27]
    assert [client.exists(key).meta is None for key in keys] == [True, False] * 3


def test_rows_of_a_batch_have_filters_of_their_own(client: Any, keys: list[Any]) -> None:
    is_big: Any = {"expressions": exp.GT(exp.IntBin("n"), 3)}
    batch = client.batch_operate(keys, [op.increment("n", 0)], None, is_big)
    assert [row.result for row in batch] == [27, 27, 27, 27, 0, 0]
    batch = client.batch_operate(keys, [op.read("n")], {"expressions": IS_EVEN}, is_big)
    assert [row.result for row in batch] == [27, 27, 27, 27, 0, 0]
    rows = [
        Read(keys[0], [op.read("n")], policy=is_big),
        Read(keys[0], [op.read("n")]),
        Read(keys[1], [op.read("n")]),
        Write(keys[1], [op.write("x", 1)], policy=is_big),
        Write(keys[5], [op.write("x", 1)], policy=is_big),
        Remove(keys[2], policy=is_big),
        Remove(keys[4], policy=is_big),
    ]
    client.batch_write(BatchRecords(rows), {"expressions": IS_EVEN})
    assert [row.result for row in rows] == [27, 0, 27, 27, 0, 27, 0]
    batch = client.batch_remove(keys, None, is_big)
    assert [row.result for row in batch] == [27, 27, 27, 27, 2, 0]


def test_filtered_rows_of_arrays_are_not_present(client: Any, keys: list[Any]) -> None:
    dtype = np.dtype([("n", "i8"), ("f", "f8")])
    for filter_ in forms(client).values():
        batch = client.batch_read(keys, policy={"expressions": filter_}, _dtype=dtype)
        assert batch.result_codes.tolist() == [0, 27, 0, 27, 0, 27]
        assert batch.present["n"].tolist() == [True, False] * 3
        assert batch.batch_records["n"].tolist() == [0, 0, 2, 0, 4, 0]


def test_writes_from_arrays_are_filtered(client: Any, keys: list[Any]) -> None:
    data = np.array([(n, 100 + n) for n in range(6)], dtype=[("_key", "i8"), ("m", "i8")])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        written = client.batch_write_numpy(data, *keys[0][:2], policy={"expressions": IS_EVEN})
    assert written.result_codes.tolist() == [0, 27, 0, 27, 0, 27]
    assert client.get(keys[1]).bins == {"n": 1, "f": 0.5}
    assert client.get(keys[2]).bins == {"n": 2, "f": 1.0, "m": 102}


def test_queries_are_filtered(client: Any, keys: list[Any]) -> None:
    for filter_ in forms(client).values():
        policy = {"expressions": filter_}
        found = client.query(*keys[0][:2]).results(policy)
        assert sorted(record.bins["n"] for record in found) == [0, 2, 4]
        array = client.query(*keys[0][:2]).to_numpy([("n", "i8")], policy=policy)
        assert sorted(array.batch_records["n"].tolist()) == [0, 2, 4]


def test_a_filter_may_use_everything_of_a_record(client: Any, fresh_set: str) -> None:
    key = ("test", fresh_set, "k")
    client.put(key, {"n": 5, "l": [1, 2, 3], "m": {"a": 1}, "s": "Ada"}, policy={"key": 1, "ttl": 500})
    true = [
        exp.Eq(exp.KeyStr(), "k"),
        exp.KeyExists(),
        exp.Eq(exp.SetName(), fresh_set),
        exp.GT(exp.TTL(), 100),
        exp.LT(exp.SinceUpdateTime(), 60_000),
        exp.GT(exp.RecordSize(), 0),
        exp.BinExists("l"),
        exp.Eq(exp.BinType("l"), aerospike.AS_BYTES_LIST),
        exp.Eq(exp.ListSize(None, "l"), 3),
        exp.Eq(exp.ListBin("l"), [1, 2, 3]),
        exp.Eq(exp.MapGetByKey(None, aerospike.MAP_RETURN_VALUE, exp.ResultType.INTEGER, "a", "m"), 1),
        exp.CmpRegex(aerospike.REGEX_ICASE, "^ad", exp.StrBin("s")),
        exp.Let(exp.Def("x", exp.IntBin("n")), exp.Eq(exp.Var("x") * exp.Var("x"), 25)),
        exp.Eq(exp.Cond(exp.GT(exp.IntBin("n"), 3), "big", "small"), "big"),
        exp.Eq(exp.IntBin("n") % 3, 2),
    ]
    for condition in true:
        assert client.get(key, {"expressions": condition}).bins["n"] == 5, condition
        with pytest.raises(aerospike.FilteredOut):
            client.get(key, {"expressions": exp.Not(condition)})


def test_filters_in_the_config(face: Any, config: Any, client: Any, keys: list[Any]) -> None:
    filtered = face.connect({**config, "policies": {"read": {"expressions": IS_EVEN}}})
    assert filtered.get(keys[0]).bins["n"] == 0
    with pytest.raises(aerospike.FilteredOut):
        filtered.get(keys[1])
    filtered.close()


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        (5, "must be an expression"),
        (b"kwGTUQKhYQE=", "must be an expression"),
        ([], "empty list"),
        ([1], "must be a tuple of operation"),
        ([(1, None, None)], "must be a tuple of operation"),
        ([(1, None, None, 2)], "do not add up"),
        ([(1, None, None, 0)], "wrong number of children"),
        ([(9999, None, None, 0)], "unknown"),
        ([(81, 2, {}, 0)], "bin is missing"),
        ([(81, 2, {"bin": 5}, 0)], "bin is 5"),
        ([(200, None, {"val": {1, 2}}, 0)], "cannot be written"),
        ("", "is empty"),
        ("not base64!", "base64"),
        ("kwGT", "base64"),
        (print, "must be an expression"),
    ],
    ids=str,
)
def test_what_is_no_expression_is_refused(client: Any, keys: list[Any], filter_: Any, expected: str) -> None:
    for call in (
        lambda policy: client.get(keys[0], policy),
        lambda policy: client.batch_read(keys, policy=policy),
        lambda policy: client.query(*keys[0][:2]).results(policy),
        lambda policy: client.batch_operate(keys, [op.read("n")], None, policy),
    ):
        with pytest.raises(aerospike.ParamError, match=expected) as caught:
            call({"expressions": filter_})
        assert '"expressions"' in str(caught.value)


def test_an_expression_that_contains_itself_is_refused(client: Any, keys: list[Any]) -> None:
    class Endless(exp.base.Val):
        def compile(self) -> Any:
            return [(200, None, {"val": self}, 0)]

    loop: list[Any] = []
    loop.append((3011, None, {"value_type": 4, "cdt_flags": 0, "ctx": [], "mod_exp": loop}, 1))
    loop.append((81, 4, {"bin": "l"}, 0))
    steps = [aerospike.cdt_ctx.cdt_ctx_all_children()]
    loop[0][2]["ctx"] = steps
    for expression in (Endless(1), loop):
        with pytest.raises(aerospike.ParamError, match="contain"):
            client.get(keys[0], {"expressions": expression})


def test_the_server_refuses_types_that_do_not_go_together(client: Any, keys: list[Any]) -> None:
    with pytest.raises(aerospike.InvalidRequest):
        client.get(keys[0], {"expressions": exp.Eq(exp.IntBin("n"), "text")})


@pytest.mark.parametrize(
    "use",
    [
        lambda a, b: a and b,
        lambda a, b: a or b,
        lambda a, b: not a,
        lambda a, b: all([a, b]),
        lambda a, b: {"expressions": a if a else b},
    ],
    ids=["and", "or", "not", "all", "if"],
)
def test_expressions_are_neither_true_nor_false(use: Any) -> None:
    """`and` would drop its left side, and the filter be another one."""
    remedy = "Eq is an expression, .* use exp.And, exp.Or and exp.Not, and .* there is one `is None`$"
    with pytest.raises(TypeError, match=remedy):
        use(IS_EVEN, exp.GT(exp.IntBin("n"), 2))


def test_no_expression_is_true_or_false() -> None:
    for name in exp.__all__:
        kind = getattr(exp, name)
        if isinstance(kind, type) and issubclass(kind, _BaseExpr):
            with pytest.raises(TypeError, match=f"{name} is an expression"):
                bool(object.__new__(kind))
