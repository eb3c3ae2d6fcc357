"""Runs tests of Feast's own suite with our store in the place of Feast's Aerospike store.

    python -m tests.feast.run_feast_tests CHECKOUT [--integration] [arguments of pytest]

CHECKOUT is a clone of Feast's repository. Its tests start Aerospike in a container; here, the container is
the embedded server. Tests that replace the official client by a mock, or compare its requests, cannot apply
to another client: the lists below have the others.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import os
import sys
import types
from pathlib import Path
from typing import Any
from unittest import mock

import feast.infra.online_stores.aerospike_online_store as feast_package
import feast.infra.online_stores.aerospike_online_store.aerospike as feast_module
import feast.repo_config
import pytest

import aerospike_py.feast
from aerospike_py.testing import DevServer

UNIT = "tests/unit/online_store/test_aerospike_online_retrieval.py"
INTEGRATION = "tests/integration/online_store"

# Tests of the unit file that need no official client.
UNIT_TESTS = (
    "test_datetime_helpers",
    "test_epoch_ms_to_datetime",
    "test_resolve_ttl",
    "test_chunked_splits",
    "test_set_name",
    "test_namespace_for_fv",
    "test_aerospike_key",
    "test_prewriting_hook_unset",
    "test_prewriting_hook_recompiles",
    "test_prewriting_hook_bad_format",
    "test_prewriting_hook_missing",
    "test_prewriting_hook_non_callable",
    "test_update_rejects_non_aerospike_config",
    "test_teardown_rejects_non_aerospike_config",
    "test_close_is_noop_without_client",
    "test_aerospike_online_features",
    "test_aerospike_cross_fv_map_cdt_upsert",
    "test_aerospike_update_strips_dropped_feature_view",
)
INTEGRATION_TESTS = {
    "test_universal_online.py": (
        "test_write_to_online_store",
        "test_online_retrieval_with_shared_batch_source",
        "test_online_retrieval_with_event_timestamps",
        "test_async_online_retrieval_with_event_timestamps",
        "test_online_list_retrieval",
        "test_online_retrieval_success",
    ),
    "test_push_features_to_online_store.py": ("test_push_features_and_read",),
    "test_universal_e2e.py": ("test_e2e_consistency",),
    "test_universal_online_types.py": ("test_feature_get_online_features_types_match",),
}


class Container:
    """A container of Feast's tests, as an embedded server."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.server = DevServer()

    def with_exposed_ports(self, *_: Any) -> Container:
        return self

    def start(self) -> Container:
        self.server.start()
        return self

    def stop(self) -> None:
        self.server.stop()

    def get_exposed_port(self, _: Any) -> int:
        return int(self.server.hosts[0][1])


class _Stubs(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Modules that Feast's tests import to start containers. Any name in them exists."""

    ROOTS = ("testcontainers", "docker", "keycloak", "minio", "botocore", "google.cloud")

    def find_spec(self, fullname: str, *_: Any) -> importlib.machinery.ModuleSpec | None:
        if any(f"{fullname}.".startswith(f"{root}.") for root in self.ROOTS):
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        module = types.ModuleType(spec.name)
        module.__getattr__ = lambda name: _stub(name)  # type: ignore[method-assign]
        return module

    def exec_module(self, _: types.ModuleType) -> None:
        pass


def _stub(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return Container if name == "DockerContainer" else mock.MagicMock(name=name)


def main(arguments: list[str]) -> int:
    if not arguments or not (Path(arguments[0]) / "sdk/python/tests").is_dir():
        print("usage: python -m tests.feast.run_feast_tests CHECKOUT [arguments of pytest]", file=sys.stderr)  # noqa: T201
        return 2
    root = (Path(arguments[0]) / "sdk/python").resolve()
    for module in (feast_module, feast_package):
        for ours in aerospike_py.feast.AerospikeOnlineStore, aerospike_py.feast.AerospikeOnlineStoreConfig:
            setattr(module, ours.__name__, ours)
    feast.repo_config.ONLINE_STORE_CLASS_FOR_TYPE["aerospike"] = "aerospike_py.feast.AerospikeOnlineStore"
    # Feast's tests import `tests`, as this module's package is called.
    for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
        del sys.modules[name]
    sys.meta_path.insert(0, _Stubs())
    sys.path[:] = [str(root), *(path for path in sys.path if path not in ("", os.getcwd()))]
    os.chdir(root)
    os.environ["FULL_REPO_CONFIGS_MODULE"] = (
        "feast.infra.online_stores.aerospike_online_store.aerospike_repo_configuration"
    )
    os.environ["IS_TEST"] = os.environ["FEAST_IS_LOCAL_TEST"] = "True"
    integration = [
        f"{INTEGRATION}/{file}::{name}" for file, names in INTEGRATION_TESTS.items() for name in names
    ]
    common = [
        "-c", str(root / "pytest.ini"), "--rootdir", str(root), "-o", "addopts=", "-o", "filterwarnings=",
        "-o", "asyncio_mode=auto", "-p", "no:cacheprovider", *arguments[1:],
    ]  # fmt: skip
    # Feast's conftest runs either integration tests or others.
    chosen = integration if "--integration" in arguments else [UNIT, "-k", " or ".join(UNIT_TESTS)]
    return int(pytest.main([*chosen, *common], plugins=[_Plugin()]))


class _Plugin:
    """What pytest-xdist would provide, and our store in tests that Feast runs with others only."""

    @pytest.fixture(scope="session")
    def worker_id(self) -> str:
        return "master"

    @pytest.hookimpl(tryfirst=True)
    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        # Feast's conftest would leave these out: they are marked `only=["sqlite"]` and the like.
        markers = metafunc.definition.own_markers
        for place, marker in enumerate(markers):
            if marker.name == "universal_online_stores":
                markers[place] = pytest.mark.universal_online_stores.mark


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
