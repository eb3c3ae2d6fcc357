"""Scans: queries without a predicate, with the official client's arguments of scans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from .._utils.describe import describe
from .._utils.other_names import refuses_unknown_attributes
from .._wrong_calls import methods_explain_wrong_calls
from ..exception import ParamError, ParamTypeError
from .queries import AsyncQuery, Query

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..records import Record
    from ..types import QueryPolicy, ScanPolicy
    from .base import QueryBase

# Keys of a scan's policy that are attributes of a query.
_LIMITS = ("max_records", "records_per_second")


def _refuse_node(nodename: str | None) -> None:
    if nodename is not None:
        raise ParamError(
            f"nodename is {nodename!r}; a scan reads from all nodes. To read a part of the records, use the "
            'policy\'s partition_filter: {"begin": 0, "count": 1024}'
        )


def _without_limits(scan: QueryBase, policy: Mapping[str, Any] | None) -> QueryPolicy | None:
    """Takes the limits out of a scan's policy, where the official client has them, and sets them."""
    if not isinstance(policy, Mapping):
        return policy
    for name in _LIMITS:
        if policy.get(name) is not None:
            setattr(scan, name, policy[name])
    return cast("QueryPolicy", {name: value for name, value in policy.items() if name not in _LIMITS})


def _without_concurrent(options: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Takes ``concurrent`` out of the options of a scan: nodes always work at the same time."""
    if not isinstance(options, Mapping) or "concurrent" not in options:
        return options
    if not isinstance(options["concurrent"], bool):
        found = describe(options["concurrent"])
        raise ParamTypeError(f"query options 'concurrent' is {found}; it must be True or False")
    return {name: value for name, value in options.items() if name != "concurrent"}


@refuses_unknown_attributes
@methods_explain_wrong_calls
class Scan(Query):
    """A query over all records of a set or namespace, created by :meth:`Client.scan`.

    It has the methods of :class:`Query`; ``results`` and ``foreach`` have the arguments of the official
    client's scans.

    Example:
        >>> len(client.scan("test", "users").results())
        2
    """

    def results(  # type: ignore[override]
        self, policy: ScanPolicy | None = None, nodename: str | None = None
    ) -> list[Record]:
        """Like :meth:`Query.results`. ``nodename`` must be None: a scan reads from all nodes. ``policy`` may
        have ``max_records`` and ``records_per_second``.

        Example:
            >>> len(client.scan("test", "users").results())
            2
        """
        _refuse_node(nodename)
        return super().results(_without_limits(self, policy))

    def foreach(  # type: ignore[override]
        self,
        callback: Callable[..., Any],
        policy: ScanPolicy | None = None,
        options: Mapping[str, bool] | None = None,
        nodename: str | None = None,
    ) -> None:
        """Like :meth:`Query.foreach`. ``nodename`` must be None: a scan reads from all nodes. ``policy`` may
        have ``max_records`` and ``records_per_second``.

        Example:
            >>> client.scan("test", "users").foreach(lambda record: print(record.bins["name"]))
            Ada
            Bea
        """
        _refuse_node(nodename)
        super().foreach(callback, _without_limits(self, policy), _without_concurrent(options))


@refuses_unknown_attributes
class AsyncScan(AsyncQuery):
    """A query over all records of a set or namespace, created by :meth:`AsyncClient.scan`.

    Example:
        >>> len(await client.scan("test", "users").results())
        2
    """

    async def results(  # type: ignore[override]
        self, policy: ScanPolicy | None = None, nodename: str | None = None
    ) -> list[Record]:
        """Like :meth:`Scan.results`, awaited.

        Example:
            >>> len(await client.scan("test", "users").results())
            2
        """
        _refuse_node(nodename)
        return await super().results(_without_limits(self, policy))

    async def foreach(  # type: ignore[override]
        self,
        callback: Callable[..., Any],
        policy: ScanPolicy | None = None,
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
        await super().foreach(callback, _without_limits(self, policy), _without_concurrent(options))
