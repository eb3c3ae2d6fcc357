"""A server that somebody else runs."""

from __future__ import annotations

import os
from typing import Any

from aerospike_py._hosts import parse_hosts


class RealServer:
    """What tests use of ``DevServer``, for the server of AEROSPIKE_HOSTS."""

    def __init__(self, hosts: str) -> None:
        self.hosts = parse_hosts(hosts, "AEROSPIKE_HOSTS")

    @property
    def config(self) -> dict[str, Any]:
        """What ``client()`` takes."""
        config: dict[str, Any] = {"hosts": list(self.hosts)}
        if user := os.environ.get("AEROSPIKE_USER"):
            config |= {"user": user, "password": os.environ.get("AEROSPIKE_PASSWORD", "")}
        return config

    def __repr__(self) -> str:
        return f"<server at {', '.join(f'{host}:{port}' for host, port in self.hosts)}>"
