"""Expressions about bits and bytes of blobs.

The classes have the names and arguments of the official client's ``aerospike_helpers.expressions.bitwise``.
``bin`` is the name of a blob bin or an expression that is bytes, ``policy`` None or a dictionary with
``bit_write_flags`` (``BIT_WRITE_*``). Offsets count from the left, or from the right if negative.

>>> from aerospike_py.expressions import bitwise
>>> bitwise.BitCount(0, 32, "data")
BitCount(0, 32, 'data')
"""

from __future__ import annotations

from typing import Any

from .. import _numbers, constants
from ._checks import (
    ACTION_OR_NONE,
    BYTES,
    FLAG_OR_EXPRESSION,
    FLAGS_OR_NONE,
    NUMBER,
    SIZE_OR_NONE,
    is_expression,
)
from ._collections import Bin, Policy
from .base import BlobBin
from .resources import _BaseExpr, _ExprOp, _GenericExpr, _Keys

__all__ = [
    "BitAdd",
    "BitAnd",
    "BitB64Encode",
    "BitCount",
    "BitGet",
    "BitGetInt",
    "BitInsert",
    "BitLeftScan",
    "BitLeftShift",
    "BitNot",
    "BitOr",
    "BitRemove",
    "BitResize",
    "BitRightScan",
    "BitRightShift",
    "BitSet",
    "BitSetInt",
    "BitSubtract",
    "BitXor",
]


def _blob(bin: Bin) -> Any:
    return bin if is_expression(bin) else BlobBin(bin)  # type: ignore[arg-type]


def _flags(policy: Policy, *more: int | None) -> tuple[_GenericExpr, ...]:
    """The flags of a policy and further ones, each a node."""
    flags = (policy or {}).get("bit_write_flags", 0), *more
    return tuple(_GenericExpr(_ExprOp.BIT_FLAGS, 0, {_Keys.VALUE_KEY: flag or 0}) for flag in flags)


class BitResize(_BaseExpr):
    """Bytes, made longer with zeros, or shorter; ``flags`` are ``BIT_RESIZE_*`` constants.

    >>> BitResize(None, 4, BIT_RESIZE_DEFAULT, "data")
    BitResize(None, 4, 0, 'data')
    """

    _op = constants.OP_BIT_RESIZE
    _checks = {"flags": FLAGS_OR_NONE}

    def __init__(self, policy: Policy, byte_size: Any, flags: int, bin: Bin) -> None:
        self._children = (byte_size, *_flags(policy, flags), _blob(bin))


class BitInsert(_BaseExpr):
    r"""Bytes with others inserted before an offset.

    >>> BitInsert(None, 0, b"\xff", "data")
    BitInsert(None, 0, b'\xff', 'data')
    """

    _op = constants.OP_BIT_INSERT
    _checks = {"value": BYTES}

    def __init__(self, policy: Policy, byte_offset: Any, value: Any, bin: Bin) -> None:
        self._children = (byte_offset, value, *_flags(policy), _blob(bin))


class BitRemove(_BaseExpr):
    """Bytes without some of them.

    >>> BitRemove(None, 0, 1, "data")
    BitRemove(None, 0, 1, 'data')
    """

    _op = constants.OP_BIT_REMOVE

    def __init__(self, policy: Policy, byte_offset: Any, byte_size: Any, bin: Bin) -> None:
        self._children = (byte_offset, byte_size, *_flags(policy), _blob(bin))


class BitSet(_BaseExpr):
    r"""Bytes with bits overwritten by those of ``value``.

    >>> BitSet(None, 0, 8, b"\x0f", "data")
    BitSet(None, 0, 8, b'\x0f', 'data')
    """

    _op = constants.OP_BIT_SET
    _checks = {"value": BYTES}

    def __init__(self, policy: Policy, bit_offset: Any, bit_size: Any, value: Any, bin: Bin) -> None:
        self._children = (bit_offset, bit_size, value, *_flags(policy), _blob(bin))


class BitOr(_BaseExpr):
    r"""Bytes with bits combined with those of ``value`` by a bitwise or.

    >>> BitOr(None, 0, 8, b"\x0f", "data")
    BitOr(None, 0, 8, b'\x0f', 'data')
    """

    _op = constants.OP_BIT_OR
    _checks = {"value": BYTES}

    def __init__(self, policy: Policy, bit_offset: Any, bit_size: Any, value: Any, bin: Bin) -> None:
        self._children = (bit_offset, bit_size, value, *_flags(policy), _blob(bin))


class BitXor(_BaseExpr):
    r"""Bytes with bits combined with those of ``value`` by a bitwise exclusive or.

    >>> BitXor(None, 0, 8, b"\x0f", "data")
    BitXor(None, 0, 8, b'\x0f', 'data')
    """

    _op = constants.OP_BIT_XOR
    _checks = {"value": BYTES}

    def __init__(self, policy: Policy, bit_offset: Any, bit_size: Any, value: Any, bin: Bin) -> None:
        self._children = (bit_offset, bit_size, value, *_flags(policy), _blob(bin))


class BitAnd(_BaseExpr):
    r"""Bytes with bits combined with those of ``value`` by a bitwise and.

    >>> BitAnd(None, 0, 8, b"\x0f", "data")
    BitAnd(None, 0, 8, b'\x0f', 'data')
    """

    _op = constants.OP_BIT_AND
    _checks = {"value": BYTES}

    def __init__(self, policy: Policy, bit_offset: Any, bit_size: Any, value: Any, bin: Bin) -> None:
        self._children = (bit_offset, bit_size, value, *_flags(policy), _blob(bin))


class BitNot(_BaseExpr):
    """Bytes with bits inverted.

    >>> BitNot(None, 0, 8, "data")
    BitNot(None, 0, 8, 'data')
    """

    _op = constants.OP_BIT_NOT

    def __init__(self, policy: Policy, bit_offset: Any, bit_size: Any, bin: Bin) -> None:
        self._children = (bit_offset, bit_size, *_flags(policy), _blob(bin))


class BitLeftShift(_BaseExpr):
    """Bytes with bits shifted to the left.

    >>> BitLeftShift(None, 0, 8, 1, "data")
    BitLeftShift(None, 0, 8, 1, 'data')
    """

    _op = constants.OP_BIT_LSHIFT

    def __init__(self, policy: Policy, bit_offset: Any, bit_size: Any, shift: Any, bin: Bin) -> None:
        self._children = (bit_offset, bit_size, shift, *_flags(policy), _blob(bin))


class BitRightShift(_BaseExpr):
    """Bytes with bits shifted to the right.

    >>> BitRightShift(None, 0, 8, 1, "data")
    BitRightShift(None, 0, 8, 1, 'data')
    """

    _op = constants.OP_BIT_RSHIFT

    def __init__(self, policy: Policy, bit_offset: Any, bit_size: Any, shift: Any, bin: Bin) -> None:
        self._children = (bit_offset, bit_size, shift, *_flags(policy), _blob(bin))


class BitAdd(_BaseExpr):
    """Bytes with a number added to the unsigned integer that bits are; ``action`` says what an overflow
    does (``BIT_OVERFLOW_*``).

    >>> BitAdd(None, 0, 16, 1, BIT_OVERFLOW_WRAP, "data")
    BitAdd(None, 0, 16, 1, 4, 'data')
    """

    _op = constants.OP_BIT_ADD
    _checks = {"value": NUMBER, "action": ACTION_OR_NONE}

    def __init__(
        self, policy: Policy, bit_offset: Any, bit_size: Any, value: Any, action: int, bin: Bin
    ) -> None:
        self._children = (bit_offset, bit_size, value, *_flags(policy, action), _blob(bin))


class BitSubtract(_BaseExpr):
    """Bytes with a number subtracted from the unsigned integer that bits are; ``action`` says what an
    overflow does (``BIT_OVERFLOW_*``).

    >>> BitSubtract(None, 0, 16, 1, BIT_OVERFLOW_FAIL, "data")
    BitSubtract(None, 0, 16, 1, 0, 'data')
    """

    _op = constants.OP_BIT_SUBTRACT
    _checks = {"value": NUMBER, "action": ACTION_OR_NONE}

    def __init__(
        self, policy: Policy, bit_offset: Any, bit_size: Any, value: Any, action: int, bin: Bin
    ) -> None:
        self._children = (bit_offset, bit_size, value, *_flags(policy, action), _blob(bin))


class BitSetInt(_BaseExpr):
    """Bytes with bits overwritten by an integer.

    >>> BitSetInt(None, 0, 8, 255, "data")
    BitSetInt(None, 0, 8, 255, 'data')
    """

    _op = constants.OP_BIT_SET_INT
    _checks = {"value": NUMBER}

    def __init__(self, policy: Policy, bit_offset: Any, bit_size: Any, value: Any, bin: Bin) -> None:
        self._children = (bit_offset, bit_size, value, *_flags(policy), _blob(bin))


class BitGet(_BaseExpr):
    """Bits, as bytes.

    >>> BitGet(4, 8, "data")
    BitGet(4, 8, 'data')
    """

    _op = constants.OP_BIT_GET

    def __init__(self, bit_offset: Any, bit_size: Any, bin: Bin) -> None:
        self._children = (bit_offset, bit_size, _blob(bin))


class BitCount(_BaseExpr):
    """The number of bits that are set.

    >>> BitCount(0, 32, "data")
    BitCount(0, 32, 'data')
    """

    _op = constants.OP_BIT_COUNT

    def __init__(self, bit_offset: Any, bit_size: Any, bin: Bin) -> None:
        self._children = (bit_offset, bit_size, _blob(bin))


class BitLeftScan(_BaseExpr):
    """The position of the first bit that is ``value``, from the left; -1 if there is none.

    >>> BitLeftScan(0, 32, True, "data")
    BitLeftScan(0, 32, True, 'data')
    """

    _op = constants.OP_BIT_LSCAN
    _checks = {"value": FLAG_OR_EXPRESSION}

    def __init__(self, bit_offset: Any, bit_size: Any, value: Any, bin: Bin) -> None:
        self._children = (bit_offset, bit_size, value, _blob(bin))


class BitRightScan(_BaseExpr):
    """The position of the first bit that is ``value``, from the right; -1 if there is none.

    >>> BitRightScan(0, 32, True, "data")
    BitRightScan(0, 32, True, 'data')
    """

    _op = constants.OP_BIT_RSCAN
    _checks = {"value": FLAG_OR_EXPRESSION}

    def __init__(self, bit_offset: Any, bit_size: Any, value: Any, bin: Bin) -> None:
        self._children = (bit_offset, bit_size, value, _blob(bin))


class BitGetInt(_BaseExpr):
    """Bits, as an integer, signed if ``sign`` is true.

    >>> BitGetInt(0, 16, False, "data")
    BitGetInt(0, 16, False, 'data')
    """

    _op = constants.OP_BIT_GET_INT

    def __init__(self, bit_offset: Any, bit_size: Any, sign: bool, bin: Bin) -> None:
        self._children = (bit_offset, bit_size, 1 if sign else 0, _blob(bin))


class BitB64Encode(_BaseExpr):
    """Bytes as base64. Needs server 8.2.

    >>> BitB64Encode(0, None, False, "data")
    BitB64Encode(0, None, False, 'data')
    """

    _checks = {"byte_size": SIZE_OR_NONE}

    def __init__(self, byte_offset: Any, byte_size: Any, invert_size: bool, bin: Bin) -> None:
        if byte_size is None:
            self._op = _numbers.OP_BIT_B64_ENCODE
            self._children = (_blob(bin),)
        else:
            self._op = _numbers.OP_BIT_B64_ENCODE_RANGE
            self._children = (byte_offset, byte_size, 1 if invert_size else 0, _blob(bin))
