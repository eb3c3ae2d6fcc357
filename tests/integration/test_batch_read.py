"""Batch reads with and without a dtype, with both clients."""

import pickle
from typing import Any

import numpy as np
import pytest

import aerospike_py as aerospike

DTYPE = np.dtype([("i", "i8"), ("f", "f8")])


@pytest.fixture
def records(client, fresh_set):
    for number in range(20):
        client.put(("test", fresh_set, number), {"i": number, "f": number / 2})
    return fresh_set


def test_an_empty_batch_gives_empty_arrays(client):
    batch = client.batch_read([], _dtype=DTYPE)
    assert batch.batch_records.shape == batch.meta.shape == batch.result_codes.shape == (0,)
    assert batch.batch_records.dtype == DTYPE
    assert batch.present.shape == (0,)
    assert batch._map == {}
    assert len(client.batch_read([]).batch_records) == 0


def test_rows_come_in_key_order_and_repeat(client, records):
    numbers = [7, 3, 3, 19, 7, 0]
    batch = client.batch_read([("test", records, n) for n in numbers], _dtype=DTYPE)
    assert batch.batch_records["i"].tolist() == numbers
    assert batch._map == {7: 4, 3: 2, 19: 3, 0: 5}


@pytest.mark.parametrize("count", [1, 2, 100, 5_000, 20_000])
def test_batches_of_any_size(client, records, count):
    keys = [("test", records, n % 25) for n in range(count)]
    batch = client.batch_read(keys, _dtype=DTYPE)
    expected = np.arange(count) % 25
    found = expected < 20
    np.testing.assert_array_equal(batch.result_codes, np.where(found, 0, 2))
    np.testing.assert_array_equal(batch.batch_records["i"], np.where(found, expected, 0))
    np.testing.assert_array_equal(batch.present["f"], found)


def test_sets_and_namespaces_mixed(client, fresh_set):
    other = fresh_set + "b"
    client.put(("test", fresh_set, 1), {"i": 1})
    client.put(("test", other, 1), {"i": 2})
    client.put(("bar", fresh_set, 1), {"i": 3})
    client.put(("test", None, fresh_set), {"i": 4})
    keys = [("test", fresh_set, 1), ("bar", fresh_set, 1), ("test", other, 1), ("test", None, fresh_set)]
    batch = client.batch_read(keys, _dtype=DTYPE)
    assert batch.batch_records["i"].tolist() == [1, 3, 2, 4]
    with pytest.raises(KeyError, match="several sets"):
        batch.get(1)
    assert batch.get(("bar", fresh_set, 1))["i"] == 3
    assert batch.get(("test", None, fresh_set))["i"] == 4
    assert batch.get(fresh_set)["i"] == 4


def test_keys_of_every_kind(client, fresh_set):
    forms = ["text", 5, -(2**63), b"blob\x00end", "ünïcode", ""]
    for number, primary_key in enumerate(forms):
        client.put(("test", fresh_set, primary_key), {"i": number + 1})
    keys: list[Any] = [("test", fresh_set, primary_key) for primary_key in forms]
    keys.append(("test", fresh_set, np.int16(5)))
    keys.append(["test", fresh_set, bytearray(b"blob\x00end")])
    digest = aerospike.calc_digest("test", fresh_set, "text")
    keys.append(("test", fresh_set, None, digest))
    keys.append(client.get(("test", fresh_set, 5)).key)
    batch = client.batch_read(keys, _dtype=DTYPE)
    assert batch.batch_records["i"].tolist() == [1, 2, 3, 4, 5, 6, 2, 4, 1, 2]
    assert batch.get(digest)["i"] == 1
    assert batch.get(b"blob\x00end")["i"] == 4


def test_the_keys_may_change_after_the_call_began(client, records):
    keys = [("test", records, n) for n in range(5)]
    batch = client.batch_read(keys, _dtype=DTYPE)
    keys.clear()
    assert batch._map == {n: n for n in range(5)}


def test_a_namespace_that_is_not_there_spoils_no_other_row(client, records):
    keys = [("test", records, 1), ("nowhere", records, 1), ("test", records, 2)]
    with pytest.warns(RuntimeWarning, match=r"rows of the batch failed \(NamespaceNotFound\)"):
        batch = client.batch_read(keys, _dtype=DTYPE)
    assert batch.result_codes.tolist() == [0, 20, 0]
    assert batch.batch_records["i"].tolist() == [1, 0, 2]
    with pytest.raises(aerospike.NamespaceNotFound, match="nowhere"):
        client.batch_read([("nowhere", "s", 1)], _dtype=DTYPE)


def test_headers_only(client, records):
    batch = client.batch_read([("test", records, 1), ("test", records, 99)], bins=[], _dtype=DTYPE)
    assert batch.result_codes.tolist() == [0, 2]
    assert batch.meta["gen"].tolist() == [1, 0]
    assert not batch.present["i"].any()


def test_bins_select(client, records):
    batch = client.batch_read([("test", records, 4)], bins=["f", "other"], _dtype=DTYPE)
    assert batch.batch_records[0].item() == (0, 2.0)
    assert batch.present[0].item() == (False, True)


def test_time_to_live(client, fresh_set):
    client.put(("test", fresh_set, "ends"), {"i": 1}, meta={"ttl": 1000})
    client.put(("test", fresh_set, "never"), {"i": 1}, policy={"ttl": aerospike.TTL_NEVER_EXPIRE})
    keys = [("test", fresh_set, name) for name in ("ends", "never", "missing")]
    ttl = client.batch_read(keys, _dtype=DTYPE).meta["ttl"].tolist()
    assert 990 <= ttl[0] <= 1000
    assert ttl[1:] == [0xFFFFFFFF, 0]


def test_a_value_of_the_wrong_type_costs_one_cell(client, records):
    client.put(("test", records, 3), {"i": "three"})
    keys = [("test", records, n) for n in range(20)]
    with pytest.raises(aerospike.BatchDecodeError, match=r"key 3, bin 'i' \(string\)") as caught:
        client.batch_read(keys, _dtype=DTYPE)
    error = caught.value
    assert isinstance(error, ValueError)
    assert [failure[:3] for failure in error.failures] == [(3, 3, "i")]
    batch = error.batch
    assert batch.decode_errors == 1
    assert batch.present["i"].sum() == 19
    assert batch.batch_records["f"].tolist() == [n / 2 for n in range(20)]
    coerced = client.batch_read(keys, _dtype=DTYPE, errors="coerce")
    np.testing.assert_array_equal(coerced.batch_records, batch.batch_records)
    assert coerced.decode_errors == 1
    assert pickle.loads(pickle.dumps(error)).failures == error.failures  # noqa: S301


def test_same_value_refuses_every_change(client, fresh_set):
    client.put(("test", fresh_set, 1), {"i": 300})
    with pytest.raises(aerospike.BatchDecodeError):
        client.batch_read([("test", fresh_set, 1)], _dtype=[("i", "i1")], casting="same_value")


def test_out_is_filled_and_keeps_what_is_not_asked_for(client, records):
    wide = np.zeros(4, dtype=[("i", "i8"), ("mine", "u1"), ("f", "f8")])
    wide["mine"] = 77
    wide["f"] = 9.0
    out = wide[["i", "f"]]
    keys = [("test", records, n) for n in (1, 2, 99, 3)]
    batch = client.batch_read(keys, _dtype=out.dtype, out=out)
    assert batch.batch_records is out
    assert wide["i"].tolist() == [1, 2, 0, 3]
    assert wide["f"].tolist() == [0.5, 1.0, 0.0, 1.5]
    assert wide["mine"].tolist() == [77] * 4


def test_out_with_a_stride(client, records):
    memory = np.full(10, -1, dtype=DTYPE)
    client.batch_read([("test", records, n) for n in range(5)], _dtype=DTYPE, out=memory[::2])
    assert memory["i"].tolist() == [0, -1, 1, -1, 2, -1, 3, -1, 4, -1]


def test_masked_and_present(client, fresh_set):
    client.put(("test", fresh_set, 1), {"v": np.arange(3, dtype="f4").tobytes()})
    client.put(("test", fresh_set, 2), {"i": 0})
    dtype = np.dtype([("i", "i4"), ("v", "f4", (3,))])
    batch = client.batch_read([("test", fresh_set, n) for n in (1, 2, 3)], _dtype=dtype)
    assert batch.present["i"].tolist() == [False, True, False]
    assert batch.present["v"].tolist() == [True, False, False]
    assert batch.masked["i"].mask.tolist() == [True, False, True]
    assert batch.masked["v"].mask.tolist() == [[False] * 3, [True] * 3, [True] * 3]
    assert batch.ok.tolist() == [True, True, False]


def test_results_pickle(client, records):
    batch = client.batch_read([("test", records, n) for n in range(3)], _dtype=DTYPE)
    again = pickle.loads(pickle.dumps(batch))  # noqa: S301
    np.testing.assert_array_equal(again.batch_records, batch.batch_records)
    assert again._map == batch._map
    assert again.get(2)["i"] == 2


def test_records_without_a_dtype(client, records):
    keys = [("test", records, 1), ("test", records, 99), ("test", records, 2)]
    found = client.batch_read(keys)
    assert [row.result for row in found.batch_records] == [0, 2, 0]
    first = found.batch_records[0]
    assert first.key == ("test", records, 1, aerospike.calc_digest("test", records, 1))
    key, meta, bins = first.record
    assert key == first.key
    assert meta == {"gen": 1, "ttl": 0xFFFFFFFF}
    assert bins == {"i": 1, "f": 0.5}
    assert found.batch_records[1].record is None
    assert [row.record.bins for row in client.batch_read(keys, ["f"]).batch_records if row.record] == [
        {"f": 0.5},
        {"f": 1.0},
    ]
    headers = client.batch_read(keys, [])
    key, meta = headers.batch_records[0].record
    assert (key, meta) == (first.key, {"gen": 1, "ttl": 0xFFFFFFFF})
    assert headers.batch_records[0].record.bins == {}
    assert headers.batch_records[1].record is None


def test_keys_objects(client, fresh_set):
    for number in range(5):
        client.put(("test", fresh_set, number), {"i": number})
        client.put(("test", fresh_set, f"k{number}"), {"i": number + 10})
        client.put(("test", fresh_set, bytes([65, number])), {"i": number + 20})
    numbers = np.arange(5)
    batch = client.batch_read(aerospike.Keys("test", fresh_set, numbers), _dtype=DTYPE)
    assert batch.batch_records["i"].tolist() == [0, 1, 2, 3, 4]
    texts = [f"k{n}" for n in numbers]
    for values in (texts, np.array(texts), np.array(texts, "S")):
        batch = client.batch_read(aerospike.Keys("test", fresh_set, values), _dtype=DTYPE)
        assert batch.batch_records["i"].tolist() == [10, 11, 12, 13, 14]
        assert batch.get("k3")["i"] == 13
    exact = np.array([bytes([65, n]) for n in numbers], "V2")
    batch = client.batch_read(
        [aerospike.Keys("test", fresh_set, numbers[::-1]), aerospike.Keys("test", fresh_set, exact)],
        _dtype=DTYPE,
    )
    assert batch.batch_records["i"].tolist() == [4, 3, 2, 1, 0, 20, 21, 22, 23, 24]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (5, "keys is 5"),
        ("text", "keys is 'text'"),
        ([("test", "s", 1), 5], r"keys\[1\] is 5"),
        ([("test", "s")], r"keys\[0\]: it has 2 items"),
        ([("test", "s", 1.5)], "1.5"),
        ([("test", "s", 2**63)], "signed 64-bit integer"),
        ([("test", "s", None)], "no digest"),
        ([("test", "s", None, b"short")], "5 bytes"),
        ([("test", 7, 1)], "set is 7"),
        ([(None, "s", 1)], "namespace is None"),
        ([("test", "s", object())], "primary key"),
        ([("test", "s", "\ud800")], "UTF-8"),
        ({("test", "s", 1)}, "must be a sequence"),
    ],
)
def test_keys_that_are_not_keys(client, keys, message):
    for dtype in (DTYPE, None):
        with pytest.raises(aerospike.ParamError, match=message):
            client.batch_read(keys, _dtype=dtype)


@pytest.mark.parametrize(
    ("dtype", "error", "message"),
    [
        ("f8", TypeError, "no named fields"),
        ([("x", "U5")], TypeError, "S<n>"),
        ([("x", "O")], TypeError, "'x'"),
        ([("x", "c16")], TypeError, "complex"),
        ([("x", "S0")], TypeError, "no width"),
        ([("x", [("y", "i4")], (2,))], TypeError, "sub-array of structs"),
        ([("x" * 16, "i4")], ValueError, "15"),
        ({"names": ["a", "b"], "formats": ["i4", "i4"], "offsets": [0, 2]}, ValueError, "overlap"),
    ],
)
def test_dtypes_that_are_refused(client, dtype, error, message):
    with pytest.raises(error, match=message):
        client.batch_read([("test", "s", 1)], _dtype=dtype)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: np.zeros(2, DTYPE), ValueError, "2 rows"),
        (lambda: np.zeros((1, 1), DTYPE), ValueError, "dimensions"),
        (lambda: np.zeros(1, "f8"), TypeError, "dtype"),
        (lambda: [0], TypeError, "plain"),
        (lambda: np.ma.zeros(1, DTYPE), TypeError, "plain"),
        (lambda: np.frombuffer(bytes(16), DTYPE), ValueError, "read-only"),
    ],
)
def test_outs_that_are_refused(client, make, error, message):
    with pytest.raises(error, match=message):
        client.batch_read([("test", "s", 1)], _dtype=DTYPE, out=make())


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ({"total_timeot": 1}, 'did you mean "total_timeout"'),
        ({"total_timeout": "1"}, "whole number"),
        ({"total_timeout": True}, "whole number"),
        ({"total_timeout": -1}, "whole number"),
        ({"allow_inline": 1}, "True or False"),
        ({"replica": 99}, "POLICY_REPLICA"),
        ({"expressions": b""}, "must be an expression"),
        (5, "must be a dict"),
    ],
)
def test_policies_that_are_refused(client, policy, message):
    with pytest.raises(aerospike.ParamError, match=message):
        client.batch_read([("test", "s", 1)], policy=policy, _dtype=DTYPE)


def test_a_key_without_effect_causes_a_warning(client, records):
    with pytest.warns(UserWarning, match="concurrent"):
        client.batch_read([("test", records, 1)], policy={"concurrent": False}, _dtype=DTYPE)
