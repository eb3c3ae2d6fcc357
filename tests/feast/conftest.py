"""Feature stores of Feast with its own Aerospike store and with ours, on one server.

Feast is in an environment of its own: `make test-feast`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from feast import FeatureStore, RepoConfig

OURS, FEASTS = "aerospike_py.feast.AerospikeOnlineStore", "aerospike"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        # Feast and its dependencies warn a lot; this package must not.
        item.add_marker(pytest.mark.filterwarnings("default"))


@pytest.fixture
def project() -> str:
    return f"p{uuid.uuid4().hex[:12]}"


@pytest.fixture
def make_store(project: str, config: dict[str, Any], tmp_path: Path) -> Iterator[Callable[..., FeatureStore]]:
    """Makes feature stores that share a registry: ``make_store(OURS, ttl_seconds=60)``."""
    made: list[FeatureStore] = []

    def make(kind: str, **options: Any) -> FeatureStore:
        store = FeatureStore(
            config=RepoConfig(
                project=project,
                registry=str(tmp_path / "registry.db"),
                provider="local",
                online_store={
                    "type": kind,
                    "hosts": [list(host) for host in config["hosts"]],
                    "namespace": "test",
                    **options,
                },
                entity_key_serialization_version=3,
            )
        )
        made.append(store)
        return store

    yield make
    for store in made:
        store.teardown()


@pytest.fixture
def stores(make_store: Callable[..., FeatureStore]) -> dict[str, FeatureStore]:
    """Both, by type."""
    return {kind: make_store(kind) for kind in (FEASTS, OURS)}
