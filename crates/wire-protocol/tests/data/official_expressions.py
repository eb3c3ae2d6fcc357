"""Writes official_expressions.jsonl.gz: expressions and contexts as the official client encodes them.

Every expression class of `aerospike_helpers.expressions` is built with several arguments. A line has the
class, its arguments, what `compile()` returns, and the bytes of `get_expression_base64`; or a context with
the bytes of `get_cdtctx_base64`. Needs `aerospike` (the version in requirements/dev.txt) and a server to
connect to, which gets no commands:

    python crates/wire-protocol/tests/data/official_expressions.py HOST PORT
"""

from __future__ import annotations

import base64
import gzip
import inspect
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import aerospike
from aerospike_helpers import cdt_ctx as c
from aerospike_helpers.expressions import arithmetic, base, bitwise, bitwise_operators, hll, string
from aerospike_helpers.expressions import list as lists
from aerospike_helpers.expressions import map as maps
from aerospike_helpers.expressions.resources import _BaseExpr
from aerospike_helpers.string_helpers import NumericType, RegexFlags, StringPolicy, WriteFlags

warnings.simplefilter("ignore")
CLIENT = aerospike.client({"hosts": [(sys.argv[1], int(sys.argv[2]))]})
CONTEXTS = [
    [c.cdt_ctx_list_index(1)],
    [c.cdt_ctx_map_key("k"), c.cdt_ctx_list_rank(-1)],
    [c.cdt_ctx_list_value(5), c.cdt_ctx_map_index(-2), c.cdt_ctx_map_rank(300)],
    [c.cdt_ctx_map_value(b"v"), c.cdt_ctx_list_index_create(2, 0, True)],
    [c.cdt_ctx_list_index_create(0, 1, False), c.cdt_ctx_list_index_create(0, 0, False)],
    [c.cdt_ctx_map_key_create("k", aerospike.MAP_UNORDERED)],
    [c.cdt_ctx_map_key_create(2, aerospike.MAP_KEY_ORDERED)],
    [c.cdt_ctx_map_key_create("k", aerospike.MAP_KEY_VALUE_ORDERED)],
]
BOOK = base.LoopVarMap(aerospike.EXP_LOOPVAR_VALUE)
PRICE = maps.MapGetByKey(None, aerospike.MAP_RETURN_VALUE, 7, "price", BOOK)
PATHS = [
    [c.cdt_ctx_all_children()],
    [c.cdt_ctx_map_key("book"), c.cdt_ctx_all_children_with_filter(base.LE(PRICE, 10.0).compile())],
    [
        c.cdt_ctx_map_keys_in(["a", "b"]),
        c.cdt_ctx_and_filter(base.GT(base.LoopVarInt(aerospike.EXP_LOOPVAR_VALUE), 2).compile()),
    ],
]
MAP = {"b": 1, "a": [{"y": 2, "x": None}], 3: b"x", -40: 1.5, b"k": "v", "aa": True}
POLICIES = {
    lists: [None, {"list_order": 1, "write_flags": 4}, {}],
    maps: [None, {"map_order": 1, "map_write_flags": 0}, {"map_order": 3, "map_write_flags": 4}],
    bitwise: [None, {"bit_write_flags": 2}],
    hll: [None, {"flags": 4}],
    string: [StringPolicy(), StringPolicy(WriteFlags.NO_FAIL)],
}
INT = base.IntBin("n")


def bins(module: Any, name: str) -> list[Any]:
    if module is lists:
        return ["l", base.ListBin("m")]
    if module is maps:
        return ["m", maps.MapGetByKey(None, aerospike.MAP_RETURN_VALUE, 5, "k", "m")]
    if module is bitwise:
        return ["b", base.BlobBin("c")]
    if module is hll:
        return ["h", base.HLLBin("i")]
    return ["s", base.StrBin("t")] if module is string else ["bin", "b" * 15]


def samples(module: Any, name: str, parameter: str) -> list[Any]:
    """Arguments for a parameter of a class; the first is used where another parameter varies."""
    if parameter == "bin":
        return PATH_BINS if name.endswith("ByPath") else bins(module, name)
    if parameter == "ctx":
        return PATHS if name.endswith("ByPath") else [None, *CONTEXTS]
    if parameter == "policy":
        return POLICIES[module]
    if parameter == "return_type":
        selected = [7, 1, 2, 3, 4, 5, 13]
        if module is maps:
            selected += [6, 8, 16, 17]
        # What is returned of one element has the type that `value_type` says.
        single = name.endswith(("ByIndex", "ByRank", "ByKey"))
        return [7] if single else selected
    if parameter == "value_type":
        return [3, 4] if name.endswith("ByPath") else list(range(1, 10))
    if parameter == "options":
        return [0, 2]
    if parameter == "flags":
        return [1, 0, 2, 16] if name.endswith("ByPath") else [None, 1]
    if module is bitwise and parameter == "value":
        return {"BitInsert": [b"\1\2", bytearray(b"\3"), base.BlobBin("v")]}.get(
            name,
            [True, False]
            if "Scan" in name
            else [5, INT]
            if name in ("BitAdd", "BitSubtract", "BitSetInt")
            else [b"\xff\0", base.BlobBin("v")],
        )
    by_name: dict[str, list[Any]] = {
        "action": [None, 0, 2, 5],
        "sign": [True, False],
        "byte_size": [3, None] if name == "BitB64Encode" else [3, INT],
        "invert_size": [False, True],
        "inverted": [False, True],
        "index_bit_count": [10, None],
        "mh_bit_count": [20, None],
        "list": [["a", 1], base.ListBin("l")],
        "order": [0, 1, 2],
        "map": [MAP, base.MapBin("n"), aerospike.KeyOrderedDict({"b": 1, "a": 2})],
        "keys": [["b", 1], base.ListBin("l")],
        "values": [["b", None, 1.5], base.ListBin("l"), ["x", "y"]],
        "separator": [",", None] if name == "ListJoin" else [",", ""],
        "begin": [1, None, "a", INT],
        "value_begin": [1, None, "a", INT],
        "end": [9, None, aerospike.CDTInfinite(), INT],
        "value_end": [9, aerospike.CDTInfinite(), INT],
        "key": ["k", 5, b"k", base.StrBin("t")],
        "index": [0, -1, 70000, INT],
        "rank": [0, -1, INT],
        "count": [2, 300, INT],
        "bit_offset": [0, -8, INT],
        "bit_size": [8, 256, INT],
        "byte_offset": [0, -1, INT],
        "shift": [3, INT],
        "mod": [3, 1000],
        "regex_str": ["^a.*", "x" * 40],
        "map_value": [base.MapBin("m"), "n"],
        "cmp_str": [base.StrBin("s"), "text"],
        "var_name": ["x"],
        "var_id": [0, 1, 2],
        "mod_exp": [base.LoopVarInt(1).compile(), base.RemoveResult().compile()],
        "start": [1, -3],
        "needle": ["a", "ü"],
        "occurrence": [1, 2, -1],
        "prefix": ["a"],
        "suffix": ["a"],
        "numeric_type": [NumericType.ANY, NumericType.FLOAT],
        "pattern": ["a+"],
        "regex_flags": [RegexFlags.DEFAULT, RegexFlags.DOTALL],
        "replacement": ["b", ""],
        "target_length": [9, 300],
        "pad_string": ["-"],
    }
    if module is string and parameter in ("value", "values", "index", "count", "end"):
        strings: dict[str, list[Any]] = {
            "value": ["x", "long " * 10],
            "values": [["x", "y"], ["x"], []],
            "index": [0, -2],
            "count": [2, 300],
            "end": [4, None] if name == "Snip" else [4, -1],
        }
        return strings[parameter]
    if parameter in ("value", "expr0", "expr1", "expr"):
        values = [7, "x", 1.5, True, None, b"\0", -1, -200, 2**40, [1, ["a"]], MAP, INT]
        if name == "Val":
            values[-1:] = [
                aerospike.CDTWildcard(),
                aerospike.CDTInfinite(),
                "x" * 300,
                aerospike.GeoJSON(GEO),
            ]
        if name == "CmpGeo":
            return [base.GeoBin("g"), aerospike.GeoJSON(GEO)]
        return values
    if parameter in by_name:
        return by_name[parameter]
    # Numbers.
    return [INT, 7, 1.5, base.FloatBin("f")]


GEO = {"type": "Point", "coordinates": [1.5, 2]}
PATH_BINS = [base.ListBin("l"), base.MapBin("m")]
VARIADIC: dict[str, list[list[Any]]] = {
    "Not": [[base.BoolBin("p")]],
    "Cond": [[base.BoolBin("p"), INT, 5], [base.BoolBin("p"), INT, base.Eq(INT, 1), 2, base.Unknown()]],
    "Let": [
        [base.Def("x", INT), base.Var("x")],
        [base.Def("x", INT), base.Def("y", arithmetic.Add(base.Var("x"), 1)), base.Eq(base.Var("y"), 5)],
    ],
}


def cases(module: Any, cls: type) -> list[dict[str, Any]]:
    name = cls.__name__
    parameters = [p for p in inspect.signature(cls.__init__).parameters.values() if p.name != "self"]
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        logic = [[base.BoolBin("p")], [base.BoolBin("p"), base.Eq(INT, 1), base.BoolBin("q")]]
        numbers = [[INT, 5], [INT], [INT, INT, 7, -1] * 5]
        variadic = VARIADIC.get(name, logic if module is base else numbers)
        return [{"args": arguments} for arguments in variadic]
    choices = {p.name: samples(module, name, p.name) for p in parameters}
    first = {p: values[0] for p, values in choices.items()}
    found = [first]
    for parameter, values in choices.items():
        found += [first | {parameter: value} for value in values[1:]]
    if choices.get("return_type") == [7]:
        typed = [(1, 2), (2, 2), (3, 2), (4, 2), (5, 2), (13, 1)]
        found += [first | {"return_type": kind, "value_type": result} for kind, result in typed]
    return found


def plain(value: Any) -> Any:
    """A value as JSON: a list of its kind and its content."""
    if isinstance(value, _BaseExpr):
        return ["expression", encode(value)]
    if isinstance(value, StringPolicy):
        return ["int", int(value.write_flags)]
    if isinstance(value, bool):
        return ["bool", value]
    if isinstance(value, int):
        return ["int", int(value)]
    if isinstance(value, float):
        return ["float", value]
    if isinstance(value, str):
        return ["text", value]
    if isinstance(value, (bytes, bytearray)):
        return ["bytes", bytes(value).hex()]
    if isinstance(value, aerospike.GeoJSON):
        return ["geojson", value.dumps()]
    if isinstance(value, aerospike.CDTInfinite):
        return ["infinity", None]
    if isinstance(value, aerospike.CDTWildcard):
        return ["wildcard", None]
    if isinstance(value, (list, tuple)):
        return ["list", [plain(item) for item in value]]
    if isinstance(value, dict):
        kind = "ordered_map" if isinstance(value, aerospike.KeyOrderedDict) else "map"
        return [kind, [[plain(k), plain(v)] for k, v in value.items()]]
    if value is not None:
        raise TypeError(value)
    return ["nil", None]


def context(steps: list[Any]) -> bytes:
    return base64.b64decode(CLIENT.get_cdtctx_base64(steps))


def encode(expression: _BaseExpr) -> str:
    return str(CLIENT.get_expression_base64(expression.compile()))


def named(values: dict[str, Any]) -> dict[str, Any]:
    """Arguments, or what an entry of the compiled form has, with contexts and expressions inside encoded."""
    shown = {}
    for key, value in values.items():
        if key == "ctx" and value is not None:
            shown[key] = ["context", base64.b64encode(context(value)).decode()]
        elif key == "mod_exp":
            shown[key] = ["expression", CLIENT.get_expression_base64(value)]
        else:
            shown[key] = plain(value)
    return shown


def main() -> None:
    lines: list[dict[str, Any]] = []
    for module in (base, arithmetic, bitwise_operators, bitwise, hll, lists, maps, string):
        short = module.__name__.rpartition(".")[2]
        for name, cls in inspect.getmembers(module, inspect.isclass):
            if cls.__module__ != module.__name__ or name.startswith("_") or name in ("LoopVar", "Def"):
                continue
            for arguments in cases(module, cls):
                values = arguments["args"] if "args" in arguments else list(arguments.values())
                expression = cls(*values)
                compiled = expression.compile()
                entries = [[op, kind, named(fixed or {}), n] for op, kind, fixed, n in compiled]
                line = {"class": f"{short}.{name}", "args": named(arguments), "compiled": entries}
                lines.append(line | {"bytes": encode(expression)})
    lines += [{"context": base64.b64encode(context(steps)).decode()} for steps in CONTEXTS + PATHS]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    Path(__file__).with_name("official_expressions.jsonl.gz").write_bytes(
        gzip.compress(text.encode(), mtime=0)
    )
    classes = {line.get("class") for line in lines} - {None}
    sys.stdout.write(f"{len(lines)} lines, {len(classes)} classes\n")


if __name__ == "__main__":
    main()
