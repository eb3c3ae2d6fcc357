"""Writes official_queries.jsonl: queries with predicates, background queries and the management of indexes, as
the official client sends them.

A line has the name of a call and the frames that it sent, in hex: a message, or an info command. Needs
`aerospike` (the version in requirements/dev.txt) and a server, on which it makes and removes indexes of the
set `official_queries`:

    python crates/wire-protocol/tests/data/official_queries.py HOST PORT
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aerospike
from aerospike import predicates as p
from aerospike_helpers import cdt_ctx
from aerospike_helpers.expressions import base as exp
from aerospike_helpers.operations import list_operations as lists
from aerospike_helpers.operations import operations as op

if TYPE_CHECKING:
    from collections.abc import Callable

warnings.simplefilter("ignore")
SET = "official_queries"
HEADER = 8
TENDING = (
    "build",
    "cluster",
    "features",
    "node",
    "partition",
    "peers",
    "rack",
    "replicas",
    "service",
    "user",
)
CONTEXT = [cdt_ctx.cdt_ctx_list_index(0)]
SUM = exp.IntBin("n").compile()
# Long enough for a busy server.
WAIT = {"timeout": 30_000}
CIRCLE = '{"type": "AeroCircle", "coordinates": [[1.0, 2.0], 3.0]}'
POINT = '{"type": "Point", "coordinates": [1.0, 2.0]}'


class Proxy:
    """Passes bytes on to a server, and keeps the frames of requests."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.frames: list[bytes] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            server = socket.create_connection(self._server)
            threading.Thread(target=self._pass_on, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._pass_on, args=(server, client, False), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, is_request: bool) -> None:
        pending = b""
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                pending += data if is_request else b""
                while len(pending) >= HEADER:
                    size = HEADER + int.from_bytes(pending[2:HEADER], "big")
                    if len(pending) < size:
                        break
                    self.frames.append(pending[:size])
                    pending = pending[size:]
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


def main() -> None:
    proxy = Proxy(sys.argv[1], int(sys.argv[2]))
    client = aerospike.client({"hosts": [("127.0.0.1", proxy.port)], "tend_interval": 1_000_000})
    for number in range(4):
        bins = {"n": number, "s": "x", "b": b"x", "l": [number], "ll": [[number]], "m": {"k": number}}
        client.put(("test", SET, number), bins)
    lines = []

    def call(name: str, function: Callable[..., Any], *arguments: Any, **named: Any) -> None:
        proxy.frames.clear()
        with contextlib.suppress(aerospike.exception.AerospikeError):
            function(*arguments, **named)
        time.sleep(0.01)
        frames = []
        for frame in proxy.frames:
            if frame[1] == 3:
                frames.append({"message": frame.hex()})
            elif not (command := frame[HEADER:].decode().strip()).startswith(TENDING):
                frames.append({"info": command})
        # The client asks again while an index is built.
        frames = [frame for at, frame in enumerate(frames) if frame not in frames[:at]]
        lines.append({"call": name, "frames": frames})

    def query(*where: Any, how: str = "where", **settings: Any) -> None:
        made = client.query("test", SET)
        getattr(made, how)(*where)
        for name, value in settings.items():
            setattr(made, name, value)
        made.results({"max_retries": 0, "partition_filter": {"begin": 7, "count": 2}})

    def background(
        policy: dict[str, Any] | None, *operations: Any, where: Any = None, **settings: Any
    ) -> None:
        made = client.query("test", SET)
        if where is not None:
            made.where(*where)
        made.add_ops(list(operations))
        for name, value in settings.items():
            setattr(made, name, value)
        made.execute_background(*([] if policy is None else [policy]))

    a = aerospike
    single, of_list = client.index_single_value_create, client.index_list_create
    call("create-numeric", single, "test", SET, "n", a.INDEX_NUMERIC, "oq_n", WAIT)
    call("create-string", single, "test", SET, "s", a.INDEX_STRING, "oq_s", WAIT)
    call("create-blob", single, "test", SET, "b", a.INDEX_BLOB, "oq_b", WAIT)
    call("create-geo", single, "test", SET, "g", a.INDEX_GEO2DSPHERE, "oq_g", WAIT)
    call("create-context", single, "test", SET, "l", a.INDEX_NUMERIC, "oq_lc", WAIT, CONTEXT)
    call("create-list", of_list, "test", SET, "l", a.INDEX_NUMERIC, "oq_l", WAIT)
    call("create-list-context", of_list, "test", SET, "ll", a.INDEX_NUMERIC, "oq_ll", WAIT, CONTEXT)
    call("create-map-keys", client.index_map_keys_create, "test", SET, "m", a.INDEX_STRING, "oq_mk", WAIT)
    call(
        "create-map-values", client.index_map_values_create, "test", SET, "m", a.INDEX_NUMERIC, "oq_mv", WAIT
    )
    arguments = (a.INDEX_TYPE_DEFAULT, a.INDEX_NUMERIC, SUM, "oq_e", WAIT)
    call("create-expression", client.index_expr_create, "test", SET, *arguments)
    list_of = exp.ListBin("l").compile()
    arguments = (a.INDEX_TYPE_LIST, a.INDEX_NUMERIC, list_of, "oq_el", WAIT)
    call("create-expression-list", client.index_expr_create, "test", SET, *arguments)
    call("create-set", client.index_set_create, "test", SET, "oq_set", WAIT)

    call("equals-int", query, p.equals("n", 1))
    call("equals-negative", query, p.equals("n", -1))
    call("equals-str", query, p.equals("s", "s1"))
    call("equals-empty", query, p.equals("s", ""))
    call("equals-bytes", query, p.equals("b", b"\1\2"))
    call("between", query, p.between("n", -1, 3))
    call("contains-list", query, p.contains("l", a.INDEX_TYPE_LIST, 1))
    call("contains-map-keys", query, p.contains("m", a.INDEX_TYPE_MAPKEYS, "k1"))
    call("contains-map-values", query, p.contains("m", a.INDEX_TYPE_MAPVALUES, 1))
    call("range-map-values", query, p.range("m", a.INDEX_TYPE_MAPVALUES, 1, 3))
    call("geo-region", query, p.geo_within_geojson_region("g", CIRCLE))
    call("geo-radius", query, p.geo_within_radius("g", 1.0, 2.0, 3.0))
    call("geo-geojson-point", query, p.geo_contains_geojson_point("g", POINT))
    call("geo-point", query, p.geo_contains_point("g", 1.0, 2.0))
    call("geo-region-list", query, p.geo_within_geojson_region("g", CIRCLE, a.INDEX_TYPE_LIST))
    call("context", query, p.equals("l", 1), CONTEXT)
    call("context-list", query, p.contains("ll", a.INDEX_TYPE_LIST, 1), CONTEXT)
    call("index-name", query, "oq_n", p.equals("n", 1), how="where_with_index_name")
    in_list = p.contains("l", a.INDEX_TYPE_LIST, 1)
    call("index-name-list", query, "oq_l", in_list, how="where_with_index_name")
    call("expression", query, SUM, p.equals(None, 1), how="where_with_expr")
    call("expression-between", query, SUM, p.between(None, 1, 2), how="where_with_expr")
    call("limited", query, p.between("n", 0, 9), max_records=5, records_per_second=600)

    write = op.write("bg", 1)
    call("background", background, None, write)
    call("background-predicate", background, None, write, where=(p.equals("n", 1),))
    inside = (p.contains("ll", a.INDEX_TYPE_LIST, 1), CONTEXT)
    call("background-context", background, None, write, where=inside)
    call("background-rate", background, None, write, records_per_second=100)
    call("background-ttl", background, None, write, ttl=1000)
    call("background-durable", background, {"durable_delete": True}, write)
    call("background-replace", background, {"exists": a.POLICY_EXISTS_REPLACE}, write)
    where = (p.equals("n", 1),)
    policy = {"expressions": exp.GT(exp.IntBin("n"), 2).compile(), "socket_timeout": 777}
    call("background-filter", background, policy, write, where=where)
    several = (lists.list_append("l", 2), op.increment("n", 0), op.touch())
    call("background-operations", background, None, *several)
    call("job", client.job_info, 12345, a.JOB_QUERY)

    for name in ("n", "s", "b", "g", "lc", "l", "ll", "mk", "mv", "e", "el", "set"):
        call(f"remove-{name}", client.index_remove, "test", f"oq_{name}", WAIT)
    for number in range(4):
        client.remove(("test", SET, number))
    text = "".join(json.dumps(line) + "\n" for line in lines)
    Path(__file__).with_suffix(".jsonl").write_text(text)


main()
