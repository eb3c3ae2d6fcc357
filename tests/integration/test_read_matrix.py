"""``read_matrix``: features of several sets in one matrix."""

from __future__ import annotations

import itertools
import mmap
import pickle
import warnings
from multiprocessing import shared_memory
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import aerospike_py as aerospike
from aerospike_py import FeatureMatrix, Keys, MissingFieldWarning

ROWS = 5


@pytest.fixture
def sets(client: Any, fresh_set: str) -> tuple[str, str]:
    users, items = f"{fresh_set}_u", f"{fresh_set}_i"
    for number in range(ROWS):
        client.put(("test", users, number), {"age": 20 + number, "ctr": number / 4, "name": "x"})
        nested = {"driver": {"trips": 10 * number}, "list": [number, number + 0.5]}
        client.put(("test", items, number), {"ctr": -1.5 * number, "price": number, "f": nested})
    return users, items


def groups(users: str, items: str) -> list[Any]:
    return [
        (Keys("test", users, np.arange(ROWS)), ["age", "ctr"]),
        ([("test", items, number) for number in reversed(range(ROWS))], ("price", "ctr")),
    ]


def test_two_sets_in_one_matrix(client: Any, sets: tuple[str, str]) -> None:
    users, items = sets
    features = client.read_matrix(groups(users, items))
    assert isinstance(features, FeatureMatrix)
    assert features.columns == ("age", f"{users}.ctr", "price", f"{items}.ctr")
    expected = [[20 + row, row / 4, ROWS - 1 - row, -1.5 * (ROWS - 1 - row)] for row in range(ROWS)]
    np.testing.assert_array_equal(features.matrix, np.array(expected, "f4"))
    assert features.matrix.dtype == np.float32
    assert features.matrix.flags.c_contiguous
    assert features.present.shape == (ROWS, 4)
    assert features.present.all()
    assert features.result_codes.shape == (ROWS, 2)
    assert features.ok.all()
    assert (features.inexact, features.decode_errors) == ({}, 0)
    assert np.asarray(features) is features.matrix or np.shares_memory(np.asarray(features), features.matrix)
    assert (len(features), features.shape) == (ROWS, (ROWS, 4))
    assert repr(features) == "<FeatureMatrix 5 rows, 4 columns, 10 found, dtype=float32>"


def test_it_pickles(client: Any, sets: tuple[str, str]) -> None:
    users, _ = sets
    features = client.read_matrix([(Keys("test", users, [0, 99, 2]), ["age", "ctr"])], fill=-1)
    again = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(features))))  # noqa: S301
    for name in ("matrix", "present", "result_codes", "ok"):
        np.testing.assert_array_equal(getattr(again, name), getattr(features, name))
    assert (again.columns, repr(again)) == (features.columns, repr(features))
    again.result_codes = np.array([[0], [9], [0]], "i4")
    with pytest.raises(aerospike.TimeoutError, match="key 99"):
        again.raise_for_failures()


def test_missing_cells_hold_the_fill_value(client: Any, sets: tuple[str, str]) -> None:
    users, items = sets
    client.put(("test", users, 3), {"ctr": None})
    keys = [("test", users, 3), ("test", users, 99), ("test", users, 0), ("test", users, 0)]
    other = [("test", items, 0), ("test", items, 1), ("test", items, 77), ("test", items, 2)]
    wanted = [(keys, ["age", "ctr"]), (other, ["price"])]
    features = client.read_matrix(wanted)
    present = np.array([[1, 0, 1], [0, 0, 1], [1, 1, 0], [1, 1, 1]], bool)
    np.testing.assert_array_equal(features.present, present)
    np.testing.assert_array_equal(np.isnan(features.matrix), ~present)
    assert features.result_codes.tolist() == [[0, 0], [2, 0], [0, 2], [0, 0]]
    assert features.ok.tolist() == [True, False, False, True]
    for dtype, fill in (("i8", -1), ("u1", 255), ("f8", 0), (">i4", 7), ("f2", -0.5)):
        filled = client.read_matrix(wanted, dtype=dtype, fill=fill, casting="unsafe", errors="coerce")
        assert filled.matrix.dtype == np.dtype(dtype)
        assert (filled.matrix[~present] == fill).all(), dtype
        np.testing.assert_array_equal(filled.present, present)
    # A bool takes integers, and no floats.
    flags = client.read_matrix(wanted, dtype="?", fill=True, errors="coerce")
    assert flags.matrix[:, 0].tolist() == [True, True, True, True]
    assert flags.matrix[~present].all()
    assert flags.decode_errors == 2


def test_columns_from_maps_and_lists(client: Any, sets: tuple[str, str]) -> None:
    _, items = sets
    keys = Keys("test", items, [1, 4, 9])
    columns = [("f", "driver", "trips"), ("last", ("f", "list", -1)), "price", ("whole", ("price",))]
    features = client.read_matrix([(keys, columns)], dtype="f8", fill=-9)
    assert features.columns == ("f.driver.trips", "last", "price", "whole")
    np.testing.assert_array_equal(features.matrix, [[10, 1.5, 1, 1], [40, 4.5, 4, 4], [-9] * 4])


def test_the_same_records_in_two_groups(client: Any, sets: tuple[str, str]) -> None:
    users, _ = sets
    keys, back = Keys("test", users, [0, 1, 1]), Keys("test", users, [1, 0, 2])
    features = client.read_matrix([(keys, ["age"]), (back, [("b", ("ctr",)), ("c", ("age",))])], dtype="f8")
    np.testing.assert_array_equal(features.matrix, [[20, 0.25, 21], [21, 0, 20], [21, 0.5, 22]])


def test_nothing_to_read(client: Any, sets: tuple[str, str]) -> None:
    users, items = sets
    features = client.read_matrix([(Keys("test", users, []), ["ctr"]), (Keys("test", items, []), ["ctr"])])
    assert features.columns == (f"{users}.ctr", f"{items}.ctr")
    assert features.matrix.shape == features.present.shape == (0, 2)
    assert features.result_codes.shape == (0, 2)


def test_many_rows_and_columns(client: Any, fresh_set: str) -> None:
    rows, width = 3_000, 20
    values = np.random.default_rng(5).normal(size=(rows, width)).astype("f4")
    dtype = np.dtype([(f"c{at}", "f4") for at in range(width)])
    client.batch_write_numpy(values.view(dtype).ravel(), "test", fresh_set, keys=np.arange(rows))
    keys = Keys("test", fresh_set, np.arange(rows))
    parts = [(keys, [f"c{at}" for at in range(first, first + 5)]) for first in (15, 0, 10, 5)]
    features = client.read_matrix(parts)
    order = [int(name[1:]) for name in features.columns]
    np.testing.assert_array_equal(features.matrix, values[:, order])


@pytest.mark.parametrize("memory", ["plain", "shared", "mapped", "swapped"])
def test_out(client: Any, sets: tuple[str, str], memory: str) -> None:
    wanted = groups(*sets)
    size = ROWS * 4 * 8
    segment = None
    if memory == "shared":
        segment = shared_memory.SharedMemory(create=True, size=size)
        out = np.ndarray((ROWS, 4), "f8", segment.buf)
    elif memory == "mapped":
        out = np.frombuffer(mmap.mmap(-1, size), "f8", ROWS * 4).reshape(ROWS, 4)
    else:
        out = np.full((ROWS, 4), 5, ">f8" if memory == "swapped" else "f8")
    features = client.read_matrix(wanted, out=out)
    assert features.matrix is out
    np.testing.assert_array_equal(out, client.read_matrix(wanted, dtype="f8").matrix)
    if segment is not None:
        del out, features
        segment.close()
        segment.unlink()


def test_arrow(client: Any, sets: tuple[str, str]) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    users, items = sets
    keys = Keys("test", users, [0, 9]), Keys("test", items, [2, 4])
    features = client.read_matrix([(keys[0], ["age"]), (keys[1], ["price", "ctr"])], dtype="i4", fill=-1)
    table = pyarrow.table(features)
    assert table.to_pydict() == {"age": [20, None], "price": [2, 4], "ctr": [-3, -6]}
    assert pyarrow.schema(features).names == list(features.columns)


def test_values_that_do_not_fit(client: Any, sets: tuple[str, str]) -> None:
    users, items = sets
    wanted = [(Keys("test", items, [0, 1]), ["price"]), (Keys("test", users, [0, 1]), ["age", "name"])]
    match = r"2 values do not fit the matrix: row 0, group 1, key 0: string into column 'name'"
    with pytest.raises(aerospike.BatchDecodeError, match=match) as raised:
        client.read_matrix(wanted, fill=-1)
    assert [failure[:3] for failure in raised.value.failures] == [(0, 0, "name"), (1, 1, "name")]
    assert raised.value.batch.matrix.tolist() == [[0, 20, -1], [1, 21, -1]]
    features = client.read_matrix(wanted, fill=-1, errors="coerce")
    assert (features.decode_errors, features.present[:, 2].tolist()) == (2, [False, False])
    with pytest.warns(RuntimeWarning, match=r"values changed to fit their columns \(.*_u\.ctr, .*_i\.ctr\)"):
        changed = client.read_matrix(groups(users, items), dtype="i8", fill=0)
    assert changed.inexact == {f"{users}.ctr": 3, f"{items}.ctr": 2}
    with pytest.raises(aerospike.BatchDecodeError):
        client.read_matrix(groups(users, items), dtype="i8", fill=0, casting="same_value")


def test_a_column_that_no_record_has(client: Any, sets: tuple[str, str]) -> None:
    users, items = sets
    wanted = [(Keys("test", users, [0]), ["age", "aeg"]), (Keys("test", items, [0]), [("q", "x"), "price"])]
    with pytest.warns(MissingFieldWarning, match="has a value for the columns 'aeg', 'q.x'") as caught:
        features = client.read_matrix(wanted)
    assert getattr(caught[0].message, "batch", None) is features
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        client.read_matrix(wanted)


def test_bad_arguments_are_refused(client: Any, sets: tuple[str, str]) -> None:
    users, items = sets
    keys = Keys("test", users, [0, 1])

    def refused(match: str, features: Any, kind: type[Exception] = aerospike.ParamError, **more: Any) -> None:
        with pytest.raises(kind, match=match):
            client.read_matrix(features, **more)

    one = [(keys, ["age"])]
    unequal = [*one, (Keys("test", items, [1]), ["price"])]
    refused(r"features\[1\] has 1 keys, and features\[0\] has 2", unequal)
    refused("features is empty", [])
    refused("features is 5", 5)
    refused(r"features\[0\] is .*pair of keys and columns", [keys])
    refused(r"features\[0\] has no columns", [(keys, [])])
    refused(r"columns is 'age'", [(keys, "age")])
    refused(r"features\[0\]: columns\[1\]: it is 5", [(keys, ["age", 5])])
    refused("its path is empty", [(keys, [()])])
    refused("its name is empty", [(keys, [("", ("age",))])])
    refused(r"columns\[0\]: step 1 is 1.5", [(keys, [("age", 1.5)])])
    refused("bin name", [(keys, ["much_too_long_for_a_bin"])], aerospike.AerospikeError)
    refused(r'both have a column ".*_u\.age"', [(keys, ["age", "age"])])
    refused("keys is 5", [(5, ["age"])], TypeError)
    for dtype in ("i4", "u1", "?"):
        refused("pass fill", one, dtype=dtype)
    for dtype, fill in (("i1", 200), ("i4", 1.5), ("i4", np.nan), ("f4", "x"), ("u1", -1), ("f4", 1e60)):
        refused("fill is", one, dtype=dtype, fill=fill)
    wrong: list[Any] = ["S4", "O", "c8", "M8[s]", [("a", "f4")], "g"]
    for dtype in wrong:
        refused("dtype is", one, dtype=dtype, fill=0)
    refused("which is not a dtype", one, dtype="nonsense")
    refused("out is a list", one, TypeError, out=[[1.0]])
    refused("out has the shape", one, ValueError, out=np.zeros((2, 2), "f4"))
    refused("out has the dtype", one, TypeError, out=np.zeros((2, 1), "f4"), dtype="f8")
    refused("C-contiguous", [(keys, ["age", "ctr"])], ValueError, out=np.zeros((2, 2), "f4").T)
    frozen = np.zeros((2, 1), "f4")
    frozen.flags.writeable = False
    refused("read-only", one, ValueError, out=frozen)
    shared = np.zeros((2, 1), "i8")
    refused("shares memory", [(Keys("test", users, shared[:, 0]), ["age"])], ValueError, out=shared, fill=0)
    refused("casting is", one, casting="safe")


def test_failed_records(client: Any, sets: tuple[str, str]) -> None:
    users, _ = sets
    wanted = [(Keys("test", users, [0, 1]), ["age"]), (Keys("nowhere", "x", [0, 1]), ["price"])]
    with pytest.warns(RuntimeWarning, match="rows of the batch failed"):
        features = client.read_matrix(wanted, fill=-1)
    assert features.matrix.tolist() == [[20, -1], [21, -1]]
    assert features.result_codes.tolist() == [[0, 20], [0, 20]]
    with pytest.raises(aerospike.AerospikeError, match=r"2 of 4 records failed.*row 0, group 1, key 0"):
        features.raise_for_failures()
    with pytest.raises(aerospike.AerospikeError):
        client.read_matrix(wanted[1:])


# -- against a model

_sets = itertools.count()
BINS = ["a", "b", "c", "d"]
KINDS = ["i1", "u2", "i4", "i8", "u8", "f2", "f4", "f8", ">f4", ">i2"]
values = st.one_of(
    st.integers(-300, 300),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(width=32, allow_nan=False, allow_infinity=False),
    st.floats(-1000, 1000),
    st.booleans(),
    st.sampled_from(["text", b"bytes"]),
)


def cell(value: Any, dtype: np.dtype[Any]) -> tuple[Any, bool, bool]:
    """What a cell holds, whether it is present, and whether the value is a decode error."""
    if value is None:
        return None, False, False
    if isinstance(value, (str, bytes)):
        return None, False, True
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return np.array(value, "f8" if isinstance(value, float) else None).astype(dtype), True, False
    if isinstance(value, float):
        info = np.iinfo(dtype)
        whole = int(value)
        return (whole, True, False) if info.min <= whole <= info.max else (None, False, True)
    return np.array(int(value), "i8").astype(dtype), True, False


@st.composite
def cases(draw: Any) -> dict[str, Any]:
    records = [
        draw(st.dictionaries(st.integers(0, 5), st.dictionaries(st.sampled_from(BINS), values, min_size=1)))
        for _ in range(2)
    ]
    rows = draw(st.integers(0, 6))
    wanted = []
    for _ in range(draw(st.integers(1, 4))):
        which = draw(st.integers(0, 1))
        keys = draw(st.lists(st.integers(0, 7), min_size=rows, max_size=rows))
        bins = draw(st.lists(st.sampled_from([*BINS, "none"]), min_size=1, max_size=6))
        wanted.append((which, keys, bins))
    dtype = np.dtype(draw(st.sampled_from(KINDS)))
    fill = draw(st.sampled_from([0, 1, 100]))
    return {"records": records, "groups": wanted, "dtype": dtype, "fill": fill, "out": draw(st.booleans())}


@settings(suppress_health_check=list(HealthCheck), max_examples=60)
@given(case=cases())
def test_any_groups_against_a_model(client: Any, case: dict[str, Any]) -> None:
    dtype, fill = case["dtype"], case["fill"]
    names = [f"matrix_model{at}" for at in range(2)]
    number = next(_sets)
    for name, records in zip(names, case["records"], strict=True):
        for key, bins in records.items():
            client.put(("test", name, f"{number}-{key}"), bins)
    wanted, columns = [], itertools.count()
    for which, keys, bins in case["groups"]:
        named = [(f"column{next(columns)}", (bin_name,)) for bin_name in bins]
        wanted.append((Keys("test", names[which], [f"{number}-{key}" for key in keys]), named))
    rows, width = len(case["groups"][0][1]), next(columns)
    expected = np.full((rows, width), fill, dtype)
    present = np.zeros((rows, width), bool)
    failed = 0
    codes = np.zeros((rows, len(wanted)), "i4")
    first = 0
    for group, (which, keys, bins) in enumerate(case["groups"]):
        for row, key in enumerate(keys):
            record = case["records"][which].get(key)
            codes[row, group] = 2 if record is None else 0
            for column, bin_name in enumerate(bins, first):
                value, there, wrong = cell((record or {}).get(bin_name), dtype)
                failed += wrong
                if there:
                    expected[row, column], present[row, column] = value, True
        first += len(bins)
    out = np.full((rows, width), 77, dtype) if case["out"] else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        features = client.read_matrix(wanted, dtype=dtype, fill=fill, errors="coerce", out=out)
    np.testing.assert_array_equal(features.matrix, expected)
    np.testing.assert_array_equal(features.present, present)
    np.testing.assert_array_equal(features.result_codes, codes)
    assert features.decode_errors == failed
    for which, keys, _ in case["groups"]:
        for key in keys:
            if key in case["records"][which]:
                client.remove(("test", names[which], f"{number}-{key}"))
                case["records"][which].pop(key)
