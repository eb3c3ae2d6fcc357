"""What both clients share: the core, the state of the cluster, and how clients show themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from .. import _native
from .._utils.log import watcher
from .._utils.warnings import warn
from ..exception import ClosedError, _with_official_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._operation import Expression
    from .._types import PrimaryKey
    from ..cdt_ctx import _cdt_ctx
    from ..stats import ClusterStats
    from ..types import ClientConfig

_PARTITIONS = 4096


class ClientBase:
    """The base of ``Client`` and ``AsyncClient``: methods that send nothing, and so are never awaited."""

    def __init__(self, config: ClientConfig) -> None:
        self._core = _native.Core(config)
        watcher.add(self._core)

    def is_connected(self) -> bool:
        """Whether the client is connected and sees at least one node. False before the first command.

        Example:
            >>> client.is_connected()
            True
        """
        return self._core.is_connected()

    def get_node_names(self) -> list[str]:
        """The names of the cluster's nodes. A :class:`Client` that was never connected connects first.

        Raises:
            ClientError: the client is closed, or is an :class:`AsyncClient` that was never connected.

        Example:
            >>> client.get_node_names()
            ['D1']
        """
        return self._core.get_node_names()

    def get_key_partition_id(self, ns: str, set: str | None, key: PrimaryKey) -> int:
        """The number of a key's partition, 0 to 4095. Nothing is sent to the cluster.

        Args:
            ns: the namespace; the partition does not depend on it.
            set: the set, or None.
            key: the primary key.

        Raises:
            ParamError: an argument has the wrong type.

        Example:
            >>> client.get_key_partition_id("test", "users", 1)
            313
        """
        return int.from_bytes(_native.calc_digest(ns, set, key)[:2], "little") % _PARTITIONS

    def get_expression_base64(self, expression: Expression) -> str:
        """The base64 of an expression, as info commands and the policies of other clients take it.

        Args:
            expression: an expression of :mod:`aerospike_py.expressions`, compiled or not.

        Raises:
            ParamError: it is not an expression, or the server could not evaluate it.

        Example:
            >>> client.get_expression_base64(exp.Eq(exp.IntBin("a"), 1).compile())
            'kwGTUQKhYQE='
        """
        return _native.get_expression_base64(expression)

    def get_cdtctx_base64(self, ctx: Sequence[_cdt_ctx]) -> str:
        """The base64 of a context, as info commands that create indexes take it.

        Args:
            ctx: steps, made with :mod:`aerospike_py.cdt_ctx`.

        Raises:
            ParamError: it is not a context, or has no steps.

        Example:
            >>> client.get_cdtctx_base64([aerospike_py.cdt_ctx.cdt_ctx_map_key("k")])
            'kiKiA2s='
        """
        return _native.get_context_base64(ctx)

    def stats(self) -> ClusterStats:
        """The state of the nodes and their connections, with counts of retries and hedged requests.

        Raises:
            ClientError: the client was not connected yet, or is closed.

        Example:
            >>> [(node.name, node.conns.in_use) for node in client.stats().nodes if not node.suspect]
            [('D1', 0)]
        """
        return self._core.stats()

    def get_stats(self) -> ClusterStats:
        """The same as :meth:`stats`, by the official client's name.

        Example:
            >>> len(client.get_stats().nodes)
            1
        """
        return self.stats()

    def get_nodes(self) -> list[tuple[str, int]]:
        """The address and port of each node, sorted by the nodes' names.

        Raises:
            ClientError: the client was not connected yet, or is closed.

        Example:
            >>> len(client.get_nodes())
            1
        """
        try:
            nodes = self.stats().nodes
        except ClosedError as error:
            raise _with_official_text(error, "No connection to aerospike cluster") from None
        return [(node.address, node.port) for node in nodes]

    def shm_key(self) -> None:
        """Returns None, with a warning: clients share no memory, each process checks the cluster by itself.

        Example:
            >>> import warnings
            >>> with warnings.catch_warnings():
            ...     warnings.simplefilter("ignore")
            ...     client.shm_key()
        """
        warn("shm_key is always None: clients share no memory; remove shm from the config", RuntimeWarning)

    def __reduce__(self) -> NoReturn:
        # Neither pickled nor copied: connections cannot go to another process.
        raise TypeError(
            f"{type(self).__name__} cannot be pickled or copied: its connections belong to this process; "
            "pass the config to the worker and connect there"
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._core.describe()}>"

    def _repr_html_(self) -> str | None:
        """A table of the nodes. Without any, notebooks show the ``repr``."""
        from .._export.html import ROWS, objects

        nodes = self._core.stats().nodes if self._core.is_connected() else []
        if not nodes:
            return None
        rows = [
            {
                "node": node.name,
                "address": f"{node.address}:{node.port}",
                "connections in use": node.conns.in_use,
                "idle": node.conns.in_pool,
                "state": "avoided" if node.suspect or node.circuit_open else "ok",
            }
            for node in nodes[:ROWS]
        ]
        return objects(repr(self)[1:-1], list(rows[0]), rows, len(nodes))
