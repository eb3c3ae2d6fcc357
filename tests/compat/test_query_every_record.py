"""Queries with read operations: which records come, and with which bins.

A model says so. It holds for the embedded node and, with ``AEROSPIKE_HOSTS``, for a real server.
"""

from __future__ import annotations

import itertools
import random
import struct
import uuid

import pytest

from tests.support import query_frames as q

aerospike = pytest.importorskip("aerospike", exc_type=ModuleNotFoundError)
operations = pytest.importorskip("aerospike_helpers.operations.operations")

INTEGER, STRING, NIL = 1, 3, 0
# A server remembers its last queries and refuses their task ids.
TASKS = itertools.count(random.getrandbits(48) << 15)
# Records with some of the bins a, b, c; every record has the bin n.
BINS = ("a", "b", "c")
ALL = range(4096)


def bins_of(number):
    """The bins of a record as they are written."""
    chosen = {name: f"{name}{number}" for bit, name in enumerate(BINS) if number >> bit & 1}
    return {**chosen, "n": number} if number % 5 else {"n": number, **chosen}


def particle(code, name, value):
    if value is None:
        return (code, NIL, name, b"")
    if isinstance(value, int):
        return (code, INTEGER, name, struct.pack(">q", value))
    return (code, STRING, name, value.encode())


@pytest.fixture(scope="module")
def records(official):
    """``{digest: (number, stored key)}`` of 64 records, and their set. Every second one has its key."""
    name = f"t{uuid.uuid4().hex[:12]}"
    found = {}
    for number in range(64):
        key = ("test", name, number)
        send = aerospike.POLICY_KEY_SEND if number % 2 else aerospike.POLICY_KEY_DIGEST
        official.put(key, bins_of(number), policy={"key": send})
        stored = b"\x01" + struct.pack(">q", number) if number % 2 else None
        found[bytes(aerospike.calc_digest(*key))] = (number, stored)
    return name, found


@pytest.fixture
def connection(server):
    if len(server.hosts) > 1:
        pytest.skip("one node has all records")
    made = q.Connection(server.hosts[0])
    yield made
    made.close()


def expected(records, names, *, every, no_bins=False):
    """What a query returns: ``{digest: (set, stored key, bins)}``."""
    set_name, numbers = records
    found = {}
    for digest, (number, stored) in numbers.items():
        bins = bins_of(number)
        if no_bins:
            ops = ()
        elif not names:
            ops = tuple(particle(1, name, value) for name, value in bins.items())
        else:
            wanted = names if every else [name for name in names if name in bins]
            ops = tuple(particle(1, name, bins.get(name)) for name in wanted)
            if not ops:
                continue
        found[digest] = (set_name, stored, ops)
    return found


def by_digest(records, found):
    """The same of an answer; of a whole namespace's, the records of the set."""
    assert len({record.digest for record in found}) == len(found), "a record came twice"
    mine = [record for record in found if record.digest in records[1]]
    assert {record.generation for record in mine} <= {1}
    return {record.digest: (record.set, record.key, record.ops) for record in mine}


NAMES = {
    "all": (),
    "one": ("a",),
    "none that there is": ("none",),
    "several": ("none", "c", "a"),
    "twice": ("b", "n", "b", "b"),
    "fifteen bytes": ("fifteen_chars_x", "a"),
}


@pytest.mark.parametrize("flags", [0, q.SHORT_QUERY, q.NO_BINS], ids=["long", "short", "no bins"])
@pytest.mark.parametrize("every", [False, True], ids=["list", "every result"])
@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_a_set(connection, records, names, every, flags):
    info2 = q.RESPOND_ALL_OPS if every else 0
    request = q.query(
        records[0], q.reads(names), partitions=ALL, info1=flags, info2=info2, task_id=next(TASKS)
    )
    code, found = connection.ask(request)
    model = expected(records, names, every=every, no_bins=bool(flags & q.NO_BINS))
    assert (code, by_digest(records, found)) == (0, model)
    assert len(found) == len(model)


@pytest.mark.parametrize("every", [False, True], ids=["list", "every result"])
def test_the_whole_namespace(connection, records, every):
    info2 = q.RESPOND_ALL_OPS if every else 0
    request = q.query("", q.reads(["c", "none"]), partitions=ALL, info2=info2, task_id=next(TASKS))
    code, found = connection.ask(request)
    assert code == 0
    assert by_digest(records, found) == expected(records, ["c", "none"], every=every)


@pytest.mark.parametrize("every", [False, True], ids=["list", "every result"])
@pytest.mark.parametrize("limit", [1, 10, 40, 63, 64, 65])
def test_a_record_that_is_left_out_counts_for_the_limit(connection, records, limit, every):
    info2 = q.RESPOND_ALL_OPS if every else 0
    counts = set()
    for _ in range(3):
        request = q.query(
            records[0], q.reads(["a"]), partitions=ALL, info2=info2, max_records=limit, task_id=next(TASKS)
        )
        code, found = connection.ask(request)
        model = expected(records, ["a"], every=every)
        assert code == 0
        assert by_digest(records, found).items() <= model.items()
        counts.add(len(found))
    if every:
        assert counts == {min(limit, 64)}
    else:
        # Half of the records have the bin. Which are looked at depends on the server's threads.
        assert max(counts) <= min(limit, 32)
        assert min(counts) >= limit - 32 if limit < 64 else counts == {32}


@pytest.mark.parametrize("info2", [0, q.RESPOND_ALL_OPS])
@pytest.mark.parametrize(
    ("name", "code"), [("sixteen_chars_xx", 4), ("", 0), ("a\x00b", 4), ("a b", 0)], ids=repr
)
def test_names(connection, records, name, code, info2):
    request = q.query(records[0], q.reads([name]), partitions=ALL, info2=info2, task_id=next(TASKS))
    assert connection.ask(request)[0] == code


@pytest.mark.parametrize("info2", [0, q.RESPOND_ALL_OPS])
@pytest.mark.parametrize("code", [2, 5, 9, 10, 11, 14, 99])
def test_only_read_operations_are_taken(connection, records, code, info2):
    request = q.query(
        records[0], [q.op(code, "a", STRING, b"x")], partitions=ALL, info2=info2, task_id=next(TASKS)
    )
    assert connection.ask(request) == (4, [])


@pytest.mark.parametrize("count", [32 * 1024, 32 * 1024 + 1])
def test_more_operations_than_a_server_carries_out_leave_out_every_record(connection, records, count):
    request = q.query(
        records[0],
        q.reads(["n"] * count),
        partitions=ALL,
        info2=q.RESPOND_ALL_OPS,
        max_records=3,
        task_id=next(TASKS),
    )
    code, found = connection.ask(request)
    assert (code, len(found)) == (0, 3 if count == 32 * 1024 else 0)


def test_the_official_client_reads_every_record(official, records):
    query = official.query("test", records[0])
    query.add_ops([operations.read("a"), operations.read("none")])
    found = query.results()
    model = [bins_of(number).get("a") for number, _ in records[1].values()]
    assert sorted(str(bins.get("a")) for _, _, bins in found) == sorted(map(str, model))
