"""Expressions of changed maps."""

from __future__ import annotations

from typing import Any

from .. import constants
from ._checks import NUMBER
from ._collections import Bin, Context, Index, MapExpr, Policy, infinite
from .resources import _ExprOp

__all__ = [
    "MapClear",
    "MapIncrement",
    "MapPut",
    "MapPutItems",
    "MapRemoveByIndex",
    "MapRemoveByIndexRange",
    "MapRemoveByIndexRangeToEnd",
    "MapRemoveByKey",
    "MapRemoveByKeyList",
    "MapRemoveByKeyRange",
    "MapRemoveByKeyRelIndexRange",
    "MapRemoveByKeyRelIndexRangeToEnd",
    "MapRemoveByRank",
    "MapRemoveByRankRange",
    "MapRemoveByRankRangeToEnd",
    "MapRemoveByValue",
    "MapRemoveByValueList",
    "MapRemoveByValueRange",
    "MapRemoveByValueRelRankRange",
    "MapRemoveByValueRelRankRangeToEnd",
]


class MapPut(MapExpr):
    """A map with the value of a key set.

    >>> MapPut(None, None, "Ada", 36, "ages")
    MapPut(None, None, 'Ada', 36, 'ages')
    """

    _op = constants.OP_MAP_PUT

    def __init__(self, ctx: Context, policy: Policy, key: Any, value: Any, bin: Bin) -> None:
        self._change(ctx, bin, (key, value), policy, _ExprOp.MAP_CRMOD)


class MapPutItems(MapExpr):
    """A map with the values of several keys set.

    >>> MapPutItems(None, None, {"Ada": 36, "Bea": 41}, "ages")
    MapPutItems(None, None, {'Ada': 36, 'Bea': 41}, 'ages')
    """

    _op = constants.OP_MAP_PUT_ITEMS

    def __init__(self, ctx: Context, policy: Policy, map: Any, bin: Bin) -> None:
        self._change(ctx, bin, (map,), policy, _ExprOp.MAP_CRMOD)


class MapIncrement(MapExpr):
    """A map with a number added to the value of a key.

    >>> MapIncrement(None, None, "Ada", 1, "ages")
    MapIncrement(None, None, 'Ada', 1, 'ages')
    """

    _op = constants.OP_MAP_INCREMENT
    _checks = {"value": NUMBER}

    def __init__(self, ctx: Context, policy: Policy, key: Any, value: Any, bin: Bin) -> None:
        self._change(ctx, bin, (key, value), policy, _ExprOp.MAP_CRMOD)


class MapClear(MapExpr):
    """A map without its items.

    >>> MapClear(None, "ages")
    MapClear(None, 'ages')
    """

    _op = constants.OP_MAP_CLEAR

    def __init__(self, ctx: Context, bin: Bin) -> None:
        self._read(ctx, bin, ())


class MapRemoveByKey(MapExpr):
    """A map without the item of a key.

    >>> MapRemoveByKey(None, "Ada", "ages")
    MapRemoveByKey(None, 'Ada', 'ages')
    """

    _op = constants.OP_MAP_REMOVE_BY_KEY

    def __init__(self, ctx: Context, key: Any, bin: Bin) -> None:
        self._read(ctx, bin, (key,))


class MapRemoveByKeyList(MapExpr):
    """A map without the items of several keys.

    >>> MapRemoveByKeyList(None, ["Ada", "Bea"], "ages")
    MapRemoveByKeyList(None, ['Ada', 'Bea'], 'ages')
    """

    _op = constants.OP_MAP_REMOVE_BY_KEY_LIST

    def __init__(self, ctx: Context, keys: Any, bin: Bin, inverted: bool = False) -> None:
        self._remove(ctx, bin, (keys,), inverted)


class MapRemoveByKeyRange(MapExpr):
    """A map without the items whose keys are from ``begin`` on and below ``end``; None leaves the end open.

    >>> MapRemoveByKeyRange(None, "A", "B", "ages")
    MapRemoveByKeyRange(None, 'A', 'B', 'ages')
    """

    _op = constants.OP_MAP_REMOVE_BY_KEY_RANGE

    def __init__(self, ctx: Context, begin: Any, end: Any, bin: Bin, inverted: bool = False) -> None:
        self._remove(ctx, bin, (begin, infinite(end)), inverted)


class MapRemoveByKeyRelIndexRangeToEnd(MapExpr):
    """A map without the items from an index on that is relative to a key.

    >>> MapRemoveByKeyRelIndexRangeToEnd(None, "B", 0, "ages")
    MapRemoveByKeyRelIndexRangeToEnd(None, 'B', 0, 'ages')
    """

    _op = constants.OP_MAP_REMOVE_BY_KEY_REL_INDEX_RANGE_TO_END

    def __init__(self, ctx: Context, key: Any, index: Index, bin: Bin, inverted: bool = False) -> None:
        self._remove(ctx, bin, (key, index), inverted)


class MapRemoveByKeyRelIndexRange(MapExpr):
    """A map without ``count`` items from an index on that is relative to a key.

    >>> MapRemoveByKeyRelIndexRange(None, "B", 0, 2, "ages")
    MapRemoveByKeyRelIndexRange(None, 'B', 0, 2, 'ages')
    """

    _op = constants.OP_MAP_REMOVE_BY_KEY_REL_INDEX_RANGE

    def __init__(
        self, ctx: Context, key: Any, index: Index, count: Index, bin: Bin, inverted: bool = False
    ) -> None:
        self._remove(ctx, bin, (key, index, count), inverted)


class MapRemoveByValue(MapExpr):
    """A map without the items that have a value.

    >>> MapRemoveByValue(None, 36, "ages")
    MapRemoveByValue(None, 36, 'ages')
    """

    _op = constants.OP_MAP_REMOVE_BY_VALUE

    def __init__(self, ctx: Context, value: Any, bin: Bin, inverted: bool = False) -> None:
        self._remove(ctx, bin, (value,), inverted)


class MapRemoveByValueList(MapExpr):
    """A map without the items that have one of several values.

    >>> MapRemoveByValueList(None, [36, 41], "ages")
    MapRemoveByValueList(None, [36, 41], 'ages')
    """

    _op = constants.OP_MAP_REMOVE_BY_VALUE_LIST

    def __init__(self, ctx: Context, values: Any, bin: Bin, inverted: bool = False) -> None:
        self._remove(ctx, bin, (values,), inverted)


class MapRemoveByValueRange(MapExpr):
    """A map without the items whose values are from ``begin`` on and below ``end``.

    >>> MapRemoveByValueRange(None, 0, 18, "ages")
    MapRemoveByValueRange(None, 0, 18, 'ages')
    """

    _op = constants.OP_MAP_REMOVE_BY_VALUE_RANGE

    def __init__(self, ctx: Context, begin: Any, end: Any, bin: Bin, inverted: bool = False) -> None:
        self._remove(ctx, bin, (begin, end), inverted)


class MapRemoveByValueRelRankRangeToEnd(MapExpr):
    """A map without the items from a rank on that is relative to a value.

    >>> MapRemoveByValueRelRankRangeToEnd(None, 40, 0, "ages")
    MapRemoveByValueRelRankRangeToEnd(None, 40, 0, 'ages')
    """

    _op = constants.OP_MAP_REMOVE_BY_VALUE_REL_RANK_RANGE_TO_END

    def __init__(self, ctx: Context, value: Any, rank: Index, bin: Bin, inverted: bool = False) -> None:
        self._remove(ctx, bin, (value, rank), inverted)


class MapRemoveByValueRelRankRange(MapExpr):
    """A map without ``count`` items from a rank on that is relative to a value.

    >>> MapRemoveByValueRelRankRange(None, 40, 0, 2, "ages")
    MapRemoveByValueRelRankRange(None, 40, 0, 2, 'ages')
    """

    _op = constants.OP_MAP_REMOVE_BY_VALUE_REL_RANK_RANGE

    def __init__(
        self, ctx: Context, value: Any, rank: Index, count: Index, bin: Bin, inverted: bool = False
    ) -> None:
        self._remove(ctx, bin, (value, rank, count), inverted)


class MapRemoveByIndex(MapExpr):
    """A map without the item at an index.

    >>> MapRemoveByIndex(None, 0, "ages")
    MapRemoveByIndex(None, 0, 'ages')
    """

    _op = constants.OP_MAP_REMOVE_BY_INDEX

    def __init__(self, ctx: Context, index: Index, bin: Bin) -> None:
        self._read(ctx, bin, (index,))


class MapRemoveByIndexRangeToEnd(MapExpr):
    """A map without the items from an index on.

    >>> MapRemoveByIndexRangeToEnd(None, 2, "ages")
    MapRemoveByIndexRangeToEnd(None, 2, 'ages')
    """

    _op = constants.OP_MAP_REMOVE_BY_INDEX_RANGE_TO_END

    def __init__(self, ctx: Context, index: Index, bin: Bin, inverted: bool = False) -> None:
        self._remove(ctx, bin, (index,), inverted)


class MapRemoveByIndexRange(MapExpr):
    """A map without ``count`` items from an index on.

    >>> MapRemoveByIndexRange(None, 0, 2, "ages")
    MapRemoveByIndexRange(None, 0, 2, 'ages')
    """

    _op = constants.OP_MAP_REMOVE_BY_INDEX_RANGE

    def __init__(self, ctx: Context, index: Index, count: Index, bin: Bin, inverted: bool = False) -> None:
        self._remove(ctx, bin, (index, count), inverted)


class MapRemoveByRank(MapExpr):
    """A map without the item whose value has a rank.

    >>> MapRemoveByRank(None, -1, "ages")
    MapRemoveByRank(None, -1, 'ages')
    """

    _op = constants.OP_MAP_REMOVE_BY_RANK

    def __init__(self, ctx: Context, rank: Index, bin: Bin) -> None:
        self._read(ctx, bin, (rank,))


class MapRemoveByRankRangeToEnd(MapExpr):
    """A map without the items from a rank on.

    >>> MapRemoveByRankRangeToEnd(None, -2, "ages")
    MapRemoveByRankRangeToEnd(None, -2, 'ages')
    """

    _op = constants.OP_MAP_REMOVE_BY_RANK_RANGE_TO_END

    def __init__(self, ctx: Context, rank: Index, bin: Bin, inverted: bool = False) -> None:
        self._remove(ctx, bin, (rank,), inverted)


class MapRemoveByRankRange(MapExpr):
    """A map without ``count`` items from a rank on.

    >>> MapRemoveByRankRange(None, 0, 2, "ages")
    MapRemoveByRankRange(None, 0, 2, 'ages')
    """

    _op = constants.OP_MAP_REMOVE_BY_RANK_RANGE

    def __init__(self, ctx: Context, rank: Index, count: Index, bin: Bin, inverted: bool = False) -> None:
        self._remove(ctx, bin, (rank, count), inverted)
