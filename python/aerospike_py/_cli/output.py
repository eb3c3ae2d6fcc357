"""Output of commands: JSON, cells of tables, progress."""

from __future__ import annotations

import codecs
import contextlib
import json
import math
import sys
from typing import TYPE_CHECKING, Any, TextIO

from .._utils.table import printable, shorten
from ..values import GeoJSON

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from typing_extensions import Self

_BAR = 30
_ESCAPE = "aerospike_py.escape"


class Failure(Exception):  # noqa: N818 (not a fault of the program)
    """A command cannot go on; its text is the message for the user."""


@contextlib.contextmanager
def escaped_output() -> Iterator[TextIO]:
    """Standard output that escapes characters its encoding lacks, and says so on standard error at the end.

    Raises:
        Failure: standard output is closed.
    """
    output = sys.stdout
    if output is None or output.closed:
        raise Failure("standard output is closed")
    is_escaped = False

    def escape(error: UnicodeError) -> tuple[str | bytes, int]:
        nonlocal is_escaped
        is_escaped = True
        return codecs.backslashreplace_errors(error)

    codecs.register_error(_ESCAPE, escape)
    reconfigure = getattr(output, "reconfigure", None) if output.errors == "strict" else None
    if reconfigure is not None:
        reconfigure(errors=_ESCAPE)
    try:
        yield output
    finally:
        if reconfigure is not None:
            reconfigure(errors="strict")
    if is_escaped:
        print(
            f"aerospike-py: characters that the encoding {output.encoding} lacks are escaped; "
            "PYTHONIOENCODING=utf-8 shows them",
            file=sys.stderr,
        )


def print_json(value: Any) -> None:
    """Prints a value as JSON.

    Values without a JSON notation become an object with one name that starts with ``$``:
    ``{"$bytes": hexadecimal}``, ``{"$float": "nan"}``, ``{"$geojson": ...}``, and
    ``{"$map": [[key, value], ...]}`` for maps with keys other than strings.
    """
    # An escape of JSON's own is valid JSON, one of the output is not.
    is_unicode = codecs.lookup(sys.stdout.encoding or "ascii").name.startswith("utf")
    print(json.dumps(_plain(value), indent=2, ensure_ascii=not is_unicode, allow_nan=False))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        if all(isinstance(key, str) for key in value):
            return {key: _plain(element) for key, element in value.items()}
        return {"$map": [[_plain(key), _plain(element)] for key, element in value.items()]}
    if isinstance(value, (list, tuple)):
        return [_plain(element) for element in value]
    if isinstance(value, bytes):
        return {"$bytes": value.hex()}
    if isinstance(value, GeoJSON):
        return {"$geojson": value.geo_data}
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": str(value)}
    return value


def cell(value: Any, width: int) -> str:
    """A value as the cell of a table, at most ``width`` characters wide."""
    if isinstance(value, bytes):
        text = f"{len(value)} bytes {value[:width].hex()}"
    elif isinstance(value, str):
        # Cut before escaping: escaping the whole of a large value would be slow.
        text = printable(value[: width + 1])
    else:
        text = repr(value)
    return shorten(printable(text), width)


class Progress:
    """A progress bar on standard error; shows nothing unless that is a terminal."""

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = max(total, 1)
        self._done = 0
        self._shown = -1
        self._is_on = sys.stderr.isatty()

    def __enter__(self) -> Self:
        self._show()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._is_on:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def add(self, done: int = 1) -> None:
        self._done += done
        self._show()

    def _show(self) -> None:
        percent = min(100, self._done * 100 // self._total)
        if not self._is_on or percent == self._shown:
            return
        self._shown = percent
        filled = percent * _BAR // 100
        sys.stderr.write(f"\r{self._what} [{'#' * filled}{'.' * (_BAR - filled)}] {percent:3}%\x1b[K")
        sys.stderr.flush()
