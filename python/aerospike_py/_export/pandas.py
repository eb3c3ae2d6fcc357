"""Results as pandas DataFrames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from .._types import BatchKeys

# Units of time that pandas has. Coarser ones are exact as seconds.
_PANDAS_UNITS = ("s", "ms", "us", "ns")
# Years and months of a timedelta have no fixed length.
_COARSER_UNITS = {"M": ("Y", "M", "W", "D", "h", "m"), "m": ("W", "D", "h", "m")}


def data_frame(
    fields: Mapping[str, tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]],
    meta: Mapping[str, npt.NDArray[Any]],
    make_index: Callable[[], pd.Index[Any]],
    meta_prefix: str,
) -> pd.DataFrame:
    """A frame of fields and of columns about the records.

    Args:
        fields: name to n values, and n bools that are True where a value is present.
        meta: name to array of shape ``(n,)``: columns about the records.
        make_index: makes the index of n rows, with pandas.
        meta_prefix: put before the names of ``meta``.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            "to_pandas needs pandas: install pandas, or this package with the extra [pandas]"
        ) from error

    meta = {f"{meta_prefix}{name}": column for name, column in meta.items()}
    clashes = [name for name in fields if name in meta]
    if clashes:
        raise ValueError(
            f"field {clashes[0]!r} has the name of a column with metadata; pass a meta_prefix, "
            'such as to_pandas(meta_prefix="_")'
        )
    columns: dict[str, Any] = {name: _column(*field) for name, field in fields.items()}
    columns.update((name, column.copy()) for name, column in meta.items())
    index = make_index()
    # One Series per column: from plain arrays, DataFrame would infer types of objects, and convert times.
    series = {name: pd.Series(column, index, dtype=column.dtype) for name, column in columns.items()}
    return pd.DataFrame(series, index=index)


def index_of_keys(keys: BatchKeys) -> pd.Index[Any]:
    """Primary keys as an index; with sets and namespaces, if there are several."""
    import pandas as pd

    primary_keys = keys.primary_keys()
    spaces = keys.spaces()
    space_of = keys.space_of()
    if space_of is None or len(spaces) < 2:
        dtype = object if not primary_keys else None
        return pd.Index(primary_keys, name="key", dtype=dtype, tupleize_cols=False)
    sets = [spaces[space][1] for space in space_of]
    if len({namespace for namespace, _ in spaces}) == 1:
        return pd.MultiIndex.from_arrays([sets, primary_keys], names=["set", "key"])
    namespaces = [spaces[space][0] for space in space_of]
    return pd.MultiIndex.from_arrays([namespaces, sets, primary_keys], names=["namespace", "set", "key"])


def _column(values: npt.NDArray[Any], present: npt.NDArray[np.bool_]) -> Any:
    """A column in native byte order; of a nullable dtype if a value is missing."""
    native = values.dtype.newbyteorder("=")
    kind = native.kind
    if values.ndim > 1 or kind in "SV":
        return _objects(values, native, present)
    values = values.astype(native)  # a copy: the frame must not change with the array
    if kind in "Mm":
        return _times(values, present)
    if present.all():
        return values
    import pandas as pd

    missing = ~present
    if kind == "b":
        return pd.arrays.BooleanArray(values, missing)
    if kind == "f":
        # pandas has no nullable float16; float32 holds its values exactly.
        single = values.astype("f4") if values.dtype.itemsize == 2 else values
        return pd.arrays.FloatingArray(single, missing)
    return pd.arrays.IntegerArray(values, missing)


def _objects(values: npt.NDArray[Any], native: Any, present: npt.NDArray[np.bool_]) -> Any:
    import numpy as np

    column = np.empty(len(values), dtype=object)
    for row in np.flatnonzero(present):
        value = values[row]
        if values.ndim > 1:
            column[row] = value.astype(native.base)
        else:
            column[row] = value.tobytes() if native.kind == "V" else bytes(value)
    return column


def _times(values: npt.NDArray[Any], present: npt.NDArray[np.bool_]) -> Any:
    import numpy as np

    unit, step = np.datetime_data(values.dtype)
    kind = values.dtype.kind
    missing = ~present
    if unit == "generic":
        import pandas as pd

        counts = values.view("i8")
        return pd.arrays.IntegerArray(counts, missing) if missing.any() else counts
    if unit not in _PANDAS_UNITS or step != 1:
        target = unit if unit in _PANDAS_UNITS else "s" if unit in _COARSER_UNITS[kind] else None
        exact = None if target is None else values.astype(f"{kind}8[{target}]")
        if exact is None or (exact.astype(values.dtype) != values)[~np.isnat(values)].any():
            # Finer than pandas has, or out of its range: keep the NumPy scalars.
            column = np.empty(len(values), dtype=object)
            column[:] = list(values)
            column[missing] = None
            return column
        values = exact
    values[missing] = np.array("NaT", dtype=values.dtype)
    return values
