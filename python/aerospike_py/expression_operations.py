"""Operations whose result or value is that of an expression.

The functions have the names and arguments of the official client's
``aerospike_helpers.operations.expression_operations`` and return the same dictionaries: to migrate, change
the import. A wrong argument is refused by the call that sends the
operation; the classes of expressions check theirs when they are made.

>>> from aerospike_py import expression_operations, expressions as exp
>>> ops = [expression_operations.expression_read("is_adult", exp.GE(exp.IntBin("age"), 18).compile())]
>>> client.operate(("test", "users", 1), ops).bins
{'is_adult': True}
"""

from __future__ import annotations

from . import constants
from ._operation import Expression, Operation, operation

__all__ = [
    "expression_read",
    "expression_write",
]


def expression_read(bin_name: str, expression: Expression, expression_read_flags: int = 0) -> Operation:
    """Reads the result of an expression. ``bin_name`` is the name of the result; a bin of that name need
    not exist. ``expression_read_flags`` is one of the ``EXP_READ_*`` constants.

    >>> expression_read("is_adult", exp.GE(exp.IntBin("age"), 18))
    {'op': 2200, 'bin': 'is_adult', 'expr': GE(IntBin('age'), 18), 'expr_flags': 0}
    """
    return operation(constants.OP_EXPR_READ, bin_name, expr=expression, expr_flags=expression_read_flags)


def expression_write(bin_name: str, expression: Expression, expression_write_flags: int = 0) -> Operation:
    """Writes the result of an expression into a bin. ``expression_write_flags`` are ``EXP_WRITE_*``
    constants.

    >>> expression_write("total", exp.Add(exp.IntBin("a"), exp.IntBin("b")))
    {'op': 2201, 'bin': 'total', 'expr': Add(IntBin('a'), IntBin('b')), 'expr_flags': 0}
    """
    return operation(constants.OP_EXPR_WRITE, bin_name, expr=expression, expr_flags=expression_write_flags)
