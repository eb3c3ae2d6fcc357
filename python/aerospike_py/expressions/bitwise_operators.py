"""Bits of integers.

The classes have the names and arguments of the official client's
``aerospike_helpers.expressions.bitwise_operators``.

>>> from aerospike_py.expressions import bitwise_operators
>>> bitwise_operators.IntAnd(IntBin("flags"), 1)
IntAnd(IntBin('flags'), 1)
"""

from __future__ import annotations

from typing import Any

from ._checks import FLAG_OR_EXPRESSION, NUMBER
from .resources import _any_number, _BaseExpr, _ExprOp

__all__ = [
    "IntAnd",
    "IntArithmeticRightShift",
    "IntCount",
    "IntLeftScan",
    "IntLeftShift",
    "IntNot",
    "IntOr",
    "IntRightScan",
    "IntRightShift",
    "IntXOr",
]


class IntAnd(_BaseExpr):
    """The bitwise and of integers.

    >>> IntAnd(IntBin("a"), 0xFF)
    IntAnd(IntBin('a'), 255)
    """

    _op = _ExprOp.INT_AND
    _checks = {"exprs": NUMBER}

    def __init__(self, *exprs: Any) -> None:
        self._children = _any_number(exprs)


class IntOr(_BaseExpr):
    """The bitwise or of integers.

    >>> IntOr(IntBin("a"), 0xFF)
    IntOr(IntBin('a'), 255)
    """

    _op = _ExprOp.INT_OR
    _checks = {"exprs": NUMBER}

    def __init__(self, *exprs: Any) -> None:
        self._children = _any_number(exprs)


class IntXOr(_BaseExpr):
    """The bitwise exclusive or of integers.

    >>> IntXOr(IntBin("a"), 0xFF)
    IntXOr(IntBin('a'), 255)
    """

    _op = _ExprOp.INT_XOR
    _checks = {"exprs": NUMBER}

    def __init__(self, *exprs: Any) -> None:
        self._children = _any_number(exprs)


class IntNot(_BaseExpr):
    """An integer with all bits inverted.

    >>> IntNot(IntBin("a"))
    IntNot(IntBin('a'))
    """

    _op = _ExprOp.INT_NOT
    _checks = {"expr": NUMBER}

    def __init__(self, expr: Any) -> None:
        self._children = (expr,)


class IntLeftShift(_BaseExpr):
    """An integer, shifted to the left.

    >>> IntLeftShift(IntBin("a"), 8)
    IntLeftShift(IntBin('a'), 8)
    """

    _op = _ExprOp.INT_LSHIFT
    _checks = {"value": NUMBER, "shift": NUMBER}

    def __init__(self, value: Any, shift: Any) -> None:
        self._children = (value, shift)


class IntRightShift(_BaseExpr):
    """An integer, shifted to the right, with zeros on the left.

    >>> IntRightShift(IntBin("a"), 8)
    IntRightShift(IntBin('a'), 8)
    """

    _op = _ExprOp.INT_RSHIFT
    _checks = {"value": NUMBER, "shift": NUMBER}

    def __init__(self, value: Any, shift: Any) -> None:
        self._children = (value, shift)


class IntArithmeticRightShift(_BaseExpr):
    """An integer, shifted to the right, with its sign on the left.

    >>> IntArithmeticRightShift(IntBin("a"), 8)
    IntArithmeticRightShift(IntBin('a'), 8)
    """

    _op = _ExprOp.INT_ARSHIFT
    _checks = {"value": NUMBER, "shift": NUMBER}

    def __init__(self, value: Any, shift: Any) -> None:
        self._children = (value, shift)


class IntCount(_BaseExpr):
    """The number of bits that are set.

    >>> IntCount(IntBin("a"))
    IntCount(IntBin('a'))
    """

    _op = _ExprOp.INT_COUNT
    _checks = {"value": NUMBER}

    def __init__(self, value: Any) -> None:
        self._children = (value,)


class IntLeftScan(_BaseExpr):
    """The position of the first bit that is ``search``, from the left; -1 if there is none.

    >>> IntLeftScan(IntBin("a"), True)
    IntLeftScan(IntBin('a'), True)
    """

    _op = _ExprOp.INT_LSCAN
    _checks = {"value": NUMBER, "search": FLAG_OR_EXPRESSION}

    def __init__(self, value: Any, search: Any) -> None:
        self._children = (value, search)


class IntRightScan(_BaseExpr):
    """The position of the first bit that is ``search``, from the right; -1 if there is none.

    >>> IntRightScan(IntBin("a"), True)
    IntRightScan(IntBin('a'), True)
    """

    _op = _ExprOp.INT_RSCAN
    _checks = {"value": NUMBER, "search": FLAG_OR_EXPRESSION}

    def __init__(self, value: Any, search: Any) -> None:
        self._children = (value, search)
