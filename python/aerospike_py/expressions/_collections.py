"""What expressions about lists and maps have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from ..values import CDTInfinite
from ._checks import MAP_RETURN_TYPE, is_expression
from .resources import ResultType, ReturnType, _BaseExpr, _ExprOp, _GenericExpr, _Keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..cdt_ctx import _cdt_ctx

# The way to a list or map inside the bin.
Context: TypeAlias = "Sequence[_cdt_ctx] | None"
# The name of a bin, or an expression.
Bin: TypeAlias = "_BaseExpr | str"
Index: TypeAlias = "_BaseExpr | int | CDTInfinite"
Policy: TypeAlias = "Mapping[str, int] | None"


class CollectionExpr(_BaseExpr):
    """An expression about a list or map; both kinds give its type and the key of its policy."""

    _result_type: ClassVar[int]
    _policy_key: ClassVar[str]

    def _of(self, bin: Bin) -> _BaseExpr:
        """The expression that is the list or map."""
        if is_expression(bin):
            return bin  # type: ignore[return-value]
        return _GenericBin(_ExprOp.BIN, self._result_type, {_Keys.BIN_KEY: bin})

    def _read(
        self,
        ctx: Context,
        bin: Bin,
        arguments: tuple[Any, ...],
        return_type: int | None = None,
        inverted: bool = False,
        value_type: int | None = None,
        order: int | None = None,
    ) -> None:
        fixed: dict[str, Any] = {}
        if return_type is not None:
            fixed[_Keys.RETURN_TYPE_KEY] = return_type | (ReturnType.LIST_RETURN_INVERTED if inverted else 0)
        if value_type is not None:
            fixed[_Keys.VALUE_TYPE_KEY] = value_type
        if order is not None:
            fixed[_Keys.LIST_ORDER_KEY] = order
        if ctx is not None:
            fixed[_Keys.CTX_KEY] = ctx
        self._fixed = fixed
        self._children = (*arguments, self._of(bin))

    def _remove(self, ctx: Context, bin: Bin, arguments: tuple[Any, ...], inverted: bool) -> None:
        self._read(ctx, bin, arguments, 0, inverted)

    def _change(self, ctx: Context, bin: Bin, arguments: tuple[Any, ...], policy: Policy, flags: int) -> None:
        fixed = {} if policy is None else {self._policy_key: policy}
        self._read(ctx, bin, (*arguments, _GenericExpr(flags, 0, dict(fixed))))
        self._fixed = {**(self._fixed or {}), **fixed}


class _GenericBin(_GenericExpr):
    """A bin that was given by its name."""

    def __repr__(self) -> str:
        return repr((self._fixed or {})[_Keys.BIN_KEY])


class ListExpr(CollectionExpr):
    """An expression about a list."""

    _result_type = ResultType.LIST
    _policy_key = _Keys.LIST_POLICY_KEY


class MapExpr(CollectionExpr):
    """An expression about a map."""

    _result_type = ResultType.MAP
    _policy_key = _Keys.MAP_POLICY_KEY
    _checks: ClassVar = {"return_type": MAP_RETURN_TYPE}


def infinite(end: Any) -> Any:
    """The end of a range; None leaves it open."""
    return CDTInfinite() if end is None else end
