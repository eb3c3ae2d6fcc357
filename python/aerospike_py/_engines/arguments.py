"""Arguments of splits: numbers that are checked, and copies that the caller cannot change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._utils.describe import describe
from ..exception import ParamError, ParamTypeError


def whole_number(name: str, value: Any, low: int, high: int | None = None, instead: str = "") -> int:
    """The value as an int.

    Args:
        name: the argument.
        value: what was passed.
        low: the least number.
        high: the greatest number, None for any.
        instead: what else the argument may be, for the message.

    Raises:
        ParamError: it is too small or too large, or (``ParamTypeError``) no whole number.
    """
    is_number = hasattr(value, "__index__") and not isinstance(value, bool)
    if is_number and low <= value and (high is None or value <= high):
        return int(value)
    limits = f"of at least {low}" if high is None else f"from {low} to {high}"
    error = ParamError if is_number else ParamTypeError
    raise error(f"{name} is {describe(value)}; it must be a whole number {limits}{instead}")


def names(name: str, value: Any) -> list[Any]:
    """Names as a list.

    Raises:
        ParamTypeError: it is a string, or cannot be iterated over.
    """
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise ParamTypeError(f"{name} is {describe(value)}; it must be a list of names")
    return [*value]


def mapping(name: str, value: Any) -> Any:
    """A copy of a config or policy.

    Raises:
        ParamTypeError: it is no dict.
    """
    if not isinstance(value, Mapping):
        # The value may have a password in it.
        raise ParamTypeError(f"{name} has the type {type(value).__name__}; it must be a dict")
    return copied(value)


def copied(value: Any) -> Any:
    """A copy of a config or policy: of its dicts, lists and tuples, at any depth."""
    if isinstance(value, Mapping):
        return {name: copied(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [*map(copied, value)]
    if type(value) is tuple:
        return tuple(map(copied, value))
    return value
