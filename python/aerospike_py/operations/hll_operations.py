"""The names of :mod:`aerospike_py.hll_operations`, at the path of the official client's helpers."""

from .. import hll_operations as _module
from ..hll_operations import *  # noqa: F403

__all__ = _module.__all__
