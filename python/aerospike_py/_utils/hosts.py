"""Hosts as people write them: ``host``, ``host:port``, ``[address]:port``, several with commas."""

from __future__ import annotations

DEFAULT_PORT = 3000


def parse_hosts(text: str, where: str = "") -> list[tuple[str, int]]:
    """Reads hosts.

    Args:
        text: ``host[:port][,host[:port]...]``; an IPv6 address with a port stands in brackets.
        where: where the text stood, for errors.

    Raises:
        ValueError: a host is empty or a port is no number from 1 to 65535; the message has the part.

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
        raise ValueError(f"{text!r} has no host; it is written host or host:port")
    if not has_port:
        return host, DEFAULT_PORT
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(f"the port of {text!r} is not a number from 1 to 65535")
    return host, int(port)
