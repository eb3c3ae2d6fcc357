"""Sets as Dask dataframes. Needs the extra ``dask``.

>>> from aerospike_py.dask import read_aerospike
>>> frame = read_aerospike(config, "test", "users", n=2)
>>> int(frame["visits"].sum().compute())
7
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from ._engines.library import library
from ._engines.tables import table
from ._engines.writing import Target, target, write
from .splits import splits

if TYPE_CHECKING:
    from ._operation import Expression
    from ._types import ArrowSchema, MetaColumns
    from .splits import Split
    from .types import ArrayWritePolicy, ClientConfig, QueryPolicy

__all__ = ["read_aerospike", "to_aerospike"]


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
    """A set as a ``dask.dataframe.DataFrame``, one partition per split. Nothing is read until it is computed.

    Dask says which columns it needs, and only their bins travel. Its filters are applied by Dask; pass
    ``where`` to have the cluster filter. Columns have pandas' Arrow types. A task that fails is read again
    only with a distributed scheduler and ``compute(retries=...)``. With such a scheduler, each split logs its
    metrics under the topic ``aerospike_py.splits``.

    Args:
        config: the config of a client. It travels in the task graph, also its password.
        namespace: the namespace.
        set: the set, or None for the whole namespace.
        n: number of splits.
        schema: the columns, as in :func:`aerospike_py.splits.splits`.
        columns: the columns to read; None for all.
        where: a filter: an expression, its base64, or a predicate for a secondary index.
        meta: columns about records, as in :meth:`Query.to_arrow`.
        policy: query policy of each read.
        max_concurrent: as in :func:`aerospike_py.splits.splits`.
        records_per_second: as in :func:`aerospike_py.splits.splits`.

    Raises:
        ImportError: dask is not installed.

    Example:
        >>> from aerospike_py.dask import read_aerospike
        >>> frame = read_aerospike(config, "test", "users", n=2, columns=["visits"])
        >>> len(frame)
        2
    """
    dataframe = library("dask.dataframe", "dask")
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
    return dataframe.from_map(_read, parts, meta=_frame(table(parts[0].empty())), label="read-aerospike")


def to_aerospike(
    frame: Any,
    config: ClientConfig,
    namespace: str,
    set: str | None,
    *,
    key: str,
    bins: Sequence[str] | None = None,
    nulls: Literal["omit", "remove"] = "omit",
    policy: ArrayWritePolicy | None = None,
    compute: bool = True,
) -> Any:
    """Writes a Dask dataframe, one record per row, as :meth:`Client.batch_write_arrow` does.

    A row that failed for a passing reason is written again. If rows still fail, the task fails with their
    counts and first keys; other tasks may have written theirs. When Dask repeats a task, it writes the same
    rows again: the outcome is the same, unless the policy sets ``gen`` or creates records only.

    Args:
        frame: the dataframe.
        config: the config of a client.
        namespace: namespace of the records.
        set: set of the records, or None.
        key: the column with the primary keys.
        bins: the columns to write; None for all.
        nulls: ``"omit"`` or ``"remove"``.
        policy: as in :meth:`Client.batch_write_arrow`.
        compute: whether to write now. False returns a lazy series of the rows written by partition.

    Returns:
        The number of rows written.

    Raises:
        AerospikeError: rows were not written.

    Example:
        >>> import dask.dataframe as dd, pandas as pd
        >>> from aerospike_py.dask import to_aerospike
        >>> frame = dd.from_pandas(pd.DataFrame({"id": [1, 2], "visits": [3, 4]}), npartitions=2)
        >>> to_aerospike(frame, config, "test", "users", key="id")
        2
    """
    where = target(config, namespace, set, key, bins, nulls, policy)
    rows = frame.map_partitions(_write, where, meta=("rows", "int64"))
    return int(rows.sum().compute()) if compute else rows


def _read(split: Split, columns: Sequence[str] | None = None) -> Any:
    """The frame of a split. Dask passes the columns that it needs."""
    if columns is not None:
        split = split.select(columns)
    frame = _frame(table(split.read()))
    _log_metrics(split)
    return frame if columns is None else frame[list(columns)]


def _frame(columns: Any) -> Any:
    pandas = library("pandas", "dask")
    return columns.to_pandas(types_mapper=pandas.ArrowDtype)


def _log_metrics(split: Split) -> None:
    import sys

    distributed = sys.modules.get("distributed")
    if distributed is None or split.metrics is None:
        return
    try:
        worker = distributed.get_worker()
    except ValueError:  # not in a worker
        return
    worker.log_event("aerospike_py.splits", {"split": split.index, **split.metrics._asdict()})


def _write(frame: Any, where: Target) -> Any:
    pandas = library("pandas", "dask")
    pyarrow = library("pyarrow", "dask")
    rows = 0
    if len(frame):
        rows = write(where, pyarrow.Table.from_pandas(frame, preserve_index=False)).rows
    return pandas.Series([rows], name="rows", dtype="int64")
