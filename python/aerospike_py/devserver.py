"""The embedded node as a program: ``python -m aerospike_py.devserver --port 3000``.

A small in-memory server that speaks the Aerospike wire protocol. It keeps nothing on disk, listens on
loopback unless told otherwise, and answers what it does not implement with the server's own error code for
that. ``--help`` lists the options.
"""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

from . import _native

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the node until it is interrupted; return the exit code.

    ``arguments`` are the options, those of the process unless told otherwise.
    """
    # The node ends by itself on Ctrl-C: Python must not raise KeyboardInterrupt for it as well.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _native.devserver_main(list(sys.argv[1:] if arguments is None else arguments))


if __name__ == "__main__":
    sys.exit(main())
