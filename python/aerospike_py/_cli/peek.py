"""``peek``: shows the first records of a set."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from .._inference.sample import Sample, read_sample
from .._utils.steps import run_sync
from .._utils.table import printable, table
from .connect import add_command, add_set, connect, name_of_set, positive
from .output import Failure, cell, print_json

if TYPE_CHECKING:
    import argparse

    from ..records import Key, Record

_NEVER_EXPIRES = 0xFFFFFFFF


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add_command(
        commands,
        "peek",
        run,
        "show the first records of a set as a table",
        "Shows the first records of a set in the order of their digests. A record that was written without "
        "its key (POLICY_KEY_SEND) is shown with its digest.",
    )
    add_set(parser)
    parser.add_argument(
        "-n", "--records", type=positive, default=10, metavar="N", help="number of records [10]"
    )
    parser.add_argument("--bins", metavar="A,B", help="show only these bins")
    parser.add_argument("--width", type=positive, default=32, metavar="N", help="characters per value [32]")


def run(options: argparse.Namespace) -> int:
    with connect(options) as client:
        bins = options.bins.split(",") if options.bins else None
        found: list[Sample] = []
        run_sync(read_sample(client, options.namespace, options.set, options.records, found.append, bins))
    records = [record for part in found for record in part.records]
    unreadable = [failure for part in found for failure in part.unreadable]
    if options.json:
        print_json([_as_json(record) for record in records])
    elif records:
        print(_table(records, options.width))
    elif not unreadable:
        raise Failure(f"there are no records in {name_of_set(options)}; aerospike-py info lists the sets")
    seen = {name for record in records for name in record.bins}
    if records and (unseen := [name for name in bins or () if name not in seen]):
        print(f"aerospike-py: none of these records has {', '.join(map(printable, unseen))}", file=sys.stderr)
    for key, error in unreadable:
        print(
            f"aerospike-py: record {_name_of(key, options.width)}: {printable(str(error))}", file=sys.stderr
        )
    return 1 if unreadable else 0


def _as_json(record: Record) -> dict[str, Any]:
    key = record.key
    return {
        "key": key.key,
        "digest": key.digest.hex(),
        **record.meta,
        "bins": record.bins,
    }


def _name_of(key: Key, width: int) -> str:
    return cell(key.key, width) if key.key is not None else f"digest {key.digest.hex()[:12]}…"


def _table(records: list[Record], width: int) -> str:
    names = list(dict.fromkeys(name for record in records for name in record.bins))
    rows = []
    for record in records:
        key, meta, bins = record
        rows.append(
            [
                _name_of(key, width),
                str(meta["gen"]),
                "never" if meta["ttl"] == _NEVER_EXPIRES else str(meta["ttl"]),
                *(cell(bins[name], width) if name in bins else "-" for name in names),
            ]
        )
    right = [
        3 + number
        for number, name in enumerate(names)
        if all(isinstance(record.bins.get(name, 0), (int, float)) for record in records)
    ]
    return table(["key", "gen", "ttl", *map(printable, names)], rows, [1, 2, *right])
