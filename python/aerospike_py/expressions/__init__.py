"""Expressions: conditions and values that the server computes.

An expression filters the records of any command, batch or query (``policy={"expressions": ...}``), and is
read or written by the operations of :mod:`~aerospike_py.expression_operations`. The classes have the names
and arguments of the official client's ``aerospike_helpers.expressions``: to migrate, change the import.
Expressions of either package can be given to this client, as objects, compiled, or as base64.

A wrong argument is refused where the expression is built. Whether the types of its parts go together is
checked by the server, which refuses an expression as a whole with ``InvalidRequest``.

>>> from aerospike_py import expressions as exp
>>> adult = exp.GE(exp.IntBin("age"), 18)
>>> client.get(("test", "users", 1), policy={"expressions": adult.compile()}).bins["name"]
'Ada'
>>> adult.compile()
[(4, None, None, 2), (81, 2, {'bin': 'age'}, 0), (200, None, {'val': 18}, 0)]
"""

# A module for each family, as in the official client: `base`, `list`, `map`, `bitwise`, `hll`, `arithmetic`,
# `bitwise_operators`, `string`. `resources` has the base of all classes, `_checks` the checks of their
# arguments, by name. Where to add a class: in the module of its family.

from __future__ import annotations

from . import arithmetic, base, bitwise, bitwise_operators, hll, string
from . import list as _list
from . import map as _map
from ._list_changes import *  # noqa: F403
from ._map_changes import *  # noqa: F403
from ._metadata import *  # noqa: F403
from ._paths import *  # noqa: F403
from ._string_changes import *  # noqa: F403
from .arithmetic import *  # noqa: F403
from .base import *  # noqa: F403
from .bitwise import *  # noqa: F403
from .bitwise_operators import *  # noqa: F403
from .hll import *  # noqa: F403
from .list import *  # noqa: F403
from .map import *  # noqa: F403
from .resources import ResultType, ReturnType
from .string import *  # noqa: F403

__all__ = ["ResultType", "ReturnType"]
__all__ += base.__all__
__all__ += bitwise.__all__
__all__ += hll.__all__
__all__ += _list.__all__
__all__ += _map.__all__
__all__ += arithmetic.__all__
__all__ += bitwise_operators.__all__
__all__ += string.__all__
