"""Predicates of polars as conditions, read from their JSON form."""

from __future__ import annotations

import datetime
import io
import json
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
from .library import library

if TYPE_CHECKING:
    import polars as pl

_OPERATORS: dict[str, Operator] = {
    "Eq": "==",
    "NotEq": "!=",
    "Lt": "<",
    "LtEq": "<=",
    "Gt": ">",
    "GtEq": ">=",
}
_BOUNDS: dict[str, tuple[Operator, Operator]] = {
    "Both": (">=", "<="),
    "Left": (">=", "<"),
    "Right": (">", "<="),
    "None": (">", "<"),
}
_NO_VALUE = object()


def condition_of(predicate: pl.Expr) -> Condition:
    """The predicate as a condition; None for what has no counterpart, at any depth."""
    try:
        tree = json.loads(predicate.meta.serialize(format="json"))
    except Exception:  # noqa: BLE001 (an expression without JSON, of whatever kind, is the engine's)
        return None
    return _condition(tree)


def _condition(node: Any) -> Condition:
    if not isinstance(node, dict) or len(node) != 1:
        return None
    [(kind, body)] = node.items()
    if kind == "Column" and isinstance(body, str):
        return Compare(body, "==", True)
    if kind == "BinaryExpr":
        return _binary(body)
    if kind == "Function":
        return _function(body)
    return None


def _binary(body: Any) -> Condition:
    left, operator, right = body.get("left"), body.get("op"), body.get("right")
    if operator in ("And", "LogicalAnd"):
        return Both((_condition(left), _condition(right)))
    if operator in ("Or", "LogicalOr"):
        return Either((_condition(left), _condition(right)))
    column, value = _column(left), _value(right)
    is_mirrored = column is None
    if is_mirrored:
        column, value = _column(right), _value(left)
    if column is None or value is _NO_VALUE:
        return None
    if operator == "EqValidity":
        return IsNull(column) if value is None else _same(column, value)
    if operator not in _OPERATORS or value is None:
        return None
    sign = _OPERATORS[operator]
    return Compare(column, mirrored(sign) if is_mirrored else sign, value)


def _same(column: str, value: Any) -> Condition:
    """``eq_missing``: false, not null, where the column is null."""
    return Both((IsNull(column, is_negated=True), Compare(column, "==", value)))


def _function(body: Any) -> Condition:
    inputs, function = body.get("input"), body.get("function")
    if not isinstance(inputs, list) or not isinstance(function, dict) or not inputs:
        return None
    column = _column(inputs[0])
    if function == {"StringExpr": "StartsWith"} and column is not None and len(inputs) == 2:
        prefix = _value(inputs[1])
        return StartsWith(column, prefix) if isinstance(prefix, str) else None
    name = function.get("Boolean")
    if name == "Not":
        return Negated(_condition(inputs[0]))
    if column is None:
        return None
    if name == "IsNull":
        return IsNull(column)
    if name == "IsNotNull":
        return IsNull(column, is_negated=True)
    if not isinstance(name, dict) or len(name) != 1:
        return None
    [(kind, options)] = name.items()
    if kind == "IsIn" and len(inputs) == 2 and options.get("nulls_equal") is False:
        values = _value(inputs[1])
        # A null among the values makes "not in" null, which no record passes; leaving it out is safe.
        return AnyOf(column, tuple(values)) if isinstance(values, list) else None
    if kind == "IsBetween" and len(inputs) == 3 and options.get("closed") in _BOUNDS:
        least, most = _value(inputs[1]), _value(inputs[2])
        if least is _NO_VALUE or most is _NO_VALUE or least is None or most is None:
            return None
        lower, upper = _BOUNDS[options["closed"]]
        return Both((Compare(column, lower, least), Compare(column, upper, most)))
    return None


def _column(node: Any) -> str | None:
    name = node.get("Column") if isinstance(node, dict) and len(node) == 1 else None
    return name if isinstance(name, str) else None


def _value(node: Any) -> Any:
    """The value of a literal, evaluated by polars itself; ``_NO_VALUE`` if it is none that can be sent."""
    if not isinstance(node, dict) or [*node] != ["Literal"]:
        return _NO_VALUE
    polars = library("polars", "polars")
    try:
        literal = polars.Expr.deserialize(io.BytesIO(json.dumps(node).encode()), format="json")
        value = polars.select(literal).to_series()
        value = value[0] if len(value) == 1 else value
    except Exception:  # noqa: BLE001 (whatever polars says about it, the predicate stays with polars)
        return _NO_VALUE
    if isinstance(value, polars.Series):
        return value.to_list()
    if isinstance(value, (datetime.date, datetime.time, datetime.timedelta)):
        return _NO_VALUE
    return value
