"""The official helper modules and ours, side by side: names, parameters, arguments to call them with."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import aerospike_py

# The official module, and ours.
PAIRS = {
    "aerospike_helpers.operations.operations": "aerospike_py.operations.operations",
    "aerospike_helpers.operations.list_operations": "aerospike_py.operations.list_operations",
    "aerospike_helpers.operations.map_operations": "aerospike_py.operations.map_operations",
    "aerospike_helpers.operations.bitwise_operations": "aerospike_py.operations.bitwise_operations",
    "aerospike_helpers.operations.hll_operations": "aerospike_py.operations.hll_operations",
    "aerospike_helpers.operations.expression_operations": "aerospike_py.operations.expression_operations",
    "aerospike_helpers.operations.string_operations": "aerospike_py.operations.string_operations",
    "aerospike_helpers.cdt_ctx": "aerospike_py.cdt_ctx",
    "aerospike_helpers.string_helpers": "aerospike_py.string_helpers",
    "aerospike_helpers.expressions": "aerospike_py.expressions",
    "aerospike_helpers.expressions.base": "aerospike_py.expressions.base",
    "aerospike_helpers.expressions.list": "aerospike_py.expressions.list",
    "aerospike_helpers.expressions.map": "aerospike_py.expressions.map",
    "aerospike_helpers.expressions.bitwise": "aerospike_py.expressions.bitwise",
    "aerospike_helpers.expressions.hll": "aerospike_py.expressions.hll",
    "aerospike_helpers.expressions.arithmetic": "aerospike_py.expressions.arithmetic",
    "aerospike_helpers.expressions.bitwise_operators": "aerospike_py.expressions.bitwise_operators",
    "aerospike_helpers.expressions.string": "aerospike_py.expressions.string",
    "aerospike_helpers.batch.records": "aerospike_py.batch.records",
}

# Their names that are no function or class to use: aliases of types, and modules that they import.
NOT_OFFERED = {
    # Rows of user-defined functions come with these.
    ("aerospike_helpers.batch.records", "Apply"),
    ("aerospike_helpers.batch.records", "HelperType"),
}


def public(module: str) -> Iterator[tuple[str, Any]]:
    """The functions and classes that an official module defines."""
    found = importlib.import_module(module)
    package = module == "aerospike_helpers.expressions"
    for name, member in vars(found).items():
        if name.startswith(("_", "Type")) or not callable(member):
            continue
        where = getattr(member, "__module__", "")
        if where == module or (package and where.startswith(module)):
            yield name, member


def parameters(member: Any) -> list[tuple[str, Any, Any]]:
    """Name, kind and default of the parameters of a function or class."""
    try:
        found = inspect.signature(member).parameters.values()
    except ValueError:
        return []
    return [(one.name, one.kind, _plain(one.default)) for one in found]


def _plain(default: Any) -> Any:
    return int(default) if isinstance(default, int) and not isinstance(default, bool) else default


@dataclass(frozen=True)
class Twins:
    """What arguments may be, in the types of one of the packages."""

    package: Any
    cdt_ctx: Any
    expressions: Any
    string_helpers: Any

    def context(self) -> list[Any]:
        make = self.cdt_ctx
        return [
            make.cdt_ctx_list_index(-1),
            make.cdt_ctx_map_key_create("k", 1),
            make.cdt_ctx_list_index_create(3, 1, True),
            make.cdt_ctx_map_value([1, "a"]),
        ]


def ours() -> Twins:
    from aerospike_py import cdt_ctx, expressions, string_helpers

    return Twins(aerospike_py, cdt_ctx, expressions, string_helpers)


def official() -> Twins:
    import aerospike
    from aerospike_helpers import cdt_ctx, expressions, string_helpers

    return Twins(aerospike, cdt_ctx, expressions, string_helpers)


Sample = Callable[[Twins], Any]


def always(value: Any) -> Sample:
    return lambda _: value


# For a parameter's name, values that all functions with that parameter take. The first is the plain one.
SAMPLES: dict[str, tuple[Sample, ...]] = {
    "action": (lambda _: 4, lambda _: 0),
    "amount": (lambda _: 1, lambda _: 1.5),
    "append_item": (lambda _: "x",),
    "args": (lambda _: 3, lambda t: t.expressions.IntBin("a")),
    "base": (lambda _: 2.0,),
    "begin": (lambda _: 1, lambda _: None, lambda t: t.expressions.IntBin("a")),
    "bin": (lambda _: "bin",),
    "bin_name": (lambda _: "bin", lambda _: "grüße"),
    "bit_offset": (lambda _: 8, lambda _: -8),
    "bit_size": (lambda _: 16,),
    "byte_offset": (lambda _: 1, lambda _: -1),
    "byte_size": (lambda _: 2,),
    "cmp_str": (lambda _: "abc", lambda t: t.expressions.StrBin("s")),
    "count": (lambda _: 2,),
    "ctx": (lambda t: t.context(), lambda _: None),
    "denominator": (lambda _: 3,),
    "end": (lambda _: 9, lambda t: t.expressions.IntBin("b")),
    "exponent": (lambda _: 2.0,),
    "expr": (lambda t: t.expressions.IntBin("a"),),
    "expr0": (lambda t: t.expressions.IntBin("a"),),
    "expr1": (lambda _: 5,),
    "expression": (lambda t: t.expressions.Eq(t.expressions.IntBin("a"), 1).compile(),),
    "expression_read_flags": (lambda _: 0, lambda _: 16),
    "expression_write_flags": (lambda _: 0, lambda _: 2),
    "flags": (lambda _: 1,),
    "get_amt": (lambda _: 2,),
    "hll_list": (lambda _: [],),
    "index": (lambda _: 0, lambda _: -1),
    "index_type": (*map(always, (0, 1, 2, 3, 9)),),
    "index_bit_count": (lambda _: 8, lambda _: None),
    "index_datatype": (*map(always, (0, 1, 2, 3, 4, 9)),),
    "index_start": (lambda _: 0,),
    "inverted": (lambda _: True, lambda _: False),
    "invert_size": (lambda _: True,),
    "item_dict": (lambda _: {"b": 1, "a": 2},),
    "key": (lambda _: "k", lambda _: 7),
    "key_list": (lambda _: ["a", "b"],),
    "key_range_end": (lambda _: "z",),
    "key_range_start": (lambda _: "a",),
    "keys": (lambda _: ["a", "b"],),
    "list": (lambda _: ["a", 1],),
    "list_order": (lambda _: 1, lambda _: 0),
    "map": (lambda _: {"a": 1},),
    "map_order": (lambda _: 1, lambda _: 3),
    "map_policy": (lambda _: {"map_order": 1, "map_write_flags": 4}, lambda _: None),
    "map_value": (lambda _: "bin",),
    "mh_bit_count": (lambda _: 16, lambda _: None),
    "mod": (lambda _: 10,),
    "mod_exp": (lambda t: t.expressions.LoopVarInt(1).compile(),),
    "needle": (lambda _: "a",),
    "num": (lambda _: 8.0,),
    "numerator": (lambda _: 7,),
    "numeric_type": (lambda t: t.string_helpers.NumericType.INT,),
    "occurrence": (lambda _: 2,),
    "offset": (lambda _: 1, lambda _: -2),
    "options": (lambda _: 2,),
    "order": (lambda _: 1,),
    "pad": (lambda _: True,),
    "pad_string": (lambda _: " ",),
    "pattern": (lambda _: "a+",),
    "persist_index": (lambda _: True,),
    "policy": (lambda _: None,),
    "prefix": (lambda _: "a",),
    "prepend_item": (lambda _: "x",),
    "rank": (lambda _: 0, lambda _: -1),
    "rank_start": (lambda _: -2,),
    "regex_flags": (lambda t: t.string_helpers.RegexFlags.MULTILINE,),
    "regex_str": (lambda _: "a.*",),
    "remove_amt": (lambda _: 2,),
    "replacement": (lambda _: "b",),
    "resize_flags": (lambda _: 1,),
    "return_type": (lambda _: 7, lambda _: 5),
    "search": (lambda _: True,),
    "separator": (lambda _: ", ",),
    "shift": (lambda _: 3,),
    "sign": (lambda _: True, lambda _: False),
    "sort_flags": (lambda _: 2,),
    "start": (lambda _: 1,),
    "suffix": (lambda _: "a",),
    "target_length": (lambda _: 8,),
    "ttl": (lambda _: 60,),
    "value": (lambda _: 7, lambda _: "text"),
    "value_begin": (lambda _: 1,),
    "value_byte_size": (lambda _: 1,),
    "value_end": (lambda _: 9,),
    "value_list": (lambda _: ["a", "b"],),
    "value_range": (lambda _: [1, 2],),
    "value_start": (lambda _: 1,),
    "value_type": (lambda _: 2,),
    "values": (lambda _: ["a", "b"],),
    "var_id": (lambda _: 1,),
    "var_name": (lambda _: "v",),
    "write_item": (lambda _: 1,),
}

# Where a function wants something else than its siblings: (name, parameter).
SPECIAL: dict[tuple[str, str], tuple[Sample, ...]] = {
    **{
        (name, "value"): (lambda _: b"\xff", lambda _: bytearray(b"\xff\x00"))
        for name in ("bit_set", "bit_and", "bit_or", "bit_xor", "bit_insert")
    },
    **{
        (name, "value"): (lambda _: b"\xff",) for name in ("BitSet", "BitAnd", "BitOr", "BitXor", "BitInsert")
    },
    **{
        (name, "value"): (lambda _: True,)
        for name in ("bit_lscan", "bit_rscan", "BitLeftScan", "BitRightScan")
    },
    **{
        (name, "value"): (lambda _: "text",)
        for name in ("insert", "overwrite", "append", "prepend", "Insert", "Overwrite", "Append", "Prepend")
    },
    **{
        (name, "value"): (lambda _: 2,)
        for name in (
            *("list_increment", "ListIncrement", "MapIncrement", "bit_add", "bit_subtract", "bit_set_int"),
            *("BitAdd", "BitSubtract", "BitSetInt", "IntLeftShift", "IntRightShift", "IntCount"),
            *("IntArithmeticRightShift", "IntLeftScan", "IntRightScan"),
        )
    },
    **{
        (name, "value"): (lambda _: [1, 2],)
        for name in ("ListAppendItems", "ListGetByValueList", "MapGetByValueList")
    },
    **{
        (name, "value"): (lambda _: 2.5, lambda t: t.expressions.FloatBin("f"))
        for name in ("Abs", "Floor", "Ceil", "ToInt", "ToFloat")
    },
    ("StringPolicy", "write_flags"): (lambda _: 0,),
    ("hll_fold", "index_bit_count"): (lambda _: 8,),
    **{
        (name, "ctx"): (
            lambda t: [t.cdt_ctx.cdt_ctx_all_children()],
            lambda t: [t.cdt_ctx.cdt_ctx_list_index(6), t.cdt_ctx.cdt_ctx_all_children()],
        )
        for name in ("select_by_path", "modify_by_path")
    },
    ("select_by_path", "flags"): (lambda _: 1, lambda _: 0, lambda _: 16),
    ("modify_by_path", "flags"): (lambda _: 0, lambda _: 16),
    ("modify_by_path", "expr"): (lambda t: t.expressions.LoopVarInt(1).compile(),),
    ("SelectByPath", "bin"): (lambda t: t.expressions.ListBin("bin"),),
    ("ModifyByPath", "bin"): (lambda t: t.expressions.ListBin("bin"),),
    ("SelectByPath", "ctx"): (
        lambda t: [t.cdt_ctx.cdt_ctx_all_children()],
        lambda t: [
            t.cdt_ctx.cdt_ctx_all_children_with_filter(
                t.expressions.GT(t.expressions.LoopVarInt(1), 5).compile()
            )
        ],
    ),
    ("ModifyByPath", "ctx"): (lambda t: [t.cdt_ctx.cdt_ctx_all_children()],),
    ("CmpGeo", "expr0"): (lambda t: t.expressions.GeoBin("g"),),
    ("CmpGeo", "expr1"): (lambda t: t.package.GeoJSON('{"type": "Point", "coordinates": [1, 2]}'),),
    ("BitResize", "policy"): (lambda _: {"bit_write_flags": 2}, lambda _: None),
    ("HLLAdd", "policy"): (lambda _: {"flags": 4}, lambda _: None),
    ("hll_add", "policy"): (lambda _: {"flags": 4}, lambda _: None),
    ("bit_resize", "policy"): (lambda _: {"bit_write_flags": 2}, lambda _: None),
    ("list_append", "policy"): (lambda _: {"list_order": 1, "write_flags": 5}, lambda _: None),
    ("ListAppend", "policy"): (lambda _: {"list_order": 1, "write_flags": 5}, lambda _: None),
    ("MapPut", "policy"): (lambda _: {"map_order": 1, "map_write_flags": 1}, lambda _: None),
    ("map_set_policy", "policy"): (
        lambda _: {"map_order": 1},
        lambda _: {"map_order": 3, "persist_index": True},
    ),
    ("upper", "policy"): (lambda t: t.string_helpers.StringPolicy(4), lambda _: None),
    ("Upper", "policy"): (lambda t: t.string_helpers.StringPolicy(4), lambda _: None),
    ("cdt_ctx_list_index_create", "order"): (lambda _: 1,),
    ("snip", "end"): (lambda _: 3, lambda _: None),
    ("Snip", "end"): (lambda _: 3, lambda _: None),
    ("SubStrRange", "end"): (lambda _: 3,),
    ("substr_range", "end"): (lambda _: 3,),
}

# Arguments of the classes that take any number of them.
ANY_NUMBER: dict[str, Sample] = {
    "And": lambda t: (t.expressions.BinExists("a"), t.expressions.KeyExists()),
    "Or": lambda t: (t.expressions.BinExists("a"), t.expressions.KeyExists()),
    "Exclusive": lambda t: (t.expressions.BinExists("a"), t.expressions.KeyExists()),
    "Not": lambda t: (t.expressions.BinExists("a"),),
    "Cond": lambda t: (t.expressions.BinExists("a"), t.expressions.IntBin("a"), t.expressions.Unknown()),
    "Let": lambda t: (
        t.expressions.Def("x", t.expressions.IntBin("a")),
        t.expressions.Add(t.expressions.Var("x"), 1),
    ),
}


def calls(name: str, member: Any) -> Iterator[Callable[[Twins], tuple[tuple[Any, ...], dict[str, Any]]]]:
    """Arguments to call a function or class with: all plain ones, then each other value of each parameter."""
    found = [(one, kind) for one, kind, _ in parameters(member)]
    if any(kind is inspect.Parameter.VAR_POSITIONAL for _, kind in found):
        rest = ANY_NUMBER.get(name, lambda t: (t.expressions.IntBin("a"), 2))
        yield lambda twins: (rest(twins), {})
        return
    names = [one for one, _ in found]
    samples = [SPECIAL.get((name, one)) or SAMPLES[one] for one in names]

    def arguments(chosen: list[Sample]) -> Callable[[Twins], tuple[tuple[Any, ...], dict[str, Any]]]:
        return lambda twins: (tuple(sample(twins) for sample in chosen), {})

    plain = [options[0] for options in samples]
    yield arguments(plain)
    for position, options in enumerate(samples):
        for option in options[1:]:
            yield arguments([*plain[:position], option, *plain[position + 1 :]])
    # Only what must be given.
    required = [
        options[0]
        for options, (_, _, default) in zip(samples, parameters(member), strict=True)
        if default is inspect.Parameter.empty
    ]
    if len(required) < len(plain):
        yield arguments(required)


def same(mine: Any, theirs: Any) -> bool:
    """Whether two dictionaries or compiled expressions are equal, objects of either package included."""
    if hasattr(theirs, "extra_args"):
        return bool(
            mine.id == theirs.id
            and same(mine.value, theirs.value)
            and same(mine.extra_args, theirs.extra_args)
        )
    if isinstance(theirs, dict):
        return mine.keys() == theirs.keys() and all(same(mine[key], value) for key, value in theirs.items())
    if isinstance(theirs, list | tuple):
        return (
            type(mine) is type(theirs)
            and len(mine) == len(theirs)
            and all(same(a, b) for a, b in zip(mine, theirs, strict=True))
        )
    if hasattr(theirs, "compile"):
        return same(mine.compile(), theirs.compile())
    if hasattr(theirs, "dumps"):
        return bool(mine.dumps() == theirs.dumps())
    if hasattr(theirs, "write_flags"):
        return bool(mine.write_flags == theirs.write_flags)
    if type(theirs).__name__ in ("CDTInfinite", "CDTWildcard"):
        return type(mine).__name__ == type(theirs).__name__
    return bool(mine == theirs) and (type(mine) is type(theirs) or isinstance(theirs, int))
