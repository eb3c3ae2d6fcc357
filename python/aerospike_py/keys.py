"""Keys of a batch without a Python object for each."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Literal

from .exception import ParamError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt


class Keys:
    """Many keys of one set, for ``batch_read``: no Python object per key is ever made.

    Args:
        namespace: the namespace.
        set: the set, None or empty for none.
        values: primary keys: a one-dimensional NumPy array (any integer kind; ``S`` or ``U`` for string
            keys; ``V<n>`` for bytes keys of exactly n bytes), a pandas column, or a sequence of ``str``,
            ``int`` or ``bytes``.
        key_type: ``"bytes"`` makes an ``S`` array mean bytes keys. NumPy has cut their trailing NULs by
            then: use a ``V<n>`` array for keys that may end in them.

    Example:
        >>> keys = Keys("test", "users", np.arange(10_000))
        >>> batch = client.batch_read(keys, _dtype=dtype)
    """

    __slots__ = ("key_type", "namespace", "set", "values")

    def __init__(
        self,
        namespace: str,
        set: str | None,
        values: npt.NDArray[Any] | Sequence[Any],
        *,
        key_type: Literal["str", "bytes"] = "str",
    ) -> None:
        if key_type not in ("str", "bytes"):
            raise ValueError(f'key_type is {key_type!r}; it must be "str" or "bytes"')
        if isinstance(values, (str, bytes, bytearray)):
            raise TypeError(
                f"values is one {type(values).__name__}; it must be an array or sequence of primary keys"
            )
        self.namespace = namespace
        self.set = set
        self.values = values
        self.key_type = key_type

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        return f"<Keys {self.namespace}.{self.set or ''}, {len(self)} values>"


# What an array of another kind can be turned into.
_INSTEAD = {
    "b": 'make it integers: values.astype("i8")',
    "f": 'make it integers, if it holds such: values.astype("i8")',
    "M": 'make it integers: values.view("i8")',
    "m": 'make it integers: values.view("i8")',
}


def _plain(values: Any) -> Any:
    """The values as a plain one-dimensional array or a sequence; refused where one is missing.

    Runs once for each Keys: what follows reads memory and need not know masks, pandas or subclasses.
    """
    isna = getattr(values, "isna", None)
    if isna is not None:
        _refuse_missing(isna(), "missing (NA)", ".dropna()")
    if hasattr(values, "to_numpy"):
        values = values.to_numpy()
    numpy = sys.modules.get("numpy")
    if numpy is None or not isinstance(values, numpy.ndarray):
        return values
    if isinstance(values, numpy.ma.MaskedArray):
        _refuse_missing(numpy.ma.getmaskarray(values), "masked", ".compressed()")
        values = values.data
    values = numpy.asarray(values)
    if values.ndim != 1:
        raise ParamError(f"Keys: values has {values.ndim} dimensions; it must have one")
    kind = values.dtype.kind
    if values.dtype.names is not None:
        raise ParamError(
            "Keys: values is a structured array; pass one field of it, "
            f"such as values[{values.dtype.names[0]!r}]"
        )
    if kind == "T":
        return values.astype(object)
    if kind not in "iuSUVO":
        instead = _INSTEAD.get(kind, "pass integers, S, U, V<n> or objects")
        raise ParamError(f"Keys: values is an array of {values.dtype}, which no key can be of; {instead}")
    return values


def _refuse_missing(missing: Any, what: str, remedy: str) -> None:
    if missing.any():
        row = int(missing.argmax())
        raise ParamError(f"Keys: values[{row}] is {what}; leave such keys out with {remedy}")
