"""The official client's helper modules: the same names, parameters and results."""

from __future__ import annotations

import importlib
import warnings
from enum import IntEnum
from typing import Any

import pytest

from tests.support import helper_modules
from tests.support.features import HELPERS
from tests.support.helper_modules import NOT_OFFERED, PAIRS

pytest.importorskip("aerospike_helpers")

MEMBERS = [
    pytest.param(module, name, id=f"{module.split('.', 1)[1]}.{name}")
    for module in PAIRS
    for name, _ in helper_modules.public(module)
    if (module, name) not in NOT_OFFERED
]


def member(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize(("module", "name"), MEMBERS)
def test_names_and_parameters_are_the_official_ones(module: str, name: str) -> None:
    theirs, ours = member(module, name), member(PAIRS[module], name)
    if isinstance(theirs, type) and issubclass(theirs, IntEnum):
        assert [(one.name, one.value) for one in theirs] == [(one.name, one.value) for one in ours]
        return
    mine = helper_modules.parameters(ours)
    found = helper_modules.parameters(theirs)
    if module.endswith(".batch.records"):
        # More may follow, and what must be given there may be left out here.
        mine = [(name, kind, None) for name, kind, _ in mine[: len(found)]]
        found = [(name, kind, None) for name, kind, _ in found]
    assert mine == found


def is_called(module: str, name: str) -> bool:
    """Whether a function or class makes an operation, a context or an expression."""
    if module in ("aerospike_helpers.batch.records", "aerospike_helpers.string_helpers"):
        return False
    # The package has the classes of its modules.
    if module.startswith("aerospike_helpers.expressions."):
        return False
    return name not in ("ResultType", "ReturnType", "LoopVar")


@pytest.mark.parametrize(
    ("module", "name"), [param for param in MEMBERS if is_called(*map(str, param.values))]
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


def test_the_number_of_helpers_is_documented() -> None:
    """Each counts once: the package of expressions has the classes of its modules."""
    found = {
        (module, name)
        for module in PAIRS
        if module != "aerospike_helpers.expressions"
        for name, _ in helper_modules.public(module)
    }
    here = sum(hasattr(importlib.import_module(PAIRS[module]), name) for module, name in found)
    assert f"{here} of {len(found)}" == HELPERS
    missing = {one for one in found if not hasattr(importlib.import_module(PAIRS[one[0]]), one[1])}
    assert missing <= NOT_OFFERED
