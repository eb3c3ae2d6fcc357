"""Any nested dtype, any paths, any values: each leaf is what NumPy's cast of the value at its place gives.

The oracle of single values is that of flat dtypes; where a value is, is a walk through dicts and lists.
"""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aerospike_py as aerospike
from aerospike_py._leaves import Node, leaves, nodes
from tests.integration.test_numpy_oracle import (
    RELAXED,
    RefusedError,
    bits_of,
    expected_cell,
    fields,
    scalars,
    values,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore:values changed to fit:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::aerospike_py.MissingFieldWarning"),
]

REPLACE = {"exists": aerospike.POLICY_EXISTS_CREATE_OR_REPLACE}
MISSING = object()
NAMES = st.sampled_from(["a", "b", "c.d", "über", "a key that is longer than bins are", "'"])


def formats(depth: int) -> Any:
    """A field's dtype: of an element or sub-array, or a struct."""
    plain = fields().map(lambda drawn: np.dtype((drawn[0], drawn[1])) if drawn[1] else np.dtype(drawn[0]))
    if depth == 0:
        return plain
    inner = st.dictionaries(NAMES, formats(depth - 1), min_size=1, max_size=4)
    return plain | st.tuples(inner, st.integers(0, 99)).map(_struct)


def _struct(drawn: tuple[dict[str, np.dtype[Any]], int]) -> np.dtype[Any]:
    """A struct, aligned or with its fields in any order of offsets."""
    inner, seed = drawn
    if seed < 20:
        return np.dtype(list(inner.items()), align=True)
    random = Random(seed)  # noqa: S311
    order = list(inner)
    random.shuffle(order)
    offsets, end = {}, random.randrange(3)
    for name in order:
        offsets[name] = end
        end += inner[name].itemsize + random.randrange(3)
    return np.dtype(
        {
            "names": list(inner),
            "formats": list(inner.values()),
            "offsets": [offsets[name] for name in inner],
            "itemsize": end,
        }
    )


def value_for(draw: Any, dtype: np.dtype[Any]) -> Any:
    """Mostly a map for a struct and a value that a leaf takes; sometimes nil or any other value."""
    if draw(st.integers(0, 11)) == 0:
        return draw(st.none() | scalars | st.dictionaries(st.text(max_size=2), scalars, max_size=2))
    if dtype.names is None:
        return draw(values(dtype))
    present = [name for name in dtype.names if draw(st.integers(0, 5))]
    value = {name: value_for(draw, dtype[name]) for name in draw(st.permutations(present))}
    for name in draw(st.sets(st.sampled_from(["more", "x", "aa"]) | st.integers(0, 2), max_size=2)):
        value[name] = draw(scalars | st.lists(scalars, max_size=2))
    return value


@st.composite
def batches(draw: Any) -> tuple[np.dtype[Any], list[dict[str, Any]]]:
    names = draw(st.sets(st.sampled_from(["bin0", "bin1", "bin2"]), min_size=1))
    dtype = np.dtype([(name, draw(formats(2))) for name in sorted(names)])
    records = []
    for _ in range(draw(st.integers(1, 4))):
        record = {name: value_for(draw, dtype[name]) for name in names if draw(st.integers(0, 4))}
        records.append({name: value for name, value in record.items() if value is not None})
    return dtype, records


class Expected:
    """What reading must give, filled value by value."""

    def __init__(self, dtype: np.dtype[Any], rows: int) -> None:
        self.dtype = dtype
        self.array = np.zeros(rows, dtype)
        self.present: set[tuple[int, str]] = set()
        self.failed_cells: set[tuple[int, str]] = set()
        self.failures: set[tuple[int, str]] = set()
        self.inexact: dict[str, int] = {}

    def put(self, row: int, node: Node, value: Any) -> None:
        """Puts the value of a field, which may be a struct, into a row."""
        if value is MISSING or value is None:
            return
        if not node.is_leaf and isinstance(value, dict):
            for name in node.dtype.names or ():
                self.put(row, Node((*node.path, name), node.dtype[name]), value.get(name, MISSING))
            return
        try:
            if not node.is_leaf:
                raise RefusedError
            cell, changed = expected_cell(value, node.dtype)
        except RefusedError:
            self.fail(row, node)
            return
        node.in_array(self.array)[row] = cell
        self.present.add((row, node.name))
        if changed:
            self.inexact[node.name] = self.inexact.get(node.name, 0) + changed

    def fail(self, row: int, node: Node) -> None:
        self.failures.add((row, node.name))
        below = [leaf for leaf in leaves(self.dtype) if leaf.path[: len(node.path)] == node.path]
        self.failed_cells.update((row, leaf.name) for leaf in below)

    def check(self, read: Any) -> None:
        rows = range(len(self.array))
        for leaf in leaves(self.dtype):
            present = leaf.in_array(read.present).tolist()
            assert present == [(row, leaf.name) in self.present for row in rows], leaf.name
            failed = read.failed_mask(leaf.path).tolist()
            assert failed == [(row, leaf.name) in self.failed_cells for row in rows], leaf.name
            found = leaf.in_array(read.batch_records)
            for row in rows:
                cells = ({"": column} for column in (found, leaf.in_array(self.array)))
                got, wanted = (bits_of(column, "", row) for column in cells)
                assert got == wanted, (leaf.name, row)
        assert read.inexact == self.inexact
        for node in nodes(self.dtype):
            changed = any(name == node.name or name.startswith(f"{node.name}.") for name in self.inexact)
            assert read.inexact_mask(node.path).any() == changed
        assert read.decode_errors == len(self.failures)


@settings(suppress_health_check=RELAXED, max_examples=100)
@given(batches())
def test_every_leaf_is_what_numpy_makes_of_the_value(client, fresh_set, batch):
    dtype, records = batch
    expected = Expected(dtype, len(records))
    keys = [("test", fresh_set, row) for row in range(len(records))]
    for row, record in enumerate(records):
        client.put(keys[row], {**record, "unread": 1}, policy=REPLACE)
        for name, value in record.items():
            expected.put(row, Node((name,), dtype[name]), value)
    guard = np.zeros(len(records), dtype)
    expected.check(client.batch_read(keys, _dtype=dtype, errors="coerce"))
    expected.check(client.batch_read(keys, _dtype=dtype, errors="coerce", out=guard))
    expected.check(client.batch_read(keys, _dtype=dtype, errors="coerce", project="server"))
    if expected.failures:
        with pytest.raises(aerospike.BatchDecodeError) as caught:
            client.batch_read(keys, _dtype=dtype)
        assert {(row, field) for row, _, field, _ in caught.value.failures} == expected.failures
        with pytest.raises(aerospike.BatchDecodeError) as server:
            client.batch_read(keys, _dtype=dtype, project="server")
        assert server.value.msg == caught.value.msg


# ---------------------------------------------------------------- paths

STEPS = st.sampled_from(["a", "b", b"k", 0, 1, -1, -2, 7, 2**40])
KEYS = st.sampled_from(["a", "b", b"k", 0, 1, -1, 7, 2**40])


def containers(inner: Any) -> Any:
    return st.dictionaries(KEYS, inner, min_size=1, max_size=4) | st.lists(inner, min_size=1, max_size=3)


TREES = st.recursive(scalars | st.none() | st.lists(st.integers(0, 9), min_size=3, max_size=3), containers,
                     max_leaves=15)  # fmt: skip


def path_into(draw: Any, trees: list[Any]) -> tuple[tuple[Any, ...], np.dtype[Any]]:
    """Steps that mostly exist in one of the trees, and a dtype that mostly takes what is there."""
    value = draw(st.sampled_from(trees))
    steps: list[Any] = []
    for _ in range(draw(st.sampled_from([1, 2, 2, 3, 4, 0]))):
        existing = []
        if isinstance(value, dict) and value:
            existing = list(value)
        elif isinstance(value, list) and value:
            existing = list(range(-len(value), len(value)))
        elif draw(st.integers(0, 4)):
            break
        step = draw(st.sampled_from(existing)) if existing and draw(st.integers(0, 5)) else draw(STEPS)
        steps.append(step)
        try:
            value = value[step]
        except (LookupError, TypeError):
            value = None
    return ("all", *steps), draw(formats(1)) if draw(st.integers(0, 7)) == 0 else format_for(draw, value)


def format_for(draw: Any, value: Any) -> np.dtype[Any]:
    if isinstance(value, (str, bytes)):
        return np.dtype(str(draw(st.sampled_from(["S5", "V12"]))))
    if isinstance(value, list):
        return np.dtype((draw(st.sampled_from(["i8", ">f4", "?"])), (max(len(value), 1),)))
    if isinstance(value, dict) and (names := [name for name in value if isinstance(name, str)]):
        inner = [(name, format_for(draw, value[name])) for name in names]
        return np.dtype([*inner, ("absent", "i4")])
    return np.dtype(str(draw(st.sampled_from(["i8", ">i2", "f4", ">f8"]))))


def walk(value: Any, steps: tuple[Any, ...]) -> Any:
    for step in steps:
        if value is MISSING or value is None:
            return MISSING
        if isinstance(value, dict):
            value = value.get(step, MISSING)
        elif isinstance(value, list) and isinstance(step, int):
            value = value[step] if -len(value) <= step < len(value) else MISSING
        else:
            raise RefusedError
    return value


@st.composite
def batches_with_paths(draw: Any) -> tuple[np.dtype[Any], dict[str, Any], list[Any]]:
    trees = draw(st.lists(containers(TREES), min_size=1, max_size=3))
    names = ["a name that no bin can have", "short", "x"][: draw(st.integers(1, 3))]
    drawn = {name: path_into(draw, trees) for name in names}
    dtype = np.dtype([(name, field) for name, (_, field) in drawn.items()])
    return dtype, {name: path for name, (path, _) in drawn.items()}, trees


@settings(suppress_health_check=RELAXED, max_examples=100)
@given(batches_with_paths())
def test_paths_find_what_indexing_finds(client, fresh_set, batch):
    dtype, paths, trees = batch
    expected = Expected(dtype, len(trees))
    keys = [("test", fresh_set, row) for row in range(len(trees))]
    for row, tree in enumerate(trees):
        client.put(keys[row], {"all": tree}, policy=REPLACE)
        for name, (_, *steps) in paths.items():
            node = Node((name,), dtype[name])
            try:
                expected.put(row, node, walk(tree, tuple(steps)))
            except RefusedError:
                expected.fail(row, node)
    expected.check(client.batch_read(keys, _dtype=dtype, paths=paths, errors="coerce"))
    expected.check(client.batch_read(keys, _dtype=dtype, paths=paths, errors="coerce", project="server"))
    if expected.failures:
        messages = []
        for project in ("client", "server"):
            with pytest.raises(aerospike.BatchDecodeError) as caught:
                client.batch_read(keys, _dtype=dtype, paths=paths, project=project)
            messages.append(caught.value.msg)
        assert messages[0] == messages[1]


def test_a_field_named_by_its_path_is_named_in_errors(client, fresh_set):
    key = ("test", fresh_set, 1)
    client.put(key, {"features": {"driver": {"trips": "many"}}})
    dtype = np.dtype([("trips", "<i4")])
    with pytest.raises(aerospike.BatchDecodeError) as caught:
        client.batch_read([key], _dtype=dtype, paths={"trips": ("features", "driver", "trips")})
    where = "bin 'features' at ['driver']['trips'] (string) into field 'trips' (<i4)"
    assert f"key 1, {where}: " in caught.value.msg
    with pytest.raises(aerospike.BatchDecodeError) as caught:
        client.batch_read([key], _dtype=np.dtype([("features", [("driver", [("trips", "<i4")])])]))
    assert "['driver']['trips'] (string) into field 'features.driver.trips' (<i4)" in caught.value.msg
