"""The rooms of each crate and of the Python package, top to bottom, each with the rooms that it imports.

`scripts/check_rooms.py` holds the sources against this. An arrow may only point down the list. To see what the sources
have: `python -m scripts.check_rooms --found aero-io`.
"""

from __future__ import annotations

ROOMS: dict[str, dict[str, tuple[str, ...]]] = {
    "aero-io": {},
    "dev-server": {
        "cli": ("server", "state", "config", "security", "error"),  # the program
        "server": ("serve", "state", "config", "security", "error"),  # the handle
        "serve": ("command", "state", "config", "protocol", "error"),  # listeners and connections
        "command": ("state", "security", "protocol"),  # what clients can ask for
        "state": ("config", "security", "protocol", "error"),  # what the server remembers
        "config": ("security", "error"),
        "security": ("protocol", "error"),  # users, roles, sessions
        "protocol": ("error",),  # flags of requests, kinds of commands, headers of answers
        "error": (),
    },
    "dtype-schema": {},
    "py-bindings": {},
    "record-decode": {},
    "wire-protocol": {},
    "aerospike_py": {},
}
