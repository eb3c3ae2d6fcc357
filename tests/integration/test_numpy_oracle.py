"""Any dtype and any values: each cell is what NumPy's own cast gives, and each loss is reported.

The oracle is `numpy.astype` wherever its result does not depend on the platform, plus one rule for when a
value has changed; it shares nothing with the decoder.
"""

import math
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import aerospike_py as aerospike
from aerospike_py import MissingFieldWarning

pytestmark = pytest.mark.filterwarnings("ignore:values changed to fit:RuntimeWarning")

RELAXED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]

INTS = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]
FLOATS = ["f2", "f4", "f8"]
NUMBERS = [*INTS, *FLOATS, "?"]
TIMES = ["M8[s]", "M8[D]", "M8[25us]", "m8[ms]", "m8[Y]", "M8", "m8"]

EDGES = [
    *(edge + step for edge in (0, 2**7, 2**8, 2**15, 2**16, 2**31, 2**32, 2**53) for step in (-1, 0, 1)),
    *(-edge - step for edge in (2**7, 2**15, 2**31, 2**53) for step in (-1, 0, 1)),
    2**63 - 1,
    2**63 - 513,
    -(2**63),
    65_503,
    65_504,
    65_519,
    65_520,
    2**24 + 1,
]
ints = st.one_of(st.sampled_from(EDGES), st.integers(-(2**63), 2**63 - 1), st.integers(-300, 300))
floats = st.one_of(
    st.sampled_from(
        [float(edge) for edge in EDGES] + [0.5, -0.5, -0.0, 255.5, -128.9, 2.0**63, 2.0**64, -1.0]
    ),
    st.sampled_from(
        [math.inf, -math.inf, math.nan, 5e-324, 6e-8, 2.9802322387695312e-08, 1e-45, 3.4028236e38]
    ),
    st.floats(),
    st.floats(width=16),
)
texts = st.one_of(st.sampled_from(["", "é", "日本", "abc", "12345678"]), st.text(max_size=12))
blobs = st.one_of(st.sampled_from([b"", b"\x00", b"a\x00", bytes(8)]), st.binary(max_size=12))
numbers = st.one_of(ints, floats, st.booleans())
scalars = st.one_of(numbers, texts, blobs)


@st.composite
def fields(draw: Any) -> tuple[str, tuple[int, ...]]:
    kind = draw(st.sampled_from(["number", "number", "time", "bytes", "sub-array"]))
    order = draw(st.sampled_from(["<", ">"]))
    if kind == "time":
        return order + draw(st.sampled_from(TIMES)), ()
    if kind == "bytes":
        return draw(st.sampled_from("SV")) + str(draw(st.integers(1, 9))), ()
    code = draw(st.sampled_from(NUMBERS))
    code = code if code == "?" else order + code
    if kind == "number":
        return code, ()
    return code, draw(st.sampled_from([(1,), (3,), (2, 2), (2, 1, 3)]))


@st.composite
def dtypes(draw: Any) -> np.dtype[Any]:
    """Fields in any order of offsets, with padding, alignment and titles."""
    chosen = draw(st.lists(fields(), min_size=1, max_size=5))
    names = [f"bin{i}" for i in range(len(chosen))]
    formats = [np.dtype((code, shape)) if shape else np.dtype(code) for code, shape in chosen]
    layout = draw(st.sampled_from(["packed", "aligned", "spread", "titled"]))
    if layout == "titled":
        return np.dtype(
            [((f"title of {name}", name), code) for name, code in zip(names, formats, strict=True)]
        )
    if layout in ("packed", "aligned"):
        return np.dtype(list(zip(names, formats, strict=True)), align=layout == "aligned")
    order = draw(st.permutations(range(len(chosen))))
    offsets, end = [0] * len(chosen), 0
    for i in order:
        end += draw(st.integers(0, 5))
        offsets[i] = end
        end += formats[i].itemsize
    itemsize = end + draw(st.integers(0, 5))
    return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": itemsize})


def nested(draw: Any, shape: tuple[int, ...], leaves: Any) -> Any:
    if not shape:
        return draw(leaves)
    return [nested(draw, shape[1:], leaves) for _ in range(shape[0])]


@st.composite
def values(draw: Any, dtype: np.dtype[Any]) -> Any:
    """Mostly values that the field takes, sometimes any value."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.one_of(scalars, st.lists(scalars, max_size=3)))
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        if draw(st.booleans()):
            return draw(st.binary(min_size=dtype.itemsize, max_size=dtype.itemsize))
        return nested(draw, shape, st.one_of(ints, st.booleans()) if base.kind == "b" else numbers)
    if dtype.kind in "SV":
        return draw(st.one_of(texts, blobs))
    if dtype.kind in "Mm":
        return draw(ints)
    return draw(st.one_of(ints, st.booleans()) if dtype.kind == "b" else numbers)


@st.composite
def batches(draw: Any) -> tuple[np.dtype[Any], list[dict[str, Any]]]:
    dtype = draw(dtypes())
    names = dtype.names or ()
    rows = draw(st.integers(1, 4))
    records = []
    for _ in range(rows):
        present = [name for name in names if draw(st.integers(0, 4))]
        records.append({name: draw(values(dtype[name])) for name in present})
    return dtype, records


class RefusedError(Exception):
    """The field does not take the value."""


def cast_number(value: Any, dtype: np.dtype[Any]) -> tuple[Any, int]:
    """The scalar that NumPy makes of a number, and whether the value has changed."""
    kind = dtype.kind
    if kind == "b":
        if isinstance(value, float):
            raise RefusedError
        return np.bool_(value), 0
    if kind in "Mm":
        if isinstance(value, (bool, float)):
            raise RefusedError
        return np.array(value, "i8").astype(dtype.newbyteorder("=")).astype(dtype)[()], 0
    source = np.array(value, "f8" if isinstance(value, float) else "i8")
    if kind in "iu" and isinstance(value, float):
        info = np.iinfo(dtype)
        if not math.isfinite(value) or not info.min <= math.trunc(value) <= info.max:
            raise RefusedError
        # In range: NumPy truncates, as Python does.
        whole = math.trunc(value)
        return np.array(whole, dtype)[()], int(whole != value)
    with np.errstate(all="ignore"):
        cast = source.astype(dtype)[()]
    if kind in "iu":
        return cast, int(int(cast) != value)
    if isinstance(value, float):
        return cast, int(math.isinf(cast) and not math.isinf(value))
    return cast, int(math.isinf(cast) or int(cast) != value)


def cast_list(value: Any, base: np.dtype[Any], shape: tuple[int, ...]) -> tuple[Any, int]:
    cells = np.zeros(shape, base)
    changed = 0

    def fill(value: Any, place: tuple[int, ...]) -> None:
        nonlocal changed
        if len(place) == len(shape):
            if not isinstance(value, (int, float)):
                raise RefusedError
            cells[place], one = cast_number(value, base)
            changed += one
            return
        if not isinstance(value, list) or len(value) != shape[len(place)]:
            raise RefusedError
        for index, item in enumerate(value):
            fill(item, (*place, index))

    fill(value, ())
    return cells, changed


def expected_cell(value: Any, dtype: np.dtype[Any]) -> tuple[Any, int]:
    """What the field holds and how many values changed. Raises RefusedError if it does not take the value."""
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        if isinstance(value, bytes):
            if len(value) != dtype.itemsize:
                raise RefusedError
            return np.frombuffer(value, base).reshape(shape), 0
        return cast_list(value, base, shape)
    if dtype.kind in "SV":
        if not isinstance(value, (str, bytes)):
            raise RefusedError
        raw = value.encode() if isinstance(value, str) else value
        return np.frombuffer(raw[: dtype.itemsize].ljust(dtype.itemsize, b"\x00"), dtype)[0], int(
            len(raw) > dtype.itemsize
        )
    if not isinstance(value, (int, float)):
        raise RefusedError
    return cast_number(value, dtype)


def model(dtype: np.dtype[Any], records: list[dict[str, Any]]) -> Any:
    """The array, presence, changes and failures that reading these records must give."""
    array = np.zeros(len(records), dtype)
    present = {name: [False] * len(records) for name in dtype.names or ()}
    changes: dict[str, int] = {}
    failures = set()
    for row, record in enumerate(records):
        for name, value in record.items():
            try:
                cell, changed = expected_cell(value, dtype[name])
            except RefusedError:
                failures.add((row, name))
                continue
            array[name][row] = cell
            present[name][row] = True
            if changed:
                changes[name] = changes.get(name, 0) + changed
    return array, present, changes, failures


def bits_of(array: Any, name: str, row: int) -> bytes:
    cell = np.ascontiguousarray(array[name][row : row + 1])  # a slice: a scalar of S drops its trailing zeros
    if cell.dtype.kind == "f":
        # All NaNs count as one value: which one a cast gives depends on the platform.
        cell = np.where(np.isnan(cell), np.array(np.nan, cell.dtype), cell).astype(cell.dtype)
    return cell.tobytes()


FLOAT_EDGE = (np.dtype([("bin0", "<f2"), ("bin1", ">i8")]), [{"bin0": 65_520, "bin1": 2.0**63}])


@settings(suppress_health_check=RELAXED)
@given(batches())
@example(FLOAT_EDGE)
def test_every_cell_is_what_numpy_makes_of_the_value(client, fresh_set, batch):
    dtype, records = batch
    array, present, changes, failures = model(dtype, records)
    keys = [("test", fresh_set, row) for row in range(len(records))]
    for key, record in zip(keys, records, strict=True):
        client.put(key, {**record, "unread": 1}, policy={"exists": aerospike.POLICY_EXISTS_CREATE_OR_REPLACE})
    guard = np.zeros(len(records), dtype)
    guard.view("u1").fill(0xA5)
    before = guard.tobytes()
    read = client.batch_read(keys, _dtype=dtype, errors="coerce")
    filled = client.batch_read(keys, _dtype=dtype, errors="coerce", out=guard)

    assert (read.result_codes == 0).all()
    for name in dtype.names or ():
        assert read.present[name].tolist() == present[name], name
        for row in range(len(records)):
            assert bits_of(read.batch_records, name, row) == bits_of(array, name, row), (name, row)
            assert bits_of(filled.batch_records, name, row) == bits_of(array, name, row), (name, row)
    assert read.inexact == filled.inexact == changes
    assert read.decode_errors == len(failures)
    untouched = np.ones(dtype.itemsize, bool)
    for name in dtype.names or ():
        offset = (dtype.fields or {})[name][1]
        untouched[offset : offset + dtype[name].itemsize] = False
    after = np.frombuffer(guard.tobytes(), "u1").reshape(len(records), -1)
    assert (after[:, untouched] == np.frombuffer(before, "u1").reshape(len(records), -1)[:, untouched]).all()

    if failures:
        with pytest.raises(aerospike.BatchDecodeError) as caught:
            client.batch_read(keys, _dtype=dtype)
        assert {(row, field) for row, _, field, _ in caught.value.failures} == failures
        assert all(key == keys[row][2] for row, key, _, _ in caught.value.failures)


@settings(suppress_health_check=RELAXED)
@given(batches())
def test_same_value_takes_only_what_does_not_change(client, fresh_set, batch):
    dtype, records = batch
    array, present, _, failures = model(dtype, records)
    keys = [("test", fresh_set, row) for row in range(len(records))]
    for key, record in zip(keys, records, strict=True):
        client.put(key, {**record, "unread": 1}, policy={"exists": aerospike.POLICY_EXISTS_CREATE_OR_REPLACE})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", MissingFieldWarning)  # records may lack a bin
        strict = client.batch_read(keys, _dtype=dtype, errors="coerce", casting="same_value")
    assert strict.inexact == {}
    for name in dtype.names or ():
        for row, record in enumerate(records):
            kept = bool(strict.present[name][row])
            if (row, name) in failures or not present[name][row]:
                assert not kept
            elif kept:
                assert bits_of(strict.batch_records, name, row) == bits_of(array, name, row)
            if name in record and present[name][row]:
                assert kept == holds(record[name], array[name][row], dtype[name]), (name, row, record[name])


def holds(value: Any, cell: Any, dtype: np.dtype[Any]) -> bool:
    """Whether the cell holds exactly that value; bytes that fit pass."""
    if isinstance(value, (str, bytes)):
        raw = value.encode() if isinstance(value, str) else value
        return len(raw) <= dtype.itemsize
    if isinstance(value, list):
        return all(holds(item, cell[index], dtype.base) for index, item in enumerate(value))
    if cell.dtype.kind in "bMm":
        return True
    if isinstance(value, float) and math.isnan(value):
        return bool(np.isnan(cell))
    if cell.dtype.kind == "f":
        return bool(np.isfinite(cell) or isinstance(value, float)) and float(cell) == value
    return bool(int(cell) == value)
