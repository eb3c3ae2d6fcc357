"""Predicates of engines as filter expressions.

An engine's predicate becomes a :data:`Condition`; :func:`filter_for` makes an expression from it that is true
for every record for which the condition is, so that records that the engine would drop do not travel. It may
be true for others: engines apply their predicate again to what arrives. What a filter cannot say in the same
meaning is left out:

- A bin of another type than the column's travels, as its value may be converted to the column's type.
- A missing bin is null, for which no comparison is true.
- NaN travels: engines order it differently. Zeros of float columns travel where a list must not have them,
  because engines differ in whether it has -0.0.
- Comparisons of float32 columns are left to the engine, which may round the value, and so are comparisons of
  integers with values beyond 2**53 that are no integers.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from .. import _native
from .. import expressions as exp
from ..exception import ParamError

Kind: TypeAlias = Literal["integer", "float", "bool", "text", "other"]
Operator: TypeAlias = Literal["==", "!=", "<", "<=", ">", ">="]

_MOST_VALUES = 256
_MAX_INTEGER = 2**63 - 1
_EXACT = 2**53
# Characters between which there are none: the surrogates.
_BEFORE_SURROGATES, _AFTER_SURROGATES, _LAST = 0xD7FF, 0xE000, 0x10FFFF

_INVERSE: dict[Operator, Operator] = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_MIRRORED: dict[Operator, Operator] = {"==": "==", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
_CLASSES: dict[Operator, Any] = {
    "==": exp.Eq,
    "!=": exp.NE,
    "<": exp.LT,
    "<=": exp.LE,
    ">": exp.GT,
    ">=": exp.GE,
}
# The particle type and the bin expression of each kind.
_BINS: dict[str, tuple[int, Any]] = {
    "integer": (1, exp.IntBin),
    "float": (2, exp.FloatBin),
    "text": (3, exp.StrBin),
    "bool": (17, exp.BoolBin),
}


class Compare(NamedTuple):
    """``column <operator> value``; null where the column is."""

    column: str
    operator: Operator
    value: Any


class IsNull(NamedTuple):
    """Whether a column is null."""

    column: str
    is_negated: bool = False


class AnyOf(NamedTuple):
    """Whether a column has one of the values; null where the column is."""

    column: str
    values: tuple[Any, ...]
    is_negated: bool = False


class StartsWith(NamedTuple):
    """Whether the text of a column begins with a prefix; null where the column is."""

    column: str
    prefix: str


class Both(NamedTuple):
    """Whether all of the conditions are true."""

    conditions: tuple[Condition, ...]


class Either(NamedTuple):
    """Whether at least one of the conditions is true."""

    conditions: tuple[Condition, ...]


class Negated(NamedTuple):
    """The opposite of a condition; null where it is null."""

    condition: Condition


# None: something that only the engine can evaluate.
Condition: TypeAlias = "Compare | IsNull | AnyOf | StartsWith | Both | Either | Negated | None"


def mirrored(operator: Operator) -> Operator:
    """The operator with its sides exchanged."""
    return _MIRRORED[operator]


def filter_for(condition: Condition, kinds: Mapping[str, Kind]) -> Any:
    """An expression that is true wherever the condition is, or None if there is none but "all records"."""
    if isinstance(condition, Both):
        parts = [part for inner in condition.conditions if (part := filter_for(inner, kinds)) is not None]
        return None if not parts else parts[0] if len(parts) == 1 else exp.And(*parts)
    if isinstance(condition, Either):
        parts = [filter_for(inner, kinds) for inner in condition.conditions]
        if not parts or any(part is None for part in parts):
            return None
        return parts[0] if len(parts) == 1 else exp.Or(*parts)
    if isinstance(condition, Negated):
        return filter_for(_negation(condition.condition), kinds)
    if condition is None or condition.column not in kinds:
        return None
    kind = kinds[condition.column]
    if isinstance(condition, IsNull):
        return _null(condition, kind)
    if kind == "other":
        return None
    if isinstance(condition, Compare):
        test = _comparison(condition.column, condition.operator, condition.value, kind)
    elif isinstance(condition, AnyOf):
        test = _any_of(condition, kind)
    else:
        test = _prefix(condition, kind)
    if test is None:
        return None
    particle = _BINS[kind][0]
    column = condition.column
    return exp.And(exp.BinExists(column), exp.Or(exp.NE(exp.BinType(column), particle), test))


def _negation(condition: Condition) -> Condition:
    """A condition that is true where this one is false, not where it is null."""
    if isinstance(condition, Compare):
        return condition._replace(operator=_INVERSE[condition.operator])
    if isinstance(condition, (IsNull, AnyOf)):
        return condition._replace(is_negated=not condition.is_negated)
    if isinstance(condition, Both):
        return Either(tuple(map(_negation, condition.conditions)))
    if isinstance(condition, Either):
        return Both(tuple(map(_negation, condition.conditions)))
    return condition.condition if isinstance(condition, Negated) else None


def _null(condition: IsNull, kind: Kind) -> Any:
    column = condition.column
    if condition.is_negated:
        return exp.BinExists(column)
    if kind == "other":
        return None
    # Records whose value does not fit travel, so that they are the same error as without a filter.
    return exp.Or(exp.Not(exp.BinExists(column)), exp.NE(exp.BinType(column), _BINS[kind][0]))


def _comparison(column: str, operator: Operator, value: Any, kind: Kind) -> Any:
    literal = _literal(value, kind)
    if literal is None:
        return None
    bin_of = _BINS[kind][1](column)
    if kind == "bool" and operator not in ("==", "!="):
        return None
    if kind == "float" and operator not in ("==", "!="):
        # NaN is neither below nor above: it passes the opposite's negation.
        return exp.Not(_CLASSES[_INVERSE[operator]](bin_of, literal))
    return _CLASSES[operator](bin_of, literal)


def _literal(value: Any, kind: Kind) -> Any:
    """The value as the server compares it with bins of a kind; None if it means something else there."""
    if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
        return bool(value) if kind == "bool" else None
    if kind == "integer":
        if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
            return int(value)
        return value if isinstance(value, int) and -_MAX_INTEGER <= value <= _MAX_INTEGER else None
    if kind == "float":
        if isinstance(value, int) and abs(value) < _EXACT:
            return float(value)
        return value if isinstance(value, float) and math.isfinite(value) else None
    if kind == "text":
        return value if isinstance(value, str) and _is_text(value) else None
    return None


def _is_text(value: str) -> bool:
    """Whether UTF-8 has all characters. Texts with NUL characters are left to the engine."""
    return "\0" not in value and not any(_BEFORE_SURROGATES < ord(char) < _AFTER_SURROGATES for char in value)


def _any_of(condition: AnyOf, kind: Kind) -> Any:
    values = [value for value in condition.values if value is not None]
    if not values or len(values) > _MOST_VALUES:
        return None
    if condition.is_negated and kind == "float":
        # Some engines find values of a list by their bits, for which -0.0 is not 0.0.
        values = [value for value in values if value != 0]
    operator: Operator = "!=" if condition.is_negated else "=="
    tests = [_comparison(condition.column, operator, value, kind) for value in values]
    if condition.is_negated:
        tests = [test for test in tests if test is not None]
    if not tests or any(test is None for test in tests):
        return None
    if len(tests) == 1:
        return tests[0]
    return exp.And(*tests) if condition.is_negated else exp.Or(*tests)


def _prefix(condition: StartsWith, kind: Kind) -> Any:
    if kind != "text" or not condition.prefix or not _is_text(condition.prefix):
        return None
    text = exp.StrBin(condition.column)
    least = exp.GE(text, condition.prefix)
    last = ord(condition.prefix[-1])
    if last == _LAST:
        return least
    following = chr(_AFTER_SURROGATES if last == _BEFORE_SURROGATES else last + 1)
    return exp.And(least, exp.LT(text, condition.prefix[:-1] + following))


# -- filters that travel

# The code of And, and the header of an array of it and two arguments.
_AND_OF_TWO = b"\x93\x10"


def as_base64(where: Any) -> str | None:
    """A filter as its base64, which can be pickled; None for none.

    Raises:
        ParamError: it is not an expression.
    """
    if where is None:
        return None
    if isinstance(where, str):
        try:
            base64.b64decode(where, validate=True)
        except ValueError as error:
            raise ParamError(f"where is {where!r:.80}, which is not base64: {error}") from error
        return where
    return _native.get_expression_base64(where)


def joined(first: str | None, second: str | None) -> str | None:
    """A filter for records that pass both filters."""
    if first is None or second is None:
        return second if first is None else first
    both = _AND_OF_TWO + base64.b64decode(first) + base64.b64decode(second)
    return base64.b64encode(both).decode("ascii")
