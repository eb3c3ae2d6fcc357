"""Expressions about HyperLogLog sketches.

The classes have the names and arguments of the official client's ``aerospike_helpers.expressions.hll``.
``bin`` is the name of a bin or an expression that is a sketch, ``policy`` None or a dictionary with ``flags``
(``HLL_WRITE_*``).

>>> from aerospike_py.expressions import hll
>>> hll.HLLGetCount("visitors")
HLLGetCount('visitors')
"""

from __future__ import annotations

from typing import Any

from .. import constants
from ._checks import is_expression, value_of_any_type
from ._collections import Bin, Policy
from .base import HLLBin
from .resources import _BaseExpr

__all__ = [
    "HLLAdd",
    "HLLDescribe",
    "HLLGetCount",
    "HLLGetIntersectCount",
    "HLLGetSimilarity",
    "HLLGetUnion",
    "HLLGetUnionCount",
    "HLLInit",
    "HLLMayContain",
]


def _sketch(bin: Bin) -> Any:
    return bin if is_expression(bin) else HLLBin(bin)  # type: ignore[arg-type]


def _bits(count: Any) -> Any:
    return -1 if count is None else count


def _flags(policy: Policy) -> int:
    return (policy or {}).get("flags", constants.HLL_WRITE_DEFAULT)


class HLLInit(_BaseExpr):
    """An empty sketch of a size.

    >>> HLLInit(None, 12, None, "visitors")
    HLLInit(None, 12, None, 'visitors')
    """

    _op = constants.OP_HLL_INIT

    def __init__(self, policy: Policy, index_bit_count: Any, mh_bit_count: Any, bin: Bin) -> None:
        self._children = (_bits(index_bit_count), _bits(mh_bit_count), _flags(policy), _sketch(bin))


class HLLAdd(_BaseExpr):
    """A sketch with values added.

    >>> HLLAdd(None, ["Ada"], 12, None, "visitors")
    HLLAdd(None, ['Ada'], 12, None, 'visitors')
    """

    _op = constants.OP_HLL_ADD

    def __init__(self, policy: Policy, list: Any, index_bit_count: Any, mh_bit_count: Any, bin: Bin) -> None:
        self._children = (list, _bits(index_bit_count), _bits(mh_bit_count), _flags(policy), _sketch(bin))


class HLLGetCount(_BaseExpr):
    """The estimated number of distinct values.

    >>> GT(HLLGetCount("visitors"), 100)
    GT(HLLGetCount('visitors'), 100)
    """

    _op = constants.OP_HLL_GET_COUNT

    def __init__(self, bin: Bin) -> None:
        self._children = (_sketch(bin),)


class HLLGetUnion(_BaseExpr):
    """The union of a sketch and others.

    >>> HLLGetUnion([], "visitors")
    HLLGetUnion([], 'visitors')
    """

    _op = constants.OP_HLL_GET_UNION
    _checks = {"values": value_of_any_type}

    def __init__(self, values: Any, bin: Bin) -> None:
        self._children = (values, _sketch(bin))


class HLLGetUnionCount(_BaseExpr):
    """How many distinct values a sketch and others have together, estimated.

    >>> HLLGetUnionCount([], "visitors")
    HLLGetUnionCount([], 'visitors')
    """

    _op = constants.OP_HLL_GET_UNION_COUNT
    _checks = {"values": value_of_any_type}

    def __init__(self, values: Any, bin: Bin) -> None:
        self._children = (values, _sketch(bin))


class HLLGetIntersectCount(_BaseExpr):
    """How many values a sketch and others have in common, estimated.

    >>> HLLGetIntersectCount([], "visitors")
    HLLGetIntersectCount([], 'visitors')
    """

    _op = constants.OP_HLL_GET_INTERSECT_COUNT
    _checks = {"values": value_of_any_type}

    def __init__(self, values: Any, bin: Bin) -> None:
        self._children = (values, _sketch(bin))


class HLLGetSimilarity(_BaseExpr):
    """How similar a sketch and others are, from 0.0 to 1.0, estimated.

    >>> HLLGetSimilarity([], "visitors")
    HLLGetSimilarity([], 'visitors')
    """

    _op = constants.OP_HLL_GET_SIMILARITY
    _checks = {"values": value_of_any_type}

    def __init__(self, values: Any, bin: Bin) -> None:
        self._children = (values, _sketch(bin))


class HLLDescribe(_BaseExpr):
    """The index and the min-hash bit count of a sketch, as a list.

    >>> HLLDescribe("visitors")
    HLLDescribe('visitors')
    """

    _op = constants.OP_HLL_DESCRIBE

    def __init__(self, bin: Bin) -> None:
        self._children = (_sketch(bin),)


class HLLMayContain(_BaseExpr):
    """Whether a sketch may contain all values: 1 or 0.

    >>> Eq(HLLMayContain(["Ada"], "visitors"), 1)
    Eq(HLLMayContain(['Ada'], 'visitors'), 1)
    """

    _op = constants.OP_HLL_MAY_CONTAIN

    def __init__(self, list: Any, bin: Bin) -> None:
        self._children = (list, _sketch(bin))
