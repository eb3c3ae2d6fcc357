"""Constants of user-defined functions."""

from __future__ import annotations

# Languages of user-defined functions.
UDF_TYPE_LUA = 0

__all__ = [
    "UDF_TYPE_LUA",
]
