"""Making queries. What a query does is in ``aerospike_py.query``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..query import AsyncQuery, AsyncScan, Query, Scan

if TYPE_CHECKING:
    from .. import _native


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
