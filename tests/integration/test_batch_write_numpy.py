"""Arrays written with both clients: reading them again gives what was written."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aerospike_py as aerospike
from tests.integration.test_numpy_oracle import RELAXED, bits_of, dtypes

KEYED = np.dtype([("_key", "i8"), ("t", "f8"), ("h", "i4")])


@pytest.fixture
def rows() -> Any:
    return np.array([(7, 1.5, -1), (8, 2.5, -2), (9, 3.5, -3)], KEYED)


def read(client: Any, name: str, keys: Any, dtype: Any) -> Any:
    return client.batch_read(aerospike.Keys("test", name, keys), _dtype=dtype)


@st.composite
def tables(draw: Any) -> Any:
    """Rows of any dtype, any bytes but those that no bin can hold, of any stride."""
    dtype = draw(dtypes())
    n = draw(st.integers(1, 5))
    step = draw(st.sampled_from([1, 2, 3, -1, -2]))
    room = n * abs(step)
    memory = draw(st.binary(min_size=room * dtype.itemsize, max_size=room * dtype.itemsize))
    table = np.frombuffer(bytearray(memory), dtype)[::step][:n]
    for name in dtype.names or ():
        base = dtype[name].base
        if base.kind == "b":
            table[name] = np.frombuffer(table[name].tobytes(), "u1").reshape(table[name].shape) % 2
        if base.kind == "u" and base.itemsize == 8:
            table[name] >>= np.array(1, base)
        if base.kind in "mM":
            table[name].view(f"{base.byteorder}i8")[np.isnat(table[name])] = 0
    return table


@settings(suppress_health_check=RELAXED)
@given(tables(), st.sampled_from(["blob", "list"]))
def test_a_round_trip_gives_the_same_array(client, fresh_set, table, arrays_as):
    keys = np.arange(len(table))
    result = client.batch_write_numpy(
        table,
        "test",
        fresh_set,
        keys=keys,
        strings_as="blob",
        arrays_as=arrays_as,
        policy={"exists": aerospike.POLICY_EXISTS_CREATE_OR_REPLACE},
    )
    assert result.ok.all()
    assert not result.in_doubt.any()
    batch = read(client, fresh_set, keys, table.dtype)
    assert not batch.inexact
    for name in table.dtype.names or ():
        assert batch.present[name].all(), name
        for row in range(len(table)):
            assert bits_of(batch.batch_records, name, row) == bits_of(table, name, row), (name, row)


@settings(suppress_health_check=RELAXED, max_examples=40)
@given(tables(), st.data())
def test_cells_that_are_not_present_are_not_written(client, fresh_set, table, data):
    keys = np.arange(len(table))
    names = table.dtype.names or ()
    options: dict[str, Any] = {"keys": keys, "strings_as": "blob"}
    policy = {"exists": aerospike.POLICY_EXISTS_CREATE_OR_REPLACE}
    client.batch_write_numpy(np.zeros_like(table), "test", fresh_set, policy=policy, **options)
    present = np.zeros(len(table), [(name, "?") for name in names])
    for name in names:
        present[name] = data.draw(st.lists(st.booleans(), min_size=len(table), max_size=len(table)))
    # Every row needs a bin to write.
    present[names[0]] = True
    assert client.batch_write_numpy(table, "test", fresh_set, present=present, **options).ok.all()
    batch = read(client, fresh_set, keys, table.dtype)
    zeros = np.zeros_like(table)
    for name in names:
        for row in range(len(table)):
            source = table if present[name][row] else zeros
            assert bits_of(batch.batch_records, name, row) == bits_of(source, name, row), (name, row)


def test_a_batch_is_written_back_with_its_presence(client, fresh_set):
    client.put(("test", fresh_set, 1), {"a": 1, "b": 2.5})
    client.put(("test", fresh_set, 2), {"b": 0.0})
    dtype = np.dtype([("a", "i4"), ("b", "f8")])
    batch = read(client, fresh_set, [1, 2, 3], dtype)
    with pytest.warns(RuntimeWarning, match=r"rows were not written \(ParamError\); see result_codes"):
        result = client.batch_write_numpy(
            batch.batch_records, "test", fresh_set + "b", keys=[1, 2, 3], present=batch.present
        )
    # The records do not exist, so there is nothing to write, and none is created.
    assert result.result_codes.tolist() == [0, 0, -2]
    with pytest.raises(
        aerospike.ParamError, match=r"1 of 3 rows were not written: ParamError \(-2\): 1; .* row 2, key 3"
    ) as caught:
        result.raise_for_failures()
    assert caught.value.batch is result  # type: ignore[attr-defined]
    assert client.get(("test", fresh_set + "b", 1)).bins == {"a": 1, "b": 2.5}
    assert client.get(("test", fresh_set + "b", 2)).bins == {"b": 0.0}
    assert client.exists(("test", fresh_set + "b", 3)).meta is None


def test_a_masked_array_leaves_masked_cells_out(client, fresh_set, rows):
    masked = np.ma.array(rows, mask=[(0, 1, 0), (0, 0, 0), (0, 0, 1)])
    assert client.batch_write_numpy(masked, "test", fresh_set).ok.all()
    bins = [client.get(("test", fresh_set, key)).bins for key in (7, 8, 9)]
    assert bins == [{"h": -1}, {"t": 2.5, "h": -2}, {"t": 3.5}]
    vectors = np.ma.zeros(2, [("v", "f4", (2,))])
    vectors["v"].mask = [[False, True], [False, False]]
    with pytest.raises(aerospike.ParamError, match="row 0, field 'v': the mask covers only a part"):
        client.batch_write_numpy(vectors, "test", fresh_set, keys=[1, 2])
    with pytest.raises(aerospike.ParamError, match="pass one"):
        client.batch_write_numpy(masked, "test", fresh_set, present=np.ones(3, [("t", "?"), ("h", "?")]))


def test_a_masked_key_is_none(client, fresh_set, rows):
    masked = np.ma.array(rows, mask=[(0, 0, 0), (1, 0, 1), (0, 0, 0)])
    with pytest.raises(aerospike.ParamError, match="row 1, field '_key': the key is masked"):
        client.batch_write_numpy(masked, "test", fresh_set)
    assert client.exists(("test", fresh_set, 7)).meta is None
    # A row that is masked as a whole has nothing to write and is not sent.
    masked = np.ma.array(rows, mask=[(0, 0, 0), (1, 1, 1), (0, 0, 0)])
    with pytest.warns(RuntimeWarning, match="rows were not written"):
        assert client.batch_write_numpy(masked, "test", fresh_set).result_codes.tolist() == [0, -2, 0]
    left = masked[~masked.mask["_key"]]
    assert client.batch_write_numpy(left, "test", fresh_set).ok.all()


def test_masks_of_other_shapes(client, fresh_set):
    nothing = np.ma.zeros(0, [("_key", "i8"), ("v", "f4", (2,))])
    assert len(client.batch_write_numpy(nothing, "test", fresh_set)) == 0
    nested = np.ma.zeros(1, [("_key", "i8"), ("n", [("x", "i4")])])
    with pytest.raises(TypeError, match="field 'n' is a struct"):
        client.batch_write_numpy(nested, "test", fresh_set)


def test_bins_are_any_iterable(client, fresh_set, rows):
    assert client.batch_write_numpy(rows, "test", fresh_set, bins=(name for name in ["h"])).ok.all()
    assert client.get(("test", fresh_set, 7)).bins == {"h": -1}
    with pytest.raises(aerospike.ParamError, match="bins is empty"):
        client.batch_write_numpy(rows, "test", fresh_set, bins=[])


def test_keys_are_a_field_or_given(client, fresh_set, rows):
    # The key field becomes a bin only on request.
    assert client.batch_write_numpy(rows, "test", fresh_set).ok.all()
    assert client.get(("test", fresh_set, 8)).bins == {"t": 2.5, "h": -2}
    client.batch_write_numpy(rows, "test", fresh_set, bins=["_key", "h"])
    assert client.get(("test", fresh_set, 8)).bins == {"t": 2.5, "h": -2, "_key": 8}
    client.batch_write_numpy(rows, "test", fresh_set, key_field="h", bins=["t"])
    assert client.get(("test", fresh_set, -2)).bins == {"t": 2.5}
    # With keys of their own all fields are bins.
    for keys in (
        aerospike.Keys("test", fresh_set, ["x", "y", "z"]),
        ["x", "y", "z"],
        np.array(["x", "y", "z"]),
    ):
        assert client.batch_write_numpy(rows, "test", fresh_set, keys=keys).ok.all()
        assert client.get(("test", fresh_set, "y")).bins == {"_key": 8, "t": 2.5, "h": -2}
        client.batch_remove([("test", fresh_set, key) for key in "xyz"])
    for kind, expected in (("S3", "k8"), ("U3", "k8"), ("V2", b"k8")):
        table = np.zeros(1, [("k", kind), ("n", "u1")])
        table["k"], table["n"] = (np.void(b"k8") if kind == "V2" else "k8"), 200
        assert client.batch_write_numpy(table, "test", fresh_set, key_field="k").ok.all()
        assert client.get(("test", fresh_set, expected)).bins == {"n": 200}
    # Keys of the same set that a batch read takes, and their digests.
    none = client.batch_write_numpy(rows, "test", None)
    assert none.ok.all()
    client.batch_remove([("test", None, key) for key in (7, 8, 9)])


def test_values_become_bins_of_the_fields_kinds(client, fresh_set):
    dtype = np.dtype(
        [
            ("i", ">i2"), ("u", "u8"), ("f2", "f2"), ("f4", ">f4"), ("b", "?"), ("s", "S5"), ("raw", "V3"),
            ("when", "M8[ms]"), ("took", "m8[s]"), ("vec", ">f4", (2,)), ("grid", "i2", (2, 2)),
        ]
    )  # fmt: skip
    table = np.zeros(1, dtype)
    table[0] = (
        -300, 2**63 - 1, 0.5, 1.25, True, "né".encode(), b"\x00a\x00",
        "2026-01-02", 90, (1.5, -2.0), ((1, 2), (3, -4)),
    )  # fmt: skip
    client.batch_write_numpy(table, "test", fresh_set, keys=["r"])
    bins = client.get(("test", fresh_set, "r")).bins
    assert bins == {
        "i": -300, "u": 2**63 - 1, "f2": 0.5, "f4": 1.25, "b": True, "s": "né", "raw": b"\x00a\x00",
        "when": table["when"].astype("i8").item(), "took": 90,
        # Blobs are the array's own bytes, as a batch read copies them into a field of the same dtype.
        "vec": np.array([1.5, -2.0], ">f4").tobytes(), "grid": np.array([1, 2, 3, -4], "i2").tobytes(),
    }  # fmt: skip
    assert type(bins["b"]) is bool
    client.batch_write_numpy(table, "test", fresh_set, keys=["r"], arrays_as="list", strings_as="blob")
    bins = client.get(("test", fresh_set, "r")).bins
    assert (bins["vec"], bins["grid"], bins["s"]) == (
        [1.5, -2.0],
        [[1, 2], [3, -4]],
        "né".encode().ljust(5, b"\0"),
    )


NAT = np.datetime64("NaT", "us")


@pytest.fixture
def times() -> Any:
    table = np.zeros(4, [("_key", "i8"), ("at", "M8[ms]"), ("took", ">m8[s]"), ("n", "i4")])
    table["_key"] = range(4)
    table["at"] = ["2026-01-02", "NaT", "2026-01-04", "NaT"]
    table["took"] = [1, 2, "NaT", 4]
    table["n"] = [10, 11, 12, 13]
    return table


def bins_of(client: Any, name: str) -> list[str]:
    """The names of the bins of each record of ``times``."""
    return [" ".join(sorted(client.get(("test", name, key)).bins)) for key in range(4)]


def test_times_that_are_nat_are_left_out(client, fresh_set, times):
    client.put(("test", fresh_set, 3), {"at": 7, "n": 1})
    assert client.batch_write_numpy(times, "test", fresh_set).ok.all()
    assert bins_of(client, fresh_set) == ["at n took", "n took", "at n", "at n took"]
    # As with a mask, the bin keeps its value.
    assert client.get(("test", fresh_set, 3)).bins == {"at": 7, "n": 13, "took": 4}
    batch = read(client, fresh_set, range(4), times.dtype)
    assert batch.present["at"].tolist() == [True, False, True, True]
    assert batch.present["took"].tolist() == [True, True, False, True]
    assert not np.isnat(batch.batch_records["at"]).any()


def test_nat_beside_presence_and_masks(client, fresh_set, times):
    present = np.ones(4, [(name, "?") for name in ("n", "took", "at")])
    present["n"] = [True, False, True, True]
    present["at"][0] = False
    masked = np.ma.array(times)
    for name in ("at", "n"):
        masked.mask[name] = ~present[name]
    for number, (data, options) in enumerate(((times, {"present": present}), (masked, {}))):
        name = f"{fresh_set}-{number}"
        assert client.batch_write_numpy(data, "test", name, **options).ok.all()
        assert bins_of(client, name) == ["n took", "took", "at n", "n took"]
    # The caller's array stays as it was.
    assert present["took"].all()
    # A row of nothing but NaT is not sent.
    nothing = np.array([(1, NAT), (2, 5)], [("_key", "i8"), ("at", "M8[s]")])
    with pytest.warns(RuntimeWarning):
        assert client.batch_write_numpy(nothing, "test", fresh_set).result_codes.tolist() == [-2, 0]
    # Cells that are not written may be NaT under any setting.
    present = np.zeros(4, [("at", "?"), ("n", "?")])
    present["n"] = True
    options = {"bins": ["at", "n"], "present": present, "nat": "raise"}
    assert client.batch_write_numpy(times, "test", fresh_set, **options).ok.all()


def test_nat_is_refused(client, fresh_set, times):
    write = client.batch_write_numpy
    with pytest.raises(aerospike.ParamError, match=r"row 1, field 'at': the time is NaT.*nat=\"omit\""):
        write(times, "test", fresh_set, nat="raise")
    with pytest.raises(aerospike.ParamError, match="row 2, field 'took': the time is NaT"):
        write(times, "test", fresh_set, bins=["took"], nat="raise")
    with pytest.raises(aerospike.ParamError, match=r'nat is None \(NoneType\); it must be "omit" or "raise"'):
        write(times, "test", fresh_set, nat=None)
    # NaT is no key, whether as a time or among objects.
    with pytest.raises(aerospike.ParamError, match=r"values\[1\] is NaT; .*isnat"):
        write(times, "test", fresh_set, key_field="at")
    with pytest.raises(aerospike.ParamError, match=r"values\[1\].*NaT"):
        write(times[:2], "test", fresh_set, keys=[1, NAT])
    with pytest.raises(aerospike.ParamError, match=r'convert it to integers: values.view\("i8"\)'):
        write(times[:1], "test", fresh_set, key_field="at")
    assert client.query("test", fresh_set).results() == []
    assert write(times[:1], "test", fresh_set, nat="raise").ok.all()


def test_array_keys_may_be_bytes(client, fresh_set):
    table = np.array([(b"ab", 1), (b"\xff", 2)], [("k", "S2"), ("n", "i1")])
    write = client.batch_write_numpy
    assert write(table[:1], "test", fresh_set, key_field="k").ok.all()
    assert write(table, "test", fresh_set, key_field="k", key_type="bytes").ok.all()
    assert write(table, "test", fresh_set, keys=table["k"], key_type="bytes", bins=["n"]).ok.all()
    for key, bins in (("ab", {"n": 1}), (b"ab", {"n": 1}), (b"\xff", {"n": 2})):
        assert client.get(("test", fresh_set, key)).bins == bins
    keys = aerospike.Keys("test", fresh_set, table["k"], key_type="bytes")
    assert client.batch_read(keys, _dtype=[("n", "i1")]).batch_records["n"].tolist() == [1, 2]
    assert write(table, "test", fresh_set, keys=keys, bins=["n"]).ok.all()
    assert write(table, "test", fresh_set, keys=keys, key_type="bytes", bins=["n"]).ok.all()
    with pytest.raises(ValueError, match=r"values\[1\]: it is not UTF-8"):
        write(table, "test", fresh_set, key_field="k")
    with pytest.raises(ValueError, match="key_type is 'blob'"):
        write(table, "test", fresh_set, key_field="k", key_type="blob")
    text = aerospike.Keys("test", fresh_set, ["a", "b"])
    with pytest.raises(ValueError, match="pass it to Keys"):
        write(table, "test", fresh_set, keys=text, key_type="bytes")


INTEGERS = st.sampled_from(
    [f"{order}{kind}{size}" for order in "<>" for kind in "iu" for size in (1, 2, 4, 8)]
)


@settings(suppress_health_check=RELAXED, max_examples=60)
@given(INTEGERS, st.sampled_from([(), (1,), (3,), (2, 2)]), st.sampled_from(["blob", "list"]), st.data())
def test_integers_are_read_by_other_clients_as_they_were(
    client, official, fresh_set, kind, shape, arrays_as, data
):
    """Unsigned ones from 2**63 on are refused with row and field, but in blobs, which are bytes."""
    dtype = np.dtype([("a", kind, shape)])
    info = np.iinfo(kind)
    values = st.integers(int(info.min), int(info.max)) | st.sampled_from(
        [int(info.min), int(info.max), int(info.max) // 2, int(info.max) // 2 + 1]
    )
    count = 2 * int(np.prod(shape, dtype=int))
    drawn = data.draw(st.lists(values, min_size=count, max_size=count))
    table = np.zeros(2, dtype)
    table["a"] = np.array(drawn, kind).reshape(table["a"].shape)
    options: dict[str, Any] = {"keys": [1, 2], "arrays_as": arrays_as}
    too_large = table["a"].reshape(2, -1).astype(object).max(axis=1) >= 2**63
    if too_large.any() and (shape == () or arrays_as == "list"):
        row = int(too_large.argmax())
        with pytest.raises(aerospike.ParamError, match=rf"row {row}, field 'a': .*2\*\*63 - 1"):
            client.batch_write_numpy(table, "test", fresh_set, **options)
        return
    assert client.batch_write_numpy(table, "test", fresh_set, **options).ok.all()
    for row, key in enumerate((1, 2)):
        expected = table["a"][row].tolist()
        if shape and arrays_as == "blob":
            expected = table["a"][row].tobytes()
        assert official.get(("test", fresh_set, key))[2] == {"a": expected}
        assert client.get(("test", fresh_set, key)).bins == {"a": expected}


class NoFrame:
    """An object of that name, as a library's class is seen by name only."""

    @staticmethod
    def of(library: str, name: str) -> Any:
        return type(name, (), {"__module__": f"{library}.dataframe"})()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (lambda: pytest.importorskip("pandas").DataFrame({"a": [1]}), r"batch_write_arrow\(data, .*nulls"),
        (lambda: NoFrame.of("pyarrow.lib", "Table"), r"batch_write_arrow\(data, .*nulls"),
        (lambda: NoFrame.of("polars", "DataFrame"), r"batch_write_arrow\(data, .*nulls"),
        (lambda: {"a": [1]}, r"np\.array\(rows, dtype="),
        (lambda: None, r"np\.array\(rows, dtype="),
    ],
    ids=["pandas", "pyarrow", "polars", "dict", "None"],
)
def test_other_data_is_refused_with_what_to_do(client, fresh_set, data, text):
    with pytest.raises(
        TypeError, match=rf"data is a \w+; it must be a structured NumPy array.*{text}"
    ) as caught:
        client.batch_write_numpy(data(), "test", fresh_set)
    assert "to_records" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("O", r"holds Python objects \(object\); .*batch_write_arrow.*convert the column.*batch_write\(\)"),
        (("O", (2,)), "holds Python objects"),
        ("U4", "is text of four bytes a character.*np.char.encode"),
        ("c16", "is complex, which no bin can hold"),
        ("g", "is a long double, which no bin can hold"),
    ],
)
def test_fields_that_no_bin_can_hold_are_refused_as_writes(client, fresh_set, kind, text):
    field = ("x", *kind) if isinstance(kind, tuple) else ("x", kind)
    data = np.zeros(1, [("_key", "i8"), field, ("n", "i4")])
    with pytest.raises(TypeError, match=f"field 'x' {text}") as caught:
        client.batch_write_numpy(data, "test", fresh_set)
    assert "read" not in str(caught.value).replace("already", "")
    # Fields that are not written may be of any kind.
    assert client.batch_write_numpy(data, "test", fresh_set, bins=["n"]).ok.all()


REFUSED: dict[str, tuple[Any, dict[str, Any], type[Exception], str]] = {
    "a list": ([(1, 2.0)], {}, TypeError, "data is a list; it must be a structured NumPy array"),
    "a plain array": (np.zeros(3), {}, TypeError, "data is a ndarray of float64"),
    "two dimensions": (np.zeros((2, 2), KEYED), {}, ValueError, "data has 2 dimensions"),
    "no key field": (
        np.zeros(1, [("key_", "i8"), ("a", "i8")]),
        {},
        ValueError,
        r"no field '_key'.*did you mean 'key_'",
    ),
    "another key field": (
        np.zeros(1, KEYED),
        {"key_field": "id"},
        ValueError,
        "no field 'id'.*it has '_key', 't', 'h'",
    ),
    "both": (np.zeros(1, KEYED), {"key_field": "t", "keys": [1]}, ValueError, "pass one"),
    "too few keys": (np.zeros(3, KEYED), {"keys": [1, 2]}, ValueError, "2 keys for 3 rows"),
    "other keys": (
        np.zeros(1, KEYED),
        {"keys": aerospike.Keys("test", "other", [1])},
        ValueError,
        "keys are for test.other",
    ),
    "nothing to write": (np.zeros(1, [("_key", "i8")]), {}, ValueError, "no field to write"),
    "an unknown bin": (np.zeros(1, KEYED), {"bins": ["temp", "t"]}, ValueError, "bins has 'temp'"),
    "one bin": (np.zeros(1, KEYED), {"bins": "t"}, ValueError, "must be a list"),
    "float keys": (np.zeros(1, KEYED), {"key_field": "t"}, ValueError, "float64, which cannot be keys"),
    "text": (np.zeros(1, [("_key", "i8"), ("name", "U4")]), {}, TypeError, "name"),
    "objects": (np.zeros(1, [("_key", "i8"), ("x", "O")]), {}, TypeError, "x"),
    "a long name": (np.zeros(1, [("_key", "i8"), ("a" * 16, "i8")]), {}, ValueError, "a" * 16),
    "complex": (np.zeros(1, [("_key", "i8"), ("z", "c8")]), {}, TypeError, "z"),
    "large": (
        np.array([(1, 5), (2, 2**63)], [("_key", "i8"), ("u", "u8")]),
        {},
        ValueError,
        r"row 1, field 'u': 9223372036854775808 is above",
    ),
    "large in a list": (
        np.array([(1, [5, 6]), (2, [7, 2**63])], [("_key", "i8"), ("u", "u8", (2,))]),
        {"arrays_as": "list"},
        ValueError,
        r"row 1, field 'u': element 1 is 9223372036854775808, above 2\*\*63 - 1.*blob",
    ),
    "no text": (
        np.array([(1, b"ok"), (2, b"a\xff")], [("_key", "i8"), ("s", "S2")]),
        {},
        ValueError,
        r"row 1, field 's': its bytes are not UTF-8 \(at byte 1\)",
    ),
    "a large key": (np.array([(2**63, 1)], [("_key", "u8"), ("u", "i8")]), {}, ValueError, r"values\[0\]"),
    "presence": (
        np.zeros(1, KEYED),
        {"present": np.ones(1, bool)},
        ValueError,
        "present is an array of bool",
    ),
    "presence of others": (
        np.zeros(1, KEYED),
        {"present": np.ones(1, [("h", "?")])},
        ValueError,
        "no field 't'",
    ),
    "presence of more": (
        np.zeros(1, KEYED),
        {"present": np.ones(2, [("h", "?"), ("t", "?")])},
        ValueError,
        "shape",
    ),
    "no name": (
        np.zeros(1, np.dtype({"names": ["_key", ""], "formats": ["i8", "f8"]})),
        {},
        ValueError,
        "with an empty name",
    ),
    "an option": (np.zeros(1, KEYED), {"strings_as": "bytes"}, ValueError, 'must be "str" or "blob"'),
    "another option": (np.zeros(1, KEYED), {"arrays_as": "array"}, ValueError, 'must be "blob" or "list"'),
    "a policy": (np.zeros(1, KEYED), {"policy": {"exist": 1}}, ValueError, "exist"),
    "a generation": (
        np.zeros(1, KEYED),
        {"policy": {"gen": aerospike.POLICY_GEN_EQ}},
        ValueError,
        "generation",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refusals_name_the_row_and_send_nothing(client, fresh_set, what):
    data, arguments, error, text = REFUSED[what]
    with pytest.raises(error, match=text):
        client.batch_write_numpy(data, "test", fresh_set, **arguments)
    keys = [("test", fresh_set, key) for key in (0, 1, 2)]
    assert {row.result for row in client.batch_read(keys).batch_records} == {2}


def test_a_large_value_that_is_not_present_is_none(client, fresh_set):
    table = np.array([(1, 2**63, b"\xff", 1)], [("_key", "i8"), ("u", "u8"), ("s", "S1"), ("n", "i1")])
    present = np.array([(False, False, True)], [("u", "?"), ("s", "?"), ("n", "?")])
    assert client.batch_write_numpy(table, "test", fresh_set, present=present).ok.all()
    assert client.get(("test", fresh_set, 1)).bins == {"n": 1}


def test_policies_of_the_batch_and_of_the_rows(client, fresh_set, rows):
    write = client.batch_write_numpy
    client.put(("test", fresh_set, 8), {"t": 0.0})
    with pytest.warns(RuntimeWarning, match="RecordExistsError"):
        result = write(rows, "test", fresh_set, policy={"exists": aerospike.POLICY_EXISTS_CREATE})
    assert result.result_codes.tolist() == [0, 5, 0]
    assert repr(result) == "<NumpyWriteResult 2 of 3 rows written, 1 failed (1 RecordExistsError)>"
    assert [tuple(failure) for failure in result.failures] == [(1, 8, 5, False)]
    with pytest.raises(aerospike.RecordExistsError, match="1 of 3 rows were not written"):
        result.raise_for_failures()
    restored = pickle.loads(pickle.dumps(result))  # noqa: S301 (its own)
    assert restored.failures == result.failures
    assert repr(restored) == repr(result)
    write(
        rows, "test", fresh_set, policy={"ttl": 500, "key": aerospike.POLICY_KEY_SEND, "total_timeout": 5000}
    )
    assert 0 < client.get(("test", fresh_set, 7)).meta["ttl"] <= 500
    write(rows, "test", fresh_set).raise_for_failures()


def test_config_has_policies_of_batches_that_write(face, config, fresh_set, rows):
    policies = {
        "batch_write": {"exists": aerospike.POLICY_EXISTS_UPDATE},
        "batch_parent_write": {"max_retries": 1},
    }
    with face.connect({**config, "policies": policies}) as client:
        with pytest.warns(RuntimeWarning, match="RecordNotFound"):
            assert (client.batch_write_numpy(rows, "test", fresh_set).result_codes == 2).all()
        policy = {"exists": aerospike.POLICY_EXISTS_IGNORE}
        assert client.batch_write_numpy(rows, "test", fresh_set, policy=policy).ok.all()


def test_bools_are_sent_as_the_config_says(face, config, fresh_set):
    table = np.array([(1, True), (2, False)], [("_key", "i8"), ("b", "?")])
    with face.connect({**config, "send_bool_as": aerospike.INTEGER}) as client:
        client.batch_write_numpy(table, "test", fresh_set).raise_for_failures()
        bins = [client.get(("test", fresh_set, key)).bins["b"] for key in (1, 2)]
        assert [(type(value), value) for value in bins] == [(int, 1), (int, 0)]


def test_many_rows_of_any_layout(client, fresh_set):
    n = 25_000
    wide = np.zeros(2 * n, [("pad", "i2"), ("_key", ">i4"), ("a", ">f8"), ("b", "i8")])
    wide["_key"], wide["a"], wide["b"] = np.arange(2 * n), np.arange(2 * n) / 4, -np.arange(2 * n)
    table = wide[::-2]
    assert client.batch_write_numpy(table, "test", fresh_set, bins=["a", "b"]).ok.all()
    batch = read(client, fresh_set, table["_key"], [("a", "f8"), ("b", "i8")])
    assert (batch.batch_records["a"] == table["a"]).all()
    assert (batch.batch_records["b"] == table["b"]).all()
    empty = client.batch_write_numpy(table[:0], "test", fresh_set)
    assert len(empty) == 0
    assert empty.failures == []


def test_an_unknown_namespace(client, fresh_set, rows):
    with pytest.raises(aerospike.NamespaceNotFound):
        client.batch_write_numpy(rows, "nowhere", fresh_set)
