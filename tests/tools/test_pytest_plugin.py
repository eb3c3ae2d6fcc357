"""The pytest plugin, in test sessions of their own (``pytester``)."""

import pytest

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.embedded

RUN = ("-p", "no:cacheprovider", "-W", "error")
# The plugins that run coroutines, and the mark that a test needs.
RUNNERS = {
    "pytest-asyncio": (
        "@pytest.mark.asyncio\nasync def {}",
        ("-p", "pytest_asyncio.plugin", "-o", "asyncio_default_fixture_loop_scope=function"),
    ),
    "anyio": ("@pytest.mark.anyio\nasync def {}", ("-p", "anyio.pytest_plugin")),
    "asyncio.run": ("@in_a_loop\nasync def {}", ()),
}


@pytest.fixture
def session(pytester, monkeypatch):
    """Runs tests in a separate process and returns their outcome."""
    for name in ("AEROSPIKE_HOSTS", "AEROSPIKE_USER", "AEROSPIKE_PASSWORD", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    # Other plugins that are installed here take longer to load than the tests take to run.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(body, *arguments):
        pytester.makepyfile(body)
        return pytester.runpytest_subprocess(*RUN, "-p", "pytest_aerospike_py", *arguments)

    return run


def test_fixtures_come_with_the_package(pytester, monkeypatch):
    """The tests do not load the plugin themselves."""
    monkeypatch.delenv("AEROSPIKE_HOSTS", raising=False)
    pytester.makepyfile(
        """
        import numpy as np

        def test_records(aerospike_client, aerospike_set):
            keys = [("test", aerospike_set, number) for number in range(10)]
            for number, key in enumerate(keys):
                aerospike_client.put(key, {"score": number / 4})
            batch = aerospike_client.batch_read(keys, _dtype=np.dtype([("score", "f8")]))
            assert batch.batch_records["score"].tolist() == [number / 4 for number in range(10)]

        def test_server(aerospike_server, aerospike_config, aerospike_namespace):
            assert aerospike_config["hosts"] == aerospike_server.hosts
            assert aerospike_namespace == "test"
        """
    )
    result = pytester.runpytest_subprocess(*RUN, "-p", "no:asyncio")
    result.assert_outcomes(passed=2)


def test_sets_are_of_one_test_and_empty_after_it(session):
    result = session(
        """
        seen = []

        def fill(client, set):
            client.put(("test", set, 1), {"a": 1})
            seen.append(set)

        def test_one(aerospike_client, aerospike_set):
            fill(aerospike_client, aerospike_set)

        def test_other(aerospike_client, aerospike_set):
            fill(aerospike_client, aerospike_set)

        def test_after(aerospike_client):
            assert len(set(seen)) == 2
            for name in seen:
                assert aerospike_client.exists(("test", name, 1)).meta is None
        """
    )
    result.assert_outcomes(passed=3)


@pytest.mark.parametrize("runner", RUNNERS)
def test_the_async_client_works_in_any_loop(session, runner):
    if runner != "asyncio.run":
        pytest.importorskip(runner.replace("-", "_"))
    test, plugins = RUNNERS[runner]
    head = """
import asyncio, functools, pytest

@pytest.fixture
def anyio_backend():
    return "asyncio"

def in_a_loop(test):
    def wrapper(aerospike_async_client, aerospike_set):
        asyncio.run(test(aerospike_async_client, aerospike_set))
    wrapper.__name__ = test.__name__
    return wrapper
"""
    body = """(aerospike_async_client, aerospike_set):
    key = ("test", aerospike_set, "ada")
    await aerospike_async_client.put(key, {"visits": 1})
    records = await asyncio.gather(*(aerospike_async_client.get(key) for _ in range(20)))
    assert {record.bins["visits"] for record in records} == {1}
"""
    tests = "\n".join(test.format(name) + body for name in ("test_one", "test_in_another_loop"))
    session(head + tests, *plugins).assert_outcomes(passed=2)


def test_faults_are_undone_after_the_test(session):
    result = session(
        """
        import pytest
        import aerospike_py

        KEY = ("test", "shared", 1)

        def test_a_late_answer(aerospike_faults, aerospike_client):
            aerospike_client.put(KEY, {"a": 1})
            aerospike_faults.inject("late", seconds=30, command="read")
            with pytest.raises(aerospike_py.TimeoutError):
                aerospike_client.get(KEY, policy={"total_timeout": 100})
            assert aerospike_faults.counters()["faults"] >= 1

        def test_a_node_that_hangs(aerospike_faults, aerospike_client):
            aerospike_faults.pause()
            with pytest.raises(aerospike_py.TimeoutError):
                aerospike_client.get(KEY, policy={"total_timeout": 100})

        def test_all_is_well_again(aerospike_client):
            assert aerospike_client.get(KEY, policy={"total_timeout": 5000}).bins == {"a": 1}

        def test_a_node_that_dies(aerospike_set, aerospike_faults, aerospike_client):
            aerospike_faults.kill()
            with pytest.raises(aerospike_py.AerospikeError):
                aerospike_client.put(KEY, {"a": 1}, policy={"total_timeout": 300})

        def test_it_is_there_again(aerospike_client):
            with pytest.raises(aerospike_py.RecordNotFound):
                aerospike_client.get(KEY)
        """
    )
    result.assert_outcomes(passed=5)


def test_clusters_of_a_tests_own(session):
    result = session(
        """
        import aerospike_py

        def test_cluster(aerospike_make_server):
            server, other = aerospike_make_server(nodes=3), aerospike_make_server()
            assert len(server.hosts) == 3
            with aerospike_py.client(server.config).connect() as client:
                assert len(client.get_node_names()) == 3
            with aerospike_py.client(other.config).connect() as client:
                assert len(client.get_node_names()) == 1
        """
    )
    result.assert_outcomes(passed=1)


def test_options_and_config_are_overridden_in_conftest(pytester, session):
    pytester.makeconftest(
        """
        import pytest

        ROLES = ["read-write", "truncate"]

        @pytest.fixture(scope="session")
        def aerospike_server_options():
            return {"nodes": 2, "namespaces": ["features"], "users": {"ann": ("secret", ROLES)}}

        @pytest.fixture(scope="session")
        def aerospike_config(aerospike_server):
            return {**aerospike_server.config, "user": "ann", "password": "secret"}

        @pytest.fixture(scope="session")
        def aerospike_namespace():
            return "features"
        """
    )
    result = session(
        """
        def test_them(aerospike_client, aerospike_namespace, aerospike_set):
            assert len(aerospike_client.get_node_names()) == 2
            aerospike_client.put((aerospike_namespace, aerospike_set, 1), {"a": 1})
        """
    )
    result.assert_outcomes(passed=1)


def test_a_server_of_the_environment(session, monkeypatch):
    from aerospike_py.testing import DevServer

    # This user may not truncate.
    with DevServer(users={"ann": "secret"}) as server:
        monkeypatch.setenv("AEROSPIKE_HOSTS", ",".join(f"{host}:{port}" for host, port in server.hosts))
        monkeypatch.setenv("AEROSPIKE_USER", "ann")
        monkeypatch.setenv("AEROSPIKE_PASSWORD", "secret")
        result = session(
            f"""
            def test_it(aerospike_server, aerospike_client, aerospike_set):
                assert aerospike_server.hosts == {server.hosts!r}
                aerospike_client.put(("test", aerospike_set, 1), {{"a": 1}})

            def test_faults_are_skipped(aerospike_faults):
                raise AssertionError
            """,
            "-Wdefault::pytest.PytestWarning",
        )
    result.assert_outcomes(passed=1, skipped=1, warnings=2)
    result.stdout.fnmatch_lines(["*the set of aerospike_set could not be truncated (RoleViolation)*"])


def test_a_wrong_environment_says_so(session, monkeypatch):
    monkeypatch.setenv("AEROSPIKE_HOSTS", "db:port")
    result = session("def test_it(aerospike_client): pass")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*AEROSPIKE_HOSTS: the port of 'db:port' is not a number from 1 to 65535*"])


def test_workers_of_xdist_have_nodes_of_their_own(pytester, session):
    pytest.importorskip("xdist")
    result = session(
        """
        import json, os, pathlib, pytest

        @pytest.mark.parametrize("number", range(8))
        def test_it(aerospike_server, aerospike_client, aerospike_set, number):
            aerospike_client.put(("test", aerospike_set, number), {"a": number})
            worker = os.environ["PYTEST_XDIST_WORKER"]
            pathlib.Path(f"{worker}-{number}.json").write_text(json.dumps(aerospike_server.hosts))
        """,
        "-p",
        "xdist",
        "-n2",
    )
    result.assert_outcomes(passed=8)
    hosts = {}
    for path in pytester.path.glob("gw*-*.json"):
        hosts.setdefault(path.name.partition("-")[0], set()).add(path.read_text())
    assert len(hosts) == 2
    assert all(len(of_worker) == 1 for of_worker in hosts.values()), "one node a worker"
    assert len(set.union(*hosts.values())) == 2


def test_an_unused_plugin_costs_nothing(session):
    result = session(
        """
        import sys

        def test_nothing_is_imported():
            ours = [name for name in sys.modules if name.split(".")[0] in ("aerospike_py", "numpy")]
            assert ours == []
            assert "pytest_aerospike_py" in sys.modules
        """
    )
    result.assert_outcomes(passed=1)


def test_the_entry_point_is_the_plugin():
    from importlib.metadata import entry_points

    (point,) = entry_points(group="pytest11", name="aerospike_py")
    assert point.value == "pytest_aerospike_py"
