"""Wrong types and shapes in every argument of every public call: an error that helps, and no panic."""

from __future__ import annotations

import datetime
import decimal
import fractions
import inspect
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aerospike_py as aerospike
from aerospike_py import operations as op
from tests.integration.test_numpy_oracle import RELAXED

pytestmark = [pytest.mark.embedded, pytest.mark.filterwarnings("ignore")]

KEY = ("test", "odd", 1)
DTYPE = np.dtype([("a", "i8")])
DATA = np.array([(1, 2)], [("_key", "i8"), ("a", "i8")])


class BoomError(Exception):
    """Raised by an argument itself; passed on to the caller as it is."""


class Exploding:
    """Every question that it is asked raises."""

    def __getattr__(self, name: str) -> Any:
        raise BoomError(name)

    def _raise(self, *_: object) -> Any:
        raise BoomError

    __iter__ = __len__ = __getitem__ = __index__ = __bool__ = __contains__ = __array__ = _raise
    __repr__ = __str__ = _raise


class Lying:
    """A sequence whose length is not that of its items."""

    def __init__(self, length: int) -> None:
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Any:
        if index > 2:
            raise IndexError
        return KEY

    def __repr__(self) -> str:
        return f"Lying({self.length})"


def cycle() -> list[Any]:
    made: list[Any] = []
    made.append(made)
    return made


def changed_keys(**attributes: Any) -> aerospike.Keys:
    """Keys whose attributes were changed to what the constructor refuses."""
    made = aerospike.Keys("test", "odd", [1])
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


# Made anew for each call: some calls use their arguments up.
ODD: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "True": lambda: True,
    "-1": lambda: -1,
    "7": lambda: 7,
    "2**63": lambda: 2**63,
    "2**70": lambda: 2**70,
    "1.5": lambda: 1.5,
    "nan": lambda: float("nan"),
    "1j": lambda: 1j,
    "empty text": lambda: "",
    "text": lambda: "text",
    "long text": lambda: "x" * 200,
    "a lone surrogate": lambda: "\ud800",
    "bytes": lambda: b"\xff\x00",
    "a bytearray": lambda: bytearray(b"ab"),
    "a memoryview": lambda: memoryview(b"ab"),
    "an empty tuple": tuple,
    "an empty list": list,
    "an empty dict": dict,
    "a tuple": lambda: (1, "2", None),
    "a list of None": lambda: [None, None],
    "a list of text": lambda: ["a", "b"],
    "a list of lists": lambda: [[1], []],
    "a dict": lambda: {"a": 1},
    "a dict of odd keys": lambda: {1: 2, None: 3, "\ud800": 4},
    "a set": lambda: {1, 2},
    "a range": lambda: range(3),
    "an iterator": lambda: iter([1]),
    "a generator": lambda: (n for n in ("a", "b")),
    "a cycle": cycle,
    "an object": object,
    "a class": lambda: dict,
    "a function": lambda: len,
    "a decimal": lambda: decimal.Decimal("1.5"),
    "a fraction": lambda: fractions.Fraction(1, 2),
    "a time": lambda: datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc),
    "an error": lambda: ValueError("x"),
    "NotImplemented": lambda: NotImplemented,
    "exploding": Exploding,
    "a length of -1": lambda: Lying(-1),
    "a length of 2**62": lambda: Lying(2**62),
    "a key": lambda: KEY,
    "a short key": lambda: ("test", "odd"),
    "a key of None": lambda: ("test", "odd", None),
    "keys": lambda: [KEY],
    "Keys": lambda: aerospike.Keys("test", "odd", [1]),
    "Keys of odd values": lambda: aerospike.Keys("test", "odd", [None, 1.5]),
    "Keys of odd names": lambda: changed_keys(namespace=1, set=b"x"),
    "Keys of a row": lambda: changed_keys(values=DATA[0]),
    "Keys of a frame": lambda: changed_keys(values={"a": [1]}),
    "Keys of an odd type": lambda: changed_keys(key_type=[1]),
    "an int64": lambda: np.int64(1),
    "an f4": lambda: np.float32(1.5),
    "a NumPy bool": lambda: np.True_,
    "NaT": lambda: np.datetime64("NaT"),
    "a void": lambda: np.void(b"abcd"),
    "a row": lambda: DATA[0],
    "a row of one field": lambda: DATA[["a"]][0],
    "an array": lambda: np.arange(3),
    "an array without dimensions": lambda: np.array(5),
    "an array of two dimensions": lambda: np.zeros((2, 2)),
    "an empty array": lambda: np.zeros(0),
    "an array of objects": lambda: np.array([None, "a"], object),
    "an array of text": lambda: np.array(["a", "b"]),
    "an array of bytes": lambda: np.array([b"a", b"\xff"]),
    "an array of times": lambda: np.array(["NaT"], "M8[s]"),
    "a structured array": lambda: DATA.copy(),
    "a read-only array": lambda: np.frombuffer(bytes(16), DATA.dtype),
    "a masked array": lambda: np.ma.array([1, 2], mask=[True, False]),
    "a structured masked array": lambda: np.ma.array(DATA),
    "a dtype": lambda: DTYPE,
    "an operation": lambda: op.read("a"),
    "operations": lambda: [op.read("a"), None],
    "an operation of odd items": lambda: [{"op": "1", "bin": 5}, {1: 2}],
    "rows": lambda: aerospike.BatchRecords([None, 5]),  # type: ignore[list-item]
    "a row to read": lambda: aerospike.batch.Read(KEY, None),
}

# Required arguments, by name; the others have a default. A new command may need a line here.
VALID: dict[str, Any] = {
    "key": KEY,
    "keys": [KEY],
    "bins": {"a": 1},
    "bin": "a",
    "val": 1,
    "offset": 1,
    "list": [op.read("a")],
    "ops": [op.write("a", 1)],
    "data": DATA,
    "namespace": "test",
    "set": "odd",
    "ns": "test",
    "batch_records": aerospike.BatchRecords([]),
    "command": "build",
    "host": "D1",
    "callback": lambda *record: None,
    "config": {"hosts": [("127.0.0.1", 3000)]},
    "values": [1],
    "bin_name": "a",
    "write_item": 1,
    "append_item": "a",
    "prepend_item": "a",
    "amount": 1,
    "geo_data": "{}",
    "ctx": [aerospike.cdt_ctx.cdt_ctx_all_children()],
    "expression": aerospike.expressions.Eq(aerospike.expressions.IntBin("a"), 1),
    "expr": aerospike.expressions.IntBin("a"),
    "flags": 0,
    **dict.fromkeys(
        ("index", "rank", "count", "offset", "list_order", "map_order", "index_start", "rank_start"), 1
    ),
    **dict.fromkeys(
        ("get_amt", "remove_amt", "byte_size", "byte_offset", "bit_offset", "bit_size", "shift"), 1
    ),
    **dict.fromkeys(
        ("value", "value_begin", "value_end", "value_start", "return_type", "value_byte_size"), 1
    ),
    **dict.fromkeys(("key_range_start", "key_range_end", "index_bit_count"), 5),
    "key_list": [1],
    "value_list": [1],
    "hll_list": [1],
    **dict.fromkeys(("pad", "persist_index", "sign"), True),
    "item_dict": {"a": 1},
    "action": 0,
    "policy": {},
    "module": "m",
    "function": "f",
    "args": [1],
    "filename": "m.lua",
    "predicate": aerospike.predicates.equals("a", 1),
    "job_id": 1,
    "transaction": aerospike.Transaction(),
}
VALID_OF: dict[tuple[str, str], Any] = {
    ("select", "bins"): ["a"],
    ("append", "val"): "x",
    ("prepend", "val"): "x",
    ("remove_bin", "list"): ["b"],
    ("job_info", "module"): "query",
    ("udf_get", "module"): "m.lua",
    **{(f"bitwise_operations.bit_{name}", "value"): b"a" for name in ("set", "and", "or", "xor", "insert")},
    **{(f"bitwise_operations.bit_{name}", "value"): True for name in ("lscan", "rscan")},
}
# What the package itself must not raise: Python's and pyo3's own words, which do not say what was wrong.
BARE = re.compile(
    r"' object (is not|cannot be|has no|does not)|object of type |not an instance of|^argument |unhashable"
    r"|not supported between|an integer is required|ambiguous|must be real number|'NoneType'|no len\(|unsized"
    r"|surrogates not allowed|not subscriptable|not iterable|not JSON serializable|got an unexpected"
    r"|only integer scalar|only 0-dim"
)


def methods(of: type) -> Iterator[str]:
    for name in dir(of):
        function = getattr(of, name)
        if not name.startswith("_") and inspect.isfunction(function):
            yield name


# `connect` has a test of its own; `close` ends the client.
LEFT_OUT = {"close", "connect"}
# These have tests of wrong arguments of their own.
OWN_TESTS = (*("index_", "admin_", "read_matrix", "set_xdr_filter", "where"),)
CLIENT = [
    name for name in methods(aerospike.Client) if name not in LEFT_OUT and not name.startswith(OWN_TESTS)
]
QUERY = [name for name in methods(aerospike.Query) if name not in LEFT_OUT and not name.startswith(OWN_TESTS)]
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "client": aerospike.client,
    "AsyncClient": aerospike.AsyncClient,
    "calc_digest": aerospike.calc_digest,
    "Keys": aerospike.Keys,
    "GeoJSON": aerospike.GeoJSON,
    **{f"operations.{name}": getattr(op, name) for name in op.__all__ if callable(getattr(op, name))},
    **{
        f"{module}.{name}": getattr(getattr(aerospike, module), name)
        for module in (
            *("list_operations", "map_operations", "bitwise_operations", "hll_operations"),
            "expression_operations",
        )
        for name in getattr(aerospike, module).__all__
    },
}


def arguments_of(function: Callable[..., Any], name: str) -> dict[str, Any]:
    """Valid arguments of a call."""
    found = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == "self" or parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        valid = VALID_OF.get((name, parameter.name), VALID.get(parameter.name, parameter.default))
        if parameter.default is not parameter.empty:
            valid = parameter.default
        assert valid is not parameter.empty, f"VALID has no {parameter.name!r}, an argument of {name}"
        found[parameter.name] = valid
    return found


def complaint(error: BaseException) -> str | None:
    """What is wrong with an error; None for one that helps."""
    # Python's own, of a list that is as long as the argument says that it is.
    if isinstance(error, (BoomError, MemoryError)):
        return None
    if isinstance(error, aerospike.ServerError) and (error.code or 0) > 0:
        return None
    if not isinstance(error, Exception):
        return "a panic"
    if not isinstance(error, (aerospike.AerospikeError, TypeError, ValueError)):
        return "an error of another type"
    text = str(error).partition(", which is no dtype: ")[0]
    if BARE.search(text) or not text.strip():
        return "a bare message"
    return None


def describe(value: Any) -> str:
    try:
        return f"{value!r:.100}"
    except (BoomError, TypeError):
        return f"a {type(value).__name__}"


def check(call: Callable[..., Any], arguments: dict[str, Any], changed: list[str]) -> list[str]:
    """Calls, and returns the complaint about the error that is raised, if there is one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            call(**arguments)
        except BaseException as error:
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise
            what = complaint(error)
            if what is not None:
                values = ", ".join(f"{name}={describe(arguments[name])}" for name in changed)
                return [f"{what} for {values}: {type(error).__name__}: {error}"]
    return []


def each(function: Callable[..., Any], name: str, call: Callable[..., Any]) -> list[str]:
    """Every odd value in every argument, one at a time."""
    valid = arguments_of(function, name)
    complaints = []
    for changed in valid:
        for make in ODD.values():
            complaints += check(call, {**valid, changed: make()}, [changed])
    return complaints


@pytest.mark.parametrize("name", CLIENT)
def test_methods_of_clients(client, name):
    assert not each(getattr(aerospike.Client, name), name, getattr(client, name))


def test_connect(face, config):
    def call(**arguments: Any) -> None:
        with face.client(config) as client:
            client.close()
            client.connect(**arguments)

    assert not each(aerospike.Client.connect, "connect", call)


@pytest.mark.parametrize("name", QUERY)
def test_methods_of_queries(client, name):
    def call(**arguments: Any) -> None:
        found = getattr(client.query("test", "odd"), name)(**arguments)
        if hasattr(found, "close"):
            with found as records:
                list(records)

    assert not each(getattr(aerospike.Query, name), name, call)


def test_select_of_queries(client):
    def call(bins: Any) -> None:
        client.query("test", "odd").select(bins).results()

    assert not [text for make in ODD.values() for text in check(call, {"bins": make()}, ["bins"])]


@pytest.mark.parametrize("name", ["max_records", "records_per_second", "ttl"])
def test_settings_of_queries(client, name):
    def call(value: Any) -> None:
        query = client.query("test", "odd")
        setattr(query, name, value)
        query.results()

    assert not [text for make in ODD.values() for text in check(call, {"value": make()}, ["value"])]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    assert not each(FUNCTIONS[name], name, FUNCTIONS[name])


@pytest.mark.parametrize("row", ["Read", "Write", "Remove"])
def test_rows(client, row):
    """Rows are checked when they are written."""
    made = getattr(aerospike.batch, row)

    def call(**arguments: Any) -> None:
        client.batch_write(aerospike.BatchRecords([made(**arguments)]))

    assert not each(made, row, call)


@pytest.mark.parametrize("at", ["value", "element", "map value", "map key"])
def test_values(client, at):
    place: dict[str, Callable[[Any], Any]] = {
        "value": lambda value: value,
        "element": lambda value: [1, [value]],
        "map value": lambda value: {"a": {1: value}},
        "map key": lambda value: {value: 1},
    }
    complaints = []
    for make in ODD.values():
        try:
            value = place[at](make())
        except (TypeError, BoomError):
            continue  # not hashable
        complaints += check(lambda bins: client.put(KEY, bins), {"bins": {"v": value}}, ["bins"])
        complaints += check(
            lambda list: client.operate(KEY, list), {"list": [op.write("v", value)]}, ["list"]
        )
    assert not complaints


odd_values = st.recursive(
    st.sampled_from([*ODD]).map(lambda name: ODD[name]()),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner, inner)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
        | st.sampled_from(
            ["ttl", "gen", "key", "op", "bin", "val", "hosts", "policies", "partition_filter"]
        ).flatmap(lambda name: inner.map(lambda value: {name: value}))
    ),
    max_leaves=6,
)


@settings(suppress_health_check=RELAXED, max_examples=400)
@given(st.sampled_from(CLIENT), st.data())
def test_any_arguments(client, name, data):
    """Any of the arguments odd, or nested in lists and dicts."""
    valid = arguments_of(getattr(aerospike.Client, name), name)
    arguments = {key: data.draw(st.just(value) | odd_values, key) for key, value in valid.items()}
    assert not check(getattr(client, name), arguments, [*arguments])
