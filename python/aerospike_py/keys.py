"""Many keys as one object."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ._utils.describe import describe
from .exception import ParamError, ParamTypeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt


def check_word(name: str, value: Any, words: tuple[str, str]) -> None:
    """Refuses an argument that is neither of two words."""
    if isinstance(value, str) and value in words:
        return
    kind = ParamError if isinstance(value, str) else ParamTypeError
    raise kind(f'{name} is {describe(value)}; it must be "{words[0]}" or "{words[1]}"')


class _Column(Protocol):
    """A column of pandas, polars or pyarrow."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: Any, /) -> Any: ...
    def to_numpy(self) -> npt.NDArray[Any]: ...


class Keys:
    """Many keys of one set, for batches. No Python object is created per key.

    Args:
        namespace: the namespace.
        set: the set; None or an empty string for no set.
        values: the primary keys: a NumPy array of shape ``(n,)`` (any integer dtype; ``S`` or ``U`` for
            string keys; ``V<n>`` for bytes keys of exactly n bytes), a column of pandas, polars or pyarrow,
            or a sequence of ``str``, ``int`` or ``bytes``.
        key_type: ``"bytes"`` makes the values of an ``S`` array bytes keys. NumPy drops trailing NUL bytes
            from ``S`` values; use ``V<n>`` for keys that may end with them.

    Raises:
        TypeError: ``namespace`` or ``set`` is not a str, or ``values`` is not an array or sequence: for
            example, a single string, or a NumPy scalar such as a row of a structured array.
        ValueError: ``values`` does not have one dimension, or ``key_type`` is neither ``"str"`` nor
            ``"bytes"``.

    Example:
        >>> keys = Keys("test", "users", np.arange(10_000))
        >>> batch = client.batch_read(keys, _dtype=dtype)
    """

    __slots__ = ("key_type", "namespace", "set", "values")

    def __init__(
        self,
        namespace: str,
        set: str | None,
        values: npt.NDArray[Any] | Sequence[Any] | _Column,
        *,
        key_type: Literal["str", "bytes"] = "str",
    ) -> None:
        check_word("key_type", key_type, ("str", "bytes"))
        if not isinstance(namespace, str):
            raise ParamTypeError(f"Keys: namespace is {describe(namespace)}; it must be a str")
        if set is not None and not isinstance(set, str):
            raise ParamTypeError(f"Keys: set is {describe(set)}; it must be a str or None")
        _refuse_unsuitable(values)
        self.namespace = namespace
        self.set = set
        self.values = values
        self.key_type = key_type

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        return f"<Keys {self.namespace}.{self.set or ''}, {len(self)} values>"


def _refuse_unsuitable(values: Any) -> None:
    """Refuses values that cannot be an array or sequence of primary keys, whatever they contain."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and type(values) is numpy.ndarray:
        _refuse_dimensions(values.ndim)
        return
    kind = type(values).__name__
    is_bytes = isinstance(values, (bytes, bytearray)) or (
        isinstance(values, memoryview) and values.itemsize == 1
    )
    if is_bytes or isinstance(values, str) or (numpy and isinstance(values, numpy.generic)):
        # Iterating it would make keys of its characters, bytes or fields.
        raise ParamTypeError(f"Keys: values is one {kind}; it must be an array or sequence of primary keys")
    columns = getattr(values, "columns", None)
    if columns is not None:
        names = getattr(values, "column_names", columns)  # pyarrow's columns are the values
        column = f"frame[{names[0]!r}]" if len(names) else "frame['key']"
        raise ParamTypeError(
            f"Keys: values is a {kind}; pass the column that has the primary keys, as in {column}"
        )
    if hasattr(type(values), "get_level_values") and hasattr(type(values), "levels"):
        raise ParamTypeError(
            f"Keys: values is a {kind}; pass the level that has the primary keys, as in "
            "index.get_level_values(0)"
        )
    if isinstance(values, type) or not hasattr(values, "__len__") or not hasattr(values, "__getitem__"):
        raise ParamTypeError(
            f"Keys: values is {describe(values)}; it must be an array or sequence of primary keys"
        )
    shape = getattr(values, "shape", None)
    if isinstance(shape, tuple):
        _refuse_dimensions(len(shape))


def _refuse_dimensions(number: int) -> None:
    if number != 1:
        raise ParamError(f"Keys: values has {number} dimensions; it must have one")


# How to convert arrays that cannot be keys, by kind of dtype.
_CONVERSIONS = {
    "b": 'convert it to integers: values.astype("i8")',
    "f": 'convert it to integers, if its values are: values.astype("i8")',
    "M": 'convert it to integers: values.view("i8")',
    "m": 'convert it to integers: values.view("i8")',
}


def _plain_values(values: Any) -> Any:
    """The values as a plain array of shape ``(n,)`` or a sequence. Refuses missing values.

    The extension calls this once per ``Keys``, so that it need not know masks, pandas or subclasses of
    ndarray.
    """
    _refuse_unsuitable(values)
    numpy = sys.modules.get("numpy")
    if numpy is None or type(values) is not numpy.ndarray:
        isna = getattr(values, "isna", None)
        if isna is not None:
            _refuse_missing(isna(), "missing (NA)", ".dropna()")
        elif _null_count(values):
            # A column of polars or pyarrow.
            nulls = values.is_null()
            row = list(nulls.to_pylist() if hasattr(nulls, "to_pylist") else nulls.to_list()).index(True)
            remedy = ".drop_nulls()" if hasattr(values, "drop_nulls") else ".drop_null()"
            raise _missing(row, "null", remedy)
        if hasattr(values, "to_pylist"):
            # Arrays of pyarrow copy only on request: text and bytes have no layout of NumPy.
            values = values.to_numpy(zero_copy_only=False)
        elif hasattr(values, "to_numpy"):
            values = values.to_numpy()
        if numpy is None or not isinstance(values, numpy.ndarray):
            return values
        if isinstance(values, numpy.ma.MaskedArray):
            _refuse_missing(numpy.ma.getmaskarray(values), "masked", ".compressed()")
            values = values.data
        values = numpy.asarray(values)
        _refuse_dimensions(values.ndim)
    kind = values.dtype.kind
    if values.dtype.names is not None:
        raise ParamError(
            "Keys: values is a structured array; pass one of its fields, "
            f"such as values[{values.dtype.names[0]!r}]"
        )
    if kind in "mM":
        _refuse_missing(numpy.isnat(values), "NaT", "values[~numpy.isnat(values)]")
    if kind == "T":
        return values.astype(object)
    if kind not in "iuSUVO":
        conversion = _CONVERSIONS.get(kind, "pass integers, S, U, V<n> or objects")
        raise ParamError(f"Keys: values is an array of {values.dtype}, which cannot be keys; {conversion}")
    return values


def _null_count(values: Any) -> int:
    """The number of nulls in a column of polars or pyarrow; 0 for anything else."""
    if not hasattr(values, "is_null"):
        return 0
    count = getattr(values, "null_count", 0)
    return int(count() if callable(count) else count)


def _refuse_missing(missing: Any, adjective: str, remedy: str) -> None:
    if missing.any():
        raise _missing(int(missing.argmax()), adjective, remedy)


def _missing(row: int, adjective: str, remedy: str) -> ParamError:
    return ParamError(f"Keys: values[{row}] is {adjective}; leave such keys out with {remedy}")
