"""Queries over the records of a set or namespace, and the iterators of their results.

Start with ``queries``, which has the two query classes. ``base`` has their settings and their progress,
``records`` the iterators over the records of a run. What a query returns in other forms, such as arrays, is a
module beside ``records``. The folder may use ``records``, ``types``, ``exception`` and ``_utils`` of the
package, and the extension.
"""

from __future__ import annotations

from .queries import AsyncQuery, Query
from .records import AsyncQueryRecords, QueryRecords

__all__ = ["AsyncQuery", "AsyncQueryRecords", "Query", "QueryRecords"]
