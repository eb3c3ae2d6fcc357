"""Path expressions: about all items of lists and maps, at any depth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .. import _numbers
from ._checks import context, is_expression, refuse
from .resources import _BaseExpr, _Keys, _NoArguments

if TYPE_CHECKING:
    from ..cdt_ctx import _cdt_ctx

__all__ = [
    "LoopVar",
    "LoopVarBlob",
    "LoopVarBool",
    "LoopVarFloat",
    "LoopVarGeoJson",
    "LoopVarHLL",
    "LoopVarInt",
    "LoopVarList",
    "LoopVarMap",
    "LoopVarNil",
    "LoopVarStr",
    "ModifyByPath",
    "RemoveResult",
    "SelectByPath",
]


_FLAGS_KEY = "cdt_flags"
_MODIFICATION_KEY = "mod_exp"


def expression(owner: str, argument: str, value: Any) -> None:
    if not is_expression(value):
        refuse(owner, argument, value, "an expression")


def steps(owner: str, argument: str, value: Any) -> None:
    context(owner, argument, value)
    if not value:
        refuse(owner, argument, value, "a list of steps, made by aerospike_py.cdt_ctx")


def _modification(owner: str, argument: str, value: Any) -> None:
    if not is_expression(value) and not isinstance(value, list):
        refuse(owner, argument, value, "a compiled expression")


class LoopVar(_BaseExpr):
    """The item of a path expression: its key, value or index, by one of the ``EXP_LOOPVAR_*``
    constants. The subclasses say of which type it is.

    >>> LoopVarInt(EXP_LOOPVAR_VALUE)
    LoopVarInt(1)
    """

    def __init__(self, var_id: int) -> None:
        self._fixed = {_Keys.VALUE_KEY: var_id}


class LoopVarMap(LoopVar):
    """The item of a path expression, a map.

    >>> LoopVarMap(EXP_LOOPVAR_VALUE)
    LoopVarMap(1)
    """

    _op = _numbers.EXP_LOOPVAR_MAP


class LoopVarList(LoopVar):
    """The item of a path expression, a list.

    >>> LoopVarList(EXP_LOOPVAR_VALUE)
    LoopVarList(1)
    """

    _op = _numbers.EXP_LOOPVAR_LIST


class LoopVarStr(LoopVar):
    """The item of a path expression, a string.

    >>> LoopVarStr(EXP_LOOPVAR_VALUE)
    LoopVarStr(1)
    """

    _op = _numbers.EXP_LOOPVAR_STR


class LoopVarFloat(LoopVar):
    """The item of a path expression, a float.

    >>> LoopVarFloat(EXP_LOOPVAR_VALUE)
    LoopVarFloat(1)
    """

    _op = _numbers.EXP_LOOPVAR_FLOAT


class LoopVarInt(LoopVar):
    """The item of a path expression, an integer.

    >>> LoopVarInt(EXP_LOOPVAR_VALUE)
    LoopVarInt(1)
    """

    _op = _numbers.EXP_LOOPVAR_INT


class LoopVarBlob(LoopVar):
    """The item of a path expression, bytes.

    >>> LoopVarBlob(EXP_LOOPVAR_VALUE)
    LoopVarBlob(1)
    """

    _op = _numbers.EXP_LOOPVAR_BLOB


class LoopVarBool(LoopVar):
    """The item of a path expression, a boolean.

    >>> LoopVarBool(EXP_LOOPVAR_VALUE)
    LoopVarBool(1)
    """

    _op = _numbers.EXP_LOOPVAR_BOOL


class LoopVarNil(LoopVar):
    """The item of a path expression, nil.

    >>> LoopVarNil(EXP_LOOPVAR_VALUE)
    LoopVarNil(1)
    """

    _op = _numbers.EXP_LOOPVAR_NIL


class LoopVarGeoJson(LoopVar):
    """The item of a path expression, GeoJSON.

    >>> LoopVarGeoJson(EXP_LOOPVAR_VALUE)
    LoopVarGeoJson(1)
    """

    _op = _numbers.EXP_LOOPVAR_GEOJSON


class LoopVarHLL(LoopVar):
    """The item of a path expression, a HyperLogLog sketch.

    >>> LoopVarHLL(EXP_LOOPVAR_VALUE)
    LoopVarHLL(1)
    """

    _op = _numbers.EXP_LOOPVAR_HLL


class RemoveResult(_NoArguments):
    """Removes the item, in the ``mod_exp`` of :class:`ModifyByPath`.

    >>> RemoveResult()
    RemoveResult()
    """

    _op = _numbers.EXP_REMOVE_RESULT


class SelectByPath(_BaseExpr):
    """The items of a list or map that a path leads to; ``flags`` is one of the ``EXP_PATH_SELECT_*``
    constants.

    >>> everything = [aerospike_py.cdt_ctx.cdt_ctx_all_children()]
    >>> SelectByPath(everything, ResultType.LIST, EXP_PATH_SELECT_VALUE, ListBin("scores"))
    SelectByPath([cdt_ctx_all_children()], 4, 1, ListBin('scores'))
    """

    _op = _numbers.EXP_CALL_SELECT
    _checks = {"ctx": steps, "bin": expression}

    def __init__(self, ctx: Sequence[_cdt_ctx], value_type: int, flags: int, bin: _BaseExpr) -> None:
        self._fixed = {_Keys.VALUE_TYPE_KEY: value_type, _Keys.CTX_KEY: ctx, _FLAGS_KEY: flags}
        self._children = (bin,)


class ModifyByPath(_BaseExpr):
    """A list or map whose items, where a path leads to them, are replaced by ``mod_exp``, a compiled
    expression; ``flags`` is one of the ``EXP_PATH_MODIFY_*`` constants.

    >>> everything = [aerospike_py.cdt_ctx.cdt_ctx_all_children()]
    >>> more = Add(LoopVarInt(EXP_LOOPVAR_VALUE), 1)
    >>> ModifyByPath(everything, ResultType.LIST, more, EXP_PATH_MODIFY_DEFAULT, ListBin("scores"))
    ModifyByPath([cdt_ctx_all_children()], 4, Add(LoopVarInt(1), 1), 0, ListBin('scores'))
    """

    _op = _numbers.EXP_CALL_APPLY
    _checks = {"ctx": steps, "bin": expression, "mod_exp": _modification}

    def __init__(
        self, ctx: Sequence[_cdt_ctx], value_type: int, mod_exp: Any, flags: int, bin: _BaseExpr
    ) -> None:
        self._fixed = {
            _Keys.VALUE_TYPE_KEY: value_type,
            _Keys.CTX_KEY: ctx,
            _FLAGS_KEY: flags,
            _MODIFICATION_KEY: mod_exp,
        }
        self._children = (bin,)
