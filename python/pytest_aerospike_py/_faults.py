"""Faults at the embedded server, undone after each test."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aerospike_py import AsyncClient, Client
    from aerospike_py.testing import DevServer

# Seconds. Clients check each node once per second.
_RECOVERY_TIMEOUT = 20.0


class Faults:
    """Injects faults at ``aerospike_server``. They are undone after the test.

    Nodes are numbered from 0. A killed node is restarted after the test, but records that only it held are
    lost for all tests. Kill only nodes of a cluster, or of ``aerospike_make_server``.

    Example:
        >>> def test_a_late_answer(aerospike_client, aerospike_faults):
        ...     aerospike_faults.inject("late", seconds=0.2, command="read")
        ...     with pytest.raises(aerospike_py.TimeoutError):
        ...         aerospike_client.get(("test", "users", 1), policy={"total_timeout": 100})
    """

    def __init__(self, server: DevServer) -> None:
        self._server = server
        self._killed: set[int] = set()
        self._blocked: set[int] = set()

    def inject(
        self,
        fault: str,
        node: int | None = None,
        *,
        command: str | None = None,
        times: int | None = None,
        seconds: float | None = None,
        code: int | None = None,
    ) -> None:
        """Makes answers late, missing, wrong or errors, like ``DevServer.inject``."""
        self._server.inject(fault, node, command=command, times=times, seconds=seconds, code=code)

    def clear(self) -> None:
        """Removes all injected faults."""
        self._server.clear_faults()

    def pause(self, node: int = 0) -> None:
        """Makes a node hang: it accepts connections, but does not answer."""
        self._blocked.add(node)
        self._server.pause(node)

    def refuse(self, node: int = 0) -> None:
        """Makes a node refuse new connections. It keeps serving its open ones."""
        self._blocked.add(node)
        self._server.refuse(node)

    def resume(self, node: int = 0) -> None:
        """Undoes :meth:`pause` and :meth:`refuse`."""
        self._server.resume(node)
        self._blocked.discard(node)

    def kill(self, node: int = 0) -> None:
        """Kills a node. Its records are lost."""
        self._killed.add(node)
        self._server.kill(node)

    def restart(self, node: int = 0) -> None:
        """Restarts a killed node."""
        self._server.restart(node)
        self._killed.discard(node)

    def move_partitions(self, count: int) -> None:
        """Moves the masters of ``count`` of the 4096 partitions to other live nodes."""
        self._server.move_partitions(count)

    def counters(self, node: int = 0) -> dict[str, int]:
        """What a node has received, like ``DevServer.counters``."""
        return self._server.counters(node)

    def undo(self, clients: Iterable[Client | AsyncClient]) -> None:
        """Undoes all faults, and waits until the clients see all nodes."""
        disturbed = bool(self._killed or self._blocked)
        self.clear()
        for node in list(self._blocked):
            self.resume(node)
        for node in list(self._killed):
            self.restart(node)
        if disturbed:
            self._wait_for(clients)

    def _wait_for(self, clients: Iterable[Client | AsyncClient]) -> None:
        deadline = time.monotonic() + _RECOVERY_TIMEOUT
        nodes = len(self._server.hosts)
        for client in clients:
            while not _sees_all(client, nodes):
                if time.monotonic() > deadline:
                    raise RuntimeError(
                        f"{client!r} does not see all {nodes} nodes within {_RECOVERY_TIMEOUT:g} s"
                    )
                time.sleep(0.02)


def _sees_all(client: Client | AsyncClient, nodes: int) -> bool:
    from aerospike_py.exception import ClientError

    try:
        stats = client.stats()
    except ClientError:
        return True  # the test closed the client
    return len(stats.nodes) == nodes and not stats.suspects
