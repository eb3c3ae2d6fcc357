"""Output of commands: JSON, and cells of tables."""

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

_ESCAPE = "aerospike_py.escape"


class Failure(Exception):  # noqa: N818 (not a fault of the program)
    """A command cannot go on; its text is the message for the user."""


class WrongArguments(Failure):
    """Arguments that argparse takes, but the command cannot."""


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
