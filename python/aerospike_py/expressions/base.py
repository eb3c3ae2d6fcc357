"""Values, bins, metadata, comparisons, logic and variables.

The classes have the names and arguments of the official client's ``aerospike_helpers.expressions.base``.

>>> from aerospike_py.expressions import base
>>> base.And(base.BinExists("age"), base.GT(base.IntBin("age"), 18))
And(BinExists('age'), GT(IntBin('age'), 18))
"""

from __future__ import annotations

from typing import Any

from ..exception import ParamError
from . import _metadata, _paths
from ._checks import GEO, bin_name, is_expression, refuse, text, value_of_any_type
from ._metadata import *  # noqa: F403
from ._paths import *  # noqa: F403
from .resources import ResultType, _any_number, _BaseExpr, _ExprOp, _Keys, _NoArguments

__all__ = [
    "GE",
    "GT",
    "LE",
    "LT",
    "NE",
    "And",
    "BinExists",
    "BinType",
    "BlobBin",
    "BoolBin",
    "CmpGeo",
    "CmpRegex",
    "Cond",
    "Def",
    "Eq",
    "Exclusive",
    "FloatBin",
    "GeoBin",
    "HLLBin",
    "IntBin",
    "Let",
    "ListBin",
    "MapBin",
    "Not",
    "Or",
    "StrBin",
    "Unknown",
    "Val",
    "Var",
]
__all__ += _metadata.__all__
__all__ += _paths.__all__


def _literal(owner: str, argument: str, value: Any) -> None:
    if is_expression(value):
        refuse(owner, argument, value, "a value, not an expression")
    value_of_any_type(owner, argument, value)


def _string(owner: str, argument: str, value: Any) -> None:
    if not is_expression(value):
        text(owner, argument, value)


class Val(_BaseExpr):
    """A value, sent as it is. Other expressions take plain Python values where they need one.

    >>> Val([1, 2])
    Val([1, 2])
    """

    _op = _ExprOp.AS_VAL
    _checks = {"value": _literal}

    def __init__(self, value: Any) -> None:
        self._fixed = {_Keys.VALUE_KEY: value}


class Unknown(_NoArguments):
    """No value. An expression that comes upon it fails, as if a bin was missing.

    >>> Cond(BinExists("a"), IntBin("a"), Unknown())
    Cond(BinExists('a'), IntBin('a'), Unknown())
    """

    _op = _ExprOp.UNKNOWN


class _Bin(_BaseExpr):
    _op = _ExprOp.BIN

    def __init__(self, bin: str) -> None:
        bin_name(type(self).__name__, "bin", bin)
        self._fixed = {_Keys.BIN_KEY: bin}


class BoolBin(_Bin):
    """A bin that holds a boolean.

    >>> BoolBin("active")
    BoolBin('active')
    """

    _rt = ResultType.BOOLEAN


class IntBin(_Bin):
    """A bin that holds an integer.

    >>> GT(IntBin("age"), 18)
    GT(IntBin('age'), 18)
    """

    _rt = ResultType.INTEGER


class StrBin(_Bin):
    """A bin that holds a string.

    >>> Eq(StrBin("name"), "Ada")
    Eq(StrBin('name'), 'Ada')
    """

    _rt = ResultType.STRING


class FloatBin(_Bin):
    """A bin that holds a float.

    >>> LT(FloatBin("load"), 0.5)
    LT(FloatBin('load'), 0.5)
    """

    _rt = ResultType.FLOAT


class BlobBin(_Bin):
    r"""A bin that holds bytes.

    >>> Eq(BlobBin("data"), b"\x00")
    Eq(BlobBin('data'), b'\x00')
    """

    _rt = ResultType.BLOB


class GeoBin(_Bin):
    """A bin that holds GeoJSON.

    >>> GeoBin("place")
    GeoBin('place')
    """

    _rt = ResultType.GEOJSON


class ListBin(_Bin):
    """A bin that holds a list.

    >>> Eq(ListBin("scores"), [1, 2])
    Eq(ListBin('scores'), [1, 2])
    """

    _rt = ResultType.LIST


class MapBin(_Bin):
    """A bin that holds a map.

    >>> MapBin("ages")
    MapBin('ages')
    """

    _rt = ResultType.MAP


class HLLBin(_Bin):
    """A bin that holds a HyperLogLog sketch.

    >>> HLLBin("visitors")
    HLLBin('visitors')
    """

    _rt = ResultType.HLL


class BinExists(_Bin):
    """Whether a bin exists.

    >>> BinExists("age")
    BinExists('age')
    """

    _op = _ExprOp.BIN_EXISTS
    _rt = ResultType.BOOLEAN


class BinType(_Bin):
    """The type of a bin's value, one of the ``AS_BYTES_*`` constants.

    >>> Eq(BinType("age"), AS_BYTES_INTEGER)
    Eq(BinType('age'), 1)
    """

    _op = _ExprOp.BIN_TYPE
    _rt = ResultType.INTEGER


class _Comparison(_BaseExpr):
    def __init__(self, expr0: Any, expr1: Any) -> None:
        self._children = (expr0, expr1)


class Eq(_Comparison):
    """Whether two values are equal. They must be of the same type.

    >>> Eq(IntBin("age"), 36)
    Eq(IntBin('age'), 36)
    """

    _op = _ExprOp.EQ


class NE(_Comparison):
    """Whether two values differ.

    >>> NE(IntBin("age"), 36)
    NE(IntBin('age'), 36)
    """

    _op = _ExprOp.NE


class GT(_Comparison):
    """Whether the first value is greater.

    >>> GT(IntBin("age"), 36)
    GT(IntBin('age'), 36)
    """

    _op = _ExprOp.GT


class GE(_Comparison):
    """Whether the first value is greater or equal.

    >>> GE(IntBin("age"), 36)
    GE(IntBin('age'), 36)
    """

    _op = _ExprOp.GE


class LT(_Comparison):
    """Whether the first value is less.

    >>> LT(IntBin("age"), 36)
    LT(IntBin('age'), 36)
    """

    _op = _ExprOp.LT


class LE(_Comparison):
    """Whether the first value is less or equal.

    >>> LE(IntBin("age"), 36)
    LE(IntBin('age'), 36)
    """

    _op = _ExprOp.LE


class CmpRegex(_BaseExpr):
    """Whether a string matches a POSIX regular expression; ``options`` are ``REGEX_*`` constants.

    >>> CmpRegex(REGEX_ICASE, "^a", StrBin("name"))
    CmpRegex(2, '^a', StrBin('name'))
    """

    _op = _ExprOp.CMP_REGEX
    _checks = {"cmp_str": _string}

    def __init__(self, options: int, regex_str: str, cmp_str: Any) -> None:
        self._children = (cmp_str,)
        self._fixed = {_Keys.REGEX_OPTIONS_KEY: options, _Keys.VALUE_KEY: regex_str}


class CmpGeo(_Comparison):
    """Whether one of two geometries lies within the other.

    >>> CmpGeo(GeoBin("place"), GeoBin("area"))
    CmpGeo(GeoBin('place'), GeoBin('area'))
    """

    _op = _ExprOp.CMP_GEO
    _checks = {"expr0": GEO, "expr1": GEO}


class Not(_BaseExpr):
    """Whether an expression is false.

    >>> Not(BinExists("age"))
    Not(BinExists('age'))
    """

    _op = _ExprOp.NOT

    def __init__(self, *exprs: Any) -> None:
        if len(exprs) != 1:
            raise ParamError(f"Not: exprs are {len(exprs)} expressions; it takes one")
        self._children = exprs


class _AnyNumber(_BaseExpr):
    def __init__(self, *exprs: Any) -> None:
        self._children = _any_number(exprs)


class And(_AnyNumber):
    """Whether all expressions are true.

    >>> And(BinExists("age"), GT(IntBin("age"), 18))
    And(BinExists('age'), GT(IntBin('age'), 18))
    """

    _op = _ExprOp.AND


class Or(_AnyNumber):
    """Whether at least one expression is true.

    >>> Or(Not(BinExists("age")), GT(IntBin("age"), 18))
    Or(Not(BinExists('age')), GT(IntBin('age'), 18))
    """

    _op = _ExprOp.OR


class Exclusive(_AnyNumber):
    """Whether exactly one expression is true.

    >>> Exclusive(BinExists("a"), BinExists("b"))
    Exclusive(BinExists('a'), BinExists('b'))
    """

    _op = _ExprOp.EXCLUSIVE


class Cond(_AnyNumber):
    """The value after the first condition that is true, or the last value.

    >>> Cond(GE(IntBin("age"), 18), "adult", "child")
    Cond(GE(IntBin('age'), 18), 'adult', 'child')
    """

    _op = _ExprOp.COND
    _checks = {"exprs": value_of_any_type}

    def __init__(self, *exprs: Any) -> None:
        if len(exprs) < 3 or len(exprs) % 2 == 0:
            raise ParamError(
                f"Cond: exprs are {len(exprs)} expressions; they must be pairs of a condition and a value, "
                "and a default"
            )
        super().__init__(*exprs)


class Let(_AnyNumber):
    """An expression in which variables have values.

    >>> Let(Def("x", IntBin("a")), Mul(Var("x"), Var("x")))
    Let(Def('x', IntBin('a')), Mul(Var('x'), Var('x')))
    """

    _op = _ExprOp.LET
    _checks = {"exprs": value_of_any_type}

    def __init__(self, *exprs: Any) -> None:
        if len(exprs) < 2 or not all(getattr(expr, "_op", None) == _ExprOp.DEF for expr in exprs[:-1]):
            raise ParamError(
                "Let: exprs must be definitions, made with Def, and an expression that uses them"
            )
        super().__init__(*exprs)


class Def(_BaseExpr):
    """Gives a variable a value, in :class:`Let`.

    >>> Def("x", IntBin("a"))
    Def('x', IntBin('a'))
    """

    _op = _ExprOp.DEF

    def __init__(self, var_name: str, expr: Any) -> None:
        self._fixed = {_Keys.VALUE_KEY: var_name}
        self._children = (expr,)


class Var(_BaseExpr):
    """The value of a variable, in :class:`Let`.

    >>> Var("x")
    Var('x')
    """

    _op = _ExprOp.VAR

    def __init__(self, var_name: str) -> None:
        self._fixed = {_Keys.VALUE_KEY: var_name}
