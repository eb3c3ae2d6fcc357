"""A file that grows by blocks of rows and survives a kill at any moment.

It holds Arrow IPC streams, one after another: each run that goes on with it adds one. A run that was stopped
leaves bytes behind the last checkpoint; the next one cuts them off. CSV needs no end, so it grows as it is.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from .formats import as_text, pyarrow
from .state import sync

if TYPE_CHECKING:
    from collections.abc import Iterator

# The end of an Arrow IPC stream.
_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"


class Spool:
    """The open file. ``size`` is what the last checkpoint kept; 0 begins a new file."""

    def __init__(self, path: str, form: str, size: int) -> None:
        self._pa = pyarrow()
        self._form = form
        self._writer: Any = None
        self._is_new = size == 0
        self._file = open(path, "r+b" if size else "wb")  # noqa: SIM115 (closed by `close`)
        self._file.truncate(size)
        self._file.seek(size)

    def write(self, table: Any) -> None:
        """Appends rows. All tables have one schema."""
        if self._writer is None:
            self._writer = self._begin(table.schema)
        self._writer.write_table(as_text(table) if self._form == "csv" else table)

    def checkpoint(self) -> int:
        """Brings what was written to the disk and returns the size to go on from."""
        sync(self._file)
        return self._file.tell()

    def end(self) -> int:
        """Ends the stream, after the last rows, and returns the size."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        return self.checkpoint()

    def close(self) -> None:
        self._file.close()

    def _begin(self, schema: Any) -> Any:
        pa = self._pa
        if self._form == "csv":
            options = pa.csv.WriteOptions(include_header=self._is_new)
            return pa.csv.CSVWriter(self._file, as_text(schema.empty_table()).schema, write_options=options)
        if not self._is_new:
            self._file.write(_END)
        codec = "lz4" if pa.Codec.is_available("lz4") else None
        return pa.ipc.new_stream(self._file, schema, options=pa.ipc.IpcWriteOptions(compression=codec))


def read_spool(path: str) -> Iterator[Any]:
    """The record batches of a spool of Arrow streams, all of whose streams have ended."""
    pa = pyarrow()
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        while file.tell() < size:
            yield from pa.ipc.open_stream(file)


def schema_of(path: str) -> Any:
    """The schema of a spool of Arrow streams."""
    with open(path, "rb") as file:
        return pyarrow().ipc.open_stream(file).schema
