"""Misspelt bins that a read names beside a dtype or schema."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from ._utils.warnings import warn
from .numpy_records import MissingFieldWarning

# Comparisons of names at most: so many take some milliseconds, once.
_MOST_PAIRS = 1_000


def warn_of_unread(argument: str, bins: Any, sources: Iterable[tuple[Any, Any]], reader: str) -> None:
    """Warns of names of bins that nothing reads and that resemble a bin which the list leaves out.

    Such a name is most likely misspelt: the field stays empty, and the records do not tell. Other names
    that nothing reads do no harm. Arguments that are wrong are left to the extension, which names what is
    wrong.

    Args:
        argument: what named the bins: ``bins`` or ``select``.
        bins: the names.
        sources: the dtype (or what :func:`schema_spec` makes of a schema) of each set, and its paths.
        reader: what reads bins: ``field`` or ``column``.
    """
    if not isinstance(bins, (list, tuple)) or not bins:
        return
    read: set[str] = set()
    for target, paths in sources:
        names = _names(target)
        if names is None or not (paths is None or isinstance(paths, Mapping)):
            return
        read.update(_first(paths[name]) if paths and name in paths else name for name in names)
    unread = [name for name in bins if isinstance(name, str) and name not in read]
    if not unread:
        return
    left_out = read.difference(name for name in bins if isinstance(name, str))
    for name, meant in _misspelt(frozenset(unread), frozenset(left_out)):
        warn(
            f"{argument} has {name!r}, which no {reader} or path reads, and leaves out {meant!r}, "
            f"whose {reader} stays empty",
            MissingFieldWarning,
        )


@lru_cache(maxsize=64)
def _misspelt(unread: frozenset[str], left_out: frozenset[str]) -> list[tuple[str, str]]:
    """The names that resemble one that is left out, with that one. Kept, as comparing them takes long."""
    if len(unread) * len(left_out) > _MOST_PAIRS:
        return []
    pairs = ((name, get_close_matches(name, sorted(left_out), n=1)) for name in sorted(unread))
    return [(name, nearest[0]) for name, nearest in pairs if nearest]


def _first(path: Any) -> str:
    """The bin of a path; an empty name if it is none."""
    if isinstance(path, (list, tuple)) and path:
        path = path[0]
    return path if isinstance(path, str) else ""


def _names(target: Any) -> Collection[str] | None:
    """The names of fields or columns; None if they cannot be told."""
    if isinstance(target, list) and all(isinstance(item, tuple) and len(item) > 1 for item in target):
        return [item[0] for item in target]
    if not hasattr(target, "__arrow_c_schema__"):
        return _names_of_dtype(target)
    # Schemas of polars; of pyarrow and arro3; of nanoarrow.
    names = target if isinstance(target, Mapping) else getattr(target, "names", None)
    if names is None:
        names = [getattr(field, "name", None) for field in getattr(target, "fields", None) or ()]
    if not isinstance(names, (list, Mapping)):
        return None
    return [name for name in names if isinstance(name, str)] or None


def _names_of_dtype(dtype: Any) -> Collection[str] | None:
    import numpy as np

    try:
        names: tuple[str, ...] | None = np.dtype(dtype).names
    except (TypeError, ValueError):
        return None
    return names
