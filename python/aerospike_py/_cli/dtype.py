"""``dtype``: prints a dtype that fits the records of a set."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from .._inference import MAX_WIDTH
from .._inference.infer import infer_from_set
from .._inference.result import dtype_list
from .._utils.progress import Progress
from .._utils.steps import run_sync
from .._utils.table import printable
from .connect import add_command, add_set, connect, name_of_set, positive
from .output import Failure, print_json

if TYPE_CHECKING:
    from ..inference import InferredBin, InferredDtype


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add_command(
        commands,
        "dtype",
        run,
        "sample records and print a NumPy dtype that fits them",
        "Samples records of a set and prints a NumPy dtype that holds their values unchanged, statistics on "
        "each bin, and keys of records with unusual values. client.infer_dtype() does the same in Python.",
    )
    add_set(parser)
    parser.add_argument("--sample", type=positive, default=1000, metavar="N", help="records to read [1000]")
    parser.add_argument(
        "--compact", action="store_true", help="choose the narrowest fields, without room to grow"
    )
    parser.add_argument(
        "--max-width",
        type=positive,
        default=MAX_WIDTH,
        metavar="BYTES",
        help=f"leave out bins that need a wider field [{MAX_WIDTH}]",
    )
    parser.add_argument(
        "--python",
        action="store_true",
        help="print a Python module with the dtype, and the report in comments",
    )
    parser.add_argument(
        "--field",
        type=_field,
        action="append",
        default=[],
        metavar="BIN=DTYPE",
        help='a field of your own, as "embedding=(64,)f4", "created=M8[ms]" or "features.trips=u2"; '
        "may be repeated",
    )


def _field(text: str) -> tuple[str, str]:
    name, equals, dtype = text.rpartition("=")
    if not equals or not dtype:
        raise argparse.ArgumentTypeError(f"{text!r} is not BIN=DTYPE")
    return name, dtype


def run(options: argparse.Namespace) -> int:
    if find_spec("numpy") is None:
        raise Failure(
            "dtype prints a NumPy dtype, and NumPy is not installed: python -m pip install 'numpy>=2.0'"
        )
    with connect(options) as client, Progress("reading", options.sample, "records") as progress:
        inferred = run_sync(
            infer_from_set(
                client,
                options.namespace,
                options.set,
                options.sample,
                compact=options.compact,
                max_width=options.max_width,
                fields=dict(options.field),
                progress=progress.add,
            )
        )
    if options.json:
        print_json(_as_json(inferred))
    elif options.python:
        print(_module(inferred, name_of_set(options)))
    else:
        print(_source(inferred))
        print(f"\n# {inferred.summary()}\n")
        print(inferred.report())
    return 0


def _module(inferred: InferredDtype, source: str) -> str:
    """A module whose ``dtype`` is the dtype."""
    report = [f"of {source}: {inferred.summary()}", "", *inferred.report().splitlines()]
    # A carriage return in a name of a bin would end the comment.
    comment = "\n".join(f"# {printable(line)}".rstrip() for line in report)
    return f"import numpy as np\n\n{comment}\ndtype = {_source(inferred)}"


def _source(inferred: InferredDtype) -> str:
    """The dtype as Python code, one field per line."""
    return f"np.dtype([\n{_lines(dtype_list(inferred.bins), '    ')}])"


def _lines(fields: list[tuple[str, Any]], indent: str) -> str:
    return "".join(
        f"{indent}({name!r}, {field!r}),\n"
        if isinstance(field, str)
        else f"{indent}({name!r}, [\n{_lines(field, indent + '    ')}{indent}]),\n"
        for name, field in fields
    )


def _as_json(inferred: InferredDtype) -> dict[str, object]:
    return {
        "records": inferred.records,
        "unreadable": {key.digest.hex(): str(error) for key, error in inferred.unreadable.items()},
        "itemsize": inferred.dtype.itemsize,
        "dtype": dtype_list(inferred.bins),
        "bins": [_bin_as_json(found) for found in inferred.bins.values()],
    }


def _bin_as_json(found: InferredBin) -> dict[str, object]:
    odd = {
        kind: [{"key": key.key, "digest": key.digest.hex()} for key in keys]
        for kind, keys in found.odd.items()
    }
    fields = [_bin_as_json(inner) for inner in found.fields.values()]
    return {**found._asdict(), "odd": odd, "fields": fields}
