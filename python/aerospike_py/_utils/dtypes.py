"""The dtype argument of commands that read into arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def one_dtype(_dtype: Any, dtype: Any) -> Any:
    """The dtype of a call, which may be given by either name."""
    if _dtype is None or dtype is None or _dtype is dtype:
        return dtype if _dtype is None else _dtype
    if is_by_set(_dtype) or is_by_set(dtype):
        raise TypeError("_dtype and dtype are two arguments for one thing; pass one of them")
    import numpy as np

    try:
        same = np.dtype(_dtype) == np.dtype(dtype)
    except (TypeError, ValueError) as error:
        raise TypeError(f"_dtype is {_dtype!r:.80} and dtype is {dtype!r:.80}; one is no dtype") from error
    if not same:
        raise TypeError(f"_dtype is {np.dtype(_dtype)}, and dtype is {np.dtype(dtype)}; pass one of them")
    return _dtype


def is_by_set(dtype: Any) -> bool:
    """Whether a dtype argument has a dtype for each set. NumPy takes dicts for one dtype, too: with names and
    formats, or with a tuple for each field."""
    if not isinstance(dtype, Mapping):
        return False
    if "names" in dtype and "formats" in dtype:
        return False
    return not all(isinstance(value, tuple) for value in dtype.values())
