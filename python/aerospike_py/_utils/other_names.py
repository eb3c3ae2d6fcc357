"""Errors about attributes that do not exist, which say what to use instead."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

_Class = TypeVar("_Class", bound=type)


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


def refuse_iter(owner: object) -> NoReturn:
    """The ``__iter__`` of what only ``async for`` iterates over."""
    raise TypeError(f"{type(owner).__name__!r} object is not iterable; use `async for`")


def refuses_unknown_attributes(cls: _Class) -> _Class:
    """A decorator: setting an attribute that the class does not have raises ``AttributeError``.

    Attributes of the class can be replaced on an object, as tests do with methods. Names that begin with an
    underscore are accepted, and so are all names on objects of subclasses, which may have attributes of
    their own.
    """

    set_attribute = object.__setattr__

    def set_known(self: Any, name: str, value: Any) -> None:
        if type(self) is not cls:
            super(cls, self).__setattr__(name, value)  # type: ignore[arg-type]
        elif name[:1] == "_" or hasattr(cls, name):
            set_attribute(self, name, value)
        else:
            # Without `name` and `obj`, which would make Python add a suggestion of its own to tracebacks.
            raise AttributeError(_unknown_attribute(cls, name))

    # Not in the classes' bodies, where type checkers would take it as leave to set any attribute.
    cls.__setattr__ = set_known  # type: ignore[assignment]
    return cls


def _unknown_attribute(cls: type, name: str) -> str:
    text = f"{cls.__name__!r} object has no attribute {name!r}"
    settings = [each for each in dir(cls) if each[0] != "_" and hasattr(getattr(cls, each), "__set__")]
    close = difflib.get_close_matches(name, settings, 1)
    if close:
        return f"{text}; did you mean {close[0]!r}?"
    return f"{text}; its settings are {', '.join(settings)}"
