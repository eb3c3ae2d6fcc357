"""Importing an engine, or saying what to install."""

from __future__ import annotations

import importlib
from typing import Any


def library(name: str, extra: str | None) -> Any:
    """The module of an engine; ``extra`` is the extra that installs it, None for none.

    Raises:
        ImportError: it is not installed. The message has the command that installs it.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        if extra is None:
            message = f"this needs {name}: pip install {name}"
        else:
            message = f"aerospike_py.{extra} needs {name}: install it, or this package with the extra {extra}"
        raise ImportError(message, name=name) from error
