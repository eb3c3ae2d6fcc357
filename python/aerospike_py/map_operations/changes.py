"""Operations that create or change a map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import constants
from .._operation import Context, MapPolicy, Operation, operation


def _sorted(items: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """The items by key, as newer servers store them; as they are if their keys cannot be compared."""
    try:
        return dict(sorted(items.items()))
    except (AttributeError, TypeError):
        return items


def map_set_policy(bin_name: str, policy: MapPolicy, ctx: Context = None) -> Operation:
    """Sets the order of a map.

    >>> map_set_policy("ages", {"map_order": MAP_KEY_ORDERED})
    {'op': 1101, 'bin': 'ages', 'map_policy': {'map_order': 1}}
    """
    return operation(constants.OP_MAP_SET_POLICY, bin_name, ctx, map_policy=policy)


def map_create(bin_name: str, map_order: int, persist_index: bool, ctx: Context = None) -> Operation:
    """Creates an empty map, or sets the order of the map that is there. ``persist_index`` stores the
    index of an ordered map with the record.

    >>> map_create("ages", MAP_KEY_ORDERED, False)
    {'op': 1144, 'bin': 'ages', 'map_order': 1, 'persist_index': False}
    """
    return operation(constants.OP_MAP_CREATE, bin_name, ctx, map_order=map_order, persist_index=persist_index)


def map_put(
    bin_name: str, key: Any, value: Any, map_policy: MapPolicy | None = None, ctx: Context = None
) -> Operation:
    """Sets the value of a key. Returns the size of the map.

    >>> map_put("ages", "Ada", 36)
    {'op': 1102, 'bin': 'ages', 'key': 'Ada', 'val': 36}
    """
    return operation(constants.OP_MAP_PUT, bin_name, ctx, map_policy, key=key, val=value)


def map_put_items(
    bin_name: str, item_dict: Mapping[Any, Any], map_policy: MapPolicy | None = None, ctx: Context = None
) -> Operation:
    """Sets the values of several keys. Returns the size of the map.

    >>> map_put_items("ages", {"Ada": 36, "Bea": 41})
    {'op': 1103, 'bin': 'ages', 'val': {'Ada': 36, 'Bea': 41}}
    """
    return operation(constants.OP_MAP_PUT_ITEMS, bin_name, ctx, map_policy, val=_sorted(item_dict))


def map_increment(
    bin_name: str, key: Any, amount: float, map_policy: MapPolicy | None = None, ctx: Context = None
) -> Operation:
    """Adds an int or float to the value of a key. Returns the new value.

    >>> map_increment("ages", "Ada", 1)
    {'op': 1104, 'bin': 'ages', 'key': 'Ada', 'val': 1}
    """
    return operation(constants.OP_MAP_INCREMENT, bin_name, ctx, map_policy, key=key, val=amount)


def map_decrement(
    bin_name: str, key: Any, amount: float, map_policy: MapPolicy | None = None, ctx: Context = None
) -> Operation:
    """Subtracts an int or float from the value of a key. Returns the new value.

    >>> map_decrement("ages", "Ada", 1)
    {'op': 1105, 'bin': 'ages', 'key': 'Ada', 'val': 1}
    """
    return operation(constants.OP_MAP_DECREMENT, bin_name, ctx, map_policy, key=key, val=amount)
