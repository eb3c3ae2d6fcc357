"""Batches as DataFrames."""

import numpy as np
import pytest

pd = pytest.importorskip("pandas")


@pytest.fixture
def batch(client, fresh_set):
    """Record "a" has every bin, "b" has one, "missing" does not exist."""
    everything = {
        "i": 1,
        "u": 2**63 - 1,
        "h": 0.5,
        "d": 1.25,
        "flag": True,
        "s": "text",
        "raw": b"a\x00",
        "v": np.arange(2, dtype=">i2").tobytes(),
        "day": 3,
        "ms": -1,
        "months": 14,
        "count": 7,
    }
    client.put(("test", fresh_set, "a"), everything)
    client.put(("test", fresh_set, "b"), {"i": 2})
    dtype = np.dtype(
        [
            ("i", ">i4"),
            ("u", "u8"),
            ("h", ">f2"),
            ("d", "f8"),
            ("flag", "?"),
            ("s", "S8"),
            ("raw", "V2"),
            ("v", ">i2", (2,)),
            ("day", ">M8[D]"),
            ("ms", "m8[ms]"),
            ("months", "m8[M]"),
            ("count", "M8"),
        ]
    )
    return client.batch_read([("test", fresh_set, name) for name in ("a", "b", "missing")], _dtype=dtype)


def test_missing_cells_are_never_zeros(batch):
    df = batch.to_pandas()
    assert df.index.tolist() == ["a", "b", "missing"]
    assert df.index.name == "key"
    expected = {"i": [False, False, True]} | {name: [False, True, True] for name in ("u", "h", "d", "flag")}
    for name, missing in expected.items():
        assert df[name].isna().tolist() == missing, name
    for name in ("s", "raw", "v"):
        assert [cell is None for cell in df[name]] == [False, True, True]
    for name in ("day", "ms", "months", "count"):
        assert df[name].isna().tolist() == [False, True, True], name
    assert df["i"].dtype == pd.Int32Dtype()
    assert df["u"].dtype == pd.UInt64Dtype()
    assert df["h"].dtype == pd.Float32Dtype()
    assert df["d"].dtype == pd.Float64Dtype()
    assert df["flag"].dtype == pd.BooleanDtype()


def test_values_and_types(batch):
    row = batch.to_pandas().loc["a"]
    assert (row["i"], row["u"], row["h"], row["d"], row["flag"]) == (1, 2**63 - 1, 0.5, 1.25, True)
    assert (row["s"], row["raw"]) == (b"text", b"a\x00")
    assert row["v"].tolist() == [0, 1]
    assert row["v"].dtype == np.dtype("i2")
    assert row["day"] == pd.Timestamp("1970-01-04")
    assert row["ms"] == pd.Timedelta(milliseconds=-1)
    assert row["months"] == np.timedelta64(14, "M")
    assert row["count"] == 7


def test_columns_of_generation_ttl_and_result_code(batch):
    df = batch.to_pandas()
    assert df["gen"].tolist() == [1, 1, 0]
    assert df["ttl"].tolist() == [0xFFFFFFFF, 0xFFFFFFFF, 0]
    assert df["result_code"].tolist() == [0, 0, 2]


def test_columns_without_gaps_keep_their_numpy_type(client, batch, fresh_set):
    whole = client.batch_read([("test", fresh_set, "a")], _dtype=batch.batch_records.dtype).to_pandas()
    assert whole["i"].dtype == np.dtype("=i4")
    assert whole["h"].dtype == np.dtype("=f2")
    assert whole["flag"].dtype == np.dtype("?")
    assert whole["day"].dtype == np.dtype("M8[s]")


def test_the_frame_does_not_change_with_the_array(batch):
    df = batch.to_pandas()
    batch.batch_records["i"] = 99
    batch.meta["gen"] = 99
    assert df["i"].iloc[0] == 1
    assert df["gen"].iloc[0] == 1


def test_mixed_sets_are_indexed_by_set_and_key(client, fresh_set):
    other = fresh_set + "b"
    client.put(("test", fresh_set, 1), {"i": 1})
    client.put(("test", other, 1), {"i": 2})
    client.put(("bar", other, "x"), {"i": 3})
    keys = [("test", fresh_set, 1), ("test", other, 1)]
    df = client.batch_read(keys, _dtype=[("i", "i8")]).to_pandas()
    assert df.index.names == ["set", "key"]
    assert df.loc[(other, 1), "i"] == 2
    df = client.batch_read([*keys, ("bar", other, "x")], _dtype=[("i", "i8")]).to_pandas()
    assert df.index.names == ["namespace", "set", "key"]
    assert df.loc[("bar", other, "x"), "i"] == 3


def test_an_empty_batch(client):
    df = client.batch_read([], _dtype=[("i", "i8"), ("v", "f4", (2,))]).to_pandas()
    assert len(df) == 0
    assert list(df.columns) == ["i", "v", "gen", "ttl", "result_code"]


@pytest.mark.parametrize("name", ["gen", "ttl", "result_code"])
def test_a_bin_named_like_a_metadata_column(client, fresh_set, name):
    client.put(("test", fresh_set, 1), {name: 5})
    batch = client.batch_read([("test", fresh_set, 1)], _dtype=[(name, "i8")])
    with pytest.raises(ValueError, match=rf"{name}.*meta_prefix"):
        batch.to_pandas()
    df = batch.to_pandas(meta_prefix="_")
    assert df[name].tolist() == [5]
    assert df[f"_{name}"].tolist() == [{"gen": 1, "ttl": 0xFFFFFFFF, "result_code": 0}[name]]
