"""The synchronous client."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from . import _native
from ._commands.batch_read import BatchReads
from ._commands.batch_write import BatchWrites
from ._commands.infer import Inference
from ._commands.info import Info
from ._commands.not_yet import NotYet
from ._commands.operate import Operations
from ._commands.query import Queries
from ._commands.records import Records

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from .stats import ClusterStats
    from .types import ClientConfig


def refuse_pickle(client: object) -> NoReturn:
    """Connections cannot go to another process, so clients are neither pickled nor copied."""
    raise TypeError(
        f"{type(client).__name__} cannot be pickled or copied: its connections belong to this process; "
        "pass the config to the worker and connect there"
    )


def client(config: ClientConfig) -> Client:
    """Makes a client that is not connected yet.

    Args:
        config: ``{"hosts": [("127.0.0.1", 3000)], ...}`` with the official client's key names.

    Raises:
        ParamError: a key is unknown, or a value is not what it must be.

    Example:
        >>> import aerospike_py as aerospike
        >>> client = aerospike.client({"hosts": [("127.0.0.1", 3000)]}).connect()
    """
    return Client(config)


class Client(Records, Operations, BatchReads, BatchWrites, Queries, Info, Inference, NotYet):
    """A client whose calls wait for their answers, with the GIL released.

    May be used from many threads. A context manager: entering it connects, leaving it closes the
    connections.

    Example:
        >>> with aerospike_py.client({"hosts": [("127.0.0.1", 3000)]}) as client:
        ...     client.exists(("test", "users", 1)).meta["gen"]
        1
    """

    def __init__(self, config: ClientConfig) -> None:
        self._core = _native.Core(config)

    def connect(self, username: str | None = None, password: str | None = None) -> Self:
        """Connects and returns the client itself.

        Args:
            username: who logs in, instead of the config's ``user``.
            password: instead of the config's ``password``.

        Raises:
            AdminError: a node refuses the user; the class says why (``InvalidCredential``,
                ``ExpiredPassword``, ``InvalidUser`` ...), the message who and where.
            ConnectionError: no host could be reached; the message names each address and why.
            ClientError: the hosts answer, but not as this cluster.

        Example:
            >>> client = aerospike_py.client({"hosts": [("127.0.0.1", 3000)]}).connect()
        """
        self._core.connect(None, username, password)
        return self

    def close(self) -> None:
        """Closes all connections. Calls after it raise ``ClientError``; closing twice is fine.

        Example:
            >>> client.close()
            >>> client.is_connected()
            False
        """
        self._core.close()

    def is_connected(self) -> bool:
        """Whether the client is connected and sees at least one node.

        Example:
            >>> client.is_connected()
            True
        """
        return self._core.is_connected()

    def get_node_names(self) -> list[str]:
        """The names of the cluster's nodes.

        Example:
            >>> client.get_node_names()
            ['D1']
        """
        return self._core.get_node_names()

    def stats(self) -> ClusterStats:
        """The state of nodes and connections, with counts of retries and hedges.

        Example:
            >>> [(node.name, node.conns.in_use) for node in client.stats().nodes if not node.suspect]
            [('D1', 0)]
        """
        return self._core.stats()

    def __enter__(self) -> Self:
        return self if self.is_connected() else self.connect()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        refuse_pickle(self)

    def __repr__(self) -> str:
        return f"<Client {self._core.describe()}>"
