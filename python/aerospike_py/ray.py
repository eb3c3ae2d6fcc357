"""Sets as Ray datasets. Needs the extra ``ray``.

>>> import ray
>>> from aerospike_py.ray import AerospikeDatasource
>>> data = ray.data.read_datasource(AerospikeDatasource(config, "test", "users"))
>>> data.sum("visits")
7
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from ._engines.arguments import whole_number
from ._engines.columns import kinds
from ._engines.conditions import filter_for
from ._engines.library import library
from ._engines.ray_predicates import columns_of, condition_of
from ._engines.tables import table, tables
from ._engines.writing import Target, Written, target, write
from .splits import splits

library("ray.data", "ray")

from ray.data import Datasource  # noqa: E402
from ray.data.block import BlockAccessor, BlockMetadata  # noqa: E402
from ray.data.datasource import Datasink, ReadTask  # noqa: E402

if TYPE_CHECKING:
    from ._operation import Expression
    from ._types import ArrowSchema, MetaColumns
    from .splits import Split
    from .types import ArrayWritePolicy, ClientConfig, QueryPolicy

__all__ = ["AerospikeDatasink", "AerospikeDatasource"]

# Bytes of a value, to estimate sizes before anything was read.
_VALUE = 16


class AerospikeDatasource(Datasource):
    """A set, for ``ray.data.read_datasource``.

    Ray says which columns it needs (``select_columns``), and only their bins travel. Of its filters by
    expression (``filter(expr=col("visits") > 5)``), comparisons of numbers, booleans and text, ``is_in``,
    null tests and ``starts_with`` become a filter that the cluster applies; the read task applies the whole
    expression again to what arrives, as Ray would. A read task whose worker died is repeated by Ray; errors
    of the read itself fail the job.

    Args:
        config: the config of a client. It travels with the tasks, also its password.
        namespace: the namespace.
        set: the set, or None for the whole namespace.
        n: number of splits; None for the parallelism that Ray asks for.
        schema: the columns, as in :func:`aerospike_py.splits.splits`.
        columns: the columns to read; None for all.
        where: a filter: an expression, its base64, or a predicate for a secondary index.
        meta: columns about records, as in :meth:`Query.to_arrow`.
        policy: query policy of each read.
        max_concurrent: as in :func:`aerospike_py.splits.splits`.
        records_per_second: as in :func:`aerospike_py.splits.splits`.

    Example:
        >>> from aerospike_py.ray import AerospikeDatasource
        >>> source = AerospikeDatasource(config, "test", "users", columns=["visits"])
        >>> ray.data.read_datasource(source).count()
        2
    """

    def __init__(
        self,
        config: ClientConfig,
        namespace: str,
        set: str | None,
        *,
        n: int | None = None,
        schema: ArrowSchema | None = None,
        columns: Sequence[str] | None = None,
        where: Expression | str | tuple[Any, ...] | None = None,
        meta: MetaColumns = (),
        policy: QueryPolicy | None = None,
        max_concurrent: int | None = None,
        records_per_second: int = 0,
    ) -> None:
        super().__init__()
        self._n = None if n is None else whole_number("n", n, 1, 4096)
        # Ray sets it in copies of this object: the columns that it needs, None for all.
        self._projection_map: dict[str, str] | None = None
        # One split of everything: it has the inferred columns, and is cut when Ray says how finely.
        self._whole = splits(
            config,
            namespace,
            set,
            1,
            schema=schema,
            where=where,
            columns=columns,
            meta=meta,
            policy=policy,
            max_concurrent=max_concurrent,
            records_per_second=records_per_second,
        )[0]

    def get_name(self) -> str:
        """The name that Ray shows."""
        return "Aerospike"

    def supports_projection_pushdown(self) -> bool:
        """Whether Ray may choose columns: yes."""
        return True

    def supports_predicate_pushdown(self) -> bool:
        """Whether Ray may pass filters: yes. Read tasks apply them."""
        return True

    def estimate_inmemory_data_size(self) -> int:
        """About how many bytes the set has in memory, by the cluster's counts."""
        return _size(self._whole)

    def get_read_tasks(
        self, parallelism: int, per_task_row_limit: int | None = None, data_context: Any = None
    ) -> list[Any]:
        """A task for each split."""
        predicate = self.get_current_predicate()
        chosen = None if self._projection_map is None else list(self._projection_map)
        whole = self._whole
        if chosen is not None:
            needed = [] if predicate is None else columns_of(predicate)
            whole = whole.select(list(dict.fromkeys([*chosen, *needed])))
        if predicate is not None:
            condition = filter_for(condition_of(predicate), kinds(whole.schema))
            whole = whole if condition is None else whole.where(condition)
        elif per_task_row_limit is not None:
            whole = whole.limit(max(1, per_task_row_limit))
        schema = _block(table(whole.empty()), None, chosen).schema
        return [
            ReadTask(
                lambda part=part: _read(part, predicate, chosen),
                # The number of rows is an estimate, and Ray would take it for their count.
                BlockMetadata(num_rows=None, size_bytes=_size(part), input_files=None, exec_stats=None),
                schema=schema,
                per_task_row_limit=per_task_row_limit,
            )
            for part in whole.again(self._n or max(1, min(parallelism, 4096)))
        ]


class AerospikeDatasink(Datasink):
    """Where the rows of a dataset are written, for ``Dataset.write_datasink``: one record per row, as
    :meth:`Client.batch_write_arrow` writes them.

    A row that failed for a passing reason is written again. If rows still fail, the job fails with their
    counts and first keys; other tasks may have written theirs. When Ray repeats a task, it writes the same
    rows again: the outcome is the same, unless the policy sets ``gen`` or creates records only.

    Args:
        config: the config of a client.
        namespace: namespace of the records.
        set: set of the records, or None.
        key: the column with the primary keys.
        bins: the columns to write; None for all.
        nulls: ``"omit"`` or ``"remove"``.
        policy: as in :meth:`Client.batch_write_arrow`.

    Attributes:
        rows: rows written by the job, once it has ended.

    Example:
        >>> from aerospike_py.ray import AerospikeDatasink
        >>> sink = AerospikeDatasink(config, "test", "users", key="id")
        >>> ray.data.from_items([{"id": 1, "visits": 3}]).write_datasink(sink)
        >>> sink.rows
        1
    """

    def __init__(
        self,
        config: ClientConfig,
        namespace: str,
        set: str | None,
        *,
        key: str,
        bins: Sequence[str] | None = None,
        nulls: Literal["omit", "remove"] = "omit",
        policy: ArrayWritePolicy | None = None,
    ) -> None:
        self._target: Target = target(config, namespace, set, key, bins, nulls, policy)
        self.rows = 0

    def get_name(self) -> str:
        """The name that Ray shows."""
        return "Aerospike"

    def write(self, blocks: Iterable[Any], ctx: Any) -> Written:
        """Writes the blocks of a task."""
        rows = size = 0
        for block in blocks:
            columns = BlockAccessor.for_block(block).to_arrow()
            if columns.num_rows:
                written = write(self._target, columns)
                rows, size = rows + written.rows, size + written.bytes
        return Written(rows, size)

    def on_write_complete(self, write_result: Any) -> None:
        """Adds up what the tasks wrote."""
        self.rows = sum(written.rows for written in write_result.write_returns)


def _size(split: Split) -> int:
    # Never 0, which Ray takes for an empty dataset that need not be read.
    return max(1, split.records * _VALUE * max(1, len(split.schema)))


def _read(split: Split, predicate: Any, chosen: list[str] | None) -> Iterator[Any]:
    # Compiled here: expressions of Ray can be pickled, those of pyarrow not always.
    condition = None if predicate is None else predicate.to_pyarrow()
    for columns in tables(split):
        yield _block(columns, condition, chosen)


def _block(columns: Any, condition: Any, chosen: list[str] | None) -> Any:
    """The rows that pass the condition, with the chosen columns. Without any, Ray's own column keeps rows."""
    if condition is not None:
        columns = columns.filter(condition)
    return columns if chosen is None else BlockAccessor.for_block(columns).select(chosen)
