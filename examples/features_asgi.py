"""A feature service behind uvicorn without a framework: one client per worker process.

    FEATURES_HOSTS=127.0.0.1:3000 uvicorn --workers 2 --lifespan on examples.features_asgi:application

GET /?user=1&user=2 returns the scores of these users.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import numpy as np

from aerospike_py import AsyncClient

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Message = dict[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

DTYPE = np.dtype([("score", "f8")])


def hosts() -> list[tuple[str, int]]:
    pairs = (host.rpartition(":") for host in os.environ["FEATURES_HOSTS"].split(","))
    return [(host, int(port)) for host, _, port in pairs]


# Made at import, connected in the event loop of the worker.
client = AsyncClient({"hosts": hosts()})


async def lifespan(receive: Receive, send: Send) -> None:
    await receive()
    await client.connect()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await client.close()
    await send({"type": "lifespan.shutdown.complete"})


async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    users = [int(user) for user in parse_qs(scope["query_string"].decode()).get("user", [])]
    batch = await client.batch_read([("test", "features", user) for user in users], _dtype=DTYPE)
    body = json.dumps({"worker": os.getpid(), "scores": batch.batch_records["score"].tolist()}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
