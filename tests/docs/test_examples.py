"""The examples run, each as its user would run it."""

import http.client
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client.parser import text_string_to_metric_families

from aerospike_py.testing import DevServer
from tests.support import ROOT
from tests.support.network import free_port
from tests.support.optional import needs

pytestmark = pytest.mark.embedded


def run(*arguments, environment=None):
    """Runs Python with these arguments, checks that it succeeds, and returns its output."""
    answer = subprocess.run(
        [sys.executable, "-W", "error", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def test_demo():
    assert "1000 of 1001" in run("examples/demo.py")


def test_the_example_of_the_bindings_readme():
    text = (ROOT / "crates/py-bindings/README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert run("-c", block) == "[(21.5,)]\n"


def test_nearest_neighbours():
    text = run("examples/nearest_neighbours.py")
    assert "5002 candidates" in text
    assert re.search(r"document +42 ", text)


@needs("pandas", "matplotlib")
def test_sensors_to_pandas(tmp_path):
    path = tmp_path / "plot.png"
    # pandas and matplotlib cause warnings.
    text = run(
        "-W", "default", "examples/sensors_pandas.py", path, environment={"MPLCONFIGDIR": str(tmp_path)}
    )
    assert "71 of 72 readings found" in text
    rome = next(line.split() for line in text.splitlines() if line.startswith("Rome"))
    assert rome[1] == "24", "temperatures"
    assert rome[4] == "13", "hours with a hygrometer"
    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_data_loader():
    text = run("examples/data_loader.py")
    assert "12288 samples read into 2 buffers" in text


@needs("fastapi", "uvicorn")
def test_the_feature_service(tmp_path):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with DevServer() as server:
        environment = {"FEATURES_HOSTS": ",".join(f"{host}:{port}" for host, port in server.hosts)}
        load = ("-m", "examples.feature_service.load")
        assert "wrote 100 users, and 500 items with their trends" in run(
            *load, "fill", "--users=100", "--items=500", environment=environment
        )
        log = tmp_path / "log"
        with log.open("w") as output:
            service = subprocess.Popen(
                [sys.executable, "-m", "uvicorn", "examples.feature_service.app:app", f"--port={port}"],
                cwd=ROOT,
                env={**os.environ, **environment},
                stdout=output,
                stderr=output,
            )
        try:
            deadline = time.monotonic() + 40
            while "Application startup complete" not in log.read_text():
                assert service.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
            sizes = ("--users=100", "--items=500", "--in-flight", "1", "4")
            lines = run(*load, "ask", "--url", url, "--seconds=0.5", *sizes).splitlines()
            assert re.match(r"1 in flight: [1-9]\d* answers, 0 failed", lines[0])
            assert re.match(r"4 in flight: [1-9]\d* answers, 0 failed", lines[1])
            answer = get(url, "/scores?user=1&item=1&item=100000&item=2")
            assert answer["unknown"] == [100000]
            assert sorted(row["item"] for row in answer["scores"]) == [1, 2]
            assert get(url, "/scores?user=100000&item=1", status=404)["detail"] == "there is no user 100000"
            records = get(url, "/features?user=1&item=4&item=100000")
            assert records["feature_users"]["age"] == [21]
            assert records["feature_items"]["price"] == [2.0, None]
            assert get(url, "/readyz") == {"status": "ready"}
            assert get(url, "/healthz") == {"status": "ok"}
            text = get(url, "/metrics")
            families = {family.name: family for family in text_string_to_metric_families(text)}
            numbers = dict(line.rsplit(" ", 1) for line in text.splitlines())
            assert int(numbers['feature_requests_total{status="200"}']) > 1
            assert numbers['feature_requests_total{status="404"}'] == "1"
            assert numbers["feature_requests_in_flight"] == "0"
            assert int(numbers['feature_records_total{outcome="missing"}']) >= 3
            # What the client counts is there as well, and Prometheus can read all of it.
            assert "feature_request_seconds" in families
            assert all(family.documentation for family in families.values())
            calls = families["aerospike_client_command_duration_seconds"].samples
            assert any(sample.labels["command"] == "batch_read" for sample in calls), calls
        finally:
            service.terminate()
            service.wait(20)
        assert "Application shutdown complete" in log.read_text()


@needs("fastapi", "uvicorn")
def test_the_feature_service_starts_fails_and_stops(tmp_path):
    """It waits for the database, says when it is gone, and answers the requests in flight before it stops."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = tmp_path / "log"
    with DevServer() as server, log.open("w") as output:
        server.kill(0)
        (host, database), *_ = server.hosts
        environment = {"FEATURES_HOSTS": f"{host}:{database}"}
        service = subprocess.Popen(
            [
                *(sys.executable, "-m", "uvicorn", "examples.feature_service.app:app", f"--port={port}"),
                "--timeout-graceful-shutdown=20",
            ],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=output,
            stderr=output,
        )
        try:
            until(lambda: "Waiting for application startup" in log.read_text(), service)
            time.sleep(1.5)
            assert "startup complete" not in log.read_text()
            assert service.poll() is None, log.read_text()
            server.restart(0)
            until(lambda: "Application startup complete" in log.read_text(), service)
            fill = ("-m", "examples.feature_service.load", "fill", "--users=10", "--items=10")
            run(*fill, environment=environment)
            assert len(get(url, "/scores?user=1&item=1&item=2&deadline_ms=5000")["scores"]) == 2

            server.kill(0)
            until(lambda: status(url, "/readyz") == 503, service)
            assert status(url, "/scores?user=1&item=1&deadline_ms=300") in (503, 504)
            assert status(url, "/healthz") == 200
            server.restart(0)
            until(lambda: status(url, "/readyz") == 200, service)
            run(*fill, environment=environment)

            server.inject("late", command="batch", seconds=1.5)
            with ThreadPoolExecutor(4) as threads:
                path = "/scores?user=1&item=1&item=2&deadline_ms=10000"
                answers = [threads.submit(get, url, path) for _ in range(4)]
                until(lambda: "feature_requests_in_flight 4" in get(url, "/metrics"), service)
                service.terminate()
                assert all(len(answer.result()["scores"]) == 2 for answer in answers)
            service.wait(20)
        finally:
            service.kill()
            service.wait(20)
    text = log.read_text()
    assert text.index("Waiting for connections to close") < text.index("Application shutdown complete")


def until(condition, service):
    """Waits until the condition is true, at most 40 seconds."""
    deadline = time.monotonic() + 40
    while not condition():
        assert service.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_features_in_a_tensor():
    text = run("-W", "default", "examples/features_torch.py")
    assert "1000 scores from" in text or "needs PyTorch" in text


def answered(url, path):
    """The status, the headers and the body of an answer."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response.status, response.headers, body


def status(url, path):
    return answered(url, path)[0]


def get(url, path, status=200):
    code, headers, text = answered(url, path)
    body = json.loads(text) if headers["content-type"] == "application/json" else text
    assert code == status, body
    return body
