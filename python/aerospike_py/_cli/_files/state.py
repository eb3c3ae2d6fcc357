"""The state of a run that can be stopped at any moment, in a small JSON file.

A state is replaced, never changed: a process that is killed leaves the old one or the new one. What it says
about other files is on the disk before it is.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from ..output import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Version of the layout of state files.
_LAYOUT = 1
#: Seconds between two states. What was done since the last one is done again after a kill.
INTERVAL = 1.0


class StateFile:
    """The state of one run: what it was started with, and how far it has come.

    ``anew`` is the option that begins anew, for messages.
    """

    def __init__(self, path: str, run: dict[str, Any], anew: str) -> None:
        self.path = path
        self._anew = anew
        #: The arguments that a later run must share to go on.
        self._run = json.loads(json.dumps(run))
        self._written = 0.0

    def read(self) -> dict[str, Any] | None:
        """How far the run has come; None if there is no state.

        Raises:
            Failure: the file is no state, or is that of a run with other arguments.
        """
        try:
            with open(self.path, encoding="utf-8") as file:
                found = json.load(file)
            is_known = found["layout"] == _LAYOUT and isinstance(found["progress"], dict)
            run = found["run"]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Failure(
                f"cannot read the state {self.path}: {error!r}; begin anew with {self._anew}"
            ) from None
        if not is_known:
            raise Failure(f"{self.path} is the state of another version; begin anew with {self._anew}")
        for name, value in self._run.items():
            if run.get(name) != value:
                raise Failure(
                    f"{self.path} is the state of a run {_argument(name, run.get(name))}, not "
                    f"{_argument(name, value)}; pass the same arguments to go on with it, or begin anew with "
                    f"{self._anew}"
                )
        progress: dict[str, Any] = found["progress"]
        return progress

    def exists(self) -> bool:
        return os.path.exists(self.path)

    def is_due(self) -> bool:
        """Whether the last state is old enough for a new one."""
        return time.monotonic() - self._written >= INTERVAL

    def write(self, progress: dict[str, Any]) -> None:
        """Replaces the state."""
        text = json.dumps({"layout": _LAYOUT, "run": self._run, "progress": progress})
        with replacing(self.path) as path, open(path, "w", encoding="utf-8") as file:
            file.write(text)
            sync(file)
        self._written = time.monotonic()

    def remove(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.path)


def _argument(name: str, value: Any) -> str:
    """An argument of a run as a user gave it."""
    if name == "file":
        path, size, changed = value
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(changed / 1e9))
        return f"with the file {path} of {size:,} bytes, changed {when}"
    if name in ("command", "namespace", "set"):
        return f"with the {name} {value!r}"
    if not value:
        return f"without --{name}"
    if name == "column":
        return "with " + " ".join(f"--column {column}={kind}" for column, kind in value)
    return f"with --{name} {','.join(value) if isinstance(value, list) else value}"


@contextlib.contextmanager
def replacing(path: str) -> Iterator[str]:
    """A name to write a file under, which then takes the place of ``path`` in one step."""
    new = f"{path}.new"
    try:
        yield new
        os.replace(new, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.remove(new)
        raise
    sync_folder(path)


def sync(file: Any) -> None:
    """Brings what was written to a file to the disk."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(path: str) -> None:
    """Brings the names in a file's folder to the disk, where the system can."""
    with contextlib.suppress(OSError):
        folder = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextlib.contextmanager
def only_one(path: str) -> Iterator[None]:
    """Refuses a second run on the same files while the first one runs.

    Raises:
        Failure: another process has them.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    name = f"{path}.lock"
    with open(name, "w", encoding="utf-8") as file:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Failure(f"another process works on {path}") from None
        try:
            yield
        finally:
            os.remove(name)


@contextlib.contextmanager
def stopping() -> Iterator[None]:
    """Says after Ctrl-C how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        print("aerospike-py: stopped; the same command with --resume goes on", file=sys.stderr)
        raise


def status_as_json(status: dict[Any, Any]) -> dict[str, Any]:
    """The position of a query (``get_partitions_status()``) as JSON holds it."""
    partitions = [
        [number, init, retry, bytes(digest).hex(), bval]
        for number, init, retry, digest, bval in (
            value for key, value in status.items() if isinstance(key, int)
        )
    ]
    return {"done": status["done"], "retry": status["retry"], "partitions": partitions}


def status_from_json(found: dict[str, Any]) -> dict[Any, Any]:
    """The position that :func:`status_as_json` was given."""
    partitions = {
        number: (number, init, retry, bytearray.fromhex(digest), bval)
        for number, init, retry, digest, bval in found["partitions"]
    }
    return {"done": found["done"], "retry": found["retry"], **partitions}
