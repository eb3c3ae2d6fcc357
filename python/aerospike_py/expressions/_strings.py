"""What expressions about strings have in common."""

from __future__ import annotations

from typing import Any

from ._checks import is_expression
from ._collections import Bin
from .base import StrBin
from .resources import _BaseExpr


class _StringExpr(_BaseExpr):
    def _string(self, bin: Bin, **fixed: Any) -> None:
        """Sets the string and the arguments. An expression without arguments has no dictionary of them."""
        self._fixed = fixed or None
        self._children = (bin if is_expression(bin) else StrBin(bin),)  # type: ignore[arg-type]
