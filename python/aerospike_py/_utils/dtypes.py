"""The dtype argument of commands that read into arrays."""

from __future__ import annotations

from typing import Any


def one_dtype(_dtype: Any, dtype: Any) -> Any:
    """The dtype of a call, which may be given by either name."""
    if _dtype is None or dtype is None or _dtype is dtype:
        return dtype if _dtype is None else _dtype
    import numpy as np

    try:
        same = np.dtype(_dtype) == np.dtype(dtype)
    except (TypeError, ValueError) as error:
        raise TypeError(f"_dtype is {_dtype!r:.80} and dtype is {dtype!r:.80}; one is no dtype") from error
    if not same:
        raise TypeError(f"_dtype is {np.dtype(_dtype)}, and dtype is {np.dtype(dtype)}; pass one of them")
    return _dtype
