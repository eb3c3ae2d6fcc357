"""A row holds one record's values or zeros, never a mix of two tries, whatever failed in between.

A proxy cuts the first answer at every byte of it. Before the client asks again, the records change on the
server: a row must be all old or all new, with its generation, and rows that were answered before the cut
stay as they were.
"""

import contextlib
import socket
import threading
from typing import Any

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py.testing import DevServer

pytestmark = pytest.mark.embedded

ROWS = 3
DTYPE = np.dtype([("a", ">i8"), ("v", "<i4", (3,)), ("b", "i8"), ("s", "S4")])
MESSAGE_FRAME = 3


def record(version):
    vector = np.full(3, version, "<i4")
    return {"a": version, "v": vector.tobytes(), "b": version, "s": f"v{version}"}


class Proxy:
    """Stands between client and node; cuts one answer after some bytes, then calls `between`."""

    def __init__(self, target):
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = self._listener.getsockname()
        self._lock = threading.Lock()
        self._cut_after: int | None = None
        self._between: Any = None
        self.longest = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, after, between):
        with self._lock:
            self._cut_after, self._between = after, between

    def close(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # closing alone would leave the thread in accept()
        self._listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                node = socket.create_connection(self._target)
                for end in (client, node):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._requests, args=(client, node), daemon=True).start()
                threading.Thread(target=self._answers, args=(node, client), daemon=True).start()

    def _requests(self, client, node):
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                node.sendall(data)
            node.shutdown(socket.SHUT_RDWR)

    def _answers(self, node, client):
        with client, node, contextlib.suppress(OSError):
            while data := node.recv(65536):
                if data[1] == MESSAGE_FRAME:
                    self.longest = max(self.longest, len(data))
                    with self._lock:
                        after, between = self._cut_after, self._between
                        self._cut_after = None
                    if after is not None:
                        client.sendall(data[:after])
                        between()
                        break
                client.sendall(data)
            client.shutdown(socket.SHUT_RDWR)  # also ends the other thread's recv


@pytest.fixture(scope="module")
def node():
    with DevServer() as server:
        yield server


@pytest.fixture(scope="module")
def proxy(node):
    made = Proxy(node.hosts[0])
    yield made
    made.close()


def test_an_answer_cut_at_every_byte(face, node, proxy):
    direct = aerospike.client(node.config).connect()
    keys = [("test", "whole", number) for number in range(ROWS)]

    def write(version):
        for key in keys:
            direct.put(key, record(version))

    write(0)
    # The node announces itself by its own address; the proxy's is the one seed and no peer replaces it.
    # It fails far more often than a node may that is asked again at once.
    with face.connect({"hosts": [proxy.address], "max_error_rate": 0}) as client:
        assert client.batch_read(keys, _dtype=DTYPE).ok.all()
        longest = proxy.longest
        assert longest > 200
        retried = 0
        for after in range(longest):
            version = 2 * after + 1
            write(version)
            generation = int(client.batch_read(keys, _dtype=DTYPE).meta["gen"][0])
            out = np.full(ROWS, 0, DTYPE)
            out.view("u1").fill(0xEE)
            proxy.cut(after, lambda version=version: write(version + 1))
            batch = client.batch_read(keys, _dtype=DTYPE, out=out)
            assert batch.ok.all()
            for row in range(ROWS):
                got = int(batch.batch_records["a"][row])
                assert got in (version, version + 1)
                assert batch.batch_records["b"][row] == got
                assert (batch.batch_records["v"][row] == got).all()
                assert batch.batch_records["s"][row] == f"v{got}".encode()[:4]
                assert batch.meta["gen"][row] == generation + (got - version)
                retried += got == version + 1
        # The cuts did happen: most of them lost rows, which were asked for again.
        assert retried > longest
    direct.close()
