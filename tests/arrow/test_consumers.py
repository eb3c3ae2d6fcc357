"""Other libraries read and write with the columns: Parquet files, DLPack, PyTorch, pandas 2 and 3.

``.venv`` has pandas 3 and no PyTorch; `make test-consumers` runs this folder with pandas 2 and PyTorch.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import aerospike_py as aerospike

ROWS = 300
pytestmark = pytest.mark.filterwarnings("ignore:Exporting an unversioned DLPack:DeprecationWarning")

#: Fixed-width columns, and what NumPy calls their type.
FIXED = {
    "i1": ("int8", "i1"),
    "i4": ("int32", "i4"),
    "i8": ("int64", "i8"),
    "u2": ("uint16", "u2"),
    "f4": ("float32", "f4"),
    "f8": ("float64", "f8"),
}


@pytest.fixture
def keys(client: Any, fresh_set: str) -> Any:
    table = pa.table(
        {
            "id": range(ROWS),
            **{name: pa.array([row % 100 for row in range(ROWS)], kind) for name, (kind, _) in FIXED.items()},
            "text": [None if row % 7 == 0 else f"text {row}" for row in range(ROWS)],
            "maybe": pa.array([None if row % 5 == 0 else row for row in range(ROWS)], pa.int64()),
            "vector": [[row / 4, row / 2, float(row)] for row in range(ROWS)],
        }
    )
    assert client.batch_write_arrow(table, "test", fresh_set, key="id").ok.all()
    return aerospike.Keys("test", fresh_set, np.arange(ROWS))


def _fixed(client: Any, keys: Any) -> pa.RecordBatch:
    records = client.batch_read_arrow(keys, {name: kind for name, (kind, _) in FIXED.items()})
    (batch,) = records.to_pyarrow().to_batches()
    return batch


# -- DLPack and PyTorch


def test_dlpack_shares_the_columns(client: Any, keys: Any) -> None:
    batch = _fixed(client, keys)
    for name, (_, dtype) in FIXED.items():
        column = batch.column(name)
        array = np.from_dlpack(column)
        assert (array.dtype, array.tolist()) == (np.dtype(dtype), [row % 100 for row in range(ROWS)])
        assert array.ctypes.data == column.buffers()[1].address + column.offset * array.itemsize
    part = np.from_dlpack(batch.column("i4").slice(10, 5))
    del batch, column
    assert part.tolist() == [10, 11, 12, 13, 14]


def test_dlpack_refuses_nulls(client: Any, keys: Any) -> None:
    maybe = client.batch_read_arrow(keys, {"maybe": "int64"}).to_pyarrow()["maybe"].chunk(0)
    with pytest.raises(TypeError, match="null"):
        np.from_dlpack(maybe)


def test_tensors_share_the_columns(client: Any, keys: Any) -> None:
    torch = pytest.importorskip("torch")
    batch = _fixed(client, keys)
    for name in ("i1", "i4", "i8", "f4", "f8"):
        column = batch.column(name)
        tensor = torch.from_dlpack(column)
        assert tensor.tolist() == [row % 100 for row in range(ROWS)]
        assert tensor.data_ptr() == column.buffers()[1].address


@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable:UserWarning")
def test_tensors_of_numpy_columns(client: Any, keys: Any) -> None:
    torch = pytest.importorskip("torch")
    batch = _fixed(client, keys)
    tensor = torch.from_numpy(batch.column("f4").to_numpy())
    assert (tensor.dtype, tensor.shape) == (torch.float32, (ROWS,))
    assert tensor.data_ptr() == batch.column("f4").buffers()[1].address
    del batch
    assert float(tensor.sum()) == sum(row % 100 for row in range(ROWS))


def test_vectors_as_one_tensor(client: Any, keys: Any) -> None:
    schema = {"vector": "fixed_size_list<float32>[3]"}
    column = client.batch_read_arrow(keys, schema).to_pyarrow()["vector"].chunk(0)
    matrix = column.flatten().to_numpy().reshape(-1, 3)
    assert matrix[40].tolist() == [10.0, 20.0, 40.0]
    torch = pytest.importorskip("torch")
    tensor = torch.from_dlpack(column.flatten()).reshape(-1, 3)
    assert (tensor.dtype, tensor.shape) == (torch.float32, (ROWS, 3))
    assert tensor[40].tolist() == [10.0, 20.0, 40.0]


# -- Parquet

#: Every type that Parquet keeps as it is.
KEPT: dict[str, pa.DataType] = {
    "y": pa.bool_(),
    "i1": pa.int8(),
    "i8": pa.int64(),
    "u4": pa.uint32(),
    "f4": pa.float32(),
    "f8": pa.float64(),
    "t": pa.string(),
    "lt": pa.large_string(),
    "b": pa.binary(),
    "v": pa.binary(2),
    "d": pa.date32(),
    "at": pa.timestamp("ms", tz="UTC"),
    "ns": pa.timestamp("ns"),
    "e": pa.duration("us"),
    "o": pa.time64("us"),
    "l": pa.list_(pa.float32()),
    "fl": pa.list_(pa.int16(), 2),
    "s": pa.struct([("a", pa.int64()), ("b", pa.list_(pa.string()))]),
    "m": pa.map_(pa.string(), pa.int64()),
}


def _kept(row: int) -> dict[str, Any]:
    at = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc) + dt.timedelta(hours=row)
    values = {
        "y": row % 2 == 0, "i1": row % 100 - 50, "i8": row << 40, "u4": row << 20, "f4": row / 4,
        "f8": row / 3, "t": f"tëxt {row}", "lt": "x" * (row % 9), "b": bytes([row % 256, 0]),
        "v": bytes([row % 256, 1]),
        "d": at.date(), "at": at, "ns": at.replace(tzinfo=None), "e": dt.timedelta(microseconds=row),
        "o": dt.time(row % 24, 1, 2, row), "l": [row / 2] * (row % 4), "fl": [row, -row],
        "s": {"a": row, "b": ["x"] * (row % 3)}, "m": [("k", row), ("l", None)],
    }  # fmt: skip
    absent = list(values)[row % len(values)]
    return {name: None if name == absent else value for name, value in values.items()}


def test_parquet_files_come_back(client: Any, fresh_set: str, tmp_path: Path) -> None:
    schema = pa.schema([("id", pa.int64()), *KEPT.items()])
    table = pa.Table.from_pylist([{"id": row, **_kept(row)} for row in range(ROWS)], schema=schema)
    before, after = tmp_path / "before.parquet", tmp_path / "after.parquet"
    pq.write_table(table, before, row_group_size=70)
    file = pq.ParquetFile(before)
    reader = pa.RecordBatchReader.from_batches(file.schema_arrow, file.iter_batches(50))
    assert client.batch_write_arrow(reader, "test", fresh_set, key="id").ok.all()
    keys = aerospike.Keys("test", fresh_set, np.arange(ROWS))
    records = client.batch_read_arrow(keys, file.schema_arrow)
    pq.write_table(records.to_pyarrow(), after)
    assert pq.read_table(after).equals(table)


def test_a_query_goes_into_a_parquet_file(config: Any, fresh_set: str, tmp_path: Path) -> None:
    with aerospike.client(config) as client:
        table = pa.table({"id": range(ROWS), "text": [f"text {row}" for row in range(ROWS)]})
        client.batch_write_arrow(table, "test", fresh_set, key="id")
        schema = {"id": "int64", "text": "utf8"}
        reader = pa.RecordBatchReader.from_stream(client.query("test", fresh_set).arrow_batches(schema, 64))
        path = tmp_path / "set.parquet"
        with pq.ParquetWriter(path, reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)
    assert pq.ParquetFile(path).num_row_groups == -(-ROWS // 64)
    assert pq.read_table(path).sort_by("id").equals(table)


# -- pandas 2 and 3

MAJOR = int(pd.__version__.split(".")[0])


def test_frames_have_types_that_keep_nulls(client: Any, keys: Any) -> None:
    schema = {"i8": "int64", "text": "utf8", "maybe": "int64", "f4": "float32"}
    frame = client.batch_read_arrow(keys, schema).to_pandas()
    types = {"i8": pa.int64(), "text": pa.string(), "maybe": pa.int64(), "f4": pa.float32()}
    assert dict(frame.dtypes) == {name: pd.ArrowDtype(kind) for name, kind in types.items()}
    assert frame["maybe"].isna().sum() == ROWS // 5
    assert frame["maybe"].sum() == sum(row for row in range(ROWS) if row % 5)
    plain = client.batch_read_arrow(keys, schema).to_pandas(types_mapper=None)
    assert plain["maybe"].dtype == np.dtype("f8")
    text = plain["text"].dtype
    assert text == (object if MAJOR == 2 else pd.StringDtype(na_value=np.nan))


def test_frames_come_back(client: Any, fresh_set: str) -> None:
    """NaN and NA, nullable and Arrow-backed types, categories, times with zones, text, embeddings."""
    frames: Any = pd  # whose stubs take no missing values
    times = ["2026-01-01", None, "2026-03-04", "2026-05-06"]
    columns: dict[str, Any] = {
        "id": range(4),
        "nullable": frames.array([1, None, 2**53 + 1, 4], frames.Int64Dtype()),
        "arrow": frames.array([1, None, 3, 4], frames.ArrowDtype(pa.int32())),
        "text": frames.array(["a", None, "ü", ""], frames.StringDtype()),
        "category": frames.Categorical(["x", "y", None, "x"]),
        "zone": frames.to_datetime(times).tz_localize("Europe/Berlin"),
        "float": [1.5, np.nan, 2.5, 3.5],
        "vector": [np.arange(3, dtype="f4") + row for row in range(4)],
    }
    frame = frames.DataFrame(columns)
    assert client.batch_write_arrow(frame, "test", fresh_set, key="id").ok.all()
    exported = pa.table(frame)
    unit = exported.schema.field("zone").type.unit
    schema = {
        "nullable": "int64", "arrow": "int32", "text": "utf8", "category": "dictionary<int8, utf8>",
        "zone": f"timestamp[{unit}, tz=Europe/Berlin]", "float": "float64", "vector": "list<float32>",
    }  # fmt: skip
    table = client.batch_read_arrow(aerospike.Keys("test", fresh_set, np.arange(4)), schema).to_pyarrow()
    for name in schema:
        assert table[name].to_pylist() == exported[name].to_pylist(), name
    # What the unit of a frame's times is differs: it is nanoseconds in pandas 2.
    assert unit == "ns" if MAJOR == 2 else unit in {"us", "ns", "s"}
    assert client.get(("test", fresh_set, 1)).bins.keys() == {"id", "category", "vector"}
