"""A TCP proxy between client and node that damages one answer as a bad network or a hostile peer would."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from typing_extensions import Self

# Types of frames: the byte after the version.
INFO, MESSAGE, COMPRESSED = 1, 3, 4

Kind = Literal["cut", "stop", "delay", "flip", "put", "insert", "drop", "repeat", "split"]


@dataclass(frozen=True)
class Fault:
    """What happens to an answer when its first ``at`` bytes have gone through.

    ``value`` is what the kind needs: the bit to flip, the byte to put or to insert, how many of the last
    bytes to repeat, milliseconds to delay.
    """

    kind: Kind
    at: int
    value: int = 0

    def through(self, data: bytes, before: bytes, client: socket.socket) -> bool:
        """Sends the bytes from ``at`` on; ``before`` are those that went out. False ends the answer."""
        if self.kind in ("cut", "stop"):
            return False
        if self.kind == "delay":
            time.sleep(self.value / 1000)
        elif self.kind == "split":
            for byte in data:
                client.sendall(bytes([byte]))
            return True
        client.sendall(self._changed(data, before))
        return True

    def _changed(self, data: bytes, before: bytes) -> bytes:
        match self.kind:
            case "flip":
                return bytes([data[0] ^ (1 << self.value)]) + data[1:]
            case "put":
                return bytes([self.value]) + data[1:]
            case "insert":
                return bytes([self.value]) + data
            case "drop":
                return data[1:]
            case "repeat":
                return before[-self.value :] + data
        return data


@dataclass(frozen=True)
class Shot:
    """A fault for one answer; ``over`` is set when it has happened and ``then`` has returned."""

    fault: Fault
    then: Callable[[], Any]
    over: threading.Event = field(default_factory=threading.Event)


def connect_through(face: Any, proxy: Proxy) -> Any:
    """A client that reaches its node through the proxy alone, and does not stop trying.

    The node announces its own address, but the proxy's is the one seed, and no peer replaces it. The circuit
    breaker is off: the proxy fails more often than a node may that is asked again at once.
    """
    return face.connect({"hosts": [proxy.address], "max_error_rate": 0, "tend_interval": 60_000})


class Proxy:
    """Forwards bytes in both directions. Once armed, it applies a fault to one answer.

    An answer is what comes from the node after a request, until the next request on that connection. The
    node's messages and info answers are told apart, so a fault for one does not hit the watch of the node.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()
        self._lock = threading.Lock()
        self._armed: dict[int, Shot] = {}
        # For each type of frame, the last answer as the node sent it.
        self.answers: dict[int, bytes] = {}
        # The same for requests that arrived in one piece.
        self.requests: dict[int, bytes] = {}
        self.received = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def arm(self, fault: Fault, kind: int = MESSAGE, then: Callable[[], Any] = lambda: None) -> Shot:
        """Applies the fault to the next answer of that type of frame, then calls ``then``."""
        shot = Shot(fault, then)
        with self._lock:
            self._armed[kind] = shot
        return shot

    def disarm(self) -> None:
        """Drops a fault that has not been applied."""
        with self._lock:
            self._armed.clear()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # closing alone would leave the thread in accept()
        self._listener.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                link = _Link(self, client, socket.create_connection(self._target))
                threading.Thread(target=link.requests, daemon=True).start()
                threading.Thread(target=link.answers, daemon=True).start()

    def _take(self, kind: int) -> Shot | None:
        with self._lock:
            return self._armed.pop(kind, None)


class _Link:
    """One connection through the proxy."""

    def __init__(self, proxy: Proxy, client: socket.socket, node: socket.socket) -> None:
        self._proxy, self._client, self._node = proxy, client, node
        self._answer = b""
        self._shot: Shot | None = None
        for end in (client, node):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def requests(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._client.recv(65536):
                self._answer, self._shot = b"", None
                if len(data) > 1:
                    with self._proxy._lock:
                        self._proxy.requests[data[1]] = data
                self._node.sendall(data)
            self._node.shutdown(socket.SHUT_RDWR)

    def answers(self) -> None:
        with self._client, self._node, contextlib.suppress(OSError):
            goes_on = True
            while goes_on and (data := self._node.recv(65536)):
                goes_on = self._hand_on(data)
            self._client.shutdown(socket.SHUT_RDWR)  # also ends the other thread's recv

    def _hand_on(self, data: bytes) -> bool:
        """Sends bytes of an answer; False if the connection to the client has to be closed."""
        proxy, before = self._proxy, self._answer
        if not before and len(data) > 1:
            self._shot = proxy._take(data[1])
        self._answer = before + data
        with proxy._lock:
            proxy.received += len(data)
            proxy.answers[self._answer[1]] = self._answer
        shot = self._shot
        if shot is None or shot.fault.at >= len(self._answer):
            self._client.sendall(data)
            return True
        self._shot = None
        try:
            at = shot.fault.at
            self._client.sendall(data[: at - len(before)])
            goes_on = shot.fault.through(data[at - len(before) :], self._answer[:at], self._client)
        finally:
            shot.then()
            shot.over.set()
        if shot.fault.kind == "stop":
            while self._node.recv(65536):  # until the client is gone, and the node with it
                pass
        return goes_on
