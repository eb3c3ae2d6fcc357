"""Functions of the official module that belong to no client: GeoJSON, partitions, logging, serializers."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from . import constants
from ._utils.describe import describe
from ._utils.log import logger
from .exception import ClientError, ParamError, ParamTypeError, _with_official_text
from .values import GeoJSON

if TYPE_CHECKING:
    from collections.abc import Callable

    LogHandler = Callable[[int, str, str, int, str], object]

_PARTITIONS = 4096
_DIGEST_SIZE = 20


def geodata(geo_data: dict[str, Any]) -> GeoJSON:
    """Makes a GeoJSON value of a dict.

    Example:
        >>> geodata({"type": "Point", "coordinates": [1, 2]}).dumps()
        '{"type": "Point", "coordinates": [1, 2]}'
    """
    if not isinstance(geo_data, dict):
        raise ParamTypeError(f"geo_data is {describe(geo_data)}; it must be a dict")
    return GeoJSON(geo_data)


def geojson(geojson_str: str) -> GeoJSON:
    """Makes a GeoJSON value of its text.

    Example:
        >>> geojson('{"type": "Point", "coordinates": [1, 2]}').unwrap()["type"]
        'Point'
    """
    if not isinstance(geojson_str, str):
        raise ParamTypeError(f"geojson_str is {describe(geojson_str)}; it must be a str")
    made = GeoJSON("")
    made.loads(geojson_str)
    return made


def get_partition_id(digest: bytes | bytearray) -> int:
    """The number of the partition of a digest, 0 to 4095.

    Example:
        >>> get_partition_id(calc_digest("test", "users", 1))
        313
    """
    given: object = digest
    if not isinstance(given, (bytes, bytearray)) or len(given) != _DIGEST_SIZE:
        raise ParamTypeError(
            f"digest is {describe(digest)}; it must be 20 bytes, as calc_digest returns them"
        )
    return int.from_bytes(digest[:2], "little") % _PARTITIONS


def _check_callback(callback: object) -> None:
    if not callable(callback):
        error = ParamTypeError(f"callback is {describe(callback)}; it must be a function")
        raise _with_official_text(error, "Parameter must be a callable")


def set_serializer(callback: Callable[[Any], bytes]) -> NoReturn:
    """Always raises ``ClientError``: values are never serialized behind a program's back.

    Raises:
        ClientError: with the way to do it instead.

    Example:
        >>> import contextlib, pickle
        >>> with contextlib.suppress(ClientError):
        ...     set_serializer(pickle.dumps)
    """
    _check_callback(callback)
    raise ClientError(
        "set_serializer is not supported: pass bytes, such as "
        'client.put(key, {"bin": pickle.dumps(value)}); bytes are stored as a blob'
    )


def set_deserializer(callback: Callable[[bytearray], Any]) -> NoReturn:
    """Always raises ``ClientError``: see :func:`set_serializer`.

    Raises:
        ClientError: with the way to do it instead.

    Example:
        >>> import contextlib, pickle
        >>> with contextlib.suppress(ClientError):
        ...     set_deserializer(pickle.loads)
    """
    _check_callback(callback)
    raise ClientError(
        "set_deserializer is not supported: convert the bytes that get returns, such as "
        'pickle.loads(client.get(key).bins["bin"])'
    )


def unset_serializers() -> None:
    """Does nothing, because there are none.

    Example:
        >>> unset_serializers()
    """


# The official levels, and those of logging.
_LEVELS = {
    constants.LOG_LEVEL_OFF: logging.CRITICAL + 1,
    constants.LOG_LEVEL_ERROR: logging.ERROR,
    constants.LOG_LEVEL_WARN: logging.WARNING,
    constants.LOG_LEVEL_INFO: logging.INFO,
    constants.LOG_LEVEL_DEBUG: logging.DEBUG,
    constants.LOG_LEVEL_TRACE: logging.DEBUG,
}


class _Handler(logging.Handler):
    """Calls a function with the arguments of the official client's log handlers."""

    def __init__(self, callback: LogHandler) -> None:
        super().__init__()
        self._callback = callback

    def emit(self, record: logging.LogRecord) -> None:
        level = next(
            (official for official, own in _LEVELS.items() if record.levelno >= own),
            constants.LOG_LEVEL_DEBUG,
        )
        self._callback(level, record.funcName or "", record.pathname, record.lineno, record.getMessage())


def _print(level: int, function: str, path: str, line: int, message: str) -> None:
    sys.stdout.write(f"[{path}:{line}] {level} - {message}\n")


_handlers: list[_Handler] = []


def set_log_level(loglevel: int) -> int:
    """Sets the level of the package's logger, ``logging.getLogger("aerospike_py")``.

    Args:
        loglevel: a ``LOG_LEVEL_*`` constant.

    Returns:
        0.

    Raises:
        ParamError: it is none of them.

    Example:
        >>> set_log_level(LOG_LEVEL_INFO)
        0
    """
    given: object = loglevel
    if isinstance(given, bool) or not isinstance(given, int) or given not in _LEVELS:
        raise ParamTypeError(f"loglevel is {describe(loglevel)}; it must be a LOG_LEVEL_* constant, -1 to 4")
    logger.setLevel(_LEVELS[loglevel])
    return 0


def set_log_handler(log_handler: LogHandler | None = _print) -> int:
    """Sets the function that gets the package's log messages, instead of the one set before.

    ``logging`` works as well, and better: the logger is ``logging.getLogger("aerospike_py")``.

    Args:
        log_handler: called with ``(level, function, path, line, message)``. Without an argument, messages are
            printed; None removes the function.

    Returns:
        0.

    Raises:
        ParamError: ``log_handler`` is not callable.

    Example:
        >>> set_log_handler(lambda level, function, path, line, message: print(message))
        0
        >>> set_log_handler(None)
        0
    """
    if log_handler is not None and not callable(log_handler):
        raise ParamTypeError(f"log_handler is {describe(log_handler)}; it must be a function or None")
    while _handlers:
        logger.removeHandler(_handlers.pop())
    if log_handler is not None:
        _handlers.append(_Handler(log_handler))
        logger.addHandler(_handlers[-1])
    return 0


class ConfigProvider:
    """A file with a config, for code written for the official client. Its attributes are read-only.

    As ``config_provider`` of a config it causes a warning and has no effect: a client keeps the config that
    it was made with. Read the file yourself, and make a client of what it says.

    Args:
        path: the file.
        interval: milliseconds between two looks at the file.

    Raises:
        TypeError: ``path`` is not a str, or ``interval`` not an int.
        ValueError: ``interval`` does not fit into 32 bits.

    Example:
        >>> ConfigProvider("config.yaml").interval
        5000
    """

    __slots__ = ("_interval", "_path")

    def __init__(self, path: str, interval: int = 5000) -> None:
        if not isinstance(path, str):
            raise ParamTypeError(f"path is {describe(path)}; it must be a str")
        if isinstance(interval, bool) or not isinstance(interval, int):
            raise ParamTypeError(f"interval is {describe(interval)}; it must be a number of milliseconds")
        if not 0 <= interval < 1 << 32:
            raise ParamError(f"interval is {describe(interval)}; it must fit into 32 bits")
        self._path, self._interval = path, interval

    @property
    def path(self) -> str:
        """The file.

        Example:
            >>> ConfigProvider("config.yaml").path
            'config.yaml'
        """
        return self._path

    @property
    def interval(self) -> int:
        """Milliseconds between two looks at the file.

        Example:
            >>> ConfigProvider("config.yaml", 60_000).interval
            60000
        """
        return self._interval
