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
    "aerospike_py": {
        # Entry points.
        "_cli": (
            "testing",
            "devserver",
            "async_client",
            "client",
            "inference",
            "_inference",
            "records",
            "values",
            "types",
            "constants",
            "exception",
            "_utils",
            "_native",
        ),
        "testing": ("_devserver", "types"),
        # The process behind `testing`.
        "_devserver": (),
        "devserver": ("_native",),
        # All that the extension imports.
        "_from_native": (
            "numpy_batch",
            "numpy_write",
            "records",
            "keys",
            "values",
            "exception",
            "_utils",
            "stats",
        ),
        # The clients.
        "async_client": ("_commands", "_utils"),
        "client": ("_commands", "types"),
        # The methods of both clients, a module per family.
        "_commands": (
            "query",
            "numpy_batch",
            "numpy_write",
            "_inference",
            "operations",
            "records",
            "types",
            "_types",
            "keys",
            "constants",
            "exception",
            "_utils",
            "_native",
            "stats",
        ),
        # What methods return.
        "query": ("records", "types", "exception", "_utils", "_native"),
        "numpy_batch": ("_export", "_types", "exception", "_utils"),
        "numpy_write": ("exception", "_utils", "_native"),
        "inference": ("_inference",),
        # Behind `inference` and `infer_dtype`.
        "_inference": ("records", "values", "_types", "exception", "_utils"),
        # Results as objects of other libraries.
        "_export": ("_types",),
        # What methods take.
        "batch": ("operations", "records", "types"),
        "operations": ("constants",),
        "records": ("exception",),
        "values": (),
        # Types of configs and policies.
        "types": ("_types",),
        # Aliases and protocols.
        "_types": ("keys",),
        "keys": ("exception",),
        "constants": (),
        "exception": (),
        "_utils": ("_native",),
        # The stub of the extension.
        "_native": ("stats",),
        "stats": (),
    },
}
