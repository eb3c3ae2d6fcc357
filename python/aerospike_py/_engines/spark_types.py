"""Spark's schemas and filters, and what they are here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .conditions import AnyOf, Both, Compare, Condition, IsNull, Negated, Operator, StartsWith
from .library import library

if TYPE_CHECKING:
    from collections.abc import Callable

_OPERATORS: dict[str, Operator] = {
    "EqualTo": "==",
    "GreaterThan": ">",
    "GreaterThanOrEqual": ">=",
    "LessThan": "<",
    "LessThanOrEqual": "<=",
}


def spark_schema(arrow: Any) -> Any:
    """The ``StructType`` for a schema of pyarrow. Unsigned integers become the next wider type."""
    types = library("pyspark.sql.pandas.types", "spark")
    pyarrow = library("pyarrow", "spark")
    return types.from_arrow_schema(
        pyarrow.schema([pyarrow.field(field.name, _signed(pyarrow, field.type)) for field in arrow])
    )


def _signed(pyarrow: Any, kind: Any) -> Any:
    wider = {
        pyarrow.uint8(): pyarrow.int16(),
        pyarrow.uint16(): pyarrow.int32(),
        pyarrow.uint32(): pyarrow.int64(),
        pyarrow.uint64(): pyarrow.int64(),
        pyarrow.float16(): pyarrow.float32(),
    }
    if pyarrow.types.is_fixed_size_binary(kind):
        return pyarrow.binary()
    return wider.get(kind, kind)


def read_types(schema: Any) -> tuple[Any, dict[str, Any]]:
    """The Arrow schema in which Spark takes columns, and the type of each as it is read."""
    types = library("pyspark.sql.pandas.types", "spark")
    pyarrow = library("pyarrow", "spark")
    arrow = types.to_arrow_schema(schema, timezone="UTC")
    return arrow, {field.name: _without_zone(pyarrow, field.type) for field in arrow}


def _without_zone(pyarrow: Any, kind: Any) -> Any:
    """Times are stored as counts, which have no zone."""
    return pyarrow.timestamp(kind.unit) if pyarrow.types.is_timestamp(kind) else kind


def conditions_of(filters: Sequence[Any], schema: Any) -> Condition:
    """Spark's filters, all of which must hold, as one condition."""
    plain = {field.name for field in schema.fields if _is_plain(field.dataType)}
    return Both(tuple(_condition(filter_, plain) for filter_ in filters))


def _is_plain(kind: Any) -> bool:
    """Whether values compare as they are: text of a collation does not."""
    return bool(kind.typeName() != "string" or kind.simpleString() == "string")


def _condition(filter_: Any, plain: set[str]) -> Condition:
    kind = type(filter_).__name__
    if kind == "Not":
        return Negated(_condition(filter_.child, plain))
    path: tuple[str, ...] = tuple(getattr(filter_, "attribute", ()))
    if len(path) != 1 or path[0] not in plain:
        return None
    column: str = path[0]
    made: dict[str, Callable[[], Condition]] = {
        "EqualNullSafe": lambda: _null_safe(column, filter_.value),
        "In": lambda: AnyOf(column, tuple(filter_.value)),
        "IsNull": lambda: IsNull(column),
        "IsNotNull": lambda: IsNull(column, is_negated=True),
        "StringStartsWith": lambda: StartsWith(column, filter_.value),
    }
    if kind in _OPERATORS:
        return None if filter_.value is None else Compare(column, _OPERATORS[kind], filter_.value)
    return made[kind]() if kind in made else None


def _null_safe(column: str, value: Any) -> Condition:
    if value is None:
        return IsNull(column)
    return Both((IsNull(column, is_negated=True), Compare(column, "==", value)))
