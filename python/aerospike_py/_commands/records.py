"""Commands on one record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._bridge import call

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
        """
        self._core.put(None, key, bins, meta, policy)

    def get(self, key: KeyLike, policy: ReadPolicy | None = None) -> Record:
        """Reads a record.

        Returns:
            The named tuple ``(key, meta, bins)``.

        Raises:
            RecordNotFound: there is no such record.
        """
        record: Record = self._core.get(None, key, policy)
        return record

    def exists(self, key: KeyLike, policy: ReadPolicy | None = None) -> Exists:
        """Looks whether a record is there.

        Returns:
            The named tuple ``(key, meta)``; ``meta`` is None where there is no such record.
        """
        found: Exists = self._core.exists(None, key, policy)
        return found

    def remove(
        self, key: KeyLike, meta: Mapping[str, int] | None = None, policy: RemovePolicy | None = None
    ) -> None:
        """Deletes a record.

        Raises:
            RecordNotFound: there is no such record.
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
        """As :meth:`Client.put`, awaited."""
        await call(self._core.put, key, bins, meta, policy)

    async def get(self, key: KeyLike, policy: ReadPolicy | None = None) -> Record:
        """As :meth:`Client.get`, awaited."""
        record: Record = await call(self._core.get, key, policy)
        return record

    async def exists(self, key: KeyLike, policy: ReadPolicy | None = None) -> Exists:
        """As :meth:`Client.exists`, awaited."""
        found: Exists = await call(self._core.exists, key, policy)
        return found

    async def remove(
        self, key: KeyLike, meta: Mapping[str, int] | None = None, policy: RemovePolicy | None = None
    ) -> None:
        """As :meth:`Client.remove`, awaited."""
        await call(self._core.remove, key, meta, policy)
