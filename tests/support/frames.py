"""Requests as clients send them: recorded by a proxy, taken apart into operations."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from tests.support.proxy import MESSAGE, Proxy

HEADER = struct.Struct(">BBBBBxIIIHH")


@dataclass(frozen=True)
class Op:
    """An operation of a request."""

    code: int
    particle_type: int
    bin: bytes
    value: bytes


@dataclass(frozen=True)
class Request:
    """A request for one record."""

    info: tuple[int, int, int]
    generation: int
    ttl: int
    fields: dict[int, bytes]
    ops: list[Op]


def parse(frame: bytes) -> Request:
    """Takes a frame with one message apart."""
    body = frame[8:]
    _, info1, info2, info3, _, generation, ttl, _, n_fields, n_ops = HEADER.unpack_from(body)
    at = HEADER.size
    fields = {}
    for _ in range(n_fields):
        size, kind = struct.unpack_from(">IB", body, at)
        fields[kind] = body[at + 5 : at + 4 + size]
        at += 4 + size
    ops = []
    for _ in range(n_ops):
        size, code, particle_type, _, name_length = struct.unpack_from(">IBBBB", body, at)
        name = body[at + 8 : at + 8 + name_length]
        ops.append(Op(code, particle_type, name, body[at + 8 + name_length : at + 4 + size]))
        at += 4 + size
    return Request((info1, info2, info3), generation, ttl, fields, ops)


class Recorder:
    """A client behind a proxy; :meth:`request` gives what a call sends."""

    def __init__(self, proxy: Proxy, client: Any) -> None:
        self.proxy, self.client = proxy, client

    def frame(self, call: Any) -> bytes:
        """The request of a call, which may fail."""
        self.proxy.requests.pop(MESSAGE, None)
        try:
            call(self.client)
        except Exception as error:  # of either client; only what was sent counts
            if MESSAGE not in self.proxy.requests:
                raise AssertionError(f"nothing was sent: {error!r}") from error
        return self.proxy.requests.pop(MESSAGE)

    def request(self, call: Any) -> Request:
        return parse(self.frame(call))
