"""A node for tests and for trying things out.

>>> from aerospike_py.testing import DevServer
>>> with DevServer() as server:
...     client = aerospike_py.client(server.config).connect()
"""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import tempfile
import threading
from typing import IO, TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["DevServer"]

_START_TIMEOUT = 60.0
_ORDER_TIMEOUT = 30.0
_STOP_TIMEOUT = 5.0


class DevServer:
    """An embedded node, or a cluster of several, in a process of its own on free ports.

    ``options`` are more arguments of ``python -m aerospike_py.devserver`` (``--help`` lists them). Nodes
    are counted from 0. The process ends with this one, however that ends.
    """

    def __init__(
        self,
        nodes: int = 1,
        namespaces: Sequence[str] = ("test", "bar"),
        host: str = "127.0.0.1",
        *,
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
        self._command = [*command, *options]
        self._nodes = nodes
        self._running: _Process | None = None
        self._hosts: list[tuple[str, int]] = []

    def start(self) -> Self:
        """Start the process and wait until every node listens."""
        if self._running is not None:
            raise RuntimeError("the server is running already")
        process = _Process(self._command)
        try:
            hosts = []
            for _ in range(self._nodes):
                line = process.read_line(_START_TIMEOUT)
                _, found, address = line.partition("listening on ")
                host, _, port = address.rpartition(":")
                if not found or not port.isdigit():
                    raise RuntimeError(f"the server's process printed {line!r} instead of its address")
                hosts.append((host.strip("[]"), int(port)))
        except BaseException:
            process.stop()
            raise
        self._hosts, self._running = hosts, process
        return self

    def stop(self) -> None:
        """Stop the process. All records are gone. Stopping twice is fine."""
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
        """Host and port of each node, dead ones too."""
        if self._running is None:
            self._process()
        return list(self._hosts)

    @property
    def config(self) -> dict[str, Any]:
        """What ``client()`` takes."""
        return {"hosts": self.hosts}

    def kill(self, node: int) -> None:
        """Kill a node: it listens no more, its connections are closed, the others take its partitions."""
        self._process().order(f"kill {node}")

    def restart(self, node: int) -> None:
        """Start a killed node again, on its old port."""
        self._process().order(f"restart {node}")

    def pause(self, node: int) -> None:
        """Make a node hang: it accepts connections and answers nothing."""
        self._process().order(f"pause {node}")

    def resume(self, node: int) -> None:
        """End a pause: what was asked meanwhile is answered."""
        self._process().order(f"resume {node}")

    def advance(self, seconds: int) -> None:
        """Move the server's clock ahead, so that records expire without waiting."""
        self._process().order(f"advance {seconds}")

    def __repr__(self) -> str:
        if self._running is None:
            return "<DevServer, not running>"
        return f"<DevServer at {', '.join(f'{host}:{port}' for host, port in self._hosts)}>"

    def _process(self) -> _Process:
        if self._running is None:
            raise RuntimeError("the server is not running: use it in a with block, or call start()")
        if self._running.owner != os.getpid():
            raise RuntimeError("the server was started before fork() and belongs to the parent process")
        return self._running


class _Process:
    """The process, its orders and what it prints."""

    def __init__(self, command: list[str]) -> None:
        # A file, not a pipe: nobody has to read it for the process to go on.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as the process)
        try:
            self._popen = subprocess.Popen(  # noqa: S603 (this interpreter, and arguments in a list)
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                text=True,
                # Ctrl-C is for this process; the server ends when this process closes its pipe.
                start_new_session=True,
            )
        except BaseException:
            self._errors.close()
            raise
        self.owner = os.getpid()
        self._stdin = cast("IO[str]", self._popen.stdin)
        self._stdout = cast("IO[str]", self._popen.stdout)
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._one_order_at_a_time = threading.Lock()
        self._reader = threading.Thread(target=self._read, name="aerospike_py-devserver", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def read_line(self, timeout: float) -> str:
        try:
            line = self._lines.get(timeout=timeout)
        except queue.Empty:
            raise RuntimeError(f"the server's process has said nothing for {timeout:g} seconds") from None
        if line is None:
            # Whoever asks again learns the same.
            self._lines.put(None)
            raise RuntimeError(self._why_it_ended())
        return line

    def order(self, order: str) -> None:
        with self._one_order_at_a_time:
            try:
                self._stdin.write(f"{order}\n")
                self._stdin.flush()
            except (OSError, ValueError):
                raise RuntimeError(self._why_it_ended()) from None
            answer = self.read_line(_ORDER_TIMEOUT)
        if answer != f"ok {order}":
            raise RuntimeError(answer.removeprefix("error "))

    def stop(self) -> None:
        with contextlib.suppress(OSError):  # It may be gone already, with an order unread.
            self._stdin.close()
        try:
            self._popen.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        self._reader.join()
        self._stdout.close()
        self._errors.close()

    def _why_it_ended(self) -> str:
        try:
            code: int | str = self._popen.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            code = "none yet"
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip()
        return f"the server's process has ended (exit code {code}): {said or 'it printed no error'}"
