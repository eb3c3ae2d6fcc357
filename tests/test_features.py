"""The feature table of the docs: what it says is here is, and what is not says so."""

from __future__ import annotations

import ast
import importlib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import aerospike_py
from aerospike_py import AsyncClient, Client
from aerospike_py._commands.unsupported import UNSUPPORTED as UNSUPPORTED_METHODS
from scripts.feature_table import document
from tests.support.features import GROUPS, NOT_YET, Feature

ROOT = Path(__file__).resolve().parent.parent
FEATURES = [pytest.param(feature, id=feature.name) for group in GROUPS for feature in group.features]
PLACES = [
    pytest.param(feature, place, id=f"{feature.name}-{place}")
    for group in GROUPS
    for feature in group.features
    for place in feature.here
]
CONFIG: Any = {"hosts": [("127.0.0.1", 3000)]}


@cache
def functions_of(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in tree.body if isinstance(node, functions))


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
def test_what_the_table_says_is_so(feature: Feature, place: str) -> None:
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
        with pytest.raises(AttributeError, match=r"is not supported: .+"):
            getattr(client, method)


@pytest.mark.parametrize("feature", FEATURES)
def test_every_feature_can_be_seen_somewhere(feature: Feature) -> None:
    assert feature.here


def test_the_documented_table_is_this_one() -> None:
    written = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
    assert written == document(), "run: python -m scripts.feature_table"


def test_every_method_of_the_official_client_is_here_or_says_why_not() -> None:
    official = pytest.importorskip("aerospike", exc_type=ModuleNotFoundError).Client
    for name in (name for name in dir(official) if not name.startswith("_")):
        for client in clients():
            if hasattr(type(client), name):
                assert name not in UNSUPPORTED_METHODS, f"{name} is there: remove it from unsupported.py"
                continue
            with pytest.raises(AttributeError, match=f"{name} is not supported: .+"):
                getattr(client, name)


def test_what_nobody_has_is_an_ordinary_error() -> None:
    for client in clients():
        with pytest.raises(AttributeError, match="object has no attribute 'putt'"):
            client.putt  # type: ignore[union-attr]  # noqa: B018
