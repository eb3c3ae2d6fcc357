"""Random expressions: the embedded node gives the values and codes of a real server, and filters alike.

Needs a real server: ``AEROSPIKE_HOSTS``. Expressions are read, written to bins and used as filters on both.
"""

from __future__ import annotations

import contextlib
import uuid
from typing import Any

import pytest

from tests.support.servers import real_server

aerospike = pytest.importorskip("aerospike", exc_type=ModuleNotFoundError)
hypothesis = pytest.importorskip("hypothesis")

from aerospike_helpers.operations import (  # noqa: E402
    expression_operations,
    hll_operations,
    operations,
)

from tests.support import expressions as e  # noqa: E402

pytestmark = pytest.mark.skipif(real_server() is None, reason="compares with the server of AEROSPIKE_HOSTS")


@pytest.fixture(scope="module")
def pair():
    """The official client connected to the real server and to an embedded node, and a set for both."""
    from aerospike_py.testing import DevServer

    with DevServer() as node:
        # A slow machine must not look like a difference.
        policies = {name: {"total_timeout": 60_000} for name in ("read", "write", "operate", "remove")}
        clients = [
            aerospike.client({**server.config, "policies": policies}).connect()
            for server in (real_server(), node)
        ]
        yield clients, f"t{uuid.uuid4().hex[:12]}"
        for client in clients:
            client.close()


def outcome(work):
    """What a call returns, or the code with which it fails. NaN is equal to itself in this form."""
    try:
        return repr(work())
    except aerospike.exception.AerospikeError as error:
        return f"code {error.code}"


def prepare(client, key) -> None:
    with contextlib.suppress(aerospike.exception.RecordNotFound):
        client.remove(key)
    client.put(key, e.BINS, policy={"key": aerospike.POLICY_KEY_SEND})
    client.operate(key, [hll_operations.hll_add("h", ["a", "b", "c", 42], 6, 8)])


def check(pair, work) -> None:
    clients, name = pair
    key = ("test", name, "one")
    results = []
    for client in clients:
        prepare(client, key)
        results.append(outcome(lambda client=client: work(client, key)))
    assert results[0] == results[1]


def bins_of(result: tuple[Any, Any, Any]) -> Any:
    return result[2]


@hypothesis.given(expression=e.ANY, flags=hypothesis.strategies.sampled_from([0, 0, 16]))
def test_values_are_alike(pair, expression, flags):
    compiled = expression.compile() if hasattr(expression, "compile") else None
    hypothesis.assume(compiled is not None)
    read = expression_operations.expression_read("value", compiled, flags)
    check(pair, lambda client, key: bins_of(client.operate(key, [read])))


@hypothesis.given(
    expression=e.ANY,
    flags=hypothesis.strategies.integers(0, 31),
    name=hypothesis.strategies.sampled_from(["i", "l", "new"]),
)
def test_written_values_are_alike(pair, expression, flags, name):
    compiled = expression.compile() if hasattr(expression, "compile") else None
    hypothesis.assume(compiled is not None)
    write = expression_operations.expression_write(name, compiled, flags)
    check(pair, lambda client, key: bins_of(client.operate(key, [write, operations.read(name)])))


@hypothesis.given(expression=e.FILTERS)
def test_filters_are_alike(pair, expression):
    compiled = expression.compile() if hasattr(expression, "compile") else None
    hypothesis.assume(compiled is not None)
    policy = {"expressions": compiled}
    check(pair, lambda client, key: bins_of(client.select(key, ["i"], policy)))
