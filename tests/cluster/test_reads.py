"""Batch and single reads while nodes and connections of a three-node cluster fail."""

from __future__ import annotations

import asyncio
import contextlib
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py import exception
from aerospike_py.testing import DevServer
from tests.support.numbered import DTYPE, N, fill, is_right
from tests.support.waiting import eventually

pytestmark = pytest.mark.embedded

KEYS = aerospike.Keys("test", "cluster", np.arange(N))
RF = 2


@pytest.fixture(scope="module")
def server():
    with DevServer(nodes=3, replication_factor=RF) as made:
        fill(made.config, "cluster")
        yield made


def asked(server):
    """The number of rows that all nodes have been asked for."""
    return sum(server.counters(node)["batch_rows"] for node in range(3))


@contextlib.contextmanager
def connected(face, server, batch=None, **settings):
    """A client that refreshes its cluster view often. Hedging is off unless a test sets it."""
    policy = {"hedge_delay": "off", **(batch or {})}
    config = {**server.config, "tend_interval": 200, "policies": {"batch": policy}, **settings}
    client = face.connect(config)
    try:
        yield client
    finally:
        client.close()


def partly_failed(causes=r".+"):
    return pytest.warns(RuntimeWarning, match=rf"rows of the batch failed \({causes}\)")


FAULTS = [
    ("close", {}),
    ("close-mid-frame", {}),
    ("garbage", {}),
    ("wrong-row-index", {}),
    ("row-twice", {}),
    ("late", {"seconds": 0.05}),
    *[("code", {"code": code}) for code in (9, 11, 14, 18, 151, 152)],
    *[("row-code", {"code": code}) for code in (9, 11, 14, 18, 151, 152)],
]


def named(fault):
    return f"{fault[0]}-{fault[1]['code']}" if "code" in fault[1] else fault[0]


@pytest.mark.parametrize("fault", FAULTS, ids=named)
def test_a_fault_costs_no_row(face, faulty, fault):
    with connected(face, faulty) as client:
        assert is_right(client.batch_read(KEYS, _dtype=DTYPE))
        before = asked(faulty)
        faulty.inject(fault[0], 1, command="batch", times=1, **fault[1])
        batch = client.batch_read(KEYS, _dtype=DTYPE)
        assert is_right(batch)
        assert faulty.counters(1)["faults"] >= 1
        # Only the rows that the failed request left open were asked for again.
        again = asked(faulty) - before - N
        assert 0 <= again < N / 2
        if fault[0] in ("row-twice", "late"):
            assert again == 0


@pytest.mark.parametrize("fault", [("silent", {}), ("huge-frame", {})], ids=named)
def test_silence_costs_a_socket_timeout_or_a_hedge(face, faulty, fault):
    for policy, least, most in [({"socket_timeout": 150}, 0.15, 0.6), ({"hedge_delay": 40}, 0.04, 0.6)]:
        with connected(face, faulty, policy) as client:
            faulty.inject(fault[0], 2, command="batch", times=1)
            start = time.monotonic()
            assert is_right(client.batch_read(KEYS, _dtype=DTYPE))
            assert least <= time.monotonic() - start < most
            stats = client.stats()
            assert (stats.hedge_count > 0) == ("hedge_delay" in policy)
            assert (stats.retry_count > 0) == ("socket_timeout" in policy)
            assert all(node.conns.in_use == 0 for node in stats.nodes)


@pytest.mark.parametrize("code", [9, 11, 14, 18, 151, 152])
def test_a_persistent_code_is_reported_per_row(face, faulty, code):
    with connected(face, faulty) as client:
        faulty.inject("row-code", command="batch", code=code)
        with pytest.raises(aerospike.AerospikeError) as caught:
            client.batch_read(KEYS, _dtype=DTYPE)
        assert caught.value.code == code
        assert "3 tries" in str(caught.value)
        faulty.clear_faults()
        faulty.inject("row-code", 0, command="batch", code=code)
        faulty.inject("row-code", 1, command="batch", code=code)
        with partly_failed():
            batch = client.batch_read(KEYS, _dtype=DTYPE, policy={"max_retries": 0})
        failed = batch.result_codes != 0
        assert 0 < failed.sum() < N
        assert set(batch.result_codes[failed]) == {code}
        assert is_right(batch, ~failed)
        assert not batch.batch_records[failed]["v"].any()


def test_max_retries_limits_the_retries(face, faulty):
    with connected(face, faulty) as client:
        faulty.inject("close", command="batch")
        for retries in (0, 1, 3):
            before = client.stats().retry_count
            with pytest.raises(exception.ConnectionError) as caught:
                client.batch_read([("test", "cluster", 0)], _dtype=DTYPE, policy={"max_retries": retries})
            tries = retries + 1
            assert f"{tries} {'try' if tries == 1 else 'tries'}" in str(caught.value)
            assert client.stats().retry_count - before == retries
        faulty.clear_faults()
        # The first retry goes to another node at once, the second after the pause.
        faulty.inject("row-code", command="batch", code=9)
        start = time.monotonic()
        policy = {"max_retries": 2, "sleep_between_retries": 150}
        with pytest.raises(aerospike.TimeoutError):
            client.batch_read(KEYS, _dtype=DTYPE, policy=policy)
        assert 0.15 <= time.monotonic() - start < 0.3
        # A pause that would end after the deadline does not start.
        start = time.monotonic()
        with pytest.raises(aerospike.TimeoutError):
            client.batch_read(KEYS, _dtype=DTYPE, policy={**policy, "total_timeout": 100})
        assert time.monotonic() - start < 0.1


def test_a_hung_node_costs_one_hedge_delay(face, faulty):
    with connected(face, faulty, {"hedge_delay": "adaptive"}) as client:
        for _ in range(3):
            assert is_right(client.batch_read(KEYS, _dtype=DTYPE))
        hedges = client.stats().hedge_count
        faulty.pause(1)
        start = time.monotonic()
        assert is_right(client.batch_read(KEYS, _dtype=DTYPE))
        assert time.monotonic() - start < 0.3
        stats = client.stats()
        assert stats.hedge_count > hedges
        assert stats.suspects == [stats.nodes[1].name]
        for _ in range(20):
            assert is_right(client.batch_read(KEYS, _dtype=DTYPE))
            assert client.get(("test", "cluster", 7)).bins["v"] == 21
        assert client.stats().hedge_count == stats.hedge_count
        faulty.resume(1)
        eventually("the node is trusted again", lambda: not client.stats().suspects)


def test_a_hung_node_without_hedges_costs_the_deadline(face, faulty):
    with connected(face, faulty, {"total_timeout": 300}) as client:
        faulty.pause(1)
        start = time.monotonic()
        with partly_failed("TimeoutError"):
            batch = client.batch_read(KEYS, _dtype=DTYPE)
        assert 0.3 <= time.monotonic() - start < 0.5
        assert set(batch.result_codes) == {0, 9}
        assert is_right(batch, batch.ok)
        # It has answered no request for a while: from now on reads avoid it.
        assert is_right(client.batch_read(KEYS, _dtype=DTYPE))


def test_single_reads_are_hedged(face, faulty):
    keys = [("test", "cluster", number) for number in range(20)]
    policies = {"read": {"hedge_delay": 50}}
    with connected(face, faulty, policies=policies, max_error_rate=0) as client:
        faulty.inject("late", 0, command="read", seconds=0.5)
        start = time.monotonic()
        assert [client.get(key).bins["v"] for key in keys] == [3 * number for number in range(20)]
        assert time.monotonic() - start < 20 * 0.15
        assert client.stats().hedge_count > 0
        # If only the master may answer, the call takes as long as the master.
        master = {"replica": aerospike.POLICY_REPLICA_MASTER}
        assert any(took(lambda key=key: client.get(key, policy=master)) > 0.4 for key in keys)


def took(call):
    start = time.monotonic()
    call()
    return time.monotonic() - start


def test_stale_connections_cost_no_try(face, faulty):
    with connected(face, faulty, {"max_retries": 0}) as client:
        assert is_right(client.batch_read(KEYS, _dtype=DTYPE))
        # The node closes the connections at the moment of their use.
        faulty.inject("close", command="batch", times=1)
        batch = client.batch_read(KEYS, _dtype=DTYPE)
        assert is_right(batch)
        assert client.stats().retry_count == 0


def test_nodes_that_are_killed_and_come_back_cost_no_row(face):
    with (
        DevServer(nodes=3, replication_factor=2, failure_detection=0.4) as server,
        connected(face, server) as client,
    ):
        fill(server.config, "cluster")
        for node in range(3):
            server.kill(node)
            for _ in range(20):
                assert is_right(client.batch_read(KEYS, _dtype=DTYPE))
            eventually("the dead node is forgotten", lambda: len(client.get_node_names()) == 2)
            assert is_right(client.batch_read(KEYS, _dtype=DTYPE))
            server.restart(node)
            eventually("it is found again", lambda: len(client.get_node_names()) == 3)
            assert is_right(client.batch_read(KEYS, _dtype=DTYPE))


def test_moved_partitions_are_followed(face, faulty):
    with connected(face, faulty) as client:
        assert is_right(client.batch_read(KEYS, _dtype=DTYPE))
        for _ in range(3):
            faulty.move_partitions(1_500)
            assert is_right(client.batch_read(KEYS, _dtype=DTYPE))

            def nothing_is_passed_on():
                before = [faulty.counters(node)["passed_on"] for node in range(3)]
                assert is_right(client.batch_read(KEYS, _dtype=DTYPE))
                return [faulty.counters(node)["passed_on"] for node in range(3)] == before

            eventually("every row is asked for at a node that has it", nothing_is_passed_on)


def test_a_node_that_refuses_connections_is_read_around(face, faulty):
    with connected(face, faulty, {"max_retries": 1}) as client:
        faulty.refuse(2)
        assert is_right(client.batch_read(KEYS, _dtype=DTYPE))


def rows_by_node(server, read):
    before = [server.counters(node)["batch_rows"] for node in range(3)]
    read()
    return [server.counters(node)["batch_rows"] - was for node, was in zip(range(3), before, strict=True)]


def test_replicas(face, faulty):
    with connected(face, faulty) as client:

        def read(replica, times=1):
            for _ in range(times):
                policy = {"replica": replica}
                assert is_right(client.batch_read(KEYS, _dtype=DTYPE, policy=policy))

        master = rows_by_node(faulty, lambda: read(aerospike.POLICY_REPLICA_MASTER))
        assert rows_by_node(faulty, lambda: read(aerospike.POLICY_REPLICA_SEQUENCE)) == master
        for replica in (aerospike.POLICY_REPLICA_ANY, aerospike.POLICY_REPLICA_RANDOM):
            turns = rows_by_node(faulty, lambda replica=replica: read(replica, 2))
            assert sum(turns) == 2 * N
            assert turns != [2 * rows for rows in master], "once from each replica"
        # Only the master is asked, however often it fails.
        faulty.inject("row-code", 0, command="batch", code=9)
        policy = {"replica": aerospike.POLICY_REPLICA_MASTER, "sleep_between_retries": 10}
        with partly_failed("TimeoutError"):
            batch = client.batch_read(KEYS, _dtype=DTYPE, policy=policy)
        assert (batch.result_codes == 9).sum() == master[0]


def test_the_nearest_rack_is_read_from(face):
    with DevServer(nodes=3, replication_factor=2, racks=[7, 8, 8]) as server:
        fill(server.config, "cluster")
        prefer = {"replica": aerospike.POLICY_REPLICA_PREFER_RACK}
        near = {"rack_aware": True, "rack_ids": [7]}
        with connected(face, server, prefer, **near) as client:

            def read():
                assert is_right(client.batch_read(KEYS, _dtype=DTYPE))

            # One replica of each partition is on the other rack's only node.
            assert rows_by_node(server, read) == [N, 0, 0]
            server.inject("close", 0, command="batch", times=1)
            server.inject("row-code", 0, command="batch", times=1, code=18)
            read()
            server.kill(0)
            read()
        with connected(face, server) as client, pytest.raises(aerospike.ParamError, match="rack_aware"):
            client.batch_read(KEYS, _dtype=DTYPE, policy=prefer)
        with connected(face, server) as client, pytest.raises(aerospike.ParamError, match="rack_aware"):
            client.get(("test", "cluster", 1), policy=prefer)


def test_a_server_without_racks(face, faulty):
    prefer = {"replica": aerospike.POLICY_REPLICA_PREFER_RACK}
    with connected(face, faulty, prefer, rack_aware=True, rack_id=1) as client:
        assert is_right(client.batch_read(KEYS, _dtype=DTYPE))


def test_strong_consistency(face):
    with DevServer(nodes=3, replication_factor=2, strong_consistency=True) as server:
        fill(server.config, "cluster")
        with connected(face, server, {"hedge_delay": 30}) as client:
            assert is_right(client.batch_read(KEYS, _dtype=DTYPE))
            # Only masters are read from, so no other node is asked if one is late.
            server.inject("late", 0, command="batch", seconds=0.2, times=1)
            assert is_right(client.batch_read(KEYS, _dtype=DTYPE))
            assert client.stats().hedge_count == 0
            relaxed = {"read_mode_sc": aerospike.POLICY_READ_MODE_SC_ALLOW_REPLICA}
            server.inject("late", 0, command="batch", seconds=0.2, times=1)
            assert is_right(client.batch_read(KEYS, _dtype=DTYPE, policy=relaxed))
            assert client.stats().hedge_count > 0
            server.kill(0)
            server.kill(1)
            eventually("the dead nodes are forgotten", lambda: len(client.get_node_names()) == 1)
            with partly_failed("ClusterError"):
                batch = client.batch_read(KEYS, _dtype=DTYPE)
            assert set(batch.result_codes) == {0, 11}
            assert is_right(batch, batch.ok)
            anyway = {"read_mode_sc": aerospike.POLICY_READ_MODE_SC_ALLOW_UNAVAILABLE}
            assert is_right(client.batch_read(KEYS, _dtype=DTYPE, policy=anyway))


def test_alternate_addresses(face):
    options = ["--access-host", "192.0.2.1", "--alternate-host", "127.0.0.1"]
    with DevServer(nodes=3, options=options) as server:
        seed = {"hosts": server.hosts[:1], "connect_timeout": 200}
        with face.connect({**seed, "use_services_alternate": True}) as client:
            assert len(client.get_node_names()) == 3
        with face.connect(seed) as client:
            assert len(client.get_node_names()) == 1, "the others announce an address that leads nowhere"


def test_a_key_whose_partition_has_no_node_fails_alone(face):
    # The death of a node stays unnoticed for a minute, and each record is on one node only.
    with DevServer(nodes=3, replication_factor=1, failure_detection=60) as server:
        fill(server.config, "cluster")
        with connected(face, server) as client:
            lost = rows_by_node(server, lambda: client.batch_read(KEYS, _dtype=DTYPE))[1]
            server.kill(1)
            with partly_failed("ConnectionError"):
                batch = client.batch_read(KEYS, _dtype=DTYPE)
            assert 0 < lost == (batch.result_codes == -10).sum()
            assert is_right(batch, batch.ok)


def test_the_circuit_breaker(face, faulty):
    settings = {"max_error_rate": 5, "error_rate_window": 3, "tend_interval": 250}
    with connected(face, faulty, **settings) as client:
        master = {"replica": aerospike.POLICY_REPLICA_MASTER, "max_retries": 0}
        assert is_right(client.batch_read(KEYS, _dtype=DTYPE))
        faulty.inject("close", 1, command="batch")
        # A new connection each time: a stale one would not count as a failure.
        with partly_failed("(ConnectionError|MaxErrorRateExceeded)"):
            for _ in range(8):
                batch = client.batch_read(KEYS, _dtype=DTYPE, policy=master)
        assert set(batch.result_codes) == {0, -14}
        assert client.stats().nodes[1].circuit_open
        assert client.stats().nodes[1].error_rate > 5
        # Meanwhile other replicas are read, with no try at the failing node.
        requests = faulty.counters(1)["batch_requests"]
        assert is_right(client.batch_read(KEYS, _dtype=DTYPE, policy={"max_retries": 0}))
        assert faulty.counters(1)["batch_requests"] == requests
        key = next(number for number in range(N) if batch.result_codes[number] == -14)
        with pytest.raises(exception.MaxErrorRateExceeded, match="more than 5 times"):
            client.get(("test", "cluster", key), policy=master)
        faulty.clear_faults()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # until it ends, rows fail
            eventually(
                "the window ends",
                lambda: client.batch_read(KEYS, _dtype=DTYPE, policy=master).ok.all(),
            )
        assert not client.stats().nodes[1].circuit_open


def test_a_saturated_client_raises(face, faulty):
    # With replicas allowed, another node would be asked.
    policy = {"total_timeout": 150, "max_retries": 0, "replica": aerospike.POLICY_REPLICA_MASTER}
    with connected(face, faulty, policy, max_conns_per_node=1) as client:
        key = [("test", "cluster", 0)]
        client.batch_read(key, _dtype=DTYPE)
        faulty.inject("late", command="batch", seconds=0.5)
        with ThreadPoolExecutor(4) as pool:
            first = pool.submit(client.batch_read, key, _dtype=DTYPE, policy={"total_timeout": 400})
            time.sleep(0.1)
            calls = [pool.submit(client.batch_read, key, _dtype=DTYPE) for _ in range(3)]
            errors = [call.exception() for call in calls]
        assert isinstance(first.exception(), aerospike.TimeoutError)
        for error in errors:
            assert isinstance(error, exception.NoMoreConnectionsError)
            assert "max_conns_per_node" in str(error)
            assert "none became free in time; make fewer calls at once" in str(error)


def test_calls_that_too_many_others_wait_before(faulty):
    """They fail at once: the message does not speak of a connection that did not become free."""
    policy = {"total_timeout": 5000, "max_retries": 2, "replica": aerospike.POLICY_REPLICA_MASTER}
    config = {**faulty.config, "max_conns_per_node": 1, "policies": {"read": policy}}

    async def main():
        async with aerospike.AsyncClient(config) as client:
            faulty.inject("late", command="read", seconds=0.3, times=1)
            calls = (client.exists(("test", "cluster", 0)) for _ in range(200))
            return await asyncio.gather(*calls, return_exceptions=True)

    outcomes = asyncio.run(main())
    failed = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert 0 < len(failed) < 200
    for error in failed:
        assert isinstance(error, exception.NoMoreConnectionsError)
        assert "all 1 connections were busy and too many calls wait for one already; make fewer" in str(error)


def test_stats_count_what_happened(face, faulty):
    with connected(face, faulty) as client:
        for _ in range(5):
            assert is_right(client.batch_read(KEYS, _dtype=DTYPE))
        stats = client.stats()
        assert [node.name for node in stats.nodes] == sorted(client.get_node_names())
        assert [(node.address, node.port) for node in stats.nodes] == faulty.hosts
        for node in stats.nodes:
            assert node.conns.in_use == node.conns.waiting == node.conns.closed == 0
            assert node.conns.opened == node.conns.in_pool >= 1
            assert 0 < node.usual_time < 0.5
            assert (node.suspect, node.circuit_open) == (False, False)
        assert (stats.retry_count, stats.hedge_count) == (0, 0)
        faulty.inject("close-mid-frame", 0, command="batch", times=1)
        faulty.inject("row-code", 1, command="batch", times=1, code=14)
        assert is_right(client.batch_read(KEYS, _dtype=DTYPE))
        stats = client.stats()
        assert (stats.nodes[0].error_count, stats.nodes[1].key_busy_count) == (1, 1)
        assert stats.nodes[0].conns.closed == 1
        assert stats.retry_count >= 2
