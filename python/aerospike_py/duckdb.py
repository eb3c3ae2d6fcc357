"""Sets as tables of DuckDB. Needs the extra ``duckdb``.

>>> import duckdb
>>> from aerospike_py.duckdb import register
>>> connection = duckdb.connect()
>>> register(connection, "users", config, "test", "users")
>>> connection.sql("select sum(visits) from users").fetchall()[0]
(7,)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ._engines.library import library
from ._engines.tables import table
from .splits import splits

if TYPE_CHECKING:
    from ._operation import Expression
    from ._types import ArrowSchema, MetaColumns
    from .splits import Split
    from .types import ClientConfig, QueryPolicy

__all__ = ["AerospikeTable", "register"]


class AerospikeTable:
    """A set that DuckDB, and whatever else takes Arrow streams, can scan any number of times.

    Each scan is a query of its own, streamed in bounded memory. DuckDB's filters and projections are applied
    by DuckDB to what arrives: name the ``columns`` and pass ``where`` to have less travel.

    Args:
        config: the config of a client.
        namespace: the namespace.
        set: the set, or None for the whole namespace.
        schema: the columns, as in :func:`aerospike_py.splits.splits`.
        columns: the columns to read; None for all.
        where: a filter: an expression, its base64, or a predicate for a secondary index.
        meta: columns about records, as in :meth:`Query.to_arrow`.
        policy: query policy.
        records_per_second: the maximum number of records per second that each node reads; 0 for no limit.

    Example:
        >>> from aerospike_py.duckdb import AerospikeTable
        >>> users = AerospikeTable(config, "test", "users")
        >>> duckdb.sql("select count(*) from users").fetchall()[0]
        (2,)
    """

    def __init__(
        self,
        config: ClientConfig,
        namespace: str,
        set: str | None,
        *,
        schema: ArrowSchema | None = None,
        columns: Sequence[str] | None = None,
        where: Expression | str | tuple[Any, ...] | None = None,
        meta: MetaColumns = (),
        policy: QueryPolicy | None = None,
        records_per_second: int = 0,
    ) -> None:
        self._split: Split = splits(
            config,
            namespace,
            set,
            1,
            schema=schema,
            where=where,
            columns=columns,
            meta=meta,
            policy=policy,
            records_per_second=records_per_second,
        )[0]
        self._empty = table(self._split.empty())

    def reader(self) -> Any:
        """A ``pyarrow.RecordBatchReader`` of one scan."""
        pyarrow = library("pyarrow", "duckdb")

        def batches() -> Iterator[Any]:
            for records in self._split.batches():
                yield from table(records).to_batches()

        return pyarrow.RecordBatchReader.from_batches(self._empty.schema, batches())

    def __arrow_c_schema__(self) -> object:
        """The schema, for the Arrow C data interface."""
        return self._empty.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The records of a new scan, for the Arrow C stream interface."""
        return self.reader().__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        return f"<AerospikeTable of {self._split.namespace!r}, set {self._split.set!r}>"


def register(
    connection: Any,
    name: str,
    config: ClientConfig,
    namespace: str,
    set: str | None,
    **options: Any,
) -> None:
    """Makes a set a view of a DuckDB connection. Each query that uses it reads the set.

    Args:
        connection: a ``duckdb.DuckDBPyConnection``.
        name: name of the view.
        config: the config of a client.
        namespace: the namespace.
        set: the set, or None for the whole namespace.
        options: as for :class:`AerospikeTable`.

    Raises:
        ImportError: duckdb or pyarrow is not installed.

    Example:
        >>> import duckdb
        >>> from aerospike_py.duckdb import register
        >>> connection = duckdb.connect()
        >>> register(connection, "users", config, "test", "users", columns=["visits"])
        >>> connection.sql("select max(visits) from users").fetchall()[0]
        (7,)
    """
    library("duckdb", "duckdb")
    connection.register(name, AerospikeTable(config, namespace, set, **options))
