"""Sets as Spark tables, by PySpark's Python data source. Needs the extra ``spark`` (PySpark
4.1 or newer) and a Java runtime.

>>> from aerospike_py.spark import AerospikeDataSource
>>> spark.dataSource.register(AerospikeDataSource)
>>> options = {"hosts": "127.0.0.1:3000", "namespace": "test", "set": "users"}
>>> spark.read.format("aerospike").options(**options).load().count()
2
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from ._engines.arguments import mapping
from ._engines.columns import kinds
from ._engines.conditions import filter_for
from ._engines.library import library
from ._engines.spark_types import conditions_of, read_types, spark_schema
from ._engines.tables import table, tables
from ._engines.writing import Target, is_repeatable, target, write
from .exception import ClientError, ParamError
from .splits import splits

library("pyspark.sql.datasource", "spark")

from pyspark.sql.datasource import (  # noqa: E402
    DataSource,
    DataSourceArrowWriter,
    DataSourceReader,
    InputPartition,
    WriterCommitMessage,
)

if TYPE_CHECKING:
    from .splits import Split
    from .types import ClientConfig

__all__ = ["AerospikeDataSource"]

_log = logging.getLogger("aerospike_py.spark")

_OPTIONS = frozenset(
    {
        *("hosts", "user", "password", "config", "namespace", "set", "splits", "columns", "where"),
        *("maxconcurrent", "recordspersecond", "pushfilters", "key", "bins", "nulls", "policy"),
    }
)
_Number = TypeVar("_Number", int, None)
# Rows that are written in one call.
_WRITTEN_ROWS = 65_536


class AerospikeDataSource(DataSource):
    """The data source ``"aerospike"``. Register it with ``spark.dataSource.register(AerospikeDataSource)``.

    Options of reads and writes:

    =====================  ================================================================================
    ``hosts``              ``"host:port,host:port"``
    ``user, password``     credentials, if the cluster has users
    ``config``             other settings: a client's config as JSON; what the options above say counts
    ``namespace, set``     what to read or write; without ``set`` the whole namespace is read
    ``splits``             number of splits; 64 by default
    ``columns``            ``"a,b"``: the columns to read; or name them by ``.schema(...)``
    ``where``              a filter expression as base64 (``client.get_expression_base64``)
    ``maxConcurrent``      how many splits of a node a Python worker reads at a time
    ``recordsPerSecond``   how many records per second a node reads for one split
    ``pushFilters``        ``"true"``: the cluster applies Spark's filters; ``"false"`` by default
    ``key``                writes: the column with the primary keys
    ``bins``               writes: ``"a,b"``: the columns to write; all by default
    ``nulls``              writes: ``"omit"`` or ``"remove"``
    ``policy``             the query or write policy as JSON
    =====================  ================================================================================

    **Reads.** Without ``.schema(...)`` columns are inferred once, on the driver, from 10,000 records. Spark
    tells Python sources no columns, so name those that you need. A task that fails is read again by Spark
    (``spark.task.maxFailures``).

    **Filters.** With ``spark.sql.python.filterPushdown.enabled`` set to ``true`` and the option
    ``pushFilters``, comparisons, ``isin``, ``isNull`` and ``startswith`` also become a filter that the
    cluster applies; Spark applies them again to what arrives. Use a dataframe of such a ``load()`` once, with
    one filter: Spark plans the read of a dataframe once and keeps the filter for all its later uses, so that
    a second use without it, or with another, misses rows.

    **Writes.** ``mode("append")`` only. Rows are written as tasks run, not at the commit: a job that is
    aborted leaves the rows of its tasks in the set, and the log says how many. Tasks that Spark repeats write
    the same rows again, with the same outcome. If the policy sets ``gen``, or creates records only, they are
    refused instead. A task whose rows fail raises their counts and first keys.

    Example:
        >>> from aerospike_py.spark import AerospikeDataSource
        >>> spark.dataSource.register(AerospikeDataSource)
        >>> options = {"hosts": "127.0.0.1:3000", "namespace": "test", "set": "users"}
        >>> spark.read.format("aerospike").options(**options, columns="visits").load().columns
        ['visits']
    """

    @classmethod
    def name(cls) -> str:
        """The name of the format."""
        return "aerospike"

    def schema(self) -> Any:
        """The columns, inferred from the set."""
        options = _Options(self.options)
        return spark_schema(table(options.splits(None, 1)[0].empty()).schema)

    def reader(self, schema: Any) -> _Reader:
        """A reader of these columns."""
        options = _Options(self.options)
        return (_FilteringReader if options.pushes_filters() else _Reader)(options, schema)

    def writer(self, schema: Any, overwrite: bool) -> _Writer:
        """A writer, for ``mode("append")``."""
        if overwrite:
            raise ParamError(
                'mode "overwrite" is not supported, because a set cannot be replaced at once; use '
                'mode("append"), and client.truncate() before it to remove what is there'
            )
        return _Writer(_Options(self.options).target())


class _Options:
    """The options of a read or write, checked."""

    def __init__(self, options: Mapping[str, str]) -> None:
        self._values = {name.lower(): value for name, value in options.items()}
        unknown = sorted(set(self._values) - _OPTIONS - {"path"})
        if unknown:
            raise ParamError(
                f"the option {unknown[0]!r} is unknown; options are {', '.join(sorted(_OPTIONS))}"
            )

    def config(self) -> ClientConfig:
        config: Any = {}
        if "config" in self._values:
            config = mapping("config", json.loads(self._values["config"]))
        hosts = [_address(host) for host in self._names("hosts") or []]
        if hosts:
            config["hosts"] = hosts
        if "hosts" not in config:
            raise ParamError('the option "hosts" is missing; pass option("hosts", "host:port")')
        config.update({name: self._values[name] for name in ("user", "password") if name in self._values})
        made: ClientConfig = config
        return made

    def splits(self, schema: Any, n: int | None = None) -> list[Split]:
        return splits(
            self.config(),
            self._required("namespace"),
            self._values.get("set"),
            self._number("splits", 64) if n is None else n,
            schema=schema,
            columns=self._names("columns") if schema is None else None,
            where=self._values.get("where"),
            policy=self._policy(),
            max_concurrent=self._number("maxConcurrent", None),
            records_per_second=self._number("recordsPerSecond", 0),
        )

    def target(self) -> Target:
        return target(
            self.config(),
            self._required("namespace"),
            self._values.get("set"),
            self._required("key"),
            self._names("bins"),
            self._values.get("nulls", "omit"),
            self._policy(),
        )

    def pushes_filters(self) -> bool:
        value = self._values.get("pushfilters", "false").lower()
        if value not in ("true", "false"):
            raise ParamError(f"the option 'pushFilters' is {value!r}; it must be true or false")
        return value == "true"

    def _policy(self) -> Any:
        return json.loads(self._values["policy"]) if "policy" in self._values else None

    def _required(self, name: str) -> str:
        if name not in self._values:
            raise ParamError(f"the option {name!r} is missing")
        return self._values[name]

    def _names(self, name: str) -> list[str] | None:
        value = self._values.get(name)
        return None if value is None else [part.strip() for part in value.split(",") if part.strip()]

    def _number(self, name: str, default: _Number) -> int | _Number:
        value = self._values.get(name.lower())
        if value is None:
            return default
        if not value.isdigit():
            raise ParamError(f"the option {name!r} is {value!r}; it must be a whole number")
        return int(value)


def _address(host: str) -> tuple[str, int]:
    name, found, port = host.rpartition(":")
    if not found or not port.isdigit():
        raise ParamError(f'the option "hosts" has {host!r}; it must be host:port')
    return name.strip("[]"), int(port)


class _Partition(InputPartition):
    def __init__(self, split: Split) -> None:
        super().__init__(split.index)
        self.split = split


class _Reader(DataSourceReader):
    def __init__(self, options: _Options, schema: Any) -> None:
        self._options = options
        self._schema = schema
        # The Arrow types in which Spark takes the columns, and those in which they are read.
        self._target, self._types = read_types(schema)
        self._where: Any = None

    def partitions(self) -> list[_Partition]:
        made = self._options.splits(self._types or {})
        if self._where is not None:
            made = [split.where(self._where) for split in made]
        return [_Partition(split) for split in made]

    def read(self, partition: _Partition) -> Iterator[Any]:
        for columns in tables(partition.split):
            if columns.num_rows:
                yield from columns.select(self._target.names).cast(self._target).to_batches()


class _FilteringReader(_Reader):
    """A class of its own, because Spark refuses readers with ``pushFilters`` while its setting is off.

    Spark keeps the partitions that are planned with these filters for every later use of the dataframe, also
    for those without them, so users ask for it.
    """

    def pushFilters(self, filters: list[Any]) -> Iterable[Any]:  # noqa: N802 (Spark's name)
        # All remain Spark's: it applies them to the records that pass the cluster's filter.
        self._where = filter_for(conditions_of(filters, self._schema), kinds(self._types))
        return filters


@dataclass
class _Message(WriterCommitMessage):
    rows: int
    bytes: int


class _Writer(DataSourceArrowWriter):
    def __init__(self, where: Target) -> None:
        self._target = where

    def write(self, iterator: Iterator[Any]) -> _Message:
        """Writes the batches of a task."""
        self._check_attempt()
        pyarrow = library("pyarrow", "spark")
        message = _Message(0, 0)
        waiting: list[Any] = []
        for batch in iterator:
            if batch.num_rows:
                waiting.append(batch)
            if sum(part.num_rows for part in waiting) >= _WRITTEN_ROWS:
                self._write(pyarrow.Table.from_batches(waiting), message)
                waiting = []
        if waiting:
            self._write(pyarrow.Table.from_batches(waiting), message)
        return message

    def _check_attempt(self) -> None:
        """Refuses a repeated task if it cannot have the same outcome."""
        context = library("pyspark", "spark").TaskContext.get()
        attempt = 0 if context is None else context.attemptNumber()
        if attempt and not is_repeatable(self._target.policy):
            raise ClientError(
                f"attempt {attempt + 1} of this task is refused: an earlier attempt may have written rows, "
                "and the policy (gen, or exists) does not let them be written again; Spark's log has the "
                "error of the earlier attempt, with the rows that failed"
            )

    def _write(self, columns: Any, message: _Message) -> None:
        written = write(self._target, columns)
        message.rows += written.rows
        message.bytes += written.bytes

    def commit(self, messages: list[_Message | None]) -> None:
        """Nothing is left to do: the rows are in the set."""
        _log.info("wrote %d rows", sum(message.rows for message in messages if message is not None))

    def abort(self, messages: list[_Message | None]) -> None:
        """Rows cannot be taken back."""
        rows = sum(message.rows for message in messages if message is not None)
        _log.warning("the job was aborted; %d rows of its finished tasks stay in the set", rows)
