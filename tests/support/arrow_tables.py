"""Tables of every Arrow type that is written, with the bins that their rows become."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import pyarrow as pa
from hypothesis import strategies as st

INT64 = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)


class Drawn(NamedTuple):
    """A type, and a strategy for its values: as a bin holds them, and as ``pa.array`` takes them."""

    type: Any
    values: Any


def _whole(bits: int, *, signed: bool = True) -> Any:
    if signed:
        return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return st.integers(0, min(2**bits, 2**63) - 1)


SCALARS = [
    Drawn(pa.bool_(), st.booleans()),
    *(Drawn(getattr(pa, f"int{bits}")(), _whole(bits)) for bits in (8, 16, 32, 64)),
    *(Drawn(getattr(pa, f"uint{bits}")(), _whole(bits, signed=False)) for bits in (8, 16, 32, 64)),
    *(Drawn(getattr(pa, f"float{bits}")(), st.floats(width=bits)) for bits in (16, 32, 64)),
    *(Drawn(kind(), TEXT) for kind in (pa.string, pa.large_string, pa.string_view)),
    *(Drawn(kind(), st.binary(max_size=20)) for kind in (pa.binary, pa.large_binary, pa.binary_view)),
    Drawn(pa.binary(3), st.binary(min_size=3, max_size=3)),
    Drawn(pa.date32(), _whole(32)),
    Drawn(pa.date64(), INT64),
    *(Drawn(pa.time32(unit), _whole(32)) for unit in ("s", "ms")),
    *(Drawn(pa.time64(unit), INT64) for unit in ("us", "ns")),
    *(Drawn(pa.timestamp(unit), INT64) for unit in ("s", "ms", "us", "ns")),
    Drawn(pa.timestamp("us", "Europe/Berlin"), INT64),
    *(Drawn(pa.duration(unit), INT64) for unit in ("s", "ms", "us", "ns")),
    Drawn(pa.null(), st.none()),
]

DICTIONARIES = [
    Drawn(pa.dictionary(pa.int8(), pa.string()), st.sampled_from(["a", "bb", ""])),
    Drawn(pa.dictionary(pa.int32(), pa.int64()), st.sampled_from([-1, 2**40])),
    Drawn(pa.dictionary(pa.uint16(), pa.large_binary()), st.sampled_from([b"", b"\xff"])),
]

MAP_KEYS = [
    Drawn(pa.string(), TEXT),
    Drawn(pa.int16(), _whole(16)),
    Drawn(pa.binary(), st.binary(max_size=5)),
]


def _list_of(item: Drawn) -> Any:
    values = st.lists(st.none() | item.values, max_size=4)
    kinds = [pa.list_, pa.large_list, pa.list_view, pa.large_list_view]
    of_any_length = st.sampled_from(kinds).map(lambda kind: Drawn(kind(item.type), values))
    fixed = st.lists(st.none() | item.values, min_size=2, max_size=2)
    return of_any_length | st.just(Drawn(pa.list_(item.type, 2), fixed))


def _struct_of(fields: list[Drawn]) -> Drawn:
    names = [f"f{at}" for at in range(len(fields))]
    drawn = dict(zip(names, fields, strict=True))
    return Drawn(
        pa.struct([(name, field.type) for name, field in drawn.items()]),
        st.fixed_dictionaries({name: st.none() | field.values for name, field in drawn.items()}),
    )


def _map_of(key: Drawn, item: Drawn) -> Drawn:
    # The server keeps maps in the order of their keys; so that the oracle need not sort, they are drawn so.
    pairs = st.dictionaries(key.values, st.none() | item.values, max_size=4).map(
        lambda drawn: sorted_by_key(drawn)
    )
    return Drawn(pa.map_(key.type, item.type), pairs)


def sorted_by_key(drawn: dict[Any, Any]) -> list[tuple[Any, Any]]:
    def order(pair: tuple[Any, Any]) -> Any:
        return pair[0].encode() if isinstance(pair[0], str) else pair[0]

    return sorted(drawn.items(), key=order)


TYPES: Any = st.recursive(
    st.sampled_from(SCALARS + DICTIONARIES),
    lambda inner: (
        inner.flatmap(_list_of)
        | st.lists(inner, max_size=3).map(_struct_of)
        | st.tuples(st.sampled_from(MAP_KEYS), inner).map(lambda drawn: _map_of(*drawn))
    ),
    max_leaves=4,
)


@st.composite
def tables(draw: Any) -> Any:
    """A table with integers from 0 as "id", in chunks, parts of larger arrays; its values and types."""
    columns = draw(st.lists(TYPES, min_size=1, max_size=4))
    n = draw(st.integers(1, 6))
    before, after = draw(st.integers(0, 2)), draw(st.integers(0, 2))
    arrays, values = [pa.array(range(-before, n + after), pa.int64())], []
    for drawn in columns:
        column = draw(st.lists(st.none() | drawn.values, min_size=n, max_size=n))
        around = [draw(st.none() | drawn.values) for _ in range(before + after)]
        arrays.append(pa.array(around[:before] + column + around[before:], drawn.type))
        values.append(column)
    names = ["id", *(f"c{at}" for at in range(len(columns)))]
    table = pa.table(arrays, names=names).slice(before, n)
    cut = draw(st.integers(0, n))
    return (
        pa.concat_tables([table.slice(0, cut), table.slice(cut)]),
        values,
        [drawn.type for drawn in columns],
    )


def as_bin(value: Any, kind: Any) -> Any:
    """What a value is as a bin, or in one. None for null."""
    if value is None:
        return None
    if pa.types.is_struct(kind):
        fields = {field.name: as_bin(value[field.name], field.type) for field in kind}
        return {name: field for name, field in fields.items() if field is not None}
    if pa.types.is_map(kind):
        return {key: as_bin(item, kind.item_type) for key, item in value}
    if isinstance(value, list):
        return [as_bin(item, kind.value_type) for item in value]
    return value


def is_same(a: Any, b: Any) -> bool:
    """Whether two bins are of the same types and values. NaN is NaN."""
    if isinstance(a, float) and isinstance(b, float):
        return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(is_same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(is_same, a, b))
    if isinstance(a, (bytes, bytearray)) and isinstance(b, (bytes, bytearray)):
        return bytes(a) == bytes(b)
    return type(a) is type(b) and bool(a == b)


def is_readable(kind: Any, *, is_inside: bool = False) -> bool:
    """Whether a schema for reading can have the type: not null and list views, dictionaries only of text.

    Nor a struct without fields. Dictionaries in other types are left out, too: pyarrow finds them unequal if
    their values differ behind nulls.
    """
    if pa.types.is_dictionary(kind):
        return not is_inside and bool(pa.types.is_string(kind.value_type))
    if pa.types.is_null(kind) or pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind):
        return False
    if pa.types.is_struct(kind) and kind.num_fields == 0:
        return False
    return all(is_readable(kind.field(at).type, is_inside=True) for at in range(kind.num_fields))


def has_nan(value: Any) -> bool:
    """Whether NaN, which pyarrow finds unequal to itself, is anywhere in a value."""
    if isinstance(value, dict):
        return any(map(has_nan, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(has_nan, value))
    return isinstance(value, float) and math.isnan(value)
