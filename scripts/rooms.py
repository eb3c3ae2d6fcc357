"""The rooms of each crate and of the Python package, top to bottom, each with the rooms that it imports.

`scripts/check_rooms.py` compares the sources with this. An arrow may only point down the list. To see what
the sources have: `python -m scripts.check_rooms --found aero-io`.
"""

from __future__ import annotations

ROOMS: dict[str, dict[str, tuple[str, ...]]] = {
    "aero-io": {
        "cluster": (
            "stats",
            "query",
            "commit",
            "batch",
            "command",
            "topology",
            "node",
            "metrics",
            "config",
            "net",
            "policy",
            "transaction",
            "key",
            "error",
        ),  # the public handle: one line a command
        "stats": ("node",),
        "query": ("command", "topology", "node", "net", "policy", "key", "error"),
        # How transactions end: verification, roll forward and back.
        "commit": ("batch", "command", "topology", "policy", "transaction", "key", "error"),
        "batch": ("command", "topology", "node", "net", "policy", "transaction", "key", "error"),
        "command": (
            "topology",
            "node",
            "metrics",
            "net",
            "policy",
            "transaction",
            "key",
            "error",
        ),  # single records; how all commands retry; the monitor records of transactions
        "topology": ("node", "metrics", "config", "net", "policy", "error"),  # the nodes and their partitions
        "node": (
            "metrics",
            "config",
            "auth",
            "net",
            "policy",
            "error",
        ),  # one node: health, hedging, new connections
        "metrics": ("error",),  # how often and how long; the trace of a call
        "config": ("auth",),
        "auth": ("net", "error"),
        "net": ("error",),  # streams, connections, their pool and buffers
        "policy": ("transaction",),
        "transaction": ("error",),  # what a transaction has read and written, and how far it is
        "key": ("error",),
        "error": (),
        "poll_for": (),  # blocking on a future in slices of time
    },
    "arrow-columns": {
        # The rows of Arrow columns, as operations.
        "encode": ("columns",),
        # Records into the columns of a result, in order, and what did not fit.
        "rows": ("columns", "error", "infer", "schema", "value"),
        # Columns inferred from values.
        "infer": ("schema", "value"),
        # Schemas, compiled for one call; the names of types.
        "schema": ("columns", "error"),
        # Columns while they grow, one kind a file.
        "columns": ("error", "value"),
        # The fields of structured arrays as columns.
        "fields": (),
        # Values of bins, and those inside lists and maps.
        "value": ("error",),
        # Why a value does not fit, or a schema is refused.
        "error": (),
    },
    "dev-server": {
        "cli": ("server", "state", "config", "security", "error"),  # the program
        "server": ("serve", "state", "config", "security", "error"),  # the handle
        "serve": ("command", "state", "config", "protocol", "error"),  # listeners and connections
        "command": ("state", "security", "protocol"),  # what clients can ask for
        "state": ("config", "security", "protocol", "error"),  # what the server remembers
        "config": ("security", "error"),
        "security": ("protocol", "error"),  # users, roles, sessions
        "protocol": ("error",),  # flags of requests, kinds of commands, headers of answers
        "error": (),
    },
    "dtype-schema": {
        # A dtype, its fields and their elements. Arrow schemas belong beside schema.
        "schema": ("leaf", "element", "error"),
        "leaf": ("element",),
        "element": ("error",),
        "error": (),
    },
    "py-bindings": {
        "commands": ("core", "results", "args", "keys", "values", "arrow", "arrays", "call", "python"),
        # The object behind both clients.
        "core": ("args", "arrays", "call", "python"),
        "results": ("keys", "values", "arrow", "arrays", "call", "python"),
        # Configuration, policies and operations, as Python passes them.
        "args": ("values", "python"),
        "keys": ("python",),
        # Bin values, both ways.
        "values": ("python",),
        # Arrow: schemas, tables, the C data interface.
        "arrow": ("python",),
        # NumPy: dtypes and memory.
        "arrays": ("python",),
        # Runs a command's future, for both clients.
        "call": ("python",),
        # Processes, exceptions, and what the extension uses of the package.
        "python": (),
    },
    "record-decode": {
        # Records into the rows of an array. Other results, such as Arrow columns, belong beside rows.
        "rows": ("convert", "error", "memory", "nested", "plan", "report"),
        # What changed to fit and what failed.
        "report": ("error", "plan"),
        # Values inside maps and lists, found as a plan's trees say.
        "nested": ("convert", "error", "plan"),
        # A schema compiled for one call, with the paths into maps and lists.
        "plan": ("convert",),
        # Fields back into operations.
        "encode": ("convert",),
        # Values into the bytes of one field: numbers, bytes, lists.
        "convert": ("error", "memory"),
        # The rows' memory, written by several threads: the unsafe part.
        "memory": (),
        # Why a value could not be converted.
        "error": (),
    },
    "record-ops": {
        # Filters and computed values, and operations on elements that expressions select.
        "expression": ("args", "bin", "bits", "collection", "error", "geo", "hll", "value"),
        # The operations of one kind of bin each.
        "collection": ("bin", "error", "value"),  # lists and maps
        "bits": ("args", "bin", "bit_string", "error", "value"),
        "hll": ("args", "bin", "bit_string", "error"),
        "geo": (),  # GeoJSON, and which points a region contains
        "args": ("error",),  # the arguments of operations
        "bit_string": (),
        "value": ("bin", "error"),  # values inside lists and maps; the server's order
        # What an operation sees of a record, and what it gives back.
        "bin": (),
        "error": (),
    },
    "record-udf": {
        # A Lua state with a module, which applies its functions.
        "runtime": ("limits", "lua", "modules", "record", "value"),
        "lua": ("limits", "modules", "record", "value"),  # what a script sees
        "record": ("value",),  # the record while a function works on it
        "value": ("limits",),  # values that scripts share, and their bytes
        "modules": (),  # the registered modules
        "limits": (),  # what a script may use
    },
    "wire-protocol": {
        # Operations on lists, maps, bits, sketches and text, and expressions, which call the same commands.
        "expression": (
            *("collection", "bitwise", "hll", "string", "operation", "value"),
            *("error", "message", "msgpack", "particle"),
        ),
        "collection": ("operation", "value", "error", "message", "msgpack"),
        "bitwise": ("operation",),
        "hll": ("operation",),
        "string": ("operation", "error", "message"),
        # Their layout, and contexts.
        "operation": ("value", "command", "error", "message", "msgpack", "particle"),
        # Values as data, into msgpack and back.
        "value": ("error", "msgpack", "particle"),
        # Messages by subject, requests beside answers. Predicates and background jobs belong in query,
        # transactions in command, users and roles in security, the management of indexes and UDFs in info.
        "query": ("batch", "command", "digest", "error", "message", "particle", "result_code"),
        "batch": ("command", "digest", "error", "message", "result_code"),
        "command": ("digest", "error", "message", "particle"),
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
    "aerospike_py": {
        # Entry points.
        "_cli": (
            "testing",
            "devserver",
            "async_client",
            "client",
            "query",
            "numpy_write",
            "_result_codes",
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
        # An online store of Feast.
        "feast": (
            "async_client",
            "client",
            "batch",
            "operations",
            "map_operations",
            "constants",
            "keys",
            "_matrix_format",
            "exception",
            "_utils",
        ),
        "testing": ("_devserver", "types"),
        # The process behind `testing`.
        "_devserver": (),
        "devserver": ("_native",),
        # The adapters of engines, each on splits.
        **dict.fromkeys(
            ("dask", "ray", "daft", "polars", "duckdb"),
            ("_engines", "splits", "_operation", "_types", "types"),
        ),
        "spark": ("_engines", "splits", "types", "exception"),
        # Parts of sets, and how to read them.
        "splits": (
            "_engines",
            "client",
            "query",
            "arrow_records",
            "numpy_query",
            "types",
            "_types",
            "_operation",
            "exception",
            "_native",
        ),
        # What splits and the adapters have in common.
        "_engines": (
            "client",
            "_commands",
            "numpy_write",
            "expressions",
            "arrow_records",
            "types",
            "constants",
            "exception",
            "_result_codes",
            "_utils",
            "_native",
        ),
        # Spans and durations of calls.
        "opentelemetry": ("async_client", "client", "query", "keys", "exception", "_tracing", "_native"),
        # All that the extension imports.
        "_from_native": (
            "_tracing",
            "_arrow",
            "_finish",
            "numpy_batch",
            "feature_matrix",
            "numpy_query",
            "numpy_write",
            "records",
            "keys",
            "values",
            "exception",
            "_utils",
            "stats",
        ),
        # The clients.
        "async_client": ("_commands", "_wrong_calls", "_utils"),
        "client": ("_commands", "_wrong_calls", "_utils", "types"),
        # The methods of both clients, a module per family.
        "_commands": (
            "_export",
            "_metrics",
            "metrics",
            "_schema",
            "_read_bins",
            "_matrix_format",
            "_finish",
            "_arrow",
            "arrow_records",
            "query",
            "numpy_batch",
            "feature_matrix",
            # Their names, for the message about a method that is an operation here.
            "list_operations",
            "map_operations",
            "numpy_write",
            "_inference",
            "_operation",
            "cdt_ctx",
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
        # Counters and times of calls: snapshots, text for Prometheus, reports to listeners.
        "_metrics": ("metrics", "stats", "exception", "_native"),
        # The trace that a call adds to.
        "_tracing": ("_native",),
        # What methods return.
        "query": (
            "_arrow",
            "_schema",
            "_read_bins",
            "_finish",
            "arrow_records",
            "numpy_query",
            "records",
            "types",
            "_types",
            "_operation",
            "cdt_ctx",
            "predicates",
            "_wrong_calls",
            "exception",
            "_utils",
            "_native",
        ),
        # Schemas for Arrow results; the end of a read into columns: warnings and errors.
        "_arrow": (
            "arrow_records",
            "numpy_records",
            "_types",
            "exception",
            "_result_codes",
            "_utils",
            "_native",
        ),
        "arrow_records": ("_export", "_types", "_result_codes", "_native", "_utils"),
        # Misspelt bins beside a dtype.
        "_read_bins": ("numpy_records", "_utils"),
        # The end of a read: warnings and errors.
        "_finish": (
            "numpy_batch",
            "feature_matrix",
            "numpy_records",
            "_leaves",
            "records",
            "exception",
            "_result_codes",
            "_utils",
        ),
        # The dtype and the fill value of a matrix.
        "_matrix_format": ("exception", "_utils"),
        "numpy_batch": (
            "numpy_records",
            "_export",
            "_types",
            "_result_codes",
            "_rows_by_key",
            "_pickled_keys",
        ),
        "feature_matrix": ("_export", "_pickled_keys", "_types", "_result_codes", "_utils"),
        "numpy_query": ("numpy_records", "_types"),
        "numpy_write": ("_export", "_result_codes", "exception", "_utils", "_native"),
        "inference": ("_inference",),
        # Behind `inference` and `infer_dtype`.
        "_inference": ("_schema", "records", "values", "_types", "exception", "_utils"),
        # What results in arrays have in common.
        "numpy_records": ("_export", "_leaves", "_utils"),
        # What methods take.
        "batch": ("_operation", "records", "types"),
        "operations": (
            "list_operations",
            "map_operations",
            "bitwise_operations",
            "hll_operations",
            "string_operations",
            "expression_operations",
            "_operation",
            "cdt_ctx",
            "_numbers",
            "constants",
        ),
        "list_operations": ("_operation", "_numbers", "constants"),
        "map_operations": ("_operation", "constants"),
        "bitwise_operations": ("_operation", "_numbers", "constants"),
        "hll_operations": ("_operation", "constants", "values"),
        "string_operations": ("_operation", "_numbers", "string_helpers"),
        "expression_operations": ("_operation", "constants"),
        # Types of their arguments, and how they are made.
        "_operation": ("cdt_ctx", "expressions", "_native"),
        # Conditions and values that the server computes.
        "expressions": (
            "cdt_ctx",
            "string_helpers",
            "_numbers",
            "constants",
            "values",
            "exception",
            "_utils",
        ),
        # Functions of the official module that belong to no client.
        "_module_functions": ("values", "constants", "exception", "_utils"),
        # Names of periodic metrics.
        "metrics": ("stats",),
        # The values that a query looks for in an index.
        "predicates": ("constants", "exception", "_utils"),
        # The way to a list or map inside another.
        "cdt_ctx": ("_numbers", "constants", "exception", "_utils"),
        "string_helpers": (),
        "_numbers": (),
        "records": ("_export", "exception", "_result_codes", "_utils"),
        "values": ("exception", "_utils"),
        # Results as objects of other libraries.
        "_export": ("_types", "_leaves", "_native", "_schema"),
        # The `schema` argument of reads into Arrow columns.
        "_schema": (),
        # A dtype's fields as a tree.
        "_leaves": (),
        # Types of configs and policies.
        "types": ("_types", "_native"),
        # The rows of a batch, by the key that the caller has.
        "_rows_by_key": ("_types",),
        # Aliases and protocols.
        "_types": ("keys",),
        "keys": ("exception", "_utils"),
        # The codes of a batch's rows, summed up.
        "_result_codes": ("exception",),
        # Calls with missing or too many arguments.
        "_wrong_calls": ("exception",),
        "_pickled_keys": (),
        "constants": (),
        "exception": (),
        "_utils": ("_native",),
        # The stub of the extension.
        "_native": ("stats",),
        "stats": (),
    },
}
