"""Calls with missing or too many arguments: the official client's texts, and the names of public classes."""

from __future__ import annotations

import functools
import inspect
import types
from typing import TYPE_CHECKING, Any, TypeVar

from .exception import ParamTypeError, _with_official_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_Class = TypeVar("_Class", bound=type)
_Function = TypeVar("_Function", bound="Callable[..., Any]")
# The commands that programs call most, beside those on batches: a function around them would cost a fiftieth
# of a call. Python's text stays.
_QUICK = frozenset(("exists", "get", "put"))
# Methods that have the name of a public class.
_named: set[types.FunctionType] = set()
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def _explanation(
    function: Callable[..., Any], skipped: int, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> str | None:
    """What is missing or too much in a call, and the arguments that the function takes.

    None if something else is wrong: an unknown name, or an argument that is given twice. ``skipped`` is the
    number of parameters that are not counted: 1 for a method.
    """
    parameters = [*inspect.signature(function).parameters.values()][skipped:]
    by_place = [parameter for parameter in parameters if parameter.kind in _POSITIONAL]
    given = len(args) - skipped
    if kwargs.keys() - {parameter.name for parameter in parameters[given:]}:
        return None
    bare = [parameter.replace(annotation=parameter.empty) for parameter in parameters]
    takes = f"the arguments are {inspect.Signature(bare)}"
    name = function.__name__
    if given > len(by_place):
        most = f"at most {len(by_place)} argument{'' if len(by_place) == 1 else 's'}"
        return f"{name}() takes {most if by_place else 'no arguments'} ({given + len(kwargs)} given); {takes}"
    for place, parameter in enumerate(by_place, 1):
        if place > given and parameter.default is parameter.empty and parameter.name not in kwargs:
            return f"{name}() missing required argument '{parameter.name}' (pos {place}); {takes}"
    return None


def _explained(function: _Function, skipped: int, official: str | None = None) -> _Function:
    @functools.wraps(function)
    def method(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            # Without a frame of the function, the call itself raised it.
            trace = error.__traceback__
            is_of_call = trace is not None and trace.tb_next is None
            text = _explanation(function, skipped, args, kwargs) if is_of_call else None
            if text is None:
                raise
            raise _with_official_text(ParamTypeError(text), official or text) from None

    return method  # type: ignore[return-value]


def explains_wrong_calls(function: _Function, official: str | None = None) -> _Function:
    """A decorator: a call with missing or too many arguments raises ``ParamTypeError`` that says which.

    Python's own message names all that are missing, but not their places nor what else the function takes.
    ``official`` is the official client's text, if it is another one.
    """
    return _explained(function, 0, official)


def methods_name_their_class(cls: _Class) -> _Class:
    """Names the methods that a class inherits from private classes after it.

    Python's errors name ``Client.get`` then, not the class that has the method. Of methods that both clients
    share, the second gets copies. Their code is the same, and a call takes the same time.
    """
    for name in dir(cls):
        if name[0] == "_" and name != "__init__":
            continue
        function = getattr(cls, name)
        if not isinstance(function, types.FunctionType) or name in cls.__dict__:
            continue
        if function in _named:
            function = _copy(function)
            setattr(cls, name, function)
        # Where pickle finds it.
        function.__module__, function.__qualname__ = cls.__module__, f"{cls.__name__}.{name}"
        _named.add(function)
    return cls


def _copy(function: types.FunctionType) -> types.FunctionType:
    copy = types.FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    copy.__annotations__ = function.__annotations__
    copy.__doc__ = function.__doc__
    return copy


def methods_explain_wrong_calls(cls: _Class) -> _Class:
    """Applies :func:`explains_wrong_calls` to the public methods of a class, also to those it inherits.

    Coroutine functions are left alone: callers ask whether a function is one. So are ``get``, ``put``,
    ``exists`` and batches, for the time that a call takes. ``__objclass__`` is the class, as in methods
    written in C; ``inspect`` reads it.
    """
    for name in dir(cls):
        function = getattr(cls, name)
        if name.startswith("_") or not inspect.isfunction(function):
            continue
        if name in _QUICK or name.startswith("batch_") or name == "read_matrix":
            function.__objclass__ = cls  # type: ignore[attr-defined]
        elif not inspect.iscoroutinefunction(function):
            method = _explained(inspect.unwrap(function), 1)
            method.__objclass__ = cls
            setattr(cls, name, method)
    return cls
