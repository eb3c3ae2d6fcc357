"""Examples of what each kind of field makes of each type of bin.

`tests/integration/test_element_table.py` reads every example through a server, and
`python -m scripts.element_table` writes docs/element-table.md from them, so the page contains only what is
tested.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import aerospike_py as aerospike
from tests.support.records import SKETCH

POINT = '{"type":"Point","coordinates":[1.0,2.0]}'

REFUSED = "refused"


class JavaBlob(bytes):
    """An object that an old client serialized. No client writes such a bin today."""

    PARTICLE_TYPE = 7

    def __repr__(self) -> str:
        return f"Java blob {bytes.__repr__(self)}"


# Bin types, in the order of the table's columns.
BINS: dict[str, str] = {
    "integer": "integer",
    "float": "float",
    "bool": "bool",
    "string": "string",
    "blob": "blob",
    "language": "language blob",
    "geojson": "GeoJSON",
    "hll": "HLL",
    "list": "list",
    "map": "map",
}

SAMPLES: dict[str, Any] = {
    "integer": 1,
    "float": 1.5,
    "bool": True,
    "string": "text",
    "blob": b"blob",
    "language": JavaBlob(b"blob"),
    "geojson": aerospike.GeoJSON(POINT),
    "hll": aerospike.HyperLogLog(SKETCH),
    "list": [1, 2],
    "map": {"a": 1},
}


@dataclass(frozen=True)
class Example:
    """A bin value and the resulting element (or REFUSED), and whether the value was changed to fit."""

    dtype: str
    value: Any
    cell: Any
    changed: bool = False


@dataclass(frozen=True)
class Cell:
    """How a kind of field treats a type of bin."""

    rule: str
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class Row:
    """A kind of field: its name in the table, a dtype to show refusals with, and the bin types it accepts."""

    name: str
    dtype: str
    takes: dict[str, Cell]

    def cell(self, bin_type: str) -> Cell:
        taken = self.takes.get(bin_type)
        return taken or Cell(REFUSED, (Example(self.dtype, SAMPLES[bin_type], REFUSED),))


def example(dtype: str, value: Any, cell: Any, *, changed: bool = False) -> Example:
    return Example(dtype, value, cell, changed)


TRUTH_RULE = "0 or 1"
BYTES_RULE = "truncated or zero-padded to n bytes"

ROWS: tuple[Row, ...] = (
    Row(
        "`i1` `i2` `i4` `i8`",
        "i4",
        {
            "integer": Cell(
                "low bits (two's complement)",
                (
                    example("i1", 127, 127),
                    example("i1", 300, 44, changed=True),
                    example("i2", -32769, 32767, changed=True),
                    example("i4", -(2**31), -(2**31)),
                    example("i8", -(2**63), -(2**63)),
                ),
            ),
            "float": Cell(
                "truncated toward zero; NaN, infinity and out-of-range values are refused",
                (
                    example("i2", -2.0, -2),
                    example("i2", -2.75, -2, changed=True),
                    example("i2", 32768.0, REFUSED),
                    example("i8", 2.0**63, REFUSED),
                    example("i4", math.nan, REFUSED),
                    example("i4", -math.inf, REFUSED),
                ),
            ),
            "bool": Cell(TRUTH_RULE, (example("i4", True, 1), example("i1", False, 0))),
        },
    ),
    Row(
        "`u1` `u2` `u4` `u8`",
        "u4",
        {
            "integer": Cell(
                "low bits (two's complement)",
                (
                    example("u1", 255, 255),
                    example("u1", -1, 255, changed=True),
                    example("u2", 65536, 0, changed=True),
                    example("u8", 2**63 - 1, 2**63 - 1),
                    example("u8", -1, 2**64 - 1, changed=True),
                ),
            ),
            "float": Cell(
                "truncated toward zero; NaN, infinity and out-of-range values are refused",
                (
                    example("u1", 255.5, 255, changed=True),
                    example("u1", -0.5, 0, changed=True),
                    example("u1", -1.0, REFUSED),
                    example("u8", 2.0**63, 2**63),
                    example("u8", 2.0**64, REFUSED),
                ),
            ),
            "bool": Cell(TRUTH_RULE, (example("u4", True, 1), example("u1", False, 0))),
        },
    ),
    Row(
        "`f2` `f4` `f8`",
        "f8",
        {
            "integer": Cell(
                "rounded to nearest",
                (
                    example("f8", 2**53, 2.0**53),
                    example("f8", 2**53 + 1, 2.0**53, changed=True),
                    example("f2", 65519, 65504.0, changed=True),
                    example("f2", 65520, math.inf, changed=True),
                ),
            ),
            "float": Cell(
                "rounded to nearest; counts as changed only if it becomes infinite",
                (
                    example("f8", -0.0, -0.0),
                    example("f4", 0.1, 0.10000000149011612),
                    example("f2", 5.9604644775390625e-08, 5.9604644775390625e-08),
                    example("f4", 1e300, math.inf, changed=True),
                    example("f2", math.nan, math.nan),
                    example("f4", -math.inf, -math.inf),
                ),
            ),
            "bool": Cell(TRUTH_RULE, (example("f4", True, 1.0),)),
        },
    ),
    Row(
        "`?`",
        "?",
        {
            "integer": Cell("non-zero is True", (example("?", 0, False), example("?", -5, True))),
            "bool": Cell("unchanged", (example("?", True, True), example("?", False, False))),
        },
    ),
    Row(
        "`M8[unit]` `m8[unit]`",
        "M8[s]",
        {
            "integer": Cell(
                "the stored integer, unchanged",
                (example("M8[s]", 1_700_000_000, 1_700_000_000), example("m8[ms]", -5, -5)),
            ),
        },
    ),
    Row(
        "`S<n>`",
        "S8",
        {
            "string": Cell(
                BYTES_RULE,
                (
                    example("S8", "text", b"text"),
                    example("S4", "exact", b"exac", changed=True),
                    example("S1", "é", b"\xc3", changed=True),
                    example("S3", "", b""),
                ),
            ),
            "blob": Cell(
                BYTES_RULE,
                (example("S4", b"\x01\x02", b"\x01\x02"), example("S1", b"ab", b"a", changed=True)),
            ),
            "language": Cell(BYTES_RULE, (example("S4", JavaBlob(b"\xac\xed"), b"\xac\xed"),)),
            "geojson": Cell(
                "its text, truncated or zero-padded to n bytes",
                (
                    example("S48", aerospike.GeoJSON(POINT), POINT.encode()),
                    example("S4", aerospike.GeoJSON(POINT), POINT[:4].encode(), changed=True),
                ),
            ),
        },
    ),
    Row(
        "`V<n>`",
        "V8",
        {
            "string": Cell(
                BYTES_RULE, (example("V4", "ab", b"ab\x00\x00"), example("V1", "ab", b"a", changed=True))
            ),
            "blob": Cell(
                BYTES_RULE,
                (
                    example("V2", b"a\x00", b"a\x00"),
                    example("V3", b"", bytes(3)),
                    example("V1", b"ab", b"a", changed=True),
                ),
            ),
            "language": Cell(
                BYTES_RULE,
                (
                    example("V3", JavaBlob(b"\xac\xed"), b"\xac\xed\x00"),
                    example("V1", JavaBlob(b"\xac\xed"), b"\xac", changed=True),
                ),
            ),
            "hll": Cell(BYTES_RULE, (example("V23", aerospike.HyperLogLog(SKETCH), SKETCH),)),
        },
    ),
    Row(
        "sub-array",
        "(2,)i4",
        {
            "blob": Cell(
                "copied without byte swapping; must be exactly as long as the field",
                (
                    example("(2,)u1", b"\x01\x02", [1, 2]),
                    example("(2,)>u2", b"\x01\x02\x03\x04", [0x0102, 0x0304]),
                    example("(2,)u1", b"\x01", REFUSED),
                    example("(2,)u1", b"\x01\x02\x03", REFUSED),
                ),
            ),
            "language": Cell(
                "as a blob",
                (
                    example("(2,)u1", JavaBlob(b"\x01\x02"), [1, 2]),
                    example("(2,)u1", JavaBlob(b"\x01"), REFUSED),
                ),
            ),
            "list": Cell(
                "converted element by element, nested for more dimensions; the shape must match",
                (
                    example("(3,)f4", [1, 2.5, True], [1.0, 2.5, 1.0]),
                    example("(2,2)i2", [[1, 2], [3, 4]], [[1, 2], [3, 4]]),
                    example("(2,)i1", [1, 300], [1, 44], changed=True),
                    example("(2,)?", [0, 5], [False, True]),
                    example("(2,)i2", [1], REFUSED),
                    example("(2,)i2", [1, "2"], REFUSED),
                    example("(2,)i2", [1, None], REFUSED),
                    example("(2,2)i2", [1, 2, 3, 4], REFUSED),
                ),
            ),
        },
    ),
    Row(
        "struct",
        "i8,f4",
        {
            "map": Cell(
                "each key's value into the field of its name; see [nested fields](nested.md)",
                (
                    example("i8,f4", {"f0": 1, "f1": 2.5, "other": 3}, (1, 2.5)),
                    example("i1,S2", {"f1": "abc", "f0": 7}, (7, b"ab"), changed=True),
                    example("(2,)i2,?", {"f0": [1, 2], "f1": 1}, ([1, 2], True)),
                ),
            ),
        },
    ),
)
