"""The clients of this process: one for each configuration, closed at exit."""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from ..client import Client
from ..exception import AerospikeError, ClientError


class Place:
    """A place at a node. It is held by the thread that last read the split that has it."""

    __slots__ = ("thread",)

    def __init__(self) -> None:
        self.move()

    def move(self) -> None:
        """This thread goes on with the split."""
        self.thread = threading.get_ident()


class _Places:
    """The places at a node of the readers of this process."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: list[Place] = []
        # A lock that this thread may take again: a place may be given up by the garbage collector.
        self._changed = threading.Condition()

    def take(self, node: str | None) -> Place:
        """Waits for a place. If this thread has all of them, none would ever be free: that is an error."""
        place = Place()
        with self._changed:
            while len(self._held) >= self._limit:
                if all(held.thread == place.thread for held in self._held):
                    where = "several nodes" if node is None else f"the node {node}"
                    raise ClientError(
                        f"this read would wait for itself: max_concurrent is {self._limit}, and this thread "
                        f"already reads as many splits of {where}; end or close their batches() first, or "
                        "read them in other threads"
                    )
                self._changed.wait()
            self._held.append(place)
        return place

    def give_up(self, place: Place) -> None:
        """Frees a place for the next reader."""
        with self._changed:
            self._held.remove(place)
            self._changed.notify()


_lock = threading.Lock()
_clients: dict[Any, Client] = {}
_places: dict[Any, _Places] = {}


def client_for(config: Mapping[str, Any]) -> Client:
    """The client of this process for a configuration, connected at its first command.

    Equal configurations share a client. A forked child starts without clients and makes its own.
    """
    key = frozen(config)
    with _lock:
        client = _clients.get(key)
        if client is None or (not client._core.is_new() and not client.is_connected()):
            # Closed by someone, or its cluster was lost: a new one discovers the cluster again.
            client = _clients[key] = Client(config)  # type: ignore[arg-type]
        return client


@contextlib.contextmanager
def slot(config: Mapping[str, Any], node: str | None, limit: int | None) -> Iterator[Place]:
    """Holds one of ``limit`` places at a node, among the readers of this process. None: no limit.

    Raises:
        ClientError: this thread itself holds all places.
    """
    if limit is None:
        yield Place()
        return
    key = (frozen(config), node, limit)
    with _lock:
        places = _places.setdefault(key, _Places(limit))
    place = places.take(node)
    try:
        yield place
    finally:
        places.give_up(place)


def frozen(value: Any) -> Any:
    """A hashable copy of a configuration, the same for equal ones."""
    if isinstance(value, Mapping):
        return ("dict", *sorted((name, frozen(inner)) for name, inner in value.items()))
    if isinstance(value, (list, tuple)):
        return ("list", *map(frozen, value))
    if isinstance(value, (str, bytes, bool, int, float)) or value is None:
        return (type(value).__name__, "" if value is None else value)
    return (type(value).__name__, repr(value))


def close_all() -> None:
    """Closes the clients of this process. Called at exit; a later read makes new ones."""
    with _lock:
        clients = list(_clients.values())
        _clients.clear()
        _places.clear()
    for client in clients:
        with contextlib.suppress(AerospikeError):
            client.close()


def _forget() -> None:
    """In a forked child: the clients are the parent's, and a lock may be held by one of its threads."""
    global _lock
    _lock = threading.Lock()
    _clients.clear()
    _places.clear()


atexit.register(close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
