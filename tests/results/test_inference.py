"""Inferred dtypes: every value that was sampled fits unchanged."""

import re
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aerospike_py as aerospike
from aerospike_py import GeoJSON, HyperLogLog
from aerospike_py._leaves import leaves
from aerospike_py.inference import infer
from aerospike_py.records import Key, Record
from aerospike_py.testing import DevServer
from tests.support import records
from tests.support.records import fill_with_an_unreadable_one

SKETCH = HyperLogLog(records.SKETCH)


def records_of(*bins):
    return [Record(Key("test", "s", number, bytes(20)), None, each) for number, each in enumerate(bins)]


def of_values(*values, **options):
    """What is inferred from one bin with these values."""
    return infer(records_of(*({"b": value} for value in values)), **options).bins["b"]


@pytest.mark.parametrize(
    ("values", "field", "compact"),
    [
        ([1, -5], "i8", "i1"),
        ([0, 255], "i8", "u1"),
        ([-1, 128], "i8", "i2"),
        ([65_536], "i8", "u4"),
        ([-40_000], "i8", "i4"),
        ([2**32], "i8", "i8"),
        ([-(2**63), 2**63 - 1], "i8", "i8"),
        ([1.5, float("nan")], "f8", "f8"),
        ([1.5, 2**53, True], "f8", "f8"),
        ([True, False], "?", "?"),
        ([True, -3], "i8", "i1"),
        (["", "äb"], "S8", "S3"),
        (["x" * 17], "S24", "S17"),
        ([""], "S8", "S1"),
        ([GeoJSON('{"type":"Point","coordinates":[1,2]}')], "S40", "S36"),
        ([b"ab", b"cd"], "V2", "V2"),
        ([b"ab\0", b"cd\0"], "V3", "V3"),
        ([b"ab", b"cde"], "S8", "S3"),
        ([b""], "S8", "S1"),
        (["ends\0"], "V5", "V5"),
        ([b"a", b"b\0"], "V8", "V2"),
        (["\0", "\0\0\0"], "V8", "V3"),
        ([SKETCH, SKETCH], f"V{len(SKETCH)}", f"V{len(SKETCH)}"),
        ([[1, 2, 300], [3, 4, 5]], "(3,)i8", "(3,)u2"),
        ([[1, 2.5]], "(2,)f8", "(2,)f8"),
        ([[[True, False]], [[False, True]]], "(1,2)?", "(1,2)?"),
    ],
)
def test_the_field(values, field, compact):
    assert of_values(*values).field == field
    assert of_values(*values, compact=True).field == compact


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([{"a": 1}, 1], "mixed types; 1 of 2 values are map"),
        ([1, "a", "b"], "mixed types; 2 of 3 values are string"),
        (["text", b"blob"], "mixed types"),
        ([0.5, 2**53 + 1], "integers that f8 would round: 1"),
        ([GeoJSON("{}\0")], "ends with a NUL byte"),
        ([SKETCH, HyperLogLog(SKETCH + b"a")], "sketches differ in length"),
        ([[]], "some are empty"),
        ([[1], [1, 2]], r"their shapes differ: \(1,\) and \(2,\)"),
        ([[[1], [1, 2]]], "their inner lists differ in length"),
        ([[1, "a"]], "elements of type string"),
        ([[1, None]], "elements of type NoneType"),
        ([[1, [2]]], "elements of type list"),
        ([[[2], 1]], "they mix lists and other elements"),
        ([[0.5, 2**53 + 1]], "integers that f8 would round: 1"),
        ([b"x" * 65_537], "would take 65537 bytes of every row; max_width=65537 allows it"),
        ([[1] * 8193], "would take 65544 bytes of every row"),
    ],
)
def test_bins_without_a_field_say_why(values, why):
    seen = of_values(*values)
    assert seen.field is None
    assert re.search(why, seen.note)


@pytest.mark.parametrize(
    ("unit", "per_second"), [("s", 1), ("ms", 1_000), ("us", 1_000_000), ("ns", 1_000_000_000)]
)
def test_integers_that_may_be_times_are_noted(unit, per_second):
    year_2000, year_2050 = 946_684_800 * per_second, 2_524_608_000 * per_second
    seen = of_values(year_2000, year_2050)
    assert seen.field == "i8"
    assert "may be times" in seen.note
    assert "a guess, because the server stores no unit" in seen.note
    assert f"fields={{'b': 'M8[{unit}]'}}" in seen.note
    given = infer(records_of({"b": year_2000}), fields={"b": f"M8[{unit}]"})
    assert given.dtype == np.dtype([("b", f"M8[{unit}]")])
    for other in (year_2000 - 1, year_2050 + 1, 0, True, 1.5):
        assert of_values(year_2000, other).note in ("", "mixed bool, integer", "mixed float, integer")
    assert "may be times" not in of_values([year_2000, year_2000]).note


def test_lists_of_integers_beyond_those_of_bins():
    """Other clients write them: no bin holds such an integer by itself, and i8 would wrap it."""
    inferred = infer(
        records_of({"n": [1, 2**64 - 1], "mixed": [-1, 2**63]}, {"n": [0, 2**63], "mixed": [0, 1]})
    )
    assert inferred.dtype == np.dtype([("n", "u8", (2,))])
    assert "integers below 0 and integers of 2**63 or more" in inferred.bins["mixed"].note
    assert infer(records_of({"n": [2**63 - 1]})).dtype == np.dtype([("n", "i8", (1,))])


def test_fields_of_ones_own():
    found = records_of({"vector": bytes(256), "n": 1, "text": "a"}, {"vector": bytes(256), "n": 2})
    noted = infer(found).bins["vector"]
    assert (noted.field, noted.note) == (
        "V256",
        "all have the same length; fields={'vector': ('f4', (64,))} reads vectors of float32",
    )
    given = infer(
        found, fields={"vector": ("f4", (64,)), "n": np.uint8, "text": None, "rare": ">i4", "b": bool}
    )
    assert given.dtype == np.dtype([("vector", "f4", (64,)), ("n", "u1"), ("rare", ">i4"), ("b", "?")])
    assert given.bins["text"].field is None
    assert given.bins["vector"].note == "given by fields"
    assert given.bins["vector"].types == {"blob": 2}
    assert (given.bins["rare"].note, given.bins["rare"].records) == ("given by fields; not in the sample", 0)
    assert "given by fields" in given.report()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (["n"], "fields is \\['n'\\] .list.; it must map names of bins to dtypes"),
        ({1: "f4"}, "fields has the key 1 .int.; it must be the name of a bin"),
        ({"a name too long": "f4", "a name of 16 by.": "f4"}, "at most 15 bytes of UTF-8"),
        ({"n": "no type"}, "fields\\['n'\\] is 'no type', which is not a dtype"),
        ({"n": object}, "must be a plain type"),
        ({"n": [("a", object)]}, "must be a plain type"),
        ({"n": ([("a", "f4")], (2,))}, "must be a plain type, a sub-array of one, or a struct of these"),
        ({"n": "S"}, "fields\\['n'\\] is 'S', which has no width; give the number of bytes, as in 'S16'"),
        ({"n": [("a", "V")]}, "which has no width"),
        ({"n": "U5"}, "is 'U5', which no bin can be read into; fields are .* S<n> .text in UTF-8."),
        ({"n": "c16"}, "which no bin can be read into"),
    ],
)
def test_fields_that_are_refused(fields, message):
    with pytest.raises(aerospike.exception.ParamError, match=message):
        infer(records_of({"n": 1}), fields=fields)


def test_deep_lists_are_left_out():
    value = [1]
    for _ in range(500):
        value = [value]
    assert "nested more than" in of_values(value).note


def test_the_report():
    inferred = infer(
        records_of(
            {"id": 7, "score": 1.5, "mixed": 1, "vector": bytes(512), "name": "Ada", "tags": [1, 2]},
            {"id": -9, "score": 0.25, "mixed": 2, "vector": bytes(512), "name": "Grace", "tags": [3, 4]},
            {"id": 8, "mixed": "two", "where": {7: 1}},
            {"id": 8, "": 1, "esc\x1b[2J": 1},
        )
    )
    assert inferred.records == 4
    assert inferred.dtype == np.dtype(
        [
            ("id", "i8"),
            ("score", "f8"),
            ("vector", "V512"),
            ("name", "S8"),
            ("tags", "i8", (2,)),
            ("esc\x1b[2J", "i8"),
        ]
    )
    mixed = inferred.bins["mixed"]
    assert (mixed.records, mixed.presence, mixed.types) == (3, 0.75, {"integer": 2, "string": 1})
    assert {kind: [key.key for key in keys] for kind, keys in mixed.odd.items()} == {"string": [2]}
    assert {kind: [key.key for key in keys] for kind, keys in inferred.bins["where"].odd.items()} == {
        "map": [2]
    }
    assert set(inferred.left_out) == {"mixed", "where", ""}
    seen = inferred.bins["id"]
    assert (seen.minimum, seen.maximum, seen.shortest) == (-9, 8, None)
    assert (inferred.bins["name"].shortest, inferred.bins["name"].longest) == (3, 5)
    assert (inferred.bins["tags"].minimum, inferred.bins["tags"].longest) == (1, 2)
    text = repr(inferred)
    assert "fields={'vector': ('f4', (128,))}" in text
    assert "mixed: string in 2" in text
    assert "\x1b" not in text


def test_a_share_just_below_all_is_not_shown_as_100_percent():
    records = records_of(*({"a": 1, "b": 1} if number else {"a": 1} for number in range(5000)))
    report = infer(records).report()
    assert "100%" in report
    assert "99.9%" in report


def test_it_is_taken_as_a_dtype():
    inferred = infer(records_of({"a": 1}))
    assert np.dtype(inferred) == inferred.dtype


def test_no_records_no_dtype():
    with pytest.raises(aerospike.ClientError, match="no records"):
        infer([])


# Values of bins, awkward ones included.
INTEGERS = st.integers(-(2**63), 2**63 - 1) | st.integers(-300, 300)
NUMBERS = INTEGERS | st.floats() | st.booleans()
SCALARS = (
    NUMBERS
    | st.text(st.characters(codec="utf-8"), max_size=20)
    | st.binary(max_size=20)
    | st.sampled_from([SKETCH, GeoJSON('{"type":"Point","coordinates":[1,2]}')])
    | st.dictionaries(st.text(max_size=3) | st.integers(0, 9), st.integers(0, 9), max_size=2)
)
VALUES = SCALARS | st.lists(NUMBERS, max_size=3) | st.lists(st.lists(INTEGERS, max_size=2), max_size=2)
# Only bins whose values are of one kind get fields.
COLUMNS = st.sampled_from(
    [
        INTEGERS,
        st.integers(0, 255),
        st.floats(),
        st.booleans(),
        NUMBERS,
        st.text(st.characters(codec="utf-8"), max_size=20),
        st.binary(max_size=4),
        st.binary(min_size=8, max_size=8),
        st.lists(INTEGERS, min_size=2, max_size=2),
        st.lists(st.floats() | st.integers(-5, 5), min_size=3, max_size=3),
        st.lists(st.lists(st.booleans(), min_size=2, max_size=2), min_size=1, max_size=1),
        st.dictionaries(st.sampled_from(["a", "b", "c.d"]), INTEGERS | st.none(), max_size=3),
        st.dictionaries(
            st.sampled_from("ab"), st.dictionaries(st.text(max_size=3), st.floats(), max_size=2), max_size=2
        ),
        VALUES,
    ]
)
# A NUL in a name is refused by the server.
NAMES = st.text(st.characters(codec="utf-8", min_codepoint=1), min_size=1, max_size=3)


@st.composite
def sets_of_records(draw):
    columns = draw(st.dictionaries(NAMES, COLUMNS, min_size=1, max_size=5))
    record = st.fixed_dictionaries({}, optional=columns).filter(bool)
    return draw(st.lists(record, min_size=1, max_size=6))


def as_stored(value):
    """What a field has to return, as bytes where NaNs and signs of zeros count."""
    if isinstance(value, float):
        return struct.pack("d", value)
    if isinstance(value, list):
        return [as_stored(element) for element in value]
    if isinstance(value, GeoJSON):
        return value.dumps().encode()
    return value.encode() if isinstance(value, str) else value


def as_field(cell, value):
    if isinstance(value, list):
        return [as_field(cell[number], element) for number, element in enumerate(value)]
    if isinstance(value, float):
        return struct.pack("d", cell)
    if isinstance(value, (str, bytes)) and cell.dtype.kind == "V":
        length = len(as_stored(value))
        assert not cell.tobytes()[length:].strip(b"\0")
        return cell.tobytes()[:length]
    return cell.item()


@settings(max_examples=60)
@given(bins=sets_of_records(), compact=st.booleans())
def test_sampled_values_are_read_unchanged(shared_client, bins, compact):
    name = "inferred"
    shared_client.truncate("test", name)
    for number, each in enumerate(bins):
        shared_client.put(("test", name, number), each, policy={"key": aerospike.POLICY_KEY_SEND})
    inferred = shared_client.infer_dtype("test", name, compact=compact)
    assert inferred.records == len(bins)
    keys = [("test", name, number) for number in range(len(bins))]
    if inferred.schema:
        # Raises if a value does not fit.
        records = shared_client.batch_read_arrow(keys, inferred.schema)
        assert [column for column, _ in records.columns] == list(inferred.schema)
    if not inferred.dtype.names:
        return
    batch = shared_client.batch_read(keys, _dtype=inferred, casting="same_value")
    assert batch.decode_errors == 0
    assert batch.inexact == {}
    for row, each in enumerate(bins):
        for leaf in leaves(inferred.dtype):
            value: Any = each
            for name in leaf.path:
                value = None if value is None else value.get(name)
            assert leaf.in_array(batch.present)[row] == (value is not None)
            if value is not None:
                assert as_field(leaf.in_array(batch.batch_records)[row], value) == as_stored(value)


def test_a_sample_of_a_set(client, fresh_set):
    for number in range(50):
        client.put(("test", fresh_set, number), {"n": number, "text": "x" * number})
    inferred = client.infer_dtype("test", fresh_set, 20)
    assert inferred.records == 20
    assert inferred.dtype.names == ("n", "text")
    assert client.infer_dtype("test", fresh_set).records == 50
    compact = client.infer_dtype("test", fresh_set, compact=True)
    assert compact.dtype == np.dtype([("n", "u1"), ("text", "S49")])
    assert client.infer_dtype("test", fresh_set, max_width=10).dtype.names == ("n",)


def test_a_large_sample_is_read_in_slices(client, fresh_set):
    numbers = np.arange(12_000)
    rows = np.zeros(len(numbers), [("n", "i8")])
    rows["n"] = numbers
    client.batch_write_numpy(rows, "test", fresh_set, keys=numbers).raise_for_failures()
    inferred = client.infer_dtype("test", fresh_set, 11_000)
    assert inferred.records == inferred.bins["n"].records == 11_000
    whole = client.infer_dtype("test", fresh_set, 20_000)
    assert (whole.records, whole.bins["n"].minimum, whole.bins["n"].maximum) == (12_000, 0, 11_999)


def test_samples_that_are_refused(client, fresh_set):
    with pytest.raises(aerospike.ClientError, match=f"no records in test.{fresh_set}"):
        client.infer_dtype("test", fresh_set)
    with pytest.raises(aerospike.ParamError, match="sample is 0; it must be an integer of at least 1"):
        client.infer_dtype("test", fresh_set, 0)
    with pytest.raises(aerospike.ParamError, match="max_width is -1; it must be an integer of at least 1"):
        client.infer_dtype("test", fresh_set, max_width=-1)
    with pytest.raises(aerospike.AerospikeError, match="no-such-namespace"):
        client.infer_dtype("no-such-namespace", fresh_set)


@pytest.mark.embedded
def test_a_record_that_python_cannot_read_is_reported(face):
    with DevServer(options=["--any-map-keys"]) as server:
        fill_with_an_unreadable_one(server)
        client = face.connect(server.config)
        inferred = client.infer_dtype("test", "s")
        client.close()
    assert inferred.records == 9
    assert inferred.dtype == np.dtype([("a", "i8")])
    ((key, error),) = inferred.unreadable.items()
    assert key.digest == aerospike.calc_digest("test", "s", 7)
    assert 'bin "m" cannot be read' in str(error)
    assert "records that Python cannot read: 1" in repr(inferred)
