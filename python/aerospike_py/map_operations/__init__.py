"""Operations on maps, for ``operate``, batches and queries.

The functions have the names and arguments of the official client's
``aerospike_helpers.operations.map_operations`` and return the same dictionaries: to migrate, change the
import. A wrong argument is refused by the call that sends the
operation.

``index`` counts in the order of the keys, ``rank`` in the order of the values, both from 0, or from the end
if negative. ``return_type`` is one of the ``MAP_RETURN_*`` constants, ``map_policy`` a dictionary with
``map_order`` and ``map_write_flags`` (``MAP_WRITE_FLAGS_*``), and ``ctx`` the way to a map inside the bin
(:mod:`~aerospike_py.cdt_ctx`).

>>> from aerospike_py import map_operations as maps
>>> ops = [maps.map_put("ages", "Ada", 36), maps.map_get_by_key("ages", "Ada", MAP_RETURN_VALUE)]
>>> client.operate_ordered(("test", "users", "map-operations"), ops).bins
[('ages', 1), ('ages', 36)]
"""

from __future__ import annotations

from .changes import (
    map_create,
    map_decrement,
    map_increment,
    map_put,
    map_put_items,
    map_set_policy,
)
from .reads import (
    map_get_by_index,
    map_get_by_index_range,
    map_get_by_key,
    map_get_by_key_index_range_relative,
    map_get_by_key_list,
    map_get_by_key_range,
    map_get_by_rank,
    map_get_by_rank_range,
    map_get_by_value,
    map_get_by_value_list,
    map_get_by_value_range,
    map_get_by_value_rank_range_relative,
    map_size,
)
from .removals import (
    map_clear,
    map_remove_by_index,
    map_remove_by_index_range,
    map_remove_by_key,
    map_remove_by_key_index_range_relative,
    map_remove_by_key_list,
    map_remove_by_key_range,
    map_remove_by_rank,
    map_remove_by_rank_range,
    map_remove_by_value,
    map_remove_by_value_list,
    map_remove_by_value_range,
    map_remove_by_value_rank_range_relative,
)

__all__ = [
    "map_clear",
    "map_create",
    "map_decrement",
    "map_get_by_index",
    "map_get_by_index_range",
    "map_get_by_key",
    "map_get_by_key_index_range_relative",
    "map_get_by_key_list",
    "map_get_by_key_range",
    "map_get_by_rank",
    "map_get_by_rank_range",
    "map_get_by_value",
    "map_get_by_value_list",
    "map_get_by_value_range",
    "map_get_by_value_rank_range_relative",
    "map_increment",
    "map_put",
    "map_put_items",
    "map_remove_by_index",
    "map_remove_by_index_range",
    "map_remove_by_key",
    "map_remove_by_key_index_range_relative",
    "map_remove_by_key_list",
    "map_remove_by_key_range",
    "map_remove_by_rank",
    "map_remove_by_rank_range",
    "map_remove_by_value",
    "map_remove_by_value_list",
    "map_remove_by_value_range",
    "map_remove_by_value_rank_range_relative",
    "map_set_policy",
    "map_size",
]
