"""Sets as Daft dataframes. Needs the extra ``daft``.

>>> from aerospike_py.daft import read_aerospike
>>> read_aerospike(config, "test", "users").sum("visits").to_pydict()
{'visits': [7]}
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ._engines.library import library
from ._engines.tables import table, tables
from .splits import splits

library("daft.io.source", "daft")

from daft.io.source import DataSource, DataSourceTask  # noqa: E402
from daft.recordbatch import RecordBatch  # noqa: E402
from daft.schema import Schema  # noqa: E402

if TYPE_CHECKING:
    from ._operation import Expression
    from ._types import ArrowSchema, MetaColumns
    from .splits import Split
    from .types import ClientConfig, QueryPolicy

__all__ = ["AerospikeDataSource", "read_aerospike"]


class AerospikeDataSource(DataSource):
    """A set as a data source of Daft; :func:`read_aerospike` makes a dataframe of it.

    Daft says which columns and how many rows it needs. Its filters are applied by Daft.

    Example:
        >>> from aerospike_py.daft import AerospikeDataSource
        >>> AerospikeDataSource(aerospike_py.splits(config, "test", "users", 2)).read().count_rows()
        2
    """

    def __init__(self, parts: Sequence[Split]) -> None:
        self._splits = list(parts)
        self._schema = _schema(self._splits[0])

    @property
    def name(self) -> str:
        """The name that Daft shows."""
        return "Aerospike"

    @property
    def schema(self) -> Any:
        """The columns."""
        return self._schema

    async def get_tasks(self, pushdowns: Any) -> AsyncIterator[_Task]:
        """A task for each split, of the columns that Daft needs."""
        columns = pushdowns.columns
        if columns is not None:
            # Daft filters what arrives, so the columns of its filter must arrive, too.
            columns = list(dict.fromkeys([*columns, *sorted(pushdowns.filter_required_column_names())]))
        for split in self._splits:
            part = split if columns is None else split.select(columns)
            # A filter of Daft's decides which rows count for its limit.
            if pushdowns.limit and pushdowns.filters is None:
                part = part.limit(pushdowns.limit)
            yield _Task(part, columns)


class _Task(DataSourceTask):
    def __init__(self, split: Split, columns: list[str] | None) -> None:
        self._split = split
        self._columns = columns

    @property
    def schema(self) -> Any:
        return _schema(self._split, self._columns)

    async def read(self) -> AsyncIterator[Any]:
        blocks = tables(self._split)
        # A thread of its own: with max_concurrent, splits that wait for a place would take up the threads of
        # a pool, and the one that holds the place could not go on.
        executor = ThreadPoolExecutor(1)
        next_block = asyncio.get_running_loop().run_in_executor
        try:
            while (columns := await next_block(executor, next, blocks, None)) is not None:
                if columns.num_rows:
                    yield RecordBatch.from_arrow_table(_chosen(columns, self._columns))
        finally:
            executor.submit(blocks.close)
            executor.shutdown(wait=False)


def _chosen(columns: Any, names: list[str] | None) -> Any:
    return columns if names is None else columns.select(names)


def _schema(split: Split, columns: list[str] | None = None) -> Any:
    return Schema.from_pyarrow_schema(_chosen(table(split.empty()), columns).schema)


def read_aerospike(
    config: ClientConfig,
    namespace: str,
    set: str | None,
    *,
    n: int = 64,
    schema: ArrowSchema | None = None,
    columns: Sequence[str] | None = None,
    where: Expression | str | tuple[Any, ...] | None = None,
    meta: MetaColumns = (),
    policy: QueryPolicy | None = None,
    max_concurrent: int | None = None,
    records_per_second: int = 0,
) -> Any:
    """A set as a ``daft.DataFrame``. The arguments are those of :func:`aerospike_py.splits.splits`.

    Raises:
        ImportError: daft is not installed.

    Example:
        >>> from aerospike_py.daft import read_aerospike
        >>> read_aerospike(config, "test", "users", n=2).count_rows()
        2
    """
    library("daft", "daft")
    parts = splits(
        config,
        namespace,
        set,
        n,
        schema=schema,
        where=where,
        columns=columns,
        meta=meta,
        policy=policy,
        max_concurrent=max_concurrent,
        records_per_second=records_per_second,
    )
    return AerospikeDataSource(parts).read()
