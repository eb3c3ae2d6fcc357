"""Parses requests as they went over the wire, to see which flags a policy sets."""

from __future__ import annotations

import struct
from dataclasses import dataclass

KEY, BATCH = 2, 41

# Where a row of a batch says what it wants: behind the count, the batch's flags, its index and digest.
_ROW_FLAGS = 4 + 1 + 4 + 20
_HAS_INFO, _HAS_GENERATION, _HAS_TTL = 2, 4, 8


@dataclass(frozen=True)
class Request:
    """A message's header and fields; a batch's are those of its first row, as far as rows have them."""

    info1: int
    info2: int
    info3: int
    generation: int
    ttl: int
    timeout: int
    fields: dict[int, bytes]

    @property
    def batch_flags(self) -> int:
        return self.fields[BATCH][4]


def _fields(body: bytes, at: int, count: int) -> dict[int, bytes]:
    fields = {}
    for _ in range(count):
        length, kind = struct.unpack_from(">IB", body, at)
        fields[kind] = body[at + 5 : at + 4 + length]
        at += 4 + length
    return fields


def parse(frame: bytes) -> Request:
    """The request of a frame that is not compressed."""
    body = frame[8:]
    size, info1, info2, info3, _, _, generation, ttl, timeout, n_fields, _ = struct.unpack_from(
        ">BBBBBBIIIHH", body
    )
    fields = _fields(body, size, n_fields)
    if BATCH in fields:
        row, at = fields[BATCH][_ROW_FLAGS:], 4
        assert row[0] & _HAS_INFO
        info1, info2, info3 = row[1:4]
        if row[0] & _HAS_GENERATION:
            generation, at = struct.unpack_from(">H", row, at)[0], at + 2
        ttl, at = (struct.unpack_from(">I", row, at)[0], at + 4) if row[0] & _HAS_TTL else (0, at)
        fields |= _fields(row, at + 4, struct.unpack_from(">H", row, at)[0])
    return Request(info1, info2, info3, generation, ttl, timeout, fields)
