"""The embedded node's process, its orders and what it prints."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import tempfile
import threading
from typing import IO, cast

_ORDER_TIMEOUT = 30.0
_STOP_TIMEOUT = 5.0


class Process:
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

    def order(self, order: str, told: str | None = None) -> str:
        """Give an order; return what was answered beside that it was obeyed.

        ``told`` is what the answer repeats of it, None for all.
        """
        told = order if told is None else told
        with self._one_order_at_a_time:
            try:
                self._stdin.write(f"{order}\n")
                self._stdin.flush()
            except (OSError, ValueError):
                raise RuntimeError(self._why_it_ended()) from None
            answer = self.read_line(_ORDER_TIMEOUT)
        if answer != f"ok {told}" and not answer.startswith(f"ok {told} "):
            raise RuntimeError(answer.removeprefix("error "))
        return answer.removeprefix(f"ok {told}").strip()

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
