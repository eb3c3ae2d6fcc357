"""The official client's helper modules: the same names, parameters and results."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import pytest

pytest.importorskip("aerospike_helpers")

from tests.support import helper_modules
from tests.support.helper_modules import NOT_OFFERED, PAIRS

MEMBERS = [
    pytest.param(module, name, id=f"{module.split('.', 1)[1]}.{name}")
    for module in PAIRS
    for name, _ in helper_modules.public(module)
    if (module, name) not in NOT_OFFERED
]

EXPRESSIONS = [(name, member) for name, member in helper_modules.public("aerospike_helpers.expressions")]


def member(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize(("module", "name"), MEMBERS)
def test_names_and_parameters_are_the_official_ones(module: str, name: str) -> None:
    theirs, ours = member(module, name), member(PAIRS[module], name)
    if isinstance(theirs, type) and issubclass(theirs, int):
        assert [(one.name, one.value) for one in theirs] == [(one.name, one.value) for one in ours]
        return
    mine = helper_modules.parameters(ours)
    found = helper_modules.parameters(theirs)
    if module.endswith((".operations.operations", ".batch.records")):
        # More may follow.
        mine = mine[: len(found)]
    assert mine == found


@pytest.mark.parametrize(
    ("module", "name"),
    [
        param
        for param in MEMBERS
        if not param.values[0].startswith("aerospike_helpers.batch")
        and param.values[0] != "aerospike_helpers.string_helpers"
        and not param.values[0].startswith("aerospike_helpers.expressions.")
        and param.values[1] not in ("ResultType", "ReturnType", "LoopVar")
    ],
)
def test_results_are_the_official_ones(module: str, name: str) -> None:
    theirs, ours = member(module, name), member(PAIRS[module], name)
    tried = 0
    for call in helper_modules.calls(name, theirs):
        args, kwargs = call(helper_modules.official())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            expected = theirs(*args, **kwargs)
        args, kwargs = call(helper_modules.ours())
        made = ours(*args, **kwargs)
        if name == "index_type_string" or isinstance(expected, str):
            assert made == expected
            continue
        assert helper_modules.same(made, expected), (args, made, expected)
        tried += 1
    assert tried or isinstance(expected, str)
