"""The command line: ``aerospike-py``, or ``python -m aerospike_py``.

===========================  ==========================================================
``serve``                    runs the embedded server
``info HOST``                shows the nodes, namespaces and sets of a cluster
``dtype HOST NS SET``        samples records and prints a NumPy dtype that fits them
``peek HOST NS SET``         shows the first records of a set as a table
``export HOST NS SET FILE``  writes a set to a file
``import HOST NS SET FILE``  writes the rows of a file as records
``bench [HOST]``             measures reads and writes from this machine
===========================  ==========================================================

Each command is a module: ``add`` declares its arguments, ``run`` runs it and returns the exit code.
``connect`` has the options that reach a cluster, ``output`` prints, ``export_columns`` chooses the columns of
an export, ``_files`` has the formats of files. Start with ``info``. The folder may use
the whole package; nothing in the package uses it.

Results go to standard output, with ``--json`` as JSON; messages go to standard error. Exit codes: 0 for
success, 1 for failure, 2 for wrong arguments, 130 after an interrupt.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from .._native import __version__
from ..exception import AerospikeError
from . import bench, dtype, export_set, import_file, info, peek
from .output import Failure, WrongArguments, escaped_output

if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM = "aerospike-py"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command.

    Args:
        arguments: the arguments after the program's name; None for ``sys.argv``.

    Returns:
        The exit code.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if arguments[:1] == ["serve"]:
        # The node parses its own options, --help included.
        from ..devserver import main as serve

        return serve(arguments[1:])
    options = _parser().parse_args(arguments)
    try:
        with escaped_output() as output:
            code: int = options.run(options)
            output.flush()
    except WrongArguments as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return 2
    except (AerospikeError, Failure) as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader closed the pipe (`| head`).
        _discard_output()
        return 1
    except OSError as error:
        if error.filename is not None:
            print(f"{PROGRAM}: {error.filename}: {error.strerror}", file=sys.stderr)
            return 1
        _discard_output()
        print(f"{PROGRAM}: cannot write to standard output: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _discard_output() -> None:
    """Lets the flush at exit succeed: Python would report the failure again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Inspects Aerospike clusters, and runs the embedded server.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    commands.add_parser("serve", help="run the embedded server (serve --help lists its options)")
    for command in (info, dtype, peek, export_set, import_file, bench):
        command.add(commands)
    return parser
