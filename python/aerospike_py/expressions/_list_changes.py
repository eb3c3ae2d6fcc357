"""Expressions of changed lists."""

from __future__ import annotations

from typing import Any

from .. import constants
from ._checks import CHECKS, NUMBER
from ._collections import Bin, Context, Index, ListExpr, Policy, infinite
from .resources import _ExprOp

__all__ = [
    "ListAppend",
    "ListAppendItems",
    "ListClear",
    "ListIncrement",
    "ListInsert",
    "ListInsertItems",
    "ListRemoveByIndex",
    "ListRemoveByIndexRange",
    "ListRemoveByIndexRangeToEnd",
    "ListRemoveByRank",
    "ListRemoveByRankRange",
    "ListRemoveByRankRangeToEnd",
    "ListRemoveByValue",
    "ListRemoveByValueList",
    "ListRemoveByValueRange",
    "ListRemoveByValueRelRankRange",
    "ListRemoveByValueRelRankToEnd",
    "ListSet",
    "ListSort",
]


class ListAppend(ListExpr):
    """A list with an item appended.

    >>> ListAppend(None, None, 7, "scores")
    ListAppend(None, None, 7, 'scores')
    """

    _op = constants.OP_LIST_APPEND

    def __init__(self, ctx: Context, policy: Policy, value: Any, bin: Bin) -> None:
        self._change(ctx, bin, (value,), policy, _ExprOp.LIST_CRMOD)


class ListAppendItems(ListExpr):
    """A list with items appended.

    >>> ListAppendItems(None, None, [7, 8], "scores")
    ListAppendItems(None, None, [7, 8], 'scores')
    """

    _op = constants.OP_LIST_APPEND_ITEMS
    _checks = {"value": CHECKS["list"]}

    def __init__(self, ctx: Context, policy: Policy, value: Any, bin: Bin) -> None:
        self._change(ctx, bin, (value,), policy, _ExprOp.LIST_CRMOD)


class ListInsert(ListExpr):
    """A list with an item inserted before an index.

    >>> ListInsert(None, None, 0, 7, "scores")
    ListInsert(None, None, 0, 7, 'scores')
    """

    _op = constants.OP_LIST_INSERT

    def __init__(self, ctx: Context, policy: Policy, index: Index, value: Any, bin: Bin) -> None:
        self._change(ctx, bin, (index, value), policy, _ExprOp.LIST_MOD)


class ListInsertItems(ListExpr):
    """A list with items inserted before an index.

    >>> ListInsertItems(None, None, 0, [7, 8], "scores")
    ListInsertItems(None, None, 0, [7, 8], 'scores')
    """

    _op = constants.OP_LIST_INSERT_ITEMS

    def __init__(self, ctx: Context, policy: Policy, index: Index, values: Any, bin: Bin) -> None:
        self._change(ctx, bin, (index, values), policy, _ExprOp.LIST_MOD)


class ListIncrement(ListExpr):
    """A list with a number added to the item at an index.

    >>> ListIncrement(None, None, 0, 2, "scores")
    ListIncrement(None, None, 0, 2, 'scores')
    """

    _op = constants.OP_LIST_INCREMENT
    _checks = {"value": NUMBER}

    def __init__(self, ctx: Context, policy: Policy, index: Index, value: Any, bin: Bin) -> None:
        self._change(ctx, bin, (index, value), policy, _ExprOp.LIST_CRMOD)


class ListSet(ListExpr):
    """A list with another item at an index.

    >>> ListSet(None, None, 0, 7, "scores")
    ListSet(None, None, 0, 7, 'scores')
    """

    _op = constants.OP_LIST_SET

    def __init__(self, ctx: Context, policy: Policy, index: Index, value: Any, bin: Bin) -> None:
        self._change(ctx, bin, (index, value), policy, _ExprOp.LIST_MOD)


class ListClear(ListExpr):
    """A list without its items.

    >>> ListClear(None, "scores")
    ListClear(None, 'scores')
    """

    _op = constants.OP_LIST_CLEAR

    def __init__(self, ctx: Context, bin: Bin) -> None:
        self._read(ctx, bin, ())


class ListSort(ListExpr):
    """A list, sorted; ``order`` are ``LIST_SORT_*`` constants.

    >>> ListSort(None, LIST_SORT_DROP_DUPLICATES, "scores")
    ListSort(None, 2, 'scores')
    """

    _op = constants.OP_LIST_SORT

    def __init__(self, ctx: Context, order: int, bin: Bin) -> None:
        self._read(ctx, bin, (), order=order)


class ListRemoveByValue(ListExpr):
    """A list without the items that equal a value.

    >>> ListRemoveByValue(None, 7, "scores")
    ListRemoveByValue(None, 7, 'scores')
    """

    _op = constants.OP_LIST_REMOVE_BY_VALUE

    def __init__(self, ctx: Context, value: Any, bin: Bin, inverted: bool = False) -> None:
        self._remove(ctx, bin, (value,), inverted)


class ListRemoveByValueList(ListExpr):
    """A list without the items that equal one of several values.

    >>> ListRemoveByValueList(None, [7, 8], "scores")
    ListRemoveByValueList(None, [7, 8], 'scores')
    """

    _op = constants.OP_LIST_REMOVE_BY_VALUE_LIST

    def __init__(self, ctx: Context, values: Any, bin: Bin, inverted: bool = False) -> None:
        self._remove(ctx, bin, (values,), inverted)


class ListRemoveByValueRange(ListExpr):
    """A list without the items from ``begin`` on that are below ``end``; None leaves the end open.

    >>> ListRemoveByValueRange(None, 5, None, "scores")
    ListRemoveByValueRange(None, 5, None, 'scores')
    """

    _op = constants.OP_LIST_REMOVE_BY_VALUE_RANGE

    def __init__(self, ctx: Context, begin: Any, end: Any, bin: Bin, inverted: bool = False) -> None:
        self._remove(ctx, bin, (begin, infinite(end)), inverted)


class ListRemoveByValueRelRankToEnd(ListExpr):
    """A list without the items from a rank on that is relative to a value.

    >>> ListRemoveByValueRelRankToEnd(None, 5, 0, "scores")
    ListRemoveByValueRelRankToEnd(None, 5, 0, 'scores')
    """

    _op = constants.OP_LIST_REMOVE_BY_REL_RANK_RANGE_TO_END

    def __init__(self, ctx: Context, value: Any, rank: Index, bin: Bin, inverted: bool = False) -> None:
        self._remove(ctx, bin, (value, rank), inverted)


class ListRemoveByValueRelRankRange(ListExpr):
    """A list without ``count`` items from a rank on that is relative to a value.

    >>> ListRemoveByValueRelRankRange(None, 5, 0, 2, "scores")
    ListRemoveByValueRelRankRange(None, 5, 0, 2, 'scores')
    """

    _op = constants.OP_LIST_REMOVE_BY_REL_RANK_RANGE

    def __init__(
        self, ctx: Context, value: Any, rank: Index, count: Index, bin: Bin, inverted: bool = False
    ) -> None:
        self._remove(ctx, bin, (value, rank, count), inverted)


class ListRemoveByIndex(ListExpr):
    """A list without the item at an index.

    >>> ListRemoveByIndex(None, 0, "scores")
    ListRemoveByIndex(None, 0, 'scores')
    """

    _op = constants.OP_LIST_REMOVE_BY_INDEX

    def __init__(self, ctx: Context, index: Index, bin: Bin) -> None:
        self._read(ctx, bin, (index,))


class ListRemoveByIndexRangeToEnd(ListExpr):
    """A list without the items from an index on.

    >>> ListRemoveByIndexRangeToEnd(None, 2, "scores")
    ListRemoveByIndexRangeToEnd(None, 2, 'scores')
    """

    _op = constants.OP_LIST_REMOVE_BY_INDEX_RANGE_TO_END

    def __init__(self, ctx: Context, index: Index, bin: Bin, inverted: bool = False) -> None:
        self._remove(ctx, bin, (index,), inverted)


class ListRemoveByIndexRange(ListExpr):
    """A list without ``count`` items from an index on.

    >>> ListRemoveByIndexRange(None, 0, 2, "scores")
    ListRemoveByIndexRange(None, 0, 2, 'scores')
    """

    _op = constants.OP_LIST_REMOVE_BY_INDEX_RANGE

    def __init__(self, ctx: Context, index: Index, count: Index, bin: Bin, inverted: bool = False) -> None:
        self._remove(ctx, bin, (index, count), inverted)


class ListRemoveByRank(ListExpr):
    """A list without the item of a rank.

    >>> ListRemoveByRank(None, -1, "scores")
    ListRemoveByRank(None, -1, 'scores')
    """

    _op = constants.OP_LIST_REMOVE_BY_RANK

    def __init__(self, ctx: Context, rank: Index, bin: Bin) -> None:
        self._read(ctx, bin, (rank,))


class ListRemoveByRankRangeToEnd(ListExpr):
    """A list without the items from a rank on.

    >>> ListRemoveByRankRangeToEnd(None, -2, "scores")
    ListRemoveByRankRangeToEnd(None, -2, 'scores')
    """

    _op = constants.OP_LIST_REMOVE_BY_RANK_RANGE_TO_END

    def __init__(self, ctx: Context, rank: Index, bin: Bin, inverted: bool = False) -> None:
        self._remove(ctx, bin, (rank,), inverted)


class ListRemoveByRankRange(ListExpr):
    """A list without ``count`` items from a rank on.

    >>> ListRemoveByRankRange(None, 0, 2, "scores")
    ListRemoveByRankRange(None, 0, 2, 'scores')
    """

    _op = constants.OP_LIST_REMOVE_BY_RANK_RANGE

    def __init__(self, ctx: Context, rank: Index, count: Index, bin: Bin, inverted: bool = False) -> None:
        self._remove(ctx, bin, (rank, count), inverted)
