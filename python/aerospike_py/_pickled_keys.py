"""The keys of a batch result after pickling."""

from __future__ import annotations

from typing import Any


class PickledKeys:
    """Keys as Python objects: they take the place of the extension's ``KeyTable`` in a pickled batch."""

    def __init__(
        self,
        primary_keys: list[Any],
        spaces: list[tuple[str, str]],
        space_of: list[int] | None,
        digest_rows: list[int],
        text_digests: dict[int, bytes],
    ) -> None:
        self._primary_keys = primary_keys
        self._spaces = spaces
        self._space_of = space_of
        self._digest_rows = digest_rows
        self._text_digests = text_digests

    def __len__(self) -> int:
        return len(self._primary_keys)

    def primary_key(self, row: int) -> Any:
        return self._primary_keys[row]

    def primary_keys(self) -> list[Any]:
        return self._primary_keys

    def digest_rows(self) -> list[int]:
        return self._digest_rows

    def text_digests(self) -> dict[int, bytes]:
        return self._text_digests

    def spaces(self) -> list[tuple[str, str]]:
        return self._spaces

    def space_of(self) -> list[int] | None:
        return self._space_of


def pickled(keys: Any) -> PickledKeys:
    """What takes the place of the keys of a result."""
    if isinstance(keys, PickledKeys):
        return keys
    return PickledKeys(
        keys.primary_keys(), keys.spaces(), keys.space_of(), keys.digest_rows(), keys.text_digests()
    )
