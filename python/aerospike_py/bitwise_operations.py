"""Operations on the bits and bytes of blobs, for ``operate``, batches and queries.

The functions have the names and arguments of the official client's
``aerospike_helpers.operations.bitwise_operations`` and return the same dictionaries: to migrate, change the
import. A wrong argument is refused by the call that sends the
operation.

Offsets count from the left, or from the right if negative. ``policy`` is a dictionary with
``bit_write_flags`` (``BIT_WRITE_*``).

>>> from aerospike_py import bitwise_operations as bits
>>> ops = [bits.bit_resize("flags", 4), bits.bit_set_int("flags", 0, 8, 3), bits.bit_count("flags", 0, 32)]
>>> client.operate(("test", "users", "bit-operations"), ops).bins["flags"]
2
"""

from __future__ import annotations

from . import _numbers, constants
from ._operation import BitPolicy, Context, Operation, operation

__all__ = [
    "bit_add",
    "bit_and",
    "bit_b64_encode",
    "bit_count",
    "bit_get",
    "bit_get_int",
    "bit_insert",
    "bit_lscan",
    "bit_lshift",
    "bit_not",
    "bit_or",
    "bit_remove",
    "bit_resize",
    "bit_rscan",
    "bit_rshift",
    "bit_set",
    "bit_set_int",
    "bit_subtract",
    "bit_xor",
]


def bit_resize(bin_name: str, byte_size: int, policy: BitPolicy = None, resize_flags: int = 0) -> Operation:
    """Makes a blob longer, with zeros, or shorter.

    >>> bit_resize("flags", 4)
    {'op': 2000, 'bin': 'flags', 'policy': None, 'resize_flags': 0, 'byte_size': 4}
    """
    return operation(
        constants.OP_BIT_RESIZE, bin_name, policy=policy, resize_flags=resize_flags, byte_size=byte_size
    )


def bit_remove(bin_name: str, byte_offset: int, byte_size: int, policy: BitPolicy = None) -> Operation:
    """Removes bytes.

    >>> bit_remove("flags", 0, 1)
    {'op': 2002, 'bin': 'flags', 'policy': None, 'byte_offset': 0, 'byte_size': 1}
    """
    return operation(
        constants.OP_BIT_REMOVE, bin_name, policy=policy, byte_offset=byte_offset, byte_size=byte_size
    )


def bit_set(
    bin_name: str,
    bit_offset: int,
    bit_size: int,
    value_byte_size: int,
    value: bytes | bytearray,
    policy: BitPolicy = None,
) -> Operation:
    r"""Overwrites bits by the first bits of ``value``. ``value_byte_size`` has no effect.

    >>> bit_set("flags", 0, 8, 1, b"\xff")
    {'op': 2003, 'bin': 'flags', 'policy': None, 'bit_offset': 0, 'bit_size': 8, 'value_byte_size': 1,
    'value': b'\xff'}
    """
    return operation(
        constants.OP_BIT_SET,
        bin_name,
        policy=policy,
        bit_offset=bit_offset,
        bit_size=bit_size,
        value_byte_size=value_byte_size,
        value=value,
    )


def bit_set_int(
    bin_name: str, bit_offset: int, bit_size: int, value: int, policy: BitPolicy = None
) -> Operation:
    """Overwrites bits by an integer.

    >>> bit_set_int("flags", 0, 8, 255)
    {'op': 2013, 'bin': 'flags', 'policy': None, 'bit_offset': 0, 'bit_size': 8, 'value': 255}
    """
    return operation(
        constants.OP_BIT_SET_INT,
        bin_name,
        policy=policy,
        bit_offset=bit_offset,
        bit_size=bit_size,
        value=value,
    )


def bit_count(bin_name: str, bit_offset: int, bit_size: int) -> Operation:
    """Counts the bits that are set.

    >>> bit_count("flags", 0, 32)
    {'op': 2015, 'bin': 'flags', 'bit_offset': 0, 'bit_size': 32}
    """
    return operation(constants.OP_BIT_COUNT, bin_name, bit_offset=bit_offset, bit_size=bit_size)


def bit_add(
    bin_name: str,
    bit_offset: int,
    bit_size: int,
    value: int,
    sign: bool,
    action: int,
    policy: BitPolicy = None,
) -> Operation:
    """Adds to the integer that the bits are. ``sign`` takes them as a signed one, ``action`` says what an
    overflow does (``BIT_OVERFLOW_*``).

    >>> bit_add("flags", 0, 16, 1, False, BIT_OVERFLOW_WRAP)
    {'op': 2010, 'bin': 'flags', 'policy': None, 'bit_offset': 0, 'bit_size': 16, 'value': 1, 'sign': False,
    'action': 4}
    """
    return operation(
        constants.OP_BIT_ADD,
        bin_name,
        policy=policy,
        bit_offset=bit_offset,
        bit_size=bit_size,
        value=value,
        sign=sign,
        action=action,
    )


def bit_and(
    bin_name: str,
    bit_offset: int,
    bit_size: int,
    value_byte_size: int,
    value: bytes | bytearray,
    policy: BitPolicy = None,
) -> Operation:
    r"""Combines bits with those of ``value`` by a bitwise and.

    >>> bit_and("flags", 0, 8, 1, b"\x0f")
    {'op': 2006, 'bin': 'flags', 'policy': None, 'bit_offset': 0, 'bit_size': 8, 'value_byte_size': 1,
    'value': b'\x0f'}
    """
    return operation(
        constants.OP_BIT_AND,
        bin_name,
        policy=policy,
        bit_offset=bit_offset,
        bit_size=bit_size,
        value_byte_size=value_byte_size,
        value=value,
    )


def bit_get(bin_name: str, bit_offset: int, bit_size: int) -> Operation:
    """Reads bits as bytes.

    >>> bit_get("flags", 4, 8)
    {'op': 2014, 'bin': 'flags', 'bit_offset': 4, 'bit_size': 8}
    """
    return operation(constants.OP_BIT_GET, bin_name, bit_offset=bit_offset, bit_size=bit_size)


def bit_get_int(bin_name: str, bit_offset: int, bit_size: int, sign: bool) -> Operation:
    """Reads bits as an integer, signed if ``sign`` is true.

    >>> bit_get_int("flags", 0, 16, False)
    {'op': 2012, 'bin': 'flags', 'bit_offset': 0, 'bit_size': 16, 'sign': False}
    """
    return operation(constants.OP_BIT_GET_INT, bin_name, bit_offset=bit_offset, bit_size=bit_size, sign=sign)


def bit_insert(
    bin_name: str,
    byte_offset: int,
    value_byte_size: int,
    value: bytes | bytearray,
    policy: BitPolicy = None,
) -> Operation:
    r"""Inserts bytes before an offset.

    >>> bit_insert("flags", 0, 1, b"\xff")
    {'op': 2001, 'bin': 'flags', 'byte_offset': 0, 'value_byte_size': 1, 'value': b'\xff', 'policy': None}
    """
    return operation(
        constants.OP_BIT_INSERT,
        bin_name,
        byte_offset=byte_offset,
        value_byte_size=value_byte_size,
        value=value,
        policy=policy,
    )


def bit_lscan(bin_name: str, bit_offset: int, bit_size: int, value: bool) -> Operation:
    """Finds the first bit that is ``value``, from the left; -1 if there is none.

    >>> bit_lscan("flags", 0, 32, True)
    {'op': 2016, 'bin': 'flags', 'bit_offset': 0, 'bit_size': 32, 'value': True}
    """
    return operation(constants.OP_BIT_LSCAN, bin_name, bit_offset=bit_offset, bit_size=bit_size, value=value)


def bit_lshift(
    bin_name: str, bit_offset: int, bit_size: int, shift: int, policy: BitPolicy = None
) -> Operation:
    """Shifts bits to the left.

    >>> bit_lshift("flags", 0, 32, 1)
    {'op': 2008, 'bin': 'flags', 'bit_offset': 0, 'bit_size': 32, 'value': 1, 'policy': None}
    """
    return operation(
        constants.OP_BIT_LSHIFT,
        bin_name,
        bit_offset=bit_offset,
        bit_size=bit_size,
        value=shift,
        policy=policy,
    )


def bit_not(bin_name: str, bit_offset: int, bit_size: int, policy: BitPolicy = None) -> Operation:
    """Inverts bits.

    >>> bit_not("flags", 0, 32)
    {'op': 2007, 'bin': 'flags', 'bit_offset': 0, 'bit_size': 32, 'policy': None}
    """
    return operation(constants.OP_BIT_NOT, bin_name, bit_offset=bit_offset, bit_size=bit_size, policy=policy)


def bit_or(
    bin_name: str,
    bit_offset: int,
    bit_size: int,
    value_byte_size: int,
    value: bytes | bytearray,
    policy: BitPolicy = None,
) -> Operation:
    r"""Combines bits with those of ``value`` by a bitwise or.

    >>> bit_or("flags", 0, 8, 1, b"\x0f")
    {'op': 2004, 'bin': 'flags', 'policy': None, 'bit_offset': 0, 'bit_size': 8, 'value_byte_size': 1,
    'value': b'\x0f'}
    """
    return operation(
        constants.OP_BIT_OR,
        bin_name,
        policy=policy,
        bit_offset=bit_offset,
        bit_size=bit_size,
        value_byte_size=value_byte_size,
        value=value,
    )


def bit_rscan(bin_name: str, bit_offset: int, bit_size: int, value: bool) -> Operation:
    """Finds the first bit that is ``value``, from the right; -1 if there is none.

    >>> bit_rscan("flags", 0, 32, True)
    {'op': 2017, 'bin': 'flags', 'bit_offset': 0, 'bit_size': 32, 'value': True}
    """
    return operation(constants.OP_BIT_RSCAN, bin_name, bit_offset=bit_offset, bit_size=bit_size, value=value)


def bit_rshift(
    bin_name: str, bit_offset: int, bit_size: int, shift: int, policy: BitPolicy = None
) -> Operation:
    """Shifts bits to the right.

    >>> bit_rshift("flags", 0, 32, 1)
    {'op': 2009, 'bin': 'flags', 'bit_offset': 0, 'bit_size': 32, 'value': 1, 'policy': None}
    """
    return operation(
        constants.OP_BIT_RSHIFT,
        bin_name,
        bit_offset=bit_offset,
        bit_size=bit_size,
        value=shift,
        policy=policy,
    )


def bit_subtract(
    bin_name: str,
    bit_offset: int,
    bit_size: int,
    value: int,
    sign: bool,
    action: int,
    policy: BitPolicy = None,
) -> Operation:
    """Subtracts from the integer that the bits are. ``sign`` takes them as a signed one, ``action`` says
    what an overflow does (``BIT_OVERFLOW_*``).

    >>> bit_subtract("flags", 0, 16, 1, False, BIT_OVERFLOW_FAIL)
    {'op': 2011, 'bin': 'flags', 'policy': None, 'bit_offset': 0, 'bit_size': 16, 'value': 1, 'sign': False,
    'action': 0}
    """
    return operation(
        constants.OP_BIT_SUBTRACT,
        bin_name,
        policy=policy,
        bit_offset=bit_offset,
        bit_size=bit_size,
        value=value,
        sign=sign,
        action=action,
    )


def bit_xor(
    bin_name: str,
    bit_offset: int,
    bit_size: int,
    value_byte_size: int,
    value: bytes | bytearray,
    policy: BitPolicy = None,
) -> Operation:
    r"""Combines bits with those of ``value`` by a bitwise exclusive or.

    >>> bit_xor("flags", 0, 8, 1, b"\xff")
    {'op': 2005, 'bin': 'flags', 'policy': None, 'bit_offset': 0, 'bit_size': 8, 'value_byte_size': 1,
    'value': b'\xff'}
    """
    return operation(
        constants.OP_BIT_XOR,
        bin_name,
        policy=policy,
        bit_offset=bit_offset,
        bit_size=bit_size,
        value_byte_size=value_byte_size,
        value=value,
    )


def bit_b64_encode(
    bin_name: str,
    byte_offset: int = 0,
    byte_size: int | None = None,
    invert_size: bool = False,
    ctx: Context = None,
) -> Operation:
    """Reads bytes as base64. Needs server 8.2.

    >>> bit_b64_encode("flags")
    {'op': 2018, 'bin': 'flags', 'byte_offset': 0, 'byte_size': None, 'invert_size': False, 'ctx': None}
    """
    return operation(
        _numbers.OP_BIT_B64_ENCODE,
        bin_name,
        byte_offset=byte_offset,
        byte_size=byte_size,
        invert_size=invert_size,
        ctx=ctx,
    )
