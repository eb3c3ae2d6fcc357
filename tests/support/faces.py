"""One test body for both clients: an ``AsyncClient`` that is called like a ``Client``.

The event loop runs in a thread of its own, as in a service; each call of a test becomes a coroutine there.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TYPE_CHECKING, Any

import aerospike_py

if TYPE_CHECKING:
    from typing_extensions import Self

# Longer than any deadline that a test sets: it turns a hang into a failure.
LONGEST_CALL = 60.0


class LoopThread:
    """An event loop that runs in a background thread until it is closed."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="tests-event-loop", daemon=True)
        self._thread.start()

    def run(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Calls the function in the loop and returns its result, awaited if it is awaitable."""

        async def call() -> Any:
            result = function(*args, **kwargs)
            return await result if inspect.isawaitable(result) else result

        return self.wait_for(call())

    def wait_for(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        future = asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        try:
            return future.result(LONGEST_CALL)
        except FutureTimeoutError:
            if future.done():
                raise  # the coroutine's own: TimeoutError is one name for both since Python 3.11
            future.cancel()
            raise AssertionError(f"no answer within {LONGEST_CALL:.0f} s") from None

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(LONGEST_CALL)
        self.loop.close()


class Twin:
    """An ``AsyncClient`` with the methods of a ``Client``."""

    def __init__(self, client: aerospike_py.AsyncClient, loop: LoopThread) -> None:
        self.async_client = client
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.async_client, name)
        if not callable(attribute):
            return attribute

        def call(*args: Any, **kwargs: Any) -> Any:
            result = self._loop.run(attribute, *args, **kwargs)
            if isinstance(result, aerospike_py.AsyncQuery):
                return TwinQuery(result, self._loop)
            return self if result is self.async_client else result

        call.__name__ = name
        return call

    def __enter__(self) -> Self:
        self._loop.run(self.async_client.__aenter__)
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.run(self.async_client.__aexit__, *error)

    def __repr__(self) -> str:
        return repr(self.async_client)


class TwinQuery:
    """An ``AsyncQuery`` with the methods of a ``Query``."""

    def __init__(self, query: aerospike_py.AsyncQuery, loop: LoopThread) -> None:
        self.__dict__.update(async_query=query, loop=loop)

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.async_query, name)
        if name in ("records", "numpy_batches", "arrow_batches"):
            return lambda *args, **kwargs: TwinRecords(attribute(*args, **kwargs), self.loop)
        if not callable(attribute):
            return attribute

        def call(*args: Any, **kwargs: Any) -> Any:
            result = self.loop.run(attribute, *args, **kwargs)
            return self if result is self.async_query else result

        return call

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.async_query, name, value)

    def __iter__(self) -> TwinRecords:
        return TwinRecords(self.async_query.__aiter__(), self.loop)


class TwinRecords:
    """``AsyncQueryRecords`` as ``QueryRecords``, and ``AsyncNumpyBatches`` as ``NumpyBatches``."""

    def __init__(
        self, records: aerospike_py.AsyncQueryRecords | aerospike_py.AsyncNumpyBatches, loop: LoopThread
    ) -> None:
        self._records = records
        self._loop = loop

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        try:
            return self._loop.run(self._records.__anext__)
        except StopAsyncIteration:
            raise StopIteration from None

    def close(self) -> None:
        self._loop.run(self._records.aclose)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class Face:
    """Creates sync clients, or async clients that are called like sync ones.

    ``name`` is ``"sync"`` or ``"async"``, for the rare test whose expectation differs.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._loop = LoopThread() if name == "async" else None
        self._made: list[Any] = []

    def client(self, config: Any) -> Any:
        """A client that is not connected. It is closed when the face is, if not before."""
        made = (
            aerospike_py.client(config)
            if self._loop is None
            else Twin(aerospike_py.AsyncClient(config), self._loop)
        )
        self._made.append(made)
        return made

    def connect(self, config: Any) -> Any:
        return self.client(config).connect()

    def close(self) -> None:
        for client in self._made:
            client.close()
        if self._loop is not None:
            self._loop.close()
