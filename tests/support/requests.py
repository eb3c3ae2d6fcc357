"""Requests as they went over the wire, taken apart: what a policy says, a node is told here."""

from __future__ import annotations

import struct
from dataclasses import dataclass

KEY, BATCH = 2, 41

# Where a row of a batch says what it wants: behind the count, the batch's flags, its index and digest.
_ROW_FLAGS = 4 + 1 + 4 + 20
_HAS_INFO, _HAS_GENERATION, _HAS_TTL, _HAS_INFO4 = 2, 4, 8, 16


@dataclass(frozen=True)
class Request:
    """A message's header and fields; a batch's are those of its first row."""

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
    fields, _ = _fields(body, size, n_fields)
    if BATCH not in fields:
        return Request(info1, info2, info3, generation, ttl, timeout, fields)
    row = fields[BATCH][_ROW_FLAGS:]
    flags, at, generation, ttl = row[0], 4, 0, 0
    assert flags & _HAS_INFO
    at += 1 if flags & _HAS_INFO4 else 0
    if flags & _HAS_GENERATION:
        [generation] = struct.unpack_from(">H", row, at)
        at += 2
    if flags & _HAS_TTL:
        [ttl] = struct.unpack_from(">I", row, at)
        at += 4
    [n_row_fields] = struct.unpack_from(">H", row, at)
    row_fields, _ = _fields(row, at + 4, n_row_fields)
    return Request(row[1], row[2], row[3], generation, ttl, timeout, {**row_fields, **fields})


def _fields(data: bytes, at: int, count: int) -> tuple[dict[int, bytes], int]:
    fields = {}
    for _ in range(count):
        length, kind = struct.unpack_from(">IB", data, at)
        fields[kind] = data[at + 5 : at + 4 + length]
        at += 4 + length
    return fields, at
