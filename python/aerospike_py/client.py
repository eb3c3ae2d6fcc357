"""The synchronous client."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

from ._commands.admin import AdminCommands
from ._commands.batch_read import BatchReadCommands
from ._commands.batch_read_arrow import BatchReadArrowCommands
from ._commands.batch_write import BatchWriteCommands
from ._commands.functions import FunctionCommands
from ._commands.indexes import IndexCommands
from ._commands.infer import InferCommands
from ._commands.info import InfoCommands
from ._commands.metrics import MetricsCommands
from ._commands.operate import OperateCommands
from ._commands.query import QueryCommands
from ._commands.read_matrix import ReadMatrixCommands
from ._commands.records import RecordCommands
from ._commands.transactions import TransactionCommands
from ._commands.unsupported import UnsupportedCommands
from ._utils.log import watcher
from ._wrong_calls import explains_wrong_calls, methods_explain_wrong_calls, methods_name_their_class

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from .types import ClientConfig


@partial(explains_wrong_calls, official="No config argument")
def client(config: ClientConfig) -> Client:
    """Creates a client. It connects when :meth:`Client.connect` is called, or at its first command.

    Args:
        config: ``{"hosts": [("127.0.0.1", 3000)], ...}``, with the official client's keys.

    Returns:
        The client. Call :meth:`Client.connect` to find out at once whether the cluster can be reached.

    Raises:
        ParamError: the config has an unknown key or an invalid value.

    Example:
        >>> import aerospike_py as aerospike
        >>> client = aerospike.client({"hosts": [("127.0.0.1", 3000)]}).connect()
    """
    return Client(config)


@methods_explain_wrong_calls
@methods_name_their_class
class Client(
    MetricsCommands,
    RecordCommands,
    OperateCommands,
    BatchReadCommands,
    BatchReadArrowCommands,
    ReadMatrixCommands,
    BatchWriteCommands,
    QueryCommands,
    IndexCommands,
    FunctionCommands,
    InfoCommands,
    AdminCommands,
    InferCommands,
    TransactionCommands,
    UnsupportedCommands,
):
    """A client whose calls block until the answer has arrived. They release the GIL while they wait.

    Threads may share a client. As a context manager, it connects on entry and closes on exit. A client that
    was never connected connects at its first command. That command can also raise the errors of
    :meth:`connect`; its own timeouts begin once the client is connected.

    Example:
        >>> with aerospike_py.client({"hosts": [("127.0.0.1", 3000)]}) as client:
        ...     client.exists(("test", "users", 1)).meta["gen"]
        1
    """

    def connect(self, username: str | None = None, password: str | None = None) -> Self:
        """Connects to the cluster. If it is not called, the client's first command connects.

        Args:
            username: user to log in as, instead of the config's ``user``.
            password: the user's password, instead of the config's ``password``.

        Returns:
            The client itself.

        Raises:
            AdminError: a node refuses the user. The class gives the reason (``InvalidCredential``,
                ``ExpiredPassword``, ``InvalidUser`` ...); the message names the user and the node.
            ConnectionError: no host could be reached. The message has each address and its error.
            ClientError: the hosts answer, but do not belong to the configured cluster.

        Example:
            >>> client = aerospike_py.client({"hosts": [("127.0.0.1", 3000)]}).connect()
        """
        self._core.connect(None, username, password)
        watcher.start()
        self._resume_reports()
        return self

    def get_node_names(self) -> list[str]:
        """The names of the cluster's nodes. A client that was never connected connects first.

        Raises:
            ClientError: the client is closed.

        Example:
            >>> client.get_node_names()
            ['D1']
        """
        if self._core.is_new():
            self._core.ensure_connected(None)
        return super().get_node_names()

    def close(self) -> None:
        """Closes all connections. Later calls raise ``ClientError``, until :meth:`connect` connects again;
        closing again does nothing.

        Example:
            >>> client.close()
            >>> client.is_connected()
            False
        """
        self._stop_reports()
        self._core.close()

    def __enter__(self) -> Self:
        return self if self.is_connected() else self.connect()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> Literal[False]:
        self.close()
        return False
