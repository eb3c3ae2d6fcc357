"""The options and arguments with which commands reach a cluster, and the client made from them."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from typing import TYPE_CHECKING

from .. import constants
from .._utils.hosts import parse_hosts
from ..client import Client
from .output import Failure, WrongArguments

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..types import ClientConfig

PASSWORD = "AEROSPIKE_PASSWORD"  # noqa: S105 (the name of a variable)

_AUTH = {
    "internal": constants.AUTH_INTERNAL,
    "external": constants.AUTH_EXTERNAL,
    "external-insecure": constants.AUTH_EXTERNAL_INSECURE,
    "pki": constants.AUTH_PKI,
}


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    summary: str,
    description: str,
    *,
    host_is_optional: bool = False,
) -> argparse.ArgumentParser:
    """Declares a command that talks to a cluster, with the options for it."""
    parser = commands.add_parser(name, help=summary, description=description, allow_abbrev=False)
    parser.set_defaults(run=run)
    parser.add_argument(
        "hosts",
        metavar="HOST",
        type=_hosts,
        nargs="?" if host_is_optional else None,
        help="host[:port], several separated by commas; the default port is 3000",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    group = parser.add_argument_group("connection")
    group.add_argument(
        "--timeout", type=seconds, default=5.0, metavar="SECONDS", help="timeout of each request [5]"
    )
    group.add_argument(
        "--alternate", action="store_true", help="use the nodes' alternate addresses (use_services_alternate)"
    )
    group.add_argument(
        "--user",
        help=f"user to log in as; the password comes from the variable {PASSWORD}, or from a prompt",
    )
    group.add_argument("--auth", choices=_AUTH, default="internal", help="authentication mode [internal]")
    group.add_argument("--tls", action="store_true", help="use TLS; implied by the options below")
    group.add_argument("--tls-name", metavar="NAME", help="the name in the nodes' certificate [HOST]")
    group.add_argument(
        "--tls-ca", metavar="FILE", help="certificate authorities to trust (PEM) [those of the system]"
    )
    group.add_argument("--tls-cert", metavar="FILE", help="the client's certificate (PEM)")
    group.add_argument("--tls-key", metavar="FILE", help="the key of the client's certificate (PEM)")
    return parser


def add_set(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments that name a set."""
    parser.add_argument("namespace", metavar="NAMESPACE")
    parser.add_argument("set", metavar="SET", nargs="?", help="the set [the whole namespace]")


def add_columns(parser: argparse.ArgumentParser, bins: str) -> None:
    """Declares the options that choose columns of a file."""
    parser.add_argument("--bins", metavar="A,B", help=bins)
    parser.add_argument("--without", metavar="A,B", help="columns to leave out")
    parser.add_argument(
        "--column",
        type=_column,
        action="append",
        default=[],
        metavar="NAME=TYPE",
        help='the type of a column, as "visits=int64", "tags=list<utf8>" or "at=timestamp[ms]" [inferred]; '
        "may be repeated",
    )


def names(text: str, option: str) -> list[str]:
    """The names of an option that takes several, separated by commas.

    Raises:
        WrongArguments: one is empty.
    """
    found = text.split(",")
    if "" in found:
        raise WrongArguments(f"{option} {text!r}: a name is empty; separate names by single commas")
    return list(dict.fromkeys(found))


def _column(text: str) -> tuple[str, str]:
    name, _, kind = text.partition("=")
    if not name or not kind:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=TYPE")
    return name, kind


def name_of_set(options: argparse.Namespace) -> str:
    return options.namespace if options.set is None else f"{options.namespace}.{options.set}"


def config(options: argparse.Namespace) -> ClientConfig:
    milliseconds = max(1, round(options.timeout * 1000))
    made: ClientConfig = {
        "hosts": options.hosts,
        "connect_timeout": milliseconds,
        "use_services_alternate": options.alternate,
        "policies": {
            # No "batch": its default timeout grows with the number of keys.
            "read": {"total_timeout": milliseconds},
            "write": {"total_timeout": milliseconds},
            "remove": {"total_timeout": milliseconds},
            "query": {"socket_timeout": milliseconds},
            "info": {"timeout": milliseconds},
        },
    }
    if any((options.tls, options.tls_name, options.tls_ca, options.tls_cert, options.tls_key)):
        made["tls"] = {"enable": True}
        if options.tls_ca:
            made["tls"]["cafile"] = options.tls_ca
        if options.tls_cert:
            made["tls"]["certfile"] = options.tls_cert
        if options.tls_key:
            made["tls"]["keyfile"] = options.tls_key
        made["hosts"] = [(host, port, options.tls_name or host) for host, port in options.hosts]
    if options.auth != "internal":
        made["auth_mode"] = _AUTH[options.auth]
    if options.user is not None:
        made["user"], made["password"] = options.user, _password(options.user)
    return made


def connect(options: argparse.Namespace) -> Client:
    return Client(config(options)).connect()


def positive(text: str) -> int:
    """Parses an integer of at least 1, for argparse."""
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not an integer of at least 1")
    return int(text)


def seconds(text: str) -> float:
    """Parses a number of seconds above 0, for argparse."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return number


def _password(user: str) -> str:
    password = os.environ.get(PASSWORD)
    if password is not None:
        return password
    if not sys.stdin.isatty():
        raise Failure(f"no password for {user}: set {PASSWORD}, or run in a terminal to be prompted")
    return getpass.getpass(f"password of {user}: ")


def _hosts(text: str) -> list[tuple[str, int]]:
    try:
        return parse_hosts(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
