"""Clusters and faults of ``aerospike_py.testing.DevServer``, as the official client sees them."""

from __future__ import annotations

import contextlib
import time

import pytest

from aerospike_py.testing import DevServer
from tests.support.network import ask
from tests.support.waiting import eventually

aerospike = pytest.importorskip("aerospike", exc_type=ModuleNotFoundError)
ex = aerospike.exception

pytestmark = pytest.mark.embedded

KEYS = [("test", "cluster", i) for i in range(200)]


@contextlib.contextmanager
def official(server, **settings):
    """The official client, set to refresh its cluster view often and to try each call once."""
    policies = {
        "read": {"total_timeout": 500, "max_retries": 0},
        "batch": {"total_timeout": 500, "max_retries": 0},
        "write": {"total_timeout": 500, "max_retries": 0},
    }
    config = {**server.config, "tend_interval": 250, "policies": policies}
    client = aerospike.client({**config, **settings}).connect()
    try:
        yield client
    finally:
        client.close()


def fill(client):
    for key in KEYS:
        client.put(key, {"v": key[2]})


def found(client):
    """The keys whose records exist."""
    records = client.batch_read(KEYS).batch_records
    assert all(record.result in (0, 2) for record in records)
    return [record.key[2] for record in records if record.result == 0]


def peers(address):
    return ask(address, "peers-clear-std").split("[", 1)[1].count("[") // 2


def test_records_of_a_killed_node_are_lost():
    with DevServer(nodes=2) as server, official(server) as client:
        fill(client)
        server.kill(1)
        eventually("the client sees one node", lambda: len(client.get_node_names()) == 1)
        assert len(found(client)) == 200
        server.restart(1)
        server.kill(0)
        server.restart(0)
        eventually("the client sees both again", lambda: len(client.get_node_names()) == 2)
        assert len(found(client)) == 200
    with DevServer(nodes=2, replication_factor=1) as server, official(server) as client:
        fill(client)
        server.kill(1)
        eventually("the client sees one node", lambda: len(client.get_node_names()) == 1)
        assert 50 < len(found(client)) < 150


def test_dead_and_hung_nodes_are_noticed_after_a_while():
    with DevServer(nodes=3, failure_detection=0.4) as server:
        first, _, third = server.hosts
        for fail, mend in ((server.kill, server.restart), (server.pause, server.resume)):
            start = time.monotonic()
            fail(1)
            assert peers(first) == 2
            eventually("the node is expelled", lambda: peers(first) == 1)
            assert time.monotonic() - start >= 0.4
            assert peers(third) == 1
            mend(1)
            assert peers(first) == 2


def test_connections_are_refused():
    with DevServer(nodes=2) as server:
        server.refuse(1)
        assert ask(server.hosts[1], "node") is None
        assert peers(server.hosts[0]) == 1
        server.resume(1)
        assert ask(server.hosts[1], "node") == "D2"


def test_partitions_move_under_a_client():
    with DevServer(nodes=3) as server, official(server) as client:
        fill(client)
        for _ in range(5):
            server.move_partitions(1000)
            assert len(found(client)) == 200
        # Nodes pass on requests for partitions they do not hold, until the client refreshes its view.
        before = sum(server.counters(node)["passed_on"] for node in range(3))

        def is_settled():
            nonlocal before
            found(client)
            then, before = before, sum(server.counters(node)["passed_on"] for node in range(3))
            return then == before

        eventually("the client asks the right nodes", is_settled)
        with pytest.raises(RuntimeError, match="1 to 4096 partitions can move, not 0"):
            server.move_partitions(0)


def test_the_official_client_reads_from_its_rack():
    with DevServer(nodes=4, racks=[1, 1, 2, 2]) as server:
        policies = {"batch": {"replica": aerospike.POLICY_REPLICA_PREFER_RACK}}
        settings = {"rack_aware": True, "rack_id": 2, "policies": policies}
        with official(server, **settings) as client:
            fill(client)
            eventually("the client sees all nodes", lambda: len(client.get_node_names()) == 4)

            def reads_from_its_rack():
                before = [server.counters(node)["batch_rows"] for node in range(4)]
                assert len(found(client)) == 200
                rows = [server.counters(node)["batch_rows"] - then for node, then in enumerate(before)]
                return rows[:2] == [0, 0] and sum(rows[2:]) == 200

            eventually("it knows the racks", reads_from_its_rack)


def test_the_official_client_finds_alternate_addresses():
    # Nothing listens on the address that the nodes report by default.
    options = ["--access-host", "127.0.0.9", "--alternate-host", "127.0.0.1"]
    with (
        DevServer(nodes=3, options=options) as server,
        official(server, use_services_alternate=True) as client,
    ):
        eventually("the client sees all nodes", lambda: len(client.get_node_names()) == 3)
        fill(client)
        assert len(found(client)) == 200
        assert all(server.counters(node)["connections"] > 0 for node in range(3))


def test_strong_consistency_as_the_official_client_sees_it():
    with DevServer(nodes=2, strong_consistency=True) as server, official(server) as client:
        fill(client)
        assert ";strong-consistency=true;" in ask(server.hosts[0], "namespace/test")
        assert ask(server.hosts[0], "replicas").startswith("test:1,2,")
        linearize = {"read_mode_sc": aerospike.POLICY_READ_MODE_SC_LINEARIZE}
        assert client.get(KEYS[3], linearize)[2] == {"v": 3}
        server.kill(1)
        eventually("the client sees one node", lambda: len(client.get_node_names()) == 1)
        assert len(found(client)) == 200
        # Both are dead at the same time, and nothing is lost.
        server.kill(0)
        server.restart(0)
        server.restart(1)
        eventually("the client sees both again", lambda: len(client.get_node_names()) == 2)
        assert len(found(client)) == 200


@pytest.mark.parametrize(
    ("fault", "arguments", "error"),
    [
        ("close", {}, ex.AerospikeError),
        ("close-mid-frame", {}, ex.AerospikeError),
        ("silent", {}, ex.TimeoutError),
        ("late", {"seconds": 1.0}, ex.TimeoutError),
        ("garbage", {}, ex.AerospikeError),
        ("huge-frame", {}, ex.AerospikeError),
        ("code", {"code": 9}, ex.TimeoutError),
        ("row-code", {"code": 14}, ex.RecordBusy),
    ],
)
def test_faults_of_single_reads(fault, arguments, error):
    with DevServer() as server, official(server) as client:
        client.put(KEYS[0], {"v": 0})
        server.inject(fault, command="read", times=1, **arguments)
        with pytest.raises(error):
            client.get(KEYS[0])
        assert client.get(KEYS[0])[2] == {"v": 0}
        assert server.counters(0)["faults"] == 1


def test_faults_of_batches():
    with DevServer() as server, official(server) as client:
        fill(client)
        server.inject("row-code", code=14, command="batch", times=1)
        assert {record.result for record in client.batch_read(KEYS).batch_records} == {14}
        server.inject("code", 0, code=152, times=1)
        # The client raises no error for a batch that was refused: its rows have no response.
        assert {record.result for record in client.batch_read(KEYS).batch_records} == {-15}
        server.inject("late", seconds=0.1, command="batch")
        start = time.monotonic()
        assert len(found(client)) == 200
        assert time.monotonic() - start >= 0.1
        server.clear_faults()
        assert len(found(client)) == 200
        assert server.counters(0)["faults"] == 3


def test_counters():
    with DevServer(nodes=2) as server:
        none = server.counters(1)
        assert set(none) == {
            "connections",
            "connections_open",
            "batch_requests",
            "batch_rows",
            "passed_on",
            "queries",
            "query_records",
            "reads",
            "writes",
            "info_requests",
            "logins",
            "logins_refused",
            "authentications",
            "faults",
        }
        assert set(none.values()) == {0}
        ask(server.hosts[1], "node")
        assert server.counters(1)["info_requests"] == 1
        assert server.counters(0)["info_requests"] == 0
        with pytest.raises(RuntimeError, match="there is no node 2: the cluster has 2"):
            server.counters(2)


def test_wrong_arguments_say_what_is_wrong():
    server = DevServer()
    for call, message in (
        (
            lambda: server.inject("explode"),
            "fault is 'explode'; it must be one of close, close-mid-frame, late",
        ),
        (
            lambda: server.inject("close", command="scan"),
            "command is 'scan'; it must be one of batch, query, read, write",
        ),
        (
            lambda: server.inject("late"),
            "seconds is None for the fault 'late'; 'late' needs seconds",
        ),
        (
            lambda: server.inject("close", seconds=1),
            "seconds is 1 for the fault 'close'; .*other faults take none",
        ),
        (
            lambda: server.inject("late", seconds=-1),
            "seconds is -1; it must be a number of seconds, 0 or more",
        ),
        (
            lambda: server.inject("code"),
            "code is None for the fault 'code'; 'code' and 'row-code' need a code",
        ),
        (
            lambda: server.inject("close", code=1),
            "code is 1 for the fault 'close'; .*other faults take none",
        ),
        (lambda: server.inject("code", code=256), "code is 256; it must be a result code from 0 to 255"),
        (lambda: server.inject("close", times=0), "times is 0; it must be at least 1, or None for all"),
        (
            lambda: DevServer(replication_factor=2),
            r"replication_factor is 2; it must be from 1 to nodes \(1\)",
        ),
        (
            lambda: DevServer(failure_detection=-1),
            "failure_detection is -1; it must be a number of seconds, 0 or more",
        ),
        (lambda: DevServer(racks=[1, 2]), "racks has 2 numbers; it must have 1, one per node"),
        (lambda: DevServer(racks=[-1]), "a rack is -1; it must be an integer from 0 to 4294967295"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(RuntimeError, match="not running"):
        server.inject("close")
    with server:
        with pytest.raises(RuntimeError, match="there is no node 4"):
            server.inject("close", 4)
        with pytest.raises(RuntimeError, match="does not apply to read commands"):
            server.inject("row-twice", command="read")
