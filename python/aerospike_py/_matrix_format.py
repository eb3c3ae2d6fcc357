"""The dtype and the fill value of a matrix."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ._utils.describe import describe
from .exception import ParamError, ParamTypeError

if TYPE_CHECKING:
    import numpy as np


def matrix_format(dtype: Any, fill: Any, out: Any) -> tuple[np.dtype[Any], bytes]:
    """The dtype of a matrix, and the bytes of a cell without a value.

    Raises:
        ParamError: the dtype needs a fill value, or cannot hold the given one.
        ParamTypeError: the dtype is not one of numbers.
    """
    import numpy as np

    if dtype is None:
        given = getattr(out, "dtype", None)
        dtype = given if isinstance(given, np.dtype) else np.float32
    try:
        dtype = np.dtype(dtype)
    except (TypeError, ValueError) as error:
        raise ParamTypeError(f"dtype is {describe(dtype)}, which is not a dtype") from error
    if dtype.kind not in "iufb" or dtype.itemsize > 8 or dtype.subdtype is not None:
        raise ParamTypeError(f"dtype is {dtype}; a matrix has integers, floats of up to 8 bytes, or bools")
    if fill is None:
        if dtype.kind != "f":
            raise ParamError(
                f"dtype is {dtype}, which has no NaN for missing cells; pass fill, such as fill=-1 or fill=0"
            )
        fill = math.nan
    cell = np.zeros((), dtype)
    try:
        # A warning of NumPy's would come before the error.
        with np.errstate(all="ignore"):
            cell[...] = fill
        given = np.asarray(fill)
        fits = given.ndim == 0 and given.dtype.kind in "iufb" and _is_same(cell.item(), given.item(), dtype)
    except (TypeError, ValueError, OverflowError):
        fits = False
    if not fits:
        raise ParamError(
            f"fill is {describe(fill)}, which does not fit {dtype}; pass a number that it can hold"
        )
    return dtype, cell.tobytes()


def _is_same(cell: Any, given: Any, dtype: np.dtype[Any]) -> bool:
    """Whether a cell holds the given value; a float may be rounded, but not to infinity."""
    if cell == given or (cell != cell and given != given):
        return True
    return dtype.kind == "f" and math.isfinite(cell) and math.isfinite(given)
