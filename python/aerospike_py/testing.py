"""A node for tests and for trying things out.

>>> from aerospike_py.testing import DevServer
>>> with DevServer() as server:
...     client = aerospike_py.client(server.config).connect()
"""

from __future__ import annotations

import operator
import os
import sys
from typing import TYPE_CHECKING

from ._utils.process import Process

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
    """An embedded node, or a cluster of several, in a process of its own on free ports.

    Nodes are counted from 0. The process ends with this one, however that ends. What a node has in memory
    dies with it: records that no other node holds are gone when it is killed.

    ``replication_factor``
        On how many nodes each record lies: 2, or 1 for a single node.
    ``failure_detection``
        Seconds until the other nodes notice that one is dead or hung, about 1.5 in a real cluster. None: a
        killed node is out of the cluster at once, and a paused one never is.
    ``racks``
        The rack of each node; the replicas of a record lie on different ones.
    ``strong_consistency``
        A record all of whose nodes are dead is unavailable, and there again when one of them is.
    ``tls``
        Listen for TLS only: ``{"cert": ..., "key": ..., "name": ...}``, PEM files of the certificate of all
        nodes and its key, and the name in the certificate. With ``"ca"``, a PEM file of authorities, clients
        need a certificate, too. ``config`` has the hosts with that name, not what the client trusts.
    ``users``
        Who may log in: names and passwords, ``{"ann": "secret"}``, or with the server's roles
        ``{"ann": ("secret", ["read"])}``; without roles they may read and write. With users everybody has to
        log in. The passwords reach the process through its standard input, where nobody else sees them.
    ``external_users``
        The same for users that external authentication (``AUTH_EXTERNAL_INSECURE``) is for.
    ``session_ttl``
        Seconds that a login is good for, a day unless told otherwise.
    ``options``
        More arguments of ``python -m aerospike_py.devserver`` (``--help`` lists them).

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
            raise TypeError(f"namespaces is a sequence of names, not the string {namespaces!r}")
        if nodes < 1:
            raise ValueError(f"a cluster has at least one node, not {nodes}")
        command = [sys.executable, "-m", "aerospike_py.devserver"] if _command is None else list(_command)
        command += ["--port", "0", "--nodes", str(nodes), "--host", host, "--exit-with-stdin"]
        for namespace in namespaces:
            command += ["--namespace", namespace]
        if replication_factor is not None:
            if not 1 <= replication_factor <= nodes:
                raise ValueError(
                    f"replication_factor is 1 to the number of nodes ({nodes}), not {replication_factor}"
                )
            command += ["--replication-factor", str(replication_factor)]
        if failure_detection is not None:
            command += ["--failure-detection", str(_milliseconds("failure_detection", failure_detection))]
        if racks is not None:
            racks = [_not_negative("a rack", rack) for rack in racks]
            if len(racks) != nodes:
                raise ValueError(f"racks has one number for each of the {nodes} nodes, not {len(racks)}")
            command += ["--racks", ",".join(map(str, racks))]
        if strong_consistency:
            command.append("--strong-consistency")
        if tls is not None:
            command += _tls_options(tls)
        self._users = [
            *(_user_order(name, user) for name, user in (users or {}).items()),
            *(f"{_user_order(name, user)} external" for name, user in (external_users or {}).items()),
        ]
        if users is not None or external_users is not None:
            command.append("--security")
        if session_ttl is not None:
            command += ["--session-ttl", str(_not_negative("session_ttl", session_ttl))]
        self._command = [*command, *options]
        self._nodes = nodes
        self._tls_name = None if tls is None else os.fspath(tls["name"])
        self._running: Process | None = None
        self._hosts: list[tuple[str, int]] = []

    def start(self) -> Self:
        """Start the process and wait until every node listens.

        Example:
            >>> server = DevServer().start()
            >>> server.stop()
        """
        if self._running is not None:
            raise RuntimeError("the server is running already")
        process = Process(self._command)
        try:
            hosts = []
            for _ in range(self._nodes):
                line = process.read_line(_START_TIMEOUT)
                _, found, address = line.partition("listening on ")
                host, _, port = address.rpartition(":")
                if not found or not port.isdigit():
                    raise RuntimeError(f"the server's process printed {line!r} instead of its address")
                hosts.append((host.strip("[]"), int(port)))
            for order in self._users:
                process.order(order, echo="user")
        except BaseException:
            process.stop()
            raise
        self._hosts, self._running = hosts, process
        return self

    def stop(self) -> None:
        """Stop the process. All records are gone. Stopping twice is fine.

        Example:
            >>> with DevServer() as server:
            ...     server.stop()
            >>> server
            <DevServer, not running>
        """
        process, self._running = self._running, None
        # In a forked child the server is the parent's, and so is the reader's lock on the pipe.
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
        """Host and port of each node, dead ones too.

        Example:
            >>> len(server.hosts)
            3
        """
        if self._running is None:
            self._process()
        return list(self._hosts)

    @property
    def config(self) -> ClientConfig:
        """What ``client()`` takes.

        Example:
            >>> client = aerospike_py.client({**server.config, "tend_interval": 100}).connect()
            >>> client.close()
        """
        if self._tls_name is None:
            return {"hosts": self.hosts}
        return {"hosts": [(host, port, self._tls_name) for host, port in self.hosts]}

    def kill(self, node: int) -> None:
        """Kill a node: it listens no more, its connections are closed, what it had in memory is gone.

        The others take its partitions once they notice (see ``failure_detection``).

        Example:
            >>> server.kill(2)
        """
        self._process().order(f"kill {node}")

    def restart(self, node: int) -> None:
        """Start a killed node again on its old port; it gets its records from the others.

        Example:
            >>> server.kill(2)
            >>> server.restart(2)
        """
        self._process().order(f"restart {node}")

    def pause(self, node: int) -> None:
        """Make a node hang: it accepts connections and answers nothing.

        Example:
            >>> server.pause(2)
        """
        self._process().order(f"pause {node}")

    def refuse(self, node: int) -> None:
        """Make a node refuse new connections; those that are there are served.

        Example:
            >>> server.refuse(2)
        """
        self._process().order(f"refuse {node}")

    def resume(self, node: int) -> None:
        """End a pause, and that connections are refused: what was asked meanwhile is answered.

        Example:
            >>> server.pause(2)
            >>> server.resume(2)
        """
        self._process().order(f"resume {node}")

    def move_partitions(self, count: int) -> None:
        """Let so many of the 4096 partitions have another living node as their master.

        Example:
            >>> server.move_partitions(100)
        """
        self._process().order(f"move {count}")

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
        """Let something go wrong at a node, or at all of them.

        ``command`` is the kind of commands that it happens to, ``"batch"``, ``"query"``, ``"read"``,
        ``"write"`` or ``"info"``; None is all that the fault makes sense for. ``times`` is to how many of
        them on each node, None to all until ``clear_faults()``. Of several rules the first that matches and
        has times left hits. The faults:

        ``"close"``
            The connection is closed instead of an answer.
        ``"close-mid-frame"``
            About half of the answer's bytes come, then the connection is closed.
        ``"late"``
            The answer comes after ``seconds``. Other connections are not held up.
        ``"silent"``
            The command is never answered; the next ones on the connection are.
        ``"garbage"``
            Bytes come that are no frame.
        ``"wrong-row-index"``, ``"row-twice"``
            The first row of a batch is answered with an index that was not asked for, or twice.
        ``"huge-frame"``
            A frame of 100 MiB is announced, a little of it comes, then nothing any more.
        ``"code"``
            The whole command is answered with the result ``code``, a batch without any of its rows.
        ``"row-code"``
            Each row of a batch, each partition of a query, or the one record, is answered with the result
            ``code``.

        Example:
            >>> server.inject("close", command="write", times=1)
            >>> try:
            ...     client.put(("test", "users", 4), {"a": 1})
            ... except aerospike_py.ConnectionError as error:
            ...     print(error.in_doubt)
            True
        """
        if fault not in _FAULTS:
            raise ValueError(f"{fault!r} is no fault: {', '.join(_FAULTS)}")
        if command is not None and command not in _COMMANDS:
            raise ValueError(f"{command!r} is no kind of command: {', '.join(_COMMANDS)}")
        if (seconds is not None) != (fault == "late"):
            raise ValueError(f"seconds belongs to the fault 'late', and seconds is {seconds} for {fault!r}")
        if (code is not None) != (fault in ("code", "row-code")):
            raise ValueError(f"code belongs to the faults 'code' and 'row-code', and is {code} for {fault!r}")
        words = ["fault", "all" if node is None else str(node), fault]
        if seconds is not None:
            words.append(str(_milliseconds("seconds", seconds)))
        if code is not None:
            if not 0 <= code <= 255:
                raise ValueError(f"code is a result code from 0 to 255, not {code}")
            words.append(str(code))
        if command is not None:
            words.append(f"command={command}")
        if times is not None:
            if times < 1:
                raise ValueError(f"times is at least 1, or None for always, not {times}")
            words.append(f"times={times}")
        self._process().order(" ".join(words))

    def clear_faults(self, node: int | None = None) -> None:
        """Forget the faults of a node, or of all of them.

        Example:
            >>> server.inject("silent", 0)
            >>> server.clear_faults()
        """
        self._process().order(f"clear {'all' if node is None else node}")

    def counters(self, node: int) -> dict[str, int]:
        """What a node was asked until now, its times before a restart included.

        ``connections`` accepted and ``connections_open``, ``batch_requests`` and their ``batch_rows``,
        ``queries``, ``reads`` and ``writes`` of one record and ``info_requests`` count what it was sent,
        answered or not; ``query_records`` the records that it answered queries with;
        ``faults`` the commands that a fault hit; ``logins``, ``authentications`` (connections introduced by a
        session's token) and ``logins_refused`` what users did; ``passed_on`` rows and commands on one record
        that it was not the right node for.

        Example:
            >>> before = [server.counters(node)["writes"] for node in range(3)]
            >>> client.put(("test", "users", 4), {"a": 1})
            >>> sum(server.counters(node)["writes"] - before[node] for node in range(3))
            1
        """
        answer = self._process().order(f"counters {node}")
        pairs = (word.partition("=") for word in answer.split())
        return {name: int(value) for name, _, value in pairs}

    def set_user(self, name: str, password: str, roles: Sequence[str] = ("read-write",)) -> None:
        """Add a user, or change the password and roles of one, at a server that has users.

        Sessions and connections that there are stay as they are.

        Example:
            >>> with DevServer(users={"ann": "secret"}) as server:
            ...     server.set_user("bob", "also secret", ["read"])
        """
        self._process().order(_user_order(name, (password, roles)), echo="user")

    def advance(self, seconds: int) -> None:
        """Move the server's clock ahead, so that records and sessions expire without waiting.

        Example:
            >>> client.put(("test", "users", 4), {"a": 1}, {"ttl": 60})
            >>> server.advance(61)
            >>> client.exists(("test", "users", 4)).meta is None
            True
        """
        self._process().order(f"advance {seconds}")

    def __repr__(self) -> str:
        if self._running is None:
            return "<DevServer, not running>"
        return f"<DevServer at {', '.join(f'{host}:{port}' for host, port in self._hosts)}>"

    def _process(self) -> Process:
        if self._running is None:
            raise RuntimeError("the server is not running: use it in a with block, or call start()")
        if self._running.owner != os.getpid():
            raise RuntimeError("the server was started before fork() and belongs to the parent process")
        return self._running


def _user_order(name: str, user: str | tuple[str, Sequence[str]]) -> str:
    password, roles = (user, ("read-write",)) if isinstance(user, str) else user
    if isinstance(roles, str):
        raise TypeError(f"the roles of user {name!r} are a sequence of names, not the string {roles!r}")
    if not name or not password:
        raise ValueError(f"user {name!r} has no name or no password")
    if not roles or not all(role.replace("-", "").isalpha() for role in roles):
        raise ValueError(f"the roles of user {name!r} are names, not {list(roles)!r}")
    return f"user {name.encode().hex()} {password.encode().hex()} {','.join(roles)}"


def _milliseconds(name: str, seconds: float) -> int:
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"{name} is a number of seconds, 0 or more, not {seconds}")
    return round(seconds * 1000)


def _tls_options(tls: Mapping[str, str | os.PathLike[str]]) -> list[str]:
    unknown = tls.keys() - {"cert", "key", "name", "ca"}
    missing = {"cert", "key", "name"} - tls.keys()
    if unknown or missing:
        wrong = f"has no {sorted(missing)}" if missing else f"knows no {sorted(unknown)}"
        raise ValueError(f"tls {wrong}: it takes the keys cert, key, name and, for clients' certificates, ca")
    return [f"--tls-{key}={os.fspath(value)}" for key, value in tls.items()]


def _not_negative(name: str, number: int) -> int:
    if not 0 <= operator.index(number) < 2**32:
        raise ValueError(f"{name} is a number from 0 to 4294967295, not {number}")
    return operator.index(number)
