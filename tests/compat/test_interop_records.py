"""Keys, generations, times to live and batches: both clients find the same records and report the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import aerospike_py
from tests.support.twins import aerospike, shown

# The official client warns of deprecated operations.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.mark.parametrize(
    "primary_key", ["text", "ünïcode", 0, 5, -1, 2**63 - 1, -(2**63), bytearray(b"\x01\x00\x02")]
)
def test_keys_are_the_same_records(client, official, fresh_set, primary_key):
    key = ("test", fresh_set, primary_key)
    digest = aerospike_py.calc_digest(*key)
    assert digest == bytes(aerospike.calc_digest(*key))
    official.put(key, {"x": 1})
    assert client.get(key).bins == {"x": 1}
    assert client.exists(key).key.digest == digest
    client.remove(key)
    with pytest.raises(aerospike.exception.RecordNotFound):
        official.get(key)


@pytest.mark.parametrize(
    "user_key", ["text", "", "ünïcode", 0, -1, 2**63 - 1, -(2**63), bytearray(b"\x01\x02")]
)
@pytest.mark.parametrize("namespace", ["test", "bar"])
def test_keys_that_are_stored(twins, fresh_set, user_key, namespace):
    theirs, ours = twins
    send = {"key": aerospike.POLICY_KEY_SEND}
    for number, (one, other) in enumerate(((theirs, ours), (ours, theirs))):
        key = (namespace, f"{fresh_set}-{number}", user_key)
        one.client.put(key, {"x": 1}, policy=send)
        found = other.client.get(key, policy=send)
        assert (found[0][:3], bytes(found[0][3])) == (key, bytes(aerospike.calc_digest(*key)))
        other.client.remove(key)
        assert one.client.exists(key)[1] is None


def test_generation_and_time_to_live(twins, fresh_set):
    theirs, ours = twins
    for number, (one, other) in enumerate(((theirs, ours), (ours, theirs))):
        for ttl in (
            100,
            aerospike.TTL_NEVER_EXPIRE,
            aerospike.TTL_DONT_UPDATE,
            aerospike.TTL_NAMESPACE_DEFAULT,
        ):
            key = ("test", fresh_set, f"{number}-{ttl}")
            for _ in range(3):
                one.client.put(key, {"x": 1}, policy={"ttl": ttl})
            mine, their = one.client.get(key)[1], other.client.get(key)[1]
            assert mine["gen"] == their["gen"] == 3
            assert abs(mine["ttl"] - their["ttl"]) <= 1
            assert other.client.exists(key)[1]["gen"] == 3


def bins_of(record: Any) -> Any:
    """The bins of a record; the official client leaves them out if none were read."""
    return (record[2] if len(record) > 2 else None) or {}


@pytest.mark.filterwarnings("ignore:rows of the batch failed:RuntimeWarning")
def test_batches_with_missing_rows_bins_and_namespaces(twins, fresh_set):
    theirs, ours = twins
    keys = [("test", fresh_set, number) for number in range(4)]
    theirs.client.put(keys[0], {"x": 1, "y": 2})
    ours.client.put(keys[1], {"y": 3})
    keys += [("bar", fresh_set, 0), ("nowhere", fresh_set, 0), keys[0]]
    for bins in (None, ["x"], ["x", "y", "nobin"], ["nobin"], []):
        rows = [
            [
                (row.result, row.record and row.record[1], row.record and shown(bins_of(row.record)))
                for row in twin.client.batch_read(keys, bins).batch_records
            ]
            for twin in twins
        ]
        assert rows[0] == rows[1], bins


def test_batches_agree(client, official, fresh_set):
    for number in range(200):
        official.put(("test", fresh_set, number), {"i": number, "f": number / 3, "s": f"v{number}"})
    keys = [("test", fresh_set, number) for number in (*range(190, 230), *range(10), 5, 5)]
    theirs = official.batch_read(keys).batch_records
    records = client.batch_read(keys).batch_records
    assert [row.result for row in records] == [row.result for row in theirs]
    assert [row.record and row.record.bins for row in records] == [
        row.record and row.record[2] for row in theirs
    ]
    assert [row.record and row.record.meta for row in records] == [
        row.record and row.record[1] for row in theirs
    ]
    dtype = np.dtype([("f", "f8"), ("s", "S8"), ("i", "i8")])
    batch = client.batch_read(keys, _dtype=dtype)
    for row, record, code in zip(theirs, batch.batch_records, batch.result_codes, strict=True):
        bins: Any = row.record[2] if row.record else {"i": 0, "f": 0.0, "s": ""}
        assert row.result == code
        assert record.item() == (bins["f"], bins["s"].encode(), bins["i"])
