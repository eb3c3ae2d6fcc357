"""Arrow arrays with wrong contents: the C data interface checks nothing.

Not tested is what makes the import itself read outside of a buffer, such as a last offset beyond the text: it
cannot be noticed through that interface.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aerospike_py as aerospike
from tests.integration.test_numpy_oracle import RELAXED

pa = pytest.importorskip("pyarrow")

ROWS = 4
OFFSETS = st.integers(-5, 20) | st.sampled_from([-(2**31), 2**31 - 1])
VALUES = pa.array(range(8))


class Memory:
    """Buffers with right values. pyarrow checks them while it makes a table; then they become wrong."""

    def __init__(self) -> None:
        self._wrong: list[tuple[Any, Any]] = []

    def buffer(self, right: Any, wrong: Any, kind: str) -> Any:
        memory = np.array(right, kind)
        self._wrong.append((memory, wrong))
        return pa.py_buffer(memory)

    def spoil(self) -> None:
        for memory, wrong in self._wrong:
            memory[:] = wrong


class Wrong:
    """A table that is wrong once it is exported."""

    def __init__(self, table: Any, memory: Memory) -> None:
        self._table, self._memory = table, memory

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        capsule = self._table.__arrow_c_stream__()
        self._memory.spoil()
        return capsule


RIGHT = range(0, 2 * ROWS + 1, 2)


@st.composite
def texts(draw: Any) -> Any:
    """The last offset is right: the import needs it."""
    memory = Memory()
    offsets = memory.buffer(RIGHT, [*(draw(OFFSETS) for _ in range(ROWS)), 8], "i4")
    kind = draw(st.sampled_from([pa.string(), pa.binary()]))
    text = draw(st.binary(min_size=8, max_size=8))
    return pa.Array.from_buffers(kind, ROWS, [None, offsets, pa.py_buffer(text)]), memory


@st.composite
def views(draw: Any) -> Any:
    memory = Memory()
    kind = draw(st.sampled_from([pa.string_view(), pa.binary_view()]))
    wrong = np.frombuffer(draw(st.binary(min_size=16 * ROWS, max_size=16 * ROWS)), "u1")
    # Mostly of a length that may be there.
    if draw(st.booleans()):
        wrong = wrong.copy()
        wrong.reshape(ROWS, 16)[:, 1:4] = 0
        wrong.reshape(ROWS, 16)[:, 9:12] = 0
    buffers = [None, memory.buffer(np.zeros(16 * ROWS), wrong, "u1"), pa.py_buffer(b"x" * 200)]
    return pa.Array.from_buffers(kind, ROWS, buffers), memory


@st.composite
def lists(draw: Any) -> Any:
    memory = Memory()
    kind, width = draw(st.sampled_from([(pa.list_, "i4"), (pa.large_list, "i8")]))
    offsets = memory.buffer(RIGHT, [draw(OFFSETS) for _ in RIGHT], width)
    return pa.Array.from_buffers(kind(pa.int64()), ROWS, [None, offsets], children=[VALUES]), memory


@st.composite
def list_views(draw: Any) -> Any:
    memory = Memory()
    kind, width = draw(st.sampled_from([(pa.list_view, "i4"), (pa.large_list_view, "i8")]))
    offsets, sizes = (memory.buffer([0] * ROWS, [draw(OFFSETS) for _ in range(ROWS)], width) for _ in "ab")
    return pa.Array.from_buffers(kind(pa.int64()), ROWS, [None, offsets, sizes], children=[VALUES]), memory


@st.composite
def maps(draw: Any) -> Any:
    memory = Memory()
    offsets = memory.buffer(RIGHT, [draw(OFFSETS) for _ in RIGHT], "i4")
    fields = [pa.field("key", pa.int64(), nullable=False), pa.field("value", pa.int64())]
    keys = pa.array(draw(st.lists(st.integers(0, 9), min_size=8, max_size=8)), pa.int64())
    entries = pa.StructArray.from_arrays([keys, VALUES], fields=fields)
    kind = pa.map_(pa.int64(), pa.int64())
    return pa.Array.from_buffers(kind, ROWS, [None, offsets], children=[entries]), memory


@st.composite
def dictionaries(draw: Any) -> Any:
    indices = pa.array([draw(OFFSETS) for _ in range(ROWS)], pa.int64())
    return pa.DictionaryArray.from_arrays(indices, pa.array(["a", None]), safe=False), Memory()


@st.composite
def runs(draw: Any) -> Any:
    memory = Memory()
    ends = memory.buffer([1, 2, ROWS], [draw(OFFSETS) for _ in range(3)], "i4")
    kind = pa.run_end_encoded(pa.int32(), pa.int64())
    children = [pa.Array.from_buffers(pa.int32(), 3, [None, ends]), pa.array([1, 2, 3])]
    return pa.Array.from_buffers(kind, ROWS, [None], children=children), memory


@st.composite
def unsigned(draw: Any) -> Any:
    return pa.array([draw(st.integers(0, 2**64 - 1)) for _ in range(ROWS)], pa.uint64()), Memory()


def outcome(client: Any, data: Any, name: str, **options: Any) -> str:
    """Which column is refused, if one is; what was sent is what a server takes."""
    try:
        result = client.batch_write_arrow(data, "test", name, key="id", **options)
    except aerospike.ParamError as error:
        return str(error).split(", ")[1].split(": ")[0]
    assert result.ok.all()
    return "written"


ARRAYS = st.one_of(texts(), views(), lists(), list_views(), maps(), dictionaries(), runs(), unsigned())


@settings(suppress_health_check=RELAXED, max_examples=300)
@given(ARRAYS, st.booleans())
def test_wrong_arrays_are_refused_by_row(client, fresh_set, drawn, inside):
    array, memory = drawn
    if inside:
        array = pa.StructArray.from_arrays([array], names=["field"])
    data = pa.table({"id": range(len(array)), "v": array})
    assert outcome(client, Wrong(data, memory), fresh_set) in ("written", "column 'v'")


@settings(suppress_health_check=RELAXED, max_examples=100)
@given(texts() | views() | dictionaries() | unsigned())
def test_wrong_keys_are_refused_by_row(client, fresh_set, drawn):
    array, memory = drawn
    data = pa.table({"id": array, "v": range(len(array))})
    assert outcome(client, Wrong(data, memory), fresh_set, bins=["v"]) in ("written", "column 'id'")


def test_a_capsule_that_was_used(client, fresh_set):
    class Once:
        def __init__(self) -> None:
            self.capsule = pa.table({"id": [1]}).__arrow_c_stream__()

        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            return self.capsule

    data = Once()
    assert client.batch_write_arrow(data, "test", fresh_set, key="id").ok.all()
    with pytest.raises(TypeError, match="its stream was used before"):
        client.batch_write_arrow(data, "test", fresh_set, key="id")


@pytest.mark.parametrize("given", [1, None, (1, 2), (1,)], ids=repr)
def test_what_is_no_capsule(client, fresh_set, given):
    class NoExport:
        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            return given

    with pytest.raises((TypeError, ValueError)):
        client.batch_write_arrow(NoExport(), "test", fresh_set, key="id")


def test_capsules_of_other_kinds(client, fresh_set):
    class NoExport:
        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            return pa.schema({"id": pa.int64()}).__arrow_c_schema__()

    with pytest.raises((TypeError, ValueError)):
        client.batch_write_arrow(NoExport(), "test", fresh_set, key="id")
