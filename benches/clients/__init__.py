"""The clients that are compared, each with the fastest known way to get a batch into an array.

All of them start from the same list of ``(namespace, set, key)`` tuples (``ours-keys`` from the same keys in
an array) and end with a structured array of the workload's dtype. A module is imported only in the process
that uses it: two of them import the name ``aerospike_py`` and are installed in separate environments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benches.clients.base import Client, Hosts

OURS, OURS_KEYS, FLOOR = "ours", "ours-keys", "wire-floor"
PEERS = ("aerospike-py", "official", "aerospike-native")
CLIENTS = (OURS, OURS_KEYS, *PEERS)


def connect(name: str, hosts: Hosts) -> Client:
    if name in (OURS, OURS_KEYS):
        from benches.clients.ours import Ours

        return Ours(hosts, as_array=name == OURS_KEYS)
    if name == "aerospike-py":
        from benches.clients.index_aerospike_py import AerospikePy

        return AerospikePy(hosts)
    if name == "official":
        from benches.clients.official import Official

        return Official(hosts)
    from benches.clients.native import Native

    return Native(hosts)
