"""Expressions about lists.

The classes have the names and arguments of the official client's
``aerospike_helpers.expressions.list``. ``bin`` is the name of a list bin or an expression that is a list,
``ctx`` the way to a list inside it.

>>> from aerospike_py.expressions import list as lists
>>> client.get(("test", "users", 1), policy={"expressions": GT(IntBin("age"), 18).compile()}).bins["name"]
'Ada'
"""

from __future__ import annotations

from typing import Any

from .. import _numbers, constants
from . import _list_changes
from ._checks import CHECKS
from ._collections import Bin, Context, Index, ListExpr
from ._list_changes import *  # noqa: F403

__all__ = [
    "InList",
    "ListGetByIndex",
    "ListGetByIndexRange",
    "ListGetByIndexRangeToEnd",
    "ListGetByRank",
    "ListGetByRankRange",
    "ListGetByRankRangeToEnd",
    "ListGetByValue",
    "ListGetByValueList",
    "ListGetByValueRange",
    "ListGetByValueRelRankRange",
    "ListGetByValueRelRankRangeToEnd",
    "ListJoin",
    "ListSize",
]
__all__ += _list_changes.__all__


class ListSize(ListExpr):
    """The number of items of a list.

    >>> GT(ListSize(None, "scores"), 3)
    GT(ListSize(None, 'scores'), 3)
    """

    _op = constants.OP_LIST_SIZE

    def __init__(self, ctx: Context, bin: Bin) -> None:
        self._read(ctx, bin, ())


class ListGetByValue(ListExpr):
    """The items of a list that equal a value.

    >>> ListGetByValue(None, LIST_RETURN_COUNT, 7, "scores")
    ListGetByValue(None, 5, 7, 'scores')
    """

    _op = constants.OP_LIST_GET_BY_VALUE

    def __init__(self, ctx: Context, return_type: int, value: Any, bin: Bin, inverted: bool = False) -> None:
        self._read(ctx, bin, (value,), return_type, inverted)


class ListGetByValueRange(ListExpr):
    """The items of a list from ``value_begin`` on that are below ``value_end``.

    >>> ListGetByValueRange(None, LIST_RETURN_VALUE, 5, 10, "scores")
    ListGetByValueRange(None, 7, 5, 10, 'scores')
    """

    _op = constants.OP_LIST_GET_BY_VALUE_RANGE

    def __init__(
        self,
        ctx: Context,
        return_type: int,
        value_begin: Any,
        value_end: Any,
        bin: Bin,
        inverted: bool = False,
    ) -> None:
        self._read(ctx, bin, (value_begin, value_end), return_type, inverted)


class ListGetByValueList(ListExpr):
    """The items of a list that equal one of several values.

    >>> ListGetByValueList(None, LIST_RETURN_COUNT, [7, 8], "scores")
    ListGetByValueList(None, 5, [7, 8], 'scores')
    """

    _op = constants.OP_LIST_GET_BY_VALUE_LIST
    _checks = {"value": CHECKS["list"]}

    def __init__(self, ctx: Context, return_type: int, value: Any, bin: Bin, inverted: bool = False) -> None:
        self._read(ctx, bin, (value,), return_type, inverted)


class ListGetByValueRelRankRangeToEnd(ListExpr):
    """The items of a list from a rank on that is relative to a value: 0 is the first item that is not
    below it.

    >>> ListGetByValueRelRankRangeToEnd(None, LIST_RETURN_VALUE, 5, -1, "scores")
    ListGetByValueRelRankRangeToEnd(None, 7, 5, -1, 'scores')
    """

    _op = constants.OP_LIST_GET_BY_VALUE_RANK_RANGE_REL_TO_END

    def __init__(
        self, ctx: Context, return_type: int, value: Any, rank: Index, bin: Bin, inverted: bool = False
    ) -> None:
        self._read(ctx, bin, (value, rank), return_type, inverted)


class ListGetByValueRelRankRange(ListExpr):
    """``count`` items of a list from a rank on that is relative to a value.

    >>> ListGetByValueRelRankRange(None, LIST_RETURN_VALUE, 5, -1, 2, "scores")
    ListGetByValueRelRankRange(None, 7, 5, -1, 2, 'scores')
    """

    _op = constants.OP_LIST_GET_BY_VALUE_RANK_RANGE_REL

    def __init__(
        self,
        ctx: Context,
        return_type: int,
        value: Any,
        rank: Index,
        count: Index,
        bin: Bin,
        inverted: bool = False,
    ) -> None:
        self._read(ctx, bin, (value, rank, count), return_type, inverted)


class ListGetByIndex(ListExpr):
    """The item of a list at an index.

    >>> ListGetByIndex(None, LIST_RETURN_VALUE, ResultType.INTEGER, 0, "scores")
    ListGetByIndex(None, 7, 2, 0, 'scores')
    """

    _op = constants.OP_LIST_GET_BY_INDEX

    def __init__(self, ctx: Context, return_type: int, value_type: int, index: Index, bin: Bin) -> None:
        self._read(ctx, bin, (index,), return_type, value_type=value_type)


class ListGetByIndexRangeToEnd(ListExpr):
    """The items of a list from an index on.

    >>> ListGetByIndexRangeToEnd(None, LIST_RETURN_VALUE, 2, "scores")
    ListGetByIndexRangeToEnd(None, 7, 2, 'scores')
    """

    _op = constants.OP_LIST_GET_BY_INDEX_RANGE_TO_END

    def __init__(
        self, ctx: Context, return_type: int, index: Index, bin: Bin, inverted: bool = False
    ) -> None:
        self._read(ctx, bin, (index,), return_type, inverted)


class ListGetByIndexRange(ListExpr):
    """``count`` items of a list from an index on.

    >>> ListGetByIndexRange(None, LIST_RETURN_VALUE, 0, 2, "scores")
    ListGetByIndexRange(None, 7, 0, 2, 'scores')
    """

    _op = constants.OP_LIST_GET_BY_INDEX_RANGE

    def __init__(
        self, ctx: Context, return_type: int, index: Index, count: Index, bin: Bin, inverted: bool = False
    ) -> None:
        self._read(ctx, bin, (index, count), return_type, inverted)


class ListGetByRank(ListExpr):
    """The item of a list that has a rank: 0 is the lowest value, -1 the highest.

    >>> ListGetByRank(None, LIST_RETURN_VALUE, ResultType.INTEGER, -1, "scores")
    ListGetByRank(None, 7, 2, -1, 'scores')
    """

    _op = constants.OP_LIST_GET_BY_RANK

    def __init__(self, ctx: Context, return_type: int, value_type: int, rank: Index, bin: Bin) -> None:
        self._read(ctx, bin, (rank,), return_type, value_type=value_type)


class ListGetByRankRangeToEnd(ListExpr):
    """The items of a list from a rank on.

    >>> ListGetByRankRangeToEnd(None, LIST_RETURN_VALUE, -3, "scores")
    ListGetByRankRangeToEnd(None, 7, -3, 'scores')
    """

    _op = constants.OP_LIST_GET_BY_RANK_RANGE_TO_END

    def __init__(self, ctx: Context, return_type: int, rank: Index, bin: Bin, inverted: bool = False) -> None:
        self._read(ctx, bin, (rank,), return_type, inverted)


class ListGetByRankRange(ListExpr):
    """``count`` items of a list from a rank on.

    >>> ListGetByRankRange(None, LIST_RETURN_VALUE, -3, 3, "scores")
    ListGetByRankRange(None, 7, -3, 3, 'scores')
    """

    _op = constants.OP_LIST_GET_BY_RANK_RANGE

    def __init__(
        self, ctx: Context, return_type: int, rank: Index, count: Index, bin: Bin, inverted: bool = False
    ) -> None:
        self._read(ctx, bin, (rank, count), return_type, inverted)


class InList(ListExpr):
    """Whether a list contains a value.

    >>> InList(7, "scores")
    InList(7, 'scores')
    """

    _op = _numbers.EXP_IN_LIST

    def __init__(self, value: Any, bin: Bin) -> None:
        self._children = (value, self._of(bin))


class ListJoin(ListExpr):
    """The strings of a list as one string, with a separator between them. Needs server 8.2.

    >>> ListJoin(None, ", ", "tags")
    ListJoin(None, ', ', 'tags')
    """

    def __init__(self, ctx: Context, separator: str | None, bin: Bin) -> None:
        self._op = _numbers.OP_LIST_JOIN_SEPARATOR if separator else _numbers.OP_LIST_JOIN
        self._read(ctx, bin, ())
        if separator:
            self._fixed = {**(self._fixed or {}), "separator": separator}
