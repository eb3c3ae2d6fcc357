"""Operations, contexts and expressions: the same bytes as the official client's.

Operations are compared by the requests that both clients send, expressions and contexts by the base64 that
the official client gives.
"""

from __future__ import annotations

import base64
import contextlib
import importlib
import math
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import aerospike_py
from aerospike_py import _native
from tests.support import helper_modules
from tests.support.frames import Recorder
from tests.support.proxy import Proxy
from tests.support.twins import shown

aerospike = pytest.importorskip("aerospike", exc_type=ModuleNotFoundError)
pytest.importorskip("aerospike_helpers")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

KEY = ("test", "interop-operations", 1)
MODULES = ("list", "map", "bitwise", "hll", "expression", "string")
# The functions of the module without a family, which other tests compare, are on whole bins.
PATHS = ("select_by_path", "modify_by_path")


def operations_of(kind: str, package: str) -> Any:
    if kind == "path":
        name = (
            "aerospike_helpers.operations.operations" if package == "official" else "aerospike_py.operations"
        )
        return importlib.import_module(name)
    prefix = "aerospike_helpers.operations" if package == "official" else "aerospike_py"
    return importlib.import_module(f"{prefix}.{kind}_operations")


# The official client sends one argument too many, which no server takes (its CLIENT-4109).
OFFICIAL_IS_WRONG = {"MapIncrement"}


@pytest.fixture(scope="module")
def recorders(server: Any) -> Iterator[tuple[Recorder, Recorder]]:
    """The official client and ours, each behind a proxy."""
    with contextlib.ExitStack() as stack:
        proxies = [stack.enter_context(Proxy(server.hosts[0])) for _ in range(2)]
        official = aerospike.client({"hosts": [proxies[0].address]}).connect()
        stack.callback(official.close)
        ours = stack.enter_context(
            aerospike_py.client({"hosts": [proxies[1].address], "tend_interval": 60_000}).connect()
        )
        yield Recorder(proxies[0], official), Recorder(proxies[1], ours)


def functions() -> list[Any]:
    return [
        pytest.param(kind, name, id=f"{kind}.{name}")
        for kind in MODULES
        for name, member in helper_modules.public(f"aerospike_helpers.operations.{kind}_operations")
        if not isinstance(member, type)
    ] + [pytest.param("path", name, id=f"path.{name}") for name in PATHS]


def made(kind: str, name: str, number: int) -> tuple[Any, Any]:
    """The dictionaries that the official function and ours make of the same arguments."""
    theirs = getattr(operations_of(kind, "official"), name)
    ours = getattr(operations_of(kind, "ours"), name)
    call = list(helper_modules.calls(name, theirs))[number]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        args, kwargs = call(helper_modules.official())
        official = theirs(*args, **kwargs)
    args, kwargs = call(helper_modules.ours())
    return official, ours(*args, **kwargs)


@pytest.mark.parametrize(("kind", "name"), functions())
def test_operations_are_encoded_as_by_the_official_client(
    recorders: tuple[Recorder, Recorder], kind: str, name: str
) -> None:
    theirs = getattr(operations_of(kind, "official"), name)
    official, ours = recorders
    for number in range(len(list(helper_modules.calls(name, theirs)))):
        their_operation, our_operation = made(kind, name, number)
        expected = official.request(lambda client, op=their_operation: client.operate(KEY, [op]))
        for operation in (our_operation, their_operation):
            found = ours.request(lambda client, op=operation: client.operate(KEY, [op]))
            assert found.ops == expected.ops, operation
            assert found.info == expected.info, operation


VALUES: tuple[Any, ...] = (
    *(0, -1, 2**63 - 1, -(2**63), 1.5, -0.0, math.inf, True, False, None, "", "grüße", "x" * 300),
    *(b"", b"\x00\xff", bytearray(b"ab"), [], [1, "a", [None]], {}, {"b": 1, "a": [2]}, {1: 2}),
)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_in_operations(recorders: tuple[Recorder, Recorder], value: Any) -> None:
    from aerospike_py import list_operations, map_operations

    official, ours = recorders
    operations = [
        list_operations.list_append("b", value),
        list_operations.list_get_by_value_range("b", 7, value, None),
        map_operations.map_put("m", "k", value),
        map_operations.map_get_by_value("m", value, 5),
        list_operations.list_size("b", [aerospike_py.cdt_ctx.cdt_ctx_list_value(value)]),
    ]
    # The official client knows its own contexts only.
    theirs = [
        *operations[:4],
        {
            **operations[4],
            "ctx": [importlib.import_module("aerospike_helpers.cdt_ctx").cdt_ctx_list_value(value)],
        },
    ]
    expected = official.request(lambda client: client.operate(KEY, theirs))
    assert ours.request(lambda client: client.operate(KEY, operations)).ops == expected.ops


SPECIAL = (
    (lambda package: package.CDTInfinite(), "d4ff01"),
    (lambda package: package.CDTWildcard(), "d4ff00"),
    (lambda package: package.GeoJSON('{"type": "Point", "coordinates": [1, 2]}'), None),
    (lambda package: package.KeyOrderedDict({"b": 1, "a": 2}), None),
    (lambda package: package.null(), "c0"),
)


@pytest.mark.parametrize(("value", "encoded"), SPECIAL)
def test_special_values_of_either_package(
    recorders: tuple[Recorder, Recorder], value: Any, encoded: str
) -> None:
    from aerospike_py import list_operations

    official, ours = recorders
    operations = [
        list_operations.list_get_by_value("b", [1, value(package)], 7)
        for package in (aerospike, aerospike_py)
    ]
    expected = official.request(lambda client: client.operate(KEY, [operations[0]]))
    for operation in operations:
        found = ours.request(lambda client, op=operation: client.operate(KEY, [op]))
        assert found.ops == expected.ops
    if encoded is not None:
        assert expected.ops[0].value.hex().endswith(encoded)


def test_sketches_of_either_package(recorders: tuple[Recorder, Recorder]) -> None:
    from aerospike_helpers import HyperLogLog

    from aerospike_py import hll_operations

    official, ours = recorders
    data = bytes.fromhex("0004") + bytes(13) + bytes.fromhex("4080003000000000")
    expected = official.request(
        lambda client: client.operate(KEY, [hll_operations.hll_get_union("h", [HyperLogLog(data)])])
    )
    for sketch in (HyperLogLog(data), aerospike_py.HyperLogLog(data)):
        operation = hll_operations.hll_get_union("h", [sketch])
        found = ours.request(lambda client, op=operation: client.operate(KEY, [op]))
        assert found.ops == expected.ops


def expression_classes() -> list[Any]:
    left_out = {"ResultType", "ReturnType", "LoopVar"}
    return [
        pytest.param(name, id=name)
        for name, _ in helper_modules.public("aerospike_helpers.expressions")
        if name not in left_out
    ]


@pytest.mark.parametrize("name", expression_classes())
def test_every_expression_is_encoded_as_by_the_official_client(official: Any, name: str) -> None:
    theirs = getattr(importlib.import_module("aerospike_helpers.expressions"), name)
    ours = getattr(aerospike_py.expressions, name)
    for call in helper_modules.calls(name, theirs):
        args, kwargs = call(helper_modules.official())
        compiled = theirs(*args, **kwargs).compile()
        if name == "Def":
            # Only Let has definitions.
            theirs_exp = importlib.import_module("aerospike_helpers.expressions")
            compiled = theirs_exp.Let(theirs(*args, **kwargs), theirs_exp.Var("v")).compile()
        expected = official.get_expression_base64(compiled)
        args, kwargs = call(helper_modules.ours())
        expression = ours(*args, **kwargs)
        if name == "Def":
            expression = aerospike_py.expressions.Let(expression, aerospike_py.expressions.Var("v"))
        if name in OFFICIAL_IS_WRONG and args[1] is not None:
            assert _native.get_expression_base64(expression) != expected
            continue
        assert _native.get_expression_base64(expression) == expected, args
        assert _native.get_expression_base64(expression.compile()) == expected
        # What the official classes compile is taken as it is, and so is base64.
        assert _native.get_expression_base64(compiled) == expected
        assert _native.get_expression_base64(expected) == expected


# Generated expressions. A strategy makes a pair: the official expression and ours.
Pair = tuple[Any, Any]


def both(name: str, *parts: Any) -> Pair:
    """The expression of a class in both packages; parts that are pairs become its children."""
    official, ours = ([part[side] if isinstance(part, tuple) else part for part in parts] for side in (0, 1))
    helpers = importlib.import_module("aerospike_helpers.expressions")
    return getattr(helpers, name)(*official), getattr(aerospike_py.expressions, name)(*ours)


names = st.text("abcxyz_é", min_size=1, max_size=7)
ints = st.integers(-(2**63), 2**63 - 1)
# The official client cuts the numbers of contexts to 32 bits.
indexes = st.integers(-(2**31), 2**31 - 1)
floats = st.floats(allow_nan=False)
# The official client cuts text at a NUL.
characters = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
scalars = st.one_of(ints, floats, st.booleans(), st.text(characters, max_size=40), st.binary(max_size=40))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(ints, names), inner, max_size=4)
    ),
    max_leaves=8,
)


@st.composite
def contexts(draw: Any) -> tuple[list[Any], list[Any]]:
    helpers = importlib.import_module("aerospike_helpers.cdt_ctx")
    steps = draw(
        st.lists(
            st.one_of(
                st.tuples(
                    st.sampled_from(["list_index", "list_rank", "map_index", "map_rank"]), st.tuples(indexes)
                ),
                st.tuples(st.sampled_from(["list_value", "map_value"]), st.tuples(values)),
                st.tuples(st.just("map_key"), st.tuples(scalars)),
                st.tuples(st.just("map_key_create"), st.tuples(scalars, st.sampled_from([0, 1, 3]))),
                st.tuples(
                    st.just("list_index_create"), st.tuples(indexes, st.sampled_from([0, 1]), st.booleans())
                ),
            ),
            min_size=1,
            max_size=5,
        )
    )
    official = [getattr(helpers, f"cdt_ctx_{name}")(*arguments) for name, arguments in steps]
    ours = [getattr(aerospike_py.cdt_ctx, f"cdt_ctx_{name}")(*arguments) for name, arguments in steps]
    return official, ours


context_or_none = st.one_of(st.just((None, None)), contexts())


def numbers() -> st.SearchStrategy[Pair]:
    bins = st.one_of(
        names.map(lambda name: both("IntBin", name)),
        names.map(lambda name: both("FloatBin", name)),
        st.sampled_from(["TTL", "RecordSize", "VoidTime", "SinceUpdateTime"]).map(both),
        st.tuples(context_or_none, names).map(lambda parts: both("ListSize", *parts)),
        st.tuples(context_or_none, st.sampled_from([1, 3, 5]), values, names, st.booleans()).map(
            lambda parts: both("MapGetByValue", *parts)
        ),
        st.tuples(context_or_none, st.just(7), st.just(2), st.one_of(ints, names), names).map(
            lambda parts: both("MapGetByKey", *parts)
        ),
    )
    literals = st.one_of(ints, floats).map(lambda value: (value, value))

    def larger(inner: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
        return st.one_of(
            st.tuples(
                st.sampled_from(["Add", "Sub", "Mul", "Div", "Min", "Max"]),
                st.lists(inner, min_size=1, max_size=4),
            ).map(lambda made: both(made[0], *made[1])),
            st.tuples(st.sampled_from(["Pow", "Log", "Mod"]), inner, inner).map(lambda made: both(*made)),
            st.tuples(st.sampled_from(["Abs", "Floor", "Ceil", "ToInt", "ToFloat"]), inner).map(
                lambda made: both(*made)
            ),
        )

    return st.recursive(st.one_of(bins, literals), larger, max_leaves=8)


def conditions() -> st.SearchStrategy[Pair]:
    simple = st.one_of(
        st.tuples(st.sampled_from(["Eq", "NE", "GT", "GE", "LT", "LE"]), numbers(), numbers()).map(
            lambda made: both(*made)
        ),
        st.tuples(names, values).map(lambda made: both("Eq", both("ListBin", made[0]), (made[1], made[1]))),
        st.tuples(st.integers(0, 15), st.text(characters, max_size=20), names).map(
            lambda made: both("CmpRegex", made[0], made[1], both("StrBin", made[2]))
        ),
        names.map(lambda name: both("BinExists", name)),
    )

    def larger(inner: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
        return st.one_of(
            st.tuples(
                st.sampled_from(["And", "Or", "Exclusive"]), st.lists(inner, min_size=1, max_size=4)
            ).map(lambda made: both(made[0], *made[1])),
            inner.map(lambda made: both("Not", made)),
            st.tuples(inner, inner, inner).map(lambda made: both("Cond", *made)),
            st.tuples(names, numbers(), inner).map(
                lambda made: both(
                    "Let", both("Def", made[0], made[1]), both("Cond", made[2], made[2], made[2])
                )
            ),
        )

    return st.recursive(simple, larger, max_leaves=6)


@given(conditions())
def test_generated_expressions(official: Any, pair: Pair) -> None:
    theirs, ours = pair
    expected = official.get_expression_base64(theirs.compile())
    assert _native.get_expression_base64(ours) == expected
    assert helper_modules.same(ours.compile(), theirs.compile())
    assert _native.get_expression_base64(theirs.compile()) == expected


@given(contexts())
def test_generated_contexts(official: Any, pair: tuple[list[Any], list[Any]]) -> None:
    theirs, ours = pair
    expected = official.get_cdtctx_base64(theirs)
    assert _native.get_context_base64(ours) == expected
    assert _native.get_context_base64(theirs) == expected


def test_operators_build_the_same_expressions(official: Any) -> None:
    theirs, ours = importlib.import_module("aerospike_helpers.expressions"), aerospike_py.expressions
    formulas: list[Any] = [
        lambda a, b: a + b + 1,
        lambda a, b: a + (b + 1),
        lambda a, b: a - b - 1,
        lambda a, b: a * b * 2,
        lambda a, b: a * (b + 1),
        lambda a, b: a / b,
        lambda a, b: a // b,
        lambda a, b: a**b,
        lambda a, b: a % b,
        lambda a, b: abs(a - b),
        lambda a, b: math.floor(a) + math.ceil(b),
    ]
    for formula in formulas:
        expected = formula(theirs.IntBin("a"), theirs.IntBin("b")).compile()
        found = formula(ours.IntBin("a"), ours.IntBin("b"))
        assert _native.get_expression_base64(found) == official.get_expression_base64(expected)


def test_operators_keep_their_grouping() -> None:
    """Where the official client loses it: ``a - (b - c)`` is ``a - b - c`` there."""
    exp = aerospike_py.expressions
    a, b, c = (exp.IntBin(name) for name in "abc")
    assert repr(a - (b - c)) == "Sub(IntBin('a'), Sub(IntBin('b'), IntBin('c')))"
    assert repr(a / (b / c)) == "Div(IntBin('a'), Div(IntBin('b'), IntBin('c')))"
    assert repr(1 - a) == "Sub(1, IntBin('a'))"
    assert repr(2 * a + 1) == "Add(Mul(2, IntBin('a')), 1)"


def test_expressions_of_both_packages_can_be_mixed(official: Any) -> None:
    theirs, ours = importlib.import_module("aerospike_helpers.expressions"), aerospike_py.expressions
    expected = official.get_expression_base64(
        theirs.And(theirs.BinExists("a"), theirs.GT(theirs.IntBin("a"), 1)).compile()
    )
    assert (
        _native.get_expression_base64(ours.And(theirs.BinExists("a"), ours.GT(theirs.IntBin("a"), 1)))
        == expected
    )
    assert (
        _native.get_expression_base64(theirs.And(ours.BinExists("a"), theirs.GT(ours.IntBin("a"), 1)))
        == expected
    )


def test_base64_is_that_of_the_bytes() -> None:
    expression = aerospike_py.expressions.Eq(aerospike_py.expressions.IntBin("a"), 1)
    assert base64.b64decode(_native.get_expression_base64(expression)).hex() == "9301935102a16101"


BINS: dict[str, Any] = {
    "list": [5, 1, 9, 7, "text", "b", [1, {"k": 2}]],
    "map": {"a": 1, "k": 7, "b": 2, 7: "text"},
    "bitwise": bytes(range(8)),
    "hll": None,
    "expression": 1,
    "string": "abc",
    "path": [5, 1, 9, 7, 3, 2, [1, 2, 3]],
}


def outcome(client: Any, key: Any, operations: list[Any]) -> Any:
    try:
        return shown(client.operate_ordered(key, operations)[2])
    except (aerospike.exception.AerospikeError, aerospike_py.AerospikeError) as error:
        return error.code


@pytest.mark.parametrize(("kind", "name"), functions())
def test_operations_have_the_same_results(
    official: Any, client: Any, fresh_set: str, kind: str, name: str
) -> None:
    """The record before, the operation, and the record after it: equal with both clients."""
    from aerospike_helpers.operations import hll_operations

    theirs = getattr(operations_of(kind, "official"), name)
    for number in range(len(list(helper_modules.calls(name, theirs)))):
        results = []
        for side, one in enumerate((official, client)):
            key = ("test", fresh_set, f"{number}-{side}")
            official.put(key, {"bin": BINS[kind], "a": 1, "rest": 1})
            if kind == "hll":
                official.operate(key, [hll_operations.hll_add("bin", ["a", "x"], 8)])
            operation = made(kind, name, number)[side]
            first = outcome(one, key, [operation])
            read = [{"op": 0, "bin": name} for name in ("bin", "test_name", "grüße")]
            results.append((first, outcome(official, key, read)))
        assert results[0] == results[1], (name, number)


@pytest.mark.parametrize("name", expression_classes())
def test_expressions_have_the_same_results(official: Any, client: Any, fresh_set: str, name: str) -> None:
    """As the value of a read operation, made by either package and sent by either client."""
    from aerospike_helpers.operations import expression_operations as their_operations

    from aerospike_py import expression_operations

    key = ("test", fresh_set, name)
    record: dict[str, Any] = {"bin": [1, 2], "a": 1, "b": 2, "s": "abc", "f": 1.5}
    if name.startswith("Map"):
        record["bin"] = {"a": 1, "k": 7, "b": 2}
    elif name.startswith("Bit"):
        record["bin"] = bytes(range(8))
    official.put(key, record)
    theirs = getattr(importlib.import_module("aerospike_helpers.expressions"), name)
    ours = getattr(aerospike_py.expressions, name)
    if name in ("Def", "SinceUpdateTime", "LastUpdateTime", "TTL", "VoidTime"):
        pytest.skip("no expression by itself, or another value each time")
    for call in helper_modules.calls(name, theirs):
        args, kwargs = call(helper_modules.official())
        compiled = theirs(*args, **kwargs).compile()
        if name in OFFICIAL_IS_WRONG:
            continue
        expected = outcome(official, key, [their_operations.expression_read("r", compiled)])
        args, kwargs = call(helper_modules.ours())
        for expression in (ours(*args, **kwargs), compiled):
            found = outcome(client, key, [expression_operations.expression_read("r", expression)])
            assert found == expected, args
