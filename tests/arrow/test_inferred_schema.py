"""The Arrow schema that goes with an inferred dtype."""

import numpy as np
import pytest

import aerospike_py as aerospike

pa = pytest.importorskip("pyarrow")

RECORDS = [
    {
        "n": 1,
        "f": 0.5,
        "t": "short",
        "b": b"\x00\x01",
        "ok": True,
        "l": [1, 2],
        "m": {"x": 1, "who": {"name": "Ada"}},
    },
    {
        "n": 2,
        "f": 1,
        "t": "ü" * 5000,
        "b": b"",
        "ok": False,
        "l": [3, 4],
        "m": {"x": 2, "who": {"name": "Grace"}},
    },
    {
        "n": 3,
        "mixed": 1,
        "grid": [[1.5, 2.5]],
        "point": aerospike.GeoJSON('{"type": "Point", "coordinates": [1, 2]}'),
    },
    {"n": 4, "mixed": "text", "grid": [[0.0, 1.0]]},
]


def fill(client, name):
    keys = [("test", name, number) for number in range(len(RECORDS))]
    for key, record in zip(keys, RECORDS, strict=True):
        client.put(key, record)
    return keys


def test_the_sample_reads_back_whole(client, fresh_set):
    keys = fill(client, fresh_set)
    inferred = client.infer_dtype("test", fresh_set)
    assert inferred.schema == {
        "n": "int64",
        "f": "float64",
        "t": "utf8",
        "b": "binary",
        "ok": "bool",
        "l": "list<int64>",
        "m": {"x": "int64", "who": {"name": "utf8"}},
        "grid": "list<list<float64>>",
        "point": "utf8",
    }
    records = client.batch_read_arrow(keys, inferred.schema)
    assert records.decode_errors == 0
    rows = records.to_pyarrow().to_pylist()
    for row, record in zip(rows, RECORDS, strict=True):
        for name in inferred.schema:
            expected = record.get(name)
            assert row[name] == (str(expected) if name == "point" and expected is not None else expected), (
                name
            )


def test_text_that_is_too_wide_for_a_field_is_a_column(client, fresh_set):
    fill(client, fresh_set)
    inferred = client.infer_dtype("test", fresh_set, max_width=100)
    assert "t" in inferred.left_out
    assert inferred.schema["t"] == "utf8"


def test_fields_of_ones_own(client, fresh_set):
    client.put(("test", fresh_set, 1), {"when": 1_700_000_000, "v": np.arange(4, dtype="f4").tobytes()})
    fields = {"when": "M8[s]", "v": ("f4", (4,))}
    inferred = client.infer_dtype("test", fresh_set, fields=fields)
    table = client.batch_read_arrow([("test", fresh_set, 1)], inferred.schema).to_pyarrow()
    assert table.schema.field("when").type == pa.timestamp("s")
    assert table.schema.field("v").type == pa.list_(pa.float32(), 4)
    assert table["v"].to_pylist() == [[0.0, 1.0, 2.0, 3.0]]
