"""The methods of both clients, one module per family.

Each module has two classes: the commands of ``Client``, which wait with the GIL released, and those of
``AsyncClient``, which are awaited. A method checks what only Python can check and passes its arguments on to
``_native.Core``; what a command does is in ``crates/py-bindings``. ``Client`` and ``AsyncClient`` inherit
from all of these classes.

Start with ``base``, which both clients share, then ``records``, the simplest family. ``unsupported`` names
the official client's methods that do not exist here. A new family (indexes, UDFs, users) is a new module.
Modules here may use everything but ``client`` and ``async_client``.
"""
