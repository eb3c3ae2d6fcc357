"""The process of the embedded server. It reads control commands from its standard input, and prints
answers."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import tempfile
import threading
from typing import IO, cast

_CONTROL_TIMEOUT = 30.0
_STOP_TIMEOUT = 5.0


class Process:
    """A process that takes control commands, one per line."""

    def __init__(self, command: list[str]) -> None:
        # A file, not a pipe: a pipe that is not read would block the process.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed in stop())
        try:
            self._popen = subprocess.Popen(  # noqa: S603 (this interpreter, and arguments in a list)
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                text=True,
                # Ctrl-C must not reach the server: it ends when this process closes the pipe.
                start_new_session=True,
            )
        except BaseException:
            self._errors.close()
            raise
        self.owner = os.getpid()
        self._stdin = cast("IO[str]", self._popen.stdin)
        self._stdout = cast("IO[str]", self._popen.stdout)
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._control_lock = threading.Lock()
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
            raise RuntimeError(f"the server process printed nothing for {timeout:g} seconds") from None
        if line is None:
            # For the next call.
            self._lines.put(None)
            raise RuntimeError(self._end_message())
        return line

    def control(self, command: str, echo: str | None = None) -> str:
        """Sends a control command and waits until it is done.

        Args:
            command: the line to send.
            echo: the part of the command that the answer repeats; None for all of it.

        Returns:
            The rest of the answer.

        Raises:
            RuntimeError: the command failed, or the process has ended.
        """
        echo = command if echo is None else echo
        with self._control_lock:
            try:
                self._stdin.write(f"{command}\n")
                self._stdin.flush()
            except (OSError, ValueError):
                raise RuntimeError(self._end_message()) from None
            answer = self.read_line(_CONTROL_TIMEOUT)
        if answer != f"ok {echo}" and not answer.startswith(f"ok {echo} "):
            raise RuntimeError(answer.removeprefix("error "))
        return answer.removeprefix(f"ok {echo}").strip()

    def stop(self) -> None:
        with contextlib.suppress(OSError):  # the process may have ended with a command unread
            self._stdin.close()
        try:
            self._popen.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        self._reader.join()
        self._stdout.close()
        self._errors.close()

    def _end_message(self) -> str:
        try:
            code: int | str = self._popen.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            code = "none yet"
        self._errors.seek(0)
        errors = self._errors.read().decode(errors="replace").strip()
        return f"the server process has ended (exit code {code}): {errors or 'it printed no error'}"
