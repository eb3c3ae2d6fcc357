"""The command that starts the embedded server: the same interpreter, and the same copy of the package.

``python -m aerospike_py.devserver`` would put the working directory in front of the module path, so a
``signal.py`` or an ``aerospike_py`` folder there would take the place of the real one, and it would not find
a package that is only on this process's ``sys.path``. So the process gets its path from here.
"""

from __future__ import annotations

import os
import sys

_PACKAGE = __name__.partition(".")[0]

# The directory that the package was imported from, made absolute before the program can change directory.
_ROOT = os.path.abspath(os.path.dirname(sys.modules[_PACKAGE].__path__[0]))

# Before the path is set, only `sys` may be imported: the working directory is still in front.
_BOOTSTRAP = """\
import sys
root, rest, last = {arguments}
own = [entry for entry in sys.path if entry and entry not in last]
sys.path[:] = [*own, *(entry for entry in rest if entry not in own), *last]
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
spec = PathFinder.find_spec({package!r}, [root])
package = sys.modules[{package!r}] = module_from_spec(spec)
spec.loader.exec_module(package)
from {package}.devserver import main
sys.exit(main(sys.argv[1:]))
"""


def command() -> list[str]:
    """The command without the server's options, which follow it."""
    # Programs put objects other than str there, which Python ignores.
    path: list[object] = [*sys.path]
    entries = [entry or os.curdir for entry in path if isinstance(entry, str)]
    last = [entry for entry in entries if _is_working_directory(entry)]
    rest = [entry for entry in entries if entry not in last]
    # ASCII, so that the encoding of the command line does not matter.
    arguments = ascii((_ROOT, rest, last))
    return [sys.executable, "-c", _BOOTSTRAP.format(arguments=arguments, package=_PACKAGE)]


def _is_working_directory(entry: str) -> bool:
    try:
        return os.path.samefile(entry, os.curdir)
    except OSError:
        return False
