"""The server that the tests use: the embedded node, or the real one that AEROSPIKE_HOSTS names."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class RealServer:
    """The part of ``DevServer`` that tests use, for a server that runs elsewhere."""

    hosts: list[tuple[str, int]]

    @property
    def config(self) -> dict[str, Any]:
        return {"hosts": list(self.hosts)}


def real_server() -> RealServer | None:
    """The server of AEROSPIKE_HOSTS (``host:port[,host:port...]``), None when it is not set."""
    text = os.environ.get("AEROSPIKE_HOSTS", "").strip()
    if not text:
        return None
    hosts = []
    for entry in text.split(","):
        host, colon, port = entry.strip().rpartition(":")
        if not colon or not host or not port.isdigit():
            raise ValueError(f"AEROSPIKE_HOSTS: {entry.strip()!r} is not host:port")
        hosts.append((host.strip("[]"), int(port)))
    return RealServer(hosts)
