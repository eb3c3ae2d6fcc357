"""Arguments of ``DevServer`` as options and control commands of the process. Invalid ones are refused."""

from __future__ import annotations

import operator
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def user_command(name: str, user: str | tuple[str, Sequence[str]]) -> str:
    password, roles = (user, ("read-write",)) if isinstance(user, str) else user
    if isinstance(roles, str):
        raise TypeError(f"the roles of user {name!r} are the string {roles!r}; pass a sequence of names")
    if not name or not password:
        raise ValueError(f"user {name!r} has an empty name or password")
    if not roles or not all(role.replace("-", "").isalpha() for role in roles):
        raise ValueError(f"the roles of user {name!r} are {list(roles)!r}; pass names of roles")
    return f"user {name.encode().hex()} {password.encode().hex()} {','.join(roles)}"


def milliseconds(name: str, seconds: float) -> int:
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"{name} is {seconds}; it must be a number of seconds, 0 or more")
    return round(seconds * 1000)


def tls_options(tls: Mapping[str, str | os.PathLike[str]]) -> list[str]:
    unknown = tls.keys() - {"cert", "key", "name", "ca"}
    missing = {"cert", "key", "name"} - tls.keys()
    if unknown or missing:
        problem = f"lacks {sorted(missing)}" if missing else f"has the unknown keys {sorted(unknown)}"
        raise ValueError(f"tls {problem}; its keys are cert, key, name and, for certificates of clients, ca")
    return [f"--tls-{key}={os.fspath(value)}" for key, value in tls.items()]


def u32(name: str, number: int) -> int:
    if not 0 <= operator.index(number) < 2**32:
        raise ValueError(f"{name} is {number}; it must be an integer from 0 to 4294967295")
    return operator.index(number)
