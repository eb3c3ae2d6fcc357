"""Maps and lists into fields: nested dtypes and ``paths``, with both clients."""

from __future__ import annotations

import random
import warnings
from typing import Any

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py import cdt_ctx
from aerospike_py.numpy_records import MissingFieldWarning

FEATURES = np.dtype([("features", [("driver", [("trips", "i8"), ("rating", "f4")]), ("tag", "S4")])])
TRIPS = np.dtype([("trips", "i8")])


@pytest.fixture(autouse=True)
def _optional_fields():
    """Most of these tests have fields that no record has."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingFieldWarning)
        yield


def read(client: Any, name: str, bins: list[dict[str, Any]], dtype: Any, **options: Any) -> Any:
    """Writes a record for each of ``bins`` and reads all of them."""
    keys = [("test", name, number) for number in range(len(bins))]
    for key, values in zip(keys, bins, strict=True):
        client.put(key, values)
    return client.batch_read(keys, _dtype=dtype, **options)


def one(client: Any, name: str, value: Any, steps: Any, dtype: Any = "i8", **options: Any) -> Any:
    """Reads what is at the end of the steps into a value: the value and whether it is present."""
    paths = {"a field with a long name": ("bin", *steps)}
    field = np.dtype([("a field with a long name", dtype)])
    batch = read(client, name, [{"bin": value}], field, paths=paths, **options)
    value = batch.batch_records["a field with a long name"][0]
    return value.tolist() if batch.present["a field with a long name"][0] else None


@pytest.mark.filterwarnings("ignore:values changed")
def test_a_struct_takes_a_map(client, fresh_set):
    whole = {"driver": {"trips": 12, "rating": 4.5, "other": [1, {"x": 2}]}, "tag": "gold", "more": None}
    bins = [
        {"features": whole},
        {"features": {"tag": b"gold+", "driver": {"rating": 1}}},
        {"features": {"driver": None}},
        {"features": {}},
        {"other": 1},
        {"features": aerospike.KeyOrderedDict(whole)},
    ]
    batch = read(client, fresh_set, bins, FEATURES, errors="coerce")
    rows = [((12, 4.5), b"gold"), ((0, 1.0), b"gold"), *[((0, 0.0), b"")] * 3, ((12, 4.5), b"gold")]
    assert batch.batch_records["features"].tolist() == rows
    yes, no = ((True, True), True), ((False, False), False)
    assert batch.present["features"].tolist() == [yes, ((False, True), True), no, no, no, yes]
    assert batch.inexact == {"features.tag": 1}
    assert batch.inexact_mask("features.tag").tolist() == [False, True, *[False] * 4]
    assert batch.decode_errors == 0
    assert batch.masked["features"]["driver"]["trips"].tolist() == [12, None, None, None, None, 12]


@pytest.mark.filterwarnings("ignore:values changed")
def test_a_struct_that_gets_no_map_is_one_error(client, fresh_set):
    bins = [
        {"features": 7},
        {"features": {"driver": [1], "tag": "x"}},
        {"features": {"driver": {"trips": "x"}}},
    ]
    batch = read(client, fresh_set, bins, FEATURES, errors="coerce")
    assert batch.decode_errors == 3
    assert not batch.present["features"]["driver"]["trips"].any()
    assert batch.present["features"]["tag"].tolist() == [False, True, False]
    assert batch.failed_mask("features.driver.rating").tolist() == [True, True, False]
    assert batch.failed_mask("features").tolist() == [True] * 3
    with pytest.raises(aerospike.BatchDecodeError) as caught:
        client.batch_read([("test", fresh_set, n) for n in range(3)], _dtype=FEATURES)
    named = [(row, field) for row, _, field, _ in caught.value.failures]
    assert named == [(0, "features"), (1, "features.driver"), (2, "features.driver.trips")]
    assert "a struct, which takes maps" in str(caught.value)
    assert caught.value.batch.present["features"]["tag"].tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("value", "steps", "found"),
    [
        ({"a": {"b": 3}}, ("a", "b"), 3),
        ({"a": {"b": 3}}, ["a", "b"], 3),
        ({"a": {"b": 3}}, ("a", np.str_("b")), 3),
        ({b"a": 3, "a": 4}, (b"a",), 3),
        ({b"a": 3, "a": 4}, (bytearray(b"a"),), 3),
        ({b"a": 3, "a": 4}, ("a",), 4),
        ({-1: 5, 300: 6, 2**40: 7}, (-1,), 5),
        ({-1: 5, 300: 6, 2**40: 7}, (np.int16(300),), 6),
        ({-1: 5, 300: 6, 2**40: 7}, (np.uint64(2**40),), 7),
        ({-1: 5, 300: 6, 2**40: 7}, (0,), None),
        ({"1": 5}, (1,), None),
        ([10, 20, 30], (0,), 10),
        ([10, 20, 30], (-1,), 30),
        ([10, 20, 30], (-3,), 10),
        ([10, 20, 30], (3,), None),
        ([10, 20, 30], (-4,), None),
        ([], (0,), None),
        ([{"a": [1, 2]}, {"a": [3, 4]}], (-1, "a", -2), 3),
        ({"list": [{"x": 1}, {"x": 2.0}]}, ("list", 1, "x"), 2),
        ({"a": None}, ("a", "b"), None),
        ({"a": None}, ("a",), None),
        ({"a": {}}, ("a", "b", 5), None),
        ([None], (0, "x"), None),
        (5, (), 5),
    ],
)
def test_paths(client, fresh_set, value, steps, found):
    assert one(client, fresh_set, value, steps, casting="same_value") == found


@pytest.mark.parametrize(
    ("value", "steps", "why"),
    [
        (5, ("a",), "step 1 of its path, 'a', goes into an integer"),
        ({"a": "text"}, ("a", 0), "step 2 of its path, 0, goes into a string"),
        ([1], ("a",), "goes into a list"),
        ({"a": [1]}, ("a", b"b"), "step 2 of its path, b'b', goes into a list"),
        ({"a": {"b": 1}}, ("a",), "takes integers"),
        ({"a": [1]}, ("a",), "takes integers"),
    ],
)
def test_paths_that_lead_nowhere(client, fresh_set, value, steps, why):
    with pytest.raises(aerospike.BatchDecodeError) as caught:
        one(client, fresh_set, value, steps)
    assert why in str(caught.value)
    ((row, key, field, reason),) = caught.value.failures
    assert (row, key, field) == (0, 0, "a field with a long name")
    assert why in reason
    assert one(client, fresh_set, value, steps, errors="coerce") is None


def test_what_a_path_may_end_at(client, fresh_set):
    value = {"list": [[1, 2], [3, 4]], "map": {"x": 1, "y": {"z": 2.5}}, "blob": bytes(8), "text": "ab"}
    assert one(client, fresh_set, value, ("list",), ("u1", (2, 2))) == [[1, 2], [3, 4]]
    assert one(client, fresh_set, value, ("blob",), ("f4", 2)) == [0.0, 0.0]
    assert one(client, fresh_set, value, ("text",), "S3") == b"ab"
    assert one(client, fresh_set, value, ("map", "x"), ">f2") == 1.0
    nested = np.dtype([("m", [("y", [("z", ">f8")]), ("x", "?")])])
    batch = read(client, fresh_set, [{"b": value}], nested, paths={"m": ("b", "map")})
    assert batch.batch_records.tolist() == [(((2.5,), True),)]


def test_bins_and_paths(client, fresh_set):
    dtype = np.dtype([("a", "i8"), ("b", "i8"), ("c", "i8"), ("d", "i8")])
    paths: dict[str, Any] = {"a": ("x", "k"), "b": "y", "c": ("x", "l")}
    bins = [{"x": {"k": 1, "l": 2}, "y": 3, "d": 4, "a": 5}]
    batch = read(client, fresh_set, bins, dtype, paths=paths)
    assert batch.batch_records.tolist() == [(1, 3, 2, 4)]
    for narrow, present in {
        ("x",): (True, False, True, False),
        ("a", "b", "c"): (False,) * 4,
        ("y", "d"): (False, True, False, True),
        (): (False,) * 4,
    }.items():
        batch = client.batch_read([("test", fresh_set, 0)], list(narrow), _dtype=dtype, paths=paths)
        assert batch.present.tolist() == [present]
    # A bin and its parts.
    dtype = np.dtype([("whole", "i8", 2), ("again", "f4", 2), ("part", "i8")])
    same: dict[str, Any] = {"whole": "v", "again": ("v",), "part": ("v", -1)}
    batch = read(client, fresh_set, [{"v": [6, 7]}], dtype, paths=same)
    assert batch.batch_records[0].tolist()[2] == 7
    assert batch.batch_records["again"].tolist() == [[6.0, 7.0]]


def test_casting_counts_leaves(client, fresh_set):
    dtype = np.dtype([("m", [("small", "i1"), ("half", "f2")])])
    bins = [
        {"m": {"small": 300, "half": 0.1}},
        {"m": {"small": 2.5, "half": 1e9}},
        {"m": {"small": 1, "half": 1}},
    ]
    with pytest.warns(RuntimeWarning, match=r"m\.small, m\.half"):
        batch = read(client, fresh_set, bins, dtype)
    assert batch.inexact == {"m.small": 2, "m.half": 1}
    assert batch.batch_records["m"]["small"].tolist() == [44, 2, 1]
    assert batch.inexact_mask("m").tolist() == [True, True, False]
    batch = read(client, fresh_set, bins, dtype, casting="same_value", errors="coerce")
    assert batch.decode_errors == 4
    assert batch.present["m"].tolist() == [(False, False), (False, False), (True, True)]


def test_out_is_filled(client, fresh_set):
    inner = np.dtype({"names": ["b", "a"], "formats": ["i4", "u1"], "offsets": [5, 1], "itemsize": 12})
    dtype = np.dtype([("x", inner), ("y", "i2")], align=True)
    out = np.full(3, 0x5A, "V1").repeat(dtype.itemsize).view(dtype)
    before = out.tobytes()
    keys = [("test", fresh_set, n) for n in range(3)]
    client.put(keys[0], {"x": {"a": 1, "b": 2}, "y": 3})
    client.put(keys[1], {"x": {"b": -2}})
    batch = client.batch_read(keys, _dtype=dtype, out=out)
    assert batch.batch_records is out
    assert out.tolist() == [((2, 1), 3), ((-2, 0), 0), ((0, 0), 0)]
    leaves = np.zeros(dtype.itemsize, bool)
    for start, width in [(5, 4), (1, 1), (dtype.fields["y"][1], 2)]:
        leaves[start : start + width] = True
    changed = np.frombuffer(before, "u1").reshape(3, -1) != np.frombuffer(out.tobytes(), "u1").reshape(3, -1)
    assert not changed[:, ~leaves].any(), "bytes between leaves are not written"


def test_a_plan_is_made_anew_when_its_arguments_change(client, fresh_set):
    client.put(("test", fresh_set, 0), {"m": {"a": 1, "b": 2}, "n": {"a": 3}})
    keys = [("test", fresh_set, 0)]
    dtype = np.dtype([("x", [("a", "i8")])])

    def value(**paths: Any) -> Any:
        return client.batch_read(keys, _dtype=dtype, paths=paths or None).batch_records[0].tolist()

    assert value(x="m") == ((1,),)
    assert value(x="n") == ((3,),)
    paths = {"x": ["m"]}
    assert value(**paths) == ((1,),)
    paths["x"][0] = "n"
    assert value(**paths) == ((3,),)
    assert value() == ((0,),)
    dtype["x"].names = ("b",)
    assert value(x="m") == ((2,),)


LONG = "sixteen_bytes_xy"


@pytest.mark.parametrize(
    ("paths", "error", "why"),
    [
        ({"nope": "b"}, ValueError, 'a path for "nope", which is no field; the dtype has "trips"'),
        ({"trips": ()}, ValueError, r'paths\["trips"\] is empty'),
        ({"trips": []}, ValueError, "is empty"),
        ({"trips": ("b", 1.5)}, TypeError, r'paths\["trips"\]: step 1 is 1.5 \(float\)'),
        ({"trips": ("b", "x", True)}, TypeError, r"step 2 is True \(bool\)"),
        ({"trips": ("b", np.True_)}, TypeError, "step 1 is"),
        ({"trips": ("b", None)}, TypeError, "step 1 is None"),
        ({"trips": ("b", ("x",))}, TypeError, "step 1 is"),
        ({"trips": ("b", cdt_ctx.cdt_ctx_map_rank(1))}, ValueError, "cdt_ctx_map_key or cdt_ctx_list_index"),
        ({"trips": ("b", cdt_ctx.cdt_ctx_map_key_create("x", 1))}, ValueError, "cdt_ctx_map_key or"),
        ({"trips": ("b", cdt_ctx.cdt_ctx_map_key(1.5))}, TypeError, r"step 1 is 1.5 \(float\)"),
        ({"trips": ("b", cdt_ctx.cdt_ctx_map_key(cdt_ctx.cdt_ctx_map_key("x")))}, TypeError, "must be a key"),
        ({"trips": ("b", 2**63)}, ValueError, "step 1 is 9223372036854775808"),
        ({"trips": ("b", -(2**63) - 1)}, ValueError, r"from -2\*\*63"),
        ({"trips": ("b", np.uint64(2**63))}, ValueError, "step 1 is"),
        ({"trips": (LONG, "x")}, aerospike.BinNameError, f'"trips".*{LONG}.*16 bytes'),
        ({"trips": LONG}, aerospike.BinNameError, f'"trips".*{LONG}.*16 bytes'),
        ({"trips": (b"b", "x")}, TypeError, '"trips".*must be a str'),
        ({"trips": 5}, TypeError, r'paths\["trips"\] is 5'),
        ({"trips": None}, TypeError, "is None"),
        ({"trips": ("b", *range(129))}, ValueError, "129 steps"),
        ({5: "b"}, TypeError, r"the key 5 \(int\)"),
        ([("trips", "b")], TypeError, "must map names of fields"),
        ("trips", TypeError, "must map names of fields"),
    ],
)
def test_wrong_paths_are_refused(client, fresh_set, paths, error, why):
    with pytest.raises(error, match=why):
        client.batch_read([("test", fresh_set, 1)], _dtype=TRIPS, paths=paths)


@pytest.mark.parametrize("project", ["client", "server"])
def test_steps_of_contexts(client, fresh_set, project):
    client.put(("test", fresh_set, 1), {"b": {"m": {"trips": [3, {5: 7}]}}})
    key, index = cdt_ctx.cdt_ctx_map_key, cdt_ctx.cdt_ctx_list_index
    dtype = np.dtype([("a", "i8"), ("c", "i8")])
    paths = {
        "a": ("b", key("m"), "trips", index(0)),
        "c": ("b", "m", key("trips"), index(-1), key(5)),
    }
    batch = client.batch_read([("test", fresh_set, 1)], _dtype=dtype, paths=paths, project=project)
    assert batch.batch_records.tolist() == [(3, 7)]


def test_other_refusals(client, fresh_set):
    keys = [("test", fresh_set, 1)]
    with pytest.raises(TypeError, match="project needs _dtype"):
        client.batch_read(keys, project="server")
    with pytest.raises(TypeError, match="paths needs _dtype"):
        client.batch_read(keys, paths={"trips": "b"})
    with pytest.raises(ValueError, match='"client" or "server"'):
        client.batch_read(keys, _dtype=TRIPS, project="both")
    with pytest.raises(ValueError, match="say in paths where"):
        client.batch_read(keys, _dtype=np.dtype([(LONG, "i8")]))
    with pytest.raises(TypeError, match=r"'a' is a sub-array of structs"):
        client.batch_read(keys, _dtype=np.dtype([("a", [("b", "i8")], (2,))]))
    with pytest.raises(TypeError, match=r"'a\.b' is a Python object"):
        client.batch_read(keys, _dtype=np.dtype([("a", [("b", "O")])]))
    with pytest.raises(TypeError, match="'a' is a struct without fields"):
        client.batch_read(keys, _dtype=np.dtype([("a", [])]))
    with pytest.raises(TypeError, match="can be read but not written"):
        client.batch_write_numpy(np.zeros(1, FEATURES), "test", fresh_set, keys=[1])


def test_depth(client, fresh_set):
    def nested(depth: int) -> tuple[Any, Any]:
        dtype: Any = np.dtype("i8")
        value: Any = 7
        for _ in range(depth):
            dtype, value = np.dtype([("m", dtype)]), {"m": value}
        return np.dtype([("m", dtype)]), {"m": value}

    dtype, bins = nested(16)
    batch = read(client, fresh_set, [bins], dtype)
    assert batch.batch_records.tobytes() == np.int64(7).tobytes()
    with pytest.raises(TypeError, match="deeper than 16"):
        client.batch_read([("test", fresh_set, 0)], _dtype=nested(17)[0])


def test_missing_fields_are_named(client, fresh_set):
    bins = [{"features": {"driver": {"trips": 1}}}]
    dtype = np.dtype([*FEATURES.descr, ("last", "i8"), ("none", [("x", "i8")])])
    with pytest.warns(MissingFieldWarning) as caught:
        read(client, fresh_set, bins, dtype, paths={"last": ("features", "x", 0)})
    (warning,) = caught
    for name in (
        "'features.driver.rating'",
        "'features.tag'",
        "'last' (bin 'features' at ['x'][0])",
        "'none.x'",
    ):
        assert name in str(warning.message)
    assert "'features.driver.trips'" not in str(warning.message)


class TestPickedByTheServer:
    """``project="server"``: the same result, with fewer bytes."""

    PATHS = {"a": ("m", "x", "n"), "b": ("l", 1), "whole": "plain"}  # noqa: RUF012
    DTYPE = np.dtype([("a", "i8"), ("b", "f8"), ("whole", "i4"), ("own", "i4")])

    def records(self, client: Any, name: str) -> list[Any]:
        wide = {f"key{number}": "x" * 50 for number in range(200)}
        bins: list[dict[str, Any]] = [
            {"m": {"x": {"n": 1, **wide}, **wide}, "l": [1, 2.5], "plain": 7, "own": 8},
            # No such key, bin, index or map; other types on the way and at the end.
            {"m": {"x": {}}, "l": [1], "plain": None, "own": 8},
            {"m": {}, "plain": 1},
            {"m": {"x": 5}, "l": [1, "text"]},
            {"m": 5, "l": {1: 3.5}},
            {"m": {"x": None}, "l": []},
            {"other": 1},
        ]
        keys = [("test", name, number) for number in range(len(bins))]
        for key, values in zip(keys, bins, strict=True):
            client.put(key, values)
        return [*keys, ("test", name, "missing")]

    def read(self, client: Any, keys: Any, project: str, **options: Any) -> Any:
        return client.batch_read(
            keys, _dtype=self.DTYPE, paths=self.PATHS, errors="coerce", project=project, **options
        )

    def test_gives_what_the_client_picks(self, client, fresh_set):
        keys = self.records(client, fresh_set)
        picked, whole = (self.read(client, keys, project) for project in ("server", "client"))
        assert picked.batch_records.tobytes() == whole.batch_records.tobytes()
        assert picked.present.tobytes() == whole.present.tobytes()
        assert picked.result_codes.tolist() == whole.result_codes.tolist() == [0] * 7 + [2]
        assert picked.meta["gen"].tolist() == whole.meta["gen"].tolist()
        assert picked.decode_errors == whole.decode_errors == 3
        # Again, after it has learned what the step 1 goes into.
        again = self.read(client, keys, "server", out=np.ones(len(keys), self.DTYPE))
        assert again.batch_records.tobytes() == whole.batch_records.tobytes()

    def test_structs_are_the_same(self, client, fresh_set):
        chance = random.Random(7)  # noqa: S311
        inner = [None, 5, "text", {}, {"f": 1.5}, {"f": "x", "g": 2}, {"f": None}]
        values = [1, -(2**40), 2.5, "abc", "long text", None, b"b", [1], {}]

        def some(choices: list[Any], *names: str) -> dict[str, Any]:
            return {name: chance.choice(choices) for name in names if chance.random() < 0.8}

        keys = [("test", fresh_set, number) for number in range(150)]
        for key in keys:
            whole = some(values, "n", "t") | some(inner, "in") | some(values, "other")
            outer = whole if chance.random() < 0.8 else chance.choice(inner)
            client.put(key, {"m": some([outer], "x"), "s": whole if chance.random() < 0.9 else 5, "i": 1})
        struct = [("t", "S4"), ("in", [("f", "f4")]), ("n", "i4")]
        dtype = np.dtype([("far", struct), ("s", struct), ("i", "i1")])
        arguments: dict[str, Any] = {"_dtype": dtype, "paths": {"far": ("m", "x")}, "errors": "coerce"}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            picked, whole = (
                client.batch_read(keys, project=way, **arguments) for way in ("server", "client")
            )
        assert picked.batch_records.tobytes() == whole.batch_records.tobytes()
        assert picked.present.tobytes() == whole.present.tobytes()
        assert picked.inexact == whole.inexact
        assert picked.decode_errors == whole.decode_errors > 50
        for field in ("far.t", "far.in.f", "far.n", "s.t", "s.in.f", "s.n"):
            np.testing.assert_array_equal(picked.failed_mask(field), whole.failed_mask(field))
            assert whole.failed_mask(field).any()

    def test_bins_narrow_it(self, client, fresh_set):
        keys = self.records(client, fresh_set)
        for bins in (["l"], ["m", "own"], ["plain"], []):
            picked, whole = (self.read(client, keys, way, bins=bins) for way in ("server", "client"))
            assert picked.present.tobytes() == whole.present.tobytes()
            assert picked.batch_records.tobytes() == whole.batch_records.tobytes()

    def test_integer_keys_of_maps_are_learned(self, client, fresh_set):
        keys = [("test", fresh_set, number) for number in range(20)]
        for number, key in enumerate(keys):
            client.put(key, {"m": {1: {"a": {-2: number}}}})
        dtype, paths = np.dtype([("n", "i8")]), {"n": ("m", 1, "a", -2)}
        for _ in range(3):
            batch = client.batch_read(keys, _dtype=dtype, paths=paths, project="server")
            assert batch.batch_records["n"].tolist() == list(range(20))
            assert batch.present["n"].all()

    def test_keys_of_several_sets(self, client, fresh_set):
        keys = [("test", f"{fresh_set}{number % 3}", number) for number in range(30)]
        for number, key in enumerate(keys):
            client.put(key, {"m": {"x": {"n": number}} if number % 4 else 5})
        paths, dtype = {"n": ("m", "x", "n")}, np.dtype([("n", "i8")])
        batch = client.batch_read(keys, _dtype=dtype, paths=paths, errors="coerce", project="server")
        assert batch.batch_records["n"].tolist() == [number if number % 4 else 0 for number in range(30)]
        assert batch.decode_errors == 8
        assert batch.result_codes.tolist() == [0] * 30

    def test_a_read_that_touches_is_refused(self, client, fresh_set):
        with pytest.raises(aerospike.exception.ParamError, match="read twice would be touched twice"):
            client.batch_read(
                [("test", fresh_set, 1)],
                _dtype=TRIPS,
                project="server",
                policy={"read_touch_ttl_percent": 50},
            )

    def test_queries_refuse_it(self, client, fresh_set):
        with pytest.raises(aerospike.exception.ParamError, match="which queries do not take"):
            client.query("test", fresh_set).to_numpy(TRIPS, project="server")
