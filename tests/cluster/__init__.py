"""Clusters of embedded nodes that die, hang, refuse and move partitions while commands run.

Each test has a ``server`` of several nodes. Start with ``test_reads.py``; queries in such a cluster are in
``tests/integration/queries/test_faults.py``.
"""
