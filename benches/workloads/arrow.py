"""Records whose values have no fixed width: text, and lists of floats."""

from __future__ import annotations

import numpy as np

from benches.workloads.base import Row, Workload

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789ABCD"
SIZES = (100_000,)


def texts(number: int) -> Row:
    """Five texts of 5 to 40 letters."""
    return tuple(LETTERS[: 5 + (number * 7 + place * 13) % 36] for place in range(5))


def floats(number: int) -> Row:
    """A list of 16 to 64 floats, all of which float32 holds."""
    return ([(number + place) * 0.25 for place in range(16 + number % 49)],)


def texts_of_fields(row: Row) -> Row:
    return tuple(text.encode() for text in row)


def padded(row: Row) -> Row:
    (values,) = row
    return ([*values, *[0.0] * (64 - len(values))],)


TEXTS = Workload(
    name="arrow-text",
    title="5 texts of 5 to 40 bytes a record",
    sets=("bench_arrow_text",),
    dtype=np.dtype([(f"t{place}", "S40") for place in range(5)]),
    row=texts,
    cells=texts_of_fields,
    sizes=SIZES,
)
LISTS = Workload(
    name="arrow-lists",
    title="a list of 16 to 64 floats a record",
    sets=("bench_arrow_lists",),
    # Only the name counts: no field has lists of many lengths.
    dtype=np.dtype([("values", "f4", (64,))]),
    row=floats,
    cells=padded,
    sizes=SIZES,
)
SCHEMAS: dict[str, dict[str, str]] = {
    "numeric": {
        "temperature": "float64",
        "humidity": "int32",
        "pressure": "float64",
        "stamp": "int64",
        "status": "uint8",
    },
    TEXTS.name: {f"t{place}": "utf8" for place in range(5)},
    LISTS.name: {"values": "list<float32>"},
}
