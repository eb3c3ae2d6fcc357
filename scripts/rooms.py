"""The rooms of each crate and of the Python package, top to bottom, each with the rooms that it imports.

`scripts/check_rooms.py` compares the sources with this. An arrow may only point down the list. To see what
the sources have: `python -m scripts.check_rooms --found aero-io`.
"""

from __future__ import annotations

ROOMS: dict[str, dict[str, tuple[str, ...]]] = {
    "aero-io": {
        "cluster": (
            "stats",
            "query",
            "batch",
            "command",
            "topology",
            "node",
            "config",
            "net",
            "key",
            "error",
            "policy",
        ),  # the public handle: one line a command
        "stats": ("node",),
        "query": ("command", "topology", "node", "net", "key", "error", "policy"),
        "batch": ("command", "topology", "node", "net", "key", "error", "policy"),
        "command": ("topology", "node", "net", "key", "error", "policy"),  # single records, and retries of all commands
        "topology": ("node", "config", "net", "error", "policy"),  # which nodes there are, and their partitions
        "node": ("config", "auth", "net", "error", "policy"),  # one node: health, hedging, new connections
        "config": ("auth",),
        "auth": ("net", "error"),
        "net": ("error",),  # streams, connections, their pool and buffers
        "key": ("error",),
        "error": (),
        "policy": (),
        "poll_for": (),  # blocking on a future in slices of time
    },
    "dev-server": {},
    "dtype-schema": {},
    "py-bindings": {},
    "record-decode": {},
    "wire-protocol": {},
    "aerospike_py": {},
}
