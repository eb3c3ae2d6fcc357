"""Expressions of changed strings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .. import _numbers
from ._checks import INT64, INT64_OR_NONE, TEXTS, text
from ._collections import Bin
from ._strings import _StringExpr

if TYPE_CHECKING:
    from ..string_helpers import StringPolicy

__all__ = [
    "Append",
    "CaseFold",
    "Concat",
    "Insert",
    "Lower",
    "NormalizeNFC",
    "Overwrite",
    "PadEnd",
    "PadStart",
    "Prepend",
    "RegexReplace",
    "Repeat",
    "Replace",
    "ReplaceAll",
    "Snip",
    "Trim",
    "TrimEnd",
    "TrimStart",
    "Upper",
]


class Insert(_StringExpr):
    """A string with another inserted before an index.

    >>> Insert(None, 0, "Dr. ", "name")
    Insert(None, 0, 'Dr. ', 'name')
    """

    _op = _numbers.OP_STRING_INSERT
    _checks = {"value": text, "index": INT64}

    def __init__(self, policy: StringPolicy | None, index: int, value: str, bin: Bin) -> None:
        self._string(bin, str_policy=policy, index=index, val=value)


class Overwrite(_StringExpr):
    """A string with characters overwritten from an index on.

    >>> Overwrite(None, 0, "E", "name")
    Overwrite(None, 0, 'E', 'name')
    """

    _op = _numbers.OP_STRING_OVERWRITE
    _checks = {"value": text, "index": INT64}

    def __init__(self, policy: StringPolicy | None, index: int, value: str, bin: Bin) -> None:
        self._string(bin, str_policy=policy, index=index, val=value)


class Append(_StringExpr):
    """A string with another appended.

    >>> Append(None, "!", "name")
    Append(None, '!', 'name')
    """

    _op = _numbers.OP_STRING_APPEND
    _checks = {"value": text}

    def __init__(self, policy: StringPolicy | None, value: str, bin: Bin) -> None:
        self._string(bin, str_policy=policy, val=value)


class Prepend(_StringExpr):
    """A string with another prepended.

    >>> Prepend(None, "Dr. ", "name")
    Prepend(None, 'Dr. ', 'name')
    """

    _op = _numbers.OP_STRING_PREPEND
    _checks = {"value": text}

    def __init__(self, policy: StringPolicy | None, value: str, bin: Bin) -> None:
        self._string(bin, str_policy=policy, val=value)


class Concat(_StringExpr):
    """A string with several others appended.

    >>> Concat(None, [" ", "L."], "name")
    Concat(None, [' ', 'L.'], 'name')
    """

    _op = _numbers.OP_STRING_CONCAT
    _checks = {"values": TEXTS}

    def __init__(self, policy: StringPolicy | None, values: Sequence[str], bin: Bin) -> None:
        self._string(bin, str_policy=policy, val=values)


class Snip(_StringExpr):
    """A string without the characters from ``start`` on and before ``end``.

    >>> Snip(None, 0, 1, "name")
    Snip(None, 0, 1, 'name')
    """

    _op = _numbers.OP_STRING_SNIP
    _checks = {"end": INT64_OR_NONE}

    def __init__(self, policy: StringPolicy | None, start: int, end: int | None, bin: Bin) -> None:
        if end is None:
            self._op = _numbers.OP_STRING_SNIP_START
        self._string(bin, str_policy=policy, start=start, end=end)


class Replace(_StringExpr):
    """A string with the first occurrence of another replaced.

    >>> Replace(None, "a", "o", "name")
    Replace(None, 'a', 'o', 'name')
    """

    _op = _numbers.OP_STRING_REPLACE

    def __init__(self, policy: StringPolicy | None, needle: str, replacement: str, bin: Bin) -> None:
        self._string(bin, str_policy=policy, needle=needle, replacement=replacement)


class ReplaceAll(_StringExpr):
    """A string with all occurrences of another replaced.

    >>> ReplaceAll(None, "a", "o", "name")
    ReplaceAll(None, 'a', 'o', 'name')
    """

    _op = _numbers.OP_STRING_REPLACE_ALL

    def __init__(self, policy: StringPolicy | None, needle: str, replacement: str, bin: Bin) -> None:
        self._string(bin, str_policy=policy, needle=needle, replacement=replacement)


class Upper(_StringExpr):
    """A string in upper case.

    >>> Upper(None, "name")
    Upper(None, 'name')
    """

    _op = _numbers.OP_STRING_UPPER

    def __init__(self, policy: StringPolicy | None, bin: Bin) -> None:
        self._string(bin, str_policy=policy)


class Lower(_StringExpr):
    """A string in lower case.

    >>> Lower(None, "name")
    Lower(None, 'name')
    """

    _op = _numbers.OP_STRING_LOWER

    def __init__(self, policy: StringPolicy | None, bin: Bin) -> None:
        self._string(bin, str_policy=policy)


class CaseFold(_StringExpr):
    """A string without case, for comparisons that ignore it.

    >>> CaseFold(None, "name")
    CaseFold(None, 'name')
    """

    _op = _numbers.OP_STRING_CASE_FOLD

    def __init__(self, policy: StringPolicy | None, bin: Bin) -> None:
        self._string(bin, str_policy=policy)


class NormalizeNFC(_StringExpr):
    """A string in Unicode's normal form C.

    >>> NormalizeNFC(None, "name")
    NormalizeNFC(None, 'name')
    """

    _op = _numbers.OP_STRING_NORMALIZE_NFC

    def __init__(self, policy: StringPolicy | None, bin: Bin) -> None:
        self._string(bin, str_policy=policy)


class TrimStart(_StringExpr):
    """A string without white space at the start.

    >>> TrimStart(None, "name")
    TrimStart(None, 'name')
    """

    _op = _numbers.OP_STRING_TRIM_START

    def __init__(self, policy: StringPolicy | None, bin: Bin) -> None:
        self._string(bin, str_policy=policy)


class TrimEnd(_StringExpr):
    """A string without white space at the end.

    >>> TrimEnd(None, "name")
    TrimEnd(None, 'name')
    """

    _op = _numbers.OP_STRING_TRIM_END

    def __init__(self, policy: StringPolicy | None, bin: Bin) -> None:
        self._string(bin, str_policy=policy)


class Trim(_StringExpr):
    """A string without white space at both ends.

    >>> Trim(None, "name")
    Trim(None, 'name')
    """

    _op = _numbers.OP_STRING_TRIM

    def __init__(self, policy: StringPolicy | None, bin: Bin) -> None:
        self._string(bin, str_policy=policy)


class PadStart(_StringExpr):
    """A string, padded at the start to a length.

    >>> PadStart(None, 8, " ", "name")
    PadStart(None, 8, ' ', 'name')
    """

    _op = _numbers.OP_STRING_PAD_START

    def __init__(self, policy: StringPolicy | None, target_length: int, pad_string: str, bin: Bin) -> None:
        self._string(bin, str_policy=policy, target_length=target_length, pad_string=pad_string)


class PadEnd(_StringExpr):
    """A string, padded at the end to a length.

    >>> PadEnd(None, 8, " ", "name")
    PadEnd(None, 8, ' ', 'name')
    """

    _op = _numbers.OP_STRING_PAD_END

    def __init__(self, policy: StringPolicy | None, target_length: int, pad_string: str, bin: Bin) -> None:
        self._string(bin, str_policy=policy, target_length=target_length, pad_string=pad_string)


class Repeat(_StringExpr):
    """A string, repeated.

    >>> Repeat(None, 2, "name")
    Repeat(None, 2, 'name')
    """

    _op = _numbers.OP_STRING_REPEAT
    _checks = {"count": INT64}

    def __init__(self, policy: StringPolicy | None, count: int, bin: Bin) -> None:
        self._string(bin, str_policy=policy, count=count)


class RegexReplace(_StringExpr):
    """A string with what matches a regular expression replaced.

    >>> RegexReplace(None, "a+", "o", RegexFlags.DEFAULT, "name")
    RegexReplace(None, 'a+', 'o', <RegexFlags.DEFAULT: 0>, 'name')
    """

    _op = _numbers.OP_STRING_REGEX_REPLACE

    def __init__(
        self, policy: StringPolicy | None, pattern: str, replacement: str, regex_flags: int, bin: Bin
    ) -> None:
        self._string(
            bin, str_policy=policy, pattern=pattern, replacement=replacement, regex_flags=regex_flags
        )
