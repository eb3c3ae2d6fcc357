"""The same call on two clients: the official one and ours.

A test writes the call once, as a function of a :class:`Twin`, and compares the outcomes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

import aerospike_py

aerospike = pytest.importorskip("aerospike", exc_type=ModuleNotFoundError)
helpers = pytest.importorskip("aerospike_helpers")
official_operations = pytest.importorskip("aerospike_helpers.operations.operations")
official_batch = pytest.importorskip("aerospike_helpers.batch.records")

ERRORS = (aerospike.exception.AerospikeError, aerospike_py.AerospikeError)


@dataclass(frozen=True)
class Twin:
    """A client, and the names of its package that the tests need."""

    client: Any
    is_official: bool

    @property
    def GeoJSON(self) -> Any:  # noqa: N802 (a class)
        return aerospike.GeoJSON if self.is_official else aerospike_py.GeoJSON

    @property
    def KeyOrderedDict(self) -> Any:  # noqa: N802 (a class)
        return aerospike.KeyOrderedDict if self.is_official else aerospike_py.KeyOrderedDict

    @property
    def HyperLogLog(self) -> Any:  # noqa: N802 (a class)
        return helpers.HyperLogLog if self.is_official else aerospike_py.HyperLogLog

    @property
    def op(self) -> Any:
        return official_operations if self.is_official else aerospike_py.operations

    @property
    def batch(self) -> Any:
        return official_batch if self.is_official else aerospike_py.batch


def shown(value: Any) -> Any:
    """A value in a form that tells 1, 1.0 and True apart, 0.0 from -0.0, bytes from text; maps are sorted."""
    if isinstance(value, aerospike.GeoJSON | aerospike_py.GeoJSON):
        return "GeoJSON", shown(value.unwrap())
    if isinstance(value, helpers.HyperLogLog | aerospike_py.HyperLogLog):
        return "HyperLogLog", bytes(value)
    if isinstance(value, dict):
        return {repr(shown(key)): shown(element) for key, element in sorted(value.items(), key=repr)}
    if isinstance(value, list | tuple):
        return [shown(element) for element in value]
    return type(value).__name__, repr(value)


def code_of(call: Any, *args: Any) -> int | None:
    """The code of the error that a call raises; None when it raises none."""
    try:
        call(*args)
    except ERRORS as error:
        code: int | None = error.code
        return code
    return None
