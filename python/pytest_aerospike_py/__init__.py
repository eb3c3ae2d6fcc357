"""A pytest plugin with fixtures for Aerospike. Tests need no server.

The plugin is active when the package is installed; no import is needed:

    def test_feature(aerospike_client, aerospike_set):
        key = ("test", aerospike_set, "ada")
        aerospike_client.put(key, {"visits": 1})
        assert aerospike_client.get(key).bins == {"visits": 1}

``aerospike_server`` (session)
    the embedded server, started for the first test that uses it. If the environment variable
    ``AEROSPIKE_HOSTS=host:port[,host:port...]`` is set, the server that it names.
``aerospike_server_options`` (session)
    arguments of :class:`aerospike_py.testing.DevServer` for the embedded server, ``{}`` by default. Override
    it.
``aerospike_config`` (session)
    the config of the clients. It contains ``AEROSPIKE_USER`` and ``AEROSPIKE_PASSWORD`` if
    ``AEROSPIKE_HOSTS`` is set. Override it for TLS or policies.
``aerospike_client``, ``aerospike_async_client`` (session)
    a connected :class:`~aerospike_py.Client` and :class:`~aerospike_py.AsyncClient`, shared by all tests. A
    test that closes a client must make its own. The async client works in any asyncio event loop, so any
    plugin can run the test (pytest-asyncio, anyio), and so can ``asyncio.run``.
``aerospike_namespace`` (session)
    ``"test"``. Override it if the server has another namespace.
``aerospike_set``
    a unique name of a set in ``aerospike_namespace``. The set is truncated after the test.
``aerospike_faults``
    :class:`Faults`: injects faults at the embedded server, and undoes them after the test. If
    ``AEROSPIKE_HOSTS`` is set, the test is skipped.
``aerospike_make_server``
    starts embedded servers for one test: ``aerospike_make_server(nodes=3)``.

With pytest-xdist each worker has its own embedded server; a server of ``AEROSPIKE_HOSTS`` is shared. A real
server allows 4,095 sets per namespace, and truncated sets count.
"""

# A package of its own: pytest imports plugins at every start, and importing aerospike_py loads the extension.
# The fixtures import aerospike_py when they are used.

from __future__ import annotations

import os
import uuid
import warnings
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aerospike_py import AsyncClient, Client
    from aerospike_py.testing import DevServer
    from aerospike_py.types import ClientConfig

    from ._faults import Faults
    from ._real import RealServer

__all__ = [
    "aerospike_async_client",
    "aerospike_client",
    "aerospike_config",
    "aerospike_faults",
    "aerospike_make_server",
    "aerospike_namespace",
    "aerospike_server",
    "aerospike_server_options",
    "aerospike_set",
]


@pytest.fixture(scope="session")
def aerospike_server_options() -> dict[str, Any]:
    """Arguments of ``DevServer`` for ``aerospike_server``. Override it."""
    return {}


@pytest.fixture(scope="session")
def aerospike_server(aerospike_server_options: dict[str, Any]) -> Iterator[DevServer | RealServer]:
    """The embedded server, or the server in AEROSPIKE_HOSTS. Has ``hosts`` and ``config``."""
    hosts = os.environ.get("AEROSPIKE_HOSTS", "").strip()
    if hosts:
        from ._real import RealServer

        yield RealServer(hosts)
        return
    from aerospike_py.testing import DevServer

    with DevServer(**aerospike_server_options) as server:
        yield server


@pytest.fixture(scope="session")
def aerospike_config(aerospike_server: DevServer | RealServer) -> ClientConfig:
    """The config of ``aerospike_client`` and ``aerospike_async_client``. Override it."""
    return {**aerospike_server.config}


@pytest.fixture(scope="session")
def aerospike_client(aerospike_config: ClientConfig) -> Iterator[Client]:
    """A connected client, shared by all tests."""
    import aerospike_py

    with aerospike_py.client(aerospike_config).connect() as client:
        yield client


@pytest.fixture(scope="session")
def aerospike_async_client(aerospike_config: ClientConfig) -> Iterator[AsyncClient]:
    """A connected async client, shared by all tests, for any asyncio event loop."""
    from aerospike_py import AsyncClient

    client = AsyncClient(aerospike_config)
    # Blocking: a client belongs to no event loop, and none is running yet.
    client._core.connect(None, None, None)
    yield client
    client._core.close()


@pytest.fixture(scope="session")
def aerospike_namespace() -> str:
    """The namespace of ``aerospike_set``. Override it."""
    return "test"


@pytest.fixture
def aerospike_set(aerospike_client: Client, aerospike_namespace: str) -> Iterator[str]:
    """The name of a set that no other test uses; it is truncated after the test."""
    name = f"t{uuid.uuid4().hex[:16]}"
    yield name
    if not aerospike_client.is_connected():
        pytest.fail("the test closed aerospike_client, which all tests share; make a client for this test")
    from aerospike_py.exception import RoleViolation

    try:
        aerospike_client.truncate(aerospike_namespace, name)
    except RoleViolation as error:
        # Without the name and the server's text: pytest then shows the warning once, with all tests.
        warning = f"the set of aerospike_set could not be truncated ({type(error).__name__})"
        warnings.warn(pytest.PytestWarning(warning), stacklevel=1)


@pytest.fixture
def aerospike_faults(
    aerospike_server: DevServer | RealServer,
    aerospike_client: Client,
    aerospike_async_client: AsyncClient,
    aerospike_set: str,  # requested, so that it is truncated after the faults are undone
) -> Iterator[Faults]:
    """Injects faults into the embedded server, and undoes them after the test."""
    from ._faults import Faults
    from ._real import RealServer

    if isinstance(aerospike_server, RealServer):
        pytest.skip("aerospike_faults needs the embedded server, but AEROSPIKE_HOSTS is set")
    faults = Faults(aerospike_server)
    yield faults
    faults.undo([aerospike_client, aerospike_async_client])


@pytest.fixture
def aerospike_make_server() -> Iterator[Callable[..., DevServer]]:
    """Starts embedded servers for one test. Takes the arguments of ``DevServer``."""
    from aerospike_py.testing import DevServer

    with ExitStack() as servers:
        yield lambda *args, **options: servers.enter_context(DevServer(*args, **options))
