"""Requests as they went over the wire, taken apart: what a policy says, a node is told here."""

from __future__ import annotations

import struct
from dataclasses import dataclass

KEY, BATCH = 2, 41

# Where a row of a batch says what it wants: behind the count, the batch's flags, its index and digest.
_ROW_FLAGS = 4 + 1 + 4 + 20
_HAS_INFO, _HAS_TTL = 2, 8


@dataclass(frozen=True)
class Request:
    """A message's header and fields; a batch's info bytes and time to live are those of its first row."""

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


def parse(frame: bytes) -> Request:
    """The request of a frame that is not compressed."""
    body = frame[8:]
    size, info1, info2, info3, _, _, generation, ttl, timeout, n_fields, _ = struct.unpack_from(
        ">BBBBBBIIIHH", body
    )
    at, fields = size, {}
    for _ in range(n_fields):
        length, kind = struct.unpack_from(">IB", body, at)
        fields[kind] = body[at + 5 : at + 4 + length]
        at += 4 + length
    if BATCH in fields:
        row = fields[BATCH][_ROW_FLAGS:]
        assert row[0] & _HAS_INFO
        info1, info2, info3 = row[1:4]
        ttl = struct.unpack_from(">I", row, 4)[0] if row[0] & _HAS_TTL else 0
    return Request(info1, info2, info3, generation, ttl, timeout, fields)
