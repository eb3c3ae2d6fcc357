"""Objects in messages."""

from __future__ import annotations


def describe(value: object) -> str:
    """An object for an error message: its ``repr``, cut to 80 characters, and its type.

    Example:
        >>> describe(1.5)
        '1.5 (float)'
    """
    kind = type(value).__name__
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 (a wrong argument may have a broken repr)
        return f"a {kind}"
    return f"{text} ({kind})" if len(text) <= 80 else f"{text[:80]}... ({kind})"


def counted(count: int, noun: str) -> str:
    """A number of things.

    Example:
        >>> counted(1, "row"), counted(2, "row")
        ('1 row', '2 rows')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
