"""Results with nested dtypes, made from bits: presence, masks, conversions and messages are per leaf.

NumPy is the oracle: what a result says of a leaf is what NumPy says of a flat array of the leaves' values.
"""

from __future__ import annotations

import itertools
import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aerospike_py as aerospike
from aerospike_py._finish import finish_batch_read
from aerospike_py._leaves import leaves, nodes
from aerospike_py._pickled_keys import PickledKeys
from aerospike_py.numpy_batch import NumpyBatchRecords

DTYPE = np.dtype(
    [
        ("id", "i8"),
        ("features", [("driver", [("trips", "i4"), ("rating", "f4")]), ("tag", "S4"), ("v", "f4", (2,))]),
        ("last", "M8[s]"),
    ]
)
TRIPS, RATING, TAG, VECTOR = (
    "features.driver.trips",
    "features.driver.rating",
    "features.tag",
    "features.v",
)
NAMES = ["id", TRIPS, RATING, TAG, VECTOR, "last"]


def result(
    dtype: np.dtype[Any],
    records: Any,
    present: Any,
    changed: Any = None,
    failed: Any = None,
    inexact: dict[str, int] | None = None,
) -> NumpyBatchRecords:
    """A result with these rows; ``present``, ``changed`` and ``failed`` have a bool for each row and leaf."""
    records = np.array(records, dtype)
    count = len(records)
    meta = np.ones(count, [("gen", "u4"), ("ttl", "u4")])

    def bits(cells: Any) -> Any:
        return np.packbits(np.array(cells, bool).reshape(count, len(leaves(dtype))), axis=1)

    return NumpyBatchRecords(
        records,
        meta,
        np.zeros(count, "i4"),
        PickledKeys([f"k{row}" for row in range(count)], [("test", "s")], None, [], {}),
        bits(present),
        inexact or {},
        0 if failed is None else int(np.sum(failed)),
        None if changed is None else bits(changed),
        None if failed is None else bits(failed),
    )


@pytest.fixture
def batch() -> NumpyBatchRecords:
    """Two whole rows, and a third that lacks features.driver.trips, features.v and last."""
    rows = [
        (1, ((10, 4.5), b"ab", [1, 2]), 5),
        (2, ((20, 3.5), b"cd", [3, 4]), 6),
        (3, ((0, 2.5), b"ef", [0, 0]), 0),
    ]
    present = np.ones((3, 6), bool)
    present[2, [1, 4, 5]] = False
    changed = np.zeros((3, 6), bool)
    changed[0, 1] = changed[1, 3] = True
    failed = np.zeros((3, 6), bool)
    failed[2, 1] = True
    return result(DTYPE, rows, present, changed, failed, {TRIPS: 1, TAG: 1})


# ---------------------------------------------------------------- presence and masks


def test_presence_has_the_nesting_of_the_dtype(batch):
    present = batch.present
    assert present.dtype == np.dtype(
        [("id", "?"), ("features", [("driver", [("trips", "?"), ("rating", "?")]), ("tag", "?"), ("v", "?")]),
         ("last", "?")]
    )  # fmt: skip
    assert present["features"]["driver"]["trips"].tolist() == [True, True, False]
    assert present["features"]["driver"]["rating"].all()
    assert present[2].item() == (True, ((False, True), True, False), False)
    assert present is batch.present


def test_a_masked_array_is_masked_by_leaf(batch):
    masked = batch.masked
    assert np.shares_memory(masked.data, batch.batch_records)
    assert masked.mask.dtype == np.ma.make_mask_descr(DTYPE)
    assert masked["features"]["driver"]["trips"].tolist() == [10, 20, None]
    assert masked["features"]["v"].tolist() == [[1, 2], [3, 4], [None, None]]
    assert masked["features"]["driver"]["trips"].mean() == 15
    assert masked["last"].mask.tolist() == [False, False, True]


def test_what_numpy_cannot_do_with_nested_masks(batch):
    # The page docs/nested.md says so. If a test fails here, NumPy can do more.
    masked = batch.masked
    for operation in ("count", "compressed"):
        with pytest.raises(TypeError):
            getattr(masked, operation)()
    with pytest.raises(IndexError):
        masked.tolist()
    assert masked[2]["features"] is np.ma.masked
    assert masked["features"]["tag"][2] == b"ef"


def test_a_time_that_cannot_be_masked_is_named_with_dots():
    dtype = np.dtype([("a", [("at", "m8[25s]")])])
    with pytest.raises(TypeError, match=r"field 'a.at' has the dtype timedelta64\[25s\]"):
        _ = result(dtype, [((1,),)], [[True]]).masked


def test_masks_take_dotted_names_tuples_and_structs(batch):
    for name in (TRIPS, ("features", "driver", "trips")):
        assert batch.inexact_mask(name).tolist() == [True, False, False]
        assert batch.failed_mask(name).tolist() == [False, False, True]
    assert batch.inexact_mask("features").tolist() == [True, True, False]
    assert batch.inexact_mask("features.driver").tolist() == [True, False, False]
    assert batch.inexact_mask(("features", "driver")).tolist() == [True, False, False]
    assert batch.failed_mask("features").tolist() == [False, False, True]
    assert not batch.failed_mask("id").any()
    assert batch.failed_mask(("id",)).shape == (3,)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("features.drivr", "'features.drivr' is no field of the dtype; the nearest is 'features.driver'"),
        (("features", "driver", "trip"), "the nearest is 'features.driver.trips'"),
        ("x", f"'x' is no field of the dtype; the fields are {', '.join(NAMES)}"),
        ((), r"\(\) is no field"),
        (5, "5 is no field"),
    ],
)
def test_names_that_are_no_fields(batch, name, message):
    for mask in (batch.inexact_mask, batch.failed_mask):
        with pytest.raises(ValueError, match=message):
            mask(name)


def test_a_name_with_dots_may_fit_two_fields():
    dtype = np.dtype([("a.b", "i4"), ("a", [("b", [("c", "i4")])])])
    batch = result(dtype, [(1, ((2,),))], [[True, True]], changed=[[True, False]])
    with pytest.raises(
        ValueError, match=r"'a.b' is the name of several fields; pass \('a.b',\) or \('a', 'b'\)"
    ):
        batch.inexact_mask("a.b")
    assert batch.inexact_mask(("a.b",)).tolist() == [True]
    assert batch.inexact_mask(("a", "b")).tolist() == [False]
    assert batch.inexact_mask("a.b.c").tolist() == [False]


def test_a_flat_field_may_have_dots_in_its_name():
    batch = result(np.dtype([("a.b", "i4")]), [(1,)], [[True]], changed=[[True]])
    assert batch.inexact_mask("a.b").all()
    assert batch.filled({"a.b": 3})["a.b"].tolist() == [1]


# ---------------------------------------------------------------- filled


def test_missing_values_of_structs_are_filled(batch):
    filled = batch.filled({TRIPS: -1, ("features", "v"): np.nan})
    assert filled["features"]["driver"]["trips"].tolist() == [10, 20, -1]
    np.testing.assert_array_equal(filled["features"]["v"][2], [np.nan, np.nan])
    assert filled["last"][2] == np.datetime64(0, "s")
    assert filled.dtype == DTYPE
    assert batch["features"]["driver"]["trips"][2] == 0
    for value in (
        {"features": {"driver": {"trips": 7}, "v": [8, 9]}},
        {"features": {"driver.trips": 7, "v": (8, 9)}},
        {"features": ((7, 0.5), b"?", [8, 9])},
        {"features": np.array([((7, 0.5), b"?", [8, 9])], DTYPE["features"])[0]},
        # A field's own value counts more than that of its struct, in any order.
        {"features.v": [8, 9], "features": 7},
        {"features": 7, ("features", "v"): [8, 9]},
    ):
        filled = batch.filled(value)
        assert filled["features"]["driver"].tolist() == [(10, 4.5), (20, 3.5), (7, 2.5)]
        assert filled["features"]["v"].tolist() == [[1, 2], [3, 4], [8, 9]]
    whole = (0, ((7, 0.5), b"?", [8, 9]), np.datetime64(3, "s"))
    for value in (whole, np.array([whole], DTYPE)[0]):
        filled = batch.filled(value)
        np.testing.assert_array_equal(filled[2:], np.array([(3, ((7, 2.5), b"ef", [8, 9]), 3)], DTYPE))
        assert filled["last"].astype("i8").tolist() == [5, 6, 3]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"features": {"drivr": 1}}, "'drivr' is no field of 'features'; the nearest is 'driver'"),
        ({"features": {"driver": {"x": 1}}}, "no field of 'features.driver'; the fields are trips, rating"),
        (
            {"features": (1, 2)},
            "fill_value of 'features' has 2 values; it must have one for each of the 3 fields",
        ),
        ((1, 2), "fill_value has 2 values; it must have one for each of the 3 fields"),
        ({TRIPS: 1 << 40}, "does not fit the field 'features.driver.trips' .int32.; pass a dict"),
        ({"features": "x"}, "'x' does not fit the field 'features.driver.trips'"),
    ],
)
def test_fill_values_that_are_refused(batch, value, message):
    with pytest.raises(ValueError, match=message):
        batch.filled(value)


# ---------------------------------------------------------------- other objects


def test_a_frame_has_a_column_for_each_leaf(batch):
    frame = batch.to_pandas()
    assert list(frame.columns) == [*NAMES, "gen", "ttl", "result_code"]
    assert frame[TRIPS].dtype == "Int32"
    assert frame[TRIPS].tolist()[:2] == [10, 20]
    assert frame[TRIPS].isna().tolist() == [False, False, True]
    assert frame[RATING].dtype == np.float32
    assert frame[TAG].tolist() == [b"ab", b"cd", b"ef"]
    assert frame[VECTOR].iloc[1].tolist() == [3, 4]
    assert frame["last"].isna().tolist() == [False, False, True]
    # A leaf cannot have the name of a column with metadata, because it has a dot.
    inner = result(np.dtype([("a", [("gen", "i4")])]), [((1,),)], [[True]])
    assert list(inner.to_pandas().columns) == ["a.gen", "gen", "ttl", "result_code"]
    outer = result(np.dtype([("gen", [("a", "i4")]), ("ttl", "i4")]), [((1,), 2)], [[True] * 2])
    with pytest.raises(ValueError, match="field 'ttl' has the name of a column with metadata"):
        outer.to_pandas()


def test_html_has_a_column_for_each_leaf(batch):
    html = batch._repr_html_()
    assert f"<th>key</th>{''.join(f'<th>{name}</th>' for name in NAMES)}<th>result_code</th>" in html
    assert (
        "<td>&#x27;k2&#x27;</td><td>3</td><td>-</td><td>2.5</td><td>b&#x27;ef&#x27;</td><td>-</td><td>-</td><td>0</td>"
        in html
    )
    wide = np.dtype([(f"s{outer}", [(f"f{inner}", "i1") for inner in range(10)]) for outer in range(3)])
    html = result(wide, np.zeros(1, wide), np.ones((1, 30)))._repr_html_()
    assert html.count("<th>") == 23
    assert "<th>s1.f9</th><th>…</th><th>result_code</th>" in html


def test_reprs_name_leaves(batch):
    assert repr(batch) == (
        "<NumpyBatchRecords 3 rows, 3 found, inexact={'features.driver.trips': 1, 'features.tag': 1}, "
        f"decode_errors=1, dtype={DTYPE}>"
    )


def test_it_pickles(batch):
    again = pickle.loads(pickle.dumps(batch))  # noqa: S301
    assert (again.present == batch.present).all()
    assert again.inexact_mask("features").tolist() == [True, True, False]


# ---------------------------------------------------------------- messages


def texts(batch: Any, *args: Any, **options: Any) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        finish_batch_read(batch, *args, **options)
    assert all(warning.message.batch is batch for warning in caught)  # type: ignore[union-attr]
    return [str(warning.message) for warning in caught]


def test_changed_values_are_named_by_leaf(batch):
    (text,) = texts(batch, [], [], [], None)
    assert text.startswith(f"values changed to fit their fields ({TRIPS}, {TAG})")


@pytest.mark.parametrize(
    ("missing", "unmatched", "paths", "expected"),
    [
        (["last"], ["lost"], None, "the bin 'last' (the nearest bin is 'lost')"),
        (
            ["features"],
            ["feature"],
            None,
            f"a value for the field 'features' ({TRIPS}, {RATING}, {TAG}, {VECTOR}) "
            "(the nearest bin is 'feature')",
        ),
        ([TAG], ["x"], None, "a value for the field 'features.tag'"),
        (
            ["id", TRIPS, RATING],
            [],
            None,
            f"the bin 'id', or a value for the field 'features.driver' ({TRIPS}, {RATING})",
        ),
        (
            [TRIPS, RATING, TAG, VECTOR],
            [],
            None,
            f"a value for the field 'features' ({TRIPS}, {RATING}, {TAG}, {VECTOR})",
        ),
        (["last"], ["when"], {"last": "wen"}, "the bin 'wen' (the nearest bin is 'when')"),
        (
            ["last", "id"],
            [],
            {"last": ("a", -1), "id": ("a", "x", 0)},
            "a value for the fields 'id' (bin 'a' at ['x'][0]), 'last' (bin 'a' at [-1])",
        ),
    ],
)
def test_what_no_record_has_is_named(missing, unmatched, paths, expected):
    batch = result(DTYPE, np.zeros(1, DTYPE), np.zeros((1, 6)))
    (text,) = texts(batch, [], missing, unmatched, None, paths)
    checked = "names of fields and sets" + (", and paths" if paths else "")
    assert text == (
        f"no record that was found has {expected}; check the {checked}, "
        "or ignore MissingFieldWarning if the bins are optional"
    )


@pytest.mark.parametrize(
    ("field", "paths", "expected"),
    [
        ("id", None, "bin 'id' (string) into field 'id' (<i8)"),
        ("id", {"id": "key"}, "bin 'key' (string) into field 'id' (<i8)"),
        ("features", None, "bin 'features' (string) into field 'features' (a struct of 3 fields)"),
        (
            TRIPS,
            None,
            "bin 'features' at ['driver']['trips'] (string) into field 'features.driver.trips' (<i4)",
        ),
        (
            TRIPS,
            {"features": ("all", 7, b"x", -1)},
            "bin 'all' at [7][b'x'][-1]['driver']['trips'] (string) into field 'features.driver.trips' (<i4)",
        ),
        (VECTOR, None, "bin 'features' at ['v'] (string) into field 'features.v' (<f4[2])"),
    ],
)
def test_values_that_do_not_fit_are_named(field, paths, expected):
    batch = result(DTYPE, np.zeros(1, DTYPE), np.zeros((1, 6)), failed=[[True] + [False] * 5])
    with pytest.raises(aerospike.BatchDecodeError) as caught:
        finish_batch_read(batch, [], [], [], [(0, field, "string", "it is no number")], paths)
    assert caught.value.failures == [(0, "k0", field, "it is no number")]
    assert caught.value.msg.startswith(
        f"1 value does not fit the dtype: key 'k0', {expected}: it is no number. The other"
    )


# ---------------------------------------------------------------- any dtype, any bits

ELEMENTS = st.sampled_from(
    ["i1", ">i4", "u2", "f4", "f8", "?", "S3", "V2", "M8[s]", ("f4", (2,)), ("i2", (1, 3))]
)
FIELD_NAMES = st.sampled_from(["a", "b", "c.d", "über", "long name of a field"])


def dtypes(inner: Any) -> Any:
    fields = st.dictionaries(FIELD_NAMES, inner, min_size=1, max_size=3)
    return st.tuples(fields, st.booleans()).map(
        lambda drawn: np.dtype([(name, field) for name, field in drawn[0].items()], align=drawn[1])
    )


@st.composite
def results_of_any_dtype(draw):
    dtype = draw(dtypes(st.recursive(ELEMENTS, dtypes, max_leaves=8)))
    fields = leaves(dtype)
    rows = draw(st.integers(0, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    present, changed, failed = (rng.random((rows, len(fields))) < 0.5 for _ in range(3))
    records = np.zeros(rows, dtype)
    for column, leaf in enumerate(fields):
        # Not every byte is a bool or a number to compare; 1 is.
        leaf.in_array(records)[present[:, column]] = np.ones((), "i1").astype(leaf.dtype.base)
    return result(dtype, records, present, changed, failed), present, changed, failed


@given(drawn=results_of_any_dtype())
def test_each_leaf_is_as_a_flat_field(drawn):
    batch, present, changed, failed = drawn
    fields = leaves(batch.batch_records.dtype)
    # The same leaves in a flat array: what NumPy does there must happen here.
    flat = np.zeros(len(batch), [(f"f{column}", leaf.dtype) for column, leaf in enumerate(fields)])
    mask = np.zeros(len(batch), np.ma.make_mask_descr(flat.dtype))
    for column, leaf in enumerate(fields):
        flat[f"f{column}"] = leaf.in_array(batch.batch_records)
        inner = mask[f"f{column}"]
        inner[...] = ~present[:, column].reshape(-1, *[1] * (inner.ndim - 1))
    expected = np.ma.MaskedArray(flat, mask)
    empty = {leaf.path: b"" if leaf.dtype.kind in "SV" and not leaf.dtype.shape else 0 for leaf in fields}
    masked, filled = batch.masked, batch.filled(empty)
    np.testing.assert_array_equal(masked.data, batch.batch_records)
    for column, leaf in enumerate(fields):
        np.testing.assert_array_equal(leaf.in_array(batch.present), present[:, column])
        np.testing.assert_array_equal(leaf.in_array(masked.mask), expected.mask[f"f{column}"])
        np.testing.assert_array_equal(leaf.in_array(filled), expected[f"f{column}"].data)
        np.testing.assert_array_equal(batch.inexact_mask(leaf.path), changed[:, column])
        np.testing.assert_array_equal(batch.failed_mask(leaf.path), failed[:, column])
    for node in nodes(batch.batch_records.dtype):
        below = [leaf.path[: len(node.path)] == node.path for leaf in fields]
        np.testing.assert_array_equal(batch.inexact_mask(node.path), changed[:, below].any(axis=1))
    assert [leaf.path for leaf in fields] == flattened(batch.batch_records.dtype)


def flattened(dtype: np.dtype[Any], above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The paths of leaves, by NumPy's own description of the dtype."""
    if dtype.fields is None:
        return [above]
    return list(
        itertools.chain.from_iterable(
            flattened(dtype.fields[name][0], (*above, name)) for name in dtype.names or ()
        )
    )


@given(drawn=results_of_any_dtype())
def test_frames_and_html_of_any_dtype(drawn):
    batch, present, *_ = drawn
    fields = leaves(batch.batch_records.dtype)
    if len({leaf.name for leaf in fields}) < len(fields):
        return  # the extension refuses such a dtype
    frame = batch.to_pandas()
    assert list(frame.columns) == [*(leaf.name for leaf in fields), "gen", "ttl", "result_code"]
    for column, leaf in enumerate(fields):
        np.testing.assert_array_equal(frame[leaf.name].notna(), present[:, column])
    assert batch._repr_html_().count("<tr>") == 1 + len(batch)
