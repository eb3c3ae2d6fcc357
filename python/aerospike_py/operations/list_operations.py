"""The names of :mod:`aerospike_py.list_operations`, at the path of the official client's helpers."""

from .. import list_operations as _module
from ..list_operations import *  # noqa: F403

__all__ = _module.__all__
