"""Checks of the arguments of expressions, by their names: a name means the same in all classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._utils.describe import describe
from ..exception import ParamError, ParamTypeError
from ..values import CDTInfinite, CDTWildcard, GeoJSON, null

# Receives the name of the class and of the argument, and the value; raises for a wrong one.
Check = Callable[[str, str, Any], None]

LONGEST_NAME = 15


def is_expression(value: Any) -> bool:
    """Whether a value is an expression of this package or of the official client."""
    return hasattr(value, "compile") and hasattr(value, "_children")


def refuse(
    owner: str, argument: str, value: Any, must: str, error: type[ParamError] = ParamTypeError
) -> None:
    raise error(f"{owner}: {argument} is {describe(value)}; it must be {must}")


def integer(value: Any) -> int | None:
    """The value as an int, if it is a whole number and no bool."""
    if isinstance(value, bool):
        return None
    try:
        return int(value.__index__())
    except (AttributeError, TypeError):
        return None


def _whole(low: int, high: int, must: str, *, optional: bool = False) -> Check:
    def check(owner: str, argument: str, value: Any) -> None:
        if value is None and optional:
            return
        number = integer(value)
        if number is None:
            refuse(owner, argument, value, must)
        elif not low <= number <= high:
            refuse(owner, argument, value, must, ParamError)

    return check


def _one_of(choices: frozenset[int], must: str, *, inverted: bool = False) -> Check:
    def check(owner: str, argument: str, value: Any) -> None:
        number = integer(value)
        if number is None:
            refuse(owner, argument, value, must)
        elif (number & ~0x10000 if inverted else number) not in choices:
            refuse(owner, argument, value, must, ParamError)

    return check


def _or_expression(check: Check, *, infinite: bool = False) -> Check:
    def checked(owner: str, argument: str, value: Any) -> None:
        if is_expression(value) or (infinite and type(value).__name__ == CDTInfinite.__name__):
            return
        check(owner, argument, value)

    return checked


def _or_none(check: Check) -> Check:
    def checked(owner: str, argument: str, value: Any) -> None:
        if value is not None:
            check(owner, argument, value)

    return checked


def _number(owner: str, argument: str, value: Any) -> None:
    if isinstance(value, float) or integer(value) is not None:
        _fits(owner, argument, value)
    elif not hasattr(value, "__float__") or isinstance(value, bool):
        refuse(owner, argument, value, "a number or an expression")


def _fits(owner: str, argument: str, value: Any) -> None:
    number = integer(value)
    if number is not None and not -(2**63) <= number < 2**63:
        refuse(owner, argument, value, "an int of 64 bits", ParamError)


def text(owner: str, argument: str, value: Any) -> None:
    if not isinstance(value, str):
        refuse(owner, argument, value, "a str")


def _text_or_none(owner: str, argument: str, value: Any) -> None:
    if value is not None:
        text(owner, argument, value)


def _texts(owner: str, argument: str, value: Any) -> None:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        refuse(owner, argument, value, "a list of str")


def flag(owner: str, argument: str, value: Any) -> None:
    if not isinstance(value, bool) and type(value).__name__ != "bool":
        refuse(owner, argument, value, "True or False")


def _flag_or_expression(owner: str, argument: str, value: Any) -> None:
    if not isinstance(value, bool) and not is_expression(value) and integer(value) not in (0, 1):
        refuse(owner, argument, value, "True, False or an expression")


def _bin(owner: str, argument: str, value: Any) -> None:
    if is_expression(value):
        return
    if not isinstance(value, str):
        refuse(owner, argument, value, "the name of a bin or an expression")
    bin_name(owner, argument, value)


def bin_name(owner: str, argument: str, value: Any) -> None:
    text(owner, argument, value)
    if not 0 < len(value.encode("utf-8", "surrogatepass")) <= LONGEST_NAME:
        refuse(owner, argument, value, f"a name of 1 to {LONGEST_NAME} bytes", ParamError)


def context(owner: str, argument: str, value: Any) -> None:
    if value is None:
        return
    if not isinstance(value, list | tuple) or not all(hasattr(step, "extra_args") for step in value):
        refuse(owner, argument, value, "None or a list of steps, made by aerospike_py.cdt_ctx")


def _policy(owner: str, argument: str, value: Any) -> None:
    if value is not None and not isinstance(value, dict) and not hasattr(value, "write_flags"):
        refuse(owner, argument, value, "None or a dict")


def _bytes(owner: str, argument: str, value: Any) -> None:
    if not isinstance(value, bytes | bytearray) and not is_expression(value):
        refuse(owner, argument, value, "bytes or an expression")


def _list(owner: str, argument: str, value: Any) -> None:
    if not isinstance(value, list | tuple) and not hasattr(value, "tolist") and not is_expression(value):
        refuse(owner, argument, value, "a list or an expression")


def _map(owner: str, argument: str, value: Any) -> None:
    if not isinstance(value, dict) and not is_expression(value):
        refuse(owner, argument, value, "a dict or an expression")


def geo(owner: str, argument: str, value: Any) -> None:
    if (
        not isinstance(value, GeoJSON | str)
        and not is_expression(value)
        and type(value).__name__ != "GeoJSON"
    ):
        refuse(owner, argument, value, "a GeoJSON or an expression")


def condition(owner: str, argument: str, value: Any) -> None:
    if not isinstance(value, bool) and not is_expression(value):
        refuse(owner, argument, value, "an expression")


_STORABLE = (
    *(bool, int, float, str, bytes, bytearray, list, tuple, dict),
    *(GeoJSON, CDTInfinite, CDTWildcard, null),
)


def value_of_any_type(owner: str, argument: str, value: Any) -> None:
    """What a bin can hold, an expression, or an end of a range. What is inside lists and maps is checked when
    the expression is encoded.
    """
    if value is None or isinstance(value, _STORABLE):
        _fits(owner, argument, value)
    elif not is_expression(value) and type(value).__module__.split(".")[0] not in ("aerospike", "numpy"):
        refuse(owner, argument, value, "a value that a bin can hold, or an expression")


_INT64 = _whole(-(2**63), 2**63 - 1, "an int of 64 bits")
_INDEX = _or_expression(_whole(-(2**63), 2**63 - 1, "an int of 64 bits or an expression"), infinite=True)
_UINT = _or_expression(_whole(0, 2**32 - 1, "an int from 0 to 2**32 - 1 or an expression"))
_OFFSET = _or_expression(_whole(-(2**31), 2**31 - 1, "an int of 32 bits or an expression"))
_FLAGS = _whole(0, 2**32 - 1, "flags, an int of at least 0")
NUMBER = _or_expression(_number)
LIST_RETURN_TYPE = _one_of(frozenset({*range(6), 7, 13}), "one of the LIST_RETURN_* constants", inverted=True)
MAP_RETURN_TYPE = _one_of(
    frozenset({*range(9), 13, 16, 17}), "one of the MAP_RETURN_* constants", inverted=True
)

CHECKS: dict[str, Check] = {
    "action": _one_of(frozenset({0, 2, 4}), "one of the BIT_OVERFLOW_* constants"),
    "bin": _bin,
    "bit_offset": _OFFSET,
    "bit_size": _UINT,
    "byte_offset": _OFFSET,
    "byte_size": _UINT,
    "begin": value_of_any_type,
    "count": _INDEX,
    "ctx": context,
    "end": value_of_any_type,
    "expr": value_of_any_type,
    "expr0": value_of_any_type,
    "expr1": value_of_any_type,
    "exprs": condition,
    "flags": _FLAGS,
    "index": _INDEX,
    "index_bit_count": _or_expression(_whole(-1, 16, "None or an int of at most 16", optional=True)),
    "invert_size": flag,
    "inverted": flag,
    "key": value_of_any_type,
    "keys": _list,
    "list": _list,
    "map": _map,
    "map_value": _bin,
    "mh_bit_count": _or_expression(_whole(-1, 51, "None or an int of at most 51", optional=True)),
    "mod": _whole(1, 2**63 - 1, "an int of at least 1"),
    "needle": text,
    "numeric_type": _one_of(frozenset({0, 1, 2}), "a NumericType"),
    "occurrence": _INT64,
    "options": _whole(0, 15, "a combination of the REGEX_* constants"),
    "order": _whole(0, 3, "a combination of LIST_SORT_* constants"),
    "pad_string": text,
    "pattern": text,
    "policy": _policy,
    "prefix": text,
    "rank": _INDEX,
    "regex_flags": _FLAGS,
    "regex_str": text,
    "replacement": text,
    "return_type": LIST_RETURN_TYPE,
    "separator": _text_or_none,
    "shift": _UINT,
    "sign": flag,
    "start": _INT64,
    "suffix": text,
    "target_length": _INT64,
    "value": value_of_any_type,
    "value_begin": value_of_any_type,
    "value_end": value_of_any_type,
    "value_type": _one_of(frozenset(range(10)), "one of the members of ResultType"),
    "values": _list,
    "var_id": _one_of(frozenset({0, 1, 2}), "one of the EXP_LOOPVAR_* constants"),
    "var_name": text,
}

# For the arguments of classes where the same name means something else.
ACTION_OR_NONE = _or_none(CHECKS["action"])
BYTES = _bytes
FLAGS_OR_NONE = _or_none(_FLAGS)
FLAG_OR_EXPRESSION = _flag_or_expression
GEO = geo
INT64 = _INT64
INT64_OR_NONE = _or_none(_INT64)
SIZE_OR_NONE = _or_none(_UINT)
TEXTS = _texts
