"""Operations that read a map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import constants
from .._operation import Context, Operation, operation


def map_size(bin_name: str, ctx: Context = None) -> Operation:
    """Reads the number of items.

    >>> map_size("ages")
    {'op': 1106, 'bin': 'ages'}
    """
    return operation(constants.OP_MAP_SIZE, bin_name, ctx)


def map_get_by_key(bin_name: str, key: Any, return_type: int, ctx: Context = None) -> Operation:
    """Reads the item of a key.

    >>> map_get_by_key("ages", "Ada", MAP_RETURN_VALUE)
    {'op': 1118, 'bin': 'ages', 'key': 'Ada', 'return_type': 7}
    """
    return operation(constants.OP_MAP_GET_BY_KEY, bin_name, ctx, key=key, return_type=return_type)


def map_get_by_key_range(
    bin_name: str,
    key_range_start: Any,
    key_range_end: Any,
    return_type: int,
    inverted: bool = False,
    ctx: Context = None,
) -> Operation:
    """Reads the items whose keys are from ``key_range_start`` on and below ``key_range_end``.
    ``inverted`` reads the other items.

    >>> map_get_by_key_range("ages", "A", "B", MAP_RETURN_KEY)
    {'op': 1119, 'bin': 'ages', 'key': 'A', 'range': 'B', 'return_type': 6, 'inverted': False}
    """
    return operation(
        constants.OP_MAP_GET_BY_KEY_RANGE,
        bin_name,
        ctx,
        key=key_range_start,
        range=key_range_end,
        return_type=return_type,
        inverted=inverted,
    )


def map_get_by_key_list(
    bin_name: str, key_list: Sequence[Any], return_type: int, inverted: bool = False, ctx: Context = None
) -> Operation:
    """Reads the items of several keys. ``inverted`` reads the other items.

    >>> map_get_by_key_list("ages", ["Ada", "Bea"], MAP_RETURN_VALUE)
    {'op': 1127, 'bin': 'ages', 'val': ['Ada', 'Bea'], 'return_type': 7, 'inverted': False}
    """
    return operation(
        constants.OP_MAP_GET_BY_KEY_LIST,
        bin_name,
        ctx,
        val=key_list,
        return_type=return_type,
        inverted=inverted,
    )


def map_get_by_value(
    bin_name: str, value: Any, return_type: int, inverted: bool = False, ctx: Context = None
) -> Operation:
    """Reads the items that have a value. ``inverted`` reads the other items.

    >>> map_get_by_value("ages", 36, MAP_RETURN_KEY)
    {'op': 1120, 'bin': 'ages', 'val': 36, 'return_type': 6, 'inverted': False}
    """
    return operation(
        constants.OP_MAP_GET_BY_VALUE, bin_name, ctx, val=value, return_type=return_type, inverted=inverted
    )


def map_get_by_value_range(
    bin_name: str,
    value_start: Any,
    value_end: Any,
    return_type: int,
    inverted: bool = False,
    ctx: Context = None,
) -> Operation:
    """Reads the items whose values are from ``value_start`` on and below ``value_end``. ``inverted``
    reads the other items.

    >>> map_get_by_value_range("ages", 18, 65, MAP_RETURN_KEY)
    {'op': 1121, 'bin': 'ages', 'val': 18, 'range': 65, 'return_type': 6, 'inverted': False}
    """
    return operation(
        constants.OP_MAP_GET_BY_VALUE_RANGE,
        bin_name,
        ctx,
        val=value_start,
        range=value_end,
        return_type=return_type,
        inverted=inverted,
    )


def map_get_by_value_list(
    bin_name: str, key_list: Sequence[Any], return_type: int, inverted: bool = False, ctx: Context = None
) -> Operation:
    """Reads the items that have one of several values. ``inverted`` reads the other items.

    >>> map_get_by_value_list("ages", [36, 41], MAP_RETURN_KEY)
    {'op': 1126, 'bin': 'ages', 'val': [36, 41], 'return_type': 6, 'inverted': False}
    """
    return operation(
        constants.OP_MAP_GET_BY_VALUE_LIST,
        bin_name,
        ctx,
        val=key_list,
        return_type=return_type,
        inverted=inverted,
    )


def map_get_by_index(bin_name: str, index: int, return_type: int, ctx: Context = None) -> Operation:
    """Reads the item at an index, in the order of the keys.

    >>> map_get_by_index("ages", 0, MAP_RETURN_KEY)
    {'op': 1122, 'bin': 'ages', 'index': 0, 'return_type': 6}
    """
    return operation(constants.OP_MAP_GET_BY_INDEX, bin_name, ctx, index=index, return_type=return_type)


def map_get_by_index_range(
    bin_name: str,
    index_start: int,
    get_amt: int,
    return_type: int,
    inverted: bool = False,
    ctx: Context = None,
) -> Operation:
    """Reads ``get_amt`` items from an index on, in the order of the keys. ``inverted`` reads the other
    items.

    >>> map_get_by_index_range("ages", 0, 2, MAP_RETURN_KEY)
    {'op': 1123, 'bin': 'ages', 'index': 0, 'val': 2, 'return_type': 6, 'inverted': False}
    """
    return operation(
        constants.OP_MAP_GET_BY_INDEX_RANGE,
        bin_name,
        ctx,
        index=index_start,
        val=get_amt,
        return_type=return_type,
        inverted=inverted,
    )


def map_get_by_rank(bin_name: str, rank: int, return_type: int, ctx: Context = None) -> Operation:
    """Reads the item whose value has a rank: 0 is the lowest value, -1 the highest.

    >>> map_get_by_rank("ages", -1, MAP_RETURN_KEY_VALUE)
    {'op': 1124, 'bin': 'ages', 'index': -1, 'return_type': 8}
    """
    return operation(constants.OP_MAP_GET_BY_RANK, bin_name, ctx, index=rank, return_type=return_type)


def map_get_by_rank_range(
    bin_name: str,
    rank_start: int,
    get_amt: int,
    return_type: int,
    inverted: bool = False,
    ctx: Context = None,
) -> Operation:
    """Reads ``get_amt`` items from a rank on. ``inverted`` reads the other items.

    >>> map_get_by_rank_range("ages", -2, 2, MAP_RETURN_KEY)
    {'op': 1125, 'bin': 'ages', 'index': -2, 'val': 2, 'return_type': 6, 'inverted': False}
    """
    return operation(
        constants.OP_MAP_GET_BY_RANK_RANGE,
        bin_name,
        ctx,
        index=rank_start,
        val=get_amt,
        return_type=return_type,
        inverted=inverted,
    )


def map_get_by_value_rank_range_relative(
    bin_name: str,
    value: Any,
    offset: int,
    return_type: int,
    count: int | None = None,
    inverted: bool = False,
    ctx: Context = None,
) -> Operation:
    """Reads ``count`` items from a rank on that is relative to a value: offset 0 is the first item whose
    value is not below it.

    >>> map_get_by_value_rank_range_relative("ages", 40, -1, MAP_RETURN_KEY, 2)
    {'op': 1130, 'bin': 'ages', 'val': 40, 'rank': -1, 'return_type': 6, 'count': 2}
    """
    return operation(
        constants.OP_MAP_GET_BY_VALUE_RANK_RANGE_REL,
        bin_name,
        ctx,
        val=value,
        rank=offset,
        return_type=return_type,
        count=count,
        inverted=inverted,
    )


def map_get_by_key_index_range_relative(
    bin_name: str,
    value: Any,
    offset: int,
    return_type: int,
    count: int | None = None,
    inverted: bool = False,
    ctx: Context = None,
) -> Operation:
    """Reads ``count`` items from an index on that is relative to a key, ``value``: offset 0 is the first
    key that is not below it.

    >>> map_get_by_key_index_range_relative("ages", "B", -1, MAP_RETURN_KEY, 2)
    {'op': 1131, 'bin': 'ages', 'key': 'B', 'index': -1, 'return_type': 6, 'count': 2}
    """
    return operation(
        constants.OP_MAP_GET_BY_KEY_INDEX_RANGE_REL,
        bin_name,
        ctx,
        key=value,
        index=offset,
        return_type=return_type,
        count=count,
        inverted=inverted,
    )
