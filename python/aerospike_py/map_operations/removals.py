"""Operations that remove items of a map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import constants
from .._operation import Context, Operation, operation


def map_clear(bin_name: str, ctx: Context = None) -> Operation:
    """Removes all items.

    >>> map_clear("ages")
    {'op': 1107, 'bin': 'ages'}
    """
    return operation(constants.OP_MAP_CLEAR, bin_name, ctx)


def map_remove_by_key(bin_name: str, key: Any, return_type: int, ctx: Context = None) -> Operation:
    """Removes the item of a key.

    >>> map_remove_by_key("ages", "Ada", MAP_RETURN_VALUE)
    {'op': 1108, 'bin': 'ages', 'key': 'Ada', 'return_type': 7}
    """
    return operation(constants.OP_MAP_REMOVE_BY_KEY, bin_name, ctx, key=key, return_type=return_type)


def map_remove_by_key_list(
    bin_name: str, key_list: Sequence[Any], return_type: int, inverted: bool = False, ctx: Context = None
) -> Operation:
    """Removes the items of several keys. ``inverted`` removes the other items.

    >>> map_remove_by_key_list("ages", ["Ada", "Bea"], MAP_RETURN_COUNT)
    {'op': 1109, 'bin': 'ages', 'val': ['Ada', 'Bea'], 'return_type': 5, 'inverted': False}
    """
    return operation(
        constants.OP_MAP_REMOVE_BY_KEY_LIST,
        bin_name,
        ctx,
        val=key_list,
        return_type=return_type,
        inverted=inverted,
    )


def map_remove_by_key_range(
    bin_name: str,
    key_range_start: Any,
    key_range_end: Any,
    return_type: int,
    inverted: bool = False,
    ctx: Context = None,
) -> Operation:
    """Removes the items whose keys are from ``key_range_start`` on and below ``key_range_end``.
    ``inverted`` removes the other items.

    >>> map_remove_by_key_range("ages", "A", "B", MAP_RETURN_COUNT)
    {'op': 1110, 'bin': 'ages', 'key': 'A', 'val': 'B', 'return_type': 5, 'inverted': False}
    """
    return operation(
        constants.OP_MAP_REMOVE_BY_KEY_RANGE,
        bin_name,
        ctx,
        key=key_range_start,
        val=key_range_end,
        return_type=return_type,
        inverted=inverted,
    )


def map_remove_by_value(
    bin_name: str, value: Any, return_type: int, inverted: bool = False, ctx: Context = None
) -> Operation:
    """Removes the items that have a value. ``inverted`` removes the other items.

    >>> map_remove_by_value("ages", 36, MAP_RETURN_KEY)
    {'op': 1111, 'bin': 'ages', 'val': 36, 'return_type': 6, 'inverted': False}
    """
    return operation(
        constants.OP_MAP_REMOVE_BY_VALUE, bin_name, ctx, val=value, return_type=return_type, inverted=inverted
    )


def map_remove_by_value_list(
    bin_name: str, value_list: Sequence[Any], return_type: int, inverted: bool = False, ctx: Context = None
) -> Operation:
    """Removes the items that have one of several values. ``inverted`` removes the other items.

    >>> map_remove_by_value_list("ages", [36, 41], MAP_RETURN_COUNT)
    {'op': 1112, 'bin': 'ages', 'val': [36, 41], 'return_type': 5, 'inverted': False}
    """
    return operation(
        constants.OP_MAP_REMOVE_BY_VALUE_LIST,
        bin_name,
        ctx,
        val=value_list,
        return_type=return_type,
        inverted=inverted,
    )


def map_remove_by_value_range(
    bin_name: str,
    value_start: Any,
    value_end: Any,
    return_type: int,
    inverted: bool = False,
    ctx: Context = None,
) -> Operation:
    """Removes the items whose values are from ``value_start`` on and below ``value_end``. ``inverted``
    removes the other items.

    >>> map_remove_by_value_range("ages", 0, 18, MAP_RETURN_KEY)
    {'op': 1113, 'bin': 'ages', 'val': 0, 'range': 18, 'return_type': 6, 'inverted': False}
    """
    return operation(
        constants.OP_MAP_REMOVE_BY_VALUE_RANGE,
        bin_name,
        ctx,
        val=value_start,
        range=value_end,
        return_type=return_type,
        inverted=inverted,
    )


def map_remove_by_index(bin_name: str, index: int, return_type: int, ctx: Context = None) -> Operation:
    """Removes the item at an index, in the order of the keys.

    >>> map_remove_by_index("ages", 0, MAP_RETURN_KEY)
    {'op': 1114, 'bin': 'ages', 'index': 0, 'return_type': 6}
    """
    return operation(constants.OP_MAP_REMOVE_BY_INDEX, bin_name, ctx, index=index, return_type=return_type)


def map_remove_by_index_range(
    bin_name: str,
    index_start: int,
    remove_amt: int,
    return_type: int,
    inverted: bool = False,
    ctx: Context = None,
) -> Operation:
    """Removes ``remove_amt`` items from an index on, in the order of the keys. ``inverted`` removes the
    other items.

    >>> map_remove_by_index_range("ages", 0, 2, MAP_RETURN_COUNT)
    {'op': 1115, 'bin': 'ages', 'index': 0, 'val': 2, 'return_type': 5, 'inverted': False}
    """
    return operation(
        constants.OP_MAP_REMOVE_BY_INDEX_RANGE,
        bin_name,
        ctx,
        index=index_start,
        val=remove_amt,
        return_type=return_type,
        inverted=inverted,
    )


def map_remove_by_rank(bin_name: str, rank: int, return_type: int, ctx: Context = None) -> Operation:
    """Removes the item whose value has a rank: 0 is the lowest value, -1 the highest.

    >>> map_remove_by_rank("ages", 0, MAP_RETURN_KEY)
    {'op': 1116, 'bin': 'ages', 'index': 0, 'return_type': 6}
    """
    return operation(constants.OP_MAP_REMOVE_BY_RANK, bin_name, ctx, index=rank, return_type=return_type)


def map_remove_by_rank_range(
    bin_name: str,
    rank_start: int,
    remove_amt: int,
    return_type: int,
    inverted: bool = False,
    ctx: Context = None,
) -> Operation:
    """Removes ``remove_amt`` items from a rank on. ``inverted`` removes the other items.

    >>> map_remove_by_rank_range("ages", -2, 2, MAP_RETURN_KEY, inverted=True)
    {'op': 1117, 'bin': 'ages', 'index': -2, 'val': 2, 'return_type': 6, 'inverted': True}
    """
    return operation(
        constants.OP_MAP_REMOVE_BY_RANK_RANGE,
        bin_name,
        ctx,
        index=rank_start,
        val=remove_amt,
        return_type=return_type,
        inverted=inverted,
    )


def map_remove_by_value_rank_range_relative(
    bin_name: str,
    value: Any,
    offset: int,
    return_type: int,
    count: int | None = None,
    inverted: bool = False,
    ctx: Context = None,
) -> Operation:
    """Removes ``count`` items from a rank on that is relative to a value: offset 0 is the first item
    whose value is not below it.

    >>> map_remove_by_value_rank_range_relative("ages", 40, 0, MAP_RETURN_KEY)
    {'op': 1128, 'bin': 'ages', 'val': 40, 'rank': 0, 'return_type': 6}
    """
    return operation(
        constants.OP_MAP_REMOVE_BY_VALUE_RANK_RANGE_REL,
        bin_name,
        ctx,
        val=value,
        rank=offset,
        return_type=return_type,
        count=count,
        inverted=inverted,
    )


def map_remove_by_key_index_range_relative(
    bin_name: str,
    key: Any,
    offset: int,
    return_type: int,
    count: int | None = None,
    inverted: bool = False,
    ctx: Context = None,
) -> Operation:
    """Removes ``count`` items from an index on that is relative to a key: offset 0 is the first key that
    is not below it.

    >>> map_remove_by_key_index_range_relative("ages", "B", 0, MAP_RETURN_COUNT)
    {'op': 1129, 'bin': 'ages', 'key': 'B', 'index': 0, 'return_type': 5}
    """
    return operation(
        constants.OP_MAP_REMOVE_BY_KEY_INDEX_RANGE_REL,
        bin_name,
        ctx,
        key=key,
        index=offset,
        return_type=return_type,
        count=count,
        inverted=inverted,
    )
