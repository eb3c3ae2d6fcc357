"""Batches of operations, of deletions, and of rows that differ, with both clients."""

from __future__ import annotations

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py import operations as op
from aerospike_py.batch import BatchRecords, Read, Remove, Write


@pytest.fixture
def keys(client, fresh_set):
    keys = [("test", fresh_set, n) for n in range(5)]
    for n, key in enumerate(keys):
        client.put(key, {"n": n, "s": "x"})
    return keys


def test_the_same_operations_for_all(client, keys):
    answer = client.batch_operate(keys, [op.increment("n", 10), op.read("n"), op.append("s", "!")])
    assert (answer.result, len(answer)) == (0, 5)
    for n, row in enumerate(answer):
        assert (row.result, row.key, row.in_doubt, row.error) == (0, (*keys[n], row.key.digest), False, None)
        assert row.record.bins["n"] == n + 10
        assert row.record.meta["gen"] == 2
    assert client.get(keys[3]).bins == {"n": 13, "s": "x!"}
    reads = client.batch_operate(keys, [op.read("s")])
    assert [row.record.bins for row in reads] == [{"s": "x!"}] * 5
    assert client.get(keys[3]).meta["gen"] == 2
    # Missing records are created.
    assert client.batch_operate([(*keys[0][:2], "new")], [op.increment("n", 1)]).batch_records[0].result == 0
    by_array = aerospike.Keys("test", keys[0][1], np.arange(5))
    assert [row.record.bins["n"] for row in client.batch_operate(by_array, [op.read("n")])] == [
        10,
        11,
        12,
        13,
        14,
    ]


def test_rows_have_a_policy_and_a_time_to_live(client, keys):
    missing = (*keys[0][:2], "missing")
    policy = {"exists": aerospike.POLICY_EXISTS_UPDATE, "ttl": 300}
    answer = client.batch_operate([keys[0], missing], [op.write("a", 1)], None, policy)
    assert [row.result for row in answer] == [0, 2]
    assert 0 < client.get(keys[0]).meta["ttl"] <= 300
    client.batch_operate([keys[1]], [op.write("a", 1)], {"total_timeout": 2000}, policy, 700)
    assert 300 < client.get(keys[1]).meta["ttl"] <= 700
    client.batch_operate([keys[2]], [op.touch(900)])
    assert 700 < client.get(keys[2]).meta["ttl"] <= 900
    with pytest.raises(aerospike.ParamError, match="total_timeout"):
        client.batch_operate(keys, [op.write("a", 1)], None, {"total_timeout": 5})
    with pytest.raises(aerospike.ParamError, match="did you mean"):
        client.batch_operate(keys, [op.write("a", 1)], {"total_timeut": 5})


def test_records_are_deleted(client, keys):
    missing = (*keys[0][:2], "missing")
    answer = client.batch_remove([keys[0], missing, keys[1]])
    assert [row.result for row in answer] == [0, 2, 0]
    assert [client.exists(key).meta is None for key in keys] == [True, True, False, False, False]
    policy = {"gen": aerospike.POLICY_GEN_EQ, "generation": 7}
    assert [row.result for row in client.batch_remove([keys[2]], None, policy)] == [3]
    policy["generation"] = 1
    assert [row.result for row in client.batch_remove([keys[2]], None, policy)] == [0]
    with pytest.raises(aerospike.ParamError, match="65536"):
        client.batch_remove([keys[3]], None, {"gen": aerospike.POLICY_GEN_EQ, "generation": 65_536})


def test_each_row_says_what_it_does(client, keys):
    batch = BatchRecords(
        [
            Write(keys[0], [op.write("new", 1.5), op.read("n")], {"ttl": 400}),
            Read(keys[1], [op.read("s")]),
            Read(keys[1], None, True),
            Read(keys[1]),
            Remove(keys[2]),
            Remove((*keys[2][:2], "missing")),
            Write(keys[3], [op.write("n", 0)], {"gen": 9}, {"gen": aerospike.POLICY_GEN_EQ}),
            Write(keys[3], [op.write("n", 0)], None, {"exists": aerospike.POLICY_EXISTS_CREATE}),
            Read(("test", keys[0][1] + "other", 1), None, True),
        ]
    )
    answer = client.batch_write(batch)
    assert answer is batch
    assert batch.result == -16
    assert [row.result for row in batch] == [0, 0, 0, 0, 0, 2, 3, 5, 2]
    assert [row.key for row in batch.batch_records[:2]] == keys[:2]
    records = [row.record for row in batch]
    assert records[0].bins["n"] == 0
    assert 0 < client.get(keys[0]).meta["ttl"] <= 400
    assert records[1].bins == {"s": "x"}
    assert records[2].bins == {"n": 1, "s": "x"}
    assert records[3].bins == {}
    assert records[3].meta["gen"] == 1
    assert records[5:] == [None] * 4
    assert client.get(keys[0]).bins["new"] == 1.5
    assert client.exists(keys[2]).meta is None
    # A second call overwrites the results of the first.
    client.put(keys[2], {"n": 1})
    assert [row.result for row in client.batch_write(batch)][4] == 0


REFUSED = {
    "no records": (None, r"batch_records is None \(NoneType\); it must be BatchRecords"),
    "a tuple": (("test", "s", 1), r"batch_records\[1\]: it is \('test', 's', 1\)"),
    "a key": (Write(("test", "s"), [op.write("a", 1)]), r"keys\[1\].*2 items"),
    "keys": (
        Write(aerospike.Keys("test", "s", [1, 2]), [op.write("a", 1)]),
        r"keys\[1\] is <Keys test.s, 2 values>",
    ),
    "no key at all": (
        Write(aerospike.Keys("test", "s", []), [op.write("a", 1)]),
        r"keys\[1\] is <Keys test.s, 0 values>",
    ),
    "no operations": (Write(("test", "s", 1), []), r"batch_records\[1\]: the list of operations is empty"),
    "only reads": (Write(("test", "s", 1), [op.read("a")]), r"batch_records\[1\]: a Write has only reads"),
    "a read that writes": (
        Read(("test", "s", 1), [op.write("a", 1)]),
        r"batch_records\[1\]: a Read has operations",
    ),
    "a read of both": (Read(("test", "s", 1), [op.read("a")], True), r"batch_records\[1\]: .*choose one"),
    "a policy": (
        Remove(("test", "s", 1), {"exist": 1}),  # type: ignore[arg-type]
        r"batch_records\[1\]: .*exist",
    ),
    "a read policy": (
        Read(("test", "s", 1), None, True, None, {"ttl": 1}),  # type: ignore[arg-type]
        r"batch_records\[1\]: .*ttl",
    ),
    "a value": (
        Write(("test", "s", 1), [op.write("a", 2**64)]),
        r"batch_records\[1\]: .*18446744073709551616",
    ),
    "a generation": (
        Write(("test", "s", 1), [op.write("a", 1)], None, {"gen": 1}),
        r"batch_records\[1\]: .*generation",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_wrong_row_is_named_and_nothing_is_sent(client, keys, what):
    item, text = REFUSED[what]
    rows = None if item is None else BatchRecords([Write(keys[0], [op.write("n", 99)]), item])
    with pytest.raises((aerospike.ParamError, OverflowError), match=text):
        client.batch_write(rows)
    assert client.get(keys[0]).bins["n"] == 0


def test_rows_that_can_be_walked_once_are_refused(client, keys):
    rows = (Write(key, [op.write("n", 99)]) for key in keys)
    with pytest.raises(aerospike.ParamError, match=r"generator.*must be a list"):
        client.batch_write(BatchRecords(rows))  # type: ignore[arg-type]
    assert client.get(keys[0]).bins["n"] == 0


def test_one_object_cannot_be_two_rows(client, keys):
    row = Write(keys[0], [op.increment("n", 1)])
    with pytest.raises(
        aerospike.ParamError, match=r"batch_records\[2\] is the same object as batch_records\[0\]"
    ):
        client.batch_write(BatchRecords([row, Write(keys[1], [op.increment("n", 1)]), row]))
    assert client.get(keys[0]).bins["n"] == 0


def test_each_row_has_its_own_read_mode(client, keys):
    policy = {"read_mode_ap": aerospike.POLICY_READ_MODE_AP_ALL, "read_touch_ttl_percent": -1}
    batch = client.batch_write(BatchRecords([Read(keys[0], [op.read("n")], policy=policy)]))
    assert batch.batch_records[0].record.bins == {"n": 0}


def test_an_empty_batch(client):
    assert len(client.batch_write(BatchRecords())) == 0
    assert len(client.batch_operate([], [op.read("a")])) == 0
    assert len(client.batch_remove([])) == 0


def test_many_rows_and_large_ones(client, fresh_set):
    keys = [("test", fresh_set, n) for n in range(6000)]
    answer = client.batch_operate(keys, [op.write("a", 1)])
    assert {row.result for row in answer} == {0}
    large = BatchRecords([Write(key, [op.write("b", bytes(200_000))]) for key in keys[:40]])
    assert {row.result for row in client.batch_write(large)} == {0}
    assert len(client.get(keys[39]).bins["b"]) == 200_000
    assert {row.result for row in client.batch_remove(keys)} == {0}
