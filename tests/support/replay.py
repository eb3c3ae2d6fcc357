"""Replays recorded traffic request by request, and compares the answers with the recorded ones, test by test.

``tests/wire-captures/suite`` has the frames between the official client and a real server while a test suite
ran, a file for each file of that suite. A file starts from an empty server. ``CONTROL.json`` names the tests
that a second real server answered alike; the rest depends on times, on the progress of index builds, on
random numbers or on the sources of user-defined functions.

Prints how many of the control tests are answered alike, file by file:

    python -m tests.support.replay [--server HOST:PORT | --program PATH] [--failed] [FILE...]

``--server`` replays against a server that runs, which must be empty and gets no fresh start between files;
``--program`` against another program than ``python -m aerospike_py.devserver``. ``--failed`` prints the tests
that were not answered alike. A file is a name such as ``operate_map``; all of them by default.
"""

from __future__ import annotations

import argparse
import gzip
import json
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.support import ROOT

SUITE = ROOT / "tests" / "wire-captures" / "suite"
_SUFFIX = ".jsonl.gz"

# Sizes of the headers of a frame and of a message.
_FRAME, _MESSAGE = 8, 22
_LAST = 1
# Seconds without an answer after which a request counts as unanswered.
_TIMEOUT = 5.0

# Fields of requests: the digest of a single record, the rows of a batch, and what only queries have.
_DIGEST, _BATCH = 4, 41
_STREAM_FIELDS = {7, 8, 11, 21, 22, 30, 40, _BATCH, 42}
# Info commands whose answers are compared; those about the node itself are not.
_INFO = (b"sindex", b"truncate", b"udf")
# An info command whose answer depends on how far an index has been built.
_ANY_ANSWER = b"sindex-list"

# Result code, generation, third word, whether it is the last one, fields and operations.
Message = tuple[int, bytes, bytes, bool, tuple[bytes, ...]]


@dataclass
class Request:
    """A recorded request, and the frames that answered it."""

    connection: int
    kind: str
    frame: bytes
    answers: list[bytes] = field(default_factory=list)

    @property
    def is_replayed(self) -> bool:
        if not self.answers or self.kind not in ("message", "info"):
            return False
        return self.kind == "message" or any(command in self.frame for command in _INFO)

    @property
    def is_stream(self) -> bool:
        """Whether answers go on until one that is marked as the last: a batch or a query."""
        if self.kind != "message":
            return False
        kinds = {part[4] for part in _parts(self.frame[_FRAME:])[0]}
        return _BATCH in kinds or (bool(kinds & _STREAM_FIELDS) and _DIGEST not in kinds)


@dataclass
class Test:
    """The requests of a test, its set-up and tear-down included."""

    __test__ = False

    name: str
    requests: list[Request]


@dataclass
class Report:
    """What came of the tests of a file."""

    alike: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    requests_alike: int = 0
    requests: int = 0


def files() -> list[str]:
    """The names of the recorded files."""
    return sorted(path.name.removesuffix(_SUFFIX) for path in SUITE.glob(f"*{_SUFFIX}"))


@cache
def control() -> dict[str, list[str]]:
    """By file, the tests that a second real server answered alike."""
    found: dict[str, list[str]] = json.loads((SUITE / "CONTROL.json").read_text(encoding="utf-8"))
    return found


def read(name: str) -> list[Test]:
    """The tests of a recorded file, in order."""
    tests: list[Test] = []
    requests: list[Request] = []
    # By connection, the request to which the next answer belongs.
    open_requests: dict[int, Request] = {}
    with gzip.open(SUITE / f"{name}{_SUFFIX}", "rt", encoding="utf-8") as lines:
        for line in lines:
            entry: dict[str, Any] = json.loads(line)
            if "test" in entry:
                tests.append(Test(entry["test"], requests))
                requests = []
            elif entry["dir"] == "request":
                request = Request(entry["conn"], entry["type"], bytes.fromhex(entry["hex"]))
                open_requests[request.connection] = request
                requests.append(request)
            elif entry["conn"] in open_requests:
                open_requests[entry["conn"]].answers.append(bytes.fromhex(entry["hex"]))
    return tests


def replay(name: str, address: tuple[str, int]) -> Report:
    """Replays a file against a server that is empty."""
    report = Report()
    connections: dict[int, socket.socket] = {}
    try:
        for test in read(name):
            # All requests of the test are sent: later ones depend on them.
            alike = [
                _is_alike(request, connections, address) for request in test.requests if request.is_replayed
            ]
            report.requests += len(alike)
            report.requests_alike += sum(alike)
            (report.alike if all(alike) else report.differing).append(test.name)
    finally:
        for connection in connections.values():
            connection.close()
    return report


def _is_alike(request: Request, connections: dict[int, socket.socket], address: tuple[str, int]) -> bool:
    try:
        connection = connections.get(request.connection)
        if connection is None:
            connection = socket.create_connection(address, _TIMEOUT)
            connection.settimeout(_TIMEOUT)
            connections[request.connection] = connection
        connection.sendall(request.frame)
        received = list(_answers(request, connection))
    except OSError:
        broken = connections.pop(request.connection, None)
        if broken is not None:
            broken.close()
        return False
    recorded = [frame[_FRAME:] for frame in request.answers]
    if request.kind == "info":
        return received == recorded or _ANY_ANSWER in request.frame
    return _sorted_messages(received) == _sorted_messages(recorded)


def _answers(request: Request, connection: socket.socket) -> Iterator[bytes]:
    """The bodies of the frames that answer a request."""
    while True:
        header = _receive(connection, _FRAME)
        body = _receive(connection, int.from_bytes(header[2:], "big"))
        yield body
        if not request.is_stream:
            return
        messages = _messages(body)
        if not messages or messages[-1][3]:
            return


def _receive(connection: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(size - len(parts))
        if not part:
            raise ConnectionError("the server closed the connection")
        parts += part
    return bytes(parts)


def _parts(message: bytes) -> tuple[list[bytes], list[bytes], int]:
    """The fields and the operations of the first message, with their sizes in front, and where it ends."""
    n_fields = int.from_bytes(message[18:20], "big")
    count = n_fields + int.from_bytes(message[20:22], "big")
    at, parts = _MESSAGE, []
    for _ in range(count):
        end = at + 4 + int.from_bytes(message[at : at + 4], "big")
        parts.append(message[at:end])
        at = end
    return parts[:n_fields], parts[n_fields:], at


def _messages(body: bytes) -> list[Message]:
    """The messages of a frame, without times to live; the last one of an answer without a generation."""
    messages = []
    while len(body) >= _MESSAGE:
        fields, operations, end = _parts(body)
        is_last = bool(body[3] & _LAST)
        generation = b"" if is_last else body[6:10]
        messages.append((body[5], generation, body[14:18], is_last, (*fields, *operations)))
        body = body[end:]
    return messages


def _sorted_messages(bodies: list[bytes]) -> list[Message]:
    """All messages of an answer: rows and records come in any order."""
    return sorted(message for body in bodies for message in _messages(body))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.support.replay")
    parser.add_argument("--server", metavar="HOST:PORT")
    parser.add_argument("--program", type=Path)
    parser.add_argument("--failed", action="store_true")
    parser.add_argument("files", nargs="*", metavar="FILE")
    options = parser.parse_args(arguments)
    alike = total = 0
    for name in options.files or files():
        report = _replay_once(name, options)
        wanted = set(control().get(name, ()))
        passed = wanted.intersection(report.alike)
        alike, total = alike + len(passed), total + len(wanted)
        requests = f"requests {report.requests_alike} of {report.requests}"
        lines = [f"{name:32} tests alike {len(passed):4} of {len(wanted):4}   {requests}"]
        if options.failed:
            lines += [f"    {test}" for test in sorted(wanted - passed)]
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
    share = 100 * alike / max(1, total)
    sys.stdout.write(f"{'all':32} tests alike {alike:4} of {total:4}   ({share:.1f} %)\n")
    return 0


def _replay_once(name: str, options: argparse.Namespace) -> Report:
    if options.server is not None:
        host, _, port = options.server.rpartition(":")
        return replay(name, (host, int(port)))
    from aerospike_py.testing import DevServer

    command = None if options.program is None else [str(options.program)]
    with DevServer(_command=command) as server:
        return replay(name, server.hosts[0])


if __name__ == "__main__":
    sys.exit(main())
