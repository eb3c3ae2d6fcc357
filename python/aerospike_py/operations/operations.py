"""Operations on the bins of a record, for ``operate`` and batches.

The functions have the names and arguments of the official client's
``aerospike_helpers.operations.operations`` and return the same dicts, ``{"op": OPERATOR_*, "bin": ..., "val":
...}``: to migrate, change the import.

>>> from aerospike_py import operations as op
>>> op.increment("visits", 1)
{'op': 6, 'bin': 'visits', 'val': 1}

:mod:`~aerospike_py.list_operations`, :mod:`~aerospike_py.map_operations`,
:mod:`~aerospike_py.bitwise_operations`, :mod:`~aerospike_py.hll_operations`,
:mod:`~aerospike_py.string_operations` and :mod:`~aerospike_py.expression_operations` have the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import _numbers
from .._operation import Expression, Operation, operation
from ..constants import (
    OPERATOR_APPEND,
    OPERATOR_DELETE,
    OPERATOR_INCR,
    OPERATOR_PREPEND,
    OPERATOR_READ,
    OPERATOR_TOUCH,
    OPERATOR_WRITE,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..cdt_ctx import _cdt_ctx

__all__ = [
    "append",
    "delete",
    "increment",
    "modify_by_path",
    "prepend",
    "read",
    "select_by_path",
    "touch",
    "write",
]


def read(bin_name: str) -> Operation:
    """Reads a bin. The effects of preceding operations in the list are visible.

    >>> read("name")
    {'op': 0, 'bin': 'name'}
    """
    return {"op": OPERATOR_READ, "bin": bin_name}


def write(bin_name: str, write_item: Any) -> Operation:
    """Sets a bin. None removes it.

    >>> write("name", "Ada")
    {'op': 1, 'bin': 'name', 'val': 'Ada'}
    """
    return {"op": OPERATOR_WRITE, "bin": bin_name, "val": write_item}


def delete() -> Operation:
    """Deletes the record. Operations before it in the list can still read the record.

    >>> delete()
    {'op': 14}
    """
    return {"op": OPERATOR_DELETE}


def append(bin_name: str, append_item: str | bytes | bytearray) -> Operation:
    """Appends a string to a string bin, or bytes to a blob bin. A missing bin counts as empty.

    >>> append("log", "; seen")
    {'op': 9, 'bin': 'log', 'val': '; seen'}
    """
    return {"op": OPERATOR_APPEND, "bin": bin_name, "val": append_item}


def prepend(bin_name: str, prepend_item: str | bytes | bytearray) -> Operation:
    """Prepends a string to a string bin, or bytes to a blob bin. A missing bin counts as empty.

    >>> prepend("name", "Dr. ")
    {'op': 10, 'bin': 'name', 'val': 'Dr. '}
    """
    return {"op": OPERATOR_PREPEND, "bin": bin_name, "val": prepend_item}


def increment(bin_name: str, amount: float) -> Operation:
    """Adds an int to an integer bin, or a float to a float bin. A missing bin counts as zero.

    >>> increment("visits", -1)
    {'op': 6, 'bin': 'visits', 'val': -1}
    """
    return {"op": OPERATOR_INCR, "bin": bin_name, "val": amount}


def select_by_path(bin_name: str, ctx: Sequence[_cdt_ctx], flags: int) -> Operation:
    """Reads the items of a list or map to which a path leads. ``flags`` is one of the ``EXP_PATH_SELECT_*``
    constants.

    >>> from aerospike_py import EXP_PATH_SELECT_VALUE, cdt_ctx
    >>> select_by_path("scores", [cdt_ctx.cdt_ctx_all_children()], EXP_PATH_SELECT_VALUE)
    {'op': 2, 'bin': 'scores', 'ctx': [cdt_ctx_all_children()], 'cdt_flags': 1}
    """
    return operation(_numbers.OPERATOR_SELECT_BY_PATH, bin_name, ctx=ctx, cdt_flags=flags)


def modify_by_path(bin_name: str, ctx: Sequence[_cdt_ctx], expr: Expression, flags: int) -> Operation:
    """Replaces the items of a list or map to which a path leads by the value of an expression, in which
    ``LoopVarInt(EXP_LOOPVAR_VALUE)`` and its siblings are the item. ``flags`` is one of the
    ``EXP_PATH_MODIFY_*`` constants.

    >>> from aerospike_py import EXP_LOOPVAR_VALUE, EXP_PATH_MODIFY_DEFAULT, cdt_ctx, expressions as exp
    >>> more = exp.Add(exp.LoopVarInt(EXP_LOOPVAR_VALUE), 1)
    >>> everything = [cdt_ctx.cdt_ctx_all_children()]
    >>> modify_by_path("scores", everything, more, EXP_PATH_MODIFY_DEFAULT)["mod_exp"]
    Add(LoopVarInt(1), 1)
    """
    return operation(_numbers.OPERATOR_MODIFY_BY_PATH, bin_name, ctx=ctx, mod_exp=expr, cdt_flags=flags)


def touch(ttl: int | None = None) -> Operation:
    """Sets the time to live to ``ttl`` seconds (None: the policy's) and increments the generation.

    >>> touch(3600)
    {'op': 11, 'val': 3600}
    """
    return {"op": OPERATOR_TOUCH} if ttl is None else {"op": OPERATOR_TOUCH, "val": ttl}
