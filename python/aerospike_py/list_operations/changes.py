"""Operations that create or change a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import constants
from .._operation import Context, ListPolicy, Operation, operation


def list_create(
    bin_name: str, list_order: int, pad: bool, persist_index: bool, ctx: Context = None
) -> Operation:
    """Creates an empty list, or sets the order of the list that is there. ``pad`` fills a gap below the
    index of a context with nulls; ``persist_index`` stores the index of an ordered list with the record.

    >>> list_create("scores", LIST_ORDERED, False, False)
    {'op': 1041, 'bin': 'scores', 'list_order': 1, 'pad': False, 'persist_index': False}
    """
    return operation(
        constants.OP_LIST_CREATE, bin_name, ctx, list_order=list_order, pad=pad, persist_index=persist_index
    )


def list_append(bin_name: str, value: Any, policy: ListPolicy = None, ctx: Context = None) -> Operation:
    """Appends an item. Returns the size of the list.

    >>> list_append("scores", 7)
    {'op': 1001, 'bin': 'scores', 'val': 7}
    """
    return operation(constants.OP_LIST_APPEND, bin_name, ctx, policy, val=value)


def list_append_items(
    bin_name: str, values: Sequence[Any], policy: ListPolicy = None, ctx: Context = None
) -> Operation:
    """Appends items. Returns the size of the list.

    >>> list_append_items("scores", [7, 8])
    {'op': 1002, 'bin': 'scores', 'val': [7, 8]}
    """
    return operation(constants.OP_LIST_APPEND_ITEMS, bin_name, ctx, policy, val=values)


def list_insert(
    bin_name: str, index: int, value: Any, policy: ListPolicy = None, ctx: Context = None
) -> Operation:
    """Inserts an item before an index. Returns the size of the list.

    >>> list_insert("scores", 0, 7)
    {'op': 1003, 'bin': 'scores', 'index': 0, 'val': 7}
    """
    return operation(constants.OP_LIST_INSERT, bin_name, ctx, policy, index=index, val=value)


def list_insert_items(
    bin_name: str, index: int, values: Sequence[Any], policy: ListPolicy = None, ctx: Context = None
) -> Operation:
    """Inserts items before an index. Returns the size of the list.

    >>> list_insert_items("scores", 0, [7, 8])
    {'op': 1004, 'bin': 'scores', 'index': 0, 'val': [7, 8]}
    """
    return operation(constants.OP_LIST_INSERT_ITEMS, bin_name, ctx, policy, index=index, val=values)


def list_increment(
    bin_name: str, index: int, value: float, policy: ListPolicy = None, ctx: Context = None
) -> Operation:
    """Adds an int or float to the item at an index. Returns the new item.

    >>> list_increment("scores", 0, 2)
    {'op': 1015, 'bin': 'scores', 'index': 0, 'val': 2}
    """
    return operation(constants.OP_LIST_INCREMENT, bin_name, ctx, policy, index=index, val=value)


def list_set(
    bin_name: str, index: int, value: Any, policy: ListPolicy = None, ctx: Context = None
) -> Operation:
    """Replaces the item at an index.

    >>> list_set("scores", 0, 7)
    {'op': 1010, 'bin': 'scores', 'index': 0, 'val': 7}
    """
    return operation(constants.OP_LIST_SET, bin_name, ctx, policy, index=index, val=value)


def list_set_order(bin_name: str, list_order: int, ctx: Context = None) -> Operation:
    """Makes the list ordered or unordered.

    >>> list_set_order("scores", LIST_ORDERED)
    {'op': 1030, 'bin': 'scores', 'list_order': 1}
    """
    return operation(constants.OP_LIST_SET_ORDER, bin_name, ctx, list_order=list_order)


def list_sort(bin_name: str, sort_flags: int = 0, ctx: Context = None) -> Operation:
    """Sorts the list once. It stays unordered.

    >>> list_sort("scores", LIST_SORT_DROP_DUPLICATES)
    {'op': 1031, 'bin': 'scores', 'sort_flags': 2}
    """
    return operation(constants.OP_LIST_SORT, bin_name, ctx, sort_flags=sort_flags)
