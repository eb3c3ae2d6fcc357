"""Importing an engine, or saying what to install."""

from __future__ import annotations

import importlib
from typing import Any


def library(name: str, extra: str) -> Any:
    """The module of an engine.

    Raises:
        ImportError: it is not installed. The message has the command that installs it.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"aerospike_py.{extra} needs {name}: pip install 'aerospike-py[{extra}]'", name=name
        ) from error
