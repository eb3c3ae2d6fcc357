"""docs/features.md: features that it lists exist, and those that do not exist yet say so."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

import aerospike_py
from aerospike_py import AsyncClient, Client
from aerospike_py._commands.unsupported import NEVER
from scripts.feature_table import document
from tests.support import ROOT
from tests.support.features import GROUPS, NOT_YET, Feature
from tests.support.sources import functions_of

FEATURES = [pytest.param(feature, id=feature.name) for group in GROUPS for feature in group.features]
PLACES = [
    pytest.param(feature, place, id=f"{feature.name}-{place}")
    for group in GROUPS
    for feature in group.features
    for place in feature.here
]
CONFIG: Any = {"hosts": [("127.0.0.1", 3000)]}


def clients() -> list[Client | AsyncClient]:
    return [aerospike_py.client(CONFIG), AsyncClient(CONFIG)]


def is_here(place: str) -> bool:
    if "::" in place:
        path, _, name = place.partition("::")
        return name in functions_of(path)
    owner, _, name = place.partition(".")
    if owner == "Client":
        return callable(getattr(Client, name, None)) and callable(getattr(AsyncClient, name, None))
    assert owner == "aerospike_py", place
    return hasattr(aerospike_py, name) or importlib.import_module(place) is not None


@pytest.mark.parametrize(("feature", "place"), PLACES)
def test_features_exist_as_listed(feature: Feature, place: str) -> None:
    if feature.ours != NOT_YET:
        assert is_here(place)
        return
    kind, _, name = place.partition(":")
    make: Any = aerospike_py.client
    if kind == "policy":
        with pytest.raises(aerospike_py.ParamError, match=name):
            make({**CONFIG, "policies": {"read": {name: 1}}})
        return
    if kind == "config":
        with pytest.raises(aerospike_py.ParamError, match=name):
            make({**CONFIG, name: True})
        return
    method = place.removeprefix("Client.")
    for client in clients():
        assert not hasattr(client, method)
        with pytest.raises(AttributeError, match=r"is not supported yet: .+"):
            getattr(client, method)


@pytest.mark.parametrize("feature", FEATURES)
def test_every_feature_names_a_place(feature: Feature) -> None:
    assert feature.here


def test_the_documented_table_is_this_one() -> None:
    written = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
    assert written == document(), "run: python -m scripts.feature_table"


def test_every_method_of_the_official_client_is_here_or_says_why_not() -> None:
    official = pytest.importorskip("aerospike", exc_type=ModuleNotFoundError).Client
    for name in (name for name in dir(official) if not name.startswith("_")):
        for client in clients():
            if hasattr(type(client), name):
                assert name not in NEVER, f"{name} is there: remove it from unsupported.py"
                continue
            with pytest.raises(AttributeError, match=f"{name} is not supported: .+"):
                getattr(client, name)


def test_an_unknown_attribute_is_an_ordinary_error() -> None:
    for client in clients():
        with pytest.raises(AttributeError, match="object has no attribute 'putt'"):
            client.putt  # type: ignore[union-attr]  # noqa: B018
