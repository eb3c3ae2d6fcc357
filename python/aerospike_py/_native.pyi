"""The extension module. Private: use the classes of ``aerospike_py``."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, SupportsIndex, final

from .stats import ClusterStats

__version__: str

def calc_digest(ns: str, set: str | None, key: str | SupportsIndex | bytes | bytearray) -> bytes:
    """The digest of a key, 20 bytes, as the server computes it."""

def operation(
    number: int,
    bin_name: str,
    ctx: Sequence[Any] | None = None,
    policy: Mapping[str, int] | None = None,
    /,
    **entries: Any,
) -> dict[str, Any]:
    """Makes the dictionary of an operation, and refuses a wrong argument."""

def only_read(operations: Sequence[Any]) -> bool:
    """Whether none of these operations writes. They have been checked."""

def get_context_base64(ctx: Sequence[Any]) -> str:
    """The base64 of a context."""

def get_expression_base64(expression: Any) -> str:
    """The base64 of an expression."""

def decoded_values() -> tuple[int, int]:
    """The numbers of inexact values and of decode errors in this process so far."""

def devserver_main(arguments: Sequence[str]) -> int:
    """Runs the embedded server with these arguments until it is stopped. Returns the exit code."""

def shutdown() -> None:
    """Refuses all further calls, because the interpreter is exiting."""

@final
class CallTrace:
    """What a call did; made, it turns tracing on."""

    def __new__(cls) -> CallTrace: ...
    @property
    def requests(self) -> int:
        """Requests that were sent, with retries and hedges."""

    @property
    def retries(self) -> int:
        """Requests that were sent again."""

    @property
    def hedges(self) -> int:
        """Requests that were sent to another node as well."""

    @property
    def nodes(self) -> list[tuple[str, str, int]]:
        """The nodes that were asked: name, address, port."""

@final
class Completions:
    """The queue of completed calls of an event loop."""

    def __new__(cls) -> Completions: ...
    def fileno(self) -> int:
        """A file descriptor that is readable when calls have completed."""

    def drain(self) -> list[int]:
        """The numbers of the calls that have completed since the last ``drain``."""

    def call_when_ready(self, callback: Callable[[], None]) -> None:
        """Calls ``callback`` from a separate thread whenever calls have completed."""

@final
class Operation:
    """A running call of an event loop."""

    @property
    def number(self) -> int: ...
    def result(self) -> Any:
        """The result. Call it after ``drain`` has returned the number."""

    def close(self) -> None:
        """Cancels the call if it is running. After it returns, nothing writes into Python's memory."""

@final
class KeyTable:
    """The keys of a finished batch."""

    def __len__(self) -> int: ...
    def primary_key(self, row: int) -> Any:
        """The primary key of a row; the digest if the key was given by digest alone."""

    def primary_keys(self) -> list[Any]:
        """The primary keys of all rows."""

    def text_digests(self) -> dict[int, bytes]:
        """The digests of keys of text that is not UTF-8, by row: Python has them as bytes."""

    def digest_rows(self) -> list[int]:
        """The rows whose key was given by digest alone."""

    def spaces(self) -> list[tuple[str, str]]:
        """The distinct (namespace, set) pairs."""

    def space_of(self) -> list[int] | None:
        """Each row's index into ``spaces``; None if all rows have the same pair."""

@final
class ArrowWriter:
    """One call of ``batch_write_arrow``."""

    def write_next(self, completions: Completions | None) -> Any:
        """Writes the next rows. Returns the number of rows so far; None after the last one."""

    def outcome_so_far(self) -> tuple[Any, Any, dict[int, Any]]:
        """The codes of the rows so far, which of them are in doubt, and the keys of those that failed. Call
        it once, at the end."""

    def close(self) -> None:
        """Stops reading, and releases the stream."""

@final
class QueryPlace:
    """The progress of a query in each of its partitions."""

    def is_done(self) -> bool:
        """Whether all records of all partitions have arrived."""

    def status(self) -> dict[int | str, Any]:
        """Partition to (partition, whether a record arrived, whether to retry, digest and index value of the
        last record)."""

@final
class QueryPredicate:
    """The predicate of a query, with the way to its index."""

    def __new__(cls, way: str, predicate: Any, argument: Any) -> QueryPredicate: ...

@final
class Transaction:
    """Several commands on records of one namespace that are applied together or not at all.

    Pass it as ``txn`` in the policies of commands and batches, and end it with ``client.commit()`` or
    ``client.abort()``. It needs an Enterprise server with a strongly consistent namespace.
    """

    def __new__(cls, reads_capacity: int = 128, writes_capacity: int = 128) -> Transaction: ...
    @property
    def id(self) -> int:
        """The random identifier."""

    @property
    def in_doubt(self) -> bool:
        """Whether the outcome of a commit is unknown. Commit again to find out."""

    @property
    def state(self) -> int:
        """How far the transaction is: one of the ``TXN_STATE_*`` constants."""

    @property
    def timeout(self) -> int:
        """Seconds from its first write until the server ends the transaction; 0: the server's default."""

    @timeout.setter
    def timeout(self, timeout: int) -> None: ...

@final
class QueryOperations:
    """Operations of a query, encoded."""

@final
class QueryFunction:
    """A function that a background query applies."""

@final
class QueryStream:
    """The records of a query. One call reads from it at a time; others wait."""

    def next_block(self, completions: Completions | None, received: int) -> Any:
        """The next records as ``(number, list, failures)``; None after the last one.

        ``received`` is the number of the last list that the caller received, all of whose records were taken;
        0 before the first. ``failures`` is None, or has ``(position, exception)`` for each record that cannot
        be represented.
        """

    def place(self, number: int, taken: int) -> QueryPlace:
        """The progress after the first ``taken`` records of the list with this number."""

    def start(self) -> QueryPlace:
        """The progress at the beginning of the run."""

    def close(self) -> None:
        """Ends the query and closes its connections. A waiting ``next_block`` returns None."""

@final
class QueryLabels:
    """The stored keys and the sets of a query's rows."""

    def keys(self) -> list[Any]: ...
    def sets(self) -> list[str | None]: ...

@final
class ArrowTable:
    """Record batches with one schema."""

    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def __len__(self) -> int: ...
    def columns(self) -> list[tuple[str, str]]:
        """The names and types of the columns."""

    def nbytes(self) -> int: ...
    def null_counts(self) -> list[int]: ...

@final
class RowMeta:
    """What is known about the rows of a result in Arrow columns, as bytes of arrays."""

    def meta(self) -> bytes:
        """Generations and times to live, pairs of ``u4``."""

    def result_codes(self) -> bytes:
        """Result codes, ``i4``. Empty for a query."""

    def digests(self) -> bytes:
        """Digests, 20 bytes each. Empty for a batch."""

def arrow_table_of_fields(schema: Any, rows: int, leaves: Sequence[tuple[bytes, bytes]]) -> ArrowTable:
    """The fields of a structured array. ``leaves`` has the values of each field that is no struct, and a byte
    for each row: whether it has a value."""

def arrow_stream(
    first: ArrowTable, more: Callable[[], ArrowTable | None], requested_schema: object | None
) -> object:
    """One stream of the tables that ``more`` returns until it returns None, after ``first``."""

@final
class NumpyStream:
    """The records of a query, in arrays. One call reads from it at a time."""

    def next_block(self, completions: Completions | None, received: int) -> Any:
        """The next block as ``(number, records, missing, unmatched, failures, error)``; None after the last
        one.

        ``received`` is the number of the last block that the caller received; 0 before the first. The block
        counts as taken.
        """

    def all(self, completions: Completions | None) -> Any:
        """All records as one block. ``error`` is the exception with which the query ended, or None."""

    def place(self, taken: int) -> QueryPlace:
        """The progress once the block with the number ``taken``, if it is the last one, is taken."""

    def missing(self) -> tuple[list[str], list[str]]:
        """After the last block: fields that no record has, and that no earlier call has warned of; names of
        bins without a field."""

    def close(self) -> None:
        """Ends the query and closes its connections. A waiting ``next_block`` returns None."""

@final
class ArrowStream:
    """The records of a query, in Arrow columns. One call at a time reads from it."""

    def next_block(self, completions: Completions | None, received: int) -> Any:
        """The next block as ``(number, records, failures, error)``; None after the last one. ``received`` as
        for ``NumpyStream``."""

    def all(self, completions: Completions | None) -> Any:
        """All records as one block. ``error`` is the exception with which the query ended, or None."""

    def empty(self) -> Any:
        """Columns without rows, as ``next_block`` returns a block."""

    def place(self, taken: int) -> QueryPlace: ...
    def missing(self) -> tuple[list[str], list[str]]:
        """After the last block: columns that no record has a value for, and that no earlier call has warned
        of; names of bins without a column."""

    def close(self) -> None:
        """Ends the query and closes its connections. A waiting ``next_block`` returns None."""

@final
class Core:
    """The core of a client.

    Commands take the ``Completions`` of an event loop and return an ``Operation``, or take None, block, and
    return the result.
    """

    def __new__(cls, config: Mapping[str, Any]) -> Core: ...
    def connect(self, completions: Completions | None, username: str | None, password: str | None) -> Any: ...
    def is_new(self) -> bool:
        """Whether the client was never connected. Its next command connects it."""

    def ensure_connected(self, completions: Completions | None) -> Any:
        """Connects the client if it was never connected, as its first command does."""

    def take_events(self) -> list[tuple[int, float, str]]:
        """Takes the events that were not logged yet: level, time and message of each."""

    def close(self) -> None: ...
    def is_connected(self) -> bool: ...
    def get_node_names(self) -> list[str]: ...
    def commit(self, completions: Completions | None, transaction: Transaction) -> Any: ...
    def abort(self, completions: Completions | None, transaction: Transaction) -> Any: ...
    def stats(self) -> ClusterStats:
        """The state of nodes and connections."""

    def enable_metrics(self, enabled: bool) -> None:
        """Whether calls are counted and timed from now on, and after the next connect."""

    def metrics(self) -> tuple[bool, list[Any], list[Any]]:
        """Whether metrics are on, what calls took, and what requests to each node took."""

    def describe(self) -> str:
        """The hosts and the state of the client, for ``repr``."""

    def put(
        self,
        completions: Completions | None,
        key: Any,
        bins: Any,
        meta: Mapping[str, int] | None,
        policy: Mapping[str, Any] | None,
    ) -> Any: ...
    def get(self, completions: Completions | None, key: Any, policy: Mapping[str, Any] | None) -> Any: ...
    def exists(self, completions: Completions | None, key: Any, policy: Mapping[str, Any] | None) -> Any: ...
    def remove(
        self,
        completions: Completions | None,
        key: Any,
        meta: Mapping[str, int] | None,
        policy: Mapping[str, Any] | None,
    ) -> Any: ...
    def select(
        self, completions: Completions | None, key: Any, bins: Sequence[str], policy: Mapping[str, Any] | None
    ) -> Any: ...
    def operate(
        self,
        completions: Completions | None,
        key: Any,
        list: Sequence[Mapping[str, Any]],
        meta: Mapping[str, int] | None,
        policy: Mapping[str, Any] | None,
        ordered: bool,
    ) -> Any: ...
    def change(
        self,
        completions: Completions | None,
        operator: int,
        key: Any,
        bin: str,
        value: Any,
        meta: Mapping[str, int] | None,
        policy: Mapping[str, Any] | None,
    ) -> Any:
        """Appends, prepends or increments. ``operator`` is the ``OPERATOR_*`` constant."""

    def touch(
        self,
        completions: Completions | None,
        key: Any,
        val: int,
        meta: Mapping[str, int] | None,
        policy: Mapping[str, Any] | None,
    ) -> Any: ...
    def remove_bin(
        self,
        completions: Completions | None,
        key: Any,
        list: Sequence[str],
        meta: Mapping[str, int] | None,
        policy: Mapping[str, Any] | None,
    ) -> Any: ...
    def info_all(
        self, completions: Completions | None, command: str, policy: Mapping[str, Any] | None
    ) -> Any:
        """Sends the command to every node. The result maps node names to (error, answer)."""

    def info_single_node(
        self, completions: Completions | None, command: str, host: str, policy: Mapping[str, Any] | None
    ) -> Any: ...
    def info_random_node(
        self, completions: Completions | None, command: str, policy: Mapping[str, Any] | None
    ) -> Any: ...
    def truncate(
        self,
        completions: Completions | None,
        namespace: str,
        set: str | None,
        nanos: int,
        policy: Mapping[str, Any] | None,
    ) -> Any: ...
    def admin_user(
        self,
        completions: Completions | None,
        method: str,
        user: str | None,
        password: str | None,
        roles: Any,
        policy: Mapping[str, Any] | None,
    ) -> Any:
        """A command on users."""

    def admin_role(
        self,
        completions: Completions | None,
        method: str,
        role: str | None,
        privileges: Any,
        whitelist: Any,
        read_quota: int | None,
        write_quota: int | None,
        policy: Mapping[str, Any] | None,
    ) -> Any:
        """A command on roles."""

    def udf_put(
        self,
        completions: Completions | None,
        file: str,
        source: bytes,
        language: int,
        policy: Mapping[str, Any] | None,
    ) -> Any:
        """Registers a module and waits until all nodes have it."""

    def udf_remove(
        self, completions: Completions | None, file: str, policy: Mapping[str, Any] | None
    ) -> Any: ...
    def udf_list(self, completions: Completions | None, policy: Mapping[str, Any] | None) -> Any: ...
    def udf_get(
        self, completions: Completions | None, file: str, language: int, policy: Mapping[str, Any] | None
    ) -> Any: ...
    def apply(
        self,
        completions: Completions | None,
        key: Any,
        module: str,
        name: str,
        arguments: Sequence[Any] | None,
        policy: Mapping[str, Any] | None,
    ) -> Any: ...
    def batch_apply(
        self,
        completions: Completions | None,
        keys: Any,
        module: str,
        name: str,
        arguments: Sequence[Any] | None,
        policy: Mapping[str, Any] | None,
        row_policy: Mapping[str, Any] | None,
    ) -> Any: ...
    def query_function(self, module: str, name: str, arguments: Sequence[Any] | None) -> QueryFunction: ...
    def index_create(
        self,
        completions: Completions | None,
        function: str,
        what: str,
        namespace: str,
        set: str | None,
        source: Any,
        values: int | None,
        data_type: int | None,
        index: str,
        ctx: Any,
        policy: Mapping[str, Any] | None,
        wait_timeout: int | None,
    ) -> Any:
        """Creates an index on a "bin", an "expression" or a "set", and waits until it is built."""

    def index_remove(
        self, completions: Completions | None, namespace: str, index: str, policy: Mapping[str, Any] | None
    ) -> Any: ...
    def index_wait(
        self, completions: Completions | None, namespace: str, index: str, timeout: int | None
    ) -> Any: ...
    def index_list(
        self, completions: Completions | None, namespace: str, policy: Mapping[str, Any] | None
    ) -> Any: ...
    def job_info(
        self, completions: Completions | None, job_id: int, module: str, policy: Mapping[str, Any] | None
    ) -> Any: ...
    def query_operations(self, list: Any) -> QueryOperations:
        """Checks and encodes operations of a query."""

    def query_background(
        self,
        completions: Completions | None,
        namespace: str,
        set: str | None,
        predicate: QueryPredicate | None,
        operations: QueryOperations | None,
        function: QueryFunction | None,
        policy: Mapping[str, Any] | None,
        records_per_second: int,
        ttl: int,
    ) -> Any:
        """Starts a background query at all nodes; the result is its identifier."""

    def query(
        self,
        namespace: str,
        set: str | None,
        bins: Sequence[str] | None,
        policy: Mapping[str, Any] | None,
        options: Mapping[str, Any] | None,
        max_records: int,
        records_per_second: int,
        place: QueryPlace | None,
        paginates: bool,
        predicate: QueryPredicate | None,
        operations: QueryOperations | None,
    ) -> QueryStream:
        """Makes a query of a connected client. Nothing is sent before the first ``next_block``."""

    def query_numpy(
        self,
        namespace: str,
        set: str | None,
        bins: Sequence[str] | None,
        policy: Mapping[str, Any] | None,
        max_records: int,
        records_per_second: int,
        place: QueryPlace | None,
        paginates: bool,
        predicate: QueryPredicate | None,
        dtype: Any,
        casting: str,
        errors: str,
        rows: int | None,
        out: Any,
        paths: Any,
        project: str,
    ) -> NumpyStream:
        """Makes a query into arrays, in blocks of ``rows`` rows; None for one array."""

    def check_query_numpy(
        self,
        bins: Sequence[str] | None,
        policy: Mapping[str, Any] | None,
        dtype: Any,
        casting: str,
        errors: str,
        rows: int | None,
        out: Any,
        paths: Any,
        project: str,
    ) -> None:
        """Raises for arguments that no query into arrays can have."""

    def query_arrow(
        self,
        namespace: str,
        set: str | None,
        bins: Sequence[str] | None,
        policy: Mapping[str, Any] | None,
        max_records: int,
        records_per_second: int,
        place: QueryPlace | None,
        paginates: bool,
        predicate: QueryPredicate | None,
        schema: Any,
        casting: str,
        errors: str,
        rows: int | None,
        paths: Any,
        meta: Any,
    ) -> ArrowStream:
        """Makes a query into Arrow columns, in blocks of ``rows`` rows; None for one result."""

    def check_query_arrow(
        self,
        bins: Sequence[str] | None,
        policy: Mapping[str, Any] | None,
        schema: Any,
        casting: str,
        errors: str,
        rows: int | None,
        paths: Any,
        meta: Any,
    ) -> None:
        """Raises for arguments that no query into Arrow columns can have."""

    @staticmethod
    def check_query(namespace: str, set: str | None) -> None:
        """Raises ParamError for a namespace or set that no query can have."""

    @staticmethod
    def check_query_bins(bins: Sequence[str]) -> None:
        """Raises ParamError or BinNameError for names that no bins have."""

    @staticmethod
    def check_query_limit(name: str, value: int) -> int:
        """The value of a query's ``max_records``, ``records_per_second`` or ``ttl``."""

    def check_query_policy(self, policy: Mapping[str, Any] | None, options: Mapping[str, Any] | None) -> None:
        """Raises ParamError for a policy or options that no query can run with."""

    def batch_read(
        self,
        completions: Completions | None,
        keys: Any,
        bins: Sequence[str] | None,
        policy: Mapping[str, Any] | None,
        dtype: Any,
        casting: str,
        errors: str,
        out: Any,
        paths: Any,
        project: str,
    ) -> Any: ...
    def batch_read_sets(
        self,
        completions: Completions | None,
        keys: Any,
        bins: Sequence[str] | None,
        policy: Mapping[str, Any] | None,
        sets: Sequence[tuple[Any, str | None, str, Any, Any, Any]],
        casting: str,
        errors: str,
        project: str,
    ) -> Any:
        """Each of ``sets`` is (name in the result, namespace or None, set or "", dtype, paths, out)."""

    def read_matrix(
        self,
        completions: Completions | None,
        features: Any,
        dtype: Any,
        fill: bytes,
        casting: str,
        errors: str,
        out: Any,
        policy: Mapping[str, Any] | None,
    ) -> Any:
        """``fill`` has the bytes of a cell without a value."""

    def batch_read_arrow(
        self,
        completions: Completions | None,
        keys: Any,
        schema: Any,
        bins: Sequence[str] | None,
        paths: Any,
        meta: Sequence[str],
        policy: Mapping[str, Any] | None,
        casting: str,
        errors: str,
    ) -> Any: ...
    def batch_operate(
        self,
        completions: Completions | None,
        keys: Any,
        list: Sequence[Mapping[str, Any]],
        policy: Mapping[str, Any] | None,
        row_policy: Mapping[str, Any] | None,
        ttl: int | None,
        dtype: Any,
        fields: Sequence[str | None] | None,
        casting: str,
        errors: str,
        out: Any,
    ) -> Any: ...
    def batch_remove(
        self,
        completions: Completions | None,
        keys: Any,
        policy: Mapping[str, Any] | None,
        row_policy: Mapping[str, Any] | None,
    ) -> Any: ...
    def batch_write(
        self, completions: Completions | None, batch: Any, policy: Mapping[str, Any] | None
    ) -> Any:
        """Executes the rows of ``batch`` and sets their results."""

    def arrow_writer(
        self,
        data: Any,
        namespace: str,
        set: str | None,
        key: str,
        bins: list[str] | None,
        nulls: str,
        no_key_hint: str,
        policy: Mapping[str, Any] | None,
    ) -> ArrowWriter:
        """Begins a call of ``batch_write_arrow``. ``data`` is a capsule with a stream, or the capsules of a
        schema and an array; ``no_key_hint`` ends the message about a key that is no column."""

    def batch_write_numpy(
        self,
        completions: Completions | None,
        data: Any,
        dtype: Any,
        keys: Any,
        present: bytes | None,
        strings_as: str,
        arrays_as: str,
        policy: Mapping[str, Any] | None,
    ) -> Any:
        """Writes the fields of ``dtype``. ``present`` has one byte per row and field; 0 skips the field."""
