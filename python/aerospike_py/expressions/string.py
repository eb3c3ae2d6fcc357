"""Expressions about strings. They need server 8.2.

The classes have the names and arguments of the official client's ``aerospike_helpers.expressions.string``.
``bin`` is the name of a string bin or an expression that is a string. Indexes count characters from 0, or
from the end if negative; ``policy`` is None or a :class:`~aerospike_py.string_helpers.StringPolicy`.

>>> from aerospike_py.expressions import string
>>> string.StartsWith("A", "name")
StartsWith('A', 'name')
"""

from __future__ import annotations

from .. import _numbers
from ..string_helpers import RegexFlags
from . import _string_changes
from ._checks import INT64, text
from ._collections import Bin
from ._string_changes import *  # noqa: F403
from ._strings import _StringExpr

__all__ = [
    "Base64Decode",
    "ByteLength",
    "CharAt",
    "Contains",
    "EndsWith",
    "Find",
    "IsLower",
    "IsNumeric",
    "IsUpper",
    "RegexCompare",
    "Split",
    "SplitSeparator",
    "StartsWith",
    "StrLen",
    "SubStr",
    "SubStrRange",
    "ToBlob",
    "ToDouble",
    "ToInteger",
    "ToString",
]
__all__ += _string_changes.__all__


class StrLen(_StringExpr):
    """The number of characters of a string.

    >>> StrLen("name")
    StrLen('name')
    """

    _op = _numbers.OP_STRING_STRLEN

    def __init__(self, bin: Bin) -> None:
        self._string(bin)


class SubStr(_StringExpr):
    """The characters from an index on.

    >>> SubStr(1, "name")
    SubStr(1, 'name')
    """

    _op = _numbers.OP_STRING_SUBSTR

    def __init__(self, start: int, bin: Bin) -> None:
        self._string(bin, start=start)


class SubStrRange(_StringExpr):
    """The characters from ``start`` on and before ``end``.

    >>> SubStrRange(0, 2, "name")
    SubStrRange(0, 2, 'name')
    """

    _op = _numbers.OP_STRING_SUBSTR_RANGE
    _checks = {"end": INT64}

    def __init__(self, start: int, end: int, bin: Bin) -> None:
        self._string(bin, start=start, end=end)


class CharAt(_StringExpr):
    """The character at an index.

    >>> CharAt(0, "name")
    CharAt(0, 'name')
    """

    _op = _numbers.OP_STRING_CHAR_AT
    _checks = {"index": INT64}

    def __init__(self, index: int, bin: Bin) -> None:
        self._string(bin, index=index)


class Find(_StringExpr):
    """The index of an occurrence of a string; -1 if there is none.

    >>> Find("a", 1, "name")
    Find('a', 1, 'name')
    """

    _op = _numbers.OP_STRING_FIND

    def __init__(self, needle: str, occurrence: int, bin: Bin) -> None:
        self._string(bin, needle=needle, occurrence=occurrence)


class Contains(_StringExpr):
    """Whether a string contains another.

    >>> Contains("da", "name")
    Contains('da', 'name')
    """

    _op = _numbers.OP_STRING_CONTAINS

    def __init__(self, needle: str, bin: Bin) -> None:
        self._string(bin, needle=needle)


class StartsWith(_StringExpr):
    """Whether a string starts with another.

    >>> StartsWith("A", "name")
    StartsWith('A', 'name')
    """

    _op = _numbers.OP_STRING_STARTS_WITH

    def __init__(self, prefix: str, bin: Bin) -> None:
        self._string(bin, prefix=prefix)


class EndsWith(_StringExpr):
    """Whether a string ends with another.

    >>> EndsWith("a", "name")
    EndsWith('a', 'name')
    """

    _op = _numbers.OP_STRING_ENDS_WITH

    def __init__(self, suffix: str, bin: Bin) -> None:
        self._string(bin, suffix=suffix)


class ToInteger(_StringExpr):
    """A string as an integer.

    >>> ToInteger("name")
    ToInteger('name')
    """

    _op = _numbers.OP_STRING_TO_INTEGER

    def __init__(self, bin: Bin) -> None:
        self._string(bin)


class ToDouble(_StringExpr):
    """A string as a float.

    >>> ToDouble("name")
    ToDouble('name')
    """

    _op = _numbers.OP_STRING_TO_DOUBLE

    def __init__(self, bin: Bin) -> None:
        self._string(bin)


class ByteLength(_StringExpr):
    """The number of bytes of a string.

    >>> ByteLength("name")
    ByteLength('name')
    """

    _op = _numbers.OP_STRING_BYTE_LENGTH

    def __init__(self, bin: Bin) -> None:
        self._string(bin)


class IsNumeric(_StringExpr):
    """Whether a string is a number.

    >>> IsNumeric(NumericType.ANY, "name")
    IsNumeric(<NumericType.ANY: 0>, 'name')
    """

    _op = _numbers.OP_STRING_IS_NUMERIC

    def __init__(self, numeric_type: int, bin: Bin) -> None:
        self._string(bin, numeric_type=numeric_type)


class IsUpper(_StringExpr):
    """Whether all letters are upper case.

    >>> IsUpper("name")
    IsUpper('name')
    """

    _op = _numbers.OP_STRING_IS_UPPER

    def __init__(self, bin: Bin) -> None:
        self._string(bin)


class IsLower(_StringExpr):
    """Whether all letters are lower case.

    >>> IsLower("name")
    IsLower('name')
    """

    _op = _numbers.OP_STRING_IS_LOWER

    def __init__(self, bin: Bin) -> None:
        self._string(bin)


class ToBlob(_StringExpr):
    """A string as bytes.

    >>> ToBlob("name")
    ToBlob('name')
    """

    _op = _numbers.OP_STRING_TO_BLOB

    def __init__(self, bin: Bin) -> None:
        self._string(bin)


class Split(_StringExpr):
    """The characters of a string, as a list.

    >>> Split("name")
    Split('name')
    """

    _op = _numbers.OP_STRING_SPLIT

    def __init__(self, bin: Bin) -> None:
        self._string(bin)


class SplitSeparator(_StringExpr):
    """The parts of a string between separators, as a list.

    >>> SplitSeparator(",", "name")
    SplitSeparator(',', 'name')
    """

    _op = _numbers.OP_STRING_SPLIT_SEPARATOR
    _checks = {"separator": text}

    def __init__(self, separator: str, bin: Bin) -> None:
        self._string(bin, separator=separator)


class Base64Decode(_StringExpr):
    """The bytes that a string is the base64 of.

    >>> Base64Decode("name")
    Base64Decode('name')
    """

    _op = _numbers.OP_STRING_B64_DECODE

    def __init__(self, bin: Bin) -> None:
        self._string(bin)


class RegexCompare(_StringExpr):
    """Whether a string matches a regular expression.

    >>> RegexCompare("^A", "name")
    RegexCompare('^A', 'name')
    """

    _op = _numbers.OP_STRING_REGEX_COMPARE

    def __init__(self, pattern: str, bin: Bin, regex_flags: int = RegexFlags.DEFAULT) -> None:
        self._string(bin, pattern=pattern, regex_flags=regex_flags)


class ToString(_StringExpr):
    """An integer, a float or bytes as a string.

    >>> ToString("name")
    ToString('name')
    """

    _op = _numbers.OP_STRING_TO_STRING

    def __init__(self, bin: Bin) -> None:
        self._string(bin)
