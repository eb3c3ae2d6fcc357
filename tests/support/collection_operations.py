"""Random operations on random lists and maps, as the bytes of requests.

``Generator(random.Random(seed))`` makes :class:`Case`: the value of a bin, and an operation on it. Values,
indexes and flags come from small ranges, so that elements are equal, ranks are tied and indexes are just out
of bounds.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.support import query_frames as frames

INTEGER, STRING, MAP, LIST = 1, 3, 19, 20
CDT_READ, CDT_MODIFY = 3, 4
WITH_CONTEXT = 0xFF
INVERTED = 0x10000

WILDCARD, INFINITY = b"\xd4\xff\x00", b"\xd4\xff\x01"

# By command: what its arguments are, the optional ones after the bar. See `Generator._argument`.
LIST_READS = {
    16: "",
    17: "i",
    18: "i|c",
    19: "ri",
    20: "rv",
    21: "ri",
    22: "rv",
    23: "rV",
    24: "ri|c",
    25: "rv|v",
    26: "ri|c",
    27: "rvi|c",
}
LIST_WRITES = {
    0: "o",
    1: "s|of",
    2: "S|of",
    3: "is|f",
    4: "iS|f",
    5: "i",
    6: "i|c",
    7: "i",
    8: "i|c",
    9: "is|f",
    10: "ic",
    11: "",
    12: "i|nof",
    13: "|t",
    32: "ri",
    33: "rv",
    34: "ri",
    35: "rv",
    36: "rV",
    37: "ri|c",
    38: "rv|v",
    39: "ri|c",
    40: "rvi|c",
}
MAP_READS = {
    96: "",
    97: "rk",
    98: "ri",
    99: "rv",
    100: "ri",
    102: "rv",
    103: "rk|k",
    104: "ri|c",
    105: "rv|v",
    106: "ri|c",
    107: "rK",
    108: "rV",
    109: "rki|c",
    110: "rvi|c",
}
MAP_WRITES = {
    64: "O",
    65: "ks|O",
    66: "M|O",
    67: "ks|Of",
    68: "M|Of",
    69: "ks",
    70: "M",
    73: "k|nO",
    74: "k|nO",
    75: "",
    76: "rk",
    77: "ri",
    78: "rv",
    79: "ri",
    81: "rK",
    82: "rv",
    83: "rV",
    84: "rk|k",
    85: "ri|c",
    86: "rv|v",
    87: "ri|c",
    88: "rki|c",
    89: "rvi|c",
}


def packed_list(items: Sequence[bytes], order: int = 0) -> bytes:
    marker = [b"\xc7\x00" + bytes([order])] if order else []
    return _header(0x90, 0xDC, len(items) + len(marker)) + b"".join([*marker, *items])


def packed_map(pairs: Sequence[tuple[bytes, bytes]], order: int = 0) -> bytes:
    marker = [b"\xc7\x00" + bytes([order]) + b"\xc0"] if order else []
    return _header(0x80, 0xDE, len(pairs) + len(marker)) + b"".join([*marker, *(k + v for k, v in pairs)])


def packed_int(value: int) -> bytes:
    if 0 <= value < 0x80 or -0x20 <= value < 0:
        return struct.pack(">B", value & 0xFF)
    return b"\xd3" + struct.pack(">q", value)


def packed_string(text: str) -> bytes:
    encoded = text.encode()
    return bytes([0xA1 + len(encoded), STRING]) + encoded


def _header(short: int, long: int, size: int) -> bytes:
    return bytes([short | size]) if size < 16 else bytes([long]) + struct.pack(">H", size)


@dataclass
class Case:
    """A bin, and an operation on it."""

    kind: int
    value: bytes
    code: int
    operation: bytes
    #: The operation in words, for the message of a failure.
    words: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"bin {self.kind} {self.value.hex()}: operation {self.operation.hex()} ({' '.join(self.words)})"
        )


class Generator:
    """Makes random cases."""

    def __init__(self, source: random.Random) -> None:
        self.random = source

    def case(self) -> Case:
        is_map = self.random.random() < 0.5
        kind, value, inner = self._bin(is_map)
        reads = self.random.random() < 0.5
        table = (MAP_READS if reads else MAP_WRITES) if is_map else (LIST_READS if reads else LIST_WRITES)
        command = self.random.choice(list(table))
        operation = self._operation(command, table[command])
        words = [str(command)]
        if inner is not None or self.random.random() < 0.1:
            context = inner if inner is not None and self.random.random() < 0.6 else self._context()
            operation = b"\x93\xcc\xff" + context + operation
            words.append("with context")
        return Case(kind, value, CDT_READ if reads else CDT_MODIFY, operation, words)

    def _bin(self, is_map: bool) -> tuple[int, bytes, bytes | None]:
        """A bin, and the context of the list or map in it that operations of this family take."""
        chance = self.random.random()
        if chance < 0.05:
            return 0, b"", None
        if chance < 0.07:
            return INTEGER, struct.pack(">q", 5), None
        depth = self.random.choice([0, 0, 1, 1, 2])
        value = self._map() if is_map else self._list()
        kind = MAP if is_map else LIST
        steps: list[bytes] = []
        for _ in range(depth):
            if self.random.random() < 0.5:
                key = self._key()
                pairs = {k: v for k, v in self._pairs() if k != key}
                pairs[key] = value
                order = self.random.choice([0, 1, 3])
                value, kind = packed_map(self._sorted_pairs(pairs, order), order), MAP
                flags = self.random.choice([0, 0, 0x40, 0x80, 0xC0])
                steps[:0] = [packed_int(0x22 | flags), key]
            else:
                items = [self._value(1) for _ in range(self.random.randrange(3))]
                at = self.random.randrange(len(items) + 1)
                items.insert(at, value)
                value, kind = packed_list(items), LIST
                flags = self.random.choice([0, 0, 0x40, 0x80, 0xC0])
                steps[:0] = [packed_int(0x10 | flags), packed_int(at)]
        return kind, value, packed_list(steps) if steps else None

    @staticmethod
    def _sorted_pairs(pairs: dict[bytes, bytes], order: int) -> list[tuple[bytes, bytes]]:
        # Integers below 128, then strings: their order is that of their bytes.
        return sorted(pairs.items()) if order else list(pairs.items())

    def _context(self) -> bytes:
        steps = []
        for _ in range(self.random.randrange(1, 4)):
            base = self.random.choice(
                [0x10, 0x11, 0x13, 0x20, 0x21, 0x22, 0x22, 0x23, 0x00, 0x01, 0x02, 0x03]
            )
            flags = self.random.choice([0, 0, 0x40, 0x80, 0xC0, 0xC0, 0x100])
            if base & 3 == 2:
                value = self._key()
            elif base & 3 == 3:
                value = self._value(2)
            elif flags:
                # Not before the start: a step that creates there makes servers of 8.1.2 abort.
                value = packed_int(self.random.randrange(7))
            else:
                value = self._index()
            steps += [packed_int(base | flags), value]
        return packed_list(steps)

    def _operation(self, command: int, arguments: str) -> bytes:
        required, _, optional = arguments.partition("|")
        wanted = required + optional[: self.random.randrange(len(optional) + 1)]
        if self.random.random() < 0.01:
            wanted = wanted[:-1]
        return packed_list([packed_int(command), *(self._argument(kind) for kind in wanted)])

    def _argument(self, kind: str) -> bytes:
        pick = self.random
        if kind == "i":
            return self._index()
        if kind == "c":
            return packed_int(pick.choice([0, 1, 1, 2, 3, 5, 100, 1 << 40]))
        if kind == "r":
            result = pick.choice([0, 1, 2, 3, 4, 5, 6, 7, 7, 7, 8, 9, 10, 11, 12, 13, 13, 16, 17, 14])
            return packed_int(result | (INVERTED if pick.random() < 0.3 else 0))
        if kind in "sv":
            special = [WILDCARD, INFINITY] if kind == "v" or pick.random() < 0.05 else []
            return pick.choice(special) if special and pick.random() < 0.1 else self._value(2, kind == "v")
        if kind == "w":
            return self._value(2)
        if kind == "V":
            # Without wildcards beside other values: the server sorts the list, whose order is undefined. Not
            # empty: inverted operations on maps with an empty list make servers of 8.1.2 abort.
            return packed_list([self._argument("w") for _ in range(pick.randrange(1, 5))])
        if kind == "S":
            return self._list() if pick.random() < 0.97 else self._value(0)
        if kind == "k":
            return self._key() if pick.random() < 0.9 else self._value(1, True)
        if kind == "K":
            return packed_list([self._key() for _ in range(pick.randrange(1, 5))])
        if kind == "M":
            return self._map() if pick.random() < 0.97 else self._value(0)
        if kind == "o":
            return packed_int(pick.choice([0, 0, 1, 1, 0x10, 0x11, 2]))
        if kind == "O":
            return packed_int(pick.choice([0, 0, 1, 1, 3, 3, 0x11, 0x13, 0x10, 8]))
        if kind == "f":
            return packed_int(pick.choice([0, 0, 1, 1, 2, 4, 5, 5, 6, 8, 9, 12, 13, 13, 14, 15]))
        if kind == "t":
            return packed_int(pick.randrange(4))
        assert kind == "n"
        return pick.choice([b"\xc0", packed_int(1), packed_int(-3), _double(0.5), packed_string("a")])

    def _index(self) -> bytes:
        return packed_int(self.random.choice([*range(-6, 7), 0, 0, 1, -1, -1]))

    def _key(self) -> bytes:
        return self.random.choice(
            [packed_int(self.random.randrange(5)), packed_string(self.random.choice("abcd"))]
        )

    def _pairs(self) -> list[tuple[bytes, bytes]]:
        return [(self._key(), self._value(1)) for _ in range(self.random.randrange(6))]

    def _map(self) -> bytes:
        # Without the flag of a persisted index: servers of 8.1.2 lose elements of such maps, or abort.
        order = self.random.choice([0, 0, 1, 1, 3, 3])
        return packed_map(self._sorted_pairs(dict(self._pairs()), order), order)

    def _list(self) -> bytes:
        if self.random.random() < 0.4:
            # Sorted: integers below 128, then strings.
            items = sorted(self._key() for _ in range(self.random.randrange(7)))
            return packed_list(items, 1)
        # Without the flag of a persisted index: servers of 8.1.2 abort when they store such a list.
        return packed_list([self._value(1) for _ in range(self.random.randrange(7))])

    def _value(self, depth: int, compares: bool = False) -> bytes:
        pick = self.random
        chance = pick.random()
        if chance < 0.5:
            return packed_int(pick.randrange(5))
        if chance < 0.7:
            return packed_string(pick.choice("ab"))
        if chance < 0.85 or depth == 0:
            return pick.choice(
                [
                    b"\xc0",
                    b"\xc2",
                    b"\xc3",
                    _double(1.5),
                    _double(0.0),
                    b"\xa2\x04a",
                    packed_int(-1),
                    packed_int(1 << 40),
                ]
            )
        if chance < 0.95:
            items = [self._value(depth - 1, compares) for _ in range(pick.randrange(3))]
            if compares and pick.random() < 0.2:
                items.append(pick.choice([WILDCARD, INFINITY]))
            return packed_list(items)
        return packed_map(list(dict(self._pairs()).items())[:2])


def _double(value: float) -> bytes:
    return b"\xcb" + struct.pack(">d", value)


def store(case: Case, set_name: str, digest: bytes) -> bytes:
    """A request that replaces the record: an integer, and the bin if the case has one."""
    ops = [frames.op(2, "i", INTEGER, struct.pack(">q", 1))]
    if case.kind:
        ops.append(frames.op(2, "b", case.kind, case.value))
    return _request(0, 0x01, 0x10, set_name, digest, ops)


def apply(case: Case, set_name: str, digest: bytes, *, answers_all: bool) -> bytes:
    """A request with the operation; if it modifies, then a read of the bin."""
    op = frames.op(case.code, "b", 4, case.operation)
    if case.code == CDT_READ:
        return _request(0x01, 0x80 if answers_all else 0, 0, set_name, digest, [op])
    return _request(0x01, 0x81 if answers_all else 0x01, 0, set_name, digest, [op, frames.op(1, "b")])


def _request(info1: int, info2: int, info3: int, set_name: str, digest: bytes, ops: list[bytes]) -> bytes:
    fields = [frames.field(0, b"test"), frames.field(1, set_name.encode()), frames.field(4, digest)]
    header = struct.pack(">BBBBBBIIIHH", 22, info1, info2, info3, 0, 0, 0, 0, 1000, len(fields), len(ops))
    body = header + b"".join(fields) + b"".join(ops)
    return struct.pack(">BB", 2, 3) + len(body).to_bytes(6, "big") + body


def delete(set_name: str, digest: bytes) -> bytes:
    """A request that deletes the record."""
    return _request(0, 0x03, 0, set_name, digest, [])
