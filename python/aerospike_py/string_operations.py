"""Operations on strings, for ``operate``, batches and queries. They need server 8.2.

The functions have the names and arguments of the official client's
``aerospike_helpers.operations.string_operations`` and return the same dictionaries: to migrate, change the
import. A wrong argument is refused by the call that sends the
operation.

Indexes count characters from 0, or from the end if negative. ``policy`` is a
:class:`~aerospike_py.string_helpers.StringPolicy`, and ``ctx`` the way to a string inside the bin
(:mod:`~aerospike_py.cdt_ctx`).

>>> from aerospike_py import string_operations
>>> string_operations.append("name", "!")["bin"]
'name'
"""

from __future__ import annotations

from collections.abc import Sequence

from . import _numbers
from ._operation import Context, Operation, operation
from .string_helpers import NumericType, RegexFlags, StringPolicy

__all__ = [
    "append",
    "base64_decode",
    "byte_length",
    "casefold",
    "char_at",
    "concat",
    "contains",
    "ends_with",
    "find",
    "insert",
    "is_lower",
    "is_numeric",
    "is_upper",
    "lower",
    "normalize_nfc",
    "overwrite",
    "pad_end",
    "pad_start",
    "prepend",
    "regex_compare",
    "regex_replace",
    "repeat",
    "replace",
    "replace_all",
    "snip",
    "split",
    "split_separator",
    "starts_with",
    "strlen",
    "substr",
    "substr_range",
    "to_blob",
    "to_double",
    "to_integer",
    "to_string",
    "trim",
    "trim_end",
    "trim_start",
    "upper",
]


def strlen(bin_name: str, ctx: Context = None) -> Operation:
    """Reads the number of characters.

    >>> strlen("name")
    {'op': 1200, 'bin': 'name', 'ctx': None}
    """
    return operation(_numbers.OP_STRING_STRLEN, bin_name, ctx=ctx)


def substr(bin_name: str, start: int, ctx: Context = None) -> Operation:
    """Reads the characters from an index on.

    >>> substr("name", 1)
    {'op': 1201, 'bin': 'name', 'start': 1, 'ctx': None}
    """
    return operation(_numbers.OP_STRING_SUBSTR, bin_name, start=start, ctx=ctx)


def substr_range(bin_name: str, start: int, end: int, ctx: Context = None) -> Operation:
    """Reads the characters from ``start`` on and before ``end``.

    >>> substr_range("name", 0, 2)
    {'op': 1202, 'bin': 'name', 'start': 0, 'end': 2, 'ctx': None}
    """
    return operation(_numbers.OP_STRING_SUBSTR_RANGE, bin_name, start=start, end=end, ctx=ctx)


def char_at(bin_name: str, index: int, ctx: Context = None) -> Operation:
    """Reads the character at an index.

    >>> char_at("name", 0)
    {'op': 1203, 'bin': 'name', 'index': 0, 'ctx': None}
    """
    return operation(_numbers.OP_STRING_CHAR_AT, bin_name, index=index, ctx=ctx)


def find(bin_name: str, needle: str, occurrence: int = 1, ctx: Context = None) -> Operation:
    """Finds an occurrence of a string; reads its index, -1 if there is none.

    >>> find("name", "a")
    {'op': 1204, 'bin': 'name', 'needle': 'a', 'occurrence': 1, 'ctx': None}
    """
    return operation(_numbers.OP_STRING_FIND, bin_name, needle=needle, occurrence=occurrence, ctx=ctx)


def contains(bin_name: str, needle: str, ctx: Context = None) -> Operation:
    """Reads whether the string contains another.

    >>> contains("name", "da")
    {'op': 1205, 'bin': 'name', 'needle': 'da', 'ctx': None}
    """
    return operation(_numbers.OP_STRING_CONTAINS, bin_name, needle=needle, ctx=ctx)


def starts_with(bin_name: str, prefix: str, ctx: Context = None) -> Operation:
    """Reads whether the string starts with another.

    >>> starts_with("name", "A")
    {'op': 1206, 'bin': 'name', 'prefix': 'A', 'ctx': None}
    """
    return operation(_numbers.OP_STRING_STARTS_WITH, bin_name, prefix=prefix, ctx=ctx)


def ends_with(bin_name: str, suffix: str, ctx: Context = None) -> Operation:
    """Reads whether the string ends with another.

    >>> ends_with("name", "a")
    {'op': 1207, 'bin': 'name', 'suffix': 'a', 'ctx': None}
    """
    return operation(_numbers.OP_STRING_ENDS_WITH, bin_name, suffix=suffix, ctx=ctx)


def to_integer(bin_name: str, ctx: Context = None) -> Operation:
    """Reads the string as an integer.

    >>> to_integer("name")
    {'op': 1208, 'bin': 'name', 'ctx': None}
    """
    return operation(_numbers.OP_STRING_TO_INTEGER, bin_name, ctx=ctx)


def to_double(bin_name: str, ctx: Context = None) -> Operation:
    """Reads the string as a double.

    >>> to_double("name")
    {'op': 1209, 'bin': 'name', 'ctx': None}
    """
    return operation(_numbers.OP_STRING_TO_DOUBLE, bin_name, ctx=ctx)


def byte_length(bin_name: str, ctx: Context = None) -> Operation:
    """Reads the number of bytes.

    >>> byte_length("name")
    {'op': 1210, 'bin': 'name', 'ctx': None}
    """
    return operation(_numbers.OP_STRING_BYTE_LENGTH, bin_name, ctx=ctx)


def is_numeric(bin_name: str, numeric_type: int = NumericType.ANY, ctx: Context = None) -> Operation:
    """Reads whether the string is a number.

    >>> is_numeric("name")
    {'op': 1211, 'bin': 'name', 'numeric_type': <NumericType.ANY: 0>, 'ctx': None}
    """
    return operation(_numbers.OP_STRING_IS_NUMERIC, bin_name, numeric_type=numeric_type, ctx=ctx)


def is_upper(bin_name: str, ctx: Context = None) -> Operation:
    """Reads whether all letters are upper case.

    >>> is_upper("name")
    {'op': 1212, 'bin': 'name', 'ctx': None}
    """
    return operation(_numbers.OP_STRING_IS_UPPER, bin_name, ctx=ctx)


def is_lower(bin_name: str, ctx: Context = None) -> Operation:
    """Reads whether all letters are lower case.

    >>> is_lower("name")
    {'op': 1213, 'bin': 'name', 'ctx': None}
    """
    return operation(_numbers.OP_STRING_IS_LOWER, bin_name, ctx=ctx)


def to_blob(bin_name: str, ctx: Context = None) -> Operation:
    """Reads the string as bytes.

    >>> to_blob("name")
    {'op': 1214, 'bin': 'name', 'ctx': None}
    """
    return operation(_numbers.OP_STRING_TO_BLOB, bin_name, ctx=ctx)


def split(bin_name: str, ctx: Context = None) -> Operation:
    """Reads the characters as a list.

    >>> split("name")
    {'op': 1215, 'bin': 'name', 'ctx': None}
    """
    return operation(_numbers.OP_STRING_SPLIT, bin_name, ctx=ctx)


def split_separator(bin_name: str, separator: str, ctx: Context = None) -> Operation:
    """Reads the parts between separators as a list.

    >>> split_separator("name", ",")
    {'op': 1216, 'bin': 'name', 'separator': ',', 'ctx': None}
    """
    return operation(_numbers.OP_STRING_SPLIT_SEPARATOR, bin_name, separator=separator, ctx=ctx)


def base64_decode(bin_name: str, ctx: Context = None) -> Operation:
    """Reads the bytes that the string is the base64 of.

    >>> base64_decode("name")
    {'op': 1217, 'bin': 'name', 'ctx': None}
    """
    return operation(_numbers.OP_STRING_B64_DECODE, bin_name, ctx=ctx)


def regex_compare(
    bin_name: str, pattern: str, regex_flags: int = RegexFlags.DEFAULT, ctx: Context = None
) -> Operation:
    """Reads whether the string matches a regular expression.

    >>> regex_compare("name", "^A")
    {'op': 1218, 'bin': 'name', 'pattern': '^A', 'regex_flags': <RegexFlags.DEFAULT: 0>, 'ctx': None}
    """
    return operation(
        _numbers.OP_STRING_REGEX_COMPARE, bin_name, pattern=pattern, regex_flags=regex_flags, ctx=ctx
    )


def to_string(bin_name: str) -> Operation:
    """Reads an integer, a double or a blob as a string.

    >>> to_string("age")
    {'op': 1239, 'bin': 'age'}
    """
    return operation(_numbers.OP_STRING_TO_STRING, bin_name)


def insert(
    bin_name: str, index: int, value: str, policy: StringPolicy | None = None, ctx: Context = None
) -> Operation:
    """Inserts a string before an index.

    >>> insert("name", 0, "Dr. ")
    {'op': 1219, 'bin': 'name', 'index': 0, 'value': 'Dr. ', 'policy': None, 'ctx': None}
    """
    return operation(_numbers.OP_STRING_INSERT, bin_name, index=index, value=value, policy=policy, ctx=ctx)


def overwrite(
    bin_name: str, index: int, value: str, policy: StringPolicy | None = None, ctx: Context = None
) -> Operation:
    """Overwrites the characters from an index on.

    >>> overwrite("name", 0, "E")
    {'op': 1220, 'bin': 'name', 'index': 0, 'value': 'E', 'policy': None, 'ctx': None}
    """
    return operation(_numbers.OP_STRING_OVERWRITE, bin_name, index=index, value=value, policy=policy, ctx=ctx)


def append(bin_name: str, value: str, policy: StringPolicy | None = None, ctx: Context = None) -> Operation:
    """Appends a string.

    >>> append("name", "!")
    {'op': 1237, 'bin': 'name', 'value': '!', 'policy': None, 'ctx': None}
    """
    return operation(_numbers.OP_STRING_APPEND, bin_name, value=value, policy=policy, ctx=ctx)


def prepend(bin_name: str, value: str, policy: StringPolicy | None = None, ctx: Context = None) -> Operation:
    """Prepends a string.

    >>> prepend("name", "Dr. ")
    {'op': 1238, 'bin': 'name', 'value': 'Dr. ', 'policy': None, 'ctx': None}
    """
    return operation(_numbers.OP_STRING_PREPEND, bin_name, value=value, policy=policy, ctx=ctx)


def concat(
    bin_name: str, value_list: Sequence[str], policy: StringPolicy | None = None, ctx: Context = None
) -> Operation:
    """Appends several strings.

    >>> concat("name", [" ", "L."])
    {'op': 1221, 'bin': 'name', 'value_list': [' ', 'L.'], 'policy': None, 'ctx': None}
    """
    return operation(_numbers.OP_STRING_CONCAT, bin_name, value_list=value_list, policy=policy, ctx=ctx)


def snip(
    bin_name: str, start: int, end: int | None = None, policy: StringPolicy | None = None, ctx: Context = None
) -> Operation:
    """Removes the characters from ``start`` on and before ``end``.

    >>> snip("name", 0, 1)
    {'op': 1222, 'bin': 'name', 'start': 0, 'end': 1, 'policy': None, 'ctx': None}
    """
    return operation(_numbers.OP_STRING_SNIP, bin_name, start=start, end=end, policy=policy, ctx=ctx)


def replace(
    bin_name: str, needle: str, replacement: str, policy: StringPolicy | None = None, ctx: Context = None
) -> Operation:
    """Replaces the first occurrence of a string.

    >>> replace("name", "a", "o")
    {'op': 1224, 'bin': 'name', 'needle': 'a', 'replacement': 'o', 'policy': None, 'ctx': None}
    """
    return operation(
        _numbers.OP_STRING_REPLACE, bin_name, needle=needle, replacement=replacement, policy=policy, ctx=ctx
    )


def replace_all(
    bin_name: str, needle: str, replacement: str, policy: StringPolicy | None = None, ctx: Context = None
) -> Operation:
    """Replaces all occurrences of a string.

    >>> replace_all("name", "a", "o")
    {'op': 1225, 'bin': 'name', 'needle': 'a', 'replacement': 'o', 'policy': None, 'ctx': None}
    """
    return operation(
        _numbers.OP_STRING_REPLACE_ALL,
        bin_name,
        needle=needle,
        replacement=replacement,
        policy=policy,
        ctx=ctx,
    )


def upper(bin_name: str, policy: StringPolicy | None = None, ctx: Context = None) -> Operation:
    """Makes all letters upper case.

    >>> upper("name")
    {'op': 1226, 'bin': 'name', 'policy': None, 'ctx': None}
    """
    return operation(_numbers.OP_STRING_UPPER, bin_name, policy=policy, ctx=ctx)


def lower(bin_name: str, policy: StringPolicy | None = None, ctx: Context = None) -> Operation:
    """Makes all letters lower case.

    >>> lower("name")
    {'op': 1227, 'bin': 'name', 'policy': None, 'ctx': None}
    """
    return operation(_numbers.OP_STRING_LOWER, bin_name, policy=policy, ctx=ctx)


def casefold(bin_name: str, policy: StringPolicy | None = None, ctx: Context = None) -> Operation:
    """Folds the case, for comparisons that ignore it.

    >>> casefold("name")
    {'op': 1228, 'bin': 'name', 'policy': None, 'ctx': None}
    """
    return operation(_numbers.OP_STRING_CASE_FOLD, bin_name, policy=policy, ctx=ctx)


def normalize_nfc(bin_name: str, policy: StringPolicy | None = None, ctx: Context = None) -> Operation:
    """Brings the string into Unicode's normal form C.

    >>> normalize_nfc("name")
    {'op': 1229, 'bin': 'name', 'policy': None, 'ctx': None}
    """
    return operation(_numbers.OP_STRING_NORMALIZE_NFC, bin_name, policy=policy, ctx=ctx)


def trim_start(bin_name: str, policy: StringPolicy | None = None, ctx: Context = None) -> Operation:
    """Removes white space at the start.

    >>> trim_start("name")
    {'op': 1230, 'bin': 'name', 'policy': None, 'ctx': None}
    """
    return operation(_numbers.OP_STRING_TRIM_START, bin_name, policy=policy, ctx=ctx)


def trim_end(bin_name: str, policy: StringPolicy | None = None, ctx: Context = None) -> Operation:
    """Removes white space at the end.

    >>> trim_end("name")
    {'op': 1231, 'bin': 'name', 'policy': None, 'ctx': None}
    """
    return operation(_numbers.OP_STRING_TRIM_END, bin_name, policy=policy, ctx=ctx)


def trim(bin_name: str, policy: StringPolicy | None = None, ctx: Context = None) -> Operation:
    """Removes white space at both ends.

    >>> trim("name")
    {'op': 1232, 'bin': 'name', 'policy': None, 'ctx': None}
    """
    return operation(_numbers.OP_STRING_TRIM, bin_name, policy=policy, ctx=ctx)


def pad_start(
    bin_name: str,
    target_length: int,
    pad_string: str,
    policy: StringPolicy | None = None,
    ctx: Context = None,
) -> Operation:
    """Pads the string at the start to a length.

    >>> pad_start("name", 8, " ")
    {'op': 1233, 'bin': 'name', 'target_length': 8, 'pad_string': ' ', 'policy': None, 'ctx': None}
    """
    return operation(
        _numbers.OP_STRING_PAD_START,
        bin_name,
        target_length=target_length,
        pad_string=pad_string,
        policy=policy,
        ctx=ctx,
    )


def pad_end(
    bin_name: str,
    target_length: int,
    pad_string: str,
    policy: StringPolicy | None = None,
    ctx: Context = None,
) -> Operation:
    """Pads the string at the end to a length.

    >>> pad_end("name", 8, " ")
    {'op': 1234, 'bin': 'name', 'target_length': 8, 'pad_string': ' ', 'policy': None, 'ctx': None}
    """
    return operation(
        _numbers.OP_STRING_PAD_END,
        bin_name,
        target_length=target_length,
        pad_string=pad_string,
        policy=policy,
        ctx=ctx,
    )


def repeat(bin_name: str, count: int, policy: StringPolicy | None = None, ctx: Context = None) -> Operation:
    """Repeats the string.

    >>> repeat("name", 2)
    {'op': 1235, 'bin': 'name', 'count': 2, 'policy': None, 'ctx': None}
    """
    return operation(_numbers.OP_STRING_REPEAT, bin_name, count=count, policy=policy, ctx=ctx)


def regex_replace(
    bin_name: str,
    pattern: str,
    replacement: str,
    regex_flags: int = RegexFlags.DEFAULT,
    policy: StringPolicy | None = None,
    ctx: Context = None,
) -> Operation:
    """Replaces what matches a regular expression.

    >>> regex_replace("name", "a+", "o")
    {'op': 1236, 'bin': 'name', 'pattern': 'a+', 'replacement': 'o', 'regex_flags': <RegexFlags.DEFAULT: 0>,
    'policy': None, 'ctx': None}
    """
    return operation(
        _numbers.OP_STRING_REGEX_REPLACE,
        bin_name,
        pattern=pattern,
        replacement=replacement,
        regex_flags=regex_flags,
        policy=policy,
        ctx=ctx,
    )
