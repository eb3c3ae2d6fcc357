"""What the extension module takes from the package.

``_native`` imports no other module of the package, and looks up the names of ``__all__`` by string. The
objects behind these names can be renamed or moved; a name that changes here must change in
``crates/py-bindings``. ``tests/test_package.py`` compares the two.

The package imports this module when it is imported itself. It must not be imported at first use: if another
thread forks in the middle of that import, the child waits for it forever.
"""

from __future__ import annotations

from ._arrow.finish import arrow_query_records, finish_arrow_batch
from ._finish import finish_batch_read, finish_batch_sets, finish_matrix
from ._tracing import current_trace
from ._utils.log import emit as log_event
from ._utils.log import logger
from ._utils.warnings import warn
from .exception import (
    ClosedError,
    ParamTypeError,
    RecordDecodeError,
    RefusedRequest,
    UnknownNodeError,
)
from .exception import _error_class as error_class
from .feature_matrix import FeatureMatrix
from .keys import Keys
from .keys import _plain_values as plain_key_values
from .numpy_batch import NumpyBatchRecords
from .numpy_query import NumpyQueryRecords
from .numpy_write import _finish as finish_batch_write
from .records import BatchRecord, BatchRecords, Exists, Key, OrderedRecord, Record, RecordHeader
from .stats import ClusterStats, ConnectionStats, NodeStats
from .values import CDTInfinite, CDTWildcard, GeoJSON, HyperLogLog, KeyOrderedDict, null

__all__ = [
    "BatchRecord",
    "BatchRecords",
    "CDTInfinite",
    "CDTWildcard",
    "ClosedError",
    "ClusterStats",
    "ConnectionStats",
    "Exists",
    "FeatureMatrix",
    "GeoJSON",
    "HyperLogLog",
    "Key",
    "KeyOrderedDict",
    "Keys",
    "NodeStats",
    "NumpyBatchRecords",
    "NumpyQueryRecords",
    "OrderedRecord",
    "ParamTypeError",
    "Record",
    "RecordDecodeError",
    "RecordHeader",
    "RefusedRequest",
    "UnknownNodeError",
    "arrow_query_records",
    "current_trace",
    "error_class",
    "finish_arrow_batch",
    "finish_batch_read",
    "finish_batch_sets",
    "finish_batch_write",
    "finish_matrix",
    "log_event",
    "logger",
    "null",
    "plain_key_values",
    "warn",
]
