"""Wrong arguments are named: of expressions where they are built, of operations and contexts by the call that
sends them.
"""

from __future__ import annotations

from typing import Any

import pytest

import aerospike_py as aerospike
from aerospike_py import (
    bitwise_operations,
    cdt_ctx,
    expression_operations,
    hll_operations,
    list_operations,
    map_operations,
    operations,
    string_operations,
)
from aerospike_py import expressions as exp

VALUE, COUNT = aerospike.LIST_RETURN_VALUE, aerospike.LIST_RETURN_COUNT

WRONG: list[tuple[Any, str]] = [
    (lambda: list_operations.list_append(5, 1), "list_append: bin_name"),  # type: ignore[arg-type]
    (lambda: list_operations.list_append("", 1), "list_append: bin_name"),
    (lambda: list_operations.list_append("x" * 16, 1), "list_append: bin_name.*15"),
    (lambda: list_operations.list_append("b", object()), "list_append: value.*cannot be written"),
    (lambda: list_operations.list_append("b", 2**63), "list_append: value.*64-bit"),
    (lambda: list_operations.list_append("b", 1, 5), "list_append: policy is 5.*must be None or a dict"),  # type: ignore[arg-type]
    (lambda: list_operations.list_append("b", 1, {"order": 1}), "list_append: policy has an unknown key"),
    (lambda: list_operations.list_append("b", 1, {"write_flags": 99}), 'policy "write_flags" is 99'),
    (lambda: list_operations.list_append("b", 1, {"list_order": 2}), 'policy "list_order" is 2'),
    (lambda: list_operations.list_append("b", 1, None, 5), "list_append: ctx is 5"),  # type: ignore[arg-type]
    (lambda: list_operations.list_append("b", 1, None, [5]), r"list_append: ctx\[0\] is 5"),  # type: ignore[list-item]
    (lambda: list_operations.list_append_items("b", 5), "list_append_items: values is 5.*a list"),  # type: ignore[arg-type]
    (lambda: list_operations.list_insert("b", "x", 1), "list_insert: index is 'x'"),  # type: ignore[arg-type]
    (lambda: list_operations.list_insert("b", 2**63, 1), "list_insert: index is 9223372036854775808"),
    (lambda: list_operations.list_insert("b", True, 1), "list_insert: index is True"),
    (lambda: list_operations.list_increment("b", 0, "x"), "list_increment: value is 'x'"),  # type: ignore[arg-type]
    (lambda: list_operations.list_pop_range("b", 0, None), "list_pop_range: count is None"),  # type: ignore[arg-type]
    (lambda: list_operations.list_get_by_index("b", 0, 42), "return_type is 42.*LIST_RETURN"),
    (lambda: list_operations.list_get_by_index("b", 0, aerospike.MAP_RETURN_KEY), "LIST_RETURN"),
    (lambda: list_operations.list_get_by_index("b", 0, "x"), "return_type is 'x'"),  # type: ignore[arg-type]
    (lambda: list_operations.list_get_by_rank_range("b", 0, VALUE, 1, 5), "inverted is 5"),  # type: ignore[arg-type]
    (lambda: list_operations.list_get_by_value_list("b", "x", COUNT), "value_list is 'x'"),
    (lambda: list_operations.list_set_order("b", 5), "list_set_order: list_order is 5"),
    (lambda: list_operations.list_sort("b", 8), "list_sort: sort_flags is 8"),
    (lambda: list_operations.list_create("b", 1, 1, False), "list_create: pad is 1"),  # type: ignore[arg-type]
    (lambda: map_operations.map_put("b", "k", 1, {"map_order": 2}), 'map_put: map_policy "map_order" is 2'),
    (lambda: map_operations.map_put("b", "k", 1, {"map_write_mode": 1}), "map_put: map_policy.*unknown key"),
    (lambda: map_operations.map_put_items("b", [1]), "map_put_items: item_dict"),  # type: ignore[arg-type]
    (lambda: map_operations.map_get_by_key("b", "k", 9), "map_get_by_key: return_type is 9"),
    (lambda: map_operations.map_get_by_key_list("b", 5, VALUE), "map_get_by_key_list: key_list is 5"),  # type: ignore[arg-type]
    (lambda: map_operations.map_get_by_rank("b", 1.5, VALUE), "map_get_by_rank: rank is 1.5"),  # type: ignore[arg-type]
    (lambda: map_operations.map_remove_by_rank_range("b", 0, "x", VALUE), "remove_amt is 'x'"),  # type: ignore[arg-type]
    (lambda: map_operations.map_create("b", 2, False), "map_create: map_order is 2"),
    (lambda: map_operations.map_set_policy("b", None), "map_set_policy: policy is None"),  # type: ignore[arg-type]
    (lambda: bitwise_operations.bit_set("b", 0, 8, 1, 5), "bit_set: value is 5.*bytes"),  # type: ignore[arg-type]
    (lambda: bitwise_operations.bit_get("b", 0, -1), "bit_get: bit_size is -1"),
    (lambda: bitwise_operations.bit_get("b", "x", 1), "bit_get: bit_offset is 'x'"),  # type: ignore[arg-type]
    (lambda: bitwise_operations.bit_add("b", 0, 8, 1, False, 3), "bit_add: action is 3.*BIT_OVERFLOW"),
    (lambda: bitwise_operations.bit_lscan("b", 0, 8, "x"), "bit_lscan: value is 'x'"),  # type: ignore[arg-type]
    (lambda: bitwise_operations.bit_not("b", 0, 8, {"flags": 1}), "bit_not: policy has an unknown key"),
    (lambda: hll_operations.hll_add("b", 5), "hll_add: values is 5"),  # type: ignore[arg-type]
    (lambda: hll_operations.hll_init("b", "x"), "hll_init: index_bit_count is 'x'"),  # type: ignore[arg-type]
    (lambda: hll_operations.hll_init("b", 99), "hll_init: index_bit_count is 99"),
    (lambda: hll_operations.hll_init("b", 8, 0, {"flags": 64}), 'hll_init: policy "flags" is 64'),
    (lambda: string_operations.find("b", 5), "find: needle is 5"),  # type: ignore[arg-type]
    (lambda: string_operations.upper("b", 5), "upper: policy is 5"),  # type: ignore[arg-type]
    (lambda: string_operations.concat("b", ["a", 1]), "concat: value_list"),  # type: ignore[list-item]
    (lambda: expression_operations.expression_read("b", 5), "expression_read: expression is 5"),  # type: ignore[arg-type]
    (
        lambda: expression_operations.expression_read("b", exp.IntBin("a"), 1),
        "expression_read: expression_read_flags is 1",
    ),
    (
        lambda: expression_operations.expression_write("b", exp.IntBin("a"), "x"),  # type: ignore[arg-type]
        "expression_write: expression_write_flags is 'x'",
    ),
    (lambda: operations.select_by_path("b", [], 0), "select_by_path: ctx has no steps"),
    (lambda: operations.select_by_path("b", [cdt_ctx.cdt_ctx_all_children()], 99), "flags is 99"),
    (
        lambda: operations.modify_by_path("b", [cdt_ctx.cdt_ctx_all_children()], 5, 0),  # type: ignore[arg-type]
        "modify_by_path: expr is 5",
    ),
    (lambda: cdt_ctx.cdt_ctx_list_index("x"), r"ctx\[0\] is 'x'"),  # type: ignore[arg-type]
    (lambda: cdt_ctx.cdt_ctx_map_key_create("k", 2), r"ctx\[0\] has an unknown order"),
    (lambda: cdt_ctx.cdt_ctx_list_index_create(0, 0, 1), r"pad of ctx\[0\] is 1"),  # type: ignore[arg-type]
    (lambda: cdt_ctx.cdt_ctx_map_keys_in("k"), r"ctx\[0\] has the keys 'k'"),  # type: ignore[arg-type]
    (lambda: cdt_ctx.cdt_ctx_and_filter(5), "cdt_ctx_and_filter: expression is 5"),  # type: ignore[arg-type]
    (lambda: exp.IntBin(5), "IntBin: bin is 5"),  # type: ignore[arg-type]
    (lambda: exp.IntBin("x" * 16), "IntBin: bin is"),
    (lambda: exp.Eq(exp.IntBin("a"), object()), "Eq: expr1 is"),
    (lambda: exp.Eq(exp.IntBin("a"), 2**63), "Eq: expr1 is 9223372036854775808"),
    (lambda: exp.And(exp.BinExists("a"), 5), r"And: exprs\[1\] is 5"),
    (lambda: exp.Add("x", 1), r"Add: args\[0\] is 'x'"),
    (lambda: exp.Floor("x"), "Floor: value is 'x'"),
    (lambda: exp.Mod(exp.IntBin("a"), None), "Mod: denominator is None"),
    (lambda: exp.IntBin("a") + "x", r"Add: args\[1\] is 'x'"),
    (lambda: exp.CmpRegex(99, "a", exp.StrBin("s")), "CmpRegex: options is 99"),
    (lambda: exp.CmpRegex(0, 5, exp.StrBin("s")), "CmpRegex: regex_str is 5"),  # type: ignore[arg-type]
    (lambda: exp.Cond(exp.BinExists("a"), 1), "Cond: exprs are 2"),
    (lambda: exp.Let(exp.IntBin("a"), 1), "Let: exprs must be definitions"),
    (lambda: exp.Not(), "Not: exprs are 0"),
    (lambda: exp.Var(5), "Var: var_name is 5"),  # type: ignore[arg-type]
    (lambda: exp.DigestMod(0), "DigestMod: mod is 0"),
    (lambda: exp.ListGetByIndex(None, 42, 2, 0, "l"), "ListGetByIndex: return_type is 42"),
    (lambda: exp.ListGetByIndex(None, 7, 99, 0, "l"), "ListGetByIndex: value_type is 99"),
    (lambda: exp.ListGetByIndex(None, 7, 2, "x", "l"), "ListGetByIndex: index is 'x'"),  # type: ignore[arg-type]
    (lambda: exp.ListGetByIndex(5, 7, 2, 0, "l"), "ListGetByIndex: ctx is 5"),  # type: ignore[arg-type]
    (lambda: exp.ListGetByIndex(None, 7, 2, 0, 5), "ListGetByIndex: bin is 5"),  # type: ignore[arg-type]
    (lambda: exp.ListAppend(None, 5, 1, "l"), "ListAppend: policy is 5"),  # type: ignore[arg-type]
    (lambda: exp.ListSize(bin=5, ctx=None), "ListSize: bin is 5"),  # type: ignore[arg-type]
    (lambda: exp.MapGetByKey(None, 9, 2, "k", "m"), "MapGetByKey: return_type is 9"),
    (lambda: exp.MapPutItems(None, None, 5, "m"), "MapPutItems: map is 5"),
    (lambda: exp.BitSet(None, 0, 8, "x", "b"), "BitSet: value is 'x'"),
    (lambda: exp.BitAdd(None, 0, 8, 1, 3, "b"), "BitAdd: action is 3"),
    (lambda: exp.HLLAdd(None, 5, None, None, "h"), "HLLAdd: list is 5"),
    (lambda: exp.StartsWith(5, "s"), "StartsWith: prefix is 5"),  # type: ignore[arg-type]
    (lambda: exp.LoopVarInt(7), "LoopVarInt: var_id is 7"),
    (lambda: exp.SelectByPath([], 4, 0, exp.ListBin("l")), "SelectByPath: ctx is"),
]


#: What is refused where it is made: expressions, and contexts with them.
EARLY = (*exp.__all__, "cdt_ctx_and_filter")


@pytest.mark.parametrize(("build", "expected"), WRONG, ids=[expected for _, expected in WRONG])
def test_wrong_arguments_are_refused_and_named(client: Any, build: Any, expected: str) -> None:
    key = ("test", "arguments", 1)
    refused = pytest.raises((aerospike.ParamError, aerospike.BinNameError), match=expected)
    # Operations and contexts are made without a check, as the official client's are.
    if expected.startswith(EARLY):
        with refused:
            build()
        return
    made = build()
    operation = made if isinstance(made, dict) else map_operations.map_size("b", ctx=[made])
    good = list_operations.list_size("b")
    for call in (
        lambda ops: client.operate(key, ops),
        lambda ops: client.batch_operate([key], ops),
        lambda ops: client.query("test", "arguments").add_ops(ops),
    ):
        with refused as caught:
            call([good, operation])
        assert str(caught.value).startswith("operations[1]")
    assert client.exists(key).meta is None


DICTIONARIES: list[tuple[dict[str, Any], str]] = [
    ({"op": 1001, "bin": "b"}, 'list_append has no "val"'),
    ({"op": 1001, "val": 1}, 'list_append has no "bin"'),
    ({"op": 1001, "bin": "b", "val": 1, "vall": 2}, "'vall' .*is an entry that list_append does not have"),
    ({"op": 1011, "bin": "b", "index": "x"}, "list_get: index is 'x'"),
    ({"op": 1042, "bin": "b", "separator": 5}, "list_join: separator is 5"),
    ({"op": 1118, "bin": "b", "key": 1, "return_type": None}, "map_get_by_key: return_type is None"),
    ({"op": 2014, "bin": "b", "bit_offset": 0, "bit_size": 8, "ctx": [1]}, "bit_get has no context"),
    ({"op": 2103, "bin": "b", "ctx": [1]}, "hll_get_count has no context"),
    ({"op": 2200, "bin": "b", "expr": [], "expr_flags": 0}, "expression_read: expression is an empty list"),
    ({"op": 2200, "bin": "b", "expr_flags": 0}, 'expression_read has no "expr"'),
    ({"op": 0, "bin": "b", "ctx": [1]}, "read has no context"),
    ({"op": 1999, "bin": "b"}, "OP_"),
]


@pytest.mark.parametrize(
    ("operation", "expected"), DICTIONARIES, ids=[expected for _, expected in DICTIONARIES]
)
def test_dictionaries_of_any_origin_are_checked(
    client: Any, operation: dict[str, Any], expected: str
) -> None:
    good = list_operations.list_size("b")
    for call in (
        lambda ops: client.operate(("test", "arguments", 1), ops),
        lambda ops: client.batch_operate([("test", "arguments", 1)], ops),
    ):
        with pytest.raises(aerospike.ParamError, match=expected) as caught:
            call([good, operation])
        assert str(caught.value).startswith("operations[1]")


def test_values_are_checked_before_anything_is_sent(client: Any, fresh_set: str) -> None:
    inside: list[Any] = [1, [object()]]
    operation = list_operations.list_append_items("b", inside)
    with pytest.raises(
        aerospike.ParamError, match=r"operations\[0\]: list_append_items: values: .*cannot be written"
    ):
        client.operate(("test", fresh_set, 1), [operation])
    assert client.exists(("test", fresh_set, 1)).meta is None
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(aerospike.ParamError, match="contain themselves"):
        client.operate(("test", fresh_set, 1), [list_operations.list_append("b", loop)])


def test_wrong_contexts_of_expressions_are_named(client: Any) -> None:
    with pytest.raises(aerospike.ParamError, match="get_expression_base64: expression"):
        client.get_expression_base64(5)
    with pytest.raises(aerospike.ParamError, match="get_cdtctx_base64: ctx has no steps"):
        client.get_cdtctx_base64([])
    with pytest.raises(aerospike.ParamError, match="get_cdtctx_base64: ctx is 5"):
        client.get_cdtctx_base64(5)
