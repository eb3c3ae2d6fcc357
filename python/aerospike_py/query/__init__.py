"""Queries over the records of a set or namespace, and the iterators of their results.

Start with ``queries``, which has the two query classes. ``base`` has their settings and their progress,
``run`` what all runs have in common, ``records`` the iterators over the records of a run, ``arrays`` the runs
into NumPy arrays, ``arrow`` those into Arrow columns, ``background`` those whose records the nodes change.
What a query returns in other forms is a module beside them. The folder may use ``records``, ``types``,
``predicates``, ``exception``, ``_finish`` and ``_utils`` of the package, and the extension.
"""

from __future__ import annotations

from .arrays import AsyncNumpyBatches, NumpyBatches
from .arrow import ArrowBatches, AsyncArrowBatches
from .queries import AsyncQuery, Query
from .records import AsyncQueryRecords, QueryRecords
from .scans import AsyncScan, Scan

__all__ = [
    "ArrowBatches",
    "AsyncArrowBatches",
    "AsyncNumpyBatches",
    "AsyncQuery",
    "AsyncQueryRecords",
    "AsyncScan",
    "NumpyBatches",
    "Query",
    "QueryRecords",
    "Scan",
]
