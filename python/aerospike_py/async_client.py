"""The asynchronous client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, overload

from . import _native
from ._bridge import call
from .client import refuse_pickle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    import numpy.typing as npt
    from typing_extensions import Self

    from ._types import Bins, Casting, Errors, KeyLike, Keys, Policy
    from .numpy_batch import NumpyBatchRecords
    from .records import BatchRecords, Exists, Record
    from .stats import ClusterStats


class AsyncClient:
    """A client whose calls are coroutines: nothing is sent before they are awaited.

    They run without a thread pool and may be cancelled at any time. An async context manager: entering it
    connects, leaving it closes the connections.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._core = _native.Core(config)

    async def connect(self, username: str | None = None, password: str | None = None) -> Self:
        """As :meth:`Client.connect`, awaited."""
        await call(self._core.connect, username, password)
        return self

    async def close(self) -> None:
        """Closes all connections. Calls after it raise ``ClientError``; closing twice is fine."""
        self._core.close()

    def is_connected(self) -> bool:
        """Whether the client is connected and sees at least one node."""
        return self._core.is_connected()

    def get_node_names(self) -> list[str]:
        """The names of the cluster's nodes."""
        return self._core.get_node_names()

    def stats(self) -> ClusterStats:
        """The state of nodes and connections, with counts of retries and hedges.

        Example:
            >>> [(node.name, node.conns.in_use) for node in client.stats().nodes if not node.suspect]
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

    # Each method below is one line over the core that Client uses, too.

    async def put(
        self, key: KeyLike, bins: Bins, meta: Mapping[str, int] | None = None, policy: Policy | None = None
    ) -> None:
        """As :meth:`Client.put`, awaited."""
        await call(self._core.put, key, bins, meta, policy)

    async def get(self, key: KeyLike, policy: Policy | None = None) -> Record:
        """As :meth:`Client.get`, awaited."""
        record: Record = await call(self._core.get, key, policy)
        return record

    async def exists(self, key: KeyLike, policy: Policy | None = None) -> Exists:
        """As :meth:`Client.exists`, awaited."""
        found: Exists = await call(self._core.exists, key, policy)
        return found

    async def remove(
        self, key: KeyLike, meta: Mapping[str, int] | None = None, policy: Policy | None = None
    ) -> None:
        """As :meth:`Client.remove`, awaited."""
        await call(self._core.remove, key, meta, policy)

    @overload
    async def batch_read(
        self,
        keys: Keys,
        bins: Sequence[str] | None = None,
        policy: Policy | None = None,
        _dtype: None = None,
    ) -> BatchRecords: ...

    @overload
    async def batch_read(
        self,
        keys: Keys,
        bins: Sequence[str] | None = None,
        policy: Policy | None = None,
        *,
        _dtype: npt.DTypeLike,
        casting: Casting = "unsafe",
        errors: Errors = "raise",
        out: npt.NDArray[Any] | None = None,
    ) -> NumpyBatchRecords: ...

    @overload
    async def batch_read(
        self,
        keys: Keys,
        bins: Sequence[str] | None,
        policy: Policy | None,
        _dtype: npt.DTypeLike,
        *,
        casting: Casting = "unsafe",
        errors: Errors = "raise",
        out: npt.NDArray[Any] | None = None,
    ) -> NumpyBatchRecords: ...

    async def batch_read(
        self,
        keys: Keys,
        bins: Sequence[str] | None = None,
        policy: Policy | None = None,
        _dtype: npt.DTypeLike | None = None,
        *,
        casting: Casting = "unsafe",
        errors: Errors = "raise",
        out: npt.NDArray[Any] | None = None,
    ) -> BatchRecords | NumpyBatchRecords:
        """As :meth:`Client.batch_read`, awaited.

        A cancelled call has stopped writing into ``out`` before the cancellation is seen.
        """
        result: BatchRecords | NumpyBatchRecords = await call(
            self._core.batch_read, keys, bins, policy, _dtype, casting, errors, out
        )
        return result
