"""Values of one feature, row by row, and what Feast makes of them."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import numpy as np
from feast.type_map import NULL_TIMESTAMP_INT_VALUE, feast_value_type_to_python_type
from feast.value_type import ValueType

from . import protobuf
from .values import protos

# Feature types that are read into arrays, with the dtype of their fields.
NUMERIC = {
    ValueType.DOUBLE: "f8",
    # Any float that is stored is rounded to a 32-bit one here, as Feast does, rather than by the read.
    ValueType.FLOAT: "f8",
    ValueType.INT64: "i8",
    ValueType.INT32: "i4",
    ValueType.BOOL: "?",
    ValueType.UNIX_TIMESTAMP: "i8",
}
_FLOATS = (ValueType.FLOAT, ValueType.DOUBLE)
_STORED_TYPES: dict[Any, set[type]] = {
    ValueType.DOUBLE: {float},
    ValueType.FLOAT: {float},
    ValueType.INT64: {int},
    ValueType.BOOL: {bool},
    ValueType.UNIX_TIMESTAMP: {int},
}


class NumberColumn:
    """Numbers in an array.

    Attributes:
        data: their values, zero where there is none.
        present: bool array, or None if every row has a value.
        value_type: the feature's type.
    """

    def __init__(self, data: Any, present: Any, value_type: Any) -> None:
        if value_type is ValueType.FLOAT:
            with np.errstate(over="ignore"):
                data = data.astype(np.float32)
        if value_type in _FLOATS:
            # Feast takes NaN for a missing value.
            nan = data != data
            if nan.any():
                present = ~nan if present is None else present & ~nan
        elif value_type is ValueType.UNIX_TIMESTAMP:
            null = data == NULL_TIMESTAMP_INT_VALUE
            if null.any():
                present = ~null if present is None else present & ~null
        self.data, self.present, self.value_type = data, present, value_type

    def take(self, rows: Any) -> NumberColumn:
        """The same column with these rows."""
        present = None if self.present is None else self.present[rows]
        return NumberColumn(self.data[rows], present, self.value_type)

    def values(self) -> list[Any]:
        """Python values, None for a missing one: what Feast's ``to_dict`` has."""
        values: list[Any] = self.data.tolist()
        if self.value_type is ValueType.UNIX_TIMESTAMP:
            zone, present = timezone.utc, self.present
            return [
                datetime.fromtimestamp(value, tz=zone) if present is None or present[row] else None
                for row, value in enumerate(values)
            ]
        if self.present is not None:
            for row in np.flatnonzero(~self.present).tolist():
                values[row] = None
        return values

    def _is_plain(self) -> bool:
        """Whether other libraries have to infer the type from Python values."""
        is_time = self.value_type is ValueType.UNIX_TIMESTAMP
        return is_time or (self.present is not None and not self.present.any())

    def frame(self) -> Any:
        """What pandas makes the same column of as of :meth:`values`."""
        if self._is_plain():
            return self.values()
        if self.value_type is ValueType.BOOL:
            return self.data if self.present is None else self.values()
        if self.value_type in _FLOATS:
            data = self.data.astype(np.float64)
        elif self.present is None:
            return self.data.astype(np.int64)
        else:
            data = self.data.astype(np.float64)
        if self.present is not None:
            data[~self.present] = np.nan
        return data

    def arrow(self) -> Any:
        """What pyarrow makes the same column of as of :meth:`values`."""
        import pyarrow as pa

        if self._is_plain():
            return pa.array(self.values())
        data = self.data
        if self.value_type in _FLOATS:
            data = data.astype(np.float64)
        elif self.value_type is not ValueType.BOOL:
            data = data.astype(np.int64)
        return pa.array(np.ascontiguousarray(data), mask=None if self.present is None else ~self.present)

    def encoded(self) -> bytes:
        """Repeated Value messages."""
        return protobuf.numbers(self.data, self.present, self.value_type)

    def protos(self) -> list[Any]:
        """A Value message for each row."""
        return protobuf.parse_values(self.encoded())


class ObjectColumn:
    """Stored values as Python objects."""

    def __init__(self, stored: list[Any], value_type: Any) -> None:
        self.stored, self.value_type = stored, value_type
        self._protos: list[Any] | None = None
        self._values: list[Any] | None = None

    def take(self, rows: Any) -> ObjectColumn:
        taken = ObjectColumn([self.stored[row] for row in rows.tolist()], self.value_type)
        if self._protos is not None:
            taken._protos = [self._protos[row] for row in rows.tolist()]
        return taken

    def _are_text(self) -> bool:
        return self.value_type is ValueType.STRING and set(map(type, self.stored)) <= {str, type(None)}

    def values(self) -> list[Any]:
        if self._are_text():
            return self.stored
        if self._values is None:
            self._values = [
                feast_value_type_to_python_type(value, self.value_type) for value in self.protos()
            ]
        return self._values

    def frame(self) -> Any:
        return self.values()

    def arrow(self) -> Any:
        import pyarrow as pa
        from feast.online_response import _convert_uuids_for_arrow

        return pa.array(_convert_uuids_for_arrow({"": list(self.values())})[""])

    def encoded(self) -> bytes:
        return protobuf.texts(self.stored) if self._are_text() else protobuf.messages(self.protos())

    def protos(self) -> list[Any]:
        if self._protos is None:
            self._protos = protos(self.stored, self.value_type)
        return self._protos


Column = NumberColumn | ObjectColumn


def of_objects(stored: list[Any], value_type: Any) -> Column:
    """A column of stored values: of numbers if it can be one."""
    types = _STORED_TYPES.get(value_type)
    if types is not None:
        found = set(map(type, stored))
        if found <= types:
            present = None
        elif found <= types | {type(None)}:
            present = np.array([value is not None for value in stored], dtype=np.bool_)
            stored = [0 if value is None else value for value in stored]
        else:
            return ObjectColumn(stored, value_type)
        return NumberColumn(np.array(stored, dtype=NUMERIC[value_type]), present, value_type)
    return ObjectColumn(stored, value_type)
