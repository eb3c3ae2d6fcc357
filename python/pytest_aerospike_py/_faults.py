"""Faults at the embedded node of a test session, undone after each test."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aerospike_py import AsyncClient, Client
    from aerospike_py.testing import DevServer

# Clients look at each node once a second.
_HEALTHY_AGAIN = 20.0


class Faults:
    """Lets things go wrong at ``aerospike_server``, until the test is over.

    Nodes are counted from 0. A killed node comes back after the test, but what it alone had in memory is
    lost for all tests: kill nodes of a cluster, or of ``aerospike_make_server``.

    Example:
        >>> def test_a_late_answer(aerospike_client, aerospike_faults):
        ...     aerospike_faults.inject("late", seconds=0.2, command="read")
        ...     with pytest.raises(aerospike_py.TimeoutError):
        ...         aerospike_client.get(("test", "users", 1), policy={"total_timeout": 100})
    """

    def __init__(self, server: DevServer) -> None:
        self._server = server
        self._killed: set[int] = set()
        self._held: set[int] = set()

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
        """Lets an answer be late, missing, wrong or an error: as ``DevServer.inject``."""
        self._server.inject(fault, node, command=command, times=times, seconds=seconds, code=code)

    def clear(self) -> None:
        """Forgets all that was injected."""
        self._server.clear_faults()

    def pause(self, node: int = 0) -> None:
        """Makes a node hang: it accepts connections and answers nothing."""
        self._held.add(node)
        self._server.pause(node)

    def refuse(self, node: int = 0) -> None:
        """Makes a node refuse new connections; those that are there are served."""
        self._held.add(node)
        self._server.refuse(node)

    def resume(self, node: int = 0) -> None:
        """Ends :meth:`pause` and :meth:`refuse`."""
        self._server.resume(node)
        self._held.discard(node)

    def kill(self, node: int = 0) -> None:
        """Kills a node, and what it has in memory with it."""
        self._killed.add(node)
        self._server.kill(node)

    def restart(self, node: int = 0) -> None:
        """Starts a killed node again."""
        self._server.restart(node)
        self._killed.discard(node)

    def move_partitions(self, count: int) -> None:
        """Lets so many of the 4096 partitions have another living node as their master."""
        self._server.move_partitions(count)

    def counters(self, node: int = 0) -> dict[str, int]:
        """What a node was asked until now: as ``DevServer.counters``."""
        return self._server.counters(node)

    def undo(self, clients: Iterable[Client | AsyncClient]) -> None:
        """Puts all right, and waits until these clients have seen it."""
        disturbed = bool(self._killed or self._held)
        self.clear()
        for node in list(self._held):
            self.resume(node)
        for node in list(self._killed):
            self.restart(node)
        if disturbed:
            self._wait_for(clients)

    def _wait_for(self, clients: Iterable[Client | AsyncClient]) -> None:
        deadline = time.monotonic() + _HEALTHY_AGAIN
        nodes = len(self._server.hosts)
        for client in clients:
            while not _sees_all(client, nodes):
                if time.monotonic() > deadline:
                    raise RuntimeError(
                        f"{client!r} does not see all {nodes} nodes again within {_HEALTHY_AGAIN:g} s"
                    )
                time.sleep(0.02)


def _sees_all(client: Client | AsyncClient, nodes: int) -> bool:
    from aerospike_py.exception import ClientError

    try:
        stats = client.stats()
    except ClientError:
        return True  # The test has closed it: nobody uses it any more.
    return len(stats.nodes) == nodes and not stats.suspects
