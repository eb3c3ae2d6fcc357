"""The names under which calls are counted."""

from __future__ import annotations

import difflib
from typing import Any

#: Methods whose calls are counted under their own names.
_METHODS = frozenset({
    "abort", "append", "apply", "batch_apply", "batch_operate", "batch_read", "batch_read_arrow",
    "batch_remove", "batch_write", "batch_write_arrow", "batch_write_numpy", "commit", "exists", "get",
    "increment", "operate", "prepend", "put", "query", "read_matrix", "remove", "remove_bin", "select",
    "touch",
})  # fmt: skip

#: Other methods, and the names under which they are counted.
_OTHERS = {
    "arrow_batches": "query",
    "execute_background": "execute_background",
    "foreach": "query",
    "infer_dtype": "query",
    "job_info": "info",
    "numpy_batches": "query",
    "operate_ordered": "operate",
    "query_apply": "execute_background",
    "records": "query",
    "results": "query",
    "scan": "query",
    "scan_apply": "execute_background",
    "set_xdr_filter": "info",
    "to_arrow": "query",
    "to_numpy": "query",
    "truncate": "info",
}

#: The beginnings of the names of other methods, and the names under which they are counted.
_PREFIXES = {"admin_": "admin", "index_": "info", "info_": "info", "udf_": "info"}

#: All names under which calls are counted.
COMMANDS = frozenset({*_METHODS, *_OTHERS.values(), *_PREFIXES.values()})


def counted_as(method: str) -> str | None:
    """The name under which the calls of a method are counted; None if there is no such method.

    Methods that only wait, such as ``index_wait_till_complete``, have a name without calls.
    """
    if method in _METHODS:
        return method
    prefixed = (name for prefix, name in _PREFIXES.items() if method.startswith(prefix))
    return _OTHERS.get(method) or next(prefixed, None)


def check_command(command: Any) -> None:
    """Refuses a name under which no calls are counted.

    Raises:
        ValueError: there is no such name; the message has the one that is meant, if that can be known.
    """
    if command in COMMANDS:
        return
    name = counted_as(command)
    if name is not None:
        raise ValueError(f"command is {command!r}; its calls are counted as {name!r}")
    close = difflib.get_close_matches(command, sorted(COMMANDS), 1) if isinstance(command, str) else []
    hint = f"; did you mean {close[0]!r}?" if close else f"; it must be one of {', '.join(sorted(COMMANDS))}"
    raise ValueError(f"command is {command!r}, which is no command{hint}")
