"""Fixtures of the tests whose module has a ``server`` of several nodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from aerospike_py.testing import DevServer


@pytest.fixture
def faulty(server: DevServer) -> Iterator[DevServer]:
    """The module's server; after the test its faults are cleared and its nodes resumed."""
    yield server
    server.clear_faults()
    for node in range(len(server.hosts)):
        server.resume(node)
