"""The rooms of each crate and of the Python package, top to bottom, each with the rooms that it imports.

`scripts/check_rooms.py` compares the sources with this. An arrow may only point down the list. To see what
the sources have: `python -m scripts.check_rooms --found aero-io`.
"""

from __future__ import annotations

ROOMS: dict[str, dict[str, tuple[str, ...]]] = {
    "aero-io": {},
    "dev-server": {},
    "dtype-schema": {},
    "py-bindings": {
        "commands": ("core", "results", "args", "keys", "values", "arrays", "call", "python"),
        # The object behind both clients.
        "core": ("args", "arrays", "call", "python"),
        "results": ("keys", "values", "arrays", "call", "python"),
        # Configuration, policies and operations, as Python passes them.
        "args": ("values", "python"),
        "keys": ("python",),
        # Bin values, both ways.
        "values": ("python",),
        # NumPy: dtypes and memory.
        "arrays": ("python",),
        # Runs a command's future, for both clients.
        "call": ("python",),
        # Processes, exceptions, and what the extension uses of the package.
        "python": (),
    },
    "record-decode": {},
    "wire-protocol": {},
    "aerospike_py": {},
}
