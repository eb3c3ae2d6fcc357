"""Info commands that a node answers with an error: raised by both clients, whatever form the answer has."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import aerospike_py as aerospike

pytestmark = pytest.mark.embedded

INFO = 1


class InfoNode:
    """Passes frames between a client and a node, and answers the command ``wanted`` itself."""

    def __init__(self, node: tuple[str, int]) -> None:
        self.node = node
        self.wanted = b"say\n"
        self.answer = b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.sockets = [self.listener]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def config(self) -> dict[str, Any]:
        return {"hosts": [self.listener.getsockname()], "tend_interval": 60_000}

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = self.listener.accept()[0]
                upstream = socket.create_connection(self.node)
                self.sockets += [client, upstream]
                threading.Thread(target=self._serve, args=(client, upstream), daemon=True).start()

    def _serve(self, client: socket.socket, upstream: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while frame := self._frame(client):
                if frame[1] == INFO and frame[8:] == self.wanted:
                    client.sendall(b"\x02\x01" + len(self.answer).to_bytes(6, "big") + self.answer)
                else:
                    upstream.sendall(frame)
                    client.sendall(self._frame(upstream))

    def _frame(self, source: socket.socket) -> bytes:
        head = source.recv(8, socket.MSG_WAITALL)
        if len(head) < 8:
            return b""
        return head + source.recv(int.from_bytes(head[2:], "big"), socket.MSG_WAITALL)

    def close(self) -> None:
        for one in self.sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@pytest.fixture(scope="module")
def talking(node) -> Iterator[InfoNode]:
    made = InfoNode(node.hosts[0])
    yield made
    made.close()


@pytest.fixture
def through(face, talking):
    with face.connect(talking.config) as client:
        yield client


ANSWERS = [
    (b"say\tERROR:4:unrecognized command\n", 4),
    (b"say\terror:4:unrecognized command\n", 4),
    (b"say\tERROR:4\n", 4),
    (b"say\tERROR::no such thing\n", 1),
    (b"say\tERROR::\n", 1),
    (b"say\tERROR:\n", 1),
    (b"say\tERROR\n", 1),
    (b"say\tERROR:0:what\n", 1),
    (b"say\tERROR:no code\n", 1),
    (b"say\terror=no such thing\n", 1),
    (b"say\tFAIL:201:no such index\n", 201),
    (b"say\tFAIL:\n", 1),
    (b"say\tFail:4:what\n", 4),
    # Several answers, an error in the middle or at the end.
    (b"say\tfine\nother\tERROR:4:what\nlast\tfine\n", 4),
    (b"say\tfine\nERROR:4:what\n", 4),
]


@pytest.mark.parametrize(("answer", "code"), ANSWERS)
def test_an_error_in_any_form_is_raised(through, talking, answer, code):
    talking.answer = answer
    for call in (
        lambda: through.info_single_node("say", "D1"),
        lambda: through.info_random_node("say"),
    ):
        with pytest.raises(
            aerospike.ServerError, match="info at node D1 failed: the server answered "
        ) as caught:
            call()
        assert caught.value.code == code
        assert not caught.value.in_doubt
    ((error, value),) = through.info_all("say").values()
    assert (type(error), error.code, value) == (type(caught.value), code, None)


@pytest.mark.parametrize(
    "answer", [b"errors=5", b"errors_total=5;fail_key_busy=0", b"failed", b"", b"8.1", b"0:ERROR:4:x"]
)
def test_other_answers_are_no_errors(through, talking, answer):
    talking.answer = b"say\t" + answer + b"\n"
    assert through.info_single_node("say", "D1") == "say\t" + answer.decode() + "\n"
    assert through.info_random_node("say") == "say\t" + answer.decode() + "\n"
    assert through.info_all("say") == {"D1": (None, answer.decode() + "\n")}


def test_the_official_client_raises_the_same(talking):
    official = pytest.importorskip("aerospike", exc_type=ModuleNotFoundError)
    theirs = official.client(talking.config).connect()
    # The official client takes answers in other forms for values, or for errors with another code.
    of_both = [
        (answer, code) for answer, code in ANSWERS if answer.startswith((b"say\tERROR:", b"say\tFAIL:"))
    ]
    for answer, code in of_both:
        talking.answer = answer
        with pytest.raises(official.exception.ServerError) as caught:
            theirs.info_single_node("say", "D1")
        assert caught.value.code == code or answer == b"say\tERROR:4\n"
    theirs.close()
