"""Transactions, with both clients: against a node that plays an Enterprise server, and a Community one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import aerospike_py
from aerospike_py.batch import BatchRecords, Write
from tests.support.transactions import (
    ADD,
    BACK,
    CLOSE,
    CREATE,
    FORWARD,
    GET,
    MARK,
    PUT,
    VERIFY,
    EnterpriseNode,
)

if TYPE_CHECKING:
    from tests.support.faces import Face

KEYS = [("test", "txn", number) for number in range(4)]
QUICK = {"total_timeout": 300, "max_retries": 0}


@pytest.fixture(scope="module")
def enterprise() -> Iterator[EnterpriseNode]:
    from aerospike_py.testing import DevServer

    with DevServer() as node, EnterpriseNode(node.hosts[0]) as enterprise:
        yield enterprise


@pytest.fixture
def txn_client(face: Face, enterprise: EnterpriseNode) -> Any:
    enterprise.faults.clear()
    enterprise.frames.clear()
    policies = {"txn_verify": QUICK, "txn_roll": QUICK}
    return face.connect({"hosts": [enterprise.address], "max_error_rate": 0, "policies": policies})


def begun(client: Any, enterprise: EnterpriseNode) -> aerospike_py.Transaction:
    """A transaction that has written one record and read another."""
    txn = aerospike_py.Transaction()
    client.put(KEYS[0], {"a": 1}, policy={"txn": txn})
    client.get(KEYS[1], {"txn": txn})
    assert enterprise.steps == [CREATE, PUT, GET]
    return txn


@pytest.mark.embedded
def test_commit_and_abort(txn_client: Any, enterprise: EnterpriseNode) -> None:
    txn = begun(txn_client, enterprise)
    assert txn.state == aerospike_py.TXN_STATE_OPEN
    assert txn_client.commit(txn) == aerospike_py.COMMIT_OK
    assert enterprise.steps == [VERIFY, MARK, FORWARD, CLOSE]
    assert (txn.state, txn.in_doubt) == (aerospike_py.TXN_STATE_COMMITTED, False)
    assert txn_client.commit(txn) == aerospike_py.COMMIT_ALREADY_COMMITTED
    with pytest.raises(aerospike_py.TransactionAlreadyCommitted):
        txn_client.abort(txn)
    txn = begun(txn_client, enterprise)
    assert txn_client.abort(txn) == aerospike_py.ABORT_OK
    assert enterprise.steps == [BACK, CLOSE]
    assert txn_client.abort(txn) == aerospike_py.ABORT_ALREADY_ABORTED
    with pytest.raises(aerospike_py.TransactionAlreadyAborted):
        txn_client.commit(txn)
    with pytest.raises(aerospike_py.ParamError, match="was aborted and takes no more commands"):
        txn_client.get(KEYS[0], {"txn": txn})
    assert enterprise.steps == []


@pytest.mark.embedded
def test_every_batch_can_be_part_of_a_transaction(txn_client: Any, enterprise: EnterpriseNode) -> None:
    txn = aerospike_py.Transaction()
    policy = {"txn": txn}
    batch = txn_client.batch_read(KEYS, _dtype=np.dtype([("a", "i8")]), policy=policy)
    assert batch.batch_records["a"].tolist() == [1, 1, 1, 1]
    assert enterprise.steps == [GET]
    rows = np.array([(5, 1), (6, 2)], dtype=[("key", "i8"), ("a", "i8")])
    txn_client.batch_write_numpy(rows, "test", "txn", key_field="key", policy=policy)
    assert enterprise.steps == [CREATE, PUT]
    txn_client.batch_operate(KEYS, [aerospike_py.operations.write("a", 1)], policy)
    records = BatchRecords([Write(key, [aerospike_py.operations.write("a", 1)]) for key in KEYS])
    txn_client.batch_write(records, policy)
    txn_client.batch_remove(KEYS, policy)
    assert enterprise.steps == [ADD, PUT] * 3
    assert txn_client.commit(txn) == aerospike_py.COMMIT_OK
    assert enterprise.steps == [MARK, FORWARD, CLOSE], "all that was read was written later"


@pytest.mark.embedded
@pytest.mark.parametrize("fault", ["lose", "hang"])
def test_a_lost_commit_is_in_doubt(txn_client: Any, enterprise: EnterpriseNode, fault: str) -> None:
    txn = begun(txn_client, enterprise)
    enterprise.faults[MARK] = fault
    with pytest.raises(aerospike_py.AerospikeError, match="may have been committed") as raised:
        txn_client.commit(txn)
    assert raised.value.in_doubt
    assert (txn.state, txn.in_doubt) == (aerospike_py.TXN_STATE_COMMIT_FAILED, True)
    with pytest.raises(aerospike_py.TransactionFailed, match="commit it again to find out"):
        txn_client.abort(txn)
    enterprise.faults.clear()
    assert enterprise.steps == [VERIFY, MARK]
    assert txn_client.commit(txn) == aerospike_py.COMMIT_OK
    assert enterprise.steps == [MARK, FORWARD, CLOSE]


@pytest.mark.embedded
def test_what_has_changed_aborts(txn_client: Any, enterprise: EnterpriseNode) -> None:
    txn = begun(txn_client, enterprise)
    enterprise.faults[VERIFY] = 121
    with pytest.raises(aerospike_py.TransactionFailed, match="MRT_VERSION_MISMATCH"):
        txn_client.commit(txn)
    assert enterprise.steps == [VERIFY, BACK, CLOSE]
    assert txn.state == aerospike_py.TXN_STATE_ABORTED


@pytest.mark.embedded
@pytest.mark.parametrize("fault", ["lose", "hang"])
@pytest.mark.parametrize(
    ("step", "status"),
    [
        (FORWARD, aerospike_py.COMMIT_ROLL_FORWARD_ABANDONED),
        (CLOSE, aerospike_py.COMMIT_CLOSE_ABANDONED),
    ],
)
def test_the_server_finishes(
    txn_client: Any, enterprise: EnterpriseNode, step: str, status: int, fault: str
) -> None:
    txn = begun(txn_client, enterprise)
    enterprise.faults[step] = fault
    assert txn_client.commit(txn) == status
    assert txn.state == aerospike_py.TXN_STATE_COMMITTED


@pytest.mark.embedded
@pytest.mark.parametrize("fault", ["lose", "hang"])
def test_lost_writes(txn_client: Any, enterprise: EnterpriseNode, fault: str) -> None:
    txn = aerospike_py.Transaction()
    policy = {"txn": txn, **QUICK}
    enterprise.faults[CREATE] = fault
    with pytest.raises(aerospike_py.AerospikeError) as raised:
        txn_client.put(KEYS[0], {"a": 1}, policy=policy)
    assert not raised.value.in_doubt, "the write was not sent"
    assert enterprise.steps == [CREATE]
    enterprise.faults.clear()
    enterprise.faults[PUT] = fault
    with pytest.raises(aerospike_py.AerospikeError) as raised:
        txn_client.put(KEYS[0], {"a": 1}, policy=policy)
    assert raised.value.in_doubt
    assert enterprise.steps == [CREATE, PUT]
    assert txn_client.abort(txn) == aerospike_py.ABORT_OK
    assert enterprise.steps == [BACK], "the server needs the monitor record for the write that is in doubt"


@pytest.mark.embedded
def test_a_cancelled_commit_is_in_doubt(enterprise: EnterpriseNode) -> None:
    async def run() -> None:
        enterprise.faults.clear()
        async with aerospike_py.AsyncClient({"hosts": [enterprise.address]}) as client:
            txn = aerospike_py.Transaction()
            await asyncio.gather(*(client.put(key, {"a": 1}, policy={"txn": txn}) for key in KEYS))
            assert [step for step in enterprise.steps if step == CREATE] == [CREATE]
            enterprise.faults[MARK] = "hang"
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.commit(txn), 0.2)
            # The commit is dropped by another thread.
            for _ in range(500):
                if txn.in_doubt:
                    break
                await asyncio.sleep(0.01)
            assert txn.in_doubt
            assert txn.state == aerospike_py.TXN_STATE_COMMIT_FAILED
            enterprise.faults.clear()
            assert await client.commit(txn) == aerospike_py.COMMIT_OK

    asyncio.run(run())


@pytest.mark.embedded
def test_what_is_refused_before_anything_is_sent(txn_client: Any, enterprise: EnterpriseNode) -> None:
    txn = aerospike_py.Transaction()
    policy = {"txn": txn}
    txn_client.get(KEYS[0], policy)
    assert enterprise.steps == [GET]
    with pytest.raises(aerospike_py.ParamError, match="use a transaction for each namespace"):
        txn_client.get(("bar", "txn", 1), policy)
    with pytest.raises(aerospike_py.ParamError, match="use a transaction for each namespace"):
        txn_client.batch_read([KEYS[0], ("bar", "txn", 1)], policy=policy)
    with pytest.raises(aerospike_py.ParamError, match=r'"txn" is True \(bool\); it must be a Transaction'):
        txn_client.get(KEYS[0], {"txn": True})
    with pytest.raises(aerospike_py.ParamError, match='"txn" is not supported'):
        list(txn_client.query("test", "txn").results(policy))
    for call in (txn_client.commit, txn_client.abort):
        with pytest.raises(TypeError, match="it must be a Transaction"):
            call("string")
    assert enterprise.steps == []


def test_the_object() -> None:
    txn = aerospike_py.Transaction(reads_capacity=16, writes_capacity=16)
    assert (txn.state, txn.in_doubt, txn.timeout) == (aerospike_py.TXN_STATE_OPEN, False, 0)
    assert 0 < txn.id < 2**64
    assert txn.id != aerospike_py.Transaction().id
    txn.timeout = 10
    assert txn.timeout == 10
    assert repr(txn) == f"<Transaction {txn.id}: Open>"
    for name in ("id", "state", "in_doubt"):
        with pytest.raises(AttributeError):
            setattr(txn, name, 1)
    for value, error in [("x", TypeError), (-1, ValueError), (2**32, ValueError)]:
        with pytest.raises(error, match="it must be a whole number from 0 to 4294967295"):
            txn.timeout = value  # type: ignore[assignment]
        with pytest.raises(error, match="reads_capacity is"):
            aerospike_py.Transaction(value)  # type: ignore[arg-type]


def test_a_community_server_refuses_transactions(client: Any, fresh_set: str) -> None:
    key = ("test", fresh_set, 1)
    client.put(key, {"a": 1})
    for call in (
        lambda policy: client.get(key, policy),
        lambda policy: client.put(key, {"a": 2}, policy=policy),
        lambda policy: client.touch(key, policy=policy),
    ):
        txn = aerospike_py.Transaction()
        with pytest.raises(aerospike_py.AerospikeError, match="ENTERPRISE_ONLY") as raised:
            call({"txn": txn})
        assert raised.value.code == 25
        assert client.abort(txn) == aerospike_py.ABORT_OK
    txn = aerospike_py.Transaction()
    with pytest.raises(aerospike_py.AerospikeError, match="ENTERPRISE_ONLY"):
        client.batch_read([key, key], policy={"txn": txn})
    assert client.get(key).bins == {"a": 1}
