"""A batch of arrays behaves as a NumPy user guesses."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import aerospike_py as aerospike

DTYPE = np.dtype([("name", "S8"), ("n", "i4"), ("v", "f4", (2,))])


@pytest.fixture
def keys(client, fresh_set):
    keys = [("test", fresh_set, key) for key in ("ann", 2, b"three", "nobody")]
    for number, key in enumerate(keys[:3]):
        client.put(key, {"name": f"n{number}", "n": number, "v": [0.5, number]})
    client.remove_bin(keys[1], ["n"])
    return keys


@pytest.fixture
def batch(client, keys):
    return client.batch_read(keys, _dtype=DTYPE)


# ---------------------------------------------------------------- indexing


def test_a_batch_is_indexed_like_its_array(batch):
    records = batch.batch_records
    assert batch["n"].tolist() == [0, 0, 2, 0]
    assert np.shares_memory(batch["n"], records)
    assert batch[0] == records[0]
    assert isinstance(batch[-1], np.void)
    assert batch[np.int64(2)]["name"] == b"n2"
    np.testing.assert_array_equal(batch[1:3], records[1:3])
    np.testing.assert_array_equal(batch[batch.ok], records[:3])
    np.testing.assert_array_equal(batch[[2, 0]], records[[2, 0]])
    assert batch[["name", "n"]].dtype.names == ("name", "n")
    assert batch[...] is not None
    with pytest.raises(IndexError):
        batch[4]
    with pytest.raises(ValueError, match="no field of name ann"):
        batch["ann"]
    # Iteration ends at the last row, and `in` asks for keys.
    assert len(list(batch)) == len(batch) == 4
    assert "ann" in batch
    assert "n" not in batch


def test_a_batch_converts_to_its_array(batch):
    assert np.asarray(batch) is not None
    assert np.asarray(batch).dtype == DTYPE
    assert np.shares_memory(np.asarray(batch), batch.batch_records)
    assert not np.shares_memory(np.array(batch), batch.batch_records)
    assert np.shares_memory(np.array(batch, copy=None), batch.batch_records)
    wide = np.dtype([("name", "S16"), ("n", "f8"), ("v", "f8", (2,))])
    assert np.asarray(batch, dtype=wide)["n"].tolist() == [0.0, 0.0, 2.0, 0.0]
    with pytest.raises(ValueError, match="copy"):
        np.asarray(batch, dtype=wide, copy=False)
    assert np.concatenate([batch, batch]).shape == (8,)


# ---------------------------------------------------------------- keys


def test_keys_are_those_of_the_rows(client, fresh_set, keys, batch):
    assert batch.keys == keys
    assert batch.keys is batch.keys
    again = client.batch_read([batch.keys[row] for row in np.flatnonzero(batch.ok)], _dtype=DTYPE)
    np.testing.assert_array_equal(again.batch_records, batch.batch_records[:3])
    assert client.get(batch.keys[0]).bins["name"] == "n0"
    assert pickle.loads(pickle.dumps(batch)).keys == keys  # noqa: S301


def test_keys_of_several_sets_and_kinds(client, fresh_set, keys):
    digest = aerospike.calc_digest("test", fresh_set, 2)
    given = [
        ("test", fresh_set, np.uint8(2)),
        ("bar", fresh_set, bytearray(b"x")),
        ("test", fresh_set, None, digest),
        client.get(keys[0], {"key": aerospike.POLICY_KEY_SEND}).key,
        ("test", None, digest),
    ]
    batch = client.batch_read(given, ["name"], _dtype=DTYPE)
    expected = [
        ("test", fresh_set, 2),
        ("bar", fresh_set, b"x"),
        ("test", fresh_set, None, digest),
        ("test", fresh_set, "ann"),
        ("test", None, digest),
    ]
    assert batch.keys == expected
    assert pickle.loads(pickle.dumps(batch)).keys == expected  # noqa: S301
    assert all(key in batch for key in batch.keys)
    many = client.batch_read(aerospike.Keys("test", fresh_set, np.arange(3)), ["name"], _dtype=DTYPE)
    assert many.keys == [("test", fresh_set, number) for number in range(3)]
    assert client.batch_read([], _dtype=DTYPE).keys == []


# ---------------------------------------------------------------- filled


def test_missing_values_are_filled(batch):
    filled = batch.filled({"n": -1})
    assert filled["n"].tolist() == [0, -1, 2, -1]
    assert filled["name"].tolist() == [b"n0", b"n1", b"n2", b""]
    assert filled.dtype == DTYPE
    assert batch["n"].tolist() == [0, 0, 2, 0]
    for row in (("?", 7, np.nan), np.array([("?", 7, [np.nan] * 2)], DTYPE)[0]):
        filled = batch.filled(row)
        assert filled["name"].tolist() == [b"n0", b"n1", b"n2", b"?"]
        assert filled["n"].tolist() == [0, 7, 2, 7]
        np.testing.assert_array_equal(filled["v"][2:], [[0.5, 2], [np.nan, np.nan]])
    assert batch.filled({"v": [1, 2]})["v"][3].tolist() == [1, 2]
    # One value for all fields, as of a masked array.
    expected = batch.masked.filled(5)
    np.testing.assert_array_equal(batch.filled(5), expected)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.nan, "nan does not fit the field 'n' .*pass a dict"),
        ({"n": 1 << 40}, "1099511627776 does not fit the field 'n'"),
        ({"name": "\xe4"}, "does not fit the field 'name'"),
        ({"nmae": 1}, "'nmae' is no field of the dtype; the nearest is 'name'"),
        ({5: 1}, "5 is no field of the dtype; the fields are name, n, v"),
        ((1, 2), "fill_value has 2 values; it must have one for each of the 3 fields"),
    ],
)
def test_fill_values_that_are_refused(batch, value, message):
    with pytest.raises(ValueError, match=message):
        batch.filled(value)


def test_a_fill_value_must_fit_even_if_nothing_is_missing(client, keys):
    batch = client.batch_read(keys[:1], _dtype=DTYPE)
    with pytest.raises(ValueError, match="'n'"):
        batch.filled(np.nan)


# ---------------------------------------------------------------- row masks


def test_masks_tell_all_rows_that_changed_or_failed(client, fresh_set):
    count = 2000
    data = np.zeros(count, [("_key", "i8"), ("n", "i8"), ("s", "S4")])
    data["_key"] = np.arange(count)
    data["n"] = np.where(np.arange(count) % 3 == 0, 1 << 40, 1)
    data["s"] = "text"
    client.batch_write_numpy(data, "test", fresh_set, bins=["n", "s"])
    keys = aerospike.Keys("test", fresh_set, np.arange(count + 2))
    dtype = np.dtype([*((f"pad{at}", "u1") for at in range(9)), ("n", "i4"), ("s", "f8"), ("absent", "i8")])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        batch = client.batch_read(keys, _dtype=dtype, errors="coerce")
    changed, failed = batch.inexact_mask("n"), batch.failed_mask("s")
    assert (changed.shape, changed.dtype) == ((count + 2,), np.bool_)
    np.testing.assert_array_equal(np.flatnonzero(changed), np.arange(0, count, 3))
    np.testing.assert_array_equal(np.flatnonzero(failed), np.arange(count))
    assert batch.inexact == {"n": int(changed.sum())}
    assert batch.decode_errors == failed.sum()
    assert not batch.inexact_mask("s").any()
    assert not batch.failed_mask("n").any()
    assert not batch.present["s"].any()
    again = pickle.loads(pickle.dumps(batch))  # noqa: S301
    np.testing.assert_array_equal(again.failed_mask("s"), failed)
    # The error lists the first hundred, its batch has them all.
    with pytest.raises(aerospike.BatchDecodeError) as caught:
        client.batch_read(keys, _dtype=np.dtype([("s", "f8")]))
    assert (len(caught.value.failures), caught.value.count) == (100, count)
    assert caught.value.batch.failed_mask("s").sum() == count


def test_masks_of_exact_values(batch):
    for mask in (batch.inexact_mask("n"), batch.failed_mask("v")):
        assert (mask.shape, mask.dtype, mask.any()) == ((4,), np.bool_, False)
    for method in (batch.inexact_mask, batch.failed_mask):
        with pytest.raises(ValueError, match="'m' is no field of the dtype"):
            method("m")


def test_what_is_no_name_of_a_field(batch):
    for mask in (batch.inexact_mask, batch.failed_mask):
        for field in (np.array(["visits", "age"]), ["visits"], 5, None):
            with pytest.raises(ValueError, match="is no field of the dtype; the fields are"):
                mask(field)


def test_a_changed_element_marks_its_row(client, fresh_set):
    for key, value in enumerate([[1, 2], [1, 1.5], [1.5, 1.5], [1, "x"]]):
        client.put(("test", fresh_set, key), {"v": value})
    keys = [("test", fresh_set, key) for key in range(4)]
    with pytest.warns(RuntimeWarning, match=r"values changed to fit their fields \(v\)"):
        batch = client.batch_read(keys, _dtype=np.dtype([("v", "i4", (2,))]), errors="coerce")
    assert batch.inexact == {"v": 3}
    assert batch.inexact_mask("v").tolist() == [False, True, True, False]
    assert batch.failed_mask("v").tolist() == [False, False, False, True]


# ---------------------------------------------------------------- notebooks


def test_html_shows_the_first_rows(client, fresh_set, batch):
    html = batch._repr_html_()
    assert html.startswith("<table>")
    assert "<caption>NumpyBatchRecords: 4 rows, 3 found, 1 missing</caption>" in html
    assert html.count("<tr>") == 5
    assert "<th>key</th><th>name</th><th>n</th><th>v</th><th>result_code</th>" in html
    # A value that is not present is not a zero.
    assert "<td>2</td><td>b&#x27;n1&#x27;</td><td>-</td><td>[0.5 1. ]</td><td>0</td>" in html
    many = client.batch_read(aerospike.Keys("test", fresh_set, np.arange(100)), ["name"], _dtype=DTYPE)
    assert many._repr_html_().count("<tr>") == 12
    wide = client.batch_read([], _dtype=np.dtype([(f"f{at}", "i1") for at in range(300)]))
    assert wide._repr_html_().count("<th>") == 23


def test_html_is_escaped(client, fresh_set):
    evil = "<script>alert('x')</script>"
    client.put(("test", fresh_set, evil), {"name": "<b>", "<i>": 1})
    client.put(("test", fresh_set + "&", evil), {"name": "<b>", "<i>": 1})
    keys = [("test", fresh_set, evil), ("test", fresh_set + "&", evil)]
    html = client.batch_read(keys, _dtype=np.dtype([("name", "S8"), ("<i>", "i4")]))._repr_html_()
    assert "<script>" not in html
    assert "<b>" not in html
    assert "<i>" not in html
    assert "&lt;script&gt;" in html
    assert f"{fresh_set}&amp;" in html


def test_html_of_long_values(client, fresh_set):
    client.put(("test", fresh_set, 1), {"s": "x" * 500, "v": [1.0] * 200})
    dtype = np.dtype([("s", "S500"), ("v", "f4", (200,))])
    html = client.batch_read([("test", fresh_set, 1)], _dtype=dtype)._repr_html_()
    assert len(html) < 1000
    assert "x…" in html
    assert "1. ... 1." not in html or "..." in html


# ---------------------------------------------------------------- dtype=


def test_dtype_is_the_same_as_its_underscored_name(client, keys, batch):
    again = client.batch_read(keys, dtype=DTYPE)
    np.testing.assert_array_equal(again.batch_records, batch.batch_records)
    again = client.batch_read(keys, _dtype=DTYPE, dtype=DTYPE.descr)
    np.testing.assert_array_equal(again.batch_records, batch.batch_records)
    narrow = client.batch_read(keys, ["n"], None, None, dtype=[("n", "i1")], casting="same_value")
    assert narrow["n"].dtype == np.int8
    with pytest.raises(TypeError, match=r"_dtype is .*i4.*, and dtype is .*i1.*; pass one of them"):
        client.batch_read(keys, _dtype=DTYPE, dtype=[("n", "i1")])


@pytest.mark.parametrize("given", ["int", object])
def test_what_is_no_structured_dtype_is_refused_by_either_name(client, keys, given: Any):
    for name in ("dtype", "_dtype"):
        with pytest.raises(TypeError, match="no named fields"):
            client.batch_read(keys, **{name: given})
