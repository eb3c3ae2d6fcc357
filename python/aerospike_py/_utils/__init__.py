"""Helpers that know nothing of records or results.

``event_loop`` awaits calls of the extension, ``hosts`` parses addresses, ``process`` runs the embedded node,
``table`` lays out text. These modules may use ``_native`` and the standard library, nothing else of the
package. Start with ``event_loop``: every method of ``AsyncClient`` goes through its ``call``.
"""
