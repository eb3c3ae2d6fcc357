"""Ray's filter expressions as conditions. Ray evaluates them with pyarrow, whose nulls count here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .conditions import (
    AnyOf,
    Both,
    Compare,
    Condition,
    Either,
    IsNull,
    Negated,
    Operator,
    StartsWith,
    mirrored,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPERATORS: dict[str, Operator] = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_NO_VALUE = object()


def condition_of(predicate: Any) -> Condition:
    """The predicate as a condition; None for what has no counterpart, at any depth."""
    kind = type(predicate).__name__
    if kind == "AliasExpr":
        return condition_of(predicate.expr)
    if kind == "ColumnExpr":
        return Compare(predicate.name, "==", True)
    if kind == "BinaryExpr":
        return _binary(predicate.op.value, predicate.left, predicate.right)
    if kind == "UnaryExpr":
        return _unary(predicate.op.value, predicate.operand)
    if kind == "PyArrowComputeUDFExpr":
        return _prefix(predicate)
    return None


def columns_of(predicate: Any) -> list[str]:
    """The columns that a predicate uses, in the order of their first use."""
    return list(dict.fromkeys(_columns(predicate)))


def _columns(predicate: Any) -> Iterator[str]:
    if type(predicate).__name__ == "ColumnExpr":
        yield predicate.name
    for name in ("left", "right", "operand", "expr"):
        inner = getattr(predicate, name, None)
        if inner is not None:
            yield from _columns(inner)
    for inner in (*getattr(predicate, "args", ()), *getattr(predicate, "kwargs", {}).values()):
        yield from _columns(inner)


def _binary(operator: str, left: Any, right: Any) -> Condition:
    if operator == "and":
        return Both((condition_of(left), condition_of(right)))
    if operator == "or":
        return Either((condition_of(left), condition_of(right)))
    column = _column(left)
    if operator in ("in", "not_in"):
        found = None if column is None else _any_of(column, _value(right))
        return Negated(found) if operator == "not_in" else found
    value = _value(right)
    is_mirrored = column is None
    if is_mirrored:
        column, value = _column(right), _value(left)
    if operator not in _OPERATORS or column is None or value is _NO_VALUE or value is None:
        return None
    sign = _OPERATORS[operator]
    return Compare(column, mirrored(sign) if is_mirrored else sign, value)


def _unary(operator: str, operand: Any) -> Condition:
    if operator == "not":
        return Negated(condition_of(operand))
    column = _column(operand)
    if column is None or operator not in ("is_null", "is_not_null"):
        return None
    return IsNull(column, is_negated=operator == "is_not_null")


def _any_of(column: str, values: Any) -> Condition:
    """``is_in`` is never null: a null is among the values or it is not."""
    if not isinstance(values, list):
        return None
    found = AnyOf(column, tuple(value for value in values if value is not None))
    if any(value is None for value in values):
        return Either((IsNull(column), found))
    return Both((IsNull(column, is_negated=True), found))


def _prefix(predicate: Any) -> Condition:
    function = getattr(predicate.pc_func, "__name__", None)
    if function != "starts_with" or len(predicate.args) != 1:
        return None
    arguments: dict[str, Any] = {"pattern": None, "ignore_case": False}
    arguments.update(zip(arguments, predicate.pc_positional, strict=False))
    arguments.update(predicate.pc_kwargs)
    column = _column(predicate.args[0])
    prefix = arguments.pop("pattern")
    if column is None or not isinstance(prefix, str) or arguments != {"ignore_case": False}:
        return None
    return StartsWith(column, prefix)


def _column(expression: Any) -> str | None:
    return expression.name if type(expression).__name__ == "ColumnExpr" else None


def _value(expression: Any) -> Any:
    """The value of a literal, ``_NO_VALUE`` if it is none."""
    return expression.value if type(expression).__name__ == "LiteralExpr" else _NO_VALUE
