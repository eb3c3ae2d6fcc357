"""Writes fuzz/seeds: short pieces of recorded traffic that the targets start from.

Run it again when the recordings or the targets change; the result is committed.
"""

import json
import shutil
import struct
from pathlib import Path

HERE = Path(__file__).resolve().parent
CAPTURES = HERE.parent / "tests" / "wire-captures"
FIELD_BATCH, FIELD_FILTER = 41, 43
PARTICLE_MAP, PARTICLE_LIST = 19, 20
# What `collection` reads first: a bin.
COLLECTION_BINS = (b"\x93\x03\x01\x02", b"\x82\xa2\x03a\x01\xa2\x03b\x81\xa2\x03x\x92\x01\x02")
# The codes of operations that clients send: reads, then changes.
COLLECTION_OPS, EXPRESSION_OPS, BIT_OPS, HLL_OPS = (3, 4), (7, 8), (12, 13), (15, 16)
# What `nested` reads first: two fields, a struct of an integer and a float, and an integer at step 0.
NESTED_CHOICES = bytes([0, 1, 0xC1, 0x10, 0x11, 0x12, 0, 1, 0x8C])


def frames():
    """Every recorded frame: title, whether it is a request, type, bytes."""
    for folder in ("official", "native", "raw", "raw-cluster"):
        for file in sorted((CAPTURES / folder).glob("*.jsonl")):
            _, *lines = file.read_text().splitlines()
            for number, line in enumerate(lines):
                frame = json.loads(line)
                title = f"{folder}-{file.stem}-{number}"
                yield title, frame["dir"] == "request", frame["type"], bytes.fromhex(frame["hex"])


def messages(body):
    """The messages of a body: fields as (type, data), operations as (code, particle type, value)."""
    at = 0
    while at < len(body):
        n_fields, n_ops = struct.unpack_from(">HH", body, at + 18)
        at += 22
        fields, ops = [], []
        for number in range(n_fields + n_ops):
            size = struct.unpack_from(">I", body, at)[0]
            part = body[at + 4 : at + 4 + size]
            at += 4 + size
            if number < n_fields:
                fields.append((part[0], part[1:]))
            else:
                ops.append((part[0], part[1], part[4 + part[3] :]))
        yield fields, ops


class Seeds:
    """The seeds of a target: short pieces, one of each shape."""

    def __init__(self, target, longest, most):
        self.folder = HERE / "seeds" / target
        self.longest, self.left, self.shapes = longest, most, set()
        self.folder.mkdir(parents=True)

    def add(self, title, piece, shape):
        if self.left and len(piece) <= self.longest and shape not in self.shapes:
            self.shapes.add(shape)
            self.left -= 1
            (self.folder / title).write_bytes(piece)


def main():
    shutil.rmtree(HERE / "seeds", ignore_errors=True)
    of_frames = Seeds("frames", 200, 40)
    of_answers = Seeds("batch_answers", 600, 24)
    of_rows = Seeds("batch_request", 300, 24)
    of_streams = Seeds("query_stream", 600, 16)
    of_info = Seeds("info", 300, 24)
    of_text = Seeds("replicas_peers", 3000, 8)
    of_values = Seeds("msgpack", 120, 40)
    of_nested = Seeds("nested", 120, 24)
    of_operations = Seeds("collection", 120, 60)
    of_stored = Seeds("stored_value", 120, 20)
    of_logins = Seeds("login", 120, 8)
    of_expressions = Seeds("expression", 200, 40)
    of_bits = Seeds("bit_operations", 120, 24)
    of_sketches = Seeds("hll_operations", 120, 16)
    # No recorded server gave a token: this answer follows the protocol.
    token = struct.pack(">IB", 33, 5) + bytes(range(32))
    ttl = struct.pack(">IBI", 5, 6, 86_400)
    of_logins.add("answer-with-token", bytes(3) + b"\2" + bytes(12) + token + ttl, None)

    batch_connections = set()
    for title, is_request, kind, frame in frames():
        body = frame[8:]
        if kind == "info":
            if not is_request:
                of_info.add(title, body, title.split("-", 2)[2])
            continue
        if kind != "message":
            of_frames.add(title, frame, kind)
            if kind == "security":
                of_logins.add(title, body, len(body))
            continue
        scenario = title.rsplit("-", 1)[0]
        parsed = list(messages(body))
        shape = (is_request, frame[9:12], frame[13], len(parsed))
        shape += tuple(code for fields, _ in parsed for code, _ in fields)
        shape += tuple(sorted({op[:2] for _, ops in parsed for op in ops}))
        of_frames.add(title, frame, shape)
        if is_request and frame[9] & 8:
            batch_connections.add(scenario)
        elif not is_request and scenario in batch_connections:
            of_answers.add(title, body, shape)
        elif not is_request and "-query-" in scenario:
            of_streams.add(title, body, shape)
        for fields, ops in parsed:
            for code, data in fields:
                if code == FIELD_BATCH:
                    flags = struct.unpack_from(">IB", data), data[29:34]
                    of_rows.add(title, data, (flags, len(data)))
                if code == FIELD_FILTER:
                    of_values.add(title, data, data)
                    of_expressions.add(title, data, data)
            for op, particle_type, value in ops:
                if is_request and op in COLLECTION_OPS:
                    for number, stored in enumerate((b"", *COLLECTION_BINS)):
                        piece = b"".join(struct.pack(">H", len(part)) + part for part in (stored, value))
                        of_operations.add(f"{title}-{number}", piece, (number, value[:3]))
                if op in EXPRESSION_OPS:
                    of_expressions.add(title, value, value[:2])
                if op in BIT_OPS:
                    of_bits.add(title, bytes([8, 0, 0, 7, 0, *range(8)]) + value, value[:2])
                if op in HLL_OPS:
                    of_sketches.add(title, b"\0" + value, value[:2])
                if particle_type in (PARTICLE_LIST, PARTICLE_MAP):
                    tags = bytes(sorted({byte & 0xF0 for byte in value}))
                    of_values.add(title, value, tags)
                    of_stored.add(title, bytes([len(value) & 0xFF]) + 2 * value, tags)
                    choices = NESTED_CHOICES + bytes([particle_type == PARTICLE_LIST])
                    of_nested.add(title, choices + value, tags)

    for file in sorted((CAPTURES / "cluster-info").glob("*.json")):
        for number, node in enumerate(json.loads(file.read_text())["nodes"]):
            for command, answer in node["answers"].items():
                if command == "replicas" or command.startswith("peers-"):
                    of_text.add(f"{file.stem}-{number}-{command}", answer.encode(), (command, len(answer)))


if __name__ == "__main__":
    main()
