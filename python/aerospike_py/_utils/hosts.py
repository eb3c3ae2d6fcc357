"""Parses hosts: ``host``, ``host:port`` or ``[address]:port``, several separated by commas."""

from __future__ import annotations

DEFAULT_PORT = 3000


def parse_hosts(text: str, where: str = "") -> list[tuple[str, int]]:
    """Parses hosts.

    Args:
        text: ``host[:port][,host[:port]...]``. An IPv6 address with a port needs brackets.
        where: the source of the text, for error messages.

    Returns:
        Host and port of each, the port 3000 by default.

    Raises:
        ValueError: a host is empty, or a port is not a number from 1 to 65535.

    Example:
        >>> parse_hosts("db1:3100,db2")
        [('db1', 3100), ('db2', 3000)]
    """
    try:
        return [_parse_host(part.strip()) for part in text.split(",")]
    except ValueError as error:
        raise ValueError(f"{where}: {error}" if where else str(error)) from None


def _parse_host(text: str) -> tuple[str, int]:
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
        if not closed or (rest and not rest.startswith(":")):
            raise ValueError(f"{text!r} is not [address] or [address]:port")
        has_port = bool(rest)
    elif text.count(":") > 1:  # a bare IPv6 address
        host, port, has_port = text, "", False
    else:
        host, colon, port = text.partition(":")
        has_port = bool(colon)
    if not host:
        raise ValueError(f"{text!r} has no host; write host or host:port")
    if not has_port:
        return host, DEFAULT_PORT
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(f"the port of {text!r} is not a number from 1 to 65535")
    return host, int(port)
