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
    "wire-protocol": {},
    "aerospike_py": {},
}
