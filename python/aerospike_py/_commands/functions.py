"""User-defined functions: modules, and functions on one record or on many."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._utils.describe import describe
from .._utils.event_loop import call
from ..exception import LuaFileNotFound, ParamError, ParamTypeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .. import _native
    from .._types import KeyLike, Keys
    from ..records import BatchRecords
    from ..types import ApplyPolicy, BatchApplyPolicy, BatchPolicy, InfoPolicy


def read_module(filename: str | os.PathLike[str]) -> tuple[str, bytes]:
    """The name and the source of a module's file."""
    if not isinstance(filename, str | bytes | os.PathLike):
        raise ParamTypeError(f"filename is {describe(filename)}; it must be a path, as str or os.PathLike")
    path = Path(os.fsdecode(filename))
    if not path.name or len(path.name) > _MAX_NAME:
        what = f"it must end in the name of a file, of at most {_MAX_NAME} bytes"
        raise ParamError(f"filename is {filename!r}; {what}")
    try:
        return path.name, path.read_bytes()
    except ValueError as error:
        # A lone surrogate or a NUL.
        raise ParamError(f"filename is {filename!r}; it must be a path without NULs, in UTF-8") from error
    except FileNotFoundError as error:
        raise LuaFileNotFound(f"there is no file {os.fspath(path)!r}") from error


# The server's limit.
_MAX_NAME = 127


class FunctionCommands:
    """User-defined functions, for ``Client``."""

    _core: _native.Core

    def udf_put(
        self, filename: str | os.PathLike[str], udf_type: int = 0, policy: InfoPolicy | None = None
    ) -> int:
        """Registers a module of user-defined functions, and waits until all nodes have it.

        The server compiles the module and runs its statements outside of functions. A module of the same
        name is replaced.

        Args:
            filename: path of the module's source. The module is registered under the file's own name, such as
                ``module.lua``; functions are applied by the name without the ending.
            udf_type: ``UDF_TYPE_LUA``, the only language.
            policy: info policy: ``timeout`` in milliseconds, for the command that registers.

        Returns:
            0, as in the official client.

        Raises:
            UDFError: the module does not compile; the message has the line and the reason.
            ParamError: the name cannot be that of a module, or the file is empty.
            LuaFileNotFound: the file does not exist.
            OSError: the file cannot be read.

        Example:
            >>> client.udf_put("visits.lua")
            0
        """
        result: int = self._core.udf_put(None, *read_module(filename), udf_type, policy)
        return result

    def udf_list(self, policy: InfoPolicy | None = None) -> list[dict[str, Any]]:
        """Lists the registered modules.

        Args:
            policy: info policy: ``timeout`` in milliseconds.

        Returns:
            A dict for each: ``name``, ``hash`` (a bytearray of hexadecimal digits), ``type``, and an empty
            ``content``, as in the official client.

        Example:
            >>> [module["name"] for module in client.udf_list()]
            ['visits.lua']
        """
        result: list[dict[str, Any]] = self._core.udf_list(None, policy)
        return result

    def udf_get(self, module: str, language: int = 0, policy: InfoPolicy | None = None) -> str:
        """Returns the source of a module.

        Args:
            module: the name of its file, such as ``module.lua``.
            language: ``UDF_TYPE_LUA``, the only language.
            policy: info policy: ``timeout`` in milliseconds.

        Raises:
            UDFError: there is no such module.

        Example:
            >>> client.udf_get("visits.lua").splitlines()[0]
            'function visit(rec, by)'
        """
        result: str = self._core.udf_get(None, module, language, policy)
        return result

    def udf_remove(self, filename: str, policy: InfoPolicy | None = None) -> int:
        """Removes a module, and waits until no node has it. One that does not exist is no error.

        Args:
            filename: the name of its file, such as ``module.lua``.
            policy: info policy: ``timeout`` in milliseconds.

        Returns:
            0, as in the official client.

        Example:
            >>> client.udf_remove("visits.lua")
            0
        """
        result: int = self._core.udf_remove(None, filename, policy)
        return result

    def apply(
        self,
        key: KeyLike,
        module: str,
        function: str,
        args: Sequence[Any] = (),
        policy: ApplyPolicy | None = None,
    ) -> Any:
        """Applies a user-defined function to a record.

        The function gets the record and then the arguments. It runs on the node that owns the record; what
        it writes is written when it returns, or not at all if it fails. It is not sent again once it may
        have run.

        Args:
            key: ``(namespace, set, primary_key)``. The record need not exist.
            module: the module's name, without ``.lua``.
            function: the function's name.
            args: a list of the other arguments: what bins can hold.
            policy: apply policy: timeouts, ``expressions``, ``ttl``, ``key``, ``commit_level``,
                ``durable_delete``.

        Returns:
            What the function returns; None for values that only Lua has, such as tables.

        Raises:
            UDFError: the function failed, or took too long or too much memory; the message has its text. The
                record is unchanged.
            ParamError: an argument is invalid.

        Example:
            >>> client.apply(("test", "users", 1), "visits", "visit", [2])
            9
        """
        result: Any = self._core.apply(None, key, module, function, args, policy)
        return result

    def batch_apply(
        self,
        keys: Keys,
        module: str,
        function: str,
        args: Sequence[Any] = (),
        policy_batch: BatchPolicy | None = None,
        policy_batch_apply: BatchApplyPolicy | None = None,
    ) -> BatchRecords:
        """Applies a user-defined function to many records.

        Args:
            keys: ``(namespace, set, primary_key)`` tuples, or :class:`~aerospike_py.Keys`.
            module: the module's name, without ``.lua``.
            function: the function's name.
            args: a list of the function's other arguments.
            policy_batch: batch policy. A row that may have been applied is not retried.
            policy_batch_apply: policy of the rows: ``expressions``, ``ttl``, ``key``, ``commit_level``,
                ``durable_delete``.

        Returns:
            :class:`~aerospike_py.BatchRecords`, one row per key, each with what the function returned under
            ``"SUCCESS"`` in its record's bins. The result of a row whose function failed is 100.

        Example:
            >>> rows = client.batch_apply([("test", "users", 1)], "visits", "visit", [1])
            >>> rows.batch_records[0].record.bins
            {'SUCCESS': 8}
        """
        result: BatchRecords = self._core.batch_apply(
            None, keys, module, function, args, policy_batch, policy_batch_apply
        )
        return result


class AsyncFunctionCommands:
    """User-defined functions, for ``AsyncClient``."""

    _core: _native.Core

    async def udf_put(
        self, filename: str | os.PathLike[str], udf_type: int = 0, policy: InfoPolicy | None = None
    ) -> int:
        """Like :meth:`Client.udf_put`, awaited.

        Example:
            >>> await client.udf_put("visits.lua")
            0
        """
        result: int = await call(self._core.udf_put, *read_module(filename), udf_type, policy)
        return result

    async def udf_list(self, policy: InfoPolicy | None = None) -> list[dict[str, Any]]:
        """Like :meth:`Client.udf_list`, awaited.

        Example:
            >>> [module["name"] for module in await client.udf_list()]
            ['visits.lua']
        """
        result: list[dict[str, Any]] = await call(self._core.udf_list, policy)
        return result

    async def udf_get(self, module: str, language: int = 0, policy: InfoPolicy | None = None) -> str:
        """Like :meth:`Client.udf_get`, awaited.

        Example:
            >>> (await client.udf_get("visits.lua")).splitlines()[0]
            'function visit(rec, by)'
        """
        result: str = await call(self._core.udf_get, module, language, policy)
        return result

    async def udf_remove(self, filename: str, policy: InfoPolicy | None = None) -> int:
        """Like :meth:`Client.udf_remove`, awaited.

        Example:
            >>> await client.udf_remove("visits.lua")
            0
        """
        result: int = await call(self._core.udf_remove, filename, policy)
        return result

    async def apply(
        self,
        key: KeyLike,
        module: str,
        function: str,
        args: Sequence[Any] = (),
        policy: ApplyPolicy | None = None,
    ) -> Any:
        """Like :meth:`Client.apply`, awaited.

        Example:
            >>> await client.apply(("test", "users", 1), "visits", "visit", [2])
            9
        """
        result: Any = await call(self._core.apply, key, module, function, args, policy)
        return result

    async def batch_apply(
        self,
        keys: Keys,
        module: str,
        function: str,
        args: Sequence[Any] = (),
        policy_batch: BatchPolicy | None = None,
        policy_batch_apply: BatchApplyPolicy | None = None,
    ) -> BatchRecords:
        """Like :meth:`Client.batch_apply`, awaited.

        Example:
            >>> rows = await client.batch_apply([("test", "users", 1)], "visits", "visit", [1])
            >>> rows.batch_records[0].record.bins
            {'SUCCESS': 8}
        """
        result: BatchRecords = await call(
            self._core.batch_apply, keys, module, function, args, policy_batch, policy_batch_apply
        )
        return result
