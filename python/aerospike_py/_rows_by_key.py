"""The rows of a batch by whole key: namespace, set and primary key or digest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._types import BatchKeys


def tuple_of(key: dict[str, Any]) -> tuple[Any, ...]:
    """A key that is a dict, as a tuple."""
    return tuple(key.get(name) for name in ("ns", "set", "key", "digest"))


class RowsByKey:
    """The rows of a batch by whole key. The last row of a repeated key wins.

    Two keys may have the same primary key in Python: text that is not UTF-8 is shown as bytes. Their digests
    differ. Without a digest, such a primary key is that of the bytes key, if the batch has it.
    """

    def __init__(self, keys: BatchKeys) -> None:
        primary_keys = keys.primary_keys()
        space_of = keys.space_of() or [0] * len(primary_keys)
        text = keys.text_digests()
        self._spaces = keys.spaces()
        # By index into the spaces, and primary key.
        self._rows: dict[tuple[int, Any], int] = {(space_of[row], primary_keys[row]): row for row in text}
        self._rows |= {
            (space, key): row
            for row, (space, key) in enumerate(zip(space_of, primary_keys, strict=True))
            if row not in text
        }
        # Of text that is not UTF-8, by index into the spaces, and digest.
        self._text_rows = {(space_of[row], digest): row for row, digest in text.items()}

    def spaces_with(self, primary_key: Any) -> list[tuple[str, str]]:
        """The (namespace, set) pairs in which the batch has this primary key."""
        return [space for i, space in enumerate(self._spaces) if (i, primary_key) in self._rows]

    def row(self, key: tuple[Any, ...]) -> int:
        """The row of a key tuple.

        Raises:
            KeyError: the batch does not have it.
        """
        if len(key) not in (3, 4):
            raise KeyError(f"{key!r} is neither a primary key nor (namespace, set, primary key)")
        namespace, set_, primary_key, digest = (*key, None)[:4]
        if primary_key is None:
            primary_key, digest = digest, None
        if isinstance(primary_key, bytearray):
            primary_key = bytes(primary_key)
        if isinstance(digest, bytearray):
            digest = bytes(digest)
        try:
            space = self._spaces.index((namespace, set_ or ""))
            row = self._rows[space, primary_key]
            if digest is not None and self._text_rows and isinstance(primary_key, bytes):
                row = self._row_by_digest(space, digest, row)
        except (ValueError, KeyError, TypeError):
            raise KeyError(f"{key!r} was not in the batch") from None
        return row

    def _row_by_digest(self, space: int, digest: bytes, of_bytes: int) -> int:
        """The row of the key of text, or of the bytes key, whichever has this digest."""
        row = self._text_rows.get((space, digest))
        if row is not None:
            return row
        if of_bytes in self._text_rows.values():
            raise KeyError(digest)
        return of_bytes
