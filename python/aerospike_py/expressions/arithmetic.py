"""Arithmetic on integers and floats.

The classes have the names and arguments of the official client's
``aerospike_helpers.expressions.arithmetic``. Operands must be of one type. The operators ``+ - * / // % **``
build the same expressions.

>>> (IntBin("a") + IntBin("b")) * 2
Mul(Add(IntBin('a'), IntBin('b')), 2)
"""

from __future__ import annotations

from typing import Any

from ._checks import NUMBER
from .resources import _any_number, _BaseExpr, _ExprOp

__all__ = [
    "Abs",
    "Add",
    "Ceil",
    "Div",
    "Floor",
    "Log",
    "Max",
    "Min",
    "Mod",
    "Mul",
    "Pow",
    "Sub",
    "ToFloat",
    "ToInt",
]


class Add(_BaseExpr):
    """The sum of integers or of floats.

    >>> Add(IntBin("a"), IntBin("b"), 1)
    Add(IntBin('a'), IntBin('b'), 1)
    """

    _op = _ExprOp.ADD
    _checks = {"args": NUMBER}

    def __init__(self, *args: Any) -> None:
        self._children = _any_number(args)


class Sub(_BaseExpr):
    """The first number minus all others.

    >>> Sub(IntBin("a"), 1)
    Sub(IntBin('a'), 1)
    """

    _op = _ExprOp.SUB
    _checks = {"args": NUMBER}

    def __init__(self, *args: Any) -> None:
        self._children = _any_number(args)


class Mul(_BaseExpr):
    """The product of integers or of floats.

    >>> Mul(FloatBin("price"), 1.19)
    Mul(FloatBin('price'), 1.19)
    """

    _op = _ExprOp.MUL
    _checks = {"args": NUMBER}

    def __init__(self, *args: Any) -> None:
        self._children = _any_number(args)


class Div(_BaseExpr):
    """The first number divided by all others; of integers the quotient without its fraction.

    >>> Div(IntBin("a"), 2)
    Div(IntBin('a'), 2)
    """

    _op = _ExprOp.DIV
    _checks = {"args": NUMBER}

    def __init__(self, *args: Any) -> None:
        self._children = _any_number(args)


class Pow(_BaseExpr):
    """A float to the power of a float.

    >>> Pow(FloatBin("a"), 2.0)
    Pow(FloatBin('a'), 2.0)
    """

    _op = _ExprOp.POW
    _checks = {"base": NUMBER, "exponent": NUMBER}

    def __init__(self, base: Any, exponent: Any) -> None:
        self._children = (base, exponent)


class Log(_BaseExpr):
    """The logarithm of a float to a base.

    >>> Log(FloatBin("a"), 2.0)
    Log(FloatBin('a'), 2.0)
    """

    _op = _ExprOp.LOG
    _checks = {"num": NUMBER, "base": NUMBER}

    def __init__(self, num: Any, base: Any) -> None:
        self._children = (num, base)


class Mod(_BaseExpr):
    """The remainder of a division of integers.

    >>> Mod(IntBin("a"), 10)
    Mod(IntBin('a'), 10)
    """

    _op = _ExprOp.MOD
    _checks = {"numerator": NUMBER, "denominator": NUMBER}

    def __init__(self, numerator: Any, denominator: Any) -> None:
        self._children = (numerator, denominator)


class Abs(_BaseExpr):
    """A number without its sign.

    >>> Abs(IntBin("a"))
    Abs(IntBin('a'))
    """

    _op = _ExprOp.ABS
    _checks = {"value": NUMBER}

    def __init__(self, value: Any) -> None:
        self._children = (value,)


class Floor(_BaseExpr):
    """The next whole float below a float.

    >>> Floor(FloatBin("a"))
    Floor(FloatBin('a'))
    """

    _op = _ExprOp.FLOOR
    _checks = {"value": NUMBER}

    def __init__(self, value: Any) -> None:
        self._children = (value,)


class Ceil(_BaseExpr):
    """The next whole float above a float.

    >>> Ceil(FloatBin("a"))
    Ceil(FloatBin('a'))
    """

    _op = _ExprOp.CEIL
    _checks = {"value": NUMBER}

    def __init__(self, value: Any) -> None:
        self._children = (value,)


class ToInt(_BaseExpr):
    """A float as an integer, without its fraction.

    >>> ToInt(FloatBin("a"))
    ToInt(FloatBin('a'))
    """

    _op = _ExprOp.TO_INT
    _checks = {"value": NUMBER}

    def __init__(self, value: Any) -> None:
        self._children = (value,)


class ToFloat(_BaseExpr):
    """An integer as a float.

    >>> ToFloat(IntBin("a"))
    ToFloat(IntBin('a'))
    """

    _op = _ExprOp.TO_FLOAT
    _checks = {"value": NUMBER}

    def __init__(self, value: Any) -> None:
        self._children = (value,)


class Min(_BaseExpr):
    """The least of several integers or floats.

    >>> Min(IntBin("a"), IntBin("b"))
    Min(IntBin('a'), IntBin('b'))
    """

    _op = _ExprOp.MIN
    _checks = {"args": NUMBER}

    def __init__(self, *args: Any) -> None:
        self._children = _any_number(args)


class Max(_BaseExpr):
    """The greatest of several integers or floats.

    >>> Max(IntBin("a"), 0)
    Max(IntBin('a'), 0)
    """

    _op = _ExprOp.MAX
    _checks = {"args": NUMBER}

    def __init__(self, *args: Any) -> None:
        self._children = _any_number(args)


_BaseExpr._operators.update({kind._op: kind for kind in (Add, Sub, Mul, Div, Pow, Mod, Abs, Floor, Ceil)})
