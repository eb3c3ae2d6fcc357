"""Errors about attributes that do not exist, which say what to use instead."""

from __future__ import annotations

from collections.abc import Mapping


def no_attribute(owner: object, name: str, instead: Mapping[str, str]) -> AttributeError:
    """The error for an attribute that an object lacks.

    Args:
        owner: the object.
        name: the attribute.
        instead: names that users of other clients try, and what to use instead.
    """
    text = f"{type(owner).__name__!r} object has no attribute {name!r}"
    if name in instead:
        text += f"; use {instead[name]}"
    return AttributeError(text, name=name, obj=owner)
