"""The native core. Not public: use the classes of ``aerospike_py``."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, SupportsIndex, final

from .stats import ClusterStats

__version__: str

def calc_digest(ns: str, set: str | None, key: str | SupportsIndex | bytes | bytearray) -> bytes:
    """The digest of a key, as the server computes it."""

def devserver_main(arguments: Sequence[str]) -> int:
    """Runs the embedded node with these arguments until it is told to stop; returns the exit code."""

def shutdown() -> None:
    """Refuses calls from now on: the interpreter is exiting."""

@final
class Completions:
    """The queue of one event loop's completed calls."""

    def __new__(cls) -> Completions: ...
    def fileno(self) -> int:
        """The descriptor that is readable when calls have completed."""

    def drain(self) -> list[int]:
        """The numbers of the calls that completed since the last time."""

    def call_when_ready(self, callback: Callable[[], None]) -> None:
        """Calls ``callback`` from a thread of its own whenever calls have completed."""

@final
class Operation:
    """A call under way in an event loop."""

    @property
    def number(self) -> int: ...
    def result(self) -> Any:
        """The result, once the queue has given the number."""

    def close(self) -> None:
        """Ends the call if it is under way. Nothing writes into Python's memory after it returns."""

@final
class KeyTable:
    """The keys of a finished batch."""

    def __len__(self) -> int: ...
    def primary_key(self, row: int) -> Any:
        """The primary key of a row; the digest of a key that was given by digest alone."""

    def primary_keys(self) -> list[Any]:
        """All of them, in row order."""

    def spaces(self) -> list[tuple[str, str]]:
        """The distinct (namespace, set) pairs."""

    def space_of(self) -> list[int] | None:
        """Each row's position in ``spaces``, or None where there is one for all rows."""

@final
class QueryPlace:
    """Where a query stands in each of its partitions."""

    def is_done(self) -> bool:
        """Whether all records of all partitions have come."""

    def status(self) -> dict[int | str, Any]:
        """Partition to (partition, whether a record came, whether to ask again, the last one's digest, 0)."""

@final
class QueryStream:
    """The records of a query. One call at a time reads from it; others wait."""

    def next_block(self, completions: Completions | None) -> Any:
        """The next records as a list; None when all have come."""

    def place(self, used: int) -> QueryPlace:
        """Where the query stands after so many records of the last list."""

    def close(self) -> None:
        """Ends the query and closes its connections. A call that waits for records gets None."""

@final
class Core:
    """The core of a client. Commands take the completions of an event loop, or None to wait."""

    def __new__(cls, config: Mapping[str, Any]) -> Core: ...
    def connect(self, completions: Completions | None, username: str | None, password: str | None) -> Any: ...
    def close(self) -> None: ...
    def is_connected(self) -> bool: ...
    def get_node_names(self) -> list[str]: ...
    def stats(self) -> ClusterStats:
        """The state of nodes and connections."""

    def describe(self) -> str:
        """What a ``repr`` says of the client."""

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
        """Appends, prepends or adds: the operation of that number."""

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
    def info_all(self, completions: Completions | None, command: str, policy: Mapping[str, Any] | None) -> Any:
        """Asks every node; gives a dict of node name to (error, answer)."""

    def info_node(
        self, completions: Completions | None, command: str, node: str | None, policy: Mapping[str, Any] | None
    ) -> Any:
        """Asks the node of that name, or where it is None any that answers."""

    def truncate(
        self,
        completions: Completions | None,
        namespace: str,
        set: str | None,
        nanos: int,
        policy: Mapping[str, Any] | None,
    ) -> Any: ...
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
    ) -> QueryStream:
        """Begins a query: nothing is sent before the first records are asked for."""

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
    ) -> Any: ...
    def batch_operate(
        self,
        completions: Completions | None,
        keys: Any,
        list: Sequence[Mapping[str, Any]],
        policy: Mapping[str, Any] | None,
        row_policy: Mapping[str, Any] | None,
        ttl: int | None,
    ) -> Any: ...
    def batch_remove(
        self,
        completions: Completions | None,
        keys: Any,
        policy: Mapping[str, Any] | None,
        row_policy: Mapping[str, Any] | None,
    ) -> Any: ...
    def batch_write(self, completions: Completions | None, batch: Any, policy: Mapping[str, Any] | None) -> Any:
        """Fills in what became of the rows of ``batch``."""

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
        """Writes the fields of ``dtype``, ``present`` a byte for each row and field of it."""
