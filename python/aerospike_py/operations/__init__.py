"""Operations on the bins of a record, for ``operate`` and batches.

``aerospike_py.operations.operations`` has them; this package has them as well. The other modules here
have the names of their namesakes in ``aerospike_py``, so ``from aerospike_helpers.operations import
list_operations`` moves by replacing ``aerospike_helpers`` with ``aerospike_py``.

>>> from aerospike_py import operations as op
>>> op.increment("visits", 1)
{'op': 6, 'bin': 'visits', 'val': 1}
"""

from . import operations
from .operations import (
    append,
    delete,
    increment,
    modify_by_path,
    prepend,
    read,
    select_by_path,
    touch,
    write,
)

__all__ = [
    "append",
    "delete",
    "increment",
    "modify_by_path",
    "operations",
    "prepend",
    "read",
    "select_by_path",
    "touch",
    "write",
]
