"""Scans: queries without a predicate, with the official client's arguments of scans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..exception import ParamError
from .queries import AsyncQuery, Query

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..records import Record
    from ..types import QueryPolicy


def _refuse_node(nodename: str | None) -> None:
    if nodename is not None:
        raise ParamError(
            f"nodename is {nodename!r}; a scan reads from all nodes. To read a part of the records, use the "
            'policy\'s partition_filter: {"begin": 0, "count": 1024}'
        )


class Scan(Query):
    """A query over all records of a set or namespace, created by :meth:`Client.scan`.

    It has the methods of :class:`Query`; ``results`` and ``foreach`` have the arguments of the official
    client's scans.

    Example:
        >>> len(client.scan("test", "users").results())
        2
    """

    def results(  # type: ignore[override]
        self, policy: QueryPolicy | None = None, nodename: str | None = None
    ) -> list[Record]:
        """Like :meth:`Query.results`. ``nodename`` must be None: a scan reads from all nodes.

        Example:
            >>> len(client.scan("test", "users").results())
            2
        """
        _refuse_node(nodename)
        return super().results(policy)

    def foreach(
        self,
        callback: Callable[..., Any],
        policy: QueryPolicy | None = None,
        options: Mapping[str, bool] | None = None,
        nodename: str | None = None,
    ) -> None:
        """Like :meth:`Query.foreach`. ``nodename`` must be None: a scan reads from all nodes.

        Example:
            >>> client.scan("test", "users").foreach(lambda record: print(record.bins["name"]))
            Ada
            Bea
        """
        _refuse_node(nodename)
        super().foreach(callback, policy, options)


class AsyncScan(AsyncQuery):
    """A query over all records of a set or namespace, created by :meth:`AsyncClient.scan`.

    Example:
        >>> len(await client.scan("test", "users").results())
        2
    """

    async def results(  # type: ignore[override]
        self, policy: QueryPolicy | None = None, nodename: str | None = None
    ) -> list[Record]:
        """Like :meth:`Scan.results`, awaited.

        Example:
            >>> len(await client.scan("test", "users").results())
            2
        """
        _refuse_node(nodename)
        return await super().results(policy)

    async def foreach(
        self,
        callback: Callable[..., Any],
        policy: QueryPolicy | None = None,
        options: Mapping[str, bool] | None = None,
        nodename: str | None = None,
    ) -> None:
        """Like :meth:`Scan.foreach`, awaited. ``callback`` may be a coroutine function.

        Example:
            >>> await client.scan("test", "users").foreach(lambda record: print(record.bins["name"]))
            Ada
            Bea
        """
        _refuse_node(nodename)
        await super().foreach(callback, policy, options)
