"""The names of :mod:`aerospike_py.map_operations`, at the path of the official client's helpers."""

from .. import map_operations as _module
from ..map_operations import *  # noqa: F403

__all__ = _module.__all__
