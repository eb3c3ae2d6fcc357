"""The examples run, each as its user would run it."""

import os
import re
import subprocess
import sys
import time

import pytest

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
        assert "wrote 100 users and 500 items" in run(
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
            text = run(*load, "ask", "--url", url, "--seconds=0.5", "--users=100", "--items=500")
            assert re.match(r"[1-9]\d* answers, 0 failed", text)
            assert get(url, "user=1&item=1&item=100000")["unknown"] == [100000]
            assert get(url, "user=100000&item=1", status=404)["detail"] == "there is no user 100000"
        finally:
            service.terminate()
            service.wait(20)


def get(url, query, status=200):
    import http.client
    import json

    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    connection.request("GET", f"/scores?{query}")
    response = connection.getresponse()
    body = json.loads(response.read())
    connection.close()
    assert response.status == status, body
    return body
