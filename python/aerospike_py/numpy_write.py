"""Arrays written back: what is written of them, and what became of their rows."""

from __future__ import annotations

import math
import sys
from collections import Counter
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple

from ._warnings import warn
from .exception import ParamError, _class_of
from .keys import Keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from . import _native

#: The field that holds the primary keys unless another is named.
KEY_FIELD = "_key"


class WriteFailure(NamedTuple):
    """A row that was not written, or that may not have been.

    Attributes:
        row: its number.
        key: its primary key.
        code: its result code.
        in_doubt: whether it may have been written all the same.
    """

    row: int
    key: Any
    code: int
    in_doubt: bool


class NumpyWriteResult:
    """What became of the rows of ``batch_write_numpy``.

    Attributes:
        result_codes: int32 array, one a row: 0 where it was written, else the server's or the client's code.
        in_doubt: bool array: True where a row failed and may have been written all the same.

    Example:
        >>> data = np.array([(1, 21.5)], dtype=[("_key", "i8"), ("temperature", "f8")])
        >>> client.batch_write_numpy(data, "test", "sensors")
        <NumpyWriteResult 1 of 1 rows written>
    """

    __slots__ = ("_keys", "in_doubt", "result_codes")

    def __init__(
        self, result_codes: npt.NDArray[np.int32], in_doubt: npt.NDArray[np.bool_], keys: _native.KeyTable
    ) -> None:
        self.result_codes = result_codes
        self.in_doubt = in_doubt
        self._keys = keys

    @property
    def ok(self) -> npt.NDArray[np.bool_]:
        """bool array: True where the row was written.

        Example:
            >>> result = client.batch_write_numpy(np.array([(1, 2)], "i8,i8"), "test", "s", key_field="f0")
            >>> result.ok
            array([ True])
        """
        ok: npt.NDArray[np.bool_] = self.result_codes == 0
        return ok

    @property
    def failures(self) -> list[WriteFailure]:
        """The rows that were not written, in order.

        Example:
            >>> result = client.batch_write_numpy(np.array([(1, 2)], "i8,i8"), "test", "s", key_field="f0")
            >>> [failure.key for failure in result.failures if not failure.in_doubt]
            []
        """
        rows = self.result_codes.nonzero()[0].tolist()
        if not rows:
            return []
        key = self._keys.primary_key
        return [
            WriteFailure(row, key(row), int(self.result_codes[row]), bool(self.in_doubt[row])) for row in rows
        ]

    def raise_for_failures(self) -> None:
        """Raises the exception of the most frequent code if any row was not written.

        Raises:
            AerospikeError: its message says how many rows failed, with which codes, and names the first;
                ``in_doubt`` is True if any of them is.

        Example:
            >>> result = client.batch_write_numpy(np.array([(1, 2)], "i8,i8"), "test", "s", key_field="f0")
            >>> result.raise_for_failures()
        """
        text = self._describe_failures()
        if text is None:
            return
        codes = Counter(code for code in self.result_codes.tolist() if code)
        code = codes.most_common(1)[0][0]
        raise _class_of(code)(text, code, bool(self.in_doubt.any()))

    def _describe_failures(self) -> str | None:
        failed = self.result_codes != 0
        codes = Counter(self.result_codes[failed].tolist())
        if not codes:
            return None
        row = int(failed.argmax())
        kinds = ", ".join(
            f"{_class_of(code).__name__} ({code}): {count}" for code, count in codes.most_common()
        )
        doubt = int(self.in_doubt.sum())
        return (
            f"{codes.total()} of {len(self)} rows were not written: {kinds}; the first is row {row}, "
            f"key {self._keys.primary_key(row)!r}"
            + (f"; {doubt} of them may have been written all the same" if doubt else "")
        )

    def __len__(self) -> int:
        return len(self.result_codes)

    def __repr__(self) -> str:
        return f"<NumpyWriteResult {int(self.ok.sum())} of {len(self)} rows written>"

    def __reduce__(self) -> Any:
        return (_restore, (self.result_codes, self.in_doubt, self._keys.primary_keys()))


class _PlainKeys:
    """Primary keys of a result that was pickled."""

    def __init__(self, keys: list[Any]) -> None:
        self._keys = keys

    def primary_keys(self) -> list[Any]:
        return self._keys

    def primary_key(self, row: int) -> Any:
        return self._keys[row]


def _restore(codes: Any, in_doubt: Any, keys: list[Any]) -> NumpyWriteResult:
    return NumpyWriteResult(codes, in_doubt, _PlainKeys(keys))  # type: ignore[arg-type]


def _conclude(codes: Any, in_doubt: Any, keys: Any) -> NumpyWriteResult:
    """The result; warns of rows that were not written, once a call."""
    result = NumpyWriteResult(codes, in_doubt, keys)
    text = result._describe_failures() if codes.any() else None
    if text is not None:
        warn(f"batch_write_numpy: {text}; see result_codes and raise_for_failures()", RuntimeWarning)
    return result


def _prepare(
    data: Any,
    namespace: str,
    set: str | None,
    key_field: str | None,
    keys: Any,
    bins: Sequence[str] | None,
    present: Any,
) -> tuple[Any, Any, Keys, bytes | None]:
    """Checks the arguments: the array, the dtype of what is written of it, its keys, its presence."""
    np = sys.modules.get("numpy")
    if np is None:
        raise TypeError(f"data is {_described(data)}; it must be a structured NumPy array")
    mask = np.ma.getmaskarray(data) if isinstance(data, np.ma.MaskedArray) else None
    if mask is not None:
        if present is not None:
            raise ParamError("data is a masked array, and present is given, too; choose one of them")
        data = data.data
    if not isinstance(data, np.ndarray) or data.dtype.names is None:
        raise TypeError(
            f"data is {_described(data)}; it must be a structured array, whose fields become bins: "
            'np.array(rows, dtype=[("temperature", "f8"), ...]), or frame.to_records(index=False)'
        )
    if data.ndim != 1:
        raise ParamError(f"data has {data.ndim} dimensions; it must have one, a row a record")
    data = np.asarray(data)
    names = data.dtype.names
    chosen = None if bins is None else _chosen(bins, names)
    masked_keys = None
    if keys is None:
        key_field = KEY_FIELD if key_field is None else key_field
        if key_field not in names:
            raise ParamError(
                f"data has no field {key_field!r} for the primary keys{_nearest(key_field, names)}; "
                "name it with key_field=, or pass keys="
            )
        keys = data[key_field]
        masked_keys = None if mask is None else mask[key_field]
    elif key_field is not None:
        raise ParamError("key_field and keys are given; choose one of them")
    keys = _keys(namespace, set, keys)
    if len(keys) != len(data):
        raise ParamError(f"there are {len(keys)} keys for the {len(data)} rows of data; each row needs one")
    if chosen is None:
        chosen = [name for name in names if name != key_field]
        if not chosen:
            raise ParamError(f"data has no field to write beside {key_field!r}")
    if "" in chosen:
        raise ParamError("data has a field without a name, which no bin can be; leave it out with bins=")
    presence = None if present is None else _of_present(present, chosen, len(data))
    if mask is not None:
        presence = _of_mask(mask, chosen)
        if masked_keys is not None:
            _refuse_keyless(masked_keys, presence, key_field)
    dtype = data.dtype if chosen == list(names) else data[chosen].dtype
    if presence is not None and presence.all():
        presence = None
    # The schema walks the fields in the dtype's own order.
    return data, dtype, keys, None if presence is None else np.ascontiguousarray(presence).tobytes()


def _keys(namespace: str, set: str | None, keys: Any) -> Keys:
    if not isinstance(keys, Keys):
        return Keys(namespace, set, keys)
    if (keys.namespace, keys.set or None) != (namespace, set or None):
        raise ParamError(
            f"keys are of {keys.namespace}.{keys.set or ''}, and the rows are to go to {namespace}."
            f"{set or ''}; they must be the same"
        )
    return keys


def _chosen(bins: Sequence[str], names: tuple[str, ...]) -> list[str]:
    if isinstance(bins, str):
        raise ParamError(f"bins is {bins!r}; it must be a list of field names")
    wanted = list(bins)
    if not wanted:
        raise ParamError("bins is empty; there is nothing to write")
    for name in wanted:
        if name not in names:
            raise ParamError(f"bins names {name!r}, and data has no such field{_nearest(name, names)}")
    return [name for name in names if name in wanted]


def _of_present(present: Any, chosen: list[str], rows: int) -> Any:
    """A bool for each row and chosen field."""
    import numpy as np

    present = np.asarray(present)
    if present.dtype.names is None or any(present.dtype[name] != np.bool_ for name in present.dtype.names):
        raise ParamError(
            f"present is an array of {present.dtype}; it must be a structured array with a plain bool for "
            "each field, as a batch's .present is"
        )
    if present.shape != (rows,):
        raise ParamError(f"present has the shape {present.shape}; data has {rows} rows")
    missing = [name for name in chosen if name not in present.dtype.names]
    if missing:
        raise ParamError(
            f"present has no field {missing[0]!r}, which is to be written"
            f"{_nearest(missing[0], present.dtype.names)}"
        )
    return np.stack([present[name] for name in chosen], axis=1)


def _of_mask(mask: Any, chosen: list[str]) -> Any:
    """The same from a masked array's mask."""
    import numpy as np

    columns = []
    for name in chosen:
        masked = mask[name]
        if masked.dtype != np.bool_:
            raise TypeError(
                f"field {name!r} is a struct; a bin holds one value: write its fields by themselves"
            )
        if masked.ndim > 1:
            flat = masked.reshape(len(masked), math.prod(masked.shape[1:]))
            partly = flat.any(axis=1) & ~flat.all(axis=1)
            if partly.any():
                raise ParamError(
                    f"row {int(partly.argmax())}, field {name!r}: the mask covers a part of the sub-array; "
                    "a bin is there or not: mask all of it, or none"
                )
            masked = flat.all(axis=1)
        columns.append(~masked)
    return np.stack(columns, axis=1)


def _refuse_keyless(masked: Any, presence: Any, key_field: str | None) -> None:
    """Refuses masked keys of rows that have something to write: what is behind a mask is no key."""
    if masked.ndim != 1 or masked.dtype.names is not None:
        return
    keyless = masked & presence.any(axis=1)
    if keyless.any():
        raise ParamError(
            f"row {int(keyless.argmax())}, field {key_field!r}: the key is masked, and the row has bins to "
            "write; leave such rows out: data[~data.mask[key_field]]"
        )


def _nearest(name: Any, names: Sequence[str]) -> str:
    close = get_close_matches(str(name), names, n=1)
    if close:
        return f" (did you mean {close[0]!r}?)"
    return f"; it has {', '.join(map(repr, names))}" if len(names) <= 10 else ""


def _described(data: Any) -> str:
    dtype = getattr(data, "dtype", None)
    return f"a {type(data).__name__}" + ("" if dtype is None else f" of {dtype}")
