"""NumPy results for libraries that speak Arrow: their fields as columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import _native
from .._leaves import leaves
from .._schema import schema_spec

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_INT32 = 2**31


def arrow_table(records: npt.NDArray[Any], present: npt.NDArray[Any]) -> _native.ArrowTable:
    """The fields of a result. What is not present is null."""
    import numpy as np

    fields = leaves(records.dtype)
    columns = [
        (
            _data(field.name, field.in_array(records)),
            np.ascontiguousarray(field.in_array(present)).tobytes(),
        )
        for field in fields
    ]
    return _native.arrow_table_of_fields(schema_spec(records.dtype), len(records), columns)


def _data(name: str, values: npt.NDArray[Any]) -> bytes:
    """The values in native byte order, without gaps."""
    import numpy as np

    dtype: np.dtype[Any] = values.dtype
    if dtype.kind == "M" and np.datetime_data(dtype) == ("D", 1):
        # Arrow's dates have 32 bits.
        counts = values.astype("M8[D]").view("i8")
        if len(counts) and (counts.min() < -_INT32 or counts.max() >= _INT32):
            raise OverflowError(f"field {name!r} has dates that Arrow's date32 cannot hold; read it as M8[s]")
        return counts.astype("i4").tobytes()
    return np.ascontiguousarray(values, dtype.newbyteorder("=")).tobytes()
