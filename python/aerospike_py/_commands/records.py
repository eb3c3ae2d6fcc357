"""Commands on one record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._utils.event_loop import call

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .. import _native
    from .._types import Bins, KeyLike
    from ..records import Exists, Record
    from ..types import ReadPolicy, RemovePolicy, WritePolicy


class Records:
    """Commands on one record, waited for."""

    _core: _native.Core

    def put(
        self,
        key: KeyLike,
        bins: Bins,
        meta: Mapping[str, int] | None = None,
        policy: WritePolicy | None = None,
    ) -> None:
        """Writes bins of a record, creating it where it is not there.

        Args:
            key: ``(namespace, set, primary_key)``.
            bins: bin name to value; a bin set to None is removed.
            meta: ``{"gen": ..., "ttl": ...}``: the generation to compare with, seconds to live.
            policy: write policy (``key``, ``gen``, ``exists``, ``ttl``, ``total_timeout`` ...).

        Raises:
            RecordExistsError, RecordNotFound, RecordGenerationError: by policy.
            TimeoutError: no answer in time; ``in_doubt`` says whether it may have been applied.

        Example:
            >>> client.put(("test", "users", 3), {"name": "Cat", "visits": 1}, {"ttl": 3600})
            >>> client.put(("test", "users", 3), {"visits": None})  # removes the bin
        """
        self._core.put(None, key, bins, meta, policy)

    def get(self, key: KeyLike, policy: ReadPolicy | None = None) -> Record:
        """Reads a record.

        Returns:
            The named tuple ``(key, meta, bins)``.

        Raises:
            RecordNotFound: there is no such record.

        Example:
            >>> key, meta, bins = client.get(("test", "users", 1))
            >>> bins["name"]
            'Ada'
        """
        record: Record = self._core.get(None, key, policy)
        return record

    def exists(self, key: KeyLike, policy: ReadPolicy | None = None) -> Exists:
        """Looks whether a record is there.

        Returns:
            The named tuple ``(key, meta)``; ``meta`` is None where there is no such record.

        Example:
            >>> client.exists(("test", "users", 1)).meta
            {'ttl': 4294967295, 'gen': 1}
            >>> client.exists(("test", "users", "nobody")).meta is None
            True
        """
        found: Exists = self._core.exists(None, key, policy)
        return found

    def remove(
        self, key: KeyLike, meta: Mapping[str, int] | None = None, policy: RemovePolicy | None = None
    ) -> None:
        """Deletes a record.

        Raises:
            RecordNotFound: there is no such record.

        Example:
            >>> client.remove(("test", "users", 1))
        """
        self._core.remove(None, key, meta, policy)


class AsyncRecords:
    """Commands on one record, awaited."""

    _core: _native.Core

    async def put(
        self,
        key: KeyLike,
        bins: Bins,
        meta: Mapping[str, int] | None = None,
        policy: WritePolicy | None = None,
    ) -> None:
        """As :meth:`Client.put`, awaited.

        Example:
            >>> await client.put(("test", "users", 3), {"name": "Cat", "visits": 1})
        """
        await call(self._core.put, key, bins, meta, policy)

    async def get(self, key: KeyLike, policy: ReadPolicy | None = None) -> Record:
        """As :meth:`Client.get`, awaited.

        Example:
            >>> (await client.get(("test", "users", 1))).bins["name"]
            'Ada'
        """
        record: Record = await call(self._core.get, key, policy)
        return record

    async def exists(self, key: KeyLike, policy: ReadPolicy | None = None) -> Exists:
        """As :meth:`Client.exists`, awaited.

        Example:
            >>> (await client.exists(("test", "users", 1))).meta
            {'ttl': 4294967295, 'gen': 1}
        """
        found: Exists = await call(self._core.exists, key, policy)
        return found

    async def remove(
        self, key: KeyLike, meta: Mapping[str, int] | None = None, policy: RemovePolicy | None = None
    ) -> None:
        """As :meth:`Client.remove`, awaited.

        Example:
            >>> await client.remove(("test", "users", 1))
        """
        await call(self._core.remove, key, meta, policy)
