"""Feature values as Aerospike stores them, from Feast's protobuf values and back.

Feast's own store writes the Python value of each protobuf value. Values that no bin can hold have the nearest
form that Feast reads: a time is its seconds since 1970, a UUID or decimal its text, a set a list.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

from feast.protos.feast.types.Value_pb2 import ScalarMap, Value, ZonedTimestamp
from feast.type_map import (
    NULL_TIMESTAMP_INT_VALUE,
    feast_value_type_to_python_type,
    python_values_to_proto_values,
)
from feast.value_type import ValueType

_SCALARS = (
    "double_val", "float_val", "int64_val", "int32_val", "bool_val", "string_val", "bytes_val",
    "uuid_val", "time_uuid_val", "decimal_val",
)  # fmt: skip


def native(value: Any) -> Any:
    """What is stored for a protobuf value."""
    kind = value.WhichOneof("val")
    if kind is None:
        return None
    stored = _NATIVE.get(kind)
    return stored(value) if stored is not None else plain(feast_value_type_to_python_type(value))


def _scalar(kind: str) -> Callable[[Any], Any]:
    return lambda value: getattr(value, kind)


def _list(kind: str) -> Callable[[Any], Any]:
    return lambda value: list(getattr(value, kind).val)


def _timestamp(value: Any) -> Any:
    seconds = value.unix_timestamp_val
    return None if seconds == NULL_TIMESTAMP_INT_VALUE else seconds


def _zoned(value: Any) -> Any:
    time = value.zoned_timestamp_val
    return {"unix_timestamp": time.unix_timestamp, "zone": time.zone}


def _json(value: Any) -> Any:
    parsed = plain(feast_value_type_to_python_type(value))
    # Feast parses every string it reads: one that is a JSON string must stay JSON.
    return value.json_val if isinstance(parsed, str) else parsed


def _json_list(value: Any) -> Any:
    parsed = plain(feast_value_type_to_python_type(value))
    texts = value.json_list_val.val
    return [text if isinstance(item, str) else item for item, text in zip(parsed, texts, strict=True)]


def _scalar_map(value: Any) -> Any:
    message = value.scalar_map_val
    if all(entry.key.WhichOneof("key") in _MAP_KEYS for entry in message.val):
        return plain(feast_value_type_to_python_type(value))
    # Keys of these types are not keys of an Aerospike map.
    return message.SerializeToString()


_MAP_KEYS = ("int32_key", "int64_key", "bytes_key", "float_key", "double_key")
_NATIVE: dict[str, Callable[[Any], Any]] = {
    **{kind: _scalar(kind) for kind in _SCALARS},
    **{
        f"{kind}_{many}_val": _list(f"{kind}_{many}_val")
        for kind in (
            "bytes", "string", "int32", "int64", "double", "float", "bool", "unix_timestamp",
            "uuid", "time_uuid", "decimal",
        )
        for many in ("list", "set")
    },
    "unix_timestamp_val": _timestamp,
    "zoned_timestamp_val": _zoned,
    "json_val": _json,
    "json_list_val": _json_list,
    "scalar_map_val": _scalar_map,
}  # fmt: skip


def plain(value: Any) -> Any:
    """A Python value of Feast with what no bin can hold replaced, at any depth."""
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, set, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return int(value.timestamp())
    if isinstance(value, (UUID, Decimal)):
        return str(value)
    return value


def protos(values: list[Any], value_type: Any) -> list[Any]:
    """Protobuf values of stored ones, None for a missing one.

    Raises:
        TypeError, ValueError: a value is none of the feature's type.
    """
    if value_type == ValueType.ZONED_TIMESTAMP:
        return [_zoned_proto(value) for value in values]
    if value_type == ValueType.SCALAR_MAP:
        return [_scalar_map_proto(value) for value in values]
    converted: list[Any] = python_values_to_proto_values(values, value_type)
    return converted


def _zoned_proto(value: Any) -> Any:
    if not isinstance(value, dict) or not isinstance(value.get("unix_timestamp"), int):
        return Value()
    return Value(
        zoned_timestamp_val=ZonedTimestamp(
            unix_timestamp=value["unix_timestamp"], zone=str(value.get("zone") or "")
        )
    )


def _scalar_map_proto(value: Any) -> Any:
    if isinstance(value, bytes):
        return Value(scalar_map_val=ScalarMap.FromString(value))
    converted: Any = python_values_to_proto_values([value], ValueType.SCALAR_MAP)[0]
    return converted


def milliseconds(time: datetime) -> int:
    """A time as stored: milliseconds since 1970. One without a zone is UTC."""
    if time.tzinfo is None:
        time = time.replace(tzinfo=timezone.utc)
    return int(time.timestamp() * 1000)


def time_of(stored: int) -> datetime:
    return datetime.fromtimestamp(stored / 1000.0, tz=timezone.utc)
