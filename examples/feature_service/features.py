"""Sets, dtypes and columns that the service and its script share."""

from __future__ import annotations

import os

import numpy as np

NAMESPACE = "test"
USERS = "feature_users"
ITEMS = "feature_items"
# How often an item was seen and bought in the last hour.
TRENDS = "feature_trends"
FACTORS = 16

USER = np.dtype([("age", "u1"), ("visits", "u4"), *((f"f{number}", "f4") for number in range(FACTORS))])
ITEM = np.dtype([("price", "f4"), *((f"f{number}", "f4") for number in range(FACTORS))])
TREND = np.dtype([("seen", "f4"), ("bought", "f4")])
DTYPES = {USERS: USER, ITEMS: ITEM, TRENDS: TREND}

# The columns of the model's matrix, by set.
COLUMNS = {name: list(dtype.names or ()) for name, dtype in DTYPES.items()}
WIDTH = sum(map(len, COLUMNS.values()))
# What the model takes for a missing value.
MISSING = -1.0


def hosts() -> list[tuple[str, int]]:
    """The hosts in FEATURES_HOSTS, ``host:port[,host:port...]``."""
    pairs = (host.rpartition(":") for host in os.environ.get("FEATURES_HOSTS", "127.0.0.1:3000").split(","))
    return [(host, int(port)) for host, _, port in pairs]
