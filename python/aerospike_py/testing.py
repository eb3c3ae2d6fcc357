"""An embedded server for tests and experiments.

>>> from aerospike_py.testing import DevServer
>>> with DevServer() as server:
...     client = aerospike_py.client(server.config).connect()
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ._devserver import launch
from ._devserver.arguments import milliseconds, tls_options, u32, user_command
from ._devserver.process import Process

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import TracebackType
    from typing import TypeAlias

    from typing_extensions import Self

    from .types import ClientConfig

    Users: TypeAlias = Mapping[str, str | tuple[str, Sequence[str]]]

__all__ = ["DevServer"]

_START_TIMEOUT = 60.0

_FAULTS = (
    "close",
    "close-mid-frame",
    "late",
    "silent",
    "garbage",
    "wrong-row-index",
    "row-twice",
    "huge-frame",
    "code",
    "row-code",
)
_COMMANDS = ("batch", "query", "read", "write", "info")


class DevServer:
    """An embedded server of one or more nodes, in a separate process on free ports. Use it as a context
    manager.

    Nodes are numbered from 0. The process ends when this one does, for whatever reason. Nodes keep records in
    memory: when a node is killed, records without a replica on another node are lost.

    ``nodes``
        Number of nodes, 1 by default.
    ``namespaces``
        Names of the namespaces, ``test`` and ``bar`` by default.
    ``host``
        Address to listen on, 127.0.0.1 by default.
    ``replication_factor``
        Number of nodes that hold each record: by default 2, or 1 for a single node.
    ``failure_detection``
        Seconds until the other nodes notice that a node is dead or hung, about 1.5 in a real cluster. None: a
        killed node leaves the cluster at once, and a paused one never does.
    ``racks``
        The rack number of each node. Replicas of a record are on different racks.
    ``strong_consistency``
        If all nodes of a record are dead, the record is unavailable until one of them restarts.
    ``tls``
        Accept only TLS: ``{"cert": ..., "key": ..., "name": ...}`` are PEM files with the certificate of all
        nodes and its key, and the name in the certificate. With ``"ca"``, a PEM file of authorities, clients
        need a certificate, too. ``config`` has the name, but not the authorities that the client must trust.
    ``users``
        Users and passwords, ``{"ann": "secret"}``, or with roles ``{"ann": ("secret", ["read"])}``. The
        default role is ``read-write``. With users, every client must log in. Passwords are passed through the
        standard input of the process.
    ``external_users``
        The same, for users with external authentication (``AUTH_EXTERNAL_INSECURE``).
    ``session_ttl``
        Seconds until a login expires; one day by default.
    ``options``
        More arguments of ``python -m aerospike_py.devserver``; ``--help`` lists them.

    Example:
        >>> with DevServer(nodes=2) as server, aerospike_py.client(server.config) as client:
        ...     server.pause(1)
        ...     client.batch_read([("test", "users", number) for number in range(100)]).result
        0
    """

    def __init__(
        self,
        nodes: int = 1,
        namespaces: Sequence[str] = ("test", "bar"),
        host: str = "127.0.0.1",
        *,
        replication_factor: int | None = None,
        failure_detection: float | None = None,
        racks: Iterable[int] | None = None,
        strong_consistency: bool = False,
        tls: Mapping[str, str | os.PathLike[str]] | None = None,
        users: Users | None = None,
        external_users: Users | None = None,
        session_ttl: int | None = None,
        options: Sequence[str] = (),
        _command: Sequence[str] | None = None,
    ) -> None:
        if isinstance(namespaces, str):
            raise TypeError(f"namespaces is the string {namespaces!r}; it must be a sequence of names")
        if not isinstance(nodes, int):
            raise TypeError(f"nodes is {nodes!r} ({type(nodes).__name__}); it must be an int")
        if nodes < 1:
            raise ValueError(f"nodes is {nodes}; it must be at least 1")
        command = launch.command() if _command is None else list(_command)
        command += ["--port", "0", "--nodes", str(nodes), "--host", host, "--exit-with-stdin"]
        for namespace in namespaces:
            command += ["--namespace", namespace]
        if replication_factor is not None:
            if not 1 <= replication_factor <= nodes:
                raise ValueError(
                    f"replication_factor is {replication_factor}; it must be from 1 to nodes ({nodes})"
                )
            command += ["--replication-factor", str(replication_factor)]
        if failure_detection is not None:
            command += ["--failure-detection", str(milliseconds("failure_detection", failure_detection))]
        if racks is not None:
            racks = [u32("a rack", rack) for rack in racks]
            if len(racks) != nodes:
                raise ValueError(f"racks has {len(racks)} numbers; it must have {nodes}, one per node")
            command += ["--racks", ",".join(map(str, racks))]
        if strong_consistency:
            command.append("--strong-consistency")
        if tls is not None:
            command += tls_options(tls)
        self._users = [
            *(user_command(name, user) for name, user in (users or {}).items()),
            *(f"{user_command(name, user)} external" for name, user in (external_users or {}).items()),
        ]
        if users is not None or external_users is not None:
            command.append("--security")
        if session_ttl is not None:
            command += ["--session-ttl", str(u32("session_ttl", session_ttl))]
        self._command = [*command, *options]
        self._nodes = nodes
        self._tls_name = None if tls is None else os.fspath(tls["name"])
        self._running: Process | None = None
        self._hosts: list[tuple[str, int]] = []

    def start(self) -> Self:
        """Starts the process and waits until every node listens.

        Returns:
            The server itself.

        Raises:
            RuntimeError: the server is already running, or the process failed to start.

        Example:
            >>> server = DevServer().start()
            >>> server.stop()
        """
        if self._running is not None:
            raise RuntimeError("the server is already running")
        process = Process(self._command)
        try:
            hosts = []
            for _ in range(self._nodes):
                line = process.read_line(_START_TIMEOUT)
                _, found, address = line.partition("listening on ")
                host, _, port = address.rpartition(":")
                if not found or not port.isdigit():
                    raise RuntimeError(f"the server process printed {line!r} instead of its address")
                hosts.append((host.strip("[]"), int(port)))
            for command in self._users:
                process.control(command, echo="user")
        except BaseException:
            process.stop()
            raise
        self._hosts, self._running = hosts, process
        return self

    def stop(self) -> None:
        """Stops the process. All records are lost. Stopping again does nothing.

        Example:
            >>> with DevServer() as server:
            ...     server.stop()
            >>> server
            <DevServer, not running>
        """
        process, self._running = self._running, None
        # In a forked child the server belongs to the parent, as does the lock that its reader holds.
        if process is not None and process.owner == os.getpid():
            process.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def hosts(self) -> list[tuple[str, int]]:
        """Host and port of each node, dead ones included.

        Example:
            >>> len(server.hosts)
            3
        """
        if self._running is None:
            self._process()
        return list(self._hosts)

    @property
    def config(self) -> ClientConfig:
        """The config of a client of this server, for ``aerospike_py.client()`` and ``AsyncClient``.

        Example:
            >>> client = aerospike_py.client({**server.config, "tend_interval": 100}).connect()
            >>> client.close()
        """
        if self._tls_name is None:
            return {"hosts": self.hosts}
        return {"hosts": [(host, port, self._tls_name) for host, port in self.hosts]}

    def kill(self, node: int) -> None:
        """Kills a node: it stops listening, its connections are closed, and its records are lost.

        The other nodes take over its partitions when they notice (see ``failure_detection``).

        Args:
            node: number of the node.

        Example:
            >>> server.kill(2)
        """
        self._process().control(f"kill {node}")

    def restart(self, node: int) -> None:
        """Restarts a killed node on its old port. It gets its records from the other nodes.

        Args:
            node: number of the node.

        Example:
            >>> server.kill(2)
            >>> server.restart(2)
        """
        self._process().control(f"restart {node}")

    def pause(self, node: int) -> None:
        """Makes a node hang: it accepts connections, but does not answer.

        Args:
            node: number of the node.

        Example:
            >>> server.pause(2)
        """
        self._process().control(f"pause {node}")

    def refuse(self, node: int) -> None:
        """Makes a node refuse new connections. It keeps serving its open ones.

        Args:
            node: number of the node.

        Example:
            >>> server.refuse(2)
        """
        self._process().control(f"refuse {node}")

    def resume(self, node: int) -> None:
        """Undoes :meth:`pause` and :meth:`refuse`. A paused node answers the commands it has received.

        Args:
            node: number of the node.

        Example:
            >>> server.pause(2)
            >>> server.resume(2)
        """
        self._process().control(f"resume {node}")

    def move_partitions(self, count: int) -> None:
        """Moves the masters of partitions to other live nodes.

        Args:
            count: number of partitions to move, of 4096.

        Example:
            >>> server.move_partitions(100)
        """
        self._process().control(f"move {count}")

    def inject(
        self,
        fault: str,
        node: int | None = None,
        *,
        command: str | None = None,
        times: int | None = None,
        seconds: float | None = None,
        code: int | None = None,
    ) -> None:
        """Makes commands fail, at one node or all nodes. The faults:

        ``"close"``
            The connection is closed before the answer.
        ``"close-mid-frame"``
            The connection is closed after about half of the answer.
        ``"late"``
            The answer comes after ``seconds``. Other connections are not delayed.
        ``"silent"``
            The command gets no answer; later commands on the connection do.
        ``"garbage"``
            The answer is not a frame.
        ``"wrong-row-index"``, ``"row-twice"``
            The first row of a batch has an index that is not in the batch, or is sent twice.
        ``"huge-frame"``
            The header announces a frame of 100 MiB, of which only the beginning is sent.
        ``"code"``
            The whole command fails with the result ``code``. A batch has no rows.
        ``"row-code"``
            Each row of a batch, each partition of a query, or the single record has the result ``code``.

        If several faults match a command, the first one whose ``times`` are not used up applies.

        Args:
            fault: name of the fault.
            node: number of the node, None for all nodes.
            command: the kind of command that fails: ``"batch"``, ``"query"``, ``"read"``, ``"write"`` or
                ``"info"``. None for every kind that can have the fault.
            times: how many commands fail on each node; None for all until :meth:`clear_faults`.
            seconds: delay for ``"late"``.
            code: result code for ``"code"`` and ``"row-code"``, 0 to 255.

        Raises:
            ValueError: an argument is invalid, missing, or does not belong to the fault.

        Example:
            >>> server.inject("close", command="write", times=1)
            >>> try:
            ...     client.put(("test", "users", 4), {"a": 1})
            ... except aerospike_py.ConnectionError as error:
            ...     print(error.in_doubt)
            True
        """
        if fault not in _FAULTS:
            raise ValueError(f"fault is {fault!r}; it must be one of {', '.join(_FAULTS)}")
        if command is not None and command not in _COMMANDS:
            raise ValueError(f"command is {command!r}; it must be one of {', '.join(_COMMANDS)}")
        if (seconds is not None) != (fault == "late"):
            raise ValueError(
                f"seconds is {seconds} for the fault {fault!r}; 'late' needs seconds, other faults take none"
            )
        if (code is not None) != (fault in ("code", "row-code")):
            raise ValueError(
                f"code is {code} for the fault {fault!r}; "
                "'code' and 'row-code' need a code, other faults take none"
            )
        words = ["fault", "all" if node is None else str(node), fault]
        if seconds is not None:
            words.append(str(milliseconds("seconds", seconds)))
        if code is not None:
            if not 0 <= code <= 255:
                raise ValueError(f"code is {code}; it must be a result code from 0 to 255")
            words.append(str(code))
        if command is not None:
            words.append(f"command={command}")
        if times is not None:
            if times < 1:
                raise ValueError(f"times is {times}; it must be at least 1, or None for all")
            words.append(f"times={times}")
        self._process().control(" ".join(words))

    def clear_faults(self, node: int | None = None) -> None:
        """Removes the faults of a node, or of all nodes.

        Args:
            node: number of the node, None for all nodes.

        Example:
            >>> server.inject("silent", 0)
            >>> server.clear_faults()
        """
        self._process().control(f"clear {'all' if node is None else node}")

    def counters(self, node: int) -> dict[str, int]:
        """Counts of what a node has received since the server started. Restarts of the node do not reset
        them.

        - ``connections``: accepted; ``connections_open``: open now.
        - ``batch_requests``, ``batch_rows``, ``queries``, ``reads`` and ``writes`` (of one record),
          ``info_requests``: received, answered or not.
        - ``query_records``: records sent as answers to queries.
        - ``faults``: commands with an injected fault.
        - ``logins``, ``logins_refused``, ``authentications`` (connections authenticated by session token).
        - ``passed_on``: rows and commands on one record for which another node was responsible.

        Args:
            node: number of the node.

        Returns:
            Counter name to number.

        Example:
            >>> before = [server.counters(node)["writes"] for node in range(3)]
            >>> client.put(("test", "users", 4), {"a": 1})
            0
            >>> sum(server.counters(node)["writes"] - before[node] for node in range(3))
            1
        """
        answer = self._process().control(f"counters {node}")
        pairs = (word.partition("=") for word in answer.split())
        return {name: int(value) for name, _, value in pairs}

    def set_user(self, name: str, password: str, roles: Sequence[str] = ("read-write",)) -> None:
        """Adds a user, or changes the password and roles of a user. The server must have been created with
        users.

        Existing sessions and connections keep their roles.

        Args:
            name: name of the user.
            password: the password.
            roles: roles of the server, ``read-write`` by default.

        Example:
            >>> with DevServer(users={"ann": "secret"}) as server:
            ...     server.set_user("bob", "also secret", ["read"])
        """
        self._process().control(user_command(name, (password, roles)), echo="user")

    def advance(self, seconds: int) -> None:
        """Moves the clock of the server ahead, so that records and sessions expire without waiting.

        Clients still report correct times to live: a record written with 600 seconds has 300 left after
        ``advance(300)``.

        Args:
            seconds: number of seconds to advance the clock by.

        Example:
            >>> client.put(("test", "users", 4), {"a": 1}, {"ttl": 60})
            0
            >>> server.advance(61)
            >>> client.exists(("test", "users", 4)).meta is None
            True
        """
        self._process().control(f"advance {seconds}")

    def __repr__(self) -> str:
        if self._running is None:
            return "<DevServer, not running>"
        return f"<DevServer at {', '.join(f'{host}:{port}' for host, port in self._hosts)}>"

    def _process(self) -> Process:
        if self._running is None:
            raise RuntimeError("the server is not running; use it in a with block, or call start()")
        if self._running.owner != os.getpid():
            raise RuntimeError(
                "the server was started before fork() and belongs to the parent process; "
                "start another one here"
            )
        return self._running
