"""The asynchronous client."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from . import _native
from ._utils.event_loop import call
from ._commands.batch_read import AsyncBatchReads
from ._commands.batch_write import AsyncBatchWrites
from ._commands.infer import AsyncInference
from ._commands.info import AsyncInfo
from ._commands.not_yet import NotYet
from ._commands.operate import AsyncOperations
from ._commands.query import AsyncQueries
from ._commands.records import AsyncRecords
from .client import refuse_pickle

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from .stats import ClusterStats
    from .types import ClientConfig


class AsyncClient(
    AsyncRecords,
    AsyncOperations,
    AsyncBatchReads,
    AsyncBatchWrites,
    AsyncQueries,
    AsyncInfo,
    AsyncInference,
    NotYet,
):
    """A client whose calls are coroutines: nothing is sent before they are awaited.

    They run without a thread pool and may be cancelled at any time. An async context manager: entering it
    connects, leaving it closes the connections.

    Example:
        >>> async with AsyncClient({"hosts": [("127.0.0.1", 3000)]}) as client:
        ...     records = await asyncio.gather(*(client.get(("test", "users", number)) for number in (1, 2)))
        >>> [record.bins["name"] for record in records]
        ['Ada', 'Bea']
    """

    def __init__(self, config: ClientConfig) -> None:
        self._core = _native.Core(config)

    async def connect(self, username: str | None = None, password: str | None = None) -> Self:
        """As :meth:`Client.connect`, awaited.

        Example:
            >>> client = await AsyncClient({"hosts": [("127.0.0.1", 3000)]}).connect()
        """
        await call(self._core.connect, username, password)
        return self

    async def close(self) -> None:
        """Closes all connections. Calls after it raise ``ClientError``; closing twice is fine.

        Example:
            >>> await client.close()
            >>> client.is_connected()
            False
        """
        self._core.close()

    def is_connected(self) -> bool:
        """Whether the client is connected and sees at least one node.

        Example:
            >>> client.is_connected()
            True
        """
        return self._core.is_connected()

    def get_node_names(self) -> list[str]:
        """The names of the cluster's nodes.

        Example:
            >>> client.get_node_names()
            ['D1']
        """
        return self._core.get_node_names()

    def stats(self) -> ClusterStats:
        """The state of nodes and connections, with counts of retries and hedges.

        Example:
            >>> [(node.name, node.conns.in_use) for node in client.stats().nodes if not node.suspect]
            [('D1', 0)]
        """
        return self._core.stats()

    async def __aenter__(self) -> Self:
        return self if self.is_connected() else await self.connect()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def __reduce__(self) -> NoReturn:
        refuse_pickle(self)

    def __repr__(self) -> str:
        return f"<AsyncClient {self._core.describe()}>"
