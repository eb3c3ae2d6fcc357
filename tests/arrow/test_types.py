"""Every type of column takes what its line of the type table says, with pyarrow as the oracle."""

from __future__ import annotations

import itertools
import struct
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import aerospike_py as aerospike

pytest.importorskip("pyarrow")

# Examples without any value.
pytestmark = pytest.mark.filterwarnings("ignore::aerospike_py.MissingFieldWarning")

I64 = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
BYTES = st.binary(max_size=40)


def _floats(width: int) -> st.SearchStrategy[float]:
    return st.floats(width=width, allow_nan=False)  # type: ignore[arg-type]


def _ints(bits: int) -> st.SearchStrategy[int]:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _uints(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, min(2**bits, 2**63) - 1)


def _utf8_values(values: st.SearchStrategy[Any], size: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(values | st.none(), max_size=size)


#: Type, and the values that come back as they were written.
TYPES: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "bool": (pa.bool_(), st.booleans()),
    **{f"int{bits}": (getattr(pa, f"int{bits}")(), _ints(bits)) for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": (getattr(pa, f"uint{bits}")(), _uints(bits)) for bits in (8, 16, 32, 64)},
    **{f"float{width}": (getattr(pa, f"float{width}")(), _floats(width)) for width in (16, 32, 64)},
    "utf8": (pa.string(), TEXT),
    "large_utf8": (pa.large_string(), TEXT),
    "utf8_view": (pa.string_view(), TEXT),
    "dictionary<int32, utf8>": (pa.dictionary(pa.int32(), pa.string()), st.sampled_from(["a", "b", "", "ü"])),
    "dictionary<uint8, large_utf8>": (
        pa.dictionary(pa.uint8(), pa.large_string()),
        st.sampled_from(["x", "y"]),
    ),
    "binary": (pa.binary(), BYTES),
    "large_binary": (pa.large_binary(), BYTES),
    "binary_view": (pa.binary_view(), BYTES),
    "fixed_size_binary[3]": (pa.binary(3), st.binary(min_size=3, max_size=3)),
    "list<int64>": (pa.list_(pa.int64()), _utf8_values(I64, 9)),
    "list<float64>": (pa.list_(pa.float64()), _utf8_values(_floats(64), 9)),
    "list<float32>": (pa.list_(pa.float32()), st.lists(_floats(32), max_size=30)),
    "large_list<utf8>": (pa.large_list(pa.string()), _utf8_values(TEXT, 5)),
    "list<list<binary>>": (pa.list_(pa.list_(pa.binary())), _utf8_values(_utf8_values(BYTES, 3), 3)),
    "fixed_size_list<int16>[2]": (
        pa.list_(pa.int16(), 2),
        st.lists(_ints(16) | st.none(), min_size=2, max_size=2),
    ),
    "struct<a: int64, b: utf8>": (
        pa.struct([("a", pa.int64()), ("b", pa.string())]),
        st.fixed_dictionaries({"a": I64 | st.none(), "b": TEXT | st.none()}),
    ),
    "list<struct<a: bool>>": (
        pa.list_(pa.struct([("a", pa.bool_())])),
        st.lists(st.fixed_dictionaries({"a": st.booleans() | st.none()}), max_size=4),
    ),
    "map<utf8, int64>": (
        pa.map_(pa.string(), pa.int64()),
        st.dictionaries(TEXT, I64 | st.none(), max_size=4).map(lambda pairs: sorted(pairs.items())),
    ),
    "map<int64, list<utf8>>": (
        pa.map_(pa.int64(), pa.list_(pa.string())),
        st.dictionaries(I64, _utf8_values(TEXT, 3), max_size=3).map(lambda pairs: sorted(pairs.items())),
    ),
}
#: Types of times, which are stored as counts.
TIMES = {
    "date32": (pa.date32(), _ints(32)),
    "date64": (pa.date64(), I64),
    "time32[s]": (pa.time32("s"), _ints(32)),
    "time32[ms]": (pa.time32("ms"), _ints(32)),
    "time64[us]": (pa.time64("us"), I64),
    "time64[ns]": (pa.time64("ns"), I64),
    **{f"timestamp[{unit}]": (pa.timestamp(unit), I64) for unit in ("s", "ms", "us", "ns")},
    **{f"duration[{unit}]": (pa.duration(unit), I64) for unit in ("s", "ms", "us", "ns")},
    "timestamp[ms, tz=Europe/Berlin]": (pa.timestamp("ms", "Europe/Berlin"), I64),
}


def _bin(kind: pa.DataType, value: Any) -> Any:
    """A value as a bin."""
    if isinstance(value, list) and pa.types.is_map(kind):
        return dict(value)
    return value


def _write(client: Any, set_: str, kind: pa.DataType, values: list[Any]) -> list[tuple[str, str, int]]:
    # New keys for each example: a bin that is left out would keep the value of an earlier one.
    keys = [("test", set_, next(_NUMBERS)) for _ in values]
    for key, value in zip(keys, values, strict=True):
        client.put(key, {"there": 1} | ({} if value is None else {"v": _bin(kind, value)}))
    return keys


def _counts(array: pa.ChunkedArray) -> list[Any]:
    """The stored counts of times."""
    width = array.type.bit_width
    return [
        None if value is None else value
        for chunk in array.chunks
        for value in chunk.view(pa.int32() if width == 32 else pa.int64()).to_pylist()
    ]


_NUMBERS = itertools.count()
_SLOW = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("name", TYPES)
@given(data=st.data())
@_SLOW
def test_values_come_back(client: Any, fresh_set: str, name: str, data: st.DataObject) -> None:
    kind, strategy = TYPES[name]
    values = data.draw(st.lists(strategy | st.none(), min_size=1, max_size=6))
    keys = _write(client, fresh_set, kind, values)
    expected = pa.chunked_array([pa.array(values, kind)])
    for schema in ({"v": name}, pa.schema([("v", kind)]), {"v": kind}):
        records = client.batch_read_arrow(keys, schema)
        table = records.to_pyarrow()
        table.validate(full=True)
        assert table.schema.field("v").type == kind
        assert table["v"].to_pylist() == expected.to_pylist()
        assert (records.decode_errors, len(records)) == (0, len(values))


@pytest.mark.parametrize("name", TIMES)
@given(data=st.data())
@_SLOW
def test_times_are_counts(client: Any, fresh_set: str, name: str, data: st.DataObject) -> None:
    kind, strategy = TIMES[name]
    values = data.draw(st.lists(strategy | st.none(), min_size=1, max_size=6))
    keys = _write(client, fresh_set, kind, values)
    table = client.batch_read_arrow(keys, {"v": name}).to_pyarrow()
    assert table.schema.field("v").type == kind
    assert _counts(table["v"]) == values


#: Type, value, and what the error says.
MISFITS = [
    ("int8", 128, "would change to fit"),
    ("uint64", -1, "would change to fit"),
    ("int64", 0.5, "would change to fit"),
    ("int64", "7", "the column takes integers, floats and bools"),
    ("float32", 0.1, "would change to fit"),
    ("float64", 2**53 + 1, "would change to fit"),
    ("bool", 0.0, "bools and integers"),
    ("utf8", 7, "strings and GeoJSON"),
    ("utf8", b"ab", "strings and GeoJSON"),
    ("binary", 7, "blobs, strings and HLL"),
    ("fixed_size_binary[2]", b"abc", "it has 3 bytes, and the column exactly 2"),
    ("timestamp[ms]", 1.5, "integers"),
    ("date32", 2**40, "outside the range of the column"),
    ("list<int64>", 7, "lists"),
    ("list<int64>", [1, "x"], "element 1 (string)"),
    ("list<list<int64>>", [[1], [2, None, "x"]], "element 1 (list): element 2 (string)"),
    ("fixed_size_list<int64>[2]", [1], "the list has 1 elements"),
    ("fixed_size_list<int64>[2]", b"abc", "it has 3 bytes, and the column exactly 16"),
    ("struct<a: int64>", [1], "maps"),
    ("map<utf8, int64>", {1: 1}, "the key of pair 0 (integer)"),
    ("map<utf8, int64>", {"a": "b"}, "the value of pair 0 (string)"),
    ("list<struct<a: int64>>", [{"a": "b"}], "field 'v.a' (string)"),
    ("dictionary<int8, utf8>", 1, "strings and GeoJSON"),
]


@pytest.mark.parametrize(("kind", "value", "says"), MISFITS)
def test_what_does_not_fit_is_an_error(client: Any, fresh_set: str, kind: str, value: Any, says: str) -> None:
    keys = [("test", fresh_set, row) for row in range(2)]
    client.put(keys[1], {"v": value, "w": 5})
    with pytest.raises(aerospike.exception.BatchDecodeError) as raised:
        client.batch_read_arrow(keys, {"v": kind, "w": "int64"})
    assert says in str(raised.value)
    assert "key 1, bin 'v'" in str(raised.value)
    batch = raised.value.batch
    assert (batch.decode_errors, raised.value.count) == (1, 1)
    assert batch.to_pyarrow().to_pydict() == {"v": [None, None], "w": [None, 5]}
    assert raised.value.failures[0][:3] == (1, 1, "v")
    coerced = client.batch_read_arrow(keys, {"v": kind, "w": "int64"}, errors="coerce")
    assert coerced.to_pyarrow().equals(batch.to_pyarrow())


def test_a_field_of_a_struct_fails_alone(client: Any, fresh_set: str) -> None:
    key = ("test", fresh_set, 1)
    client.put(key, {"v": {"a": "text", "b": {"c": 1, "d": 2.5}}})
    schema = {"v": "struct<a: int64, b: struct<c: utf8, d: float64>>"}
    with pytest.raises(aerospike.exception.BatchDecodeError, match=r"\['b'\]\['c'\]") as raised:
        client.batch_read_arrow([key], schema)
    assert [failure[2] for failure in raised.value.failures] == ["v.a", "v.b.c"]
    assert raised.value.batch.to_pyarrow().to_pylist() == [{"v": {"a": None, "b": {"c": None, "d": 2.5}}}]


def test_unsafe_casting_counts_changes(client: Any, fresh_set: str) -> None:
    key = ("test", fresh_set, 1)
    client.put(key, {"i": 300, "l": [1, 300, 0.5], "b": b"abc", "f": 0.1})
    schema = {"i": "int8", "l": "list<int8>", "b": "fixed_size_binary[2]", "f": "float32"}
    with pytest.warns(RuntimeWarning, match=r"values changed to fit their columns \(i, l, b\)"):
        records = client.batch_read_arrow([key], schema, casting="unsafe")
    assert records.inexact == {"i": 1, "l": 2, "b": 1}
    assert records.to_pyarrow().to_pylist()[0] | {"f": 0} == {"i": 44, "l": [1, 44, 0], "b": b"ab", "f": 0}


def test_a_blob_of_exactly_the_bytes_fills_a_fixed_size_list(client: Any, fresh_set: str) -> None:
    key = ("test", fresh_set, 1)
    client.put(key, {"v": struct.pack("<3f", 1, 2, 3), "w": struct.pack("<4h", 1, 2, 3, 4)})
    schema = {"v": "fixed_size_list<float32>[3]", "w": "fixed_size_list<fixed_size_list<int16>[2]>[2]"}
    table = client.batch_read_arrow([key], schema).to_pyarrow()
    assert table.to_pylist() == [{"v": [1.0, 2.0, 3.0], "w": [[1, 2], [3, 4]]}]


def test_text_other_than_strings(client: Any, fresh_set: str) -> None:
    key = ("test", fresh_set, 1)
    point = '{"type": "Point", "coordinates": [1.0, 2.0]}'
    client.put(key, {"g": aerospike.GeoJSON(point), "s": "text"})
    table = client.batch_read_arrow([key], {"g": "utf8", "s": "binary"}).to_pyarrow()
    assert table["s"].to_pylist() == [b"text"]
    assert "Point" in table["g"].to_pylist()[0]


def test_paths_lead_into_values(client: Any, fresh_set: str) -> None:
    keys = [("test", fresh_set, row) for row in range(3)]
    client.put(keys[0], {"v": {"a": [1, {"b": "x"}], 5: 2.5, b"k": True}})
    client.put(keys[1], {"v": {"a": []}})
    schema = {
        "deep": "utf8",
        "last": "struct<b: utf8>",
        "five": "float64",
        "blob": "bool",
        "v": "map<utf8, utf8>",
    }
    paths = {"deep": ("v", "a", 1, "b"), "last": ("v", "a", -1), "five": ("v", 5), "blob": ("v", b"k")}
    columns = {name: kind for name, kind in schema.items() if name != "v"}
    table = client.batch_read_arrow(keys, columns, paths=paths).to_pyarrow()
    none = dict.fromkeys(columns)
    assert table.to_pylist() == [
        {"deep": "x", "last": {"b": "x"}, "five": 2.5, "blob": True},
        none,
        none,
    ]
    with pytest.raises(aerospike.exception.BatchDecodeError, match="goes into a list"):
        client.batch_read_arrow(keys, {"x": "int64"}, paths={"x": ("v", "a", "key")})
