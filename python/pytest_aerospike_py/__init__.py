"""A pytest plugin: Aerospike in tests, without a server to set up.

It is active wherever the package is installed; nothing has to be imported:

    def test_feature(aerospike_client, aerospike_set):
        key = ("test", aerospike_set, "ada")
        aerospike_client.put(key, {"visits": 1})
        assert aerospike_client.get(key).bins == {"visits": 1}

``aerospike_server`` (session)
    the embedded node, started when the first test asks for it; with the environment variable
    ``AEROSPIKE_HOSTS=host:port[,host:port...]`` the server that it names.
``aerospike_server_options`` (session)
    arguments of :class:`aerospike_py.testing.DevServer` for that node: ``{}``; override it.
``aerospike_config`` (session)
    what ``aerospike_py.client()`` takes to reach it. ``AEROSPIKE_USER`` and ``AEROSPIKE_PASSWORD`` are in it
    where ``AEROSPIKE_HOSTS`` is set. Override it for TLS or policies.
``aerospike_client``, ``aerospike_async_client`` (session)
    a connected :class:`~aerospike_py.Client`, a connected :class:`~aerospike_py.AsyncClient`. All tests share
    them: a test that closes one makes its own. The async client may be awaited in any event loop of asyncio,
    so it does not matter which plugin runs the test (pytest-asyncio, anyio, or ``asyncio.run`` in it).
``aerospike_namespace`` (session)
    ``"test"``; override it where the server has another one.
``aerospike_set``
    the name of a set that no other test uses, in ``aerospike_namespace``; truncated after the test.
``aerospike_faults``
    :class:`Faults`: lets things go wrong at the embedded node, and puts all right again after the test. Where
    ``AEROSPIKE_HOSTS`` is set such tests are skipped.
``aerospike_make_server``
    starts embedded nodes for this test alone: ``aerospike_make_server(nodes=3)``.

Under pytest-xdist each worker has a node of its own; a server of ``AEROSPIKE_HOSTS`` is shared. Such a server
takes 4,095 sets for each namespace, and keeps the names of truncated ones.
"""

# This stands beside the package and not in it: pytest imports plugins at each start, and the package is
# imported with its native module. It is imported here when a test asks for a fixture.

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
    """Arguments of ``DevServer`` for ``aerospike_server``; override it."""
    return {}


@pytest.fixture(scope="session")
def aerospike_server(aerospike_server_options: dict[str, Any]) -> Iterator[DevServer | RealServer]:
    """The embedded node, or the server of AEROSPIKE_HOSTS; has ``hosts`` and ``config``."""
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
    """The config of ``aerospike_client`` and ``aerospike_async_client``; override it."""
    return {**aerospike_server.config}


@pytest.fixture(scope="session")
def aerospike_client(aerospike_config: ClientConfig) -> Iterator[Client]:
    """A connected client, shared by all tests."""
    import aerospike_py

    with aerospike_py.client(aerospike_config).connect() as client:
        yield client


@pytest.fixture(scope="session")
def aerospike_async_client(aerospike_config: ClientConfig) -> Iterator[AsyncClient]:
    """A connected async client, shared by all tests, for any event loop of asyncio."""
    from aerospike_py import AsyncClient

    client = AsyncClient(aerospike_config)
    # Waited for, not awaited: a client belongs to no loop, and here is none yet.
    client._core.connect(None, None, None)
    yield client
    client._core.close()


@pytest.fixture(scope="session")
def aerospike_namespace() -> str:
    """The namespace of ``aerospike_set``; override it."""
    return "test"


@pytest.fixture
def aerospike_set(aerospike_client: Client, aerospike_namespace: str) -> Iterator[str]:
    """The name of a set that no other test uses; truncated after the test."""
    name = f"t{uuid.uuid4().hex[:16]}"
    yield name
    if not aerospike_client.is_connected():
        pytest.fail("the test has closed aerospike_client, which all tests share: let it make its own")
    from aerospike_py.exception import RoleViolation

    try:
        aerospike_client.truncate(aerospike_namespace, name)
    except RoleViolation as error:
        warnings.warn(pytest.PytestWarning(f"the records of set {name!r} stay: {error}"), stacklevel=1)


@pytest.fixture
def aerospike_faults(
    aerospike_server: DevServer | RealServer,
    aerospike_client: Client,
    aerospike_async_client: AsyncClient,
    aerospike_set: str,  # its truncation comes after the faults have been undone
) -> Iterator[Faults]:
    """Lets things go wrong at the embedded node; all is put right after the test."""
    from ._faults import Faults
    from ._real import RealServer

    if isinstance(aerospike_server, RealServer):
        pytest.skip("aerospike_faults needs the embedded node, and AEROSPIKE_HOSTS names a server")
    faults = Faults(aerospike_server)
    yield faults
    faults.undo([aerospike_client, aerospike_async_client])


@pytest.fixture
def aerospike_make_server() -> Iterator[Callable[..., DevServer]]:
    """Starts embedded nodes for this test alone; takes ``DevServer``'s arguments."""
    from aerospike_py.testing import DevServer

    with ExitStack() as servers:
        yield lambda *args, **options: servers.enter_context(DevServer(*args, **options))
