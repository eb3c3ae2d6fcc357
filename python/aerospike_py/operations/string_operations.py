"""The names of :mod:`aerospike_py.string_operations`, at the path of the official client's helpers."""

from .. import string_operations as _module
from ..string_operations import *  # noqa: F403

__all__ = _module.__all__
