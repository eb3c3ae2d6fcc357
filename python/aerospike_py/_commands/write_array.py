"""Checks the arguments of ``batch_write_numpy``."""

from __future__ import annotations

import math
import sys
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple

from .._utils.describe import describe
from ..exception import ParamError, ParamTypeError
from ..keys import Keys, check_word

if TYPE_CHECKING:
    from collections.abc import Sequence

KEY_FIELD = "_key"


class RowsToWrite(NamedTuple):
    """Checked arguments."""

    data: Any
    """Structured array of shape ``(n,)``."""
    dtype: Any
    """The part of its dtype that is written."""
    keys: Keys
    """The n keys."""
    presence: bytes | None
    """One byte per row and field of ``dtype``, 0 where the bin is not written; None to write all."""


def check_rows(
    data: Any,
    namespace: str,
    set: str | None,
    key_field: str | None,
    keys: Any,
    bins: Sequence[str] | None,
    present: Any,
    *,
    key_type: str,
    nat: str,
) -> RowsToWrite:
    check_word("nat", nat, ("omit", "raise"))
    if key_field is not None and not isinstance(key_field, str):
        raise ParamTypeError(f"key_field is {describe(key_field)}; it must be a str or None")
    np = sys.modules.get("numpy")
    if np is None:
        raise TypeError(_no_structured_array(data))
    mask = np.ma.getmaskarray(data) if isinstance(data, np.ma.MaskedArray) else None
    if mask is not None:
        if present is not None:
            raise ParamError("data is a masked array and present is given; pass one of them")
        data = data.data
    if not isinstance(data, np.ndarray) or data.dtype.names is None:
        raise TypeError(_no_structured_array(data))
    if data.ndim != 1:
        raise ParamError(f"data has {data.ndim} dimensions; it must have one, with a row per record")
    data = np.asarray(data)
    names = data.dtype.names
    chosen = None if bins is None else _fields_of(bins, names)
    masked_keys = None
    if keys is None:
        key_field = KEY_FIELD if key_field is None else key_field
        if key_field not in names:
            raise ParamError(
                f"data has no field {key_field!r} for the primary keys{_hint(key_field, names)}; "
                "name it with key_field=, or pass keys="
            )
        keys = data[key_field]
        masked_keys = None if mask is None else mask[key_field]
    elif key_field is not None:
        raise ParamError("key_field and keys are both given; pass one of them")
    keys = _keys_of(namespace, set, keys, key_type)
    if len(keys) != len(data):
        raise ParamError(f"there are {len(keys)} keys for {len(data)} rows of data; pass one key per row")
    if chosen is None:
        chosen = [name for name in names if name != key_field]
        if not chosen:
            raise ParamError(f"data has no field to write besides {key_field!r}")
    if "" in chosen:
        raise ParamError(
            "data has a field with an empty name, and a bin needs a name; leave it out with bins="
        )
    for name in chosen:
        _refuse_unwritable(name, data.dtype[name].base)
    presence = None if present is None else _presence_of_bools(present, chosen, len(data))
    if mask is not None:
        presence = _presence_of_mask(mask, chosen)
        if masked_keys is not None:
            _refuse_masked_keys(masked_keys, presence, key_field)
    presence = _leave_out_nat(data, chosen, presence, nat)
    dtype = data.dtype if chosen == list(names) else data[chosen].dtype
    if presence is not None and presence.all():
        presence = None
    # `presence` has the fields in the order of the dtype, as the extension reads them.
    return RowsToWrite(
        data, dtype, keys, None if presence is None else np.ascontiguousarray(presence).tobytes()
    )


def _no_structured_array(data: Any) -> str:
    """The message for data that is no structured array: what to do with data of this kind."""
    library = type(data).__module__.partition(".")[0]
    if library in ("pandas", "polars", "pyarrow", "duckdb"):
        how = "batch_write_arrow(data, namespace, set, key=...) takes it as it is, with its text and nulls"
    else:
        how = 'np.array(rows, dtype=[("_key", "i8"), ("temperature", "f8"), ...]) makes one of tuples'
    return f"data is {_describe(data)}; it must be a structured NumPy array, whose fields become bins: {how}"


# What to do with fields that cannot be written from an array's memory, by kind of dtype.
_CONVERSIONS = {
    "O": (
        "holds Python objects",
        "if the rows come from a DataFrame, pass the frame to batch_write_arrow, which takes text, lists and "
        "nulls; else convert the column to numbers (astype) or to UTF-8 bytes (an S field: "
        "np.char.encode(column.astype(str), 'utf-8')), or write such values with put() or batch_write()",
    ),
    "U": (
        "is text of four bytes a character",
        "write it as UTF-8 bytes, an S field: np.char.encode(column, 'utf-8')",
    ),
    "c": ("is complex, which no bin can hold", "write its real and imaginary parts as two fields"),
    "f": ("is a long double, which no bin can hold", "convert its column to f8"),
}


def _refuse_unwritable(name: str, base: Any) -> None:
    """Refuses a field whose values no bin can hold. ``base`` is the dtype of its elements."""
    if base.kind in "OUc" or (base.kind == "f" and base.itemsize > 8):
        what, instead = _CONVERSIONS[base.kind]
        raise TypeError(f"field {name!r} {what} ({base}); {instead}")


def _leave_out_nat(data: Any, chosen: list[str], presence: Any, nat: str) -> Any:
    """``presence`` without the times that are NaT, which no integer stands for; None if all is present."""
    import numpy as np

    for column, name in enumerate(chosen):
        if data.dtype[name].kind not in "mM":
            continue
        is_nat = np.isnat(data[name])
        if presence is not None:
            is_nat &= presence[:, column]
        if not is_nat.any():
            continue
        if nat == "raise":
            raise ParamError(
                f"row {int(is_nat.argmax())}, field {name!r}: the time is NaT, which no bin can hold; "
                'leave such bins out with nat="omit" or present='
            )
        if presence is None:
            presence = np.ones((len(data), len(chosen)), np.bool_)
        presence[:, column] &= ~is_nat
    return presence


def _keys_of(namespace: str, set: str | None, keys: Any, key_type: str) -> Keys:
    if not isinstance(keys, Keys):
        return Keys(namespace, set, keys, key_type=key_type)  # type: ignore[arg-type]  # Keys checks it
    if key_type not in ("str", keys.key_type):
        raise ParamError(
            f"key_type is {key_type!r}, but keys is a Keys with key_type={keys.key_type!r}; pass it to Keys"
        )
    if (keys.namespace, keys.set or None) != (namespace, set or None):
        raise ParamError(
            f"keys are for {keys.namespace}.{keys.set or ''}, but the rows are written to {namespace}."
            f"{set or ''}; they must be the same"
        )
    return keys


def _fields_of(bins: Sequence[str], names: tuple[str, ...]) -> list[str]:
    if isinstance(bins, (str, type)) or not hasattr(bins, "__iter__"):
        raise ParamTypeError(f"bins is {describe(bins)}; it must be a list of field names")
    wanted = list(bins)
    if not wanted:
        raise ParamError("bins is empty; name at least one field")
    for name in wanted:
        if not isinstance(name, str):
            raise ParamTypeError(f"bins has {describe(name)}; it must be a list of field names")
        if name not in names:
            raise ParamError(f"bins has {name!r}, but data has no such field{_hint(name, names)}")
    return [name for name in names if name in wanted]


def _presence_of_bools(present: Any, chosen: list[str], rows: int) -> Any:
    """The bools of ``present``, shape ``(rows, fields)``."""
    import numpy as np

    if not isinstance(present, np.ndarray):
        raise ParamTypeError(
            f"present is {describe(present)}; it must be a structured array with one bool for each "
            "field, like .present of a batch"
        )
    if present.dtype.names is None or any(present.dtype[name] != np.bool_ for name in present.dtype.names):
        raise ParamError(
            f"present is an array of {present.dtype}; it must be a structured array with one bool for "
            "each field, like .present of a batch"
        )
    if present.shape != (rows,):
        raise ParamError(f"present has the shape {present.shape}; data has {rows} rows")
    missing = [name for name in chosen if name not in present.dtype.names]
    if missing:
        raise ParamError(
            f"present has no field {missing[0]!r}, which is written{_hint(missing[0], present.dtype.names)}"
        )
    return np.stack([present[name] for name in chosen], axis=1)


def _presence_of_mask(mask: Any, chosen: list[str]) -> Any:
    """The inverse of a mask, shape ``(rows, fields)``."""
    import numpy as np

    columns = []
    for name in chosen:
        masked = mask[name]
        if masked.dtype != np.bool_:
            raise TypeError(
                f"field {name!r} is a struct, and a bin holds one value; write its fields as fields of data"
            )
        if masked.ndim > 1:
            flat = masked.reshape(len(masked), math.prod(masked.shape[1:]))
            partly = flat.any(axis=1) & ~flat.all(axis=1)
            if partly.any():
                raise ParamError(
                    f"row {int(partly.argmax())}, field {name!r}: the mask covers only a part of the "
                    "sub-array, which is one bin; mask all of it or nothing"
                )
            masked = flat.all(axis=1)
        columns.append(~masked)
    return np.stack(columns, axis=1)


def _refuse_masked_keys(masked: Any, presence: Any, key_field: str | None) -> None:
    """Refuses rows with values to write whose key is masked."""
    if masked.ndim != 1 or masked.dtype.names is not None:
        return
    keyless = masked & presence.any(axis=1)
    if keyless.any():
        raise ParamError(
            f"row {int(keyless.argmax())}, field {key_field!r}: the key is masked, but the row has values "
            "to write; leave such rows out: data[~data.mask[key_field]]"
        )


def _hint(name: Any, names: Sequence[str]) -> str:
    close = get_close_matches(str(name), names, n=1)
    if close:
        return f" (did you mean {close[0]!r}?)"
    return f"; it has {', '.join(map(repr, names))}" if len(names) <= 10 else ""


def _describe(data: Any) -> str:
    dtype = getattr(data, "dtype", None)
    return f"a {type(data).__name__}" + ("" if dtype is None else f" of {dtype}")
