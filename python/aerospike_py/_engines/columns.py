"""The columns of a job: a schema as a dict that can be pickled and narrowed."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from ..exception import ClientError, ParamError

if TYPE_CHECKING:
    from ..client import Client
    from .conditions import Kind

# Records from which columns are inferred.
SAMPLE = 10_000

_KINDS: dict[str, Literal["integer", "float", "bool", "text"]] = {
    **dict.fromkeys(("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"), "integer"),
    **dict.fromkeys(("float64", "double"), "float"),
    **dict.fromkeys(("bool", "boolean"), "bool"),
    **dict.fromkeys(
        ("utf8", "string", "large_utf8", "large_string", "utf8_view", "string_view"),
        "text",
    ),
}


def columns_of(schema: Any) -> dict[str, Any]:
    """Name to type, from any schema that reads into Arrow columns take.

    Raises:
        TypeError: it is not a schema.
    """
    if isinstance(schema, Mapping):
        return dict(schema)
    names = getattr(schema, "names", None)
    if names and "numpy" in sys.modules:
        import numpy as np

        if isinstance(schema, np.dtype):
            return {name: schema[name] for name in names}
    if hasattr(schema, "__arrow_c_schema__"):
        from .library import library

        fields = library("pyarrow", None).schema(schema)
        return {field.name: field.type for field in fields}
    raise TypeError(
        f"schema is {schema!r:.80} ({type(schema).__name__}); it must be a dict of columns such as "
        '{"name": "utf8"}, a structured NumPy dtype, or an object with __arrow_c_schema__'
    )


def inferred(client: Client, namespace: str, set: str | None) -> dict[str, str]:
    """The columns of a sample of a set; none if it has no records.

    Raises:
        ClientError: bins mix types.
    """
    query = client.query(namespace, set)
    query.max_records = SAMPLE
    try:
        return dict(query.to_arrow().columns)
    except ClientError:
        query = client.query(namespace, set)
        query.max_records = 1
        if query.results(options={"nobins": True}):
            raise
        return {}


def chosen(schema: Mapping[str, Any], columns: Sequence[str]) -> dict[str, Any]:
    """The named columns, in the order of the names.

    Raises:
        ParamError: a name is not a column.
    """
    unknown = [name for name in columns if name not in schema]
    if unknown:
        known = f"the columns are {[*schema]!r}" if schema else "a set without records needs a schema"
        raise ParamError(f"columns has {unknown[0]!r}, which is not a column; {known}")
    return {name: schema[name] for name in columns}


def kinds(schema: Mapping[str, Any]) -> dict[str, Kind]:
    """Column to the kind of its values, for conditions on it."""
    return {name: _kind(type_) for name, type_ in schema.items()}


def _kind(type_: Any) -> Kind:
    if getattr(type_, "kind", None) in ("i", "u", "b") and getattr(type_, "subdtype", None) is None:
        return "bool" if type_.kind == "b" else "integer"
    return _KINDS.get(str(type_), "other")
