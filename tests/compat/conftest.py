"""Fixtures of the compatibility tests: clusters of their own, where faults cannot disturb other tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from aerospike_py.testing import DevServer


@pytest.fixture
def cluster() -> Iterator[DevServer]:
    """Three embedded nodes."""
    from aerospike_py.testing import DevServer

    with DevServer(nodes=3) as server:
        yield server
