"""What the official client and ours send in a transaction, to a node that plays an Enterprise server.

Requests for one record are compared byte by byte, apart from the transaction's random identifier and the time
that is left. Rows of batches are compared one by one: clients may send them in any order, and shorten those
that repeat another.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import aerospike_py
from tests.support.transactions import (
    ADD,
    BACK,
    CLOSE,
    CREATE,
    DIGEST,
    FORWARD,
    GET,
    MARK,
    PUT,
    VERIFY,
    EnterpriseNode,
    Row,
    rows_of,
)
from tests.support.twins import ERRORS, Twin

aerospike = pytest.importorskip("aerospike", exc_type=ModuleNotFoundError)

pytestmark = [
    pytest.mark.embedded,
    # The official client warns of its own `meta={"ttl": ...}`.
    pytest.mark.filterwarnings("ignore:meta.*is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*deprecated.*:DeprecationWarning"),
]

KEYS = [("test", "txn", number) for number in range(6)]


@pytest.fixture(scope="module")
def enterprise() -> Iterator[EnterpriseNode]:
    from aerospike_py.testing import DevServer

    with DevServer() as node, EnterpriseNode(node.hosts[0]) as enterprise:
        yield enterprise


@pytest.fixture(scope="module")
def both(enterprise: EnterpriseNode) -> Iterator[tuple[Twin, Twin]]:
    config: Any = {"hosts": [enterprise.address], "max_error_rate": 0}
    official, ours = aerospike.client(config).connect(), aerospike_py.client(config).connect()
    yield Twin(official, is_official=True), Twin(ours, is_official=False)
    official.close()
    ours.close()


def package(twin: Twin) -> Any:
    return aerospike if twin.is_official else aerospike_py


def normal(body: bytes, txn: Any) -> bytes | tuple[int, list[Row]]:
    """A request without the identifier and the time that is left."""
    signed = txn.id - (1 << 64 if txn.id >> 63 else 0)
    monitor = aerospike_py.calc_digest("test", "<ERO~MRT", signed)
    for found, name in [
        (struct.pack("<Q", txn.id), b"=id LE=="),
        (struct.pack(">q", signed), b"=id BE=="),
        (monitor, b"=monitor record's=="),
    ]:
        body = body.replace(found, name)
    body = body[:14] + bytes(4) + body[18:]
    if not body[1] & 8:
        return body
    rows = [Row(0, row.info, row.generation, row.ttl, row.fields, row.ops) for row in rows_of(body)]
    return body[0], sorted(rows, key=lambda row: row.field(DIGEST) or b"")


def plain(result: Any) -> Any:
    if isinstance(result, tuple):
        return tuple(map(plain, result))
    # The official client has no class of its own for codes that it does not know.
    if result is None:
        return 0
    return "ServerError" if result == "AerospikeError" else result


def sent(
    enterprise: EnterpriseNode, both: tuple[Twin, Twin], call: Callable[[Twin, Any], Any]
) -> tuple[list[Any], list[Any]]:
    """What both clients send in a transaction, as (step, request), and what the call returns or raises."""
    requests, results = [], []
    for twin in both:
        enterprise.frames.clear()
        txn = package(twin).Transaction()
        try:
            # The official client returns 0 where this one returns None.
            result = plain(call(twin, txn))
        except ERRORS as error:
            result = plain((type(error).__name__, error.code))
        requests.append([(step, normal(body, txn)) for step, body in enterprise.frames])
        results.append((result, txn.state, txn.in_doubt))
    enterprise.faults.clear()
    assert results[0] == results[1]
    assert [step for step, _ in requests[0]] == [step for step, _ in requests[1]]
    for (step, theirs), (_, ours) in zip(*requests, strict=True):
        if isinstance(theirs, bytes) and isinstance(ours, tuple):
            # The official client sends a batch of one row as a command on one record.
            assert len(ours[1]) == 1, step
            continue
        assert ours == theirs, step
    return requests[1], list(results[1])


def write_two(twin: Twin, txn: Any) -> None:
    policy = {"txn": txn}
    twin.client.put(KEYS[0], {"a": 1}, policy=policy)
    twin.client.put(KEYS[1], {"a": 1, "b": "text"}, {"ttl": 60}, {**policy, "key": 1})
    twin.client.get(KEYS[2], policy)
    twin.client.get(KEYS[3], policy)


def test_commit(enterprise: EnterpriseNode, both: tuple[Twin, Twin]) -> None:
    def call(twin: Twin, txn: Any) -> Any:
        txn.timeout = 30
        write_two(twin, txn)
        return twin.client.commit(txn)

    requests, _ = sent(enterprise, both, call)
    steps = [step for step, _ in requests]
    assert steps == [CREATE, PUT, ADD, PUT, GET, GET, VERIFY, MARK, FORWARD, CLOSE]


def test_abort(enterprise: EnterpriseNode, both: tuple[Twin, Twin]) -> None:
    def call(twin: Twin, txn: Any) -> Any:
        write_two(twin, txn)
        return twin.client.abort(txn), twin.client.abort(txn)

    requests, results = sent(enterprise, both, call)
    assert [step for step, _ in requests][-2:] == [BACK, CLOSE]
    assert results[0] == (aerospike.ABORT_OK, aerospike.ABORT_ALREADY_ABORTED)


COMMANDS: dict[str, Callable[[Twin, dict[str, Any]], Any]] = {
    "put": lambda twin, policy: twin.client.put(KEYS[0], {"a": 1}, policy=policy),
    "get": lambda twin, policy: twin.client.get(KEYS[0], policy)[2],
    "select": lambda twin, policy: twin.client.select(KEYS[0], ["a"], policy)[2],
    "exists": lambda twin, policy: twin.client.exists(KEYS[0], policy)[1]["gen"],
    "remove": lambda twin, policy: twin.client.remove(KEYS[0], policy=policy),
    "touch": lambda twin, policy: twin.client.touch(KEYS[0], 60, policy=policy),
    "append": lambda twin, policy: twin.client.append(KEYS[0], "s", "x", policy=policy),
    "increment": lambda twin, policy: twin.client.increment(KEYS[0], "n", 3, policy=policy),
    "remove_bin": lambda twin, policy: twin.client.remove_bin(KEYS[0], ["a"], policy=policy),
    "operate": lambda twin, policy: len(
        twin.client.operate(KEYS[0], [twin.op.increment("n", 1), twin.op.read("n")], policy=policy)
    ),
    "operate that reads": lambda twin, policy: len(
        twin.client.operate(KEYS[0], [twin.op.read("a")], policy=policy)
    ),
    "on_locking_only": lambda twin, policy: twin.client.put(
        KEYS[0], {"a": 1}, policy={**policy, "on_locking_only": True}
    ),
    "batch_read": lambda twin, policy: len(twin.client.batch_read(KEYS, policy=policy).batch_records),
    "batch_read of bins": lambda twin, policy: len(
        twin.client.batch_read(KEYS, ["a", "b"], policy).batch_records
    ),
    "batch_operate": lambda twin, policy: len(
        twin.client.batch_operate(KEYS, [twin.op.write("a", 1)], policy).batch_records
    ),
    "batch_remove": lambda twin, policy: len(twin.client.batch_remove(KEYS, policy).batch_records),
    "batch_write": lambda twin, policy: len(
        twin.client.batch_write(
            twin.batch.BatchRecords(
                [
                    *(twin.batch.Write(key, [twin.op.write("a", 1)]) for key in KEYS[:3]),
                    twin.batch.Read(KEYS[3], ops=[twin.op.read("a")]),
                    twin.batch.Remove(KEYS[4]),
                ]
            ),
            policy,
        ).batch_records
    ),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_commands(enterprise: EnterpriseNode, both: tuple[Twin, Twin], name: str) -> None:
    """Each command first in its transaction, and after the record was read in it."""
    call = COMMANDS[name]
    requests, _ = sent(enterprise, both, lambda twin, txn: call(twin, {"txn": txn}))
    assert requests

    def after_a_read(twin: Twin, txn: Any) -> Any:
        twin.client.get(KEYS[0], {"txn": txn})
        result = call(twin, {"txn": txn})
        return result, twin.client.abort(txn)

    sent(enterprise, both, after_a_read)


@pytest.mark.parametrize("code", [120, 121, 122, 123, 125, 126])
@pytest.mark.parametrize("step", [CREATE, PUT, GET])
def test_codes_of_commands(enterprise: EnterpriseNode, both: tuple[Twin, Twin], step: str, code: int) -> None:
    def call(twin: Twin, txn: Any) -> Any:
        enterprise.faults[step] = code
        with pytest.raises(ERRORS) as raised:
            write_two(twin, txn)
        enterprise.faults.clear()
        return raised.value.code, twin.client.abort(txn)

    sent(enterprise, both, call)


@pytest.mark.parametrize(
    ("step", "code"),
    [
        *((VERIFY, code) for code in (121, 120)),
        *((MARK, code) for code in (22, 122, 124, 125)),
        (FORWARD, 22),
        (CLOSE, 22),
    ],
)
def test_codes_at_the_end(enterprise: EnterpriseNode, both: tuple[Twin, Twin], step: str, code: int) -> None:
    def call(twin: Twin, txn: Any) -> Any:
        write_two(twin, txn)
        enterprise.faults[step] = code
        try:
            first: Any = twin.client.commit(txn)
        except ERRORS as error:
            first = type(error).__name__, error.code
        state = txn.state, txn.in_doubt
        enterprise.faults.clear()
        second = twin.client.commit(txn)
        return first, state, second

    sent(enterprise, both, call)


def test_names() -> None:
    theirs = {
        name: value
        for name, value in vars(aerospike).items()
        if name.startswith(("TXN_", "COMMIT_", "ABORT_"))
    }
    assert theirs == {name: getattr(aerospike_py, name) for name in theirs}
    attributes = {name for name in dir(aerospike.Transaction) if not name.startswith("_")}
    assert attributes == {name for name in dir(aerospike_py.Transaction) if not name.startswith("_")}
