"""Times to live: what each command sends for each constant, and what the official client sends."""

from __future__ import annotations

from typing import Any

import pytest

import aerospike_py as aerospike
from aerospike_py.testing import DevServer
from tests.support import requests
from tests.support.proxy import MESSAGE, Proxy
from tests.support.twins import ERRORS, Twin
from tests.support.twins import aerospike as official_package

# The official client warns of times to live in `meta`.
pytestmark = [pytest.mark.embedded, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

KEY = ("test", "ttl", 1)
OF_POLICY = 500
NEVER, DONT_UPDATE, CLIENT_DEFAULT = (2**32 - number for number in (1, 2, 3))


def batch_write(twin: Twin, meta: Any, policy: Any, *operations: Any) -> None:
    row = twin.batch.Write(KEY, [twin.op.write("a", 1), *operations], meta, policy)
    twin.client.batch_write(twin.batch.BatchRecords([row]))


# Every place that takes a time to live, of which `batch_write_numpy` is tested below.
PLACES: dict[str, Any] = {
    "put meta": lambda twin, ttl: twin.client.put(KEY, {"a": 1}, {"ttl": ttl}),
    "put policy": lambda twin, ttl: twin.client.put(KEY, {"a": 1}, None, {"ttl": ttl}),
    "touch": lambda twin, ttl: twin.client.touch(KEY, ttl),
    "append meta": lambda twin, ttl: twin.client.append(KEY, "s", "x", {"ttl": ttl}),
    "increment policy": lambda twin, ttl: twin.client.increment(KEY, "a", 1, None, {"ttl": ttl}),
    "remove_bin meta": lambda twin, ttl: twin.client.remove_bin(KEY, ["none"], {"ttl": ttl}),
    "operate meta": lambda twin, ttl: twin.client.operate(KEY, [twin.op.write("a", 1)], {"ttl": ttl}),
    "operate policy": lambda twin, ttl: twin.client.operate(KEY, [twin.op.write("a", 1)], None, {"ttl": ttl}),
    "operate touch": lambda twin, ttl: twin.client.operate(KEY, [twin.op.touch(ttl)]),
    "batch_operate": lambda twin, ttl: twin.client.batch_operate(
        [KEY], [twin.op.write("a", 1)], None, None, ttl
    ),
    "batch_operate policy": lambda twin, ttl: twin.client.batch_operate(
        [KEY], [twin.op.write("a", 1)], None, {"ttl": ttl}
    ),
    "batch_operate touch": lambda twin, ttl: twin.client.batch_operate([KEY], [twin.op.touch(ttl)]),
    "batch_write meta": lambda twin, ttl: batch_write(twin, {"ttl": ttl}, None),
    "batch_write policy": lambda twin, ttl: batch_write(twin, None, {"ttl": ttl}),
    "batch_write touch": lambda twin, ttl: batch_write(twin, None, None, twin.op.touch(ttl)),
}
# The official client sends TTL_CLIENT_DEFAULT of a policy as it is, which no server takes, and ignores the
# time to live of a touch in batch_operate.
DIFFERENT = {
    **{(place, CLIENT_DEFAULT): "raw" for place in PLACES if place.endswith("policy")},
    **{("batch_operate touch", ttl): "none" for ttl in (100, NEVER, DONT_UPDATE)},
}
SENT = {100: 100, NEVER: NEVER, DONT_UPDATE: DONT_UPDATE, CLIENT_DEFAULT: OF_POLICY}


@pytest.fixture(scope="module")
def wire() -> Any:
    with DevServer() as node, Proxy(node.hosts[0]) as proxy:
        yield proxy


def config(wire: Proxy) -> dict[str, Any]:
    policies = {name: {"ttl": OF_POLICY} for name in ("write", "operate", "batch_write")}
    return {"hosts": [wire.address], "policies": policies, "tend_interval": 60_000}


@pytest.fixture(scope="module")
def theirs(wire: Proxy) -> Any:
    client = official_package.client(config(wire)).connect()
    yield Twin(client, is_official=True)
    client.close()


@pytest.fixture(scope="module")
def ours(face: Any, wire: Proxy) -> Any:
    with face.connect(config(wire)) as client:
        yield Twin(client, is_official=False)


def sent(wire: Proxy, call: Any, twin: Twin, ttl: Any) -> int:
    """The time to live in the request of a call, whatever the node answers."""
    twin.client.put(KEY, {"a": 1, "s": ""})
    wire.requests.clear()
    try:
        call(twin, ttl)
    except ERRORS:
        if MESSAGE not in wire.requests:
            raise
    return requests.parse(wire.requests[MESSAGE]).ttl


@pytest.mark.parametrize("place", PLACES)
def test_constants_are_taken_everywhere(wire, ours, theirs, place):
    for ttl, expected in SENT.items():
        assert sent(wire, PLACES[place], ours, ttl) == expected, ttl
        if (place, ttl) not in DIFFERENT:
            assert sent(wire, PLACES[place], theirs, ttl) == expected, ttl
    # The same as signed numbers, which the official client takes for them.
    for ttl, same in ((-1, NEVER), (-2, DONT_UPDATE), (-3, CLIENT_DEFAULT)):
        assert sent(wire, PLACES[place], ours, ttl) == SENT[same], ttl


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("ttl", [-4, 2**32, 1.5, "5", True, [1]])
def test_what_is_no_time_to_live_is_refused(wire, ours, place, ttl):
    with pytest.raises(aerospike.ParamError, match=r"ttl|\bval\b") as caught:
        sent(wire, PLACES[place], ours, ttl)
    assert repr(ttl) in caught.value.msg
    for constant in ("TTL_NEVER_EXPIRE", "TTL_DONT_UPDATE", "TTL_NAMESPACE_DEFAULT", "TTL_CLIENT_DEFAULT"):
        assert constant in caught.value.msg


@pytest.mark.parametrize("ttl", [*SENT, -1, -2, -3])
def test_array_writes_and_configs(face, wire, ours, ttl):
    np = pytest.importorskip("numpy")
    data = np.array([(1, 2)], [("_key", "i8"), ("a", "i8")])
    expected = SENT[ttl % 2**32]
    write = lambda twin, ttl: twin.client.batch_write_numpy(data, "test", "ttl", policy={"ttl": ttl})  # noqa: E731
    assert sent(wire, write, ours, ttl) == expected
    of_config = 0 if expected == OF_POLICY else expected
    for policy, place in (
        ("write", "put meta"),
        ("operate", "operate meta"),
        ("batch_write", "batch_write meta"),
    ):
        with face.connect({**config(wire), "policies": {policy: {"ttl": ttl}}}) as client:
            twin = Twin(client, is_official=False)
            assert sent(wire, PLACES[place], twin, aerospike.TTL_CLIENT_DEFAULT) == of_config
    with pytest.raises(aerospike.ParamError, match="TTL_NEVER_EXPIRE"):
        face.client({**config(wire), "policies": {"batch_write": {"ttl": -5}}})
