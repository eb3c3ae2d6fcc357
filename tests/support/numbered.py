"""Records whose values follow from their number, so that a whole batch can be checked at once."""

from __future__ import annotations

from typing import Any

import numpy as np

import aerospike_py as aerospike

N = 600
DTYPE = np.dtype([("v", "i8"), ("t", "S6")])


def fill(config: Any, name: str) -> None:
    """Writes the records of numbers 0 to N - 1 into the set ``test.name``."""
    with aerospike.client(config) as client:
        for number in range(N):
            client.put(("test", name, number), {"v": number * 3, "t": f"r{number}"})


def is_right(batch: Any, rows: slice = slice(None)) -> bool:
    """Whether these rows were found and have the values that :func:`fill` wrote."""
    numbers = np.arange(N)[rows]
    records = batch.batch_records[rows]
    return bool(
        batch.ok[rows].all()
        and (records["v"] == numbers * 3).all()
        and (records["t"] == np.char.add("r", numbers.astype(str)).astype("S6")).all()
    )
