"""Commands on one record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._utils.event_loop import call
from ..constants import SERIALIZER_NONE
from ..exception import ParamError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .. import _native
    from .._types import Bins, KeyLike
    from ..records import Exists, Record
    from ..types import ReadPolicy, RemovePolicy, WritePolicy


def _refuse_serializer(serializer: object) -> None:
    if serializer is not None and (not isinstance(serializer, int) or serializer != SERIALIZER_NONE):
        raise ParamError(
            f"serializer is {serializer!r}; it must be None: make bytes or text of the values yourself, such "
            'as client.put(key, {"bin": json.dumps(value)})'
        )


class RecordCommands:
    """Commands on one record, for ``Client``."""

    _core: _native.Core

    def put(
        self,
        key: KeyLike,
        bins: Bins,
        meta: Mapping[str, int] | None = None,
        policy: WritePolicy | None = None,
        serializer: int | None = None,
    ) -> int:
        """Writes bins of a record. Creates the record if it does not exist.

        Args:
            key: ``(namespace, set, primary_key)``.
            bins: bin name to value. None removes the bin.
            meta: ``{"gen": ..., "ttl": ...}``: the expected generation, and the time to live in seconds.
            policy: write policy (``key``, ``gen``, ``exists``, ``ttl``, ``total_timeout`` ...).
            serializer: None or ``SERIALIZER_NONE``: values of other types are refused, not serialized.

        Raises:
            RecordExistsError, RecordNotFound, RecordGenerationError: the policy forbids the write.
            TimeoutError: no answer in time. ``in_doubt`` says whether the write may have been applied.

        Example:
            >>> client.put(("test", "users", 3), {"name": "Cat", "visits": 1}, {"ttl": 3600})
            0
            >>> client.put(("test", "users", 3), {"visits": None})  # removes the bin
            0
        """
        _refuse_serializer(serializer)
        done: int = self._core.put(None, key, bins, meta, policy)
        return done

    def get(self, key: KeyLike, policy: ReadPolicy | None = None) -> Record:
        """Reads a record.

        Args:
            key: ``(namespace, set, primary_key)``.
            policy: read policy (``total_timeout``, ``replica``, ``hedge_delay`` ...).

        Returns:
            The named tuple ``(key, meta, bins)``.

        Raises:
            RecordNotFound: the record does not exist.

        Example:
            >>> key, meta, bins = client.get(("test", "users", 1))
            >>> bins["name"]
            'Ada'
        """
        record: Record = self._core.get(None, key, policy)
        return record

    def exists(self, key: KeyLike, policy: ReadPolicy | None = None) -> Exists:
        """Checks whether a record exists. Does not read its bins.

        Args:
            key: ``(namespace, set, primary_key)``.
            policy: read policy.

        Returns:
            The named tuple ``(key, meta)``. ``meta`` is None if the record does not exist.

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
    ) -> int:
        """Deletes a record.

        Args:
            key: ``(namespace, set, primary_key)``.
            meta: ``{"gen": ...}``: the expected generation.
            policy: remove policy (``gen``, ``durable_delete`` ...).

        Raises:
            RecordNotFound: the record does not exist.
            RecordGenerationError: the record has another generation.

        Example:
            >>> client.remove(("test", "users", 1))
            0
        """
        done: int = self._core.remove(None, key, meta, policy)
        return done


class AsyncRecordCommands:
    """Commands on one record, for ``AsyncClient``."""

    _core: _native.Core

    async def put(
        self,
        key: KeyLike,
        bins: Bins,
        meta: Mapping[str, int] | None = None,
        policy: WritePolicy | None = None,
        serializer: int | None = None,
    ) -> int:
        """Like :meth:`Client.put`, awaited.

        Example:
            >>> await client.put(("test", "users", 3), {"name": "Cat", "visits": 1})
            0
        """
        _refuse_serializer(serializer)
        done: int = await call(self._core.put, key, bins, meta, policy)
        return done

    async def get(self, key: KeyLike, policy: ReadPolicy | None = None) -> Record:
        """Like :meth:`Client.get`, awaited.

        Example:
            >>> (await client.get(("test", "users", 1))).bins["name"]
            'Ada'
        """
        record: Record = await call(self._core.get, key, policy)
        return record

    async def exists(self, key: KeyLike, policy: ReadPolicy | None = None) -> Exists:
        """Like :meth:`Client.exists`, awaited.

        Example:
            >>> (await client.exists(("test", "users", 1))).meta
            {'ttl': 4294967295, 'gen': 1}
        """
        found: Exists = await call(self._core.exists, key, policy)
        return found

    async def remove(
        self, key: KeyLike, meta: Mapping[str, int] | None = None, policy: RemovePolicy | None = None
    ) -> int:
        """Like :meth:`Client.remove`, awaited.

        Example:
            >>> await client.remove(("test", "users", 1))
            0
        """
        done: int = await call(self._core.remove, key, meta, policy)
        return done
