"""The names of :mod:`aerospike_py.bitwise_operations`, at the path of the official client's helpers."""

from .. import bitwise_operations as _module
from ..bitwise_operations import *  # noqa: F403

__all__ = _module.__all__
