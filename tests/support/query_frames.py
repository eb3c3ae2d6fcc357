"""Queries as frames: built by hand, sent over a plain connection, and answers taken apart."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Bits of info1, info2 and info3.
READ, SHORT_QUERY, NO_BINS = 1, 4, 32
RESPOND_ALL_OPS = 128
LAST, PARTITION_DONE = 1, 4

NAMESPACE, SET, KEY, DIGEST, TASK_ID, SOCKET_TIMEOUT = 0, 1, 2, 4, 7, 9
PARTITIONS, MAX_RECORDS = 11, 13

READ_OP = 1

# An operation or a bin: its code, particle type, name and value.
Op = tuple[int, int, str, bytes]


@dataclass(frozen=True)
class Found:
    """A record of an answer."""

    digest: bytes
    set: str
    key: bytes | None
    generation: int
    void_time: int
    ops: tuple[Op, ...]


def field(kind: int, data: bytes) -> bytes:
    return struct.pack(">IB", len(data) + 1, kind) + data


def op(code: int, name: str, kind: int = 0, value: bytes = b"") -> bytes:
    encoded = name.encode()
    return struct.pack(">IBBBB", 4 + len(encoded) + len(value), code, kind, 0, len(encoded)) + encoded + value


def reads(names: Iterable[str]) -> list[bytes]:
    return [op(READ_OP, name) for name in names]


def query(
    set_name: str,
    ops: Iterable[bytes] = (),
    *,
    partitions: Iterable[int],
    info1: int = 0,
    info2: int = 0,
    max_records: int = 0,
    task_id: int,
) -> bytes:
    """A query of ``test``; without a set, of the whole namespace."""
    numbers = b"".join(struct.pack("<H", number) for number in partitions)
    fields = [
        field(NAMESPACE, b"test"),
        *([field(SET, set_name.encode())] if set_name else []),
        field(SOCKET_TIMEOUT, struct.pack(">I", 30_000)),
        field(TASK_ID, struct.pack(">Q", task_id)),
        field(PARTITIONS, numbers),
        *([field(MAX_RECORDS, struct.pack(">Q", max_records))] if max_records else []),
    ]
    ops = list(ops)
    header = struct.pack(
        ">BBBBBBIIIHH", 22, READ | info1, info2, PARTITION_DONE, 0, 0, 0, 2**32 - 1, 0, len(fields), len(ops)
    )
    body = header + b"".join(fields) + b"".join(ops)
    return struct.pack(">Q", (2 << 56) | (3 << 48) | len(body)) + body


class Connection:
    """A connection that sends queries and reads the whole answer."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._socket = socket.create_connection(address, timeout=30)

    def close(self) -> None:
        self._socket.close()

    def _receive(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            more = self._socket.recv(size - len(data))
            assert more, "the server has closed the connection"
            data += more
        return bytes(data)

    def ask(self, request: bytes) -> tuple[int, list[Found]]:
        """The code at the end of the answer, and the records before it."""
        self._socket.sendall(request)
        found: list[Found] = []
        while True:
            (header,) = struct.unpack(">Q", self._receive(8))
            for message in _messages(self._receive(header & (2**48 - 1))):
                if isinstance(message, int):
                    return message, found
                found.append(message)


def _messages(body: bytes) -> Iterator[Found | int]:
    """The records of a frame; the code of the answer's end as an int."""
    at = 0
    while at < len(body):
        size, _, _, info3, _, code, generation, void_time, _, n_fields, n_ops = struct.unpack_from(
            ">BBBBBBIIIHH", body, at
        )
        at += size
        fields = {}
        for _ in range(n_fields):
            length, kind = struct.unpack_from(">IB", body, at)
            fields[kind] = body[at + 5 : at + 4 + length]
            at += 4 + length
        ops = []
        for _ in range(n_ops):
            length, op_code, kind, _, name_length = struct.unpack_from(">IBBBB", body, at)
            name, value = body[at + 8 : at + 8 + name_length], body[at + 8 + name_length : at + 4 + length]
            ops.append((op_code, kind, name.decode(), value))
            at += 4 + length
        if info3 & LAST or not fields:
            # A query that is refused ends without the flag.
            assert not info3 & PARTITION_DONE, "a partition was refused"
            yield code
            continue
        assert code == 0
        set_name = fields.get(SET, b"").decode()
        yield Found(fields[DIGEST], set_name, fields.get(KEY), generation, void_time, tuple(ops))
