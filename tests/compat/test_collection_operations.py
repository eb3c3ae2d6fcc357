"""Random operations on lists and maps: the embedded node answers like the server of AEROSPIKE_HOSTS.

``COLLECTION_CASES`` is the number of cases, ``COLLECTION_SEED`` makes them again.
"""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from aerospike_py.testing import DevServer
from tests.support import collection_operations as operations
from tests.support.servers import real_server

if TYPE_CHECKING:
    from typing_extensions import Self

CASES = int(os.environ.get("COLLECTION_CASES", "3000"))


class Connection:
    """A connection for one request after the other."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, 10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.socket.close()

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """The result code, and the operations of the answer."""
        self.socket.sendall(request)
        header = self._receive(8)
        body = self._receive(int.from_bytes(header[2:], "big"))
        return body[5], body[22:]

    def _receive(self, size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            part = self.socket.recv(size - len(parts))
            assert part, "the server closed the connection"
            parts += part
        return bytes(parts)


@pytest.fixture
def both() -> Iterator[tuple[Connection, Connection]]:
    real = real_server()
    if real is None:
        pytest.skip("AEROSPIKE_HOSTS names no server to compare with")
    with DevServer() as node, Connection(node.hosts[0]) as ours, Connection(real.hosts[0]) as theirs:
        yield ours, theirs


def test_random_operations_give_the_same(both: tuple[Connection, Connection], fresh_set: str) -> None:
    ours, theirs = both
    seed = int(os.environ.get("COLLECTION_SEED", random.SystemRandom().randrange(1 << 32)))
    source = random.Random(seed)  # noqa: S311
    generator = operations.Generator(source)
    digest = source.randbytes(20)
    differing = []
    for _ in range(CASES):
        case = generator.case()
        stored = operations.store(case, fresh_set, digest)
        assert ours.ask(stored) == theirs.ask(stored), case
        request = operations.apply(case, fresh_set, digest, answers_all=source.random() < 0.5)
        mine, real = ours.ask(request), theirs.ask(request)
        if mine != real:
            differing.append(f"{case}\n  here {mine[0]} {mine[1].hex()}\n  real {real[0]} {real[1].hex()}")
    theirs.ask(operations.delete(fresh_set, digest))
    assert not differing, f"seed {seed}: {len(differing)} of {CASES} differ\n" + "\n".join(differing[:10])
