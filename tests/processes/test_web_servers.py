"""Reads behind gunicorn and uvicorn: no wrong answer while workers restart or are killed under load."""

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

import pytest

import aerospike_py as aerospike
from aerospike_py.testing import DevServer
from tests.support import ROOT
from tests.support.network import free_port
from tests.support.optional import needs
from tests.support.waiting import eventually

USERS = 200

pytestmark = [
    pytest.mark.embedded,
    pytest.mark.skipif(sys.platform == "win32", reason="gunicorn needs fork, and the tests send signals"),
]


# A master that has its own client and reads with it before it forks and while its workers serve.
BUSY_MASTER = """
import threading

from examples.gunicorn_conf import *


def on_starting(server):
    import aerospike_py
    from examples import features_wsgi

    client = aerospike_py.client({"hosts": features_wsgi.hosts()}).connect()

    def read():
        while True:
            client.batch_read([("test", "features", 1)] * 10, _dtype=features_wsgi.DTYPE)

    threading.Thread(target=read, daemon=True).start()
"""


@pytest.fixture(scope="module")
def node():
    with DevServer() as server:
        with aerospike.client(server.config) as client:
            for user in range(USERS):
                client.put(("test", "features", user), {"score": user / 4})
        yield server


class Service:
    """A server process, and clients that put load on it and check every answer."""

    def __init__(self, arguments, node, port, log):
        self.port = port
        self.log = log
        self.wrong, self.broken, self.workers = [], [], []
        environment = {
            **os.environ,
            "FEATURES_HOSTS": ",".join(f"{host}:{port}" for host, port in node.hosts),
            "PYTHONUNBUFFERED": "1",
            # gunicorn puts its control socket there.
            "HOME": str(log.parent),
        }
        with log.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def ask(self):
        """Sends one request over a new connection; returns the process that answered it."""
        users = random.sample(range(USERS), 10)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(
                "GET", "/?" + "&".join(f"user={user}" for user in users), headers={"Connection": "close"}
            )
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        if response.status != 200:
            self.wrong.append((response.status, body))
            return None
        answer = json.loads(body)
        if answer["scores"] != [user / 4 for user in users]:
            self.wrong.append((users, answer))
        return answer["worker"]

    def wait_until_it_serves(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text()
            try:
                self.ask()
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
            else:
                return
        raise AssertionError(f"it does not serve: {self.log.read_text()}")

    def load(self, stop):
        while not stop.is_set():
            try:
                self.workers.append(self.ask())
            except (OSError, http.client.HTTPException) as error:  # noqa: PERF203
                self.broken.append(repr(error))
                time.sleep(0.01)

    def wait_for_new_workers(self, old):
        """Waits until a process that is not in `old` answers."""
        eventually(
            lambda: f"a new worker answers: {self.log.read_text()}",
            lambda: bool(set(self.workers) - old - {None}),
            60,
        )

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def end(self):
        """Kills what is left, however the test ended."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(20)


@pytest.fixture
def serve(node, tmp_path):
    services = []

    def start(*arguments, port):
        service = Service(arguments, node, port, tmp_path / "log.txt")
        services.append(service)
        service.wait_until_it_serves()
        return service

    yield start
    for service in services:
        service.end()


def exercise(service):
    """Under load: restarts all workers gracefully, kills one, stops the server."""
    stop = threading.Event()
    clients = [threading.Thread(target=service.load, args=(stop,)) for _ in range(4)]
    for client in clients:
        client.start()
    try:
        time.sleep(0.5)
        first = set(service.workers)
        service.process.send_signal(signal.SIGHUP)
        service.wait_for_new_workers(first)
        time.sleep(0.5)
        after_restart = len(service.broken)
        seen = set(service.workers)
        victim = next(worker for worker in reversed(service.workers) if worker not in first)
        os.kill(victim, signal.SIGKILL)
        service.wait_for_new_workers(seen)
        time.sleep(0.3)
    finally:
        stop.set()
        for client in clients:
            client.join(30)
    status = service.stop()
    log = service.log.read_text()
    assert service.wrong == []
    assert len(service.workers) > 50
    # A restart lets requests finish; a killed worker loses the requests it had accepted.
    assert after_restart <= 2, service.broken
    assert len(service.broken) <= 40, service.broken
    assert status == 0, log
    for word in ("Traceback", "panicked", "Fatal"):
        assert word not in log, log


@needs("gunicorn")
@pytest.mark.parametrize("kind", ["sync", "gthread"])
@pytest.mark.parametrize("preload", [False, True], ids=["", "preload"])
def test_gunicorn(serve, tmp_path, kind, preload):
    settings = tmp_path / "busy.conf.py"
    settings.write_text(BUSY_MASTER, encoding="utf-8")
    arguments = ["gunicorn", "-c", str(settings), "--worker-class", kind, "--graceful-timeout", "5"]
    if kind == "gthread":
        arguments += ["--threads", "4"]
    if preload:
        arguments.append("--preload")
    port = free_port()
    service = serve(
        *arguments, "--bind", f"127.0.0.1:{port}", "examples.features_wsgi:application", port=port
    )
    exercise(service)


@needs("uvicorn")
def test_uvicorn(serve):
    port = free_port()
    arguments = ["uvicorn", "--workers", "2", "--lifespan", "on", "--port", str(port), "--log-level", "info"]
    exercise(serve(*arguments, "examples.features_asgi:application", port=port))
