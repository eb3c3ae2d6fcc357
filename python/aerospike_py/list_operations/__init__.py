"""Operations on lists, for ``operate``, batches and queries.

The functions have the names and arguments of the official client's
``aerospike_helpers.operations.list_operations`` and return the same dictionaries: to migrate, change the
import. A wrong argument is refused by the call that sends the
operation.

``index`` counts from 0, or from the end if it is negative; ``rank`` does in the order of the values.
``return_type`` is one of the ``LIST_RETURN_*`` constants, ``policy`` a dictionary with ``write_flags``
(``LIST_WRITE_*``) and ``list_order``, and ``ctx`` the way to a list inside the bin
(:mod:`~aerospike_py.cdt_ctx`).

>>> from aerospike_py import list_operations as lists
>>> ops = [lists.list_append("scores", 7), lists.list_get_by_rank("scores", -1, LIST_RETURN_VALUE)]
>>> client.operate_ordered(("test", "users", "list-operations"), ops).bins
[('scores', 1), ('scores', 7)]
"""

from __future__ import annotations

from .changes import (
    list_append,
    list_append_items,
    list_create,
    list_increment,
    list_insert,
    list_insert_items,
    list_set,
    list_set_order,
    list_sort,
)
from .reads import (
    list_get,
    list_get_by_index,
    list_get_by_index_range,
    list_get_by_rank,
    list_get_by_rank_range,
    list_get_by_value,
    list_get_by_value_list,
    list_get_by_value_range,
    list_get_by_value_rank_range_relative,
    list_get_range,
    list_join,
    list_size,
)
from .removals import (
    list_clear,
    list_pop,
    list_pop_range,
    list_remove,
    list_remove_by_index,
    list_remove_by_index_range,
    list_remove_by_rank,
    list_remove_by_rank_range,
    list_remove_by_value,
    list_remove_by_value_list,
    list_remove_by_value_range,
    list_remove_by_value_rank_range_relative,
    list_remove_range,
    list_trim,
)

__all__ = [
    "list_append",
    "list_append_items",
    "list_clear",
    "list_create",
    "list_get",
    "list_get_by_index",
    "list_get_by_index_range",
    "list_get_by_rank",
    "list_get_by_rank_range",
    "list_get_by_value",
    "list_get_by_value_list",
    "list_get_by_value_range",
    "list_get_by_value_rank_range_relative",
    "list_get_range",
    "list_increment",
    "list_insert",
    "list_insert_items",
    "list_join",
    "list_pop",
    "list_pop_range",
    "list_remove",
    "list_remove_by_index",
    "list_remove_by_index_range",
    "list_remove_by_rank",
    "list_remove_by_rank_range",
    "list_remove_by_value",
    "list_remove_by_value_list",
    "list_remove_by_value_range",
    "list_remove_by_value_rank_range_relative",
    "list_remove_range",
    "list_set",
    "list_set_order",
    "list_size",
    "list_sort",
    "list_trim",
]
