"""The asynchronous client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ._commands.async_admin import AsyncAdminCommands
from ._commands.async_indexes import AsyncIndexCommands
from ._commands.batch_read import AsyncBatchReadCommands
from ._commands.batch_read_arrow import AsyncBatchReadArrowCommands
from ._commands.batch_write import AsyncBatchWriteCommands
from ._commands.functions import AsyncFunctionCommands
from ._commands.infer import AsyncInferCommands
from ._commands.info import AsyncInfoCommands
from ._commands.metrics import MetricsCommands
from ._commands.operate import AsyncOperateCommands
from ._commands.query import AsyncQueryCommands
from ._commands.read_matrix import AsyncReadMatrixCommands
from ._commands.records import AsyncRecordCommands
from ._commands.transactions import AsyncTransactionCommands
from ._commands.unsupported import UnsupportedCommands
from ._utils.event_loop import call
from ._utils.log import watcher
from ._wrong_calls import methods_name_their_class

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self


@methods_name_their_class
class AsyncClient(
    MetricsCommands,
    AsyncRecordCommands,
    AsyncOperateCommands,
    AsyncBatchReadCommands,
    AsyncBatchReadArrowCommands,
    AsyncReadMatrixCommands,
    AsyncBatchWriteCommands,
    AsyncQueryCommands,
    AsyncIndexCommands,
    AsyncFunctionCommands,
    AsyncInfoCommands,
    AsyncAdminCommands,
    AsyncInferCommands,
    AsyncTransactionCommands,
    UnsupportedCommands,
):
    """A client whose commands are coroutines. A command is sent when it is awaited.

    ``AsyncClient(config)`` takes the same config as ``client(config)``. Commands run without a thread pool
    and can be cancelled at any time. As an async context manager, the client connects on entry and closes on
    exit. A client that was never connected connects at its first command, as a :class:`Client` does.

    Example:
        >>> async with AsyncClient({"hosts": [("127.0.0.1", 3000)]}) as client:
        ...     records = await asyncio.gather(*(client.get(("test", "users", number)) for number in (1, 2)))
        >>> [record.bins["name"] for record in records]
        ['Ada', 'Bea']
    """

    async def connect(self, username: str | None = None, password: str | None = None) -> Self:
        """Like :meth:`Client.connect`, awaited.

        Example:
            >>> client = await AsyncClient({"hosts": [("127.0.0.1", 3000)]}).connect()
        """
        await call(self._core.connect, username, password)
        watcher.start()
        self._resume_reports()
        return self

    async def close(self) -> None:
        """Closes all connections. Later calls raise ``ClientError``; closing again does nothing.

        Example:
            >>> await client.close()
            >>> client.is_connected()
            False
        """
        self._stop_reports()
        self._core.close()

    async def __aenter__(self) -> Self:
        return self if self.is_connected() else await self.connect()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> Literal[False]:
        await self.close()
        return False
