"""The names of :mod:`aerospike_py.expression_operations`, at the path of the official client's helpers."""

from .. import expression_operations as _module
from ..expression_operations import *  # noqa: F403

__all__ = _module.__all__
