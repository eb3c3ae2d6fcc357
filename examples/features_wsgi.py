"""A feature service behind gunicorn: one client per worker process.

    FEATURES_HOSTS=127.0.0.1:3000 gunicorn -c examples/gunicorn_conf.py examples.features_wsgi:application

GET /?user=1&user=2 returns the scores of these users. gunicorn_conf.py calls `connect` in each worker.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import numpy as np

import aerospike_py as aerospike

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

DTYPE = np.dtype([("score", "f8")])

_clients: list[aerospike.Client] = []


def hosts() -> list[tuple[str, int]]:
    pairs = (host.rpartition(":") for host in os.environ["FEATURES_HOSTS"].split(","))
    return [(host, int(port)) for host, _, port in pairs]


def connect() -> None:
    """Connects in the worker. A forked worker cannot use connections of the master process."""
    _clients[:] = [aerospike.client({"hosts": hosts()}).connect()]


def disconnect() -> None:
    while _clients:
        _clients.pop().close()


def application(
    environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]
) -> Iterable[bytes]:
    users = [int(user) for user in parse_qs(environ["QUERY_STRING"]).get("user", [])]
    batch = _clients[0].batch_read([("test", "features", user) for user in users], _dtype=DTYPE)
    body = json.dumps({"worker": os.getpid(), "scores": batch.batch_records["score"].tolist()}).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
