"""The clients of this process that count their calls."""

from __future__ import annotations

import itertools
import os
import threading
import weakref
from typing import Any

#: Held for a few instructions. A forked child gets a new one: a thread of the parent may have held this one.
_lock = threading.Lock()
_numbers = itertools.count(1)
_clients: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()


def _after_fork() -> None:
    """Starts afresh: the parent's clients work only there, and their table may be half changed."""
    global _lock, _clients
    _lock, _clients = threading.Lock(), weakref.WeakKeyDictionary()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def remember(client: Any) -> None:
    """Adds a client, with the number that tells it from others of the process."""
    with _lock:
        if client not in _clients:
            _clients[client] = str(next(_numbers))


def forget(client: Any) -> None:
    """Removes a client, if it is there."""
    with _lock:
        _clients.pop(client, None)


def counted() -> list[tuple[str, Any]]:
    """The clients by number."""
    with _lock:
        return sorted(((name, client) for client, name in _clients.items()), key=lambda pair: int(pair[0]))
