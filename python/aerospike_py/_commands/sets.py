"""A dtype for each set: the arguments of a batch read of several sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from .._utils.describe import describe
from ..exception import ParamError, ParamTypeError

# Name, namespace, set, dtype, paths, out: what the extension takes for each set.
SetArguments: TypeAlias = "tuple[Any, str | None, str, Any, Any, Any]"


def by_set(dtypes: Mapping[Any, Any], paths: Any, out: Any) -> list[SetArguments]:
    """The arguments of each set, from mappings by set.

    Raises:
        ParamError: a set is given twice, or ``paths`` or ``out`` has one that the dtypes do not have.
        ParamTypeError: a key is no set, or ``paths`` or ``out`` is no mapping.
    """
    for what, given in (("paths", paths), ("out", out)):
        if given is None:
            continue
        if not isinstance(given, Mapping):
            raise ParamTypeError(
                f"{what} is {describe(given)}; with a dtype for each set, it must be a mapping by "
                "the same keys"
            )
        for name in given:
            if name not in dtypes:
                known = ", ".join(map(repr, dtypes))
                raise ParamError(f"{what} has {name!r}, which _dtype has no dtype for; it has {known}")
    sets: list[SetArguments] = []
    names: dict[tuple[str | None, str], Any] = {}
    for name, dtype in dtypes.items():
        space = _space(name)
        if space in names:
            raise ParamError(
                f"_dtype has {names[space]!r} and {name!r}, which are the same set; leave one out"
            )
        names[space] = name
        if dtype is None:
            raise ParamTypeError(f"_dtype[{name!r}] is None; it must be a structured dtype")
        sets.append((name, *space, dtype, (paths or {}).get(name), (out or {}).get(name)))
    return sets


def _space(name: Any) -> tuple[str | None, str]:
    """The namespace (None: every one) and set (empty: none) that a key of a mapping stands for."""
    if name is None:
        return None, ""
    if isinstance(name, str):
        return None, name
    if isinstance(name, tuple) and len(name) == 2:
        namespace, set_ = name
        if isinstance(namespace, str) and (set_ is None or isinstance(set_, str)):
            return namespace, set_ or ""
    raise ParamTypeError(
        f"_dtype has the key {describe(name)}; it must be a set, (namespace, set), or None for records "
        "without a set"
    )
