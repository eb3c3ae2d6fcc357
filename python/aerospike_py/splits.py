"""A set in parts that can be pickled, for workers of any engine.

>>> parts = aerospike_py.splits({"hosts": [("127.0.0.1", 3000)]}, "test", "users", 4)
>>> len(parts)
4
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from . import _native
from ._engines import columns as _columns
from ._engines import conditions as _conditions
from ._engines import plan as _plan
from ._engines.arguments import mapping, names, whole_number
from ._engines.clients import client_for, slot
from .exception import ParamError
from .query.arrays import NumpyRun
from .query.arrays import read_all as _read_all_rows
from .query.arrow import ArrowBatches, ArrowRun
from .query.arrow import read_all as _read_all_columns

if TYPE_CHECKING:
    import numpy.typing as npt

    from ._operation import Expression
    from ._types import ArrowSchema, MetaColumns
    from .arrow_records import ArrowRecords
    from .client import Client
    from .numpy_query import NumpyQueryRecords
    from .query import Query
    from .types import ClientConfig, QueryPolicy

__all__ = ["Split", "SplitMetrics", "splits"]

# The columns of a read without bins: rows need one. Its values do not matter.
_NO_BINS = {"_rows": "bool"}

_log = logging.getLogger("aerospike_py.splits")


class SplitMetrics(NamedTuple):
    """What the last read of a split cost.

    Example:
        >>> split = aerospike_py.splits(config, "test", "users", 1)[0]
        >>> records = split.read()
        >>> split.metrics.records
        2
    """

    records: int
    """Records that arrived."""
    bytes: int
    """Bytes of their columns or rows in memory."""
    seconds: float
    """Time from the beginning of the read to its end, with waits of the caller between blocks."""


class Split:
    """Some of the 4,096 partitions of a namespace, and how to read them. Made by
    :func:`aerospike_py.splits.splits`.

    A split can be pickled. It contains the config, **also its password**: do not store pickled splits where
    others read. ``repr`` does not show it. Each process keeps one client for a config, which it makes at the
    first read and closes at exit.

    A read returns every record of its partitions once, also when nodes fail or partitions move meanwhile. If
    it raises, read the split again from its beginning: some engines do that with failed tasks.

    Attributes:
        index: number of the split.
        namespace: the namespace.
        set: the set, or None for the whole namespace.
        partitions: its partitions, ascending.
        node: the node that was their master when the splits were made; None if they have several.
        records: about how many records it has, by the counts of the cluster, before any filter.
        schema: name to type of its columns.
        metrics: :class:`SplitMetrics` of the last read that ended, or None.

    Example:
        >>> splits = aerospike_py.splits(config, "test", "users", 4, schema={"visits": "int64"})
        >>> sum(len(split.read()) for split in splits)
        2
    """

    __slots__ = (
        "_config",
        "_index",
        "_job",
        "_max_concurrent",
        "_meta",
        "_policy",
        "_records_per_second",
        "_where",
        "index",
        "max_records",
        "metrics",
        "namespace",
        "node",
        "partitions",
        "records",
        "schema",
        "set",
    )

    index: int
    namespace: str
    set: str | None
    partitions: tuple[int, ...]
    node: str | None
    records: int
    schema: dict[str, Any]
    metrics: SplitMetrics | None
    max_records: int
    _config: ClientConfig
    _index: tuple[Any, ...] | None
    _job: str
    _max_concurrent: int | None
    _meta: tuple[str, ...]
    _policy: QueryPolicy | None
    _records_per_second: int
    _where: str | None

    def __init__(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self, name, value)

    # -- narrower splits

    def select(self, columns: Sequence[str]) -> Split:
        """The same split with some of its columns, in this order. Only their bins travel. Without any, rows
        are one column of nulls, ``_rows``.

        Raises:
            ParamError: a name is not a column.

        Example:
            >>> split = aerospike_py.splits(config, "test", "users", 1)[0]
            >>> split.select(["visits"]).read().schema_names
            ['visits']
        """
        columns = names("columns", columns)
        meta = tuple(name for name in self._meta if name in columns)
        bins = [name for name in columns if name not in meta or name in self.schema]
        if not self.schema:
            bins = [name for name in bins if name not in _NO_BINS]
        return self._with(schema=_columns.chosen(self.schema, bins), _meta=meta)

    def where(self, expression: Expression | str) -> Split:
        """The same split with a further filter: an expression, or its base64.

        Example:
            >>> from aerospike_py import expressions as exp
            >>> split = aerospike_py.splits(config, "test", "users", 1)[0]
            >>> len(split.where(exp.GT(exp.IntBin("visits"), 5)).read())
            1
        """
        return self._with(_where=_conditions.joined(self._where, _conditions.as_base64(expression)))

    def limit(self, records: int) -> Split:
        """The same split, of which at most this many records are read; which ones is not defined.

        Example:
            >>> split = aerospike_py.splits(config, "test", "users", 1)[0]
            >>> len(split.limit(1).read())
            1
        """
        return self._with(max_records=whole_number("records", records, 1))

    def again(self, n: int) -> list[Split]:
        """The partitions of this split as ``n`` splits, by the nodes' present masters.

        Example:
            >>> split = aerospike_py.splits(config, "test", "users", 1)[0]
            >>> len(split.again(3))
            3
        """
        n = whole_number("n", n, 1, _plan.PARTITIONS)
        cut = _cut(self.client(), self.namespace, self.set, n, self.partitions)
        return [self._with(index=index, **part._asdict()) for index, part in enumerate(cut)]

    def client(self) -> Client:
        """The client of this process that reads the split, connected at its first command. Splits of equal
        configs share it. It counts their reads if its metrics are enabled.

        Example:
            >>> split = aerospike_py.splits(config, "test", "users", 1)[0]
            >>> split.client().enable_metrics()
            >>> len(split.read())
            2
            >>> [(each.command, each.calls) for each in split.client().metrics().commands]
            [('query', 1)]
        """
        return client_for(self._config)

    def _with(self, **changes: Any) -> Split:
        values = {name: getattr(self, name) for name in self.__slots__}
        return Split(**{**values, "metrics": None, **changes})

    # -- reading

    def read(self) -> ArrowRecords:
        """Reads the split into Arrow columns.

        Raises:
            AerospikeError: the read failed.
            BatchDecodeError: values do not fit their columns.

        Example:
            >>> split = aerospike_py.splits(config, "test", "users", 1, schema={"visits": "int64"})[0]
            >>> split.read()
            <ArrowRecords 2 rows x 1 column: visits: int64>
        """
        with slot(self._config, self.node, self._max_concurrent):
            started = time.perf_counter()
            run = ArrowRun(self._query(), *self._arrow(None))
            run._warns_of_missing = False
            records = _read_all_columns(run)
            self._account(len(records), records.nbytes, started)
            return records

    def read_numpy(self, _dtype: npt.DTypeLike) -> NumpyQueryRecords:
        """Reads the split into a NumPy array.

        Args:
            _dtype: structured dtype, as in :meth:`Query.to_numpy`. The schema of the splits does not count.

        Raises:
            AerospikeError: the read failed.
            BatchDecodeError: values do not fit their fields.

        Example:
            >>> split = aerospike_py.splits(config, "test", "users", 1)[0]
            >>> sorted(split.read_numpy(np.dtype([("visits", "i8")]))["visits"].tolist())
            [0, 7]
        """
        with slot(self._config, self.node, self._max_concurrent):
            started = time.perf_counter()
            run = NumpyRun(
                self._query(), _dtype, "unsafe", "raise", None, self._query_policy(), None, None, "client"
            )
            run._warns_of_missing = False
            records = _read_all_rows(run)
            self._account(len(records), records.batch_records.nbytes, started)
            return records

    def batches(self, rows: int = 65_536) -> Iterator[ArrowRecords]:
        """Reads the split in blocks of at most ``rows`` rows, in bounded memory.

        With ``max_concurrent``, it holds one of the node's places until it has ended or is closed.

        Raises:
            ClientError: this thread itself holds all places of the node, by blocks that it has not taken.
            AerospikeError: the read failed.

        Example:
            >>> split = aerospike_py.splits(config, "test", "users", 1)[0]
            >>> [len(block) for block in split.batches()]
            [2]
        """
        whole_number("rows", rows, 1)
        with slot(self._config, self.node, self._max_concurrent) as place:
            started = time.perf_counter()
            count = size = 0
            with self._open(rows) as batches:
                for block in batches:
                    count += len(block)
                    size += block.nbytes
                    yield block
                    place.move()
            self._account(count, size, started)

    def empty(self) -> ArrowRecords:
        """The columns of the split without rows. It asks the cluster for nothing but its nodes.

        Example:
            >>> aerospike_py.splits(config, "test", "users", 1, schema={"visits": "int64"})[0].empty()
            <ArrowRecords 0 rows x 1 column: visits: int64>
        """
        run = self._open(1)
        run._query._core.ensure_connected(None)
        stream = run._query._start_arrow(run._policy, *run._arguments)
        try:
            records: ArrowRecords = stream.empty()[1]
        finally:
            stream.close()
        return records

    def _open(self, rows: int) -> ArrowBatches:
        run = ArrowBatches(self._query(), *self._arrow(rows))
        run._warns_of_missing = False
        return run

    def _query(self) -> Query:
        query = self.client().query(self.namespace, self.set)
        query.records_per_second = self._records_per_second
        query.max_records = self.max_records
        return query if self._index is None else query.where(self._index)

    def _arrow(self, rows: int | None) -> tuple[Any, ...]:
        if not self.schema:
            return _NO_BINS, "same_value", "coerce", rows, None, self._meta, self._query_policy()
        return self.schema, "same_value", "raise", rows, None, self._meta, self._query_policy()

    def _query_policy(self) -> QueryPolicy:
        policy: dict[str, Any] = {**(self._policy or {})}
        if self._where is not None:
            policy["expressions"] = self._where
        policy["partition_filter"] = _plan.partition_filter(self.partitions)
        return policy  # type: ignore[return-value]

    def _account(self, records: int, size: int, started: float) -> None:
        self.metrics = SplitMetrics(records, size, time.perf_counter() - started)
        _log.debug(
            "split %d of %s.%s: %d records, %d bytes in %.3f s",
            self.index,
            self.namespace,
            self.set,
            *self.metrics,
        )

    # -- about the split

    def __dask_tokenize__(self) -> Any:
        # By the job, not the content: a set changes, and another job reads it again.
        return (self._job, self.index, tuple(self.schema), self._where, self._index, self.max_records)

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)

    def __repr__(self) -> str:
        node = "several nodes" if self.node is None else f"node {self.node}"
        return (
            f"<Split {self.index} of {self.namespace!r}, set {self.set!r}: {len(self.partitions)} partitions "
            f"of {node}, about {self.records} records>"
        )


def splits(
    config: ClientConfig,
    namespace: str,
    set: str | None,
    n: int = 64,
    *,
    schema: ArrowSchema | None = None,
    where: Expression | str | tuple[Any, ...] | None = None,
    columns: Sequence[str] | None = None,
    meta: MetaColumns = (),
    policy: QueryPolicy | None = None,
    max_concurrent: int | None = None,
    records_per_second: int = 0,
) -> list[Split]:
    """Cuts a set into splits for workers.

    The partitions of a split are of one master where ``n`` allows it, and splits have about equally many; a
    node that counts more records per partition than others has more splits. A read of all splits returns each
    record once.

    Args:
        config: the config of a client, as for :func:`aerospike_py.client.client`. A copy travels with each
            split.
        namespace: the namespace.
        set: the set, or None for the whole namespace.
        n: number of splits, 1 to 4096. With fewer splits than nodes, splits span nodes.
        schema: the columns, as in :meth:`Query.to_arrow`. None infers them here, once, from 10,000 records;
            what does not fit them later is a decode error. A set without records has no columns then, and
            reads have the column ``_rows``.
        where: a filter: an expression or its base64. Only records that pass it travel. Or a predicate of
            :mod:`aerospike_py.predicates`, such as ``between("visits", 1, 5)``, to find the records by a
            secondary index; :meth:`Split.where` adds a filter to it.
        columns: the columns to read; None for all of the schema.
        meta: columns about records, as in :meth:`Query.to_arrow`.
        policy: query policy of each read.
        max_concurrent: how many splits of a node a process reads at a time, others wait; None for no limit. A
            job of ``w`` worker processes reads at most ``w * max_concurrent`` splits of a node at a time.
        records_per_second: the maximum number of records per second that a node reads for one split; 0 for
            no limit.

    Returns:
        The splits, at most ``n``. Splits of different nodes take turns.

    Raises:
        ParamError: an argument is invalid.
        ClientError: no columns can be inferred, because bins mix types; pass a schema.

    Example:
        >>> splits = aerospike_py.splits({"hosts": [("127.0.0.1", 3000)]}, "test", "users", 2)
        >>> splits[0]
        <Split 0 of 'test', set 'users': 2048 partitions of node D1, about 1 records>
    """
    n = whole_number("n", n, 1, _plan.PARTITIONS)
    if max_concurrent is not None:
        max_concurrent = whole_number("max_concurrent", max_concurrent, 1, instead=", or None for no limit")
    # Copies: what the caller does with the dicts later does not count.
    config, policy = mapping("config", config), None if policy is None else mapping("policy", policy)
    if policy is not None and "partition_filter" in policy:
        raise ParamError("policy has a partition_filter, which the splits set themselves; leave it out")
    job = _native.calc_digest("", "", str(time.time_ns())).hex()
    predicate = where if isinstance(where, tuple) else None
    filter_ = None if isinstance(where, tuple) else _conditions.as_base64(where)
    if policy is not None and policy.get("expressions") is not None:
        rest = {**policy}
        filter_ = _conditions.joined(_conditions.as_base64(rest.pop("expressions")), filter_)
        policy = rest  # type: ignore[assignment]
    client = client_for(config)
    found = _columns.inferred(client, namespace, set) if schema is None else _columns.columns_of(schema)
    if columns is not None:
        found = _columns.chosen(found, names("columns", columns))
    made = [
        Split(
            index=index,
            namespace=namespace,
            set=set,
            **part._asdict(),
            schema=found,
            metrics=None,
            max_records=0,
            _config=config,
            _job=job,
            _index=predicate,
            _where=filter_,
            _meta=tuple(names("meta", meta)),
            _policy=policy,
            _max_concurrent=max_concurrent,
            _records_per_second=records_per_second,
        )
        for index, part in enumerate(_cut(client, namespace, set, n, range(_plan.PARTITIONS)))
    ]
    # Checks the arguments here, not in workers.
    made[0]._open(1).close()
    return made


class _Cut(NamedTuple):
    """What a split knows of its partitions."""

    partitions: tuple[int, ...]
    node: str | None
    records: int


def _cut(
    client: Client, namespace: str, set: str | None, n: int, partitions: Sequence[int]
) -> Iterator[_Cut]:
    """The partitions in ``n`` splits, by the nodes' present masters and counts."""
    replicas = _answers(client, "replicas")
    density = _density(client, namespace, set, _plan.held(replicas, namespace))
    average = sum(density.values()) / max(1, len(density))
    wanted = frozenset(partitions)
    owners = {
        node: [partition for partition in own if partition in wanted]
        for node, own in _plan.masters(replicas, namespace).items()
    }
    each = {partition: density.get(node, average) for node, own in owners.items() for partition in own}
    for part in _plan.cut(owners, n, partitions, density):
        records = sum(each.get(partition, average) for partition in part.partitions)
        yield _Cut(part.partitions, part.node, round(records))


def _answers(client: Client, command: str) -> dict[str, str]:
    client._core.ensure_connected(None)
    return {node: answer for node, (_, answer) in client.info_all(command).items() if answer is not None}


def _density(client: Client, namespace: str, set: str | None, held: Mapping[str, int]) -> dict[str, float]:
    """Node to its records per partition, by its own count, which includes those of its replicas."""
    answers = _answers(client, f"namespace/{namespace}" if set is None else f"sets/{namespace}/{set}")
    return {
        node: _plan.number(answer, "objects") / held[node]
        for node, answer in answers.items()
        if held.get(node)
    }
