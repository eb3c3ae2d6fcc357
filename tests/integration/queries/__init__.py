"""Queries: what they return, what they do when nodes fail, and whether other clients agree.

``test_results.py`` and ``test_other_clients.py`` run against any server; ``test_faults.py`` is marked
``embedded``.
"""
