"""Names and dtypes that the service and its script share."""

from __future__ import annotations

import os

import numpy as np

NAMESPACE = "test"
USERS = "feature_users"
ITEMS = "feature_items"
FACTORS = 16

USER = np.dtype([("age", "u1"), ("visits", "u4"), ("factors", "f4", (FACTORS,))])
ITEM = np.dtype([("price", "f4"), ("factors", "f4", (FACTORS,))])


def hosts() -> list[tuple[str, int]]:
    """The hosts in FEATURES_HOSTS, ``host:port[,host:port...]``."""
    pairs = (host.rpartition(":") for host in os.environ.get("FEATURES_HOSTS", "127.0.0.1:3000").split(","))
    return [(host, int(port)) for host, _, port in pairs]
