"""Info commands, and truncation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _native
from .._utils.describe import describe
from .._utils.event_loop import call
from ..exception import ParamError, ParamTypeError

if TYPE_CHECKING:
    from .._operation import Expression
    from ..exception import AerospikeError
    from ..types import InfoPolicy


def _xdr_filter_command(data_center: str, namespace: str, expression_filter: Expression | None) -> str:
    """The info command that sets the filter; None removes it."""
    for name, value in (("data_center", data_center), ("namespace", namespace)):
        if not isinstance(value, str):
            raise ParamTypeError(f"{name} is {describe(value)}; it must be a str")
        if not value or any(letter in value for letter in ";=:\n\t "):
            raise ParamError(f"{name} is {value!r}; it must be a name, without spaces and without ; : =")
    text = "null" if expression_filter is None else _native.get_expression_base64(expression_filter)
    return f"xdr-set-filter:dc={data_center};namespace={namespace};exp={text}"


class InfoCommands:
    """Info commands, for ``Client``."""

    _core: _native.Core

    def info_all(
        self, command: str, policy: InfoPolicy | None = None
    ) -> dict[str, tuple[AerospikeError | None, str | None]]:
        """Sends an info command to every node.

        Args:
            command: one command, such as ``"build"``.
            policy: info policy: ``timeout`` per node in milliseconds, 1000 by default.

        Returns:
            Node name to ``(error, answer)``, one of which is None. An answer is the command's value followed
            by a newline. An error of one node does not affect the others.

        Example:
            >>> client.info_all("build")
            {'D1': (None, '8.1.2.0\\n')}
        """
        answers: dict[str, tuple[AerospikeError | None, str | None]] = self._core.info_all(
            None, command, policy
        )
        return answers

    def info_single_node(self, command: str, host: str, policy: InfoPolicy | None = None) -> str:
        """Sends an info command to one node.

        Args:
            command: one command, such as ``"build"``.
            host: name of the node, one of :meth:`get_node_names`.
            policy: info policy: ``timeout`` in milliseconds.

        Returns:
            The answer as the server sent it: the command, a tab, its value and a newline.

        Raises:
            ServerError: the node answers with an error; ``InvalidRequest`` for an unknown command.
            UnknownNodeError: there is no such node. The message lists the nodes.

        Example:
            >>> client.info_single_node("build", client.get_node_names()[0])
            'build\\t8.1.2.0\\n'
        """
        answer: str = self._core.info_single_node(None, command, host, policy)
        return answer

    def info_random_node(self, command: str, policy: InfoPolicy | None = None) -> str:
        """Sends an info command to a random node. If that node fails, tries another.

        Args:
            command: one command, such as ``"build"``.
            policy: info policy: ``timeout`` in milliseconds.

        Returns:
            The answer as the server sent it: the command, a tab, its value and a newline.

        Raises:
            ServerError: the node answers with an error; ``InvalidRequest`` for an unknown command.

        Example:
            >>> client.info_random_node("namespaces")
            'namespaces\\ttest;bar\\n'
        """
        answer: str = self._core.info_random_node(None, command, policy)
        return answer

    def truncate(
        self, namespace: str, set: str | None, nanos: int = 0, policy: InfoPolicy | None = None
    ) -> int:
        """Removes all records of a set or namespace.

        The server may answer before it has removed the last record. Records written after the answer stay.

        Args:
            namespace: the namespace.
            set: the set, or None for the whole namespace.
            nanos: remove only records last written before this time, in nanoseconds since 1970-01-01 UTC.
                0 means now.
            policy: info policy: ``timeout`` in milliseconds.

        Example:
            >>> client.truncate("test", "users", 0)
            0
        """
        done: int = self._core.truncate(None, namespace, set, nanos, policy)
        return done

    def set_xdr_filter(
        self,
        data_center: str,
        namespace: str,
        expression_filter: Expression | None,
        policy: InfoPolicy | None = None,
    ) -> str:
        """Sets which records of a namespace are shipped to another data center.

        Sends the info command ``xdr-set-filter``. Servers of the Community Edition do not know it and answer
        with an error.

        Args:
            data_center: name of the data center.
            namespace: the namespace.
            expression_filter: an expression of :mod:`aerospike_py.expressions`; None removes the filter.
            policy: info policy: ``timeout`` in milliseconds.

        Returns:
            The answer as the server sent it.

        Raises:
            ServerError: the server's answer; ``InvalidRequest`` from the Community Edition.

        Example:
            >>> import contextlib
            >>> large = exp.GT(exp.IntBin("visits"), 5).compile()
            >>> with contextlib.suppress(aerospike_py.InvalidRequest):  # of the Community Edition
            ...     client.set_xdr_filter("dc1", "test", large)
        """
        return self.info_random_node(_xdr_filter_command(data_center, namespace, expression_filter), policy)


class AsyncInfoCommands:
    """Info commands, for ``AsyncClient``."""

    _core: _native.Core

    async def info_all(
        self, command: str, policy: InfoPolicy | None = None
    ) -> dict[str, tuple[AerospikeError | None, str | None]]:
        """Like :meth:`Client.info_all`, awaited.

        Example:
            >>> await client.info_all("build")
            {'D1': (None, '8.1.2.0\\n')}
        """
        answers: dict[str, tuple[AerospikeError | None, str | None]] = await call(
            self._core.info_all, command, policy
        )
        return answers

    async def info_single_node(self, command: str, host: str, policy: InfoPolicy | None = None) -> str:
        """Like :meth:`Client.info_single_node`, awaited.

        Example:
            >>> await client.info_single_node("build", client.get_node_names()[0])
            'build\\t8.1.2.0\\n'
        """
        answer: str = await call(self._core.info_single_node, command, host, policy)
        return answer

    async def info_random_node(self, command: str, policy: InfoPolicy | None = None) -> str:
        """Like :meth:`Client.info_random_node`, awaited.

        Example:
            >>> await client.info_random_node("namespaces")
            'namespaces\\ttest;bar\\n'
        """
        answer: str = await call(self._core.info_random_node, command, policy)
        return answer

    async def truncate(
        self, namespace: str, set: str | None, nanos: int = 0, policy: InfoPolicy | None = None
    ) -> int:
        """Like :meth:`Client.truncate`, awaited.

        Example:
            >>> await client.truncate("test", "users", 0)
            0
        """
        done: int = await call(self._core.truncate, namespace, set, nanos, policy)
        return done

    async def set_xdr_filter(
        self,
        data_center: str,
        namespace: str,
        expression_filter: Expression | None,
        policy: InfoPolicy | None = None,
    ) -> str:
        """Like :meth:`Client.set_xdr_filter`, awaited.

        Example:
            >>> import contextlib
            >>> with contextlib.suppress(aerospike_py.InvalidRequest):  # of the Community Edition
            ...     await client.set_xdr_filter("dc1", "test", None)
        """
        command = _xdr_filter_command(data_center, namespace, expression_filter)
        return await self.info_random_node(command, policy)
