"""Operations that remove items of a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import constants
from .._operation import Context, Operation, operation


def list_pop(bin_name: str, index: int, ctx: Context = None) -> Operation:
    """Removes the item at an index and returns it.

    >>> list_pop("scores", -1)
    {'op': 1005, 'bin': 'scores', 'index': -1}
    """
    return operation(constants.OP_LIST_POP, bin_name, ctx, index=index)


def list_pop_range(bin_name: str, index: int, count: int, ctx: Context = None) -> Operation:
    """Removes ``count`` items from an index on and returns them.

    >>> list_pop_range("scores", 0, 2)
    {'op': 1006, 'bin': 'scores', 'index': 0, 'val': 2}
    """
    return operation(constants.OP_LIST_POP_RANGE, bin_name, ctx, index=index, val=count)


def list_remove(bin_name: str, index: int, ctx: Context = None) -> Operation:
    """Removes the item at an index. Returns the number of items removed.

    >>> list_remove("scores", -1)
    {'op': 1007, 'bin': 'scores', 'index': -1}
    """
    return operation(constants.OP_LIST_REMOVE, bin_name, ctx, index=index)


def list_remove_range(bin_name: str, index: int, count: int, ctx: Context = None) -> Operation:
    """Removes ``count`` items from an index on. Returns the number of items removed.

    >>> list_remove_range("scores", 0, 2)
    {'op': 1008, 'bin': 'scores', 'index': 0, 'val': 2}
    """
    return operation(constants.OP_LIST_REMOVE_RANGE, bin_name, ctx, index=index, val=count)


def list_clear(bin_name: str, ctx: Context = None) -> Operation:
    """Removes all items.

    >>> list_clear("scores")
    {'op': 1009, 'bin': 'scores'}
    """
    return operation(constants.OP_LIST_CLEAR, bin_name, ctx)


def list_trim(bin_name: str, index: int, count: int, ctx: Context = None) -> Operation:
    """Keeps ``count`` items from an index on and removes all others. Returns the number of items removed.

    >>> list_trim("scores", 0, 2)
    {'op': 1013, 'bin': 'scores', 'index': 0, 'val': 2}
    """
    return operation(constants.OP_LIST_TRIM, bin_name, ctx, index=index, val=count)


def list_remove_by_index(bin_name: str, index: int, return_type: int, ctx: Context = None) -> Operation:
    """Removes the item at an index.

    >>> list_remove_by_index("scores", 0, LIST_RETURN_VALUE)
    {'op': 1023, 'bin': 'scores', 'return_type': 7, 'index': 0}
    """
    return operation(constants.OP_LIST_REMOVE_BY_INDEX, bin_name, ctx, return_type=return_type, index=index)


def list_remove_by_index_range(
    bin_name: str,
    index: int,
    return_type: int,
    count: int | None = None,
    inverted: bool = False,
    ctx: Context = None,
) -> Operation:
    """Removes ``count`` items from an index on, without ``count`` all of them. ``inverted`` removes the
    other items.

    >>> list_remove_by_index_range("scores", 2, LIST_RETURN_NONE)
    {'op': 1024, 'bin': 'scores', 'return_type': 0, 'index': 2, 'inverted': False}
    """
    return operation(
        constants.OP_LIST_REMOVE_BY_INDEX_RANGE,
        bin_name,
        ctx,
        return_type=return_type,
        index=index,
        inverted=inverted,
        count=count,
    )


def list_remove_by_rank(bin_name: str, rank: int, return_type: int, ctx: Context = None) -> Operation:
    """Removes the item of a rank: 0 is the lowest value, -1 the highest.

    >>> list_remove_by_rank("scores", 0, LIST_RETURN_VALUE)
    {'op': 1025, 'bin': 'scores', 'return_type': 7, 'rank': 0}
    """
    return operation(constants.OP_LIST_REMOVE_BY_RANK, bin_name, ctx, return_type=return_type, rank=rank)


def list_remove_by_rank_range(
    bin_name: str,
    rank: int,
    return_type: int,
    count: int | None = None,
    inverted: bool = False,
    ctx: Context = None,
) -> Operation:
    """Removes ``count`` items from a rank on, without ``count`` all of them. ``inverted`` removes the
    other items.

    >>> list_remove_by_rank_range("scores", -3, LIST_RETURN_NONE, 3, inverted=True)
    {'op': 1026, 'bin': 'scores', 'return_type': 0, 'rank': -3, 'inverted': True, 'count': 3}
    """
    return operation(
        constants.OP_LIST_REMOVE_BY_RANK_RANGE,
        bin_name,
        ctx,
        return_type=return_type,
        rank=rank,
        inverted=inverted,
        count=count,
    )


def list_remove_by_value(
    bin_name: str, value: Any, return_type: int, inverted: bool = False, ctx: Context = None
) -> Operation:
    """Removes the items that equal a value. ``inverted`` removes the other items.

    >>> list_remove_by_value("scores", 7, LIST_RETURN_COUNT)
    {'op': 1027, 'bin': 'scores', 'return_type': 5, 'val': 7, 'inverted': False}
    """
    return operation(
        constants.OP_LIST_REMOVE_BY_VALUE,
        bin_name,
        ctx,
        return_type=return_type,
        val=value,
        inverted=inverted,
    )


def list_remove_by_value_list(
    bin_name: str, value_list: Sequence[Any], return_type: int, inverted: bool = False, ctx: Context = None
) -> Operation:
    """Removes the items that equal one of several values. ``inverted`` removes the other items.

    >>> list_remove_by_value_list("scores", [7, 8], LIST_RETURN_COUNT)
    {'op': 1028, 'bin': 'scores', 'return_type': 5, 'value_list': [7, 8], 'inverted': False}
    """
    return operation(
        constants.OP_LIST_REMOVE_BY_VALUE_LIST,
        bin_name,
        ctx,
        return_type=return_type,
        value_list=value_list,
        inverted=inverted,
    )


def list_remove_by_value_range(
    bin_name: str,
    return_type: int,
    value_begin: Any = None,
    value_end: Any = None,
    inverted: bool = False,
    ctx: Context = None,
) -> Operation:
    """Removes the items from ``value_begin`` on that are below ``value_end``. None leaves that end open.
    ``inverted`` removes the other items.

    >>> list_remove_by_value_range("scores", LIST_RETURN_COUNT, value_end=5)
    {'op': 1029, 'bin': 'scores', 'return_type': 5, 'inverted': False, 'value_end': 5}
    """
    return operation(
        constants.OP_LIST_REMOVE_BY_VALUE_RANGE,
        bin_name,
        ctx,
        return_type=return_type,
        inverted=inverted,
        value_begin=value_begin,
        value_end=value_end,
    )


def list_remove_by_value_rank_range_relative(
    bin_name: str,
    value: Any,
    offset: int,
    return_type: int,
    count: int | None = None,
    inverted: bool = False,
    ctx: Context = None,
) -> Operation:
    """Removes ``count`` items from a rank on that is relative to a value: offset 0 is the first item that
    is not below the value. ``inverted`` removes the other items.

    >>> list_remove_by_value_rank_range_relative("scores", 5, 0, LIST_RETURN_COUNT)
    {'op': 1032, 'bin': 'scores', 'val': 5, 'rank': 0, 'return_type': 5, 'inverted': False}
    """
    return operation(
        constants.OP_LIST_REMOVE_BY_VALUE_RANK_RANGE_REL,
        bin_name,
        ctx,
        val=value,
        rank=offset,
        return_type=return_type,
        inverted=inverted,
        count=count,
    )
