"""Every cell of docs/element-table.md: each example is written to a node and read back."""

import math

import numpy as np
import pytest

from scripts.element_table import document
from tests.support import ROOT
from tests.support.element_table import BINS, REFUSED, ROWS, JavaBlob
from tests.support.records import put_as_it_is

EXAMPLES = [
    pytest.param(example, id=f"{row.dtype}-{bin_type}-{number}")
    for row in ROWS
    for bin_type in BINS
    for number, example in enumerate(row.cell(bin_type).examples)
]


def plain(cell):
    """A cell of an array as Python objects: counts of times, bytes of S and V."""
    if cell.dtype.names:
        return tuple(plain(np.asarray(cell[name])) for name in cell.dtype.names)
    if cell.dtype.kind in "Mm":
        return int(cell.view("i8"))
    if cell.dtype.kind == "V":
        return cell.tobytes()
    return cell.tolist()


def flags(present):
    """Whether each leaf of a field is present."""
    names = present.dtype.names
    return [bool(present)] if names is None else [flag for name in names for flag in flags(present[name])]


@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.filterwarnings("ignore:values changed to fit:RuntimeWarning")
def test_an_example(client, config, fresh_set, example):
    key = ("test", fresh_set, "k")
    client.put(key, {"x": example.value, "other": 1})
    if isinstance(example.value, JavaBlob):
        put_as_it_is(config["hosts"][0], key, b"x", example.value, JavaBlob.PARTICLE_TYPE)
    dtype = np.dtype([("other", "i1"), ("x", example.dtype)])
    batch = client.batch_read([key], _dtype=dtype, errors="coerce")
    strict = client.batch_read([key], _dtype=dtype, errors="coerce", casting="same_value")
    assert batch.batch_records["other"][0] == 1
    if example.cell == REFUSED:
        assert batch.decode_errors == 1
        assert not any(flags(batch.present["x"][0]))
        assert batch.batch_records["x"].tobytes() == bytes(dtype["x"].itemsize)
        return
    assert batch.decode_errors == 0
    assert all(flags(batch.present["x"][0]))
    cell = plain(batch.batch_records["x"][0])
    if isinstance(cell, float):
        assert math.copysign(1, cell) == math.copysign(1, example.cell) or math.isnan(cell)
    np.testing.assert_equal(cell, example.cell)
    assert bool(batch.inexact) == example.changed
    if example.changed:
        assert strict.decode_errors == 1
        assert not all(flags(strict.present["x"][0]))


def test_every_field_meets_every_bin_type():
    assert {row.name for row in ROWS} >= {"`?`", "`S<n>`", "`V<n>`", "sub-array"}
    for row in ROWS:
        assert set(row.takes) <= set(BINS)
        for bin_type in BINS:
            assert row.cell(bin_type).examples


def test_a_missing_and_a_nil_bin_leave_zeros(client, fresh_set):
    dtype = np.dtype([(f"f{number}", row.dtype) for number, row in enumerate(ROWS)])
    key = ("test", fresh_set, "k")
    client.put(key, {"other": 1})
    batch = client.batch_read([key], _dtype=dtype)
    assert batch.batch_records.tobytes() == bytes(dtype.itemsize)
    assert not any(flags(batch.present[0]))


def test_the_documented_table_is_this_one():
    written = (ROOT / "docs" / "element-table.md").read_text(encoding="utf-8")
    assert written == document(), "run: python -m scripts.element_table"
