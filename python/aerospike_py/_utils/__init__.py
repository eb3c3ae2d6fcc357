"""Helpers that know nothing about records or results.

``event_loop`` awaits calls of the extension, ``steps`` runs procedures of several calls with either client,
``log`` and ``warnings`` report, ``hosts`` parses addresses, ``table`` lays out text. These modules may use
``_native`` and the standard library, nothing else of the package. Start with ``event_loop``: every command of
``AsyncClient`` goes through its ``call``.
"""
