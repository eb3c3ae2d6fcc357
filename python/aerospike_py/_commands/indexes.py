"""Secondary indexes, and the progress of background jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import constants
from ..exception import ParamTypeError, _with_official_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .. import _native
    from .._operation import Expression
    from ..cdt_ctx import _cdt_ctx
    from ..types import IndexInfo, InfoPolicy, JobInfo

    # Bin or expression, INDEX_TYPE_*, INDEX_*, context.
    _Indexed = tuple[str | Expression | None, int | None, int | None, Sequence[_cdt_ctx] | None]


def creation(
    function: str,
    kind: str,
    ns: str,
    set: str | None,
    name: str,
    what: _Indexed,
    policy: InfoPolicy | None,
    wait_timeout: int | None,
) -> tuple[Any, ...]:
    """The arguments of the core's ``index_create``.

    Refuses None for the bin and the type of values, which the server would call a missing argument.
    """
    source, index_type, data_type, ctx = what
    if kind == "bin" and source is None:
        error = ParamTypeError("bin is None (NoneType); it must be the name of a bin")
        raise _with_official_text(error, "Bin should be a string")
    if function == "index_cdt_create" and ctx is None:
        raise ParamTypeError(
            "ctx is None (NoneType); it must be the way to a list or map inside the bin. Without one, use "
            "index_list_create() and its siblings"
        )
    if kind != "set" and data_type is None:
        raise ParamTypeError("index_datatype is None (NoneType); it must be an INDEX_* constant")
    return function, kind, ns, set, source, index_type, data_type, name, ctx, policy, wait_timeout


class IndexCommands:
    """Secondary indexes, for ``Client``."""

    _core: _native.Core

    def _create(self, *arguments: Any) -> int:
        """Creates an index; the arguments are those of :func:`creation`."""
        done: int = self._core.index_create(None, *creation(*arguments))
        return done

    def index_single_value_create(
        self,
        ns: str,
        set: str | None,
        bin: str,
        index_datatype: int,
        name: str,
        policy: InfoPolicy | None = None,
        ctx: Sequence[_cdt_ctx] | None = None,
        *,
        wait_timeout: int | None = None,
    ) -> int:
        """Creates an index on the values of a bin, and waits until it is built.

        The server indexes the records that exist, and keeps the index up to date with every write. All nodes
        have it.

        Args:
            ns: the namespace.
            set: the set, or None for the whole namespace.
            bin: name of the bin.
            index_datatype: type of the values: ``INDEX_NUMERIC``, ``INDEX_STRING``, ``INDEX_BLOB`` or
                ``INDEX_GEO2DSPHERE``. Values of other types have no entries.
            name: the index's name, unique in the namespace.
            policy: info policy: ``timeout`` in milliseconds, for the command that creates the index.
            ctx: the way to the list or map inside the bin, made with :mod:`aerospike_py.cdt_ctx`.
            wait_timeout: how long to wait until every node has built the index, in milliseconds. None waits
                for as long as it takes, 0 does not wait.

        Returns:
            0, as in the official client.

        Raises:
            IndexFoundError: an index of this name exists, with other properties. One with the same properties
                is no error; if it has another name, the server renames it.
            TimeoutError: the index is not built in time; the message names the nodes. They go on building.
            ParamError: an argument is invalid.

        Example:
            >>> client.index_single_value_create("test", "users", "age", INDEX_NUMERIC, "users_age")
            0
        """
        what = (bin, None, index_datatype, ctx)
        return self._create("index_single_value_create", "bin", ns, set, name, what, policy, wait_timeout)

    def index_list_create(
        self,
        ns: str,
        set: str | None,
        bin: str,
        index_datatype: int,
        name: str,
        policy: InfoPolicy | None = None,
        ctx: Sequence[_cdt_ctx] | None = None,
        *,
        wait_timeout: int | None = None,
    ) -> int:
        """Creates an index on the elements of lists.

        The other arguments, the result and the errors are those of :meth:`index_single_value_create`.

        Example:
            >>> client.index_list_create("test", "users", "tags", INDEX_STRING, "users_tags")
            0
        """
        what = (bin, constants.INDEX_TYPE_LIST, index_datatype, ctx)
        return self._create("index_list_create", "bin", ns, set, name, what, policy, wait_timeout)

    def index_map_keys_create(
        self,
        ns: str,
        set: str | None,
        bin: str,
        index_datatype: int,
        name: str,
        policy: InfoPolicy | None = None,
        ctx: Sequence[_cdt_ctx] | None = None,
        *,
        wait_timeout: int | None = None,
    ) -> int:
        """Creates an index on the keys of maps.

        The other arguments, the result and the errors are those of :meth:`index_single_value_create`.

        Example:
            >>> client.index_map_keys_create("test", "users", "scores", INDEX_STRING, "users_keys")
            0
        """
        what = (bin, constants.INDEX_TYPE_MAPKEYS, index_datatype, ctx)
        return self._create("index_map_keys_create", "bin", ns, set, name, what, policy, wait_timeout)

    def index_map_values_create(
        self,
        ns: str,
        set: str | None,
        bin: str,
        index_datatype: int,
        name: str,
        policy: InfoPolicy | None = None,
        ctx: Sequence[_cdt_ctx] | None = None,
        *,
        wait_timeout: int | None = None,
    ) -> int:
        """Creates an index on the values of maps.

        The other arguments, the result and the errors are those of :meth:`index_single_value_create`.

        Example:
            >>> client.index_map_values_create("test", "users", "scores", INDEX_NUMERIC, "users_scores")
            0
        """
        what = (bin, constants.INDEX_TYPE_MAPVALUES, index_datatype, ctx)
        return self._create("index_map_values_create", "bin", ns, set, name, what, policy, wait_timeout)

    def index_expr_create(
        self,
        ns: str,
        set: str | None,
        index_type: int,
        index_datatype: int,
        expressions: Expression,
        name: str,
        policy: InfoPolicy | None = None,
        *,
        wait_timeout: int | None = None,
    ) -> int:
        """Creates an index on the value of an expression.

        Records for which the expression has no value have no entries.

        Args:
            index_type: which values are indexed: one of the ``INDEX_TYPE_*`` constants.
            expressions: the expression: of :mod:`aerospike_py.expressions`, or its base64.

        The other arguments, the result and the errors are those of :meth:`index_single_value_create`.

        Example:
            >>> twice = exp.Mul(exp.IntBin("visits"), 2).compile()
            >>> kinds = (INDEX_TYPE_DEFAULT, INDEX_NUMERIC)
            >>> client.index_expr_create("test", "users", *kinds, twice, "users_twice")
            0
        """
        what = (expressions, index_type, index_datatype, None)
        return self._create("index_expr_create", "expression", ns, set, name, what, policy, wait_timeout)

    def index_set_create(
        self,
        ns: str,
        set: str | None,
        name: str,
        policy: InfoPolicy | None = None,
        *,
        wait_timeout: int | None = None,
    ) -> int:
        """Creates an index of the records of a set.

        It makes queries of a small set in a large namespace fast. They find it by themselves.

        The other arguments, the result and the errors are those of :meth:`index_single_value_create`.

        Example:
            >>> try:
            ...     client.index_set_create("test", "users", "users_set")
            ... except aerospike_py.exception.InvalidRequest:
            ...     print("the embedded server has none")
            the embedded server has none
        """
        what = (None, None, None, None)
        return self._create("index_set_create", "set", ns, set, name, what, policy, wait_timeout)

    def index_cdt_create(
        self,
        ns: str,
        set: str | None,
        bin: str,
        index_type: int,
        index_datatype: int,
        name: str,
        ctx: Sequence[_cdt_ctx],
        policy: InfoPolicy | None = None,
        *,
        wait_timeout: int | None = None,
    ) -> int:
        """Creates an index inside a bin, by its older name in the official client.

        Use :meth:`index_list_create` and its siblings, which take a ``ctx`` too.

        The other arguments, the result and the errors are those of :meth:`index_single_value_create`.

        Example:
            >>> ctx = [aerospike_py.cdt_ctx.cdt_ctx_map_key("tags")]
            >>> kinds = (INDEX_TYPE_LIST, INDEX_STRING)
            >>> client.index_cdt_create("test", "users", "info", *kinds, "users_tags", ctx)
            0
        """
        what = (bin, index_type, index_datatype, ctx)
        return self._create("index_cdt_create", "bin", ns, set, name, what, policy, wait_timeout)

    def index_integer_create(
        self,
        ns: str,
        set: str | None,
        bin: str,
        name: str,
        policy: InfoPolicy | None = None,
        *,
        wait_timeout: int | None = None,
    ) -> int:
        """Creates an index with ``INDEX_NUMERIC`` values, by its older name in the official client.

        Use :meth:`index_single_value_create`.

        The other arguments, the result and the errors are those of :meth:`index_single_value_create`.

        Example:
            >>> client.index_integer_create("test", "users", "visits", "users_visits")
            0
        """
        what = (bin, None, constants.INDEX_NUMERIC, None)
        return self._create("index_integer_create", "bin", ns, set, name, what, policy, wait_timeout)

    def index_string_create(
        self,
        ns: str,
        set: str | None,
        bin: str,
        name: str,
        policy: InfoPolicy | None = None,
        *,
        wait_timeout: int | None = None,
    ) -> int:
        """Creates an index with ``INDEX_STRING`` values, by its older name in the official client.

        Use :meth:`index_single_value_create`.

        The other arguments, the result and the errors are those of :meth:`index_single_value_create`.

        Example:
            >>> client.index_string_create("test", "users", "name", "users_name")
            0
        """
        what = (bin, None, constants.INDEX_STRING, None)
        return self._create("index_string_create", "bin", ns, set, name, what, policy, wait_timeout)

    def index_blob_create(
        self,
        ns: str,
        set: str | None,
        bin: str,
        name: str,
        policy: InfoPolicy | None = None,
        *,
        wait_timeout: int | None = None,
    ) -> int:
        """Creates an index with ``INDEX_BLOB`` values, by its older name in the official client.

        Use :meth:`index_single_value_create`.

        The other arguments, the result and the errors are those of :meth:`index_single_value_create`.

        Example:
            >>> client.index_blob_create("test", "users", "photo", "users_photo")
            0
        """
        what = (bin, None, constants.INDEX_BLOB, None)
        return self._create("index_blob_create", "bin", ns, set, name, what, policy, wait_timeout)

    def index_geo2dsphere_create(
        self,
        ns: str,
        set: str | None,
        bin: str,
        name: str,
        policy: InfoPolicy | None = None,
        *,
        wait_timeout: int | None = None,
    ) -> int:
        """Creates an index with ``INDEX_GEO2DSPHERE`` values, by its older name in the official client.

        Use :meth:`index_single_value_create`.

        The other arguments, the result and the errors are those of :meth:`index_single_value_create`.

        Example:
            >>> client.index_geo2dsphere_create("test", "users", "place", "users_place")
            0
        """
        what = (bin, None, constants.INDEX_GEO2DSPHERE, None)
        return self._create("index_geo2dsphere_create", "bin", ns, set, name, what, policy, wait_timeout)

    def index_remove(self, ns: str, name: str, policy: InfoPolicy | None = None) -> int:
        """Removes an index. The records stay as they are. An index that does not exist is no error.

        Args:
            ns: the namespace.
            name: the index's name.
            policy: info policy: ``timeout`` in milliseconds.

        Returns:
            0, as in the official client.

        Raises:
            ServerError: the server answers with an error.

        Example:
            >>> client.index_remove("test", "users_visits")
            0
        """
        answer: int = self._core.index_remove(None, ns, name, policy)
        return answer

    def index_wait_till_complete(self, ns: str, name: str, timeout: int | None = None) -> None:
        """Waits until every node has built an index.

        Args:
            ns: the namespace.
            name: the index's name.
            timeout: how long to wait, in milliseconds; None for as long as it takes.

        Raises:
            IndexNotFound: no node knows the index.
            TimeoutError: the index is not built in time; the message names the nodes and how far they are.

        Example:
            >>> client.index_integer_create("test", "users", "visits", "users_visits", wait_timeout=0)
            0
            >>> client.index_wait_till_complete("test", "users_visits", 60_000)
        """
        self._core.index_wait(None, ns, name, timeout)

    def index_list(self, ns: str, policy: InfoPolicy | None = None) -> list[IndexInfo]:
        """The indexes of a namespace, ordered by name.

        Args:
            ns: the namespace.
            policy: info policy: ``timeout`` in milliseconds.

        Returns:
            A list of dicts: ``namespace``, ``set`` and ``bin`` (None where the index has none), ``name``,
            ``index_type`` (``"default"``, ``"list"``, ``"mapkeys"``, ``"mapvalues"`` or ``"set"``),
            ``index_datatype`` (``"numeric"``, ``"string"``, ``"blob"``, ``"geo2dsphere"``; None for an index
            of a set), ``ctx`` and ``expression`` as base64 or None, and ``state``: ``"ready"`` if every node
            can use it, else ``"building"`` or ``"error"``.

        Raises:
            ServerError: the server answers with an error.

        Example:
            >>> client.index_single_value_create("test", "users", "age", INDEX_NUMERIC, "users_age")
            0
            >>> [(index["name"], index["bin"], index["state"]) for index in client.index_list("test")]
            [('users_age', 'age', 'ready')]
        """
        answer: list[IndexInfo] = self._core.index_list(None, ns, policy)
        return answer

    def job_info(self, job_id: int, module: str, policy: InfoPolicy | None = None) -> JobInfo:
        """How far a background job is, over all nodes.

        Args:
            job_id: what :meth:`Query.execute_background` returned.
            module: ``JOB_QUERY`` or ``JOB_SCAN``.
            policy: info policy: ``timeout`` in milliseconds per node.

        Returns:
            ``{"progress_pct": ..., "records_read": ..., "status": ...}``: the progress of the node that is
            farthest behind, the records to which operations were applied, and ``JOB_STATUS_INPROGRESS`` or
            ``JOB_STATUS_COMPLETED``. A job that no node knows counts as completed: nodes forget all but their
            last 100 jobs.

        Raises:
            AerospikeError: a node cannot be asked.

        Example:
            >>> client.job_info(12345, JOB_QUERY)
            {'progress_pct': 0, 'records_read': 0, 'status': 2}
        """
        answer: JobInfo = self._core.job_info(None, job_id, module, policy)
        return answer
