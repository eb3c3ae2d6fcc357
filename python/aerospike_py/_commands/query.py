"""Making queries. What a query does is in ``aerospike_py.query``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._utils.describe import describe
from .._utils.event_loop import call
from ..constants import JOB_QUERY, JOB_STATUS_INPROGRESS
from ..exception import ParamError, ParamTypeError, _with_official_text
from ..query import AsyncQuery, AsyncScan, Query, Scan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .. import _native
    from ..types import JobInfo, WritePolicy

# Seconds between two looks at a background job.
_POLL = 0.05
# What the official client's options of a scan may be. All nodes work at the same time, whatever they say.
_SCAN_OPTIONS = ("concurrent", "nobins")


def _check_namespace(function: str, ns: object) -> None:
    if not isinstance(ns, str):
        raise ParamTypeError(f"{function}() argument 1 must be str: ns is {describe(ns)}")


def _check_arguments(args: object) -> None:
    if args is not None and not isinstance(args, list | tuple):
        error = ParamTypeError(f"args is {describe(args)}; it must be a list of the function's arguments")
        raise _with_official_text(error, "Arguments should be a list")


def _check_scan(options: object, block: object) -> None:
    if not isinstance(block, bool):
        raise ParamTypeError(f"block is {describe(block)}; it must be True or False")
    if options is None:
        return
    if not isinstance(options, Mapping):
        raise ParamTypeError(f"options is {describe(options)}; it must be a dict or None")
    for name, value in options.items():
        if name not in _SCAN_OPTIONS:
            known = ", ".join(_SCAN_OPTIONS)
            raise ParamError(f"options has an unknown key {name!r}; known keys are {known}")
        if not isinstance(value, bool):
            raise ParamTypeError(f"options {name!r} is {describe(value)}; it must be True or False")


class QueryCommands:
    """Makes queries for ``Client``."""

    _core: _native.Core

    def query(self, namespace: str, set: str | None = None) -> Query:
        """Creates a query over all records of a set or namespace. Nothing is sent until the query runs.

        While the cluster is stable, each record arrives exactly once. After a failure, the query requests
        only the records that have not arrived yet.

        Args:
            namespace: the namespace.
            set: the set, or None for the whole namespace.

        Returns:
            The query. Iterate over it to run it.

        Example:
            >>> query = client.query("test", "users")
            >>> for record in query.select("name"):
            ...     print(record.bins)
            {'name': 'Ada'}
            {'name': 'Bea'}
        """
        return Query(self._core, namespace, set)

    def scan(self, namespace: str, set: str | None = None) -> Scan:
        """Creates a query over all records, with the arguments of the official client's scans.

        Args:
            namespace: the namespace.
            set: the set, or None for the whole namespace.

        Example:
            >>> len(client.scan("test", "users").results())
            2
        """
        return Scan(self._core, namespace, set)

    def query_apply(
        self,
        ns: str,
        set: str | None,
        predicate: tuple[Any, ...],
        module: str,
        function: str,
        args: Sequence[Any] | None = None,
        policy: WritePolicy | None = None,
    ) -> int:
        """Makes the nodes apply a function to the records that a predicate finds: :meth:`Query.where`,
        :meth:`Query.apply` and :meth:`Query.execute_background` in one call.

        Args:
            ns: the namespace.
            set: the set, or None for the whole namespace.
            predicate: made with :mod:`aerospike_py.predicates`; there must be an index for it.
            module: the module's name, without ``.lua``.
            function: the function's name.
            args: a list of the function's arguments after the record.
            policy: write policy, as in :meth:`Query.execute_background`.

        Returns:
            The identifier of the job, for :meth:`Client.job_info`.

        Raises:
            ParamError: an argument is invalid.
            IndexNotFound: there is no index for the predicate.

        Example:
            >>> client.index_single_value_create("test", "users", "age", INDEX_NUMERIC, "users_age")
            0
            >>> visitors = predicates.equals("age", 36)
            >>> job = client.query_apply("test", "users", visitors, "visits", "visit", [1])
        """
        _check_namespace("query_apply", ns)
        _check_arguments(args)
        query = self.query(ns, set).where(predicate).apply(module, function, args)
        return query.execute_background(policy)

    def scan_apply(
        self,
        ns: str,
        set: str | None,
        module: str,
        function: str,
        args: Sequence[Any] | None = None,
        policy: WritePolicy | None = None,
        options: Mapping[str, bool] | None = None,
        *,
        block: bool = True,
    ) -> int:
        """Makes the nodes apply a function to all records of a set or namespace.

        Args:
            ns: the namespace.
            set: the set, or None for the whole namespace.
            module: the module's name, without ``.lua``.
            function: the function's name.
            args: a list of the function's arguments after the record.
            policy: write policy, as in :meth:`Query.execute_background`.
            options: the official client's ``concurrent`` and ``nobins``; they change nothing here.
            block: whether to return only when the job has ended.

        Returns:
            The identifier of the job, for :meth:`Client.job_info`.

        Raises:
            ParamError: an argument is invalid.

        Example:
            >>> job = client.scan_apply("test", "users", "visits", "visit", [1])
        """
        _check_namespace("scan_apply", ns)
        _check_arguments(args)
        _check_scan(options, block)
        job = self.query(ns, set).apply(module, function, args).execute_background(policy)
        while block and self._core.job_info(None, job, JOB_QUERY, None)["status"] == JOB_STATUS_INPROGRESS:
            time.sleep(_POLL)
        return job


class AsyncQueryCommands:
    """Makes queries for ``AsyncClient``."""

    _core: _native.Core

    def query(self, namespace: str, set: str | None = None) -> AsyncQuery:
        """Like :meth:`Client.query`. The query is run with ``async for`` or ``await``.

        Example:
            >>> async for record in client.query("test", "users").select("name"):
            ...     print(record.bins)
            {'name': 'Ada'}
            {'name': 'Bea'}
        """
        return AsyncQuery(self._core, namespace, set)

    def scan(self, namespace: str, set: str | None = None) -> AsyncScan:
        """Like :meth:`Client.scan`. The scan is run with ``async for`` or ``await``.

        Example:
            >>> len(await client.scan("test", "users").results())
            2
        """
        return AsyncScan(self._core, namespace, set)

    async def query_apply(
        self,
        ns: str,
        set: str | None,
        predicate: tuple[Any, ...],
        module: str,
        function: str,
        args: Sequence[Any] | None = None,
        policy: WritePolicy | None = None,
    ) -> int:
        """Like :meth:`Client.query_apply`, awaited.

        Example:
            >>> await client.index_single_value_create("test", "users", "age", INDEX_NUMERIC, "users_age")
            0
            >>> visitors = predicates.equals("age", 36)
            >>> job = await client.query_apply("test", "users", visitors, "visits", "visit", [1])
        """
        _check_namespace("query_apply", ns)
        _check_arguments(args)
        query = self.query(ns, set).where(predicate).apply(module, function, args)
        return await query.execute_background(policy)

    async def scan_apply(
        self,
        ns: str,
        set: str | None,
        module: str,
        function: str,
        args: Sequence[Any] | None = None,
        policy: WritePolicy | None = None,
        options: Mapping[str, bool] | None = None,
        *,
        block: bool = True,
    ) -> int:
        """Like :meth:`Client.scan_apply`, awaited.

        Example:
            >>> job = await client.scan_apply("test", "users", "visits", "visit", [1])
        """
        # Not at the top: asyncio is half of the package's import time.
        import asyncio

        _check_namespace("scan_apply", ns)
        _check_arguments(args)
        _check_scan(options, block)
        job = await self.query(ns, set).apply(module, function, args).execute_background(policy)
        while block:
            info: JobInfo = await call(self._core.job_info, job, JOB_QUERY, None)
            if info["status"] != JOB_STATUS_INPROGRESS:
                break
            await asyncio.sleep(_POLL)
        return job
