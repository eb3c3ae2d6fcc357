"""What both kinds of query have: settings, and the progress of the last run."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn, overload

from .. import _native
from .._utils.describe import describe
from .._utils.other_names import no_attribute
from ..exception import ParamError, ParamTypeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self

    from .._operation import Expression, Operation
    from ..cdt_ctx import _cdt_ctx
    from ..predicates import Predicate
    from ..types import QueryPolicy, WritePolicy
    from .run import Run

#: Attributes that users of other clients and of frames try, to what does the same here.
_INSTEAD = {
    "count": "len(query.to_arrow()), or query.results()",
    "filter": 'the policy\'s "expressions", or where(predicate)',
    "predexp": 'the policy\'s "expressions"',
    "to_duckdb": "to_arrow().to_duckdb()",
    "to_pandas": "to_arrow().to_pandas()",
    "to_polars": "to_arrow().to_polars()",
    "to_pyarrow": "to_arrow().to_pyarrow()",
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
        ttl: time to live of the records that :meth:`Query.execute_background` writes, in seconds or a
            ``TTL_*`` constant. 0 leaves it to the policy.
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
        self._predicate: _native.QueryPredicate | None = None
        self._operations: _native.QueryOperations | None = None
        self._function: _native.QueryFunction | None = None
        self._numbers = {"max_records": 0, "records_per_second": 0, "ttl": 0}
        self._paginates = False
        self._place: _native.QueryPlace | None = None
        self._run: weakref.ref[Run] | None = None
        # Counts the runs: the place is that of the last one, also when a run before it ends later.
        self._run_number = 0

    def select(self, *bins: str) -> Self:
        """Chooses the bins to read.

        A record that has none of these bins is left out, except by reads into arrays and columns
        (:meth:`Query.to_numpy`, :meth:`Query.to_arrow` and their blocks): there it is a row without values.
        Fields and columns of other bins stay empty.

        Args:
            bins: names of the bins; none for all bins.

        Returns:
            The query itself.

        Raises:
            ParamError: a name is not a str, or bins were chosen already.
            BinNameError: a name is too long.

        Example:
            >>> query = client.query("test", "users")
            >>> query.select("name", "visits")
            <...Query of 'test', set 'users'>
        """
        names: list[Any] = [*bins]
        if len(names) == 1 and isinstance(names[0], list | tuple):
            inner = ", ".join(map(repr, names[0]))
            raise ParamTypeError(
                f"bin name {describe(names[0])} must be a str; pass the names one by one: select({inner:.80})"
            )
        self._core.check_query_bins(names)
        if names and self._bins is not None:
            # As in the official client, and as a second predicate.
            raise ParamError(
                f"select: the query reads the bins {self._bins} already; name all bins in one call, or make "
                "another query"
            )
        self._bins = names or None
        return self

    def where(self, predicate: Predicate, ctx: Sequence[_cdt_ctx] | None = None) -> Self:
        """Chooses the records by a secondary index: that on the predicate's bin.

        Args:
            predicate: made with :mod:`aerospike_py.predicates`, such as ``between("visits", 1, 5)``.
            ctx: the way to the list or map inside the bin that the index is on, made with
                :mod:`aerospike_py.cdt_ctx`.

        Returns:
            The query itself.

        Raises:
            ParamError: the predicate or the context is invalid, or the query has a predicate already. A
                missing index is found out by the server: running the query raises ``IndexNotFound``.

        Example:
            >>> from aerospike_py import predicates
            >>> client.query("test", "users").where(predicates.equals("name", "Ada"))
            <...Query of 'test', set 'users'>
        """
        return self._find("where", predicate, ctx)

    def where_with_index_name(self, index_name: str, predicate: Predicate) -> Self:
        """Chooses the records by the secondary index of a name.

        Args:
            index_name: the name.
            predicate: made with :mod:`aerospike_py.predicates`; its bin does not count.

        Returns:
            The query itself.

        Raises:
            ParamError: the name or the predicate is invalid.

        Example:
            >>> from aerospike_py import predicates
            >>> query = client.query("test", "users")
            >>> query.where_with_index_name("users_visits", predicates.between(None, 1, 5))
            <...Query of 'test', set 'users'>
        """
        return self._find("where_with_index_name", predicate, index_name)

    def where_with_expr(self, expr: Expression, predicate: Predicate) -> Self:
        """Chooses the records by the secondary index on an expression.

        Args:
            expr: the index's expression: of :mod:`aerospike_py.expressions`, or its base64.
            predicate: made with :mod:`aerospike_py.predicates`; its bin does not count.

        Returns:
            The query itself.

        Raises:
            ParamError: the expression or the predicate is invalid.

        Example:
            >>> from aerospike_py import predicates
            >>> twice = exp.Add(exp.IntBin("visits"), exp.IntBin("visits")).compile()
            >>> client.query("test", "users").where_with_expr(twice, predicates.equals(None, 14))
            <...Query of 'test', set 'users'>
        """
        return self._find("where_with_expr", predicate, expr)

    def _find(self, way: str, predicate: Predicate, argument: Any) -> Self:
        if argument is None and way != "where":
            argument_name = "index_name" if way == "where_with_index_name" else "expr"
            raise ParamError(f"{way}: {argument_name} is None; pass what the index is found by")
        if self._predicate is not None:
            # As in the official client. Replacing the first would return records that it was to leave out.
            raise ParamError(
                f"{way}: the query has a predicate already; put further conditions into the policy's "
                '"expressions", or make another query'
            )
        self._predicate = _native.QueryPredicate(way, predicate, argument)
        # A place by another index means nothing for this one.
        self._place = None
        self._begin_run(None)
        return self

    def add_ops(self, ops: Sequence[Operation]) -> Self:
        """Sets operations that the nodes apply to each record.

        Operations that read are for runs that return records, which then have their results instead of bins.
        Operations that write are for :meth:`Query.execute_background`.

        Args:
            ops: operations, made with :mod:`aerospike_py.operations`, :mod:`~aerospike_py.list_operations`,
                :mod:`~aerospike_py.map_operations` and their siblings.

        Returns:
            The query itself.

        Raises:
            ParamError: an operation is invalid; the message has its position.

        Example:
            >>> from aerospike_py import list_operations as lists
            >>> client.query("test", "users").add_ops([lists.list_size("tags")])
            <...Query of 'test', set 'users'>
        """
        self._operations = self._core.query_operations(ops)
        return self

    def apply(self, module: str, function: str, arguments: Sequence[Any] | None = None) -> Self:
        """Sets a user-defined function that the nodes apply to each record.

        It is for :meth:`Query.execute_background`. Functions over the stream of records are not supported:
        they would run partly in the client, which has no Lua. Aggregate with :meth:`Query.to_numpy` instead.

        Args:
            module: the module's name, without ``.lua``.
            function: the function's name.
            arguments: a list of the function's arguments after the record.

        Returns:
            The query itself.

        Raises:
            ParamError: an argument is invalid.

        Example:
            >>> client.query("test", "users").apply("visits", "visit", [1])
            <...Query of 'test', set 'users'>
        """
        self._function = self._core.query_function(module, function, arguments)
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
            of the last record, ``bval`` its entry in the index of the predicate, else 0. The key
            ``"done"`` says whether all records were taken; ``"retry"`` is False. Empty before the first run.

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
    ) -> tuple[int, int, _native.QueryPlace | None, bool, _native.QueryPredicate | None]:
        """The limits of a run, the place of the run before if it may continue there, whether it does so
        without a filter, and the predicate."""
        continues = self._paginates or has_partition_filter(policy)
        place = self._current_place() if continues else None
        return self.max_records, self.records_per_second, place, self._paginates, self._predicate

    def _refuse_function(self) -> None:
        if self._function is not None:
            raise ParamError(
                "the query has a function, which only execute_background() applies; functions over the "
                "stream of records (aggregations) would run partly in the client, which has no Lua"
            )

    def _start(self, policy: QueryPolicy | None, options: Mapping[str, bool] | None) -> _native.QueryStream:
        self._refuse_function()
        return self._core.query(
            self._namespace,
            self._set,
            self._bins,
            policy,
            options,
            *self._limits_and_place(policy),
            self._operations,
        )

    def _refuse_operations(self, function: str) -> None:
        if self._operations is not None:
            raise ParamError(
                f"{function}: the query has operations, whose results only records have; use results(), or "
                "make another query without add_ops()"
            )

    def _background(self, completions: Any, policy: WritePolicy | None) -> Any:
        return self._core.query_background(
            completions,
            self._namespace,
            self._set,
            self._predicate,
            self._operations,
            self._function,
            policy,
            self.records_per_second,
            self.ttl,
        )

    def _start_numpy(self, policy: QueryPolicy | None, *arguments: Any) -> _native.NumpyStream:
        self._refuse_function()
        return self._core.query_numpy(
            self._namespace,
            self._set,
            self._bins,
            policy,
            *self._limits_and_place(policy),
            *arguments,
        )

    def _start_arrow(self, policy: QueryPolicy | None, *arguments: Any) -> _native.ArrowStream:
        self._refuse_function()
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
            raise no_attribute(self, name, _INSTEAD)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._namespace!r}, set {self._set!r}>"
