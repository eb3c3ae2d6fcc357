"""The rooms of each crate and of the Python package, top to bottom, each with the rooms that it imports.

`scripts/check_rooms.py` compares the sources with this. An arrow may only point down the list. To see what
the sources have: `python -m scripts.check_rooms --found aero-io`.
"""

from __future__ import annotations

ROOMS: dict[str, dict[str, tuple[str, ...]]] = {
    "aero-io": {},
    "dev-server": {},
    "dtype-schema": {},
    "py-bindings": {},
    "record-decode": {},
    "wire-protocol": {
        # Messages by subject, requests beside answers. Predicates and background jobs belong in query, transactions in
        # command, users and roles in security, the management of indexes and UDFs (info commands) in info.
        "batch": ("command", "digest", "error", "message", "result_code"),
        "query": ("command", "digest", "error", "message", "result_code"),
        "command": ("digest", "error", "message", "particle"),
        # Operations on lists, maps, bits and HyperLogLog, with their contexts, and expressions will be rooms of their
        # own here: encoders that use msgpack only.
        "info": ("digest", "error", "message", "result_code"),
        "security": ("error", "message", "result_code"),
        "compressed": ("error", "message"),
        # What every message is made of.
        "message": ("error", "particle", "result_code"),
        "digest": ("error", "particle"),
        "msgpack": ("error", "particle"),
        "particle": ("error",),
        "result_code": (),
        "error": (),
    },
    "aerospike_py": {},
}
