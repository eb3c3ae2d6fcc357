"""Operations on HyperLogLog sketches, for ``operate``, batches and queries.

The functions have the names and arguments of the official client's
``aerospike_helpers.operations.hll_operations`` and return the same dictionaries: to migrate, change the
import. A wrong argument is refused by the call that sends the
operation.

A sketch estimates how many distinct values were added to it. ``index_bit_count`` (4 to 16) sets its
precision, ``mh_bit_count`` (4 to 51) that of intersections and similarities; the two are 64 at most
together. ``policy`` is a dictionary with ``flags`` (``HLL_WRITE_*``).

>>> from aerospike_py import hll_operations as sketches
>>> ops = [sketches.hll_add("visitors", ["Ada", "Bea"], 12), sketches.hll_get_count("visitors")]
>>> client.operate(("test", "users", "hll-operations"), ops).bins["visitors"]
2
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import constants
from ._operation import HllPolicy, Operation, operation
from .values import HyperLogLog

__all__ = [
    "hll_add",
    "hll_describe",
    "hll_fold",
    "hll_get_count",
    "hll_get_intersect_count",
    "hll_get_similarity",
    "hll_get_union",
    "hll_get_union_count",
    "hll_init",
    "hll_refresh_count",
    "hll_set_union",
]


def _bits(count: int | None) -> int:
    return -1 if count is None else count


def hll_add(
    bin_name: str,
    values: Sequence[Any],
    index_bit_count: int | None = None,
    mh_bit_count: int | None = None,
    policy: HllPolicy = None,
) -> Operation:
    """Adds values to a sketch, which is created with these sizes if the bin is missing. Returns the
    number of values that changed the sketch.

    >>> hll_add("visitors", ["Ada", "Bea"], 12)
    {'op': 2100, 'bin': 'visitors', 'value_list': ['Ada', 'Bea'], 'index_bit_count': 12, 'mh_bit_count': -1}
    """
    return operation(
        constants.OP_HLL_ADD,
        bin_name,
        None,
        policy,
        value_list=values,
        index_bit_count=_bits(index_bit_count),
        mh_bit_count=_bits(mh_bit_count),
    )


def hll_describe(bin_name: str) -> Operation:
    """Reads the index and the min-hash bit count of a sketch, as a list.

    >>> hll_describe("visitors")
    {'op': 2101, 'bin': 'visitors'}
    """
    return operation(constants.OP_HLL_DESCRIBE, bin_name)


def hll_fold(bin_name: str, index_bit_count: int) -> Operation:
    """Makes a sketch smaller: fewer index bits. It must have no min-hash bits.

    >>> hll_fold("visitors", 8)
    {'op': 2102, 'bin': 'visitors', 'index_bit_count': 8}
    """
    return operation(constants.OP_HLL_FOLD, bin_name, index_bit_count=index_bit_count)


def hll_get_count(bin_name: str) -> Operation:
    """Reads the estimated number of distinct values.

    >>> hll_get_count("visitors")
    {'op': 2103, 'bin': 'visitors'}
    """
    return operation(constants.OP_HLL_GET_COUNT, bin_name)


def hll_get_intersect_count(bin_name: str, hll_list: Sequence[HyperLogLog]) -> Operation:
    """Estimates how many values the sketch and those of the list have in common.

    >>> hll_get_intersect_count("visitors", [])
    {'op': 2104, 'bin': 'visitors', 'value_list': []}
    """
    return operation(constants.OP_HLL_GET_INTERSECT_COUNT, bin_name, value_list=hll_list)


def hll_get_similarity(bin_name: str, hll_list: Sequence[HyperLogLog]) -> Operation:
    """Estimates how similar the sketch and those of the list are, from 0.0 to 1.0.

    >>> hll_get_similarity("visitors", [])
    {'op': 2105, 'bin': 'visitors', 'value_list': []}
    """
    return operation(constants.OP_HLL_GET_SIMILARITY, bin_name, value_list=hll_list)


def hll_get_union(bin_name: str, hll_list: Sequence[HyperLogLog]) -> Operation:
    """Reads the union of the sketch and those of the list, as a sketch.

    >>> hll_get_union("visitors", [])
    {'op': 2106, 'bin': 'visitors', 'value_list': []}
    """
    return operation(constants.OP_HLL_GET_UNION, bin_name, value_list=hll_list)


def hll_get_union_count(bin_name: str, hll_list: Sequence[HyperLogLog]) -> Operation:
    """Estimates how many distinct values the sketch and those of the list have together.

    >>> hll_get_union_count("visitors", [])
    {'op': 2107, 'bin': 'visitors', 'value_list': []}
    """
    return operation(constants.OP_HLL_GET_UNION_COUNT, bin_name, value_list=hll_list)


def hll_init(
    bin_name: str,
    index_bit_count: int | None = None,
    mh_bit_count: int | None = None,
    policy: HllPolicy = None,
) -> Operation:
    """Creates a sketch, or empties the one that is there.

    >>> hll_init("visitors", 12)
    {'op': 2108, 'bin': 'visitors', 'index_bit_count': 12, 'mh_bit_count': -1}
    """
    return operation(
        constants.OP_HLL_INIT,
        bin_name,
        None,
        policy,
        index_bit_count=_bits(index_bit_count),
        mh_bit_count=_bits(mh_bit_count),
    )


def hll_refresh_count(bin_name: str) -> Operation:
    """Counts again, after values were added, and stores the count. Returns it.

    >>> hll_refresh_count("visitors")
    {'op': 2109, 'bin': 'visitors'}
    """
    return operation(constants.OP_HLL_REFRESH_COUNT, bin_name)


def hll_set_union(bin_name: str, hll_list: Sequence[HyperLogLog], policy: HllPolicy = None) -> Operation:
    """Makes the sketch the union of itself and those of the list.

    >>> hll_set_union("visitors", [])
    {'op': 2110, 'bin': 'visitors', 'value_list': []}
    """
    return operation(constants.OP_HLL_SET_UNION, bin_name, None, policy, value_list=hll_list)
