"""Records with nulls, extremes, NaN, text and values of other types than their columns', for filters."""

from __future__ import annotations

import operator
from typing import Any

SCHEMA = {"i": "int64", "f": "float64", "s": "utf8", "b": "bool", "k": "int64"}
INTEGERS = [None, 0, 1, -1, 5, 2**53, 2**53 + 1, 2**63 - 1, -(2**63)]
FLOATS = [None, 0.0, -0.0, 1.5, -2.5, float("nan"), float("inf"), float("-inf"), 5.0]
TEXTS = [None, "", "a", "ab", "abc", "b", "é", "\ud7ff", "\ue000", "\U0010ffff", "a\U0010ffff", "Z"]
BOOLEANS = [None, True, False]
COMPARISONS = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]


def row(k: int) -> dict[str, Any]:
    """The bins of record ``k``."""
    values: dict[str, Any] = {
        "i": INTEGERS[k % len(INTEGERS)],
        "f": FLOATS[k % len(FLOATS)],
        "s": TEXTS[k % len(TEXTS)],
        "b": BOOLEANS[k % 3],
    }
    # Values of other types that the columns take without loss.
    if k % 23 == 0:
        values["f"] = 5
    if k % 29 == 0:
        values["i"] = 3.0
    return {"k": k, **{name: value for name, value in values.items() if value is not None}}
