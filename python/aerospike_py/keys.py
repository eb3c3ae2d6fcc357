"""Keys of a batch without a Python object for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

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
