"""Arguments of operations and expressions on strings, which need server 8.2.

>>> from aerospike_py import string_helpers
>>> string_helpers.StringPolicy(WriteFlags.CREATE_ONLY)
StringPolicy(<WriteFlags.CREATE_ONLY: 1>)
"""

from __future__ import annotations

from enum import IntEnum

__all__ = ["NumericType", "RegexFlags", "StringPolicy", "WriteFlags"]


class RegexFlags(IntEnum):
    """How a regular expression matches. Flags can be combined with ``|``.

    >>> RegexFlags.CASE_INSENSITIVE | RegexFlags.MULTILINE
    3
    """

    DEFAULT = 0
    CASE_INSENSITIVE = 1
    MULTILINE = 2
    DOTALL = 4
    UNIX_LINES = 8
    GLOBAL = 16


class WriteFlags(IntEnum):
    """When an operation changes a string. Flags can be combined with ``|``.

    >>> WriteFlags.UPDATE_ONLY | WriteFlags.NO_FAIL
    6
    """

    DEFAULT = 0
    CREATE_ONLY = 1
    UPDATE_ONLY = 2
    NO_FAIL = 4


class NumericType(IntEnum):
    """The kind of number that a string is tested for.

    >>> NumericType.INT
    <NumericType.INT: 1>
    """

    ANY = 0
    INT = 1
    FLOAT = 2


class StringPolicy:
    """How operations change strings.

    >>> StringPolicy(WriteFlags.NO_FAIL).write_flags
    <WriteFlags.NO_FAIL: 4>
    """

    def __init__(self, write_flags: int = WriteFlags.DEFAULT) -> None:
        self.write_flags = write_flags

    def __repr__(self) -> str:
        return f"StringPolicy({self.write_flags!r})"
