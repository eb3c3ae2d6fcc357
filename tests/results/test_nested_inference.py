"""Inferred dtypes of maps: structs for those with few keys, and what to do about the others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerospike_py import KeyOrderedDict
from aerospike_py._inference.result import dtype_list
from aerospike_py._leaves import leaves
from aerospike_py.exception import ParamError
from aerospike_py.inference import InferredBin, infer
from aerospike_py.records import Key, Record


def records_of(*bins):
    return [Record(Key("test", "s", number, bytes(20)), None, each) for number, each in enumerate(bins)]


def inferred_from(*values, **options):
    """What is inferred from a bin "m" with these values."""
    return infer(records_of(*({"m": value} for value in values)), **options)


# A layout as feature stores have it: all features of an entity in one map of maps.
DRIVERS = [
    {"driver": {"trips": 10, "rating": 4.5, "city": "Oslo"}, "v": [0.5, 1.5]},
    {"driver": {"trips": 300, "rating": 3.5}, "v": [2.5, 3.5], "new": True},
]


def test_maps_become_structs():
    inferred = inferred_from(*DRIVERS)
    driver = [("trips", "i8"), ("rating", "f8"), ("city", "S8")]
    expected = [("driver", driver), ("v", "f8", (2,)), ("new", "?")]
    assert inferred.dtype == np.dtype([("m", expected)])
    assert inferred.bins.keys() == {"m"}
    found = inferred.bins["m"]
    assert (found.name, found.types, found.note) == ("m", {"map": 2}, "")
    assert np.dtype(eval(found.field)) == inferred.dtype["m"]  # noqa: S307
    assert np.dtype(dtype_list(found.fields)) == inferred.dtype["m"]
    trips = found.fields["driver"].fields["trips"]
    assert (trips.name, trips.field, trips.minimum, trips.maximum) == ("m.driver.trips", "i8", 10, 300)
    assert (trips.records, trips.presence, trips.fields) == (2, 1.0, {})
    city = found.fields["driver"].fields["city"]
    assert (city.records, city.presence) == (1, 0.5)
    assert inferred.left_out == {}
    assert inferred.summary() == "2 records, 5 fields of 41 bytes a row"
    compact = inferred_from(*DRIVERS, compact=True).dtype["m"]["driver"]
    assert compact == np.dtype([("trips", "u2"), ("rating", "f8"), ("city", "S4")])


def test_the_report_names_keys_with_dots():
    inferred = inferred_from({**DRIVERS[0], "tags": ["a"]}, {**DRIVERS[1], "tags": [1]})
    lines = inferred.report().splitlines()
    assert [line.split()[:2] for line in lines[2:9]] == [
        ["m", "struct"],
        ["m.driver", "struct"],
        ["m.driver.trips", "i8"],
        ["m.driver.rating", "f8"],
        ["m.driver.city", "S8"],
        ["m.v", "(2,)f8"],
        ["m.tags", "-"],
    ]
    assert "1 of 4 keys left out" in lines[2]
    assert "50.0%" in lines[6]
    assert "m.tags: list in 0, 1" in lines
    assert list(inferred.left_out) == ["m.tags"]
    assert "1 left out" in inferred.summary()


def test_keys_keep_the_order_of_the_maps():
    ordered = KeyOrderedDict({"a": 1, "b": 2, "c": 3})
    assert inferred_from(ordered, {"d": 4, "a": 1}, {"d": 4}).dtype["m"].names == ("a", "b", "c", "d")


TYPE = "maps have keys of type"
READ = "read single values with paths={'x': "


@pytest.mark.parametrize(
    ("value", "note"),
    [
        ({7: 1}, f"{TYPE} integer; {READ}('m', 7)}}, or whole maps with get"),
        ({b"k": 1}, f"{TYPE} blob; {READ}('m', b'k')}}, or whole maps with get"),
        ({1.5: 1}, f"{TYPE} float; read whole maps with get"),
        ({True: 1}, f"{TYPE} bool; read whole maps with get"),
        ({"a": 1, 2: 3}, f"{TYPE} integer; {READ}('m', 2)}}, or whole maps with get"),
        (
            {f"k{number}": 1 for number in range(65)},
            f"maps have more than 64 different keys; {READ}('m', 'k64')}}, or whole maps with get",
        ),
        (
            {"k" * 50 + str(number): 1 for number in range(65)},
            f"maps have more than 64 different keys; {READ}('m', KEY)}}, or whole maps with get",
        ),
        ({}, "all maps are empty"),
        (
            [{"a": 1}],
            f"lists are not arrays: they have elements of type map; {READ}('m', 0, KEY)}}, "
            "or whole lists with get",
        ),
    ],
)
def test_what_is_no_struct_says_what_to_do(value, note):
    found = inferred_from(value, value).bins["m"]
    assert (found.field, found.note, found.fields) == (None, note, {})


def test_64_keys_are_few():
    value = {f"k{number}": 1 for number in range(64)}
    assert len(inferred_from(value, value).dtype["m"].names) == 64
    assert inferred_from(value, {"one more": 1}).bins["m"].field is None


def test_maps_inside_are_left_out_by_themselves():
    inferred = inferred_from({"few": 1, "many": dict.fromkeys(range(3), 1), "none": {}, "nil": None})
    assert inferred.dtype == np.dtype([("m", [("few", "i8")])])
    notes = {name: found.note for name, found in inferred.left_out.items()}
    assert "paths={'x': ('m', 'many', 0)}" in notes["m.many"]
    assert notes["m.none"] == "all maps are empty"
    assert notes["m.nil"] == "all values are nil"
    nothing = inferred_from({"a": {1: 1}, "": 2})
    assert nothing.dtype.names is None or nothing.dtype.names == ()
    notes = {name: found.note for name, found in nothing.left_out.items()}
    assert notes["m"] == "no key of the maps has a field"
    assert notes["m."] == "the key is empty, and a field needs a name"


def test_nil_is_a_missing_value():
    found = inferred_from({"a": 1, "b": None}, {"a": 2, "b": 3}).bins["m"].fields["b"]
    assert (found.field, found.records, found.presence) == ("i8", 1, 0.5)


@pytest.mark.parametrize("depth", [17, 200])
def test_deep_maps_are_left_out(depth):
    def nested(depth):
        value: Any = 1
        for _ in range(depth):
            value = {"k": value}
        return value

    assert len(leaves(inferred_from(nested(16)).dtype)[0].path) == 17
    deep = inferred_from(nested(depth))
    assert not deep.dtype.names
    found = deep.left_out["m" + ".k" * 16]
    assert found.note.startswith("maps nest more than 16 deep; read single values with paths={'x': ('m', 'k'")


def test_two_names_that_are_the_same_with_dots():
    inferred = infer(records_of({"a.b": 1, "a": {"b": 2, "c": 3}}))
    assert inferred.dtype == np.dtype([("a.b", "i8"), ("a", [("c", "i8")])])
    assert "another field is called a.b" in inferred.bins["a"].fields["b"].note


def test_values_of_keys_are_noted_as_those_of_bins():
    found = inferred_from({"at": 1_700_000_000, "v": bytes(256)}).bins["m"].fields
    assert "fields={'m.at': 'M8[s]'}" in found["at"].note
    assert "fields={'m.v': ('f4', (64,))}" in found["v"].note
    fields = {"m.at": "M8[s]", "m.v": ("f4", (64,))}
    typed = inferred_from({"at": 1_700_000_000, "v": bytes(256)}, fields=fields)
    assert typed.dtype == np.dtype([("m", [("at", "M8[s]"), ("v", "f4", (64,))])])
    assert "would take 100 bytes" in inferred_from({"b": bytes(100)}, max_width=99).bins["m"].fields["b"].note


@pytest.mark.parametrize(
    "fields",
    [
        {"m": {"driver": {"trips": "u2", "city": None}, "new": None}},
        {"m.driver.trips": "u2", "m.driver.city": None, "m.new": None},
        {"m": {"driver.trips": "u2", "driver": {"city": None}}, "m.new": None},
    ],
)
def test_fields_of_ones_own_in_maps(fields):
    inferred = inferred_from(*DRIVERS, fields=fields)
    driver = [("trips", "u2"), ("rating", "f8")]
    assert inferred.dtype == np.dtype([("m", [("driver", driver), ("v", "f8", (2,))])])
    found = inferred.bins["m"].fields["driver"].fields
    assert (found["trips"].note, found["rating"].note) == ("given by fields", "")
    assert (found["trips"].maximum, found["city"].field) == (300, None)


def test_structs_of_ones_own():
    dtype = np.dtype(
        {"names": ["trips", "rare"], "formats": [">u2", "f4"], "offsets": [2, 8], "itemsize": 16}
    )
    for given_dtype in (
        dtype,
        {"names": ["trips", "rare"], "formats": [">u2", "f4"], "offsets": [2, 8], "itemsize": 16},
    ):
        inferred = inferred_from(*DRIVERS, fields={"m": {"driver": given_dtype, "v": None, "new": None}})
        assert inferred.dtype["m"]["driver"] == dtype
        found = inferred.bins["m"].fields["driver"].fields
        assert (found["trips"].field, found["trips"].types) == (">u2", {"integer": 2})
        assert (found["rare"].field, found["rare"].note) == ("f4", "given by fields; not in the sample")
        assert found["city"].field is None
    # Fields that the sample does not have, and fields where the bin is no map.
    inferred = infer(
        records_of({"n": 1}), fields={"m": [("a", [("b", "i4")])], "other": {"c": "f4"}, "n": {"d": "?"}}
    )
    assert inferred.dtype == np.dtype(
        [("n", [("d", "?")]), ("m", [("a", [("b", "i4")])]), ("other", [("c", "f4")])]
    )
    # Maps with many keys: those that are named.
    many = {f"k{number}": 1 for number in range(100)}
    assert inferred_from(many, fields={"m": {"k3": "i4"}}).dtype == np.dtype([("m", [("k3", "i4")])])
    assert inferred_from(many, fields={"m.k3": "i4"}).dtype == np.dtype([("m", [("k3", "i4")])])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"m": {"a": object}}, r"fields\['m'\]\['a'\] is <class 'object'>; it must be a plain type"),
        ({"m": {"a": "no type"}}, r"fields\['m'\]\['a'\] is 'no type', which is not a dtype"),
        ({"m": {1: "i4"}}, r"fields\['m'\] has the key 1; it must be the key of a map, a str"),
        ({"m": [("a", [("b", "O")])]}, r"fields\['m'\]\['a'\]\['b'\] is"),
        ({"m": "i4", "m.driver": "i4"}, "fields has both 'm' and 'm.driver'"),
    ],
)
def test_fields_that_are_refused(fields, message):
    with pytest.raises(ParamError, match=message):
        inferred_from(*DRIVERS, fields=fields)


# ---------------------------------------------------------------- any maps

NAMES = st.text(max_size=2) | st.sampled_from(["a", "b", "a.b"])
SCALARS = (
    st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.booleans()
    | st.text(max_size=3)
    | st.none()
)
ANY_KEY = NAMES | st.integers(-3, 3) | st.binary(max_size=2)


def maps(inner):
    few = st.sampled_from("abc")
    return st.dictionaries(few | st.just("d.e"), inner, max_size=3) | st.dictionaries(
        ANY_KEY, inner, max_size=2
    )


VALUES = st.recursive(SCALARS, lambda inner: maps(inner) | st.lists(inner, max_size=2), max_leaves=8)


BINS = st.dictionaries(st.sampled_from("mnab"), VALUES.filter(lambda value: value is not None), min_size=1)


@given(values=st.lists(BINS, min_size=1, max_size=4))
def test_each_leaf_holds_what_its_path_has(values):
    inferred = infer(records_of(*values))
    fields = leaves(inferred.dtype)
    assert len({leaf.name for leaf in fields}) == len(fields)
    for leaf in fields:
        for each in values:
            value: Any = each
            for name in leaf.path:
                value = value.get(name) if isinstance(value, dict) else None
            if value is not None:
                holds(leaf.dtype, value)
    assert all(isinstance(found, InferredBin) and found.note for found in inferred.left_out.values())
    assert repr(inferred)
    assert np.dtype(dtype_list(inferred.bins)) == inferred.dtype


def holds(dtype: np.dtype[Any], value: Any) -> None:
    """Checks that a field takes a value and gives it back."""
    stored = value.encode() if isinstance(value, str) else value
    cell = np.zeros(dtype.shape, dtype.base)
    cell[...] = np.void(stored) if dtype.kind == "V" and not dtype.shape else stored
    if isinstance(stored, bytes):
        assert cell.tobytes()[: len(stored)] == stored
        assert not cell.tobytes()[len(stored) :].strip(b"\0")
    else:
        assert cell.tolist() == value
