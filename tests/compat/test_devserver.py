"""The embedded node as a program and as a context manager."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys

import pytest

from aerospike_py.testing import DevServer
from tests.support.network import ask, free_port
from tests.support.waiting import eventually

pytestmark = pytest.mark.embedded

PROGRAM = [sys.executable, "-m", "aerospike_py.devserver"]


def test_a_context_manager():
    server = DevServer(nodes=2, namespaces=["one", "two"], options=["--cluster-name", "mine"])
    assert repr(server) == "<DevServer, not running>"
    with server:
        first, second = server.hosts
        assert server.config == {"hosts": [first, second]}
        assert repr(server) == f"<DevServer at 127.0.0.1:{first[1]}, 127.0.0.1:{second[1]}>"
        assert ask(first, "namespaces") == "one;two"
        assert ask(second, "cluster-name") == "mine"
        with pytest.raises(RuntimeError, match="already running"):
            server.start()
    assert ask(first, "node") is None
    with pytest.raises(RuntimeError, match="not running"):
        _ = server.hosts
    server.stop()
    # It can be started again, empty.
    with server:
        assert ask(server.hosts[0], "namespaces") == "one;two"


def test_faults():
    with DevServer(nodes=2) as server:
        first, second = server.hosts
        server.kill(1)
        assert ask(second, "node") is None
        assert ask(first, "peers-clear-std").endswith(",[]")
        for order, why in (
            (lambda: server.kill(1), "node 1 is dead"),
            (lambda: server.pause(1), "node 1 is dead"),
            (lambda: server.restart(0), "node 0 is alive"),
            (lambda: server.resume(7), "there is no node 7: the cluster has 2"),
        ):
            with pytest.raises(RuntimeError, match=why):
                order()
        server.restart(1)
        assert ask(second, "node") == "D2"
        server.pause(0)
        with socket.create_connection(first, timeout=0.2) as connection:
            connection.sendall(b"\x02\x01\0\0\0\0\0\5node\n")
            with pytest.raises(TimeoutError):
                connection.recv(100)
            server.resume(0)
            connection.settimeout(10)
            assert connection.recv(100).endswith(b"node\tD1\n")
        before = int(ask(first, "namespace/test").split("current_time=")[1].split(";")[0])
        server.advance(1000)
        assert int(ask(first, "namespace/test").split("current_time=")[1].split(";")[0]) >= before + 1000


def settings_of(text):
    return dict(setting.split("=", 1) for setting in text.split(";"))


def test_suites_ask_for_the_configuration():
    with DevServer(nodes=2, options=["--default-ttl", "77", "--cluster-name", "mine"]) as server:
        host, port = server.hosts[0]
        namespace = settings_of(ask((host, port), "get-config:context=namespace;id=test"))
        assert namespace == settings_of(ask((host, port), "get-config:context=namespace;namespace=test"))
        assert (namespace["default-ttl"], namespace["nsup-period"]) == ("77", "10")
        assert (namespace["replication-factor"], namespace["strong-consistency"]) == ("2", "false")
        assert namespace["storage-engine"] == "memory"
        # The statistics of a namespace contain its settings.
        assert namespace.items() <= settings_of(ask((host, port), "namespace/test")).items()
        service = settings_of(ask((host, port), "get-config:context=service"))
        assert (service["cluster-name"], service["batch-max-requests"]) == ("mine", "0")
        network = settings_of(ask((host, port), "get-config:context=network"))
        assert network == {"service.address": host, "service.port": str(port)}
        for command in ("get-config", "get-config:"):
            assert settings_of(ask((host, port), command)) == {**service, **network}
        assert ask((host, port), "logs") == "0:stderr"
        for command, answer in (
            ("get-config:context=namespace;id=none", "ERROR:20:namespace not found on node"),
            ("get-config:context=namespace", "ERROR:20:missing 'namespace'"),
            ("get-config:id=test", "ERROR:4:missing 'context'"),
            ("get-config:context=xdr;dc=none", "ERROR:4:unrecognized command"),
            ("set-config:context=namespace;id=test;nsup-period=5", "ERROR:4:unrecognized command"),
            ("log/0", "ERROR:4:unrecognized command"),
        ):
            assert ask((host, port), command) == answer


def test_what_cannot_start_says_why():
    with pytest.raises(TypeError, match=r"nodes is '3' \(str\); it must be an int"):
        DevServer(nodes="3")
    with pytest.raises(ValueError, match="nodes is 0; it must be at least 1"):
        DevServer(nodes=0)
    with pytest.raises(TypeError, match="sequence of names"):
        DevServer(namespaces="test")
    for settings, why in (
        ({"namespaces": ["a;b"]}, "is not a namespace name"),
        ({"host": "203.0.113.7"}, "cannot listen on 203.0.113.7"),
        ({"options": ["--no-such-option"]}, "unknown option --no-such-option"),
    ):
        with pytest.raises(RuntimeError, match=why):
            DevServer(**settings).start()


def test_a_process_that_dies_is_noticed():
    server = DevServer().start()
    server._running._popen.kill()
    with pytest.raises(RuntimeError, match="has ended"):
        server.pause(0)
    server.stop()


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_program(ending):
    port = free_port()
    program = subprocess.Popen([*PROGRAM, "--port", str(port)], stdout=subprocess.PIPE, text=True)
    with program:
        assert program.stdout.readline() == f"listening on 127.0.0.1:{port}\n"
        assert ask(("127.0.0.1", port), "namespaces") == "test;bar"
        program.send_signal(ending)
        assert program.wait(10) == 0


def test_a_program_ends_with_its_standard_input():
    command = [*PROGRAM, "--port", "0", "--nodes=3", "--exit-with-stdin"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        lines = [program.stdout.readline() for _ in range(3)]
        assert all(line.startswith("listening on 127.0.0.1:") for line in lines)
        for order, answer in (
            ("kill 2", "ok kill 2"),
            ("kill 2", "error kill 2: node 2 is dead"),
            ("explode", "error explode: a control command is a word and its arguments; see --help"),
            ("fault 0 late 250 command=batch times=1", "ok fault 0 late 250 command=batch times=1"),
            ("explode 1", "error explode 1: unknown control command; see --help"),
        ):
            program.stdin.write(f"{order}\n")
            program.stdin.flush()
            assert program.stdout.readline() == f"{answer}\n"
        program.stdin.close()
        assert program.wait(10) == 0


def test_a_node_ends_with_a_parent_that_is_killed():
    code = """if True:
        import time
        from aerospike_py.testing import DevServer
        print(DevServer().start().hosts[0][1], flush=True)
        time.sleep(60)
    """
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        address = ("127.0.0.1", int(parent.stdout.readline()))
        assert ask(address, "node") == "D1"
        parent.kill()
        eventually("the node ends", lambda: ask(address, "node") is None, 10)
