"""A node that plays an Enterprise server in transactions, as far as clients see it.

It forwards info commands to an embedded server, answers commands on records itself, names versions and
deadlines, and records what it receives. It keeps no records: what a client sends is what the tests are about.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.support.proxy import MESSAGE

if TYPE_CHECKING:
    from typing_extensions import Self

HEADER = struct.Struct(">BBBBBBIIIHH")
MONITOR_SET = b"<ERO~MRT"
NAMESPACE, SET, KEY, VERSION, DIGEST, ID, DEADLINE, BATCH = 0, 1, 2, 3, 4, 5, 6, 41
READ, WRITE, DELETE, LAST = 1, 1, 2, 1
REPEAT, INFO, GENERATION, TTL, INFO4 = 1, 2, 4, 8, 16
DEADLINE_SENT = struct.pack("<I", 500_000_000)
VERSION_SENT = b"\1\2\3\4\5\6\7"

# What a request does; see `step_of`.
CREATE, ADD, MARK, CLOSE = "create monitor", "add to monitor", "mark", "close"
GET, PUT, VERIFY, FORWARD, BACK = "read", "write", "verify", "roll forward", "roll back"


@dataclass(frozen=True)
class Row:
    """A command on one record: a request, or a row of a batch."""

    index: int
    info: tuple[int, int, int, int]
    generation: int
    ttl: int | None
    fields: tuple[tuple[int, bytes], ...]
    ops: tuple[bytes, ...]

    def field(self, kind: int) -> bytes | None:
        return next((data for found, data in self.fields if found == kind), None)


def _parts(body: bytes, at: int, n_fields: int, n_ops: int) -> tuple[Any, Any, int]:
    fields, ops = [], []
    for number in range(n_fields + n_ops):
        (size,) = struct.unpack_from(">I", body, at)
        part = body[at + 4 : at + 4 + size]
        at += 4 + size
        if number < n_fields:
            fields.append((part[0], part[1:]))
        else:
            ops.append(part)
    return tuple(fields), tuple(ops), at


def rows_of(body: bytes) -> list[Row]:
    """The commands of a message."""
    _, info1, info2, info3, info4, _, generation, ttl, _, n_fields, n_ops = HEADER.unpack_from(body)
    fields, ops, _ = _parts(body, HEADER.size, n_fields, n_ops)
    single = Row(0, (info1, info2, info3, info4), generation, ttl, fields, ops)
    batch = single.field(BATCH)
    return [single] if batch is None else _batch_rows(batch)


def _batch_rows(batch: bytes) -> list[Row]:
    (count,) = struct.unpack_from(">I", batch)
    at = 5
    rows: list[Any] = []
    for _ in range(count):
        (index,) = struct.unpack_from(">I", batch, at)
        digest, flags = batch[at + 4 : at + 24], batch[at + 24]
        at += 25
        if flags & REPEAT:
            before = rows[-1]
            fields = tuple((kind, digest if kind == DIGEST else data) for kind, data in before.fields)
            rows.append(Row(index, before.info, before.generation, before.ttl, fields, before.ops))
            continue
        info = [batch[at], 0, 0, 0]
        at += 1
        generation, ttl = 0, None
        if flags & INFO:
            info[1:3] = batch[at : at + 2]
            at += 2
        if flags & INFO4:
            info[3] = batch[at]
            at += 1
        if flags & GENERATION:
            (generation,) = struct.unpack_from(">H", batch, at)
            at += 2
        if flags & TTL:
            (ttl,) = struct.unpack_from(">I", batch, at)
            at += 4
        n_fields, n_ops = struct.unpack_from(">HH", batch, at)
        own, ops, at = _parts(batch, at + 4, n_fields, n_ops)
        infos = (info[0], info[1], info[2], info[3])
        rows.append(Row(index, infos, generation, ttl, (*own, (DIGEST, digest)), ops))
    return rows


def step_of(body: bytes) -> str:
    """What a request does."""
    row = rows_of(body)[0]
    _, info2, _, info4 = row.info
    if row.field(SET) == MONITOR_SET:
        names = [op[4 : 4 + op[3]] for op in row.ops]
        if info2 & DELETE:
            return CLOSE
        return {(b"fwd",): MARK, (b"keyds",): ADD, (b"id", b"keyds"): CREATE}[tuple(names)]
    if info4 & 7:
        return {1: VERIFY, 2: FORWARD, 4: BACK}[info4 & 7]
    return PUT if info2 & WRITE else GET


def _message(index: int, code: int, fields: list[tuple[int, bytes]], bin: bytes | None = None) -> bytes:
    ops = (
        b""
        if bin is None
        else struct.pack(">IBBBB", 12 + len(bin), 1, 1, 0, len(bin)) + bin + bytes(7) + b"\1"
    )
    parts = b"".join(struct.pack(">IB", len(data) + 1, kind) + data for kind, data in fields)
    n_ops = 0 if bin is None else 1
    return HEADER.pack(22, 0, 0, 0, 0, code, 1, 0, index, len(fields), n_ops) + parts + ops


def _frame(kind: int, body: bytes) -> bytes:
    return struct.pack(">Q", (2 << 56) | (kind << 48) | len(body)) + body


def answer(body: bytes, step: str, code: int) -> bytes:
    """The answer of an Enterprise server, with that code for each row."""
    fields = {
        GET: [(VERSION, VERSION_SENT)],
        CREATE: [(DEADLINE, DEADLINE_SENT)],
        ADD: [(DEADLINE, DEADLINE_SENT)],
    }
    has_bin = step == GET and code == 0
    rows = b"".join(
        _message(row.index, code, fields.get(step, []), b"a" if has_bin else None) for row in rows_of(body)
    )
    is_batch = body[1] & 8 != 0
    end = _frame(MESSAGE, HEADER.pack(22, 0, 0, LAST, 0, 0, 0, 0, 0, 0, 0)) if is_batch else b""
    return _frame(MESSAGE, rows) + end


@dataclass
class EnterpriseNode:
    """The node. ``faults`` says what it does at a step instead: a code, ``"lose"`` or ``"hang"``."""

    target: tuple[str, int]
    faults: dict[str, int | str] = field(default_factory=dict)
    frames: list[tuple[str, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()
        self._over = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    @property
    def steps(self) -> list[str]:
        """The steps since the last look."""
        steps = [step for step, _ in self.frames]
        self.frames.clear()
        return steps

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(self.target) as node, contextlib.suppress(OSError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while (request := _receive(client)) is not None:
                kind, body = request
                if kind != MESSAGE:
                    node.sendall(_frame(kind, body))
                    reply = _receive(node)
                    if reply is None:
                        return
                    client.sendall(_frame(*reply))
                    continue
                step = step_of(body)
                self.frames.append((step, body))
                fault = self.faults.get(step, 0)
                if fault == "lose":
                    return
                if fault == "hang":
                    self._over.wait()
                    return
                assert isinstance(fault, int)
                client.sendall(answer(body, step, fault))


def _receive(end: socket.socket) -> tuple[int, bytes] | None:
    header = _exactly(end, 8)
    if header is None:
        return None
    (word,) = struct.unpack(">Q", header)
    body = _exactly(end, word & 0xFFFF_FFFF_FFFF)
    return None if body is None else (word >> 48 & 0xFF, body)


def _exactly(end: socket.socket, size: int) -> bytes | None:
    data = bytearray()
    while len(data) < size:
        part = end.recv(size - len(data))
        if not part:
            return None
        data += part
    return bytes(data)
