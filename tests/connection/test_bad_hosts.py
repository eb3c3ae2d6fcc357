"""Hosts that are down or no Aerospike nodes: a clear, typed error in bounded time, with both clients."""

import contextlib
import socket
import threading
import time

import pytest

import aerospike_py as aerospike
from tests.support.network import free_port


@contextlib.contextmanager
def peer(answer=None):
    """A port that accepts connections and sends `answer` to any request, or nothing without one."""
    listener = socket.create_server(("127.0.0.1", 0))
    accepted = []

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            accepted.append(connection)
            if answer is not None:
                with contextlib.suppress(OSError):
                    connection.recv(1000)
                    connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()
    finally:
        # Closing alone would leave the thread in accept().
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
        for connection in accepted:
            connection.close()


def fails(face, hosts, message, kind=aerospike.ClientError, within=5.0, **config):
    client = face.client({"hosts": hosts, "connect_timeout": 500, **config})
    started = time.perf_counter()
    with pytest.raises(kind, match=message) as caught:
        client.connect()
    assert time.perf_counter() - started < within
    assert not client.is_connected()
    return caught.value


def test_a_refused_connection(face):
    port = free_port()
    error = fails(face, [("127.0.0.1", port)], rf"127\.0\.0\.1:{port}.*refused", aerospike.ConnectionError)
    assert error.code == -10
    assert isinstance(error, ConnectionError)


def test_every_host_is_named(face):
    first, second = free_port(), free_port()
    error = fails(face, [("127.0.0.1", first), ("127.0.0.1", second)], "refused")
    assert str(first) in str(error)
    assert str(second) in str(error)


def test_a_name_that_does_not_resolve(face):
    fails(face, [("no-such-host.invalid", 3000)], r"no-such-host\.invalid", within=20)


def test_a_port_that_accepts_and_says_nothing(face):
    with peer() as (host, port):
        fails(face, [(host, port)], f"{port}")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
        b"-ERR unknown command\r\n",
        b"\x02\x01\xff\xff\xff\xff\xff\xff",
        b"\x02\x01\x00\x00\x00\x00\x00\x05node\n",
        b"\x02\x01\x00\x00\x00\x00\x00\x05\xff\xfe\xfd\xfc\xfb",
        b"\x02\x03\x00\x00\x00\x00\x00\x01\x00",
    ],
    ids=["http", "redis", "huge frame", "no answers", "not text", "not info"],
)
def test_a_port_that_speaks_another_protocol(face, answer):
    with peer(answer) as (host, port):
        fails(face, [(host, port)], f"{port}")


def test_the_message_says_that_it_is_another_protocol(face):
    with peer(b"HTTP/1.1 400 Bad Request\r\n\r\n") as (host, port):
        fails(face, [(host, port)], "does not speak the Aerospike protocol")


def test_a_good_host_behind_bad_ones(face, config, fresh_set):
    with peer() as silent, peer(b"HTTP/1.1 400 Bad Request\r\n\r\n") as web:
        hosts = [("127.0.0.1", free_port()), silent, web, *config["hosts"]]
        with face.client({"hosts": hosts, "connect_timeout": 500}) as client:
            client.put(("test", fresh_set, 1), {"x": 1})
            assert client.get(("test", fresh_set, 1)).bins == {"x": 1}


def test_another_cluster(face, config):
    fails(face, config["hosts"], "no-such-cluster", cluster_name="no-such-cluster")


@pytest.mark.embedded
def test_a_node_that_hangs_ends_calls_by_their_timeout(face):
    from aerospike_py.testing import DevServer

    with DevServer() as server, face.connect(server.config) as client:
        keys = [("test", "s", number) for number in range(100)]
        client.batch_read(keys)
        server.pause(0)
        for call in (
            lambda: client.get(keys[0], {"total_timeout": 300}),
            lambda: client.put(keys[0], {"x": 1}, policy={"total_timeout": 300}),
            lambda: client.batch_read(keys, policy={"total_timeout": 300}),
            lambda: client.batch_read(keys, policy={"total_timeout": 300}, _dtype=[("x", "i8")]),
        ):
            started = time.perf_counter()
            with pytest.raises(aerospike.TimeoutError) as caught:
                call()
            assert 0.25 < time.perf_counter() - started < 1.0
            assert isinstance(caught.value, TimeoutError)
            assert caught.value.code == 9
        with pytest.raises(aerospike.TimeoutError) as caught:
            client.put(keys[0], {"x": 1}, policy={"total_timeout": 300})
        assert caught.value.in_doubt
        server.resume(0)
        assert client.batch_read(keys).batch_records[1].result == 2


@pytest.mark.embedded
def test_a_node_that_dies_and_comes_back(face):
    from aerospike_py.testing import DevServer

    with DevServer() as server, face.connect(server.config) as client:
        keys = [("test", "s", number) for number in range(100)]
        client.put(keys[0], {"x": 1})
        server.kill(0)
        with pytest.raises(aerospike.AerospikeError):
            client.batch_read(keys, _dtype=[("x", "i8")])
        server.restart(0)
        deadline = time.monotonic() + 10
        while True:
            try:
                codes = client.batch_read(keys, _dtype=[("x", "i8")]).result_codes
                break
            except aerospike.AerospikeError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        assert codes[1] == 2
