"""Constants of roles: their privileges."""

from __future__ import annotations

# Privileges.
PRIV_DATA_ADMIN = 2
PRIV_READ = 10
PRIV_READ_WRITE = 11
PRIV_READ_WRITE_UDF = 12
PRIV_SINDEX_ADMIN = 4
PRIV_SYS_ADMIN = 1
PRIV_TRUNCATE = 14
PRIV_UDF_ADMIN = 3
PRIV_USER_ADMIN = 0
PRIV_WRITE = 13

__all__ = [
    "PRIV_DATA_ADMIN",
    "PRIV_READ",
    "PRIV_READ_WRITE",
    "PRIV_READ_WRITE_UDF",
    "PRIV_SINDEX_ADMIN",
    "PRIV_SYS_ADMIN",
    "PRIV_TRUNCATE",
    "PRIV_UDF_ADMIN",
    "PRIV_USER_ADMIN",
    "PRIV_WRITE",
]
