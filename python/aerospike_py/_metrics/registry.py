"""The clients of this process that count their calls."""

from __future__ import annotations

import itertools
import threading
import weakref
from typing import Any

_numbers = itertools.count(1)
_lock = threading.Lock()
_clients: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()


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
