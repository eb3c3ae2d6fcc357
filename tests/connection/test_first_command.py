"""A client that is used without `connect()` connects at its first command, with both clients."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py import operations as op
from aerospike_py.batch import BatchRecords, Read
from aerospike_py.testing import DevServer
from tests.support.network import free_port

DTYPE = np.dtype([("a", "i8")])
ROW = np.array([(1, 5)], [("_key", "i8"), ("a", "i8")])
COMMANDS: dict[str, Any] = {
    "put": lambda client, key: client.put(key, {"a": 1}),
    "get": lambda client, key: client.get(key),
    "select": lambda client, key: client.select(key, ["a"]),
    "exists": lambda client, key: client.exists(key),
    "remove": lambda client, key: client.remove(key),
    "touch": lambda client, key: client.touch(key),
    "append": lambda client, key: client.append(key, "s", "x"),
    "increment": lambda client, key: client.increment(key, "a", 1),
    "remove_bin": lambda client, key: client.remove_bin(key, ["s"]),
    "operate": lambda client, key: client.operate(key, [op.read("a")]),
    "batch_read": lambda client, key: client.batch_read([key]),
    "batch_read into an array": lambda client, key: client.batch_read([key], _dtype=DTYPE),
    "batch_write": lambda client, key: client.batch_write(BatchRecords([Read(key, [op.read("a")])])),
    "batch_operate": lambda client, key: client.batch_operate([key], [op.read("a")]),
    "batch_remove": lambda client, key: client.batch_remove([key]),
    "batch_write_numpy": lambda client, key: client.batch_write_numpy(ROW, *key[:2]),
    "batch_write_arrow": lambda client, key: client.batch_write_arrow(
        pytest.importorskip("pyarrow").table({"id": [1], "a": [5]}), *key[:2], key="id"
    ),
    "info_all": lambda client, key: client.info_all("build"),
    "info_single_node": lambda client, key: client.info_single_node("build", "D1"),
    "info_random_node": lambda client, key: client.info_random_node("build"),
    "truncate": lambda client, key: client.truncate(*key[:2]),
    "query.results": lambda client, key: client.query(*key[:2]).results(),
    "query.foreach": lambda client, key: client.query(*key[:2]).foreach(lambda record: None),
    "query": lambda client, key: list(client.query(*key[:2])),
    "infer_dtype": lambda client, key: client.infer_dtype(*key[:2]),
}
EVERY_COMMAND = pytest.mark.parametrize("name", COMMANDS)


@pytest.fixture
def key(client, fresh_set):
    client.put(("test", fresh_set, 1), {"a": 5, "s": "x"})
    return ("test", fresh_set, 1)


class SilentPeer:
    """A port that accepts connections, counts them and says nothing."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.accepted: list[socket.socket] = []
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.accepted.append(self.listener.accept()[0])

    @property
    def config(self) -> dict[str, Any]:
        return {"hosts": [self.listener.getsockname()], "connect_timeout": 500}

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(5)
        for connection in self.accepted:
            connection.close()


@pytest.fixture
def silent() -> Iterator[SilentPeer]:
    peer = SilentPeer()
    yield peer
    peer.close()


@pytest.mark.embedded
@EVERY_COMMAND
def test_a_command_connects(face, config, key, name):
    client = face.client(config)
    assert not client.is_connected()
    assert "not connected" in repr(client)
    COMMANDS[name](client, key)
    assert client.is_connected()
    assert client.get_node_names() == ["D1"]
    assert client.connect() is client
    client.close()


@EVERY_COMMAND
def test_it_raises_what_connect_raises(face, key, name):
    port = free_port()
    client = face.client({"hosts": [("127.0.0.1", port)]})
    with pytest.raises(aerospike.ConnectionError) as by_connect:
        client.connect()
    with pytest.raises(aerospike.ConnectionError, match=rf"127\.0\.0\.1:{port}: .*refused") as by_command:
        COMMANDS[name](client, key)
    assert type(by_command.value) is type(by_connect.value)
    assert (by_command.value.code, by_command.value.in_doubt) == (-10, False)
    assert isinstance(by_command.value.__cause__, ConnectionRefusedError)
    assert not client.is_connected()


@EVERY_COMMAND
def test_a_closed_client_stays_closed(face, config, key, name):
    client = face.client(config)
    client.close()
    with pytest.raises(aerospike.ClientError, match="the client is closed"):
        COMMANDS[name](client, key)
    assert not client.is_connected()
    client.connect()
    COMMANDS[name](client, key)
    client.close()


def test_wrong_arguments_are_refused_before_it_connects(face, config):
    client = face.client(config)
    for call in (
        lambda: client.get(5),
        lambda: client.put(("test", "s", 1), None),
        lambda: client.batch_read(5),
        lambda: client.batch_read([("test", "s", 1)], _dtype=[("a", "U4")]),
        lambda: client.info_single_node("build", None),
    ):
        with pytest.raises(TypeError):
            call()
        assert not client.is_connected()


@pytest.mark.embedded
def test_a_refused_login(face):
    with DevServer(users={"ann": "right"}) as server:
        client = face.client({**server.config, "user": "ann", "password": "wrong"})
        for _ in range(2):
            with pytest.raises(aerospike.InvalidCredential, match="ann") as caught:
                client.get(("test", "s", 1))
            assert "wrong" not in str(caught.value)
        right = face.client({**server.config, "user": "ann", "password": "right"})
        assert right.exists(("test", "s", 1)).meta is None


@pytest.mark.embedded
def test_a_later_command_tries_again(face, own_node, fresh_set):
    client = face.client(own_node.config)
    own_node.kill(0)
    with pytest.raises(aerospike.ConnectionError):
        client.put(("test", fresh_set, 1), {"a": 1})
    own_node.restart(0)
    client.put(("test", fresh_set, 1), {"a": 1})
    assert client.get(("test", fresh_set, 1)).bins == {"a": 1}


def test_a_client_without_connect_in_a_with_statement(face, config, key):
    with face.client(config) as client:
        assert client.is_connected()
        assert client.get(key).bins["a"] == 5
    with pytest.raises(aerospike.ClientError, match="closed"):
        client.get(key)


def test_methods_that_send_nothing(config):
    client = aerospike.client(config)
    with pytest.raises(aerospike.ClientError, match="not connected yet"):
        client.stats()
    assert client.get_node_names() != []  # connects: the official client knows its nodes from the start
    assert client.stats().nodes
    client.close()
    with pytest.raises(aerospike.ClientError, match="closed"):
        client.get_node_names()
    for method in (aerospike.AsyncClient(config).stats, aerospike.AsyncClient(config).get_node_names):
        with pytest.raises(aerospike.ClientError, match="not connected yet"):
            method()


def test_many_threads_connect_once(silent):
    client = aerospike.client(silent.config)
    errors: list[BaseException] = []
    barrier = threading.Barrier(20)

    def work() -> None:
        barrier.wait()
        try:
            client.get(("test", "s", 1))
        except aerospike.AerospikeError as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(20)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - started < 5
    assert len(errors) == 20
    assert {type(error) for error in errors} == {aerospike.ConnectionError}
    assert len({str(error) for error in errors}) == 1  # the outcome of one connect
    assert len(silent.accepted) == 1


def test_many_tasks_connect_once_and_do_not_block_the_loop(silent):
    async def main() -> None:
        client = aerospike.AsyncClient(silent.config)
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticking = asyncio.create_task(tick())
        calls = (client.get(("test", "s", number)) for number in range(50))
        errors = await asyncio.gather(*calls, return_exceptions=True)
        ticking.cancel()
        assert {type(error) for error in errors} == {aerospike.ConnectionError}
        assert len(silent.accepted) == 1
        assert ticks > 20
        assert not client.is_connected()

    asyncio.run(main())


def test_threads_and_tasks_that_connect(face, config, key):
    client = face.client(config)
    results: list[Any] = []
    threads = [threading.Thread(target=lambda: results.append(client.get(key).bins["a"])) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [5] * 10
    client.close()


@pytest.mark.embedded
def test_a_cancelled_first_command(own_node):
    key = ("test", "s", 1)

    async def main() -> None:
        config: Any = {**own_node.config, "connect_timeout": 10_000}
        client = aerospike.AsyncClient(config)
        own_node.pause(0)
        task = asyncio.create_task(client.get(key))
        waiting = asyncio.create_task(client.exists(key))
        await asyncio.sleep(0.1)
        started = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(client.get(key), 0.05)
        assert time.monotonic() - started < 2
        assert not client.is_connected()
        own_node.resume(0)
        # The connect went on for the others.
        assert (await waiting).meta is None
        assert (await client.exists(key)).meta is None
        await client.close()

    asyncio.run(main())


def test_a_client_that_is_closed_while_it_connects(face, silent, key):
    client = face.client({**silent.config, "connect_timeout": 1000})
    closing = threading.Timer(0.2, client.close)
    closing.start()
    with pytest.raises(aerospike.ClientError):
        client.get(key)
    closing.join()
    with pytest.raises(aerospike.ClientError, match="the client is closed"):
        client.get(key)
    assert not client.is_connected()


@pytest.mark.embedded
def test_the_commands_own_timeout_begins_after_connecting(face, own_node):
    client = face.client({**own_node.config, "connect_timeout": 10_000})
    own_node.pause(0)
    resuming = threading.Timer(0.4, own_node.resume, (0,))
    resuming.start()
    assert client.exists(("test", "s", 1), {"total_timeout": 200}).meta is None
    resuming.join()
    client.close()
