"""The command line: ``aerospike-py``, or ``python -m aerospike_py``.

====================  ==============================================================
``serve``             runs the embedded node
``info HOST``         nodes, namespaces and sets of a cluster
``dtype HOST NS SET`` samples records and prints a NumPy dtype that fits them
``peek HOST NS SET``  the first records of a set as a table
``bench [HOST]``      a small self-test: what this machine gets
====================  ==============================================================

Each command is a module with ``add(commands)``, which declares its arguments, and a function that runs it
and returns the exit code. Results go to standard output, with ``--json`` as JSON; all else goes to standard
error. Exit codes: 0, 1 when it failed, 2 for wrong arguments, 130 when it was interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from .. import __version__
from ..exception import AerospikeError
from . import bench, dtype, info, peek
from .output import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM = "aerospike-py"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit code.

    Args:
        arguments: those after the program's name; None takes the process's own.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if arguments[:1] == ["serve"]:
        # Its options are the node's own, --help included.
        from ..devserver import main as serve

        return serve(arguments[1:])
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except (AerospikeError, Failure) as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Who read has enough. Python would complain about what is left when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM, description="Looks into Aerospike, and reads it into NumPy.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    commands.add_parser("serve", help="run the embedded node (serve --help lists its options)")
    for command in (info, dtype, peek, bench):
        command.add(commands)
    return parser
