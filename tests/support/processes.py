"""Python processes that a test starts and watches: they may hang, crash or receive signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aerospike_py.testing import DevServer

PRELUDE = """
import asyncio, atexit, gc, os, signal, sys, threading, time, warnings
# From CPython 3.12 on, forking a process with threads warns; many of these programs do it on purpose.
warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
import numpy as np
import aerospike_py as aerospike
from aerospike_py import AsyncClient
config = {config!r}
keys = [("test", "s", number) for number in range(3000)]
dtype = np.dtype([("i", "i8")])
"""


def start(body: str, server: DevServer, before: str = "") -> subprocess.Popen[str]:
    """Starts a Python process that runs `body` with `config`, `keys` and `dtype` defined.

    `before` runs before the package is imported.
    """
    code = textwrap.dedent(before) + PRELUDE.format(config=server.config) + textwrap.dedent(body)
    return subprocess.Popen(
        [sys.executable, "-u", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A group of its own: see end_of.
        start_new_session=True,
    )


def pause_when_connected(process: subprocess.Popen[str], server: DevServer) -> None:
    """Waits until the process has connected, pauses the node, and lets the process continue."""
    assert process.stdout is not None
    assert process.stdin is not None
    line = process.stdout.readline()
    assert line == "connected\n", line or process.communicate()[1]
    server.pause(0)
    process.stdin.write("go on\n")
    process.stdin.flush()


def end_of(process: subprocess.Popen[str], seconds: float = 75) -> tuple[int, str, str]:
    """Waits for the end of a process; returns its exit code, output and errors.

    If it does not end in time, kills it with its children and fails.
    """
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        if hasattr(os, "killpg") and os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"not ended after {seconds} s; stdout: {out!r}; stderr: {err!r}") from None
    return process.returncode, out, err
