"""Servers of a test's own, where faults and a clock that jumps cannot disturb other tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from aerospike_py.testing import DevServer


@pytest.fixture
def own_server() -> Iterator[DevServer]:
    """An embedded node."""
    from aerospike_py.testing import DevServer

    with DevServer() as server:
        yield server


@pytest.fixture
def cluster() -> Iterator[DevServer]:
    """Three embedded nodes."""
    from aerospike_py.testing import DevServer

    with DevServer(nodes=3) as server:
        yield server
