"""Names for what the clients take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from .keys import Keys as _Keys

PrimaryKey: TypeAlias = "str | int | bytes | bytearray | np.integer[Any]"
KeyLike: TypeAlias = (
    "tuple[str, str | None, PrimaryKey] | tuple[str, str | None, PrimaryKey | None, bytes | bytearray]"
)
Keys: TypeAlias = "Sequence[KeyLike] | _Keys | Sequence[_Keys]"
PrimaryKeys: TypeAlias = "npt.NDArray[Any] | Sequence[PrimaryKey] | _Keys"
Bins: TypeAlias = Mapping[str, Any]
Casting: TypeAlias = Literal["unsafe", "same_value"]
Errors: TypeAlias = Literal["raise", "coerce"]
