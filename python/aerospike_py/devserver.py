"""The embedded node as a program: ``python -m aerospike_py.devserver --port 3000``.

A small in-memory server that speaks the Aerospike wire protocol. It keeps nothing on disk, listens on
loopback unless told otherwise, and answers what it does not implement with the server's own error code for
that. ``--help`` lists the options.
"""

from __future__ import annotations

import signal
import sys

from . import _native


def main() -> int:
    """Run the node until it is interrupted; return the exit code."""
    # The node ends by itself on Ctrl-C: Python must not raise KeyboardInterrupt for it as well.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _native.devserver_main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
