"""Primary keys and metadata of records."""

from __future__ import annotations

from .resources import ResultType, _BaseExpr, _ExprOp, _Keys, _NoArguments

__all__ = [
    "TTL",
    "DeviceSize",
    "DigestMod",
    "IsTombstone",
    "KeyBlob",
    "KeyExists",
    "KeyInt",
    "KeyStr",
    "LastUpdateTime",
    "MemorySize",
    "RecordSize",
    "SetName",
    "SinceUpdateTime",
    "VoidTime",
]


class _Key(_NoArguments):
    _op = _ExprOp.REC_KEY


class KeyInt(_Key):
    """The primary key, if it is stored and an integer.

    >>> Eq(KeyInt(), 1)
    Eq(KeyInt(), 1)
    """

    _rt = ResultType.INTEGER


class KeyStr(_Key):
    """The primary key, if it is stored and a string.

    >>> Eq(KeyStr(), "a")
    Eq(KeyStr(), 'a')
    """

    _rt = ResultType.STRING


class KeyBlob(_Key):
    """The primary key, if it is stored and bytes.

    >>> Eq(KeyBlob(), b"a")
    Eq(KeyBlob(), b'a')
    """

    _rt = ResultType.BLOB


class KeyExists(_NoArguments):
    """Whether the primary key is stored.

    >>> KeyExists()
    KeyExists()
    """

    _op = _ExprOp.META_KEY_EXISTS
    _rt = ResultType.BOOLEAN


class SetName(_NoArguments):
    """The name of the record's set.

    >>> Eq(SetName(), "users")
    Eq(SetName(), 'users')
    """

    _op = _ExprOp.META_SET_NAME
    _rt = ResultType.STRING


class DeviceSize(_NoArguments):
    """The bytes that the record takes on its device; 0 in memory. Servers from 7.0 on have
    :class:`RecordSize`.

    >>> GT(DeviceSize(), 1024)
    GT(DeviceSize(), 1024)
    """

    _op = _ExprOp.META_DEVICE_SIZE
    _rt = ResultType.INTEGER


class MemorySize(_NoArguments):
    """The bytes that the record takes in memory; 0 elsewhere. Servers from 7.0 on have :class:`RecordSize`.

    >>> GT(MemorySize(), 1024)
    GT(MemorySize(), 1024)
    """

    _op = _ExprOp.META_MEMORY_SIZE
    _rt = ResultType.INTEGER


class RecordSize(_NoArguments):
    """The bytes that the record takes.

    >>> GT(RecordSize(), 1024)
    GT(RecordSize(), 1024)
    """

    _op = _ExprOp.META_RECORD_SIZE
    _rt = ResultType.INTEGER


class LastUpdateTime(_NoArguments):
    """When the record was last written, in nanoseconds since 1970.

    >>> GT(LastUpdateTime(), 1_700_000_000_000_000_000)
    GT(LastUpdateTime(), 1700000000000000000)
    """

    _op = _ExprOp.META_LAST_UPDATE_TIME
    _rt = ResultType.INTEGER


class SinceUpdateTime(_NoArguments):
    """Milliseconds since the record was last written.

    >>> LT(SinceUpdateTime(), 60_000)
    LT(SinceUpdateTime(), 60000)
    """

    _op = _ExprOp.META_SINCE_UPDATE_TIME
    _rt = ResultType.INTEGER


class VoidTime(_NoArguments):
    """When the record expires, in nanoseconds since 1970; -1 for never.

    >>> Eq(VoidTime(), -1)
    Eq(VoidTime(), -1)
    """

    _op = _ExprOp.META_VOID_TIME
    _rt = ResultType.INTEGER


class TTL(_NoArguments):
    """The record's time to live in seconds; -1 if it never expires.

    >>> LT(TTL(), 3600)
    LT(TTL(), 3600)
    """

    _op = _ExprOp.META_TTL
    _rt = ResultType.INTEGER


class IsTombstone(_NoArguments):
    """Whether the record is a tombstone, which only filters of writes and of XDR meet.

    >>> Not(IsTombstone())
    Not(IsTombstone())
    """

    _op = _ExprOp.META_IS_TOMBSTONE
    _rt = ResultType.BOOLEAN


class DigestMod(_BaseExpr):
    """The record's digest modulo a number: a sample that is the same each time.

    >>> Eq(DigestMod(10), 0)
    Eq(DigestMod(10), 0)
    """

    _op = _ExprOp.META_DIGEST_MOD
    _rt = ResultType.INTEGER

    def __init__(self, mod: int) -> None:
        self._fixed = {_Keys.VALUE_KEY: mod}
