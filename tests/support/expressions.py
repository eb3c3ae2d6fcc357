"""Random expressions of the official client, typed, for comparing servers.

What crashes a real server is left out: integer divisions whose divisor may be -1, and partial bit operations
past the first byte.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import aerospike
from aerospike_helpers import HyperLogLog
from aerospike_helpers.expressions import (
    arithmetic,
    base,
    bitwise,
    bitwise_operators,
    hll,
)
from aerospike_helpers.expressions import (
    list as lists,
)
from aerospike_helpers.expressions import (
    map as maps,
)
from hypothesis import strategies as st

POINT = '{"type": "Point", "coordinates": [%s, %s]}'
REGIONS = (
    '{"type": "Polygon", "coordinates": [[[-122.5, 37.0], [-121.0, 37.0], [-121.0, 38.0], [-122.5, 38.0],'
    " [-122.5, 37.0]]]}",
    '{"type": "Polygon", "coordinates": [[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]],'
    " [[2, 2], [2, 8], [8, 8], [8, 2], [2, 2]]]}",
    '{"type": "Polygon", "coordinates": [[[170, -10], [170, 10], [-170, 10], [-170, -10], [170, -10]]]}',
    '{"type": "Polygon", "coordinates": [[[0, 80], [120, 80], [-120, 80], [0, 80]]]}',
    '{"type": "AeroCircle", "coordinates": [[-122.0, 37.5], 30000.0]}',
    '{"type": "AeroCircle", "coordinates": [[5.0, 5.0], 0]}',
    '{"type": "MultiPolygon", "coordinates": [[[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]],'
    " [[[5, 5], [6, 5], [6, 6], [5, 6], [5, 5]]]]}",
)

INTS = st.sampled_from([0, 1, -1, 2, 3, 7, 63, 64, 255, 2**31, 2**63 - 1, -(2**63)]) | st.integers(-20, 20)
FLOATS = st.sampled_from([0.0, -0.0, 1.0, -1.5, 0.1, 1e300, -1e300, 2.5]) | st.floats(-100, 100, width=32)
TEXTS = st.sampled_from(["", "a", "abc", "Abc", "hello world", "x\ny", "42", "é"])
BLOBS = st.binary(min_size=1, max_size=4)
DIVISORS = st.sampled_from([0, 1, 2, 3, 7, -3])
SCALARS = st.integers(-3, 12) | st.sampled_from(["a", "b", "c", 1.5, b"\x01", True, False, None])
LISTS = st.lists(SCALARS | st.lists(SCALARS, max_size=3), max_size=5)
MAPS = st.dictionaries(st.integers(-3, 5) | st.sampled_from(["a", "b", "c"]), SCALARS | LISTS, max_size=4)
PATTERNS = st.sampled_from(
    [
        "a",
        "^a.*c$",
        "[[:alpha:]]+",
        "h.llo",
        "(a|b)c",
        "x.y",
        "b{1,2}",
        "^$",
        "l\\{2\\}",
        "[^a-c]",
        "o w",
        "^*",
        "a|",
        "A",
    ]
)
INDEXES = st.integers(-6, 6)
COUNTS = st.integers(0, 4)

BINS: dict[str, Any] = {
    "i": 7,
    "j": -3,
    "f": 2.5,
    "s": "abc",
    "b": bytes(range(1, 9)),
    "t": True,
    "l": [1, "two", 3.0, [4, 5], None, 1],
    "n": [5, 3, 3, -1],
    "m": {1: "one", "a": [1, 2], "b": {"c": 3}},
    "g": aerospike.GeoJSON(POINT % (-122.0, 37.5)),
    "r": aerospike.GeoJSON(REGIONS[0]),
}
"""The bins of the record; ``missing`` is none of them, ``h`` is a HyperLogLog."""


def call(function: Callable[..., Any], *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(*arguments).map(lambda chosen: function(*chosen))


def names(kind: str) -> st.SearchStrategy[str]:
    """Mostly a bin of the type, sometimes another one or none."""
    return st.sampled_from([*kind, *kind, *kind, "missing", "i", "l"])


RETURNS: dict[str, list[Any]] = {
    "int": [aerospike.LIST_RETURN_COUNT],
    "list": [aerospike.LIST_RETURN_VALUE, aerospike.LIST_RETURN_INDEX, aerospike.LIST_RETURN_RANK],
}
MAP_RETURNS: dict[str, list[Any]] = {
    "int": [aerospike.MAP_RETURN_COUNT],
    "list": [aerospike.MAP_RETURN_VALUE, aerospike.MAP_RETURN_KEY],
    "map": [aerospike.MAP_RETURN_KEY_VALUE],
}


@functools.cache
def expressions(kind: str, depth: int) -> st.SearchStrategy[Any]:
    """Expressions whose value has a type, a key of ``MAKERS``."""
    return st.deferred(lambda: MAKERS[kind](depth))


def common(kind: str, depth: int) -> list[st.SearchStrategy[Any]]:
    """What is there for every type."""
    inner = expressions(kind, depth - 1)
    return [
        call(base.Cond, expressions("bool", depth - 1), inner, inner),
        call(base.Cond, expressions("bool", depth - 1), inner, st.just(base.Unknown())),
        inner.map(lambda value: base.Let(base.Def(f"x{depth}", value), base.Var(f"x{depth}"))),
    ]


def ints(depth: int) -> st.SearchStrategy[Any]:
    leaves = INTS.map(base.Val) | call(base.IntBin, names("ij")) | call(base.BinType, names("ijfsbtlmgrh"))
    leaves |= st.sampled_from([base.DigestMod(3), base.VoidTime(), base.TTL(), base.DeviceSize()])
    if depth == 0:
        return leaves
    n, f, s = (expressions(kind, depth - 1) for kind in ("int", "float", "str"))
    lst, m, b, h = (expressions(kind, depth - 1) for kind in ("list", "map", "blob", "hll"))
    flag = expressions("bool", depth - 1)
    return st.one_of(
        leaves,
        *common("int", depth),
        *(call(function, n, n) for function in (arithmetic.Add, arithmetic.Sub, arithmetic.Mul)),
        *(call(function, n, n, n) for function in (arithmetic.Min, arithmetic.Max, bitwise_operators.IntXOr)),
        *(call(function, n, DIVISORS) for function in (arithmetic.Div, arithmetic.Mod)),
        call(arithmetic.Sub, n),
        call(arithmetic.Abs, n),
        call(arithmetic.ToInt, f),
        *(call(function, n, n) for function in (bitwise_operators.IntAnd, bitwise_operators.IntOr)),
        *(
            call(function, n, n)
            for function in (
                bitwise_operators.IntLeftShift,
                bitwise_operators.IntRightShift,
                bitwise_operators.IntArithmeticRightShift,
            )
        ),
        call(bitwise_operators.IntNot, n),
        call(bitwise_operators.IntCount, n),
        call(bitwise_operators.IntLeftScan, n, flag),
        call(bitwise_operators.IntRightScan, n, flag),
        lst.map(lambda value: lists.ListSize(None, value)),
        m.map(lambda value: maps.MapSize(None, value)),
        call(
            lambda value, at: lists.ListGetByIndex(
                None, aerospike.LIST_RETURN_VALUE, base.ResultType.INTEGER, at, value
            ),
            lst,
            n,
        ),
        call(
            lambda value, at: lists.ListGetByRank(
                None, aerospike.LIST_RETURN_VALUE, base.ResultType.INTEGER, at, value
            ),
            lst,
            n,
        ),
        call(
            lambda value, x: lists.ListGetByValue(None, aerospike.LIST_RETURN_COUNT, x, value),
            lst,
            SCALARS | s,
        ),
        call(
            lambda value, x: maps.MapGetByKey(
                None, aerospike.MAP_RETURN_VALUE, base.ResultType.INTEGER, x, value
            ),
            m,
            n | s,
        ),
        call(bitwise.BitCount, INDEXES, st.integers(1, 20), b),
        call(bitwise.BitLeftScan, INDEXES, st.integers(1, 20), st.booleans(), b),
        call(bitwise.BitRightScan, INDEXES, st.integers(1, 20), st.booleans(), b),
        call(bitwise.BitGetInt, INDEXES, st.integers(1, 64), st.booleans(), b),
        call(hll.HLLGetCount, h),
        call(
            lambda sketch, values: hll.HLLMayContain(values, sketch),
            h,
            st.lists(TEXTS, min_size=1, max_size=3),
        ),
    )


def floats(depth: int) -> st.SearchStrategy[Any]:
    leaves = FLOATS.map(base.Val) | call(base.FloatBin, names("f"))
    if depth == 0:
        return leaves
    f = expressions("float", depth - 1)
    return st.one_of(
        leaves,
        *common("float", depth),
        *(
            call(function, f, f)
            for function in (
                arithmetic.Add,
                arithmetic.Sub,
                arithmetic.Mul,
                arithmetic.Div,
                arithmetic.Pow,
                arithmetic.Log,
                arithmetic.Min,
                arithmetic.Max,
            )
        ),
        *(call(function, f) for function in (arithmetic.Floor, arithmetic.Ceil, arithmetic.Abs)),
        call(arithmetic.ToFloat, expressions("int", depth - 1)),
    )


def texts(depth: int) -> st.SearchStrategy[Any]:
    leaves = (
        TEXTS.map(base.Val) | call(base.StrBin, names("s")) | st.just(base.SetName()) | st.just(base.KeyStr())
    )
    if depth == 0:
        return leaves
    lst, n = expressions("list", depth - 1), expressions("int", depth - 1)
    get = lambda value, at: lists.ListGetByIndex(  # noqa: E731
        None, aerospike.LIST_RETURN_VALUE, base.ResultType.STRING, at, value
    )
    return st.one_of(leaves, *common("str", depth), call(get, lst, n))


def bools(depth: int) -> st.SearchStrategy[Any]:
    leaves = call(base.BoolBin, names("t")) | call(base.BinExists, names("ijsfl"))
    leaves |= st.sampled_from([base.KeyExists(), base.IsTombstone(), base.Unknown()])
    if depth == 0:
        return leaves
    flag = expressions("bool", depth - 1)
    comparisons = (base.Eq, base.NE, base.GT, base.GE, base.LT, base.LE)
    kinds = ("int", "float", "str", "bool", "list", "map", "blob")
    geo = st.one_of(
        st.sampled_from([aerospike.GeoJSON(region) for region in REGIONS]),
        call(lambda x, y: aerospike.GeoJSON(POINT % (x, y)), st.floats(-180, 180), st.floats(-90, 90)),
        call(lambda x, y: aerospike.GeoJSON(POINT % (x, y)), st.integers(-1, 11), st.integers(-1, 11)),
        call(base.GeoBin, names("gr")),
    )
    return st.one_of(
        leaves,
        *common("bool", depth),
        *(
            call(function, expressions(kind, depth - 1), expressions(kind, depth - 1))
            for kind in kinds
            for function in comparisons
        ),
        *(call(function, flag, flag, flag) for function in (base.And, base.Or, base.Exclusive)),
        call(base.Not, flag),
        call(base.CmpRegex, st.sampled_from([0, 1, 2, 3, 4, 5]), PATTERNS, expressions("str", depth - 1)),
        call(base.CmpGeo, geo, geo),
        call(
            lists.InList,
            expressions("int", depth - 1) | expressions("str", 0) | expressions("float", 0),
            expressions("list", depth - 1),
        ),
    )


def list_values(depth: int) -> st.SearchStrategy[Any]:
    leaves = LISTS.map(base.Val) | call(base.ListBin, names("ln"))
    if depth == 0:
        return leaves
    lst, m, n = (expressions(kind, depth - 1) for kind in ("list", "map", "int"))
    wanted, kept = st.sampled_from(RETURNS["list"]), st.sampled_from(MAP_RETURNS["list"])
    values = SCALARS | n
    return st.one_of(
        leaves,
        *common("list", depth),
        call(lambda a, b: lists.ListAppend(None, None, b, a), lst, values),
        call(lambda a, b: lists.ListAppendItems(None, None, b, a), lst, lst),
        call(lambda a, at, b: lists.ListInsert(None, None, at, b, a), lst, INDEXES, values),
        call(lambda a, at, b: lists.ListSet(None, None, at, b, a), lst, INDEXES, values),
        call(lambda a, order: lists.ListSort(None, order, a), lst, st.sampled_from([0, 2])),
        call(lambda a: lists.ListClear(None, a), lst),
        call(lambda a, b: lists.ListRemoveByValue(None, b, a), lst, values),
        call(lambda a, at, count: lists.ListRemoveByIndexRange(None, at, count, a), lst, INDEXES, COUNTS),
        call(
            lambda a, how, at, count: lists.ListGetByIndexRange(None, how, at, count, a),
            lst,
            wanted,
            INDEXES,
            COUNTS,
        ),
        call(
            lambda a, how, at, count: lists.ListGetByRankRange(None, how, at, count, a),
            lst,
            wanted,
            INDEXES,
            COUNTS,
        ),
        call(lambda a, how, b, c: lists.ListGetByValueRange(None, how, b, c, a), lst, wanted, values, values),
        call(
            lambda a, how, at, count: maps.MapGetByIndexRange(None, how, at, count, a),
            m,
            kept,
            INDEXES,
            COUNTS,
        ),
        call(
            lambda a, how, at, count: maps.MapGetByRankRange(None, how, at, count, a),
            m,
            kept,
            INDEXES,
            COUNTS,
        ),
        m.map(maps.MapGetKeys),
        m.map(maps.MapGetValues),
        expressions("hll", depth - 1).map(hll.HLLDescribe),
    )


def map_values(depth: int) -> st.SearchStrategy[Any]:
    leaves = MAPS.map(base.Val) | call(base.MapBin, names("m"))
    if depth == 0:
        return leaves
    m, n, s = (expressions(kind, depth - 1) for kind in ("map", "int", "str"))
    keys, values = n | s, SCALARS | n
    whole = st.sampled_from(MAP_RETURNS["map"])
    return st.one_of(
        leaves,
        *common("map", depth),
        call(lambda a, key, value: maps.MapPut(None, None, key, value, a), m, keys, values),
        call(lambda a, b: maps.MapPutItems(None, None, b, a), m, m),
        call(lambda a: maps.MapClear(None, a), m),
        call(lambda a, key: maps.MapRemoveByKey(None, key, a), m, keys),
        call(lambda a, at, count: maps.MapRemoveByRankRange(None, at, count, a), m, INDEXES, COUNTS),
        call(lambda a, how, b, c: maps.MapGetByKeyRange(None, how, b, c, a), m, whole, keys, keys),
    )


def blobs(depth: int) -> st.SearchStrategy[Any]:
    leaves = BLOBS.map(base.Val) | call(base.BlobBin, names("b"))
    if depth == 0:
        return leaves
    b, n = expressions("blob", depth - 1), expressions("int", depth - 1)
    size, policy = st.integers(1, 16), st.none()
    return st.one_of(
        leaves,
        *common("blob", depth),
        call(bitwise.BitResize, policy, st.integers(0, 12), st.sampled_from([0, 1, 2, 4]), b),
        call(bitwise.BitInsert, policy, INDEXES, BLOBS, b),
        call(bitwise.BitRemove, policy, INDEXES, COUNTS, b),
        *(
            call(function, policy, INDEXES, size, BLOBS, b)
            for function in (bitwise.BitSet, bitwise.BitOr, bitwise.BitXor, bitwise.BitAnd)
        ),
        call(bitwise.BitNot, policy, INDEXES, size, b),
        *(
            call(function, policy, INDEXES, size, st.integers(0, 20), b)
            for function in (bitwise.BitLeftShift, bitwise.BitRightShift)
        ),
        *(
            call(function, policy, INDEXES, size, n, st.sampled_from([0, 2, 4]), b)
            for function in (bitwise.BitAdd, bitwise.BitSubtract)
        ),
        call(bitwise.BitSetInt, policy, INDEXES, size, n, b),
        call(bitwise.BitGet, INDEXES, size, b),
    )


def sketches(depth: int) -> st.SearchStrategy[Any]:
    leaves = call(base.HLLBin, st.sampled_from(["h", "h", "h", "missing"]))
    if depth == 0:
        return leaves
    h = expressions("hll", depth - 1)
    values = st.lists(TEXTS | INTS, min_size=1, max_size=4)
    return st.one_of(
        leaves,
        *common("hll", depth),
        call(
            lambda sketch, index, hashed: hll.HLLInit(None, index, hashed, sketch),
            h,
            st.integers(3, 17),
            st.integers(-1, 6),
        ),
        call(lambda sketch, new: hll.HLLAdd(None, new, -1, -1, sketch), h, values),
    )


MAKERS: dict[str, Callable[[int], st.SearchStrategy[Any]]] = {
    "int": ints,
    "float": floats,
    "str": texts,
    "bool": bools,
    "list": list_values,
    "map": map_values,
    "blob": blobs,
    "hll": sketches,
}

ANY = st.sampled_from(sorted(MAKERS)).flatmap(lambda kind: expressions(kind, 3))
FILTERS = expressions("bool", 3)

__all__ = ["ANY", "BINS", "FILTERS", "HyperLogLog", "expressions"]
