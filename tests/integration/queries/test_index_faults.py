"""Queries with predicates and background queries when nodes fail."""

from __future__ import annotations

import time

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py import list_operations as lists
from aerospike_py import operations as op
from aerospike_py import predicates
from aerospike_py.testing import DevServer
from tests.support.waiting import eventually

pytestmark = pytest.mark.embedded

RECORDS = 3_000
LIST = aerospike.INDEX_TYPE_LIST
DTYPE = np.dtype([("n", "i8")])


def fill(server, count=RECORDS, size=2_000):
    with aerospike.client(server.config) as client:
        for number in range(count):
            bins = {"n": number - count // 2, "l": [number % 10, number % 10 + 1], "b": bytes(size)}
            client.put(("test", "s", number), bins)
        client.index_single_value_create("test", "s", "n", aerospike.INDEX_NUMERIC, "n")
        client.index_list_create("test", "s", "l", aerospike.INDEX_NUMERIC, "l")
    return set(range(-(count // 2), count - count // 2))


@pytest.fixture(scope="module")
def cluster():
    with DevServer(nodes=3) as server:
        fill(server)
        yield server


def numbers(records):
    found = [record.bins["n"] for record in records]
    assert len(found) == len(set(found)), "records came twice"
    return set(found)


IN_RANGE = predicates.between("n", -1_000, 999)
EVERY_LIST = predicates.range("l", LIST, 0, 100)


@pytest.mark.parametrize(
    ("fault", "more"),
    [
        ("close", {}),
        ("close-mid-frame", {}),
        ("garbage", {}),
        ("silent", {}),
        ("code", {"code": 14}),
        ("row-code", {"code": 11}),
    ],
)
def test_a_fault_costs_no_record(face, cluster, fault, more):
    client = face.connect(cluster.config)
    policy = {"socket_timeout": 300}
    for predicate, expected in ((IN_RANGE, set(range(-1_000, 1_000))), (EVERY_LIST, None)):
        before = sum(cluster.counters(node)["faults"] for node in range(3))
        cluster.inject(fault, command="query", times=1, **more)
        try:
            found = numbers(client.query("test", "s").where(predicate).results(policy))
            assert found == expected if expected is not None else len(found) == RECORDS
            assert sum(cluster.counters(node)["faults"] for node in range(3)) >= before + 3
        finally:
            cluster.clear_faults()
            time.sleep(0.2)
    client.close()


def test_a_node_that_dies_costs_no_record(face):
    with DevServer(nodes=3) as server:
        expected = fill(server)
        client = face.connect(server.config)
        query = client.query("test", "s").where(predicates.between("n", -(2**63), 2**63 - 1))
        found = []
        for record in query.records({"sleep_between_retries": 100}):
            found.append(record)
            if len(found) == 500:
                server.kill(1)
        assert numbers(found) == expected
        rows = client.query("test", "s").where(EVERY_LIST).to_numpy(DTYPE)
        assert set(rows["n"].tolist()) == expected
        assert len(rows) == len(expected)
        client.close()


def test_partitions_that_move_cost_no_record(face):
    with DevServer(nodes=3) as server:
        expected = fill(server, 1_000, 100)
        client = face.connect({**server.config, "tend_interval": 100})
        for predicate in (predicates.between("n", -(2**63), 2**63 - 1), EVERY_LIST) * 2:
            server.move_partitions(1_000)
            assert numbers(client.query("test", "s").where(predicate).results()) == expected
        client.close()


def test_a_node_that_hangs_costs_no_record(face):
    """The others notice, and take over its partitions; then it answers again."""
    with DevServer(nodes=3, failure_detection=0.5) as server:
        expected = fill(server)
        client = face.connect({**server.config, "tend_interval": 100})
        policy = {"socket_timeout": 300, "max_retries": 20, "sleep_between_retries": 100}
        for predicate in (predicates.between("n", -(2**63), 2**63 - 1), EVERY_LIST):
            found = []
            for record in client.query("test", "s").where(predicate).records(policy):
                found.append(record)
                if len(found) == 500:
                    server.pause(1)
            assert numbers(found) == expected
            rows = client.query("test", "s").where(predicate).to_numpy(DTYPE, policy=policy)
            assert sorted(rows["n"].tolist()) == sorted(expected)
            server.resume(1)
            assert numbers(client.query("test", "s").where(predicate).results(policy)) == expected
        client.close()


@pytest.mark.parametrize(("fault", "undo"), [("kill", "restart"), ("pause", "resume")])
def test_the_status_says_which_partitions_are_missing(face, fault, undo):
    """No other node has the records: what came is known, and the rest can be read later."""
    with DevServer(nodes=3, replication_factor=1, failure_detection=60) as server:
        expected = fill(server, 600, 10)
        client = face.connect(server.config)
        getattr(server, fault)(1)
        policy = {"socket_timeout": 200, "max_retries": 1, "sleep_between_retries": 1}
        for predicate in (predicates.between("n", -(2**63), 2**63 - 1), EVERY_LIST):
            query = client.query("test", "s").where(predicate)
            found = []
            with pytest.raises(aerospike.AerospikeError, match=r"query at node \w+.*2 tries"):
                found.extend(query.records(policy))
            status = query.get_partitions_status()
            missing = {number for number, entry in status.items() if isinstance(entry, tuple) and entry[2]}
            assert len(missing) > 1_000
            with pytest.raises(aerospike.AerospikeError, match=r"query at node \w+.*2 tries"):
                client.query("test", "s").where(predicate).to_numpy(DTYPE, policy=policy)
            getattr(server, undo)(1)
            patient = {"max_retries": 50, "sleep_between_retries": 100}
            every = client.query("test", "s").where(predicate).results(patient)
            taken = {record.key.digest for record in found}
            left = {record.key.digest for record in every} - taken
            assert {int.from_bytes(digest[:2], "little") % 4096 for digest in left} <= missing
            rest = client.query("test", "s").where(predicate)
            rest = rest.results({"partition_filter": {"partition_status": status}})
            if predicate is EVERY_LIST:
                # A record with several entries can come again where another query continues.
                rest = [record for record in rest if record.key.digest not in taken]
            assert numbers([*found, *rest]) == numbers(every) <= expected
            assert numbers(every) == expected or fault == "kill"
            getattr(server, fault)(1)
        client.close()


@pytest.mark.parametrize("size", [1, 10, 299, 1_000])
def test_limits_hold_where_records_have_several_entries(face, cluster, size):
    client = face.connect(cluster.config)
    query = client.query("test", "s").where(EVERY_LIST)
    query.max_records = size
    assert len(numbers(query.results())) == size
    client.close()


def times(client):
    records = client.query("test", "s").results()
    return {record.bins["n"]: record.bins.get("times", 0) for record in records}


def wait_for(client, job):
    deadline = time.monotonic() + 30
    while client.job_info(job, aerospike.JOB_QUERY)["status"] != aerospike.JOB_STATUS_COMPLETED:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_background_query_without_an_answer_is_not_sent_again(face):
    """The node that closes the connection may have begun."""
    with DevServer(nodes=3) as server:
        fill(server, 300, 10)
        client = face.connect(server.config)
        query = client.query("test", "s").add_ops([op.increment("times", 1), lists.list_append("log", 1)])
        policy = {"socket_timeout": 300, "max_retries": 3, "total_timeout": 5_000}
        for fault in ("close", "close-mid-frame", "silent"):
            before = times(client)
            server.inject(fault, node=1, command="query", times=1)
            failure = None
            try:
                wait_for(client, query.execute_background(policy))
            except aerospike.AerospikeError as error:
                failure = error
            server.clear_faults()
            time.sleep(0.5)
            grown = {number: count - before[number] for number, count in times(client).items()}
            assert set(grown.values()) <= {0, 1}
            if failure is None:
                assert set(grown.values()) == {1}
            else:
                assert failure.in_doubt
                assert "do not start it again for all records" in str(failure)
        client.close()


def test_a_background_query_that_was_refused_is_sent_again(face):
    with DevServer(nodes=3) as server:
        fill(server, 300, 10)
        client = face.connect(server.config)
        server.inject("code", node=1, command="query", times=1, code=18)
        query = client.query("test", "s").add_ops([op.increment("times", 1)])
        wait_for(client, query.execute_background({"max_retries": 2}))
        assert set(times(client).values()) == {1}
        client.close()


@pytest.mark.parametrize("predicate", [None, predicates.between("n", -500, 499), EVERY_LIST])
@pytest.mark.parametrize("is_replaced", [True, False])
def test_a_restart_during_a_background_query_repeats_nothing(face, predicate, is_replaced):
    """Other nodes continue where the dead one was. A node that restarts before that does not begin again."""
    with DevServer(nodes=3, failure_detection=0.1 if is_replaced else 60) as server:
        numbers_of_all = fill(server, 1_500, 10)
        client = face.connect({**server.config, "tend_interval": 100})
        query = client.query("test", "s").add_ops([op.increment("times", 1), lists.list_append("log", 1)])
        query.records_per_second = 150
        if predicate is not None:
            query.where(predicate)
        job = query.execute_background()
        time.sleep(0.2)
        status = client.job_info(job, aerospike.JOB_QUERY)["status"]
        assert status == aerospike.JOB_STATUS_INPROGRESS, "the job was over before the node died"
        server.kill(1)
        if is_replaced:
            time.sleep(0.5)
            eventually("the other nodes have changed all records", lambda: is_still(client), 20)
        server.restart(1)
        eventually("nothing changes", lambda: is_still(client), 20)
        wait_for(client, job)
        done = times(client)
        wanted = set(range(-500, 500)) if predicate and predicate[2] == "n" else numbers_of_all
        changed = {number for number, count in done.items() if count}
        assert set(done) == numbers_of_all
        assert max(done.values()) == 1
        assert changed == wanted if is_replaced else changed < wanted
        client.close()


def is_still(client):
    before = times(client)
    time.sleep(0.5)
    return times(client) == before
