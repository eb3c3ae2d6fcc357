"""Rows of ``batch_write``: the names of ``aerospike_py.batch.records``.

>>> from aerospike_py.batch import BatchRecords, Read
>>> len(BatchRecords([Read(("test", "users", 1), None, read_all_bins=True)]))
1
"""

from . import records
from .records import *  # noqa: F403

__all__ = ["records"]
__all__ += records.__all__
