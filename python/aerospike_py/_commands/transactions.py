"""The ends of transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._utils.event_loop import call

if TYPE_CHECKING:
    from .. import _native


class TransactionCommands:
    """The ends of transactions, for ``Client``."""

    _core: _native.Core

    def commit(self, transaction: _native.Transaction) -> int:
        """Commits a transaction: all of its writes are applied, or none.

        Args:
            transaction: the transaction that its commands name as ``txn`` in their policies.

        Returns:
            ``COMMIT_OK``; ``COMMIT_ALREADY_COMMITTED``; ``COMMIT_ROLL_FORWARD_ABANDONED`` or
            ``COMMIT_CLOSE_ABANDONED`` if it is committed and the server has to finish the rest.

        Raises:
            TransactionFailed: a record that it has read has changed; it is aborted.
            TransactionAlreadyAborted: it was aborted before.
            ParamError: its commands are still running.
            AerospikeError: it was not committed. If ``in_doubt``, it may have been: commit it again to find
                out. Otherwise commit it again, or abort it.

        Example:
            >>> txn = aerospike_py.Transaction()
            >>> client.put(("test", "users", 1), {"visits": 1}, policy={"txn": txn})
            0
            >>> client.commit(txn) == aerospike_py.COMMIT_OK
            True
        """
        status: int = self._core.commit(None, transaction)
        return status

    def abort(self, transaction: _native.Transaction) -> int:
        """Aborts a transaction: none of its writes is applied.

        Args:
            transaction: the transaction that its commands name as ``txn`` in their policies.

        Returns:
            ``ABORT_OK``; ``ABORT_ALREADY_ABORTED``; ``ABORT_ROLL_BACK_ABANDONED`` or
            ``ABORT_CLOSE_ABANDONED`` if it is aborted and the server has to finish the rest.

        Raises:
            TransactionAlreadyCommitted: it was committed before.
            TransactionFailed: a commit may have been applied; commit it again to find out.
            ParamError: its commands are still running.

        Example:
            >>> txn = aerospike_py.Transaction()
            >>> client.put(("test", "users", 1), {"visits": 1}, policy={"txn": txn})
            0
            >>> client.abort(txn) == aerospike_py.ABORT_OK
            True
        """
        status: int = self._core.abort(None, transaction)
        return status


class AsyncTransactionCommands:
    """The ends of transactions, for ``AsyncClient``."""

    _core: _native.Core

    async def commit(self, transaction: _native.Transaction) -> int:
        """Like :meth:`Client.commit`, awaited. Cancelled while the server decides, the commit is in doubt.

        Example:
            >>> await client.commit(txn) == aerospike_py.COMMIT_OK
            True
        """
        status: int = await call(self._core.commit, transaction)
        return status

    async def abort(self, transaction: _native.Transaction) -> int:
        """Like :meth:`Client.abort`, awaited.

        Example:
            >>> await client.abort(txn) == aerospike_py.ABORT_OK
            True
        """
        status: int = await call(self._core.abort, transaction)
        return status
