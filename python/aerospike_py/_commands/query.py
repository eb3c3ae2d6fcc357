"""Queries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..query import AsyncQuery, Query

if TYPE_CHECKING:
    from .. import _native


class Queries:
    """Queries, waited for."""

    _core: _native.Core

    def query(self, namespace: str, set: str | None = None) -> Query:
        """Makes a query over all records of a set, or of a namespace. Nothing is sent before it is run.

        Each record comes once while the cluster is stable; after a failure only what has not come is asked
        for again.

        Args:
            namespace: the namespace.
            set: the set; None for all of the namespace.

        Example:
            >>> query = client.query("test", "users")
            >>> for record in query.select("name"):
            ...     print(record.bins)
            {'name': 'Ada'}
            {'name': 'Bea'}
        """
        return Query(self._core, namespace, set)


class AsyncQueries:
    """Queries, awaited."""

    _core: _native.Core

    def query(self, namespace: str, set: str | None = None) -> AsyncQuery:
        """As :meth:`Client.query`; what the query does is awaited.

        Example:
            >>> async for record in client.query("test", "users").select("name"):
            ...     print(record.bins)
            {'name': 'Ada'}
            {'name': 'Bea'}
        """
        return AsyncQuery(self._core, namespace, set)
