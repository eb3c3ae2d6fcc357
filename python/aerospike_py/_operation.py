"""What the modules of operations have in common: types of arguments, and how operations are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from . import _native

if TYPE_CHECKING:
    from .cdt_ctx import _cdt_ctx
    from .expressions.resources import _BaseExpr

Operation: TypeAlias = "dict[str, Any]"
# The way to a list, map or string inside a bin.
Context: TypeAlias = "Sequence[_cdt_ctx] | None"
# A compiled expression, an expression, or the base64 of one.
Expression: TypeAlias = "list[Any] | _BaseExpr | str"
ListPolicy: TypeAlias = "Mapping[str, int] | None"
MapPolicy: TypeAlias = "Mapping[str, int]"
BitPolicy: TypeAlias = "Mapping[str, int] | None"
HllPolicy: TypeAlias = "Mapping[str, int] | None"

# `operation(number, bin_name, ctx, policy, **entries)` makes the dictionary of an operation. The
# extension checks dictionaries of any origin in the same way when it sends them.
operation = _native.operation
