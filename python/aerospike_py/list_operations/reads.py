"""Operations that read a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import _numbers, constants
from .._operation import Context, Operation, operation


def list_get(bin_name: str, index: int, ctx: Context = None) -> Operation:
    """Reads the item at an index.

    >>> list_get("scores", -1)
    {'op': 1011, 'bin': 'scores', 'index': -1}
    """
    return operation(constants.OP_LIST_GET, bin_name, ctx, index=index)


def list_get_range(bin_name: str, index: int, count: int, ctx: Context = None) -> Operation:
    """Reads ``count`` items from an index on.

    >>> list_get_range("scores", 0, 2)
    {'op': 1012, 'bin': 'scores', 'index': 0, 'val': 2}
    """
    return operation(constants.OP_LIST_GET_RANGE, bin_name, ctx, index=index, val=count)


def list_size(bin_name: str, ctx: Context = None) -> Operation:
    """Reads the number of items.

    >>> list_size("scores")
    {'op': 1014, 'bin': 'scores'}
    """
    return operation(constants.OP_LIST_SIZE, bin_name, ctx)


def list_get_by_index(bin_name: str, index: int, return_type: int, ctx: Context = None) -> Operation:
    """Reads the item at an index.

    >>> list_get_by_index("scores", 0, LIST_RETURN_VALUE)
    {'op': 1016, 'bin': 'scores', 'return_type': 7, 'index': 0}
    """
    return operation(constants.OP_LIST_GET_BY_INDEX, bin_name, ctx, return_type=return_type, index=index)


def list_get_by_index_range(
    bin_name: str,
    index: int,
    return_type: int,
    count: int | None = None,
    inverted: bool = False,
    ctx: Context = None,
) -> Operation:
    """Reads ``count`` items from an index on, without ``count`` all of them. ``inverted`` reads the other
    items.

    >>> list_get_by_index_range("scores", 0, LIST_RETURN_VALUE, 2)
    {'op': 1017, 'bin': 'scores', 'return_type': 7, 'index': 0, 'inverted': False, 'count': 2}
    """
    return operation(
        constants.OP_LIST_GET_BY_INDEX_RANGE,
        bin_name,
        ctx,
        return_type=return_type,
        index=index,
        inverted=inverted,
        count=count,
    )


def list_get_by_rank(bin_name: str, rank: int, return_type: int, ctx: Context = None) -> Operation:
    """Reads the item of a rank: 0 is the lowest value, -1 the highest.

    >>> list_get_by_rank("scores", -1, LIST_RETURN_VALUE)
    {'op': 1018, 'bin': 'scores', 'return_type': 7, 'rank': -1}
    """
    return operation(constants.OP_LIST_GET_BY_RANK, bin_name, ctx, return_type=return_type, rank=rank)


def list_get_by_rank_range(
    bin_name: str,
    rank: int,
    return_type: int,
    count: int | None = None,
    inverted: bool = False,
    ctx: Context = None,
) -> Operation:
    """Reads ``count`` items from a rank on, without ``count`` all of them. ``inverted`` reads the other
    items.

    >>> list_get_by_rank_range("scores", -3, LIST_RETURN_VALUE, 3)
    {'op': 1019, 'bin': 'scores', 'return_type': 7, 'rank': -3, 'inverted': False, 'count': 3}
    """
    return operation(
        constants.OP_LIST_GET_BY_RANK_RANGE,
        bin_name,
        ctx,
        return_type=return_type,
        rank=rank,
        inverted=inverted,
        count=count,
    )


def list_get_by_value(
    bin_name: str, value: Any, return_type: int, inverted: bool = False, ctx: Context = None
) -> Operation:
    """Reads the items that equal a value. ``inverted`` reads the other items.

    >>> list_get_by_value("scores", 7, LIST_RETURN_INDEX)
    {'op': 1020, 'bin': 'scores', 'return_type': 1, 'val': 7, 'inverted': False}
    """
    return operation(
        constants.OP_LIST_GET_BY_VALUE, bin_name, ctx, return_type=return_type, val=value, inverted=inverted
    )


def list_get_by_value_list(
    bin_name: str, value_list: Sequence[Any], return_type: int, inverted: bool = False, ctx: Context = None
) -> Operation:
    """Reads the items that equal one of several values. ``inverted`` reads the other items.

    >>> list_get_by_value_list("scores", [7, 8], LIST_RETURN_COUNT)
    {'op': 1021, 'bin': 'scores', 'return_type': 5, 'value_list': [7, 8], 'inverted': False}
    """
    return operation(
        constants.OP_LIST_GET_BY_VALUE_LIST,
        bin_name,
        ctx,
        return_type=return_type,
        value_list=value_list,
        inverted=inverted,
    )


def list_get_by_value_range(
    bin_name: str,
    return_type: int,
    value_begin: Any,
    value_end: Any,
    inverted: bool = False,
    ctx: Context = None,
) -> Operation:
    """Reads the items from ``value_begin`` on that are below ``value_end``. None leaves that end open.
    ``inverted`` reads the other items.

    >>> list_get_by_value_range("scores", LIST_RETURN_VALUE, 5, 10)
    {'op': 1022, 'bin': 'scores', 'return_type': 7, 'inverted': False, 'value_begin': 5, 'value_end': 10}
    """
    return operation(
        constants.OP_LIST_GET_BY_VALUE_RANGE,
        bin_name,
        ctx,
        return_type=return_type,
        inverted=inverted,
        value_begin=value_begin,
        value_end=value_end,
    )


def list_get_by_value_rank_range_relative(
    bin_name: str,
    value: Any,
    offset: int,
    return_type: int,
    count: int | None = None,
    inverted: bool = False,
    ctx: Context = None,
) -> Operation:
    """Reads ``count`` items from a rank on that is relative to a value: offset 0 is the first item that
    is not below the value. ``inverted`` reads the other items.

    >>> list_get_by_value_rank_range_relative("scores", 5, -1, LIST_RETURN_VALUE, 2)
    {'op': 1033, 'bin': 'scores', 'val': 5, 'rank': -1, 'return_type': 7, 'inverted': False, 'count': 2}
    """
    return operation(
        constants.OP_LIST_GET_BY_VALUE_RANK_RANGE_REL,
        bin_name,
        ctx,
        val=value,
        rank=offset,
        return_type=return_type,
        inverted=inverted,
        count=count,
    )


def list_join(bin_name: str, separator: str | None = None, ctx: Context = None) -> Operation:
    """Reads the strings of a list as one string, with a separator between them. Needs server 8.2.

    >>> list_join("tags", ", ")
    {'op': 1042, 'bin': 'tags', 'separator': ', '}
    """
    return operation(_numbers.OP_LIST_JOIN, bin_name, ctx, separator=separator)
