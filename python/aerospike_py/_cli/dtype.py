"""``dtype``: a dtype that fits the records of a set."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from .._commands.infer import infer_dtype
from .._inference import MAX_WIDTH
from .connect import add_command, add_set, connect, positive
from .output import Failure, Progress, print_json

if TYPE_CHECKING:
    import argparse

    from .._inference.result import InferredDtype


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declares the command."""
    parser = add_command(
        commands,
        "dtype",
        run,
        "sample records and print a NumPy dtype that fits them",
        "Samples records of a set and prints a NumPy dtype that takes their values whole, what was seen of "
        "each bin, and the odd ones out. client.infer_dtype() is the same in Python.",
    )
    add_set(parser)
    parser.add_argument("--sample", type=positive, default=1000, metavar="N", help="records to read [1000]")
    parser.add_argument("--compact", action="store_true", help="the narrowest fields, without room to grow")
    parser.add_argument(
        "--max-width",
        type=positive,
        default=MAX_WIDTH,
        metavar="BYTES",
        help=f"leave bins out that need a wider field [{MAX_WIDTH}]",
    )


def run(options: argparse.Namespace) -> int:
    """Runs the command."""
    if find_spec("numpy") is None:
        raise Failure("a dtype is NumPy's, and NumPy is not installed: python -m pip install 'numpy>=2.0'")
    with connect(options) as client, Progress("reading", options.sample) as progress:
        inferred = infer_dtype(
            client,
            options.namespace,
            options.set,
            options.sample,
            compact=options.compact,
            max_width=options.max_width,
            progress=progress.add,
        )
    if options.json:
        print_json(_as_json(inferred))
    else:
        print(source(inferred))
        print(f"\n# {inferred.summary()}\n")
        print(inferred.report())
    return 0


def source(inferred: InferredDtype) -> str:
    """The dtype as Python that one pastes, a field a line."""
    lines = [f"    ({name!r}, {field!r}),\n" for name, field in _fields(inferred)]
    return f"np.dtype([\n{''.join(lines)}])"


def _fields(inferred: InferredDtype) -> list[tuple[str, str]]:
    return [(name, seen.field) for name, seen in inferred.bins.items() if seen.field is not None]


def _as_json(inferred: InferredDtype) -> dict[str, object]:
    return {
        "records": inferred.records,
        "unreadable": {key.digest.hex(): str(error) for key, error in inferred.unreadable.items()},
        "itemsize": inferred.dtype.itemsize,
        "dtype": _fields(inferred),
        "bins": [
            {
                **seen._asdict(),
                "odd": {
                    kind: [{"key": key.key, "digest": key.digest.hex()} for key in keys]
                    for kind, keys in seen.odd.items()
                },
            }
            for seen in inferred.bins.values()
        ],
    }
