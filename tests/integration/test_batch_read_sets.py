"""``batch_read`` with a dtype for each set: each result is as if its set was read alone."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py import Keys, MissingFieldWarning

USER = np.dtype([("age", "i4"), ("score", "f8")])
ITEM = np.dtype([("price", "f4"), ("tag", "S4")])


@pytest.fixture
def sets(client: Any, fresh_set: str) -> tuple[str, str]:
    users, items = f"{fresh_set}_u", f"{fresh_set}_i"
    for number in range(6):
        client.put(("test", users, number), {"age": 20 + number, "score": number / 2, "price": 99})
        client.put(("test", items, number), {"price": 1.5 * number, "tag": f"t{number}"})
    return users, items


def mixed(users: str, items: str) -> list[tuple[str, str, int]]:
    return [
        ("test", items, 3),
        ("test", users, 1),
        ("test", users, 9),
        ("test", items, 0),
        ("test", users, 1),
    ]


def test_each_set_is_as_if_it_was_read_alone(client: Any, sets: tuple[str, str]) -> None:
    users, items = sets
    keys = mixed(users, items)
    result = client.batch_read(keys, _dtype={users: USER, ("test", items): ITEM})
    assert list(result) == [users, ("test", items)]
    for name, set_, dtype in ((users, users, USER), (("test", items), items, ITEM)):
        alone = client.batch_read([key for key in keys if key[1] == set_], _dtype=dtype)
        batch = result[name]
        assert batch.batch_records.dtype == dtype
        np.testing.assert_array_equal(batch.batch_records, alone.batch_records)
        np.testing.assert_array_equal(batch.present, alone.present)
        np.testing.assert_array_equal(batch.result_codes, alone.result_codes)
        np.testing.assert_array_equal(batch.meta["gen"], alone.meta["gen"])
        assert batch.keys == alone.keys
        assert batch._map == alone._map
    assert result[users].result_codes.tolist() == [0, 2, 0]
    assert result[users]["age"].tolist() == [21, 0, 21]
    assert result[("test", items)].get(3)["price"] == 4.5


@pytest.mark.parametrize("form", [list, tuple])
def test_keys_objects(client: Any, sets: tuple[str, str], form: Any) -> None:
    users, items = sets
    keys = form([Keys("test", users, np.arange(4)), Keys("test", items, [5, 1])])
    result = client.batch_read(keys, dtype={users: USER, items: ITEM})
    assert result[users]["age"].tolist() == [20, 21, 22, 23]
    assert result[items]["tag"].tolist() == [b"t5", b"t1"]
    one = client.batch_read(Keys("test", users, [2]), _dtype={users: USER, items: ITEM})
    assert (one[users]["age"].tolist(), len(one[items])) == ([22], 0)


def test_a_dtype_without_keys_has_an_empty_result(client: Any, sets: tuple[str, str]) -> None:
    users, items = sets
    result = client.batch_read([("test", users, 0)], _dtype={users: USER, items: ITEM, "unknown": USER})
    assert len(result[users]) == 1
    for empty in (result[items], result["unknown"]):
        assert len(empty) == len(empty.result_codes) == len(empty.keys) == 0
        assert empty.present.shape == (0,)
    nothing = client.batch_read([], _dtype={users: USER})
    assert (list(nothing), len(nothing[users])) == ([users], 0)


def test_a_tuple_counts_more_than_a_name_and_none_is_no_set(client: Any, fresh_set: str) -> None:
    client.put(("test", fresh_set, 1), {"age": 1})
    client.put(("bar", fresh_set, 1), {"age": 2})
    client.put(("bar", None, fresh_set), {"age": 3})
    wide, narrow = np.dtype([("age", "i8")]), np.dtype([("age", "i1")])
    keys = [("test", fresh_set, 1), ("bar", fresh_set, 1), ("bar", None, fresh_set)]
    result = client.batch_read(keys, _dtype={fresh_set: wide, ("bar", fresh_set): narrow, None: wide})
    assert [result[name]["age"].tolist() for name in result] == [[1], [2], [3]]
    assert result[("bar", fresh_set)].batch_records.dtype == narrow
    client.remove(keys[2])


def test_out_and_paths_by_set(client: Any, sets: tuple[str, str]) -> None:
    users, items = sets
    out = np.full(3, 7, USER)
    renamed = np.dtype([("cost", "f8")])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = client.batch_read(
            mixed(users, items),
            _dtype={users: USER, items: renamed},
            out={users: out},
            paths={items: {"cost": "price"}},
        )
    assert result[users].batch_records is out
    assert out["age"].tolist() == [21, 0, 21]
    assert result[items]["cost"].tolist() == [4.5, 0.0]


def test_bins_narrow_every_set(client: Any, sets: tuple[str, str]) -> None:
    users, items = sets
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = client.batch_read(mixed(users, items), ["age"], _dtype={users: USER, items: ITEM})
    assert not result[users].present["score"].any()
    assert result[users].present["age"].tolist() == [True, False, True]
    assert not result[items].present["price"].any()


def test_digests_and_text_that_came_from_a_query(client: Any, sets: tuple[str, str]) -> None:
    users, items = sets
    digest = aerospike.calc_digest("test", users, 2)
    keys = [("test", items, 1), ("test", users, None, digest), ("test", users, 3, None)]
    result = client.batch_read(keys, _dtype={users: USER, items: ITEM})
    assert result[users]["age"].tolist() == [22, 23]
    assert result[users].keys == [("test", users, None, digest), ("test", users, 3)]
    with pytest.raises(aerospike.ParamError, match=r"keys\[1\]: its digest does not match"):
        client.batch_read([keys[0], ("test", users, 5, digest)], _dtype={users: USER, items: ITEM})


def test_values_that_do_not_fit(client: Any, sets: tuple[str, str]) -> None:
    users, items = sets
    dtypes = {users: USER, items: np.dtype([("tag", "f4"), ("price", "f4")])}
    with pytest.raises(aerospike.BatchDecodeError, match=r"set '.*_i'.*key 3, bin 'tag'") as raised:
        client.batch_read(mixed(users, items), _dtype=dtypes)
    error = raised.value
    assert list(error.batch) == [users, items]
    assert error.batch[users]["age"].tolist() == [21, 0, 21]
    assert (error.count, [failure[:3] for failure in error.failures]) == (2, [(0, 3, "tag"), (1, 0, "tag")])
    coerced = client.batch_read(mixed(users, items), _dtype=dtypes, errors="coerce")
    assert (coerced[items].decode_errors, coerced[users].decode_errors) == (2, 0)


def test_warnings_name_the_set(client: Any, sets: tuple[str, str]) -> None:
    users, items = sets
    dtypes = {users: np.dtype([("age", "i4"), ("nothing", "i4")]), items: np.dtype([("price", "i1")])}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = client.batch_read(mixed(users, items), _dtype=dtypes)
    texts = [str(warning.message) for warning in caught]
    assert any("_u': no record that was found has the bin 'nothing'" in text for text in texts)
    assert any("_i': values changed to fit their fields (price)" in text for text in texts)
    assert all(getattr(warning.message, "batch", None) is result for warning in caught)
    with pytest.warns(MissingFieldWarning):
        client.batch_read([("test", users, 1)], _dtype={users: np.dtype([("other", "i4")])})


def test_one_dtype_as_before(client: Any, sets: tuple[str, str]) -> None:
    users, _ = sets
    keys = [("test", users, 1)]
    offsets = {"names": ["age"], "formats": ["i4"], "offsets": [4], "itemsize": 8}
    assert client.batch_read(keys, _dtype=offsets)["age"].tolist() == [21]
    by_field = {"age": ("i4", 0), "score": ("f8", 4)}
    assert client.batch_read(keys, _dtype=by_field)["score"].tolist() == [0.5]


def test_bad_arguments_are_refused(client: Any, sets: tuple[str, str]) -> None:
    users, items = sets
    keys = mixed(users, items)

    def refused(match: str, kind: type[Exception] = aerospike.ParamError, **arguments: Any) -> None:
        with pytest.raises(kind, match=match):
            client.batch_read(arguments.pop("keys", keys), **arguments)

    refused(
        r'keys\[0\] is of set ".*_i" in namespace "test", which _dtype has no dtype for', _dtype={users: USER}
    )
    refused("no set in namespace", keys=[("test", None, 1)], _dtype={users: USER})
    refused("has the key 5", _dtype={5: USER, users: USER})
    refused("are the same set", _dtype={None: USER, "": USER})
    refused(r"_dtype\['.*_u'\] is None", _dtype={users: None})
    refused("paths has 'x'", _dtype={users: USER, items: ITEM}, paths={"x": {}})
    refused("out is array", _dtype={users: USER, items: ITEM}, out=np.zeros(1))
    refused("paths is 5", _dtype={users: USER, items: ITEM}, paths=5)
    refused("out has 3 rows", ValueError, _dtype={users: USER, items: ITEM}, out={items: np.zeros(3, ITEM)})
    refused("which is not a dtype", TypeError, _dtype={users: "nonsense", items: ITEM})
    shared = np.zeros(4, USER)
    refused(
        "may share memory",
        ValueError,
        keys=[("test", users, 1), ("test", items, 1)],
        _dtype={users: USER, items: USER},
        out={users: shared[:1], items: shared[:1]},
    )
    refused("pass one of them", TypeError, _dtype={users: USER}, dtype={users: ITEM})


def test_a_namespace_that_is_not_there_spoils_no_other_set(client: Any, sets: tuple[str, str]) -> None:
    users, _ = sets
    keys = [("test", users, 1), ("nowhere", "x", 1)]
    with pytest.warns(RuntimeWarning, match="rows of the batch failed"):
        result = client.batch_read(keys, _dtype={users: USER, "x": ITEM})
    assert result[users].ok.all()
    assert result["x"].result_codes.tolist() == [20]
    with pytest.raises(aerospike.AerospikeError):
        client.batch_read(keys[1:], _dtype={users: USER, "x": ITEM})
