"""Records whose values identify their row and version, and the rows that a fault may make of them."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

ROWS = 4
PADDING = 0xEE
# Gaps before, between and after the fields: bytes that must not be written.
DTYPE = np.dtype(
    {
        "names": ["whole", "ratio", "text", "bytes", "list", "flag", "vector"],
        "formats": [">i8", "<f8", "S8", "V6", ("<i4", (3,)), "?", ("<f4", (2,))],
        "offsets": [3, 16, 25, 35, 41, 55, 60],
        "itemsize": 71,
    }
)
NAMES = DTYPE.names or ()


def numbers(version: int) -> range:
    """One number for each row; no two versions share one."""
    return range(version * ROWS, (version + 1) * ROWS)


def record(n: int) -> dict[str, Any]:
    """The bins of the row with that number. Their size on the wire is the same for every number."""
    return {
        "whole": n + 1,
        "ratio": n + 0.5,
        "text": f"{n:08d}",
        "bytes": n.to_bytes(6, "big"),
        "list": [1_000 + (n + i) % 60_000 for i in range(3)],
        "flag": bool(n % 2),
        "vector": struct.pack("<ff", n, n + 0.25),
    }


def rows(version: int) -> np.ndarray[Any, Any]:
    """The records of a version as an array, with untouched padding."""
    made = np.empty(ROWS, DTYPE)
    made.view("u1").fill(PADDING)
    for row, n in zip(made, numbers(version), strict=True):
        bins = record(n)
        for name in NAMES:
            row[name] = np.frombuffer(bins[name], "<f4") if name == "vector" else bins[name]
    return made


def places(answer: bytes) -> list[tuple[int | None, str]]:
    """For each byte of a batch answer: its row (None in frame headers and at the end) and what it is part of.

    That is "header", "op" (what stands before a value), or the name of the bin whose value it is in.
    """
    found: list[tuple[int | None, str]] = []
    at = 0
    while at < len(answer):
        body_end = at + 8 + int.from_bytes(answer[at + 2 : at + 8], "big")
        found += [(None, "frame")] * 8
        at += 8
        while at < body_end:
            is_last = answer[at + 3] & 1
            row = None if is_last else int.from_bytes(answer[at + 14 : at + 18], "big")
            count = int.from_bytes(answer[at + 20 : at + 22], "big")
            found += [(row, "header")] * 22
            at += 22
            for _ in range(count):
                end = at + 4 + int.from_bytes(answer[at : at + 4], "big")
                value = at + 8 + answer[at + 7]
                name = answer[at + 8 : value].decode()
                found += [(row, "op")] * (value - at) + [(row, name)] * (end - value)
                at = end
    assert len(found) == len(answer)
    return found


class Canvas:
    """An array for ``out``, with rows before and after it that must not be written."""

    AROUND = 3

    def __init__(self) -> None:
        self._whole = np.empty(ROWS + 2 * self.AROUND, DTYPE)
        self.out = self._whole[self.AROUND : -self.AROUND]
        fields = np.zeros(DTYPE.itemsize, bool)
        for name in NAMES:
            assert DTYPE.fields is not None
            dtype, offset = DTYPE.fields[name][:2]
            fields[offset : offset + dtype.itemsize] = True
        self._padding = ~fields

    def clear(self) -> None:
        self._whole.view("u1").fill(PADDING)

    def check(self) -> None:
        """Checks that only fields of the rows in the middle were written."""
        whole = self._whole.view("u1").reshape(len(self._whole), DTYPE.itemsize)
        assert (whole[: self.AROUND] == PADDING).all()
        assert (whole[-self.AROUND :] == PADDING).all()
        assert (whole[:, self._padding] == PADDING).all()


def check_rows(
    batch: Any, versions: list[np.ndarray[Any, Any]], place: tuple[int | None, str] | None
) -> tuple[int, int]:
    """Each row that was found is one record's, but for what a fault at ``place`` explains.

    None as the place: the fault changes no byte. Else one row may differ: in the cell whose value was hit;
    in cells that are missing (what names or types a value was hit); or, if a header was hit, by being the
    record of another row: the protocol has no checksum, and an index stands for the whole key. Returns how
    many rows were found, and how many of those differ.
    """
    found = differing = 0
    for number in range(ROWS):
        row = batch.batch_records[number]
        if batch.result_codes[number] != 0:
            assert all(not np.any(blank(row[name])) for name in NAMES), number
            continue
        found += 1
        if any(wrong_cells(row, rows[number]) == [] for rows in versions):
            continue
        differing += 1
        assert place is not None, (number, row)
        hit, what = place
        source = number if what != "header" or hit is None else hit
        allowed = [
            all(name == what or not np.any(blank(row[name])) for name in wrong_cells(row, rows[candidate]))
            for rows in versions
            for candidate in {number, source}
        ]
        assert any(allowed), (number, place, row)
    assert differing <= 1
    return found, differing


def wrong_cells(row: Any, right: Any) -> list[str]:
    return [name for name in NAMES if row[name].tobytes() != right[name].tobytes()]


def blank(value: Any) -> Any:
    return np.frombuffer(np.asarray(value).tobytes(), "u1")
