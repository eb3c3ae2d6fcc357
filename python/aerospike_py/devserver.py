"""The embedded server as a program: ``python -m aerospike_py.devserver --port 3000``.

A small in-memory server that speaks the Aerospike wire protocol. It writes nothing to disk, listens on
loopback by default, and answers commands that it does not implement with the error code that a real server
would return. ``--help`` lists the options.
"""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

from . import _native

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the node until it is interrupted.

    Args:
        arguments: the options; None for ``sys.argv``.

    Returns:
        The exit code.
    """
    # The node ends on Ctrl-C by itself; Python must not raise KeyboardInterrupt as well.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _native.devserver_main(list(sys.argv[1:] if arguments is None else arguments))


if __name__ == "__main__":
    sys.exit(main())
