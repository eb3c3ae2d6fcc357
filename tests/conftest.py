"""Fixtures of all tests.

``server``, ``config``
    the embedded node (or the server of AEROSPIKE_HOSTS), one a test session, and the config to reach it.
``face``, ``client``
    a test that takes either runs twice, with the sync client and with the async one, called in the same way.
``fresh_set``
    the name of a set that no other test uses.
``node``, ``proxy``
    an embedded node of the module's own, and a proxy in front of it, for tests that count or fail requests.
``own_node``, ``own_cluster``
    one or three embedded nodes for a single test, which may kill them or move their clock.
``official``, ``native``
    the official client and aerospike-native, connected to the same server.
``twins``
    the official client and ours, for one call on both: see ``tests/support/twins.py``.

NumPy is not imported here: tests/without_numpy runs under this file, too.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.servers import RealServer, real_server

if TYPE_CHECKING:
    from aerospike_py.testing import DevServer
    from tests.support.faces import Face
    from tests.support.proxy import Proxy
    from tests.support.twins import Twin

# On import aerospike_native makes uvloop the event loop of the whole process. Our tests choose their loops.
os.environ.setdefault("AEROSPIKE_NO_UVLOOP", "1")

collect_ignore = []
if find_spec("numpy") is not None:
    collect_ignore.append("without_numpy")
if find_spec("feast") is None:
    # It has an environment of its own: make test-feast.
    collect_ignore.append("feast")

if find_spec("hypothesis") is not None:
    import hypothesis

    # Build machines are slow at times; speed is measured by the benches.
    hypothesis.settings.register_profile("default", deadline=None)
    hypothesis.settings.register_profile("thorough", deadline=None, max_examples=2000)
    hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if real_server() is None:
        return
    skip = pytest.mark.skip(reason="needs the embedded node, and AEROSPIKE_HOSTS names a server")
    for item in items:
        if item.get_closest_marker("embedded"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def server() -> Iterator[DevServer | RealServer]:
    real = real_server()
    if real is not None:
        yield real
        return
    from aerospike_py.testing import DevServer

    with DevServer() as node:
        yield node


@pytest.fixture(scope="session")
def config(server: DevServer | RealServer) -> dict[str, Any]:
    return dict(server.config)


@pytest.fixture(scope="session", params=["sync", "async"])
def face(request: pytest.FixtureRequest) -> Iterator[Face]:
    from tests.support.faces import Face

    made = Face(request.param)
    yield made
    made.close()


@pytest.fixture(scope="session")
def shared_client(face: Face, config: dict[str, Any]) -> Any:
    return face.connect(config)


@pytest.fixture
def client(shared_client: Any) -> Any:
    """A connected client, shared by all tests: a test that closes a client creates its own."""
    assert shared_client.is_connected(), "an earlier test has closed the shared client"
    return shared_client


@pytest.fixture
def fresh_set() -> str:
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="module")
def node() -> Iterator[DevServer]:
    from aerospike_py.testing import DevServer

    with DevServer() as made:
        yield made


@pytest.fixture(scope="module")
def proxy(node: DevServer) -> Iterator[Proxy]:
    from tests.support.proxy import Proxy

    with Proxy(node.hosts[0]) as made:
        yield made


@pytest.fixture
def own_node() -> Iterator[DevServer]:
    from aerospike_py.testing import DevServer

    with DevServer() as made:
        yield made


@pytest.fixture
def own_cluster() -> Iterator[DevServer]:
    from aerospike_py.testing import DevServer

    with DevServer(nodes=3) as made:
        yield made


@pytest.fixture(scope="session")
def official(config: dict[str, Any]) -> Iterator[Any]:
    """The official client, connected."""
    aerospike = pytest.importorskip("aerospike", exc_type=ModuleNotFoundError)
    connected = aerospike.client({"hosts": config["hosts"]}).connect()
    yield connected
    connected.close()


@pytest.fixture
def twins(official: Any, client: Any) -> tuple[Twin, Twin]:
    """The official client and ours."""
    from tests.support.twins import Twin

    return Twin(official, is_official=True), Twin(client, is_official=False)


@pytest.fixture(scope="session")
def native(config: dict[str, Any]) -> Iterator[Any]:
    """aerospike-native, connected, for its ``*_blocking`` methods. It needs Python 3.11."""
    aerospike_native = pytest.importorskip("aerospike_native", exc_type=ModuleNotFoundError)
    hosts = ",".join(f"{host}:{port}" for host, port in config["hosts"])
    connected = aerospike_native.new_client_blocking(aerospike_native.ClientPolicy(), hosts)
    yield connected
    connected.close_blocking()
