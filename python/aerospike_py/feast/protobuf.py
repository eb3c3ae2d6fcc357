"""Columns as the bytes of Feast's protobuf messages, which one call parses.

A ``FeatureVector`` has repeated ``Value`` messages in field 1, as ``RepeatedValue`` does, packed statuses in
field 2 and repeated ``Timestamp`` messages in field 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from feast.protos.feast.types.Value_pb2 import RepeatedValue
from feast.value_type import ValueType
from google.protobuf.timestamp_pb2 import Timestamp

PRESENT, NOT_FOUND = 1, 3
_VALUES, _STATUSES, _TIMES, _RESULTS = b"\x0a", b"\x12", b"\x1a", b"\x12"
# A message without a value, as an item of `values`.
_EMPTY = _VALUES + b"\x00"

# Tags of the members of Value, by feature type.
_FIXED: dict[Any, tuple[int, np.dtype[Any]]] = {
    ValueType.DOUBLE: (0x29, np.dtype("<f8")),
    ValueType.FLOAT: (0x35, np.dtype("<f4")),
}
_VARINTS = {
    ValueType.INT32: 0x18,
    ValueType.INT64: 0x20,
    ValueType.BOOL: 0x38,
    ValueType.UNIX_TIMESTAMP: 0x40,
}
_SHIFTS = np.arange(0, 70, 7, dtype=np.uint64)
_POSITIONS = np.arange(10)


def varint(number: int) -> bytes:
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def numbers(values: Any, present: Any, value_type: Any) -> bytes:
    """Numbers as repeated Values. ``present`` is None if all of them are."""
    if value_type in _FIXED:
        tag, dtype = _FIXED[value_type]
        rows = np.empty(len(values), dtype=[("head", "u1", (3,)), ("value", dtype)])
        rows["head"] = (_VALUES[0], 1 + dtype.itemsize, tag)
        with np.errstate(over="ignore"):
            rows["value"] = values
        encoded = rows.view(np.uint8).reshape(len(values), -1)
        if present is None:
            return encoded.tobytes()
        used = np.ones(encoded.shape, dtype=np.bool_)
    else:
        # Negative numbers are extended to 64 bits, whatever the type.
        raw = values.astype(np.int64).view(np.uint64)
        groups = raw[:, None] >> _SHIFTS
        lengths = np.maximum((groups != 0).sum(axis=1), 1)
        encoded = np.empty((len(values), 13), dtype=np.uint8)
        encoded[:, 0] = _VALUES[0]
        encoded[:, 1] = lengths + 1
        encoded[:, 2] = _VARINTS[value_type]
        encoded[:, 3:] = groups & np.uint64(0x7F)
        encoded[:, 3:] |= np.where(lengths[:, None] - 1 > _POSITIONS, 0x80, 0).astype(np.uint8)
        used = np.ones(encoded.shape, dtype=np.bool_)
        used[:, 3:] = lengths[:, None] > _POSITIONS
    if present is not None:
        missing = ~present
        encoded[missing, 1] = 0
        used[missing, 2:] = False
    return encoded[used].tobytes()


def texts(values: Sequence[str | None]) -> bytes:
    """Strings as repeated Values."""
    parts = []
    for value in values:
        if value is None:
            parts.append(_EMPTY)
            continue
        text = value.encode()
        inner = b"\x12" + varint(len(text)) + text
        parts.append(_VALUES + varint(len(inner)) + inner)
    return b"".join(parts)


def messages(values: Iterable[Any]) -> bytes:
    """Value messages as repeated Values."""
    parts = []
    for value in values:
        encoded = value.SerializeToString()
        parts.append(_VALUES + varint(len(encoded)) + encoded)
    return b"".join(parts)


def parse_values(encoded: bytes) -> list[Any]:
    """Repeated Values as messages."""
    return list(RepeatedValue.FromString(encoded).val)


def statuses(found: Any) -> bytes:
    """The statuses of rows, by whether their record was found."""
    codes = np.where(found, PRESENT, NOT_FOUND).astype(np.uint8)
    return _STATUSES + varint(len(codes)) + codes.tobytes()


def times(found: Any, event_ms: Any) -> bytes:
    """The event times of rows, in milliseconds since 1970; an empty message where there is none."""
    known: dict[int | None, bytes] = {None: _TIMES + b"\x00"}
    parts = []
    for is_found, time in zip(found.tolist(), event_ms, strict=True):
        key = time if is_found else None
        encoded = known.get(key)
        if encoded is None:
            message = Timestamp(seconds=time // 1000, nanos=time % 1000 * 1_000_000).SerializeToString()
            encoded = known[key] = _TIMES + varint(len(message)) + message
        parts.append(encoded)
    return b"".join(parts)


def result(values: bytes, rest: bytes) -> bytes:
    """A FeatureVector as an item of a response's results. ``rest``: statuses and times."""
    return _RESULTS + varint(len(values) + len(rest)) + values + rest
