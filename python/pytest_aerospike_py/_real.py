"""A real server, named by AEROSPIKE_HOSTS."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from aerospike_py._utils.hosts import parse_hosts

if TYPE_CHECKING:
    from aerospike_py.types import ClientConfig


class RealServer:
    """The part of the interface of ``DevServer`` that tests use, for the server of AEROSPIKE_HOSTS."""

    def __init__(self, hosts: str) -> None:
        self.hosts = parse_hosts(hosts, "AEROSPIKE_HOSTS")

    @property
    def config(self) -> ClientConfig:
        """The config of a client."""
        config: ClientConfig = {"hosts": list(self.hosts)}
        if user := os.environ.get("AEROSPIKE_USER"):
            config["user"], config["password"] = user, os.environ.get("AEROSPIKE_PASSWORD", "")
        return config

    def __repr__(self) -> str:
        return f"<server at {', '.join(f'{host}:{port}' for host, port in self.hosts)}>"
