"""Rows of ``batch_write``: the names of :mod:`aerospike_py.batch.records`."""

from . import records
from .records import *  # noqa: F403

__all__ = ["records"]
__all__ += records.__all__
