"""The columns of an export: those that a user names, and those inferred from a sample of the set."""

from __future__ import annotations

import argparse
import sys
from difflib import get_close_matches
from typing import TYPE_CHECKING

from .._utils.table import printable
from .._utils.warnings import without_warnings
from ..client import Client
from ..exception import ClientError
from .connect import name_of_set, names
from .output import Failure, WrongArguments

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: The columns about records.
META_NAMES = ("key", "digest", "gen", "ttl", "set")
_MAX_BIN_NAME = 15
# What messages of the package advise a caller in Python.
_FOR_PYTHON = (
    ", or ignore MissingFieldWarning",
    "; they are counted in .inexact",
    "; pass a schema, or leave the bins out",
)


def without_python(text: str) -> str:
    """A message of the package without its advice for programs."""
    for advice in _FOR_PYTHON:
        text = text.partition(advice)[0]
    return text


def check_columns(options: argparse.Namespace) -> None:
    """Refuses types that no column has, before anything is read.

    Raises:
        WrongArguments: ``--column`` names one.
    """
    # Never connected: a query checks its columns when it is made.
    query = Client({"hosts": options.hosts}).query(options.namespace, options.set)
    for name, kind in options.column:
        if len(name.encode(errors="surrogateescape")) > _MAX_BIN_NAME:
            raise WrongArguments(f"--column {name}: a bin's name has at most {_MAX_BIN_NAME} bytes of UTF-8")
        try:
            query.arrow_batches({name: kind})
        except ValueError as error:
            reason = str(error).removeprefix(f"column {name!r}: ")
            raise WrongArguments(f"--column {name}={kind}: {reason}") from None


def columns(client: Client, options: argparse.Namespace) -> dict[str, str]:
    """Name to type of the bins to export: those given, and those inferred from a sample."""
    given: dict[str, str] = dict(options.column)
    wanted = names(options.bins, "--bins") if options.bins is not None else None
    without = names(options.without, "--without") if options.without is not None else []
    query = client.query(options.namespace, options.set)
    query.max_records = options.sample
    if wanted is not None:
        for name in without:
            if name not in wanted:
                raise Failure(f"--without {printable(name)}: --bins does not have it")
        wanted = [name for name in wanted if name not in without]
    elif given or without:
        # What is given or left out need not be inferred: a bin that mixes types cannot be.
        seen = {name: None for record in query for name in record.bins}
        if seen:
            which = f"none of the first {options.sample:,} records of {name_of_set(options)} has such a bin"
            _check_without(without, seen, which)
        wanted = [name for name in seen if name not in without]
        query = client.query(options.namespace, options.set)
        query.max_records = options.sample
    inferred: Mapping[str, str] = {}
    if wanted is None or (rest := [name for name in wanted if name not in given]):
        if wanted is not None:
            query.select(*rest)
        try:
            with without_warnings():
                inferred = dict(query.to_arrow().columns)
        except ClientError as error:
            raise Failure(
                f"no columns for {name_of_set(options)}: {without_python(str(error))}; "
                "--column NAME=TYPE chooses the type of a column, and --without NAME leaves it out"
            ) from None
    found = {**{name: kind for name, kind in inferred.items() if name not in without}, **given}
    unseen = [name for name in wanted or () if name not in found]
    if not found and _has_records(client, options):
        what = f"has the bin {', '.join(map(printable, unseen))}" if unseen else "has a bin for a column"
        raise Failure(
            f"none of the first {options.sample:,} records of {name_of_set(options)} {what}; "
            "aerospike-py peek shows bins"
        )
    if not found:
        raise Failure(
            f"there are no records in {name_of_set(options)}, and no --column; aerospike-py info lists the "
            "sets"
        )
    if unseen:
        print(
            f"aerospike-py: none of the first {options.sample:,} records has "
            f"{', '.join(map(printable, unseen))}, which the file has no column for",
            file=sys.stderr,
        )
    return {name: found[name] for name in (wanted or found) if name in found} | given


def _check_without(without: Iterable[str], known: Iterable[str], reason: str) -> None:
    """Refuses names that leave nothing out and are like a bin's; says so of others, which do no harm.

    Raises:
        Failure: one is misspelt.
    """
    known = list(known)
    for name in without:
        if name in known:
            continue
        if name in META_NAMES:
            raise Failure(f"--without {name}: {reason}; --meta chooses columns about records")
        nearest = get_close_matches(name, known, n=1)
        if nearest:
            raise Failure(f"--without {printable(name)}: {reason}; did you mean {printable(nearest[0])}?")
        print(f"aerospike-py: --without {printable(name)}: {reason}", file=sys.stderr)


def _has_records(client: Client, options: argparse.Namespace) -> bool:
    query = client.query(options.namespace, options.set)
    query.max_records = 1
    return bool(query.results(options={"nobins": True}))


def stored_keys(client: Client, options: argparse.Namespace) -> list[str]:
    """Which columns identify the records of a set: keys if they are stored, and digests for those without."""
    query = client.query(options.namespace, options.set)
    query.max_records = 1000
    kinds = {type(record.key.key) for record in query.results(options={"nobins": True})}
    stored = kinds - {type(None)}
    if len(stored) > 1:
        print(
            "aerospike-py: stored keys are of several types, which no column holds; exporting digests",
            file=sys.stderr,
        )
        return ["digest"]
    return [*(["key"] if stored else []), *(["digest"] if type(None) in kinds or not stored else [])]
