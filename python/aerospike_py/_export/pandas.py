"""Batch results as pandas DataFrames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from ..numpy_batch import NumpyBatchRecords

META_COLUMNS = ("gen", "ttl", "result_code")

# Units of time that pandas keeps as they are; coarser ones are exact as seconds.
_PANDAS_UNITS = ("s", "ms", "us", "ns")
# (Years and months of a timedelta have no length.)
_COARSER_UNITS = {"M": ("Y", "M", "W", "D", "h", "m"), "m": ("W", "D", "h", "m")}


def to_pandas(batch: NumpyBatchRecords, meta_prefix: str) -> pd.DataFrame:
    """See :meth:`NumpyBatchRecords.to_pandas`."""
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            "to_pandas needs pandas: pip install pandas, or this package with its extra [pandas]"
        ) from error

    records = batch.batch_records
    names = records.dtype.names or ()
    meta = {f"{meta_prefix}{name}": name for name in META_COLUMNS}
    clashes = [name for name in names if name in meta]
    if clashes:
        raise ValueError(
            f"bin {clashes[0]!r} is named like a column of the records' own facts; "
            f'pass meta_prefix, such as to_pandas(meta_prefix="_")'
        )
    present = batch.present
    columns: dict[str, Any] = {name: _column(records[name], present[name]) for name in names}
    for column, name in meta.items():
        source = batch.result_codes if name == "result_code" else batch.meta[name]
        columns[column] = source.copy()
    index = _index(batch)
    # Series by series: a frame made of bare arrays looks into objects and makes times of what it takes
    # for times, or fails to.
    series = {name: pd.Series(column, index, dtype=column.dtype) for name, column in columns.items()}
    return pd.DataFrame(series, index=index)


def _index(batch: NumpyBatchRecords) -> pd.Index[Any]:
    import pandas as pd

    keys = batch._keys.primary_keys()
    spaces = batch._keys.spaces()
    space_of = batch._keys.space_of()
    if space_of is None or len(spaces) < 2:
        return pd.Index(keys, name="key", dtype=object if not keys else None, tupleize_cols=False)
    sets = [spaces[space][1] for space in space_of]
    if len({namespace for namespace, _ in spaces}) == 1:
        return pd.MultiIndex.from_arrays([sets, keys], names=["set", "key"])
    namespaces = [spaces[space][0] for space in space_of]
    return pd.MultiIndex.from_arrays([namespaces, sets, keys], names=["namespace", "set", "key"])


def _column(values: npt.NDArray[Any], present: npt.NDArray[np.bool_]) -> Any:
    """A column of native byte order, nullable where a cell is missing."""
    native = values.dtype.newbyteorder("=")
    kind = native.kind
    if values.ndim > 1 or kind in "SV":
        return _objects(values, native, present)
    values = values.astype(native)  # also a copy: the frame must not change with the array
    if kind in "Mm":
        return _times(values, present)
    if present.all():
        return values
    import pandas as pd

    missing = ~present
    if kind == "b":
        return pd.arrays.BooleanArray(values, missing)
    if kind == "f":
        # pandas has no nullable half floats; every one is exact as a single.
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
            # Finer than pandas can hold, or beyond its range: NumPy scalars, as they are.
            column = np.empty(len(values), dtype=object)
            column[:] = list(values)
            column[missing] = None
            return column
        values = exact
    values[missing] = np.array("NaT", dtype=values.dtype)
    return values
