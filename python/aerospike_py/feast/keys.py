"""Primary keys: Feast's serialized entity keys, for whole columns at once.

A serialized entity key (version 3) is the number of join keys, their names in order, and their values in the
same order: each name and value is preceded by its type and its length. All numbers are little-endian u32.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

import numpy as np
from feast.infra.key_encoding_utils import serialize_entity_key
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.type_map import python_values_to_proto_values
from feast.value_type import ValueType

from .._utils.describe import describe
from ..exception import ParamError, ParamTypeError

VERSION = 3
_STRING = 2
_BYTES = 1
# Value type to its number in a key, and the dtype of its bytes.
_INTEGERS: dict[Any, tuple[int, np.dtype[Any]]] = {
    ValueType.INT64: (4, np.dtype("<i8")),
    ValueType.INT32: (3, np.dtype("<i4")),
}
_STRING_LENGTHS = [struct.pack("<II", _STRING, length) for length in range(256)]

# Serialized keys: an array of V<n>, or bytes objects if they have different lengths.
KeyValues = Any


@lru_cache(maxsize=256)
def _names(join_keys: tuple[str, ...]) -> bytes:
    """The part of a key before its values."""
    parts = [struct.pack("<I", len(join_keys))]
    for name in join_keys:
        encoded = name.encode()
        parts.append(struct.pack("<II", _STRING, len(encoded)) + encoded)
    return b"".join(parts)


def integers(column: Any, value_type: Any) -> Any:
    """The column as an array of integers, if it is one whose values the type can hold; else None."""
    known = _fixed(column, value_type)
    return None if known is None else known[0]


def _fixed(column: Any, value_type: Any) -> Any:
    """The column as an array of integers, the number of its type in a key, and the dtype of its values; None
    if it is none that the type can hold."""
    form = _INTEGERS.get(value_type)
    if form is None:
        return None
    array = column if isinstance(column, np.ndarray) else np.asarray(column)
    number, dtype = form
    own = array.dtype
    if array.ndim != 1 or own.kind not in "iu":
        return None
    if own.kind == "i" and own.itemsize <= dtype.itemsize:
        return array, number, dtype
    limits: Any = np.iinfo(dtype)
    if len(array) and (array.max() > limits.max or array.min() < limits.min):
        return None
    return array, number, dtype


def texts(column: Any) -> list[str] | None:
    """The column as a list of strings, if it is one; else None."""
    if isinstance(column, np.ndarray):
        if column.ndim != 1 or column.dtype.kind not in "UOT":
            return None
        column = column.tolist()
    if not isinstance(column, list) or not all(type(value) is str for value in column):
        return None
    # Feast takes a column of nothing but empty strings for one without values.
    return column if any(column) else None


def _text_values(column: list[str]) -> list[bytes]:
    lengths = _STRING_LENGTHS
    return [
        (lengths[len(text)] if len(text) < 256 else struct.pack("<II", _STRING, len(text))) + text
        for text in map(str.encode, column)
    ]


def serialize_columns(join_keys: Sequence[str], types: Sequence[Any], columns: Sequence[Any]) -> KeyValues:
    """The keys of rows, or None if a column has values that Feast would convert first.

    Args:
        join_keys: names of the join keys, sorted.
        types: their value types.
        columns: their values: arrays, or lists as :func:`integers` and :func:`texts` return them.
    """
    names = _names(tuple(join_keys))
    fixed = [_fixed(column, value_type) for value_type, column in zip(types, columns, strict=True)]
    if None not in fixed:
        return _fixed_keys(names, fixed)
    parts: list[list[bytes]] = []
    for known, value_type, column in zip(fixed, types, columns, strict=True):
        if known is not None:
            parts.append(_fixed_keys(b"", [known]).tolist())
        elif value_type == ValueType.STRING and (strings := texts(column)) is not None:
            parts.append(_text_values(strings))
        else:
            return None
    if len(parts) == 1:
        return [names + value for value in parts[0]]
    return [names + b"".join(values) for values in zip(*parts, strict=True)]


@lru_cache(maxsize=256)
def _zeros(names: bytes, forms: tuple[tuple[int, np.dtype[Any]], ...]) -> tuple[bytes, tuple[int, ...], str]:
    """A key with zeros for its values, where the values begin, and the dtype of such a key."""
    row = names
    places = []
    for number, dtype in forms:
        row += struct.pack("<II", number, dtype.itemsize)
        places.append(len(row))
        row += bytes(dtype.itemsize)
    return row, tuple(places), f"V{len(row)}"


def _fixed_keys(names: bytes, columns: Sequence[Any]) -> Any:
    """Keys of columns that :func:`_fixed` returned, which all have the same length."""
    row, places, whole = _zeros(names, tuple([column[1:] for column in columns]))
    count = len(columns[0][0])
    memory = bytearray(row) * (count or 1)
    for (array, _, dtype), place in zip(columns, places, strict=True):
        np.ndarray((count,), dtype, memory, place, (len(row),))[...] = array
    return np.ndarray((count,), whole, memory)


def serialize_protos(
    keys: Sequence[Any], version: int = VERSION, refuse: Callable[[int], None] | None = None
) -> list[bytes]:
    """The keys of EntityKey messages, which need not have the same join keys.

    ``refuse`` is called with the position of each key whose join key or type is not that of the key before,
    and of each with several join keys.
    """
    if version != VERSION:
        if refuse is not None:
            for index in range(len(keys)):
                refuse(index)
        return [serialize_entity_key(key, entity_key_serialization_version=version) for key in keys]
    serialized = []
    name, names, before = None, b"", None
    for index, key in enumerate(keys):
        join_keys = key.join_keys
        if len(join_keys) == 1:
            value = key.entity_values[0]
            kind = value.WhichOneof("val")
            if join_keys[0] != name or kind != before:
                name, before = join_keys[0], kind
                names = _names((name,))
                if refuse is not None:
                    refuse(index)
            if kind == "int64_val":
                serialized.append(names + _INT64(4, 8, value.int64_val))
                continue
            if kind == "string_val":
                text = value.string_val.encode()
                serialized.append(names + struct.pack("<II", _STRING, len(text)) + text)
                continue
        else:
            name = None
            if refuse is not None:
                refuse(index)
        serialized.append(serialize_entity_key(key, entity_key_serialization_version=version))
    return serialized


_INT64 = struct.Struct("<IIq").pack


def columns_of_rows(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]] | None:
    """Rows as columns, or None if they do not have the same keys."""
    names = rows[0].keys()
    if set(map(len, rows)) != {len(names)}:
        return None
    try:
        return {name: list(map(itemgetter(name), rows)) for name in names}
    except KeyError:
        return None


def serialize(
    keys: Any,
    join_keys: Sequence[str],
    types: Sequence[Any],
    version: int,
    names: Sequence[str] | None = None,
) -> KeyValues:
    """The keys of anything that ``feature_matrix`` takes: columns, entity rows or EntityKey messages.

    Args:
        keys: ``{join_key: values}``, a sequence of ``{join_key: value}``, or a sequence of EntityKeys.
        join_keys: names of the join keys, sorted.
        types: their value types.
        version: version of the serialization.
        names: the columns of ``keys`` that have them, in the same order; None if they are called like the
            join keys.
    """
    if type(keys) is not dict and not isinstance(keys, Mapping):
        if isinstance(keys, (str, bytes)) or not isinstance(keys, Sequence):
            raise TypeError(
                f"keys is a {type(keys).__name__}; it must be a dict of columns, a list of entity rows, "
                "or a list of EntityKeys"
            )
        if not len(keys):
            return []
        if isinstance(keys[0], EntityKey):
            return _of_protos(keys, join_keys, types, version)
        if not isinstance(keys[0], Mapping):
            raise TypeError(
                f"keys[0] is a {type(keys[0]).__name__}; it must be an entity row or an EntityKey"
            )
        columns = columns_of_rows(keys)
        if columns is None:
            raise ParamError("entity rows must all have the same keys")
        keys = columns
    names = join_keys if names is None else names
    try:
        given = [keys[name] for name in names]
    except KeyError:
        missing = [name for name in names if name not in keys]
        raise ParamError(
            f"keys has no column for the join key {missing[0]!r}; the join keys are {', '.join(names)}"
        ) from None
    chosen = [_plain(name, column) for name, column in zip(names, given, strict=True)]
    refuse_different_lengths(chosen)
    if version == VERSION:
        serialized = serialize_columns(join_keys, types, chosen)
        if serialized is not None:
            return serialized
    for name, column, value_type in zip(names, chosen, types, strict=True):
        if value_type in _INTEGERS:
            _refuse_fractions(name, column)
    protos = [
        python_values_to_proto_values(list(column), value_type)
        for column, value_type in zip(chosen, types, strict=True)
    ]
    for name, column in zip(names, protos, strict=True):
        for row, value in enumerate(column):
            if value.WhichOneof("val") is None:
                raise ParamError(f"keys[{name!r}][{row}] is missing; leave such rows out")
    return [
        serialize_entity_key(
            EntityKey(join_keys=list(join_keys), entity_values=values),
            entity_key_serialization_version=version,
        )
        for values in zip(*protos, strict=True)
    ]


def refuse_different_lengths(columns: Sequence[Any]) -> None:
    """Refuses columns that do not have one value for each row."""
    lengths = {len(column) for column in columns}
    if len(lengths) > 1:
        raise ParamError(f"the columns of keys have different lengths: {sorted(lengths)}")


def _of_protos(
    keys: Sequence[Any], join_keys: Sequence[str], types: Sequence[Any], version: int
) -> list[bytes]:
    expected = dict(zip(join_keys, [f"{value_type.name.lower()}_val" for value_type in types], strict=True))

    def refuse(index: int) -> None:
        key = keys[index]
        if sorted(key.join_keys) != list(join_keys):
            raise ParamError(
                f"keys[{index}] has the join keys {sorted(key.join_keys)}; the view has {list(join_keys)}"
            )
        for name, value in zip(key.join_keys, key.entity_values, strict=True):
            kind = value.WhichOneof("val")
            if kind != expected[name]:
                raise ParamError(f"keys[{index}] has {kind} for {name!r}; the entity has {expected[name]}")

    return serialize_protos(keys, version, refuse)


def _plain(name: str, column: Any) -> Any:
    """A column as an array or list: also one of pandas."""
    if type(column) is np.ndarray:
        return column
    if hasattr(column, "to_numpy"):
        column = column.to_numpy()
    if isinstance(column, (np.ndarray, list)):
        return column
    if isinstance(column, (str, bytes)) or not isinstance(column, Iterable):
        raise ParamTypeError(f"keys[{name!r}] is {describe(column)}; it must be an array or a list of values")
    return list(column)


def _refuse_fractions(name: str, column: Sequence[Any]) -> None:
    """Refuses floats that are no integers, which Feast would cut to the key of another entity."""
    for row, value in enumerate(column):
        if isinstance(value, (float, np.floating)) and math.isfinite(value) and not float(value).is_integer():
            raise ParamError(f"keys[{name!r}][{row}] is {value}, and the entity has integers")
