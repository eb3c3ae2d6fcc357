"""The clients of this process: one for each configuration, closed at exit."""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from ..client import Client
from ..exception import AerospikeError

_lock = threading.Lock()
_clients: dict[Any, Client] = {}
_slots: dict[Any, threading.BoundedSemaphore] = {}


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
def slot(config: Mapping[str, Any], node: str | None, limit: int | None) -> Iterator[None]:
    """Holds one of ``limit`` places at a node, among the readers of this process. None: no limit."""
    if limit is None:
        yield
        return
    key = (frozen(config), node, limit)
    with _lock:
        semaphore = _slots.setdefault(key, threading.BoundedSemaphore(limit))
    with semaphore:
        yield


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
        _slots.clear()
    for client in clients:
        with contextlib.suppress(AerospikeError):
            client.close()


def _forget() -> None:
    """In a forked child: the clients are the parent's, and a lock may be held by one of its threads."""
    global _lock
    _lock = threading.Lock()
    _clients.clear()
    _slots.clear()


atexit.register(close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
