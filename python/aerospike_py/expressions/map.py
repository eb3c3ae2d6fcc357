"""Expressions about maps.

The classes have the names and arguments of the official client's
``aerospike_helpers.expressions.map``. ``bin`` is the name of a map bin or an expression that is a map,
``ctx`` the way to a map inside it.

>>> from aerospike_py.expressions import map as maps
>>> maps.MapGetByKey(None, MAP_RETURN_VALUE, ResultType.INTEGER, "Ada", "ages")
MapGetByKey(None, 7, 2, 'Ada', 'ages')
"""

from __future__ import annotations

from typing import Any

from .. import _numbers, constants
from . import _map_changes
from ._checks import CHECKS
from ._collections import Bin, Context, Index, MapExpr, infinite
from ._map_changes import *  # noqa: F403

__all__ = [
    "MapGetByIndex",
    "MapGetByIndexRange",
    "MapGetByIndexRangeToEnd",
    "MapGetByKey",
    "MapGetByKeyList",
    "MapGetByKeyRange",
    "MapGetByKeyRelIndexRange",
    "MapGetByKeyRelIndexRangeToEnd",
    "MapGetByRank",
    "MapGetByRankRange",
    "MapGetByRankRangeToEnd",
    "MapGetByValue",
    "MapGetByValueList",
    "MapGetByValueRange",
    "MapGetByValueRelRankRange",
    "MapGetByValueRelRankRangeToEnd",
    "MapGetKeys",
    "MapGetValues",
    "MapSize",
]
__all__ += _map_changes.__all__


class MapSize(MapExpr):
    """The number of items of a map.

    >>> GT(MapSize(None, "ages"), 3)
    GT(MapSize(None, 'ages'), 3)
    """

    _op = constants.OP_MAP_SIZE

    def __init__(self, ctx: Context, bin: Bin) -> None:
        self._read(ctx, bin, ())


class MapGetByKey(MapExpr):
    """The item of a map that has a key.

    >>> MapGetByKey(None, MAP_RETURN_VALUE, ResultType.INTEGER, "Ada", "ages")
    MapGetByKey(None, 7, 2, 'Ada', 'ages')
    """

    _op = constants.OP_MAP_GET_BY_KEY

    def __init__(self, ctx: Context, return_type: int, value_type: int, key: Any, bin: Bin) -> None:
        self._read(ctx, bin, (key,), return_type, value_type=value_type)


class MapGetByKeyRange(MapExpr):
    """The items of a map whose keys are from ``begin`` on and below ``end``.

    >>> MapGetByKeyRange(None, MAP_RETURN_KEY, "A", "B", "ages")
    MapGetByKeyRange(None, 6, 'A', 'B', 'ages')
    """

    _op = constants.OP_MAP_GET_BY_KEY_RANGE

    def __init__(
        self, ctx: Context, return_type: int, begin: Any, end: Any, bin: Bin, inverted: bool = False
    ) -> None:
        self._read(ctx, bin, (begin, end), return_type, inverted)


class MapGetByKeyList(MapExpr):
    """The items of a map that have one of several keys.

    >>> MapGetByKeyList(None, MAP_RETURN_VALUE, ["Ada", "Bea"], "ages")
    MapGetByKeyList(None, 7, ['Ada', 'Bea'], 'ages')
    """

    _op = constants.OP_MAP_GET_BY_KEY_LIST

    def __init__(self, ctx: Context, return_type: int, keys: Any, bin: Bin, inverted: bool = False) -> None:
        self._read(ctx, bin, (keys,), return_type, inverted)


class MapGetByKeyRelIndexRangeToEnd(MapExpr):
    """The items of a map from an index on that is relative to a key: 0 is the first key that is not
    below it.

    >>> MapGetByKeyRelIndexRangeToEnd(None, MAP_RETURN_KEY, "B", 0, "ages")
    MapGetByKeyRelIndexRangeToEnd(None, 6, 'B', 0, 'ages')
    """

    _op = constants.OP_MAP_GET_BY_KEY_REL_INDEX_RANGE_TO_END

    def __init__(
        self, ctx: Context, return_type: int, key: Any, index: Index, bin: Bin, inverted: bool = False
    ) -> None:
        self._read(ctx, bin, (key, index), return_type, inverted)


class MapGetByKeyRelIndexRange(MapExpr):
    """``count`` items of a map from an index on that is relative to a key.

    >>> MapGetByKeyRelIndexRange(None, MAP_RETURN_KEY, "B", 0, 2, "ages")
    MapGetByKeyRelIndexRange(None, 6, 'B', 0, 2, 'ages')
    """

    _op = constants.OP_MAP_GET_BY_KEY_REL_INDEX_RANGE

    def __init__(
        self,
        ctx: Context,
        return_type: int,
        key: Any,
        index: Index,
        count: Index,
        bin: Bin,
        inverted: bool = False,
    ) -> None:
        self._read(ctx, bin, (key, index, count), return_type, inverted)


class MapGetByValue(MapExpr):
    """The items of a map that have a value.

    >>> MapGetByValue(None, MAP_RETURN_KEY, 36, "ages")
    MapGetByValue(None, 6, 36, 'ages')
    """

    _op = constants.OP_MAP_GET_BY_VALUE

    def __init__(self, ctx: Context, return_type: int, value: Any, bin: Bin, inverted: bool = False) -> None:
        self._read(ctx, bin, (value,), return_type, inverted)


class MapGetByValueRange(MapExpr):
    """The items of a map whose values are from ``value_begin`` on and below ``value_end``; None leaves
    the end open.

    >>> MapGetByValueRange(None, MAP_RETURN_KEY, 18, None, "ages")
    MapGetByValueRange(None, 6, 18, None, 'ages')
    """

    _op = constants.OP_MAP_GET_BY_VALUE_RANGE

    def __init__(
        self,
        ctx: Context,
        return_type: int,
        value_begin: Any,
        value_end: Any,
        bin: Bin,
        inverted: bool = False,
    ) -> None:
        self._read(ctx, bin, (value_begin, infinite(value_end)), return_type, inverted)


class MapGetByValueList(MapExpr):
    """The items of a map that have one of several values.

    >>> MapGetByValueList(None, MAP_RETURN_KEY, [36, 41], "ages")
    MapGetByValueList(None, 6, [36, 41], 'ages')
    """

    _op = constants.OP_MAP_GET_BY_VALUE_LIST
    _checks = {"value": CHECKS["list"]}

    def __init__(self, ctx: Context, return_type: int, value: Any, bin: Bin, inverted: bool = False) -> None:
        self._read(ctx, bin, (value,), return_type, inverted)


class MapGetByValueRelRankRangeToEnd(MapExpr):
    """The items of a map from a rank on that is relative to a value: 0 is the first item whose value is
    not below it.

    >>> MapGetByValueRelRankRangeToEnd(None, MAP_RETURN_KEY, 40, 0, "ages")
    MapGetByValueRelRankRangeToEnd(None, 6, 40, 0, 'ages')
    """

    _op = constants.OP_MAP_GET_BY_VALUE_RANK_RANGE_REL_TO_END

    def __init__(
        self, ctx: Context, return_type: int, value: Any, rank: Index, bin: Bin, inverted: bool = False
    ) -> None:
        self._read(ctx, bin, (value, rank), return_type, inverted)


class MapGetByValueRelRankRange(MapExpr):
    """``count`` items of a map from a rank on that is relative to a value.

    >>> MapGetByValueRelRankRange(None, MAP_RETURN_KEY, 40, 0, 2, "ages")
    MapGetByValueRelRankRange(None, 6, 40, 0, 2, 'ages')
    """

    _op = constants.OP_MAP_GET_BY_VALUE_RANK_RANGE_REL

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


class MapGetByIndex(MapExpr):
    """The item of a map at an index, in the order of the keys.

    >>> MapGetByIndex(None, MAP_RETURN_KEY, ResultType.STRING, 0, "ages")
    MapGetByIndex(None, 6, 3, 0, 'ages')
    """

    _op = constants.OP_MAP_GET_BY_INDEX

    def __init__(self, ctx: Context, return_type: int, value_type: int, index: Index, bin: Bin) -> None:
        self._read(ctx, bin, (index,), return_type, value_type=value_type)


class MapGetByIndexRangeToEnd(MapExpr):
    """The items of a map from an index on.

    >>> MapGetByIndexRangeToEnd(None, MAP_RETURN_KEY, 2, "ages")
    MapGetByIndexRangeToEnd(None, 6, 2, 'ages')
    """

    _op = constants.OP_MAP_GET_BY_INDEX_RANGE_TO_END

    def __init__(
        self, ctx: Context, return_type: int, index: Index, bin: Bin, inverted: bool = False
    ) -> None:
        self._read(ctx, bin, (index,), return_type, inverted)


class MapGetByIndexRange(MapExpr):
    """``count`` items of a map from an index on.

    >>> MapGetByIndexRange(None, MAP_RETURN_KEY, 0, 2, "ages")
    MapGetByIndexRange(None, 6, 0, 2, 'ages')
    """

    _op = constants.OP_MAP_GET_BY_INDEX_RANGE

    def __init__(
        self, ctx: Context, return_type: int, index: Index, count: Index, bin: Bin, inverted: bool = False
    ) -> None:
        self._read(ctx, bin, (index, count), return_type, inverted)


class MapGetByRank(MapExpr):
    """The item of a map whose value has a rank: 0 is the lowest value, -1 the highest.

    >>> MapGetByRank(None, MAP_RETURN_KEY, ResultType.STRING, -1, "ages")
    MapGetByRank(None, 6, 3, -1, 'ages')
    """

    _op = constants.OP_MAP_GET_BY_RANK

    def __init__(self, ctx: Context, return_type: int, value_type: int, rank: Index, bin: Bin) -> None:
        self._read(ctx, bin, (rank,), return_type, value_type=value_type)


class MapGetByRankRangeToEnd(MapExpr):
    """The items of a map from a rank on.

    >>> MapGetByRankRangeToEnd(None, MAP_RETURN_KEY, -2, "ages")
    MapGetByRankRangeToEnd(None, 6, -2, 'ages')
    """

    _op = constants.OP_MAP_GET_BY_RANK_RANGE_TO_END

    def __init__(self, ctx: Context, return_type: int, rank: Index, bin: Bin, inverted: bool = False) -> None:
        self._read(ctx, bin, (rank,), return_type, inverted)


class MapGetByRankRange(MapExpr):
    """``count`` items of a map from a rank on.

    >>> MapGetByRankRange(None, MAP_RETURN_KEY, -2, 2, "ages")
    MapGetByRankRange(None, 6, -2, 2, 'ages')
    """

    _op = constants.OP_MAP_GET_BY_RANK_RANGE

    def __init__(
        self, ctx: Context, return_type: int, rank: Index, count: Index, bin: Bin, inverted: bool = False
    ) -> None:
        self._read(ctx, bin, (rank, count), return_type, inverted)


class MapGetKeys(MapExpr):
    """The keys of a map, as a list.

    >>> MapGetKeys("ages")
    MapGetKeys('ages')
    """

    _op = _numbers.EXP_MAP_KEYS_IN

    def __init__(self, map_value: Bin) -> None:
        self._children = (self._of(map_value),)


class MapGetValues(MapExpr):
    """The values of a map, as a list.

    >>> MapGetValues("ages")
    MapGetValues('ages')
    """

    _op = _numbers.EXP_MAP_VALUES_IN

    def __init__(self, map_value: Bin) -> None:
        self._children = (self._of(map_value),)
