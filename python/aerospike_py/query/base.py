"""What both kinds of query have: settings, and the progress of the last run."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn, overload

if TYPE_CHECKING:
    from typing_extensions import Self

    from .. import _native
    from ..types import QueryPolicy
    from .run import Run

_PREDICATES = "only the primary index can be queried; use the official client for secondary indexes"
_BACKGROUND = "queries only read records; use the official client for background jobs"

#: Method of the official client's queries that will exist to what to do until then.
_UNSUPPORTED = {
    **dict.fromkeys(("where", "where_with_expr", "where_with_index_name"), _PREDICATES),
    **dict.fromkeys(("add_ops", "execute_background"), _BACKGROUND),
    "apply": "use the official client for user-defined functions",
}


def has_partition_filter(policy: object) -> bool:
    return isinstance(policy, Mapping) and policy.get("partition_filter") is not None


class _Number:
    """A setting of a query that is a whole number. It is checked when it is set."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, query: None, owner: type) -> Self: ...
    @overload
    def __get__(self, query: QueryBase, owner: type) -> int: ...
    def __get__(self, query: QueryBase | None, owner: type) -> Self | int:
        return self if query is None else query._numbers[self._name]

    def __set__(self, query: QueryBase, value: int) -> None:
        query._numbers[self._name] = query._core.check_query_limit(self._name, value)


class QueryBase:
    """The base of ``Query`` and ``AsyncQuery``: settings of a query, and its progress.

    Attributes:
        max_records: the maximum number of records of one run, over all nodes; 0 for all. After
            :meth:`paginate`, it is the size of a page.
        records_per_second: the maximum number of records per second that each node reads; 0 for no limit.
        ttl: time to live of records that a query writes. Queries cannot write yet.
    """

    max_records = _Number()
    records_per_second = _Number()
    ttl = _Number()

    def __init__(self, core: _native.Core, namespace: str, set: str | None) -> None:
        core.check_query(namespace, set)
        self._core = core
        self._namespace = namespace
        self._set = set
        self._bins: list[str] | None = None
        self._numbers = {"max_records": 0, "records_per_second": 0, "ttl": 0}
        self._paginates = False
        self._place: _native.QueryPlace | None = None
        self._run: weakref.ref[Run] | None = None
        # Counts the runs: the place is that of the last one, also when a run before it ends later.
        self._run_number = 0

    def select(self, *bins: str) -> Self:
        """Chooses the bins to read.

        A record that has none of these bins is left out, except by :meth:`Query.to_numpy` and
        :meth:`Query.numpy_batches`: there it is a row without values.

        Args:
            bins: names of the bins; none for all bins.

        Returns:
            The query itself.

        Raises:
            ParamError: a name is not a str.
            BinNameError: a name is too long.

        Example:
            >>> query = client.query("test", "users")
            >>> query.select("name", "visits")
            <...Query of 'test', set 'users'>
        """
        names = [*bins]
        self._core.check_query_bins(names)
        self._bins = names or None
        return self

    def paginate(self) -> None:
        """Makes each run continue where the previous one ended. Set ``max_records`` to the size of a page.

        Example:
            >>> query = client.query("test", "users")
            >>> query.max_records = 1000
            >>> query.paginate()
            >>> query.is_done()
            False
        """
        if not self._paginates:
            # The first page starts at the beginning, even after earlier runs.
            self._paginates, self._place = True, None
            self._begin_run(None)

    def is_done(self) -> bool:
        """Whether the last run returned all records of all its partitions.

        Example:
            >>> client.query("test", "users").is_done()
            False
        """
        place = self._current_place()
        return place is not None and place.is_done()

    def get_partitions_status(self) -> dict[int | str, Any]:
        """The progress of the last run, by partition.

        Pass it as ``partition_status`` in a ``partition_filter`` to continue from there, also in another
        process or with the official client.

        A record counts as taken when the next one is requested. So the record at which a run stopped (the
        callback returned False or raised, the loop was left, the iterator was closed) is returned again. A
        ``results()`` that raises has taken none, unless it raises
        :exc:`~aerospike_py.exception.QueryDecodeError`.

        Returns:
            Partition to ``(partition, init, retry, digest, bval)``: ``init`` says whether a record of the
            partition was taken, ``retry`` whether there may be more, ``digest`` (a bytearray) is the digest
            of the last record, ``bval`` is 0. The key ``"done"`` says whether all records were taken;
            ``"retry"`` is False. Empty before the first run.

        Example:
            >>> status = client.query("test", "users").get_partitions_status()
            >>> policy = {"partition_filter": {"partition_status": status}}
        """
        place = self._current_place()
        return {} if place is None else place.status()

    def _begin_run(self, run: Run | None) -> int:
        """Makes a run the last one; returns its number."""
        self._run_number += 1
        self._run = None if run is None else weakref.ref(run)
        return self._run_number

    def _current_place(self) -> _native.QueryPlace | None:
        """The place of the last run, which may still be running."""
        run = None if self._run is None else self._run()
        if run is not None:
            run._save_place()
        return self._place

    def _limits_and_place(
        self, policy: QueryPolicy | None
    ) -> tuple[int, int, _native.QueryPlace | None, bool]:
        """The limits of a run, the place of the run before if it may continue there, and whether it does so
        without a filter."""
        continues = self._paginates or has_partition_filter(policy)
        place = self._current_place() if continues else None
        return self.max_records, self.records_per_second, place, self._paginates

    def _start(self, policy: QueryPolicy | None, options: Mapping[str, bool] | None) -> _native.QueryStream:
        return self._core.query(
            self._namespace,
            self._set,
            self._bins,
            policy,
            options,
            *self._limits_and_place(policy),
        )

    def _start_numpy(self, policy: QueryPolicy | None, *arguments: Any) -> _native.NumpyStream:
        return self._core.query_numpy(
            self._namespace,
            self._set,
            self._bins,
            policy,
            *self._limits_and_place(policy),
            *arguments,
        )

    def _start_arrow(self, policy: QueryPolicy | None, *arguments: Any) -> _native.ArrowStream:
        return self._core.query_arrow(
            self._namespace,
            self._set,
            self._bins,
            policy,
            *self._limits_and_place(policy),
            *arguments,
        )

    def __reduce__(self) -> NoReturn:
        # Neither pickled nor copied: a query runs on the connections of its client.
        raise TypeError(
            f"{type(self).__name__} cannot be pickled or copied: its client's connections belong to this "
            "process; pass get_partitions_status() to the worker, connect there and make the query again"
        )

    if not TYPE_CHECKING:  # Type checkers must report these names as missing.

        def __getattr__(self, name: str) -> Any:
            kind = type(self).__name__
            if reason := _UNSUPPORTED.get(name):
                raise AttributeError(f"{kind}.{name} is not supported yet: {reason}", name=name, obj=self)
            raise AttributeError(f"{kind!r} object has no attribute {name!r}", name=name, obj=self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._namespace!r}, set {self._set!r}>"
