"""The way to a list or map inside another: the ``ctx`` of operations, expressions and indexes.

A context is a list of steps, from the bin on. The functions have the names and arguments of the official
client's ``aerospike_helpers.cdt_ctx``: to migrate, change the import. A wrong argument is refused by the call
that sends the context.

>>> from aerospike_py import cdt_ctx, list_operations as lists
>>> ctx = [cdt_ctx.cdt_ctx_map_key_create("Ada", MAP_KEY_ORDERED), cdt_ctx.cdt_ctx_map_key_create("scores")]
>>> maps = aerospike_py.map_operations
>>> ops = [maps.map_put("people", "score", 7, ctx=ctx[:1]), maps.map_size("people", ctx=ctx[:1])]
>>> client.operate(("test", "users", "contexts"), ops).bins["people"]
1
"""

from __future__ import annotations

from typing import Any

from . import _numbers, constants
from ._utils.describe import describe
from .exception import ParamTypeError

__all__ = [
    "cdt_ctx_all_children",
    "cdt_ctx_all_children_with_filter",
    "cdt_ctx_and_filter",
    "cdt_ctx_list_index",
    "cdt_ctx_list_index_create",
    "cdt_ctx_list_rank",
    "cdt_ctx_list_value",
    "cdt_ctx_map_index",
    "cdt_ctx_map_key",
    "cdt_ctx_map_key_create",
    "cdt_ctx_map_keys_in",
    "cdt_ctx_map_rank",
    "cdt_ctx_map_value",
    "index_datatype_string",
    "index_type_string",
]

# Entries of `extra_args`.
CDT_CTX_ORDER_KEY = "order_key"
CDT_CTX_PAD_KEY = "pad_key"
_FILTER_KEY = "filter_expr"


class _cdt_ctx:  # noqa: N801 (the official client's name)
    """A step of a context. The functions of this module make them."""

    __slots__ = ("extra_args", "id", "value")

    def __init__(
        self,
        *,
        id: int,  # noqa: A002 (as in the official client)
        value: Any = None,
        extra_args: dict[str, Any] | None = None,
    ) -> None:
        self.id = id
        self.value = value
        self.extra_args = extra_args

    def __repr__(self) -> str:
        name = _NAMES.get(self.id, "_cdt_ctx")
        if self.extra_args and _FILTER_KEY in self.extra_args:
            name = (
                "cdt_ctx_and_filter" if self.id & _numbers.CDT_CTX_AND else "cdt_ctx_all_children_with_filter"
            )
            return f"{name}({self.extra_args[_FILTER_KEY]!r})"
        if self.id == _numbers.CDT_CTX_EXP:
            return "cdt_ctx_all_children()"
        arguments = (self.value, *(self.extra_args or {}).values())
        return f"{name}({', '.join(map(repr, arguments))})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _cdt_ctx):
            return NotImplemented
        return (self.id, self.value, self.extra_args) == (other.id, other.value, other.extra_args)

    __hash__ = None  # type: ignore[assignment]  # its value may be a list


def cdt_ctx_list_index(index: int) -> _cdt_ctx:
    """The item of a list at an index; negative indexes count from the end.

    >>> cdt_ctx_list_index(-1)
    cdt_ctx_list_index(-1)
    """
    return _cdt_ctx(id=constants.CDT_CTX_LIST_INDEX, value=index)


def cdt_ctx_list_rank(rank: int) -> _cdt_ctx:
    """The item of a list that has a rank: 0 is the lowest value, -1 the highest.

    >>> cdt_ctx_list_rank(0)
    cdt_ctx_list_rank(0)
    """
    return _cdt_ctx(id=constants.CDT_CTX_LIST_RANK, value=rank)


def cdt_ctx_list_value(value: Any) -> _cdt_ctx:
    """The first item of a list that equals a value.

    >>> cdt_ctx_list_value([1, 2])
    cdt_ctx_list_value([1, 2])
    """
    return _cdt_ctx(id=constants.CDT_CTX_LIST_VALUE, value=value)


def cdt_ctx_list_index_create(index: int, order: int = 0, pad: bool = False) -> _cdt_ctx:
    """The item of a list at an index. A missing one becomes a list of an order (``LIST_ORDERED`` or
    ``LIST_UNORDERED``); ``pad`` fills a gap below the index with nulls.

    >>> cdt_ctx_list_index_create(3, LIST_ORDERED, pad=True)
    cdt_ctx_list_index_create(3, 1, True)
    """
    extra = {CDT_CTX_ORDER_KEY: order, CDT_CTX_PAD_KEY: pad}
    return _cdt_ctx(id=constants.CDT_CTX_LIST_INDEX_CREATE, value=index, extra_args=extra)


def cdt_ctx_map_index(index: int) -> _cdt_ctx:
    """The value of a map at an index in the order of the keys; negative indexes count from the end.

    >>> cdt_ctx_map_index(0)
    cdt_ctx_map_index(0)
    """
    return _cdt_ctx(id=constants.CDT_CTX_MAP_INDEX, value=index)


def cdt_ctx_map_rank(rank: int) -> _cdt_ctx:
    """The value of a map that has a rank: 0 is the lowest value, -1 the highest.

    >>> cdt_ctx_map_rank(-1)
    cdt_ctx_map_rank(-1)
    """
    return _cdt_ctx(id=constants.CDT_CTX_MAP_RANK, value=rank)


def cdt_ctx_map_key(key: Any) -> _cdt_ctx:
    """The value of a map under a key.

    >>> cdt_ctx_map_key("scores")
    cdt_ctx_map_key('scores')
    """
    return _cdt_ctx(id=constants.CDT_CTX_MAP_KEY, value=key)


def cdt_ctx_map_value(value: Any) -> _cdt_ctx:
    """The first value of a map that equals a value.

    >>> cdt_ctx_map_value({})
    cdt_ctx_map_value({})
    """
    return _cdt_ctx(id=constants.CDT_CTX_MAP_VALUE, value=value)


def cdt_ctx_map_key_create(key: Any, order: int = 0) -> _cdt_ctx:
    """The value of a map under a key. A missing one becomes a map of an order (``MAP_UNORDERED``,
    ``MAP_KEY_ORDERED`` or ``MAP_KEY_VALUE_ORDERED``).

    >>> cdt_ctx_map_key_create("scores", MAP_KEY_ORDERED)
    cdt_ctx_map_key_create('scores', 1)
    """
    extra = {CDT_CTX_ORDER_KEY: order}
    return _cdt_ctx(id=constants.CDT_CTX_MAP_KEY_CREATE, value=key, extra_args=extra)


def cdt_ctx_all_children() -> _cdt_ctx:
    """All items of a list or map, for path expressions.

    >>> cdt_ctx_all_children()
    cdt_ctx_all_children()
    """
    return _cdt_ctx(id=_numbers.CDT_CTX_EXP)


def cdt_ctx_all_children_with_filter(expression: Any) -> _cdt_ctx:
    """The items of a list or map for which a compiled expression is true, for path expressions. In it,
    ``LoopVarInt(EXP_LOOPVAR_VALUE)`` and its siblings are the item.

    >>> cdt_ctx_all_children_with_filter(exp.GT(exp.LoopVarInt(EXP_LOOPVAR_VALUE), 5))
    cdt_ctx_all_children_with_filter(GT(LoopVarInt(1), 5))
    """
    _expression("cdt_ctx_all_children_with_filter", expression)
    return _cdt_ctx(id=_numbers.CDT_CTX_EXP, extra_args={_FILTER_KEY: expression})


def cdt_ctx_and_filter(expression: Any) -> _cdt_ctx:
    """A second condition on the items of the step before, for path expressions.

    >>> cdt_ctx_and_filter(exp.LT(exp.LoopVarInt(EXP_LOOPVAR_VALUE), 9))
    cdt_ctx_and_filter(LT(LoopVarInt(1), 9))
    """
    _expression("cdt_ctx_and_filter", expression)
    return _cdt_ctx(id=_numbers.CDT_CTX_AND | _numbers.CDT_CTX_EXP, extra_args={_FILTER_KEY: expression})


def cdt_ctx_map_keys_in(keys: list[Any]) -> _cdt_ctx:
    """The values of a map under several keys, for path expressions.

    >>> cdt_ctx_map_keys_in(["a", "b"])
    cdt_ctx_map_keys_in(['a', 'b'])
    """
    return _cdt_ctx(id=_numbers.CDT_CTX_MAP_KEYS_IN, value=keys)


def _expression(function: str, value: Any) -> None:
    if not isinstance(value, list) and not hasattr(value, "compile"):
        raise ParamTypeError(f"{function}: expression is {describe(value)}; it must be an expression")


def index_type_string(index_type: int) -> str:
    """The name of an ``INDEX_TYPE_*`` constant in info commands; ``"invalid"`` for another number.

    >>> index_type_string(INDEX_TYPE_MAPKEYS)
    'mapkeys'
    """
    return _INDEX_TYPES.get(index_type, "invalid")


def index_datatype_string(index_datatype: int) -> str:
    """The name of an ``INDEX_*`` constant in info commands; ``"invalid"`` for another number.

    >>> index_datatype_string(INDEX_STRING)
    'string'
    """
    return _INDEX_DATATYPES.get(index_datatype, "invalid")


_INDEX_TYPES = {
    constants.INDEX_TYPE_DEFAULT: "default",
    constants.INDEX_TYPE_LIST: "list",
    constants.INDEX_TYPE_MAPKEYS: "mapkeys",
    constants.INDEX_TYPE_MAPVALUES: "mapvalues",
}
_INDEX_DATATYPES = {
    constants.INDEX_NUMERIC: "numeric",
    constants.INDEX_STRING: "string",
    constants.INDEX_GEO2DSPHERE: "geo2dsphere",
}
_NAMES = {
    constants.CDT_CTX_LIST_INDEX: "cdt_ctx_list_index",
    constants.CDT_CTX_LIST_RANK: "cdt_ctx_list_rank",
    constants.CDT_CTX_LIST_VALUE: "cdt_ctx_list_value",
    constants.CDT_CTX_LIST_INDEX_CREATE: "cdt_ctx_list_index_create",
    constants.CDT_CTX_MAP_INDEX: "cdt_ctx_map_index",
    constants.CDT_CTX_MAP_RANK: "cdt_ctx_map_rank",
    constants.CDT_CTX_MAP_KEY: "cdt_ctx_map_key",
    constants.CDT_CTX_MAP_VALUE: "cdt_ctx_map_value",
    constants.CDT_CTX_MAP_KEY_CREATE: "cdt_ctx_map_key_create",
    _numbers.CDT_CTX_MAP_KEYS_IN: "cdt_ctx_map_keys_in",
}
