"""An online store for Feast 0.67, and features of Feast as a matrix.

``AerospikeOnlineStore`` reads and writes the records of Feast's own Aerospike store and has the same
configuration: in ``feature_store.yaml``, ``type: aerospike_py.feast.AerospikeOnlineStore`` takes the place of
``type: aerospike``. ``feature_matrix`` reads the features of a view, of a feature service or of references
into one array.

This package needs Feast (the extra ``feast``); nothing else in ``aerospike_py`` imports it.
"""

from __future__ import annotations

try:
    import feast as _feast  # noqa: F401 - only whether it is there
except ImportError as error:
    raise ImportError(
        "aerospike_py.feast needs Feast 0.67, which is not installed; install this package's extra 'feast'"
    ) from error

from .config import AerospikeOnlineStoreConfig
from .matrix import feature_matrix, feature_matrix_async
from .store import AerospikeOnlineStore

__all__ = ["AerospikeOnlineStore", "AerospikeOnlineStoreConfig", "feature_matrix", "feature_matrix_async"]
