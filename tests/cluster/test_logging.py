"""The log messages of a cluster, and their cost when no handler wants them."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

import aerospike_py as aerospike
from aerospike_py._utils import log
from aerospike_py.testing import DevServer
from tests.support.processes import end_of, pause_when_connected, start
from tests.support.waiting import eventually

pytestmark = pytest.mark.embedded

KEYS = [("test", "log", number) for number in range(200)]


@pytest.fixture
def cluster():
    with DevServer(nodes=3, failure_detection=1.5) as server:
        yield server


def connected(face, server, **settings):
    return face.connect({**server.config, "tend_interval": 100, "connect_timeout": 300, **settings})


def wait_for_message(caplog, client, text):
    """Waits for a message, which the next call of the client fetches."""

    def is_logged():
        client.is_connected()
        return any(text in message for message in caplog.messages)

    eventually(lambda: f"{text!r} in {caplog.messages}", is_logged, 10)


def test_nodes_that_join_hang_answer_and_leave(face, cluster, caplog):
    caplog.set_level(logging.INFO, "aerospike_py")
    with connected(face, cluster) as client:
        address = "{}:{}".format(*cluster.hosts[2])
        wait_for_message(caplog, client, f"node D3 ({address}) joined")
        cluster.pause(2)
        wait_for_message(caplog, client, f"node D3 ({address}) is avoided: it failed a check: no answer")
        cluster.resume(2)
        wait_for_message(caplog, client, f"node D3 ({address}) answers again")
        cluster.kill(2)
        wait_for_message(caplog, client, f"node D3 ({address}) left")
    levels = {record.levelname for record in caplog.records if "is avoided" in record.message}
    assert levels == {"WARNING"}
    assert {record.name for record in caplog.records} == {"aerospike_py"}


def test_commands_log_the_faults_they_meet(face, cluster, caplog):
    caplog.set_level(logging.DEBUG, "aerospike_py")
    with connected(face, cluster, max_error_rate=2, error_rate_window=100) as client:
        client.batch_read(KEYS)
        cluster.inject("close", 1, command="batch")
        client.batch_read(KEYS)
        once = {"replica": aerospike.POLICY_REPLICA_MASTER, "max_retries": 0}
        for _ in range(5):
            with pytest.warns(RuntimeWarning, match="rows of the batch failed"):
                client.batch_read(KEYS, None, once)
        wait_for_message(caplog, client, "is avoided: a connection failed")
        wait_for_message(caplog, client, "failed more than 2 times")
        wait_for_message(caplog, client, " rows at node")
        cluster.clear_faults()
        cluster.inject("code", command="read", code=18, times=1)
        client.exists(KEYS[0])
        wait_for_message(caplog, client, "with code 18; retrying")


def test_a_cluster_without_a_node_that_answers(face, cluster, caplog):
    with connected(face, cluster) as client:
        for node in range(3):
            cluster.kill(node)
        wait_for_message(caplog, client, "no node of the cluster answers")


def test_records_carry_the_time_of_the_event(face, cluster, caplog):
    caplog.set_level(logging.INFO, "aerospike_py")
    with connected(face, cluster) as client:
        before = time.time()
        cluster.pause(0)
        time.sleep(1.2)
        after = time.time()
        client.is_connected()
        [record] = [record for record in caplog.records if "is avoided" in record.message]
        assert before <= record.created <= after - 0.3
        assert abs(record.created % 1 * 1000 - record.msecs) < 2


def test_no_record_is_created_without_a_handler(face, cluster, caplog, monkeypatch):
    caplog.set_level(logging.ERROR, "aerospike_py")
    monkeypatch.setattr(log.logger, "makeRecord", lambda *args: pytest.fail("a record was made"))
    with connected(face, cluster) as client:
        cluster.pause(1)
        time.sleep(0.8)
        client.batch_read(KEYS)
    assert caplog.records == []


def test_retries_are_logged_at_debug_level_only(face, cluster, caplog):
    caplog.set_level(logging.INFO, "aerospike_py")
    with connected(face, cluster) as client:
        cluster.inject("code", command="read", code=18, times=1)
        client.exists(KEYS[0])
        caplog.set_level(logging.DEBUG, "aerospike_py")
        client.is_connected()
    assert not any("; retrying" in message for message in caplog.messages)


def test_a_handler_that_uses_the_client_or_fails(face, cluster, monkeypatch):
    seen = []
    unraisable = []
    monkeypatch.setattr("sys.unraisablehook", unraisable.append)

    class Handler(logging.Handler):
        def handle(self, record):
            # Not through the loop: this may run in it.
            seen.append((record.getMessage(), getattr(client, "async_client", client).is_connected()))
            raise RuntimeError("of the handler")

    handler = Handler()
    log.logger.addHandler(handler)
    level = log.logger.level
    log.logger.setLevel(logging.INFO)
    try:
        client = face.client({**cluster.config, "tend_interval": 100})
        with client:
            assert client.is_connected()
    finally:
        log.logger.removeHandler(handler)
        log.logger.setLevel(level)
    assert len([message for message, _ in seen if "joined" in message]) == 3
    assert {type(caught.exc_value) for caught in unraisable} == {RuntimeError}


def test_passwords_are_not_logged(face, caplog):
    caplog.set_level(logging.DEBUG)
    user = {"user": "ann", "password": "very secret"}
    with DevServer(users={"ann": "very secret"}) as server, connected(face, server, **user) as client:
        client.exists(KEYS[0])
        server.pause(0)
        time.sleep(0.8)
        client.is_connected()
        server.resume(0)
    assert "is avoided" in caplog.text
    assert "secret" not in caplog.text


def test_nothing_is_printed_without_logging():
    with DevServer() as server:
        process = start(
            """
            client = aerospike.client({**config, "tend_interval": 50, "connect_timeout": 200}).connect()
            print("connected")
            sys.stdin.readline()
            time.sleep(0.6)
            print(client.is_connected(), client.stats().suspects)
            """,
            server,
        )
        pause_when_connected(process, server)
        code, out, err = end_of(process)
    assert (code, out, err) == (0, "False ['D1']\n", "")


# ---------------------------------------------------------------- clients that make no calls


def watcher_threads():
    return [thread for thread in threading.enumerate() if thread.name == "aerospike_py-log"]


def test_an_idle_client_logs_a_node_that_stops(face, cluster, caplog):
    caplog.set_level(logging.INFO, "aerospike_py")
    with connected(face, cluster):
        cluster.kill(2)
        killed = time.time()
        # No call of the client from here on.
        eventually(
            lambda: caplog.messages, lambda: any("node D3" in m and "left" in m for m in caplog.messages), 10
        )
        [record] = [record for record in caplog.records if "left" in record.message]
        assert killed - 0.1 <= record.created <= time.time()
        assert record.threadName == "aerospike_py-log"


def test_logging_may_be_set_up_after_the_connect(cluster):
    """An idle client, whose program sets up logging late. The thread ends with the last client."""
    code = f"""
import logging, sys, threading, time
import aerospike_py

def threads():
    return [thread.name for thread in threading.enumerate() if thread.name == "aerospike_py-log"]

print(threads())
config = {{**{dict(cluster.config)!r}, "tend_interval": 100}}
client = aerospike_py.client(config).connect()
print(threads())
logging.basicConfig(level=logging.INFO)
# No call of the client from here on.
print("ready", flush=True)
sys.stdin.readline()
client.close()
del client
end = time.monotonic() + 10
while threads() and time.monotonic() < end:
    time.sleep(0.05)
print(threads())
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    logged = []
    reader = threading.Thread(target=lambda: logged.extend(iter(process.stderr.readline, "")))
    reader.start()
    try:
        lines = [process.stdout.readline().strip() for _ in range(3)]
        assert lines == ["[]", "['aerospike_py-log']", "ready"]
        cluster.kill(2)
        eventually(lambda: logged, lambda: any("node D3" in line and "left" in line for line in logged), 20)
        process.stdin.write("\n")
        process.stdin.close()
        assert (process.stdout.read(), process.wait(20)) == ("[]\n", 0)
    finally:
        process.kill()
        process.wait(20)
        reader.join(20)
        process.stdout.close()
        process.stderr.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_forked_child_logs_by_itself(cluster):
    code = f"""
import logging, os, time
import aerospike_py

logging.basicConfig(level=logging.INFO, format="%(process)d %(message)s")
config = {{**{dict(cluster.config)!r}, "tend_interval": 100}}
parent = aerospike_py.client(config).connect()
if os.fork() == 0:
    child = aerospike_py.client(config).connect()
    print(os.getpid(), flush=True)
    time.sleep(30)
os.wait()
"""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(iter(process.stderr.readline, "")))
    reader.start()
    try:
        child = process.stdout.readline().strip()
        cluster.kill(2)
        # The parent waits in os.wait(), the child sleeps: both log without a call.
        for who in (child, str(process.pid)):
            eventually(
                lambda: lines, lambda who=who: any(f"{who} node D3" in x and "left" in x for x in lines), 20
            )
    finally:
        os.kill(int(child), signal.SIGKILL)
        process.wait(20)
        reader.join(20)
        process.stdout.close()
        process.stderr.close()


def test_a_handler_that_fails_in_the_thread_does_not_end_it(face, cluster, monkeypatch):
    seen, failures = [], []
    monkeypatch.setattr(threading, "excepthook", failures.append)

    class Handler(logging.Handler):
        def handle(self, record):
            seen.append(record.getMessage())
            raise ValueError("of the handler")

    handler = Handler()
    with connected(face, cluster):
        log.logger.addHandler(handler)
        level = log.logger.level
        log.logger.setLevel(logging.INFO)
        try:
            log.watcher.start()
            cluster.pause(0)
            eventually(lambda: seen, lambda: any("is avoided" in message for message in seen), 10)
            cluster.resume(0)
            eventually(lambda: seen, lambda: any("answers again" in message for message in seen), 10)
        finally:
            log.logger.removeHandler(handler)
            log.logger.setLevel(level)
    assert {type(failure.exc_value) for failure in failures} == {ValueError}
