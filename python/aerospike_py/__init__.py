"""Read Aerospike straight into NumPy.

>>> import numpy as np
>>> import aerospike_py as aerospike
>>> client = aerospike.client({"hosts": [("127.0.0.1", 3000)]}).connect()
>>> dtype = np.dtype([("temperature", "f8"), ("humidity", "i4")])
>>> batch = client.batch_read([("test", "sensors", "a")], _dtype=dtype)

:class:`AsyncClient` is the asynchronous client, with the same methods. :mod:`aerospike_py.testing` has an
embedded server for tests and experiments.
"""

# What lives where. Public modules hold what users see: ``client`` and ``async_client`` the clients,
# ``query``, ``records``, ``numpy_batch``, ``feature_matrix``, ``numpy_write`` and ``inference`` what their
# methods return,
# ``batch``, ``keys``, ``operations`` and its siblings, ``cdt_ctx``, ``expressions``, ``predicates``,
# ``types`` and ``values`` what they take. Private folders: ``_commands``
# has the methods of the clients, ``_export`` converts results to other libraries, ``_inference`` is behind
# ``inference``, ``_devserver`` behind ``testing``, ``_cli`` is the command line, ``_utils`` has helpers.
# ``_native`` is the extension (crates/py-bindings); ``_from_native`` lists what the extension imports from
# here. Imports run one way: scripts/rooms.py has the order. Start with ``client``, then
# ``_commands/records``. ``numpy_records`` is the base of results in arrays.
#
# Where to add: a new command, a module of ``_commands``; a new kind of result, a public module beside
# ``numpy_batch``, on ``numpy_records`` if it has arrays; its conversion to another library, a module of
# ``_export``; a new family of operations, a public module beside ``operations``.

from __future__ import annotations

# What the extension uses of the package. Imported here, not at first use: if another thread forked in the
# middle of that import, the child would wait for it forever.
from . import _from_native as _from_native
from . import (
    _native,
    batch,
    bitwise_operations,
    cdt_ctx,
    constants,
    exception,
    expression_operations,
    expressions,
    hll_operations,
    list_operations,
    map_operations,
    metrics,
    operations,
    predicates,
    string_helpers,
    string_operations,
    types,
)
from ._metrics import ClientMetrics, CommandMetrics, NodeMetrics, prometheus_text
from ._module_functions import (
    ConfigProvider,
    geodata,
    geojson,
    get_partition_id,
    set_deserializer,
    set_log_handler,
    set_log_level,
    set_serializer,
    unset_serializers,
)
from ._native import Transaction, __version__
from ._wrong_calls import explains_wrong_calls
from .arrow_records import ArrowRecords
from .async_client import AsyncClient
from .client import Client, client
from .constants import *  # noqa: F403
from .constants.details import *  # noqa: F403
from .constants.operations import *  # noqa: F403
from .constants.security import *  # noqa: F403
from .constants.transactions import *  # noqa: F403
from .constants.udf import *  # noqa: F403
from .exception import *  # noqa: F403
from .exception import ConnectionError as ConnectionError
from .exception import IndexError as IndexError
from .exception import TimeoutError as TimeoutError
from .feature_matrix import FeatureMatrix
from .keys import Keys
from .numpy_batch import NumpyBatchRecords
from .numpy_query import NumpyQueryRecords
from .numpy_records import MissingFieldWarning, NumpyRecords
from .numpy_write import NumpyWriteResult
from .query import (
    ArrowBatches,
    AsyncArrowBatches,
    AsyncNumpyBatches,
    AsyncQuery,
    AsyncQueryRecords,
    AsyncScan,
    NumpyBatches,
    Query,
    QueryRecords,
    Scan,
)
from .records import BatchRecord, BatchRecords, Exists, Key, OrderedRecord, Record, RecordHeader
from .splits import Split, SplitMetrics, splits
from .stats import ClusterStats, ConnectionStats, NodeStats
from .values import CDTInfinite, CDTWildcard, GeoJSON, HyperLogLog, KeyOrderedDict, null

calc_digest = explains_wrong_calls(_native.calc_digest)

__all__ = [
    "ArrowBatches",
    "ArrowRecords",
    "AsyncArrowBatches",
    "AsyncClient",
    "AsyncNumpyBatches",
    "AsyncQuery",
    "AsyncQueryRecords",
    "AsyncScan",
    "BatchRecord",
    "BatchRecords",
    "CDTInfinite",
    "CDTWildcard",
    "Client",
    "ClientMetrics",
    "ClusterStats",
    "CommandMetrics",
    "ConfigProvider",
    "ConnectionStats",
    "Exists",
    "FeatureMatrix",
    "GeoJSON",
    "HyperLogLog",
    "Key",
    "KeyOrderedDict",
    "Keys",
    "MissingFieldWarning",
    "NodeMetrics",
    "NodeStats",
    "NumpyBatchRecords",
    "NumpyBatches",
    "NumpyQueryRecords",
    "NumpyRecords",
    "NumpyWriteResult",
    "OrderedRecord",
    "Query",
    "QueryRecords",
    "Record",
    "RecordHeader",
    "Scan",
    "Split",
    "SplitMetrics",
    "Transaction",
    "__version__",
    "batch",
    "bitwise_operations",
    "calc_digest",
    "cdt_ctx",
    "client",
    "exception",
    "expression_operations",
    "expressions",
    "geodata",
    "geojson",
    "get_partition_id",
    "hll_operations",
    "list_operations",
    "map_operations",
    "metrics",
    "null",
    "operations",
    "predicates",
    "prometheus_text",
    "set_deserializer",
    "set_log_handler",
    "set_log_level",
    "set_serializer",
    "splits",
    "string_helpers",
    "string_operations",
    "types",
    "unset_serializers",
]
__all__ += constants.__all__
__all__ += exception.__all__
# `import *` must not replace builtins; these are reached as aerospike_py.TimeoutError.
__all__.remove("ConnectionError")  # noqa: PYI056
__all__.remove("IndexError")  # noqa: PYI056
__all__.remove("TimeoutError")  # noqa: PYI056

# What this module only uses. Left out of completion, with its own modules, except those in __all__.
_HIDDEN = {name for name in globals() if name[:2] != "__" and name not in __all__}
_HIDDEN -= {"ConnectionError", "IndexError", "TimeoutError"}


def __dir__() -> list[str]:
    return sorted({*globals()} - _HIDDEN - {"_HIDDEN", "__dir__"})
