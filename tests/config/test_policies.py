"""The tables of docs/policies.md: a test shows each key that works, and a key that does not work says so."""

from __future__ import annotations

import contextlib
import ctypes
import re
import warnings
from functools import cache
from typing import Any

import pytest

import aerospike_py as aerospike
from aerospike_py import operations as op
from aerospike_py import types
from scripts.policy_table import document
from tests.support import ROOT
from tests.support.policies import LATER, NEVER, REFUSED, TABLES, WARNED, WORKS, Key, Table
from tests.support.sources import functions_of

HOSTS: dict[str, Any] = {"hosts": [("127.0.0.1", 3000)]}
BY_POLICY = {
    "read": lambda client, policy: client.get(("test", "s", 1), policy),
    "write": lambda client, policy: client.put(("test", "s", 1), {"a": 1}, None, policy),
    "remove": lambda client, policy: client.remove(("test", "s", 1), None, policy),
    "operate": lambda client, policy: client.increment(("test", "s", 1), "a", 1, None, policy),
    "batch": lambda client, policy: client.batch_read([("test", "s", 1)], None, policy),
    "batch_parent_write": lambda client, policy: client.batch_operate(
        [("test", "s", 1)], [op.read("a")], policy
    ),
    "batch_write": lambda client, policy: client.batch_operate(
        [("test", "s", 1)], [op.write("a", 1)], None, policy
    ),
    "batch_remove": lambda client, policy: client.batch_remove([("test", "s", 1)], None, policy),
    "query": lambda client, policy: client.query("test", "s").results(policy),
    "info": lambda client, policy: client.info_all("build", policy),
}


def config_with(table: str, settings: dict[str, Any]) -> dict[str, Any]:
    if table == "config":
        return {**HOSTS, **settings}
    if table == "policies":
        return {**HOSTS, "policies": settings}
    if table == "tls":
        return {**HOSTS, "cluster_name": "c", "tls": {"enable": True, **settings}}
    return {**HOSTS, "policies": {table: settings}}


def keys(*verdicts: str) -> list[Any]:
    return [
        pytest.param(table, key, id=f"{table.name}-{key.name}")
        for table in TABLES
        for key in table.keys
        if key.verdict in verdicts
    ]


@cache
def rust_functions(path: str) -> frozenset[str]:
    return frozenset(re.findall(r"\bfn (\w+)", (ROOT / path).read_text(encoding="utf-8")))


@pytest.mark.parametrize(("table", "key"), keys(WORKS))
def test_each_key_that_works_names_a_test(table: Table, key: Key) -> None:
    assert key.here
    for place in key.here:
        path, _, name = place.partition("::")
        found = rust_functions(path) if path.endswith(".rs") else functions_of(path)
        assert name in found, place


@pytest.mark.parametrize(("table", "key"), keys(WARNED))
def test_keys_without_effect_cause_a_warning(face, client, table: Table, key: Key) -> None:
    with pytest.warns(UserWarning, match=f'"{key.name}" has no effect here') as caught:
        face.client(config_with(table.name, {key.name: key.value}))
    assert [key.what in str(warning.message) for warning in caught] == [True]
    if table.name in BY_POLICY:
        # The call itself may fail.
        with pytest.warns(UserWarning, match=key.what), contextlib.suppress(aerospike.ServerError):
            BY_POLICY[table.name](client, {key.name: key.value})


@pytest.mark.parametrize(("table", "key"), keys(REFUSED, NEVER))
def test_what_is_not_supported_is_refused(face, client, table: Table, key: Key) -> None:
    message = f'"{key.name}" is not supported{" yet" if key.verdict == REFUSED else ""}: '
    with pytest.raises(aerospike.ParamError, match=message) as caught:
        face.client(config_with(table.name, {key.name: key.value}))
    assert key.what in str(caught.value)
    if table.name in BY_POLICY:
        with pytest.raises(aerospike.ParamError, match=message):
            BY_POLICY[table.name](client, {key.name: key.value})


@pytest.mark.parametrize(("table", "key"), keys(LATER))
def test_policies_of_later_commands_are_accepted_and_checked(face, table: Table, key: Key) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values: tuple[Any, ...] = (None, key.value) if key.name == "metrics" else (None, {}, key.value)
        for value in values:
            face.client(config_with(table.name, {key.name: value}))
    with pytest.raises(aerospike.ParamTypeError, match=f'config policy "{key.name}" is '):
        face.client(config_with(table.name, {key.name: 5}))
    if key.name == "metrics":
        return
    for name in key.value:
        with pytest.raises(aerospike.ParamError, match=f"unknown key '{name}x'; did you mean \"{name}\""):
            face.client(config_with(table.name, {key.name: {f"{name}x": 1}}))
        with pytest.raises(aerospike.ParamError, match=f'config policy "{key.name}" "{name}" is '):
            face.client(config_with(table.name, {key.name: {name: "x"}}))


def test_the_official_clients_policies_of_later_commands_are_accepted(face) -> None:
    official = pytest.importorskip("aerospike", exc_type=ModuleNotFoundError)
    from aerospike_helpers.metrics import MetricsPolicy

    library = ctypes.CDLL(official.__file__)
    without_effect = {"timeout_delay", "connect_timeout", "error_detail_verbosity"}
    refused = {"expressions", "txn", "on_locking_only", "partition_filter"}
    for policy in ("apply", "batch_apply", "scan", "admin"):
        theirs: Any = ctypes.py_object.in_dll(library, f"py_{policy}_policy_valid_keys").value
        for key in theirs - refused - without_effect:
            value: Any = False if key in ("compress", "durable_delete") else 1
            face.client(config_with("policies", {policy: {key: value}}))
    face.client(config_with("policies", {"metrics": MetricsPolicy()}))


@pytest.mark.parametrize(("table", "key"), keys(WARNED, REFUSED, NEVER))
def test_values_that_match_the_behaviour_are_accepted(face, table: Table, key: Key) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for value in (None, key.harmless):
            face.client(config_with(table.name, {key.name: value}))


# Keys that have no meaning in a config.
OF_A_CALL = {
    ("query", "partition_filter"),
    *((name, "txn") for name in ("read", "write", "remove", "operate", "batch", "batch_parent_write")),
}


HINTS = {
    WORKS: 'did you mean "{name}"?',
    LATER: 'did you mean "{name}"?',
    WARNED: 'the most similar key, "{name}", has no effect here: ',
    REFUSED: 'the most similar key, "{name}", is not supported yet: ',
    NEVER: 'the most similar key, "{name}", is not supported: ',
}


@pytest.mark.parametrize(("table", "key"), keys(WORKS, LATER, WARNED, REFUSED, NEVER))
def test_a_misspelt_key_gets_a_suggestion(face, client, table: Table, key: Key) -> None:
    if key.name == "txn":
        pytest.skip("its hint is that of the policies that do not take it")
    wrong = f"{key.name}x"
    message = re.escape(f"unknown key '{wrong}'; {HINTS[key.verdict].format(name=key.name)}")
    if (table.name, key.name) not in OF_A_CALL:
        with pytest.raises(aerospike.ParamError, match=message):
            face.client(config_with(table.name, {wrong: 1}))
    if table.name in BY_POLICY:
        with pytest.raises(aerospike.ParamError, match=message):
            BY_POLICY[table.name](client, {wrong: 1})


def misspelt() -> set[str]:
    """Keys of all tables with a part left out, cut or added, and some that users guess."""
    names = {key.name for table in TABLES for key in table.keys}
    guesses = {
        "timeout",
        "retries",
        "max_retry",
        "sleep",
        "policy",
        "host",
        "port",
        "max_connections",
        "filter",
    }
    for name in names:
        guesses |= {name[1:], name[:-1], f"max_{name}", f"{name}_ms", name.rpartition("_")[2], name.upper()}
    return {guess for guess in guesses if guess and guess not in names}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_suggested_key_is_accepted(face, table: Table) -> None:
    accepted = {key.name for key in table.keys if key.verdict in (WORKS, LATER)}
    suggested = set()
    for guess in misspelt():
        with pytest.raises(aerospike.ParamError, match=r"unknown key") as caught:
            face.client(config_with(table.name, {guess: 1}))
        if found := re.search(r'did you mean "(\w+)"', str(caught.value)):
            suggested.add(found[1])
        elif found := re.search(r"known keys are (.+)", str(caught.value)):
            assert set(found[1].split(", ")) <= accepted, guess
    assert suggested <= accepted
    assert suggested
    if table.name == "policies":
        message = 'the most similar key, "total_timeout", is not supported: it cannot be set for all commands'
        with pytest.raises(aerospike.ParamError, match=message):
            face.client(config_with("policies", {"timeout": 5}))


# A value of a type that no key takes, and a number that no key allows.
@pytest.mark.parametrize(("table", "key"), keys(WORKS))
def test_values_that_a_key_cannot_have_are_refused(face, table: Table, key: Key) -> None:
    for value in (1j, -(2**40)):
        with pytest.raises(aerospike.ParamError, match=key.name):
            face.client(config_with(table.name, {key.name: value}))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_the_types_have_the_keys_that_work(table: Table) -> None:
    assert table.type_name is not None
    declared = getattr(types, table.type_name).__annotations__
    assert set(declared) == {key.name for key in table.keys if key.verdict in (WORKS, LATER)}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_no_key_of_the_official_client_is_missing(table: Table) -> None:
    official = pytest.importorskip("aerospike", exc_type=ModuleNotFoundError)
    # The sets that its option "validate_keys" checks against.
    library = ctypes.CDLL(official.__file__)
    theirs: Any = ctypes.py_object.in_dll(library, f"py_{table.official}_valid_keys").value
    ours = {key.name: key for key in table.keys}
    assert len({key.name for key in table.keys}) == len(table.keys)
    assert theirs <= set(ours)
    assert {name for name in ours if name not in theirs} == {key.name for key in table.keys if key.ours}


def test_docs_policies_is_up_to_date() -> None:
    written = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
    assert written == document(), "run: python -m scripts.policy_table"
