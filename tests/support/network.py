"""Ports, and info commands without a client."""

from __future__ import annotations

import socket


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def ask(address: tuple[str, int], command: str) -> str | None:
    """The answer to an info command, None from a node that is gone."""
    request = command.encode() + b"\n"
    try:
        with socket.create_connection(address, timeout=10) as connection:
            connection.sendall(b"\x02\x01" + len(request).to_bytes(6, "big") + request)
            answer = b""
            while len(answer) < 8 or len(answer) < 8 + int.from_bytes(answer[2:8], "big"):
                more = connection.recv(4096)
                if not more:
                    return None
                answer += more
    except OSError:
        return None
    return answer[8:].rstrip(b"\n").split(b"\t", 1)[1].decode()
