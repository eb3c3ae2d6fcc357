"""The ``schema`` argument, in the form that the extension takes."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

_UNITS = ("s", "ms", "us", "ns")

#: Types of Python to those of columns.
_PYTHON = {bool: "bool", int: "int64", float: "float64", str: "utf8", bytes: "binary"}

#: Names of types in NumPy that are no names of Arrow's, such as ``f8`` or ``M8[us]``.
_NUMPY = re.compile(
    r"[<>=|]?(i[1248]|u[1248]|f[248]|\?|b1|[SV][1-9][0-9]*|[mM]8\[\w+\])|(datetime|timedelta)64\[\w+\]"
)

#: Names of types elsewhere, and the columns to use.
_MEANT = {
    "category": "dictionary<int32, utf8>",
    "int": "int64",
    "object": "utf8",
    "str": "utf8",
    "text": "utf8",
    "varchar": "utf8",
    "bytes": "binary",
    "blob": "binary",
}

#: Kinds of NumPy to the types of their widths.
_NUMBERS = {"i": "int", "u": "uint", "f": "float"}


def schema_spec(schema: Any) -> Any:
    """None, an object with ``__arrow_c_schema__``, or a list of names and types.

    A type is its name, an object with ``__arrow_c_schema__``, a list of the fields of a struct,
    ``("fixed_size_list", type, size)`` or ``("metadata", type, dict)``.
    """
    if schema is None or hasattr(schema, "__arrow_c_schema__"):
        return schema
    if isinstance(schema, Mapping):
        if type(schema).__module__.partition(".")[0] == "polars":
            return _polars(schema)
        return [(_name(name), _type(name, kind)) for name, kind in schema.items()]
    if isinstance(schema, str):
        raise TypeError(
            f"schema is {schema!r:.80}, the name of one type; pass a dict of columns, such as "
            '{"name": "utf8", "age": "int64"}'
        )
    if isinstance(getattr(schema, "schema", None), Mapping) and hasattr(schema, "dtype"):
        return schema_spec(schema.schema)  # what infer_dtype has found
    if isinstance(schema, (list, tuple)) and schema and all(isinstance(name, str) for name in schema):
        raise TypeError(
            f"schema is {schema!r:.80}, names without types; pass a dict such as "
            f'{{"{schema[0]}": "utf8"}}, or leave it out to infer the types: bins= of batch_read_arrow and '
            "select() of a query choose bins"
        )
    if _is_of_pandas(schema):
        raise TypeError(
            f"schema is a {type(schema).__name__} of pandas; pyarrow.Schema.from_pandas(frame) is the schema "
            "of a frame"
        )
    dtype = _dtype(schema)
    if dtype is None:
        raise TypeError(
            f"schema is {schema!r:.80} ({type(schema).__name__}); it must be a dict of columns such as "
            '{"name": "utf8"}, a structured NumPy dtype, or an object with __arrow_c_schema__ such as '
            "pyarrow.schema(...)"
        )
    return _fields(dtype)


def _name(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"schema has the column {name!r:.80}; names of columns are str")
    return name


def _type(name: str, kind: Any) -> Any:
    if isinstance(kind, str):
        return _named(name, kind)
    if hasattr(kind, "__arrow_c_schema__"):
        return kind
    if isinstance(kind, type) and kind in _PYTHON:
        return _PYTHON[kind]
    if isinstance(kind, Mapping):
        return [(_name(inner), _type(f"{name}.{inner}", inner_kind)) for inner, inner_kind in kind.items()]
    if type(kind).__module__.partition(".")[0] == "polars" or getattr(kind, "__module__", "").startswith(
        "polars"
    ):
        return _polars({name: kind})
    dtype = None if _is_of_pandas(kind) else _dtype(kind)
    if dtype is None:
        instead = (
            "; pyarrow.Schema.from_pandas(frame) is the schema of a frame" if _is_of_pandas(kind) else ""
        )
        raise TypeError(
            f"the type of column {name!r} is {kind!r:.80} ({type(kind).__name__}); it must be a type's name "
            "such as 'int64' or 'list<float32>', a NumPy dtype, or an object with __arrow_c_schema__ such as "
            f"pyarrow.int64(){instead}"
        )
    return _of_dtype(name, dtype)


def _named(name: str, kind: str) -> Any:
    """The type of a name. NumPy's names stand for their dtypes; the others are left to the extension."""
    if _NUMPY.fullmatch(kind):
        try:
            import numpy as np
        except ImportError:
            return kind
        try:
            dtype = np.dtype(kind)
        except TypeError as error:
            raise ValueError(f"column {name!r}: {kind!r} is no type: {error}") from None
        return _of_dtype(name, dtype)
    meant = "utf8" if re.fullmatch(r"[<>=|]?U[0-9]*", kind) else _MEANT.get(kind)
    if meant is not None:
        raise ValueError(
            f"column {name!r}: {kind!r} is no type (there is no type {kind!r} for columns; did you mean "
            f"{meant!r}?)"
        )
    return kind


def _is_of_pandas(kind: Any) -> bool:
    """Whether this is a dtype of pandas, or the dtypes of a frame."""
    return type(kind).__module__.partition(".")[0] == "pandas"


def _dtype(kind: Any) -> np.dtype[Any] | None:
    """The dtype that this is, or stands for. NumPy is not imported for it."""
    if "numpy" not in sys.modules:
        return None
    import numpy as np

    if not isinstance(kind, (np.dtype, list, type)):
        return None
    try:
        return np.dtype(kind)
    except (TypeError, ValueError) as error:
        raise TypeError(f"schema is {kind!r:.80}, which is not a dtype: {error}") from error


def _polars(schema: Any) -> Any:
    """A schema of polars, whose types do not export themselves: an empty frame does."""
    import polars

    frame = polars.DataFrame(schema=schema)
    if len(schema) == 1 and not hasattr(frame, "__arrow_c_schema__"):
        return frame.to_series().to_arrow().type
    return frame if hasattr(frame, "__arrow_c_schema__") else frame.to_arrow().schema


def _fields(dtype: np.dtype[Any], parent: str = "") -> list[tuple[str, Any]]:
    if dtype.names is None or dtype.fields is None:
        raise TypeError(
            f"schema is the dtype {dtype}, which has no fields; columns need names, such as "
            'np.dtype([("visits", "i8")])'
        )
    return [(name, _of_dtype(f"{parent}{name}", dtype.fields[name][0])) for name in dtype.names]


def _of_dtype(name: str, dtype: np.dtype[Any]) -> Any:
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        kind = _of_dtype(name, base)
        for size in reversed(shape):
            kind = ("fixed_size_list", kind, int(size))
        return kind
    if dtype.names is not None:
        return _fields(dtype, f"{name}.")
    kind = dtype.kind
    if kind in _NUMBERS and dtype.itemsize <= 8:
        return f"{_NUMBERS[kind]}{8 * dtype.itemsize}"
    if kind == "b":
        return "bool"
    if kind == "S":
        return "binary"
    if kind == "V":
        return f"fixed_size_binary[{dtype.itemsize}]"
    if kind in "Mm":
        return _time(dtype)
    advice = (
        "use a dict of columns, with 'utf8'" if kind in "UTO" else "use one of the types in docs/arrow.md"
    )
    raise TypeError(
        f"column {name!r} is of the dtype {dtype}, which no column of Arrow is made for; {advice}"
    )


def column_type(name: str, dtype: np.dtype[Any]) -> Any:
    """The type of a column for a field that is no struct, as users write it."""
    return dtype if dtype.subdtype is not None or dtype.kind in "Mm" else _of_dtype(name, dtype)


def _time(dtype: np.dtype[Any]) -> Any:
    import numpy as np

    unit, step = np.datetime_data(dtype)
    if step == 1 and unit in _UNITS:
        return f"timestamp[{unit}]" if dtype.kind == "M" else f"duration[{unit}]"
    if step == 1 and unit == "D" and dtype.kind == "M":
        return "date32"
    # Arrow has no such unit: the stored count, and what it counts.
    return ("metadata", "int64", {"numpy.dtype": dtype.str.lstrip("<>=|")})
