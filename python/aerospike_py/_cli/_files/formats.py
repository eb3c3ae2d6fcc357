"""The formats of files: Parquet, Arrow IPC and CSV, read by imports and written by exports."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ..output import Failure, WrongArguments

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Suffix of a file to its format.
SUFFIXES = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".csv": "csv",
}
FORMATS = ("parquet", "arrow", "csv")

# Bytes of a CSV file that are read at a time. Types without --column are inferred from the first block.
_CSV_BLOCK = 8 << 20


def format_of(path: str, given: str | None) -> str:
    """The format of a file: what ``--format`` says, else by the file's name.

    Raises:
        WrongArguments: neither says it.
    """
    found = given or SUFFIXES.get(os.path.splitext(path)[1].lower())
    if found is None:
        raise WrongArguments(
            f"the name {path!r} does not say its format; pass --format parquet, arrow or csv, or a name that "
            f"ends in one of {', '.join(SUFFIXES)}"
        )
    return found


def pyarrow() -> Any:
    """pyarrow, with the modules that files need.

    Raises:
        Failure: it is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.csv
        import pyarrow.parquet
    except ImportError as error:
        raise Failure(
            f"files are read and written with pyarrow, which cannot be imported ({error}); install pyarrow "
            "16 or newer, or this package with its extra: python -m pip install '.[files]'"
        ) from None
    return pa


# ---------------------------------------------------------------- reading


class Source:
    """A file whose rows are read in blocks, from any row on."""

    def __init__(self, path: str, form: str, columns: Mapping[str, str], rows: int) -> None:
        self._pa = pyarrow()
        self._path, self._form, self._rows = path, form, rows
        if columns and form != "csv":
            raise WrongArguments(f"--column is for CSV; the columns of {path} have types of their own")
        self._types = {name: self._type(name, text) for name, text in columns.items()}
        with self._errors():
            if form == "parquet":
                # A map of memory: reading on from a row touches only what is behind it.
                self._parquet = self._pa.parquet.ParquetFile(path, memory_map=True)
                self.schema, self.count = self._parquet.schema_arrow, self._parquet.metadata.num_rows
            elif form == "arrow":
                self.schema, self.count = self._ipc().schema, None
            else:
                self.schema, self.count = self._csv().schema, None
        missing = [name for name in self._types if name not in self.schema.names]
        if missing:
            raise WrongArguments(f"--column {missing[0]}: {path} has no such column; {self._listed()}")

    def check_column(self, name: str, option: str) -> None:
        """Refuses a name that is no column.

        Raises:
            WrongArguments: it is none.
        """
        if name not in self.schema.names:
            raise WrongArguments(f"{option} {name}: {self._path} has no such column; {self._listed()}")

    def blocks(self, first: int) -> Iterator[Any]:
        """Tables of at most ``rows`` rows, from row ``first`` on."""
        with self._errors():
            for batch in self._batches(first):
                for start in range(0, batch.num_rows, self._rows):
                    yield self._pa.Table.from_batches([batch.slice(start, self._rows)])

    def _batches(self, first: int) -> Iterator[Any]:
        if self._form == "parquet":
            metadata = self._parquet.metadata
            groups = list(range(metadata.num_row_groups))
            while groups and first >= (rows := metadata.row_group(groups[0]).num_rows):
                first -= rows
                del groups[0]
            found = self._parquet.iter_batches(self._rows, row_groups=groups)
        elif self._form == "arrow":
            reader = self._ipc()
            found = (
                (reader.get_batch(number) for number in range(reader.num_record_batches))
                if hasattr(reader, "num_record_batches")
                else reader
            )
        else:
            found = self._csv()
        for batch in found:
            if first >= batch.num_rows:
                first -= batch.num_rows
                continue
            yield batch.slice(first)
            first = 0

    def _ipc(self) -> Any:
        pa = self._pa
        mapped = pa.memory_map(self._path)
        try:
            return pa.ipc.open_file(mapped)
        except pa.ArrowInvalid:
            mapped.seek(0)
            return pa.ipc.open_stream(mapped)

    def _csv(self) -> Any:
        csv = self._pa.csv
        return csv.open_csv(
            self._path,
            read_options=csv.ReadOptions(block_size=_CSV_BLOCK),
            parse_options=csv.ParseOptions(newlines_in_values=True),
            convert_options=csv.ConvertOptions(
                column_types=self._types,
                # Only an empty field without quotes is null: "NA" may be Namibia.
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )

    def _type(self, name: str, text: str) -> Any:
        try:
            return self._pa.type_for_alias(text)
        except ValueError:
            raise WrongArguments(
                f"--column {name}={text}: CSV has no such type; take int64, float64, bool, utf8, date32, "
                "timestamp[ms] or another name of pyarrow.type_for_alias"
            ) from None

    def _listed(self) -> str:
        names = self.schema.names
        return f"its columns are {', '.join(names[:20])}{' ...' if len(names) > 20 else ''}"

    def _errors(self) -> _FileErrors:
        return _FileErrors(self._pa, self._path)


class _FileErrors:
    """Errors of reading a file as failures that name it."""

    def __init__(self, pa: Any, path: str) -> None:
        self._pa, self._path = pa, path

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, OSError):
            raise Failure(f"cannot read {self._path}: {error.strerror or error}") from None
        if isinstance(error, self._pa.ArrowException):
            hint = "; --column NAME=utf8 reads a column as text" if "CSV conversion" in str(error) else ""
            raise Failure(f"cannot read {self._path}: {error}{hint}") from None


# ---------------------------------------------------------------- writing


def write_file(form: str, path: str, schema: Any, batches: Iterator[Any]) -> None:
    """Writes record batches as one file of a format with a beginning and an end."""
    pa = pyarrow()
    if form == "parquet":
        with pa.parquet.ParquetWriter(path, schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
    elif form == "arrow":
        with pa.OSFile(path, "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
    else:
        with (
            pa.OSFile(path, "wb") as sink,
            pa.csv.CSVWriter(sink, as_text(schema.empty_table()).schema) as writer,
        ):
            for batch in batches:
                writer.write_table(as_text(pa.Table.from_batches([batch])))


def check_schema(form: str, schema: Any) -> None:
    """Refuses columns that a format cannot hold.

    Raises:
        Failure: it has one, named in the message.
    """
    pa = pyarrow()
    instead = "use Parquet, or leave the column out (--without)"
    for field in schema:
        kind = field.type
        if form == "arrow" and pa.types.is_dictionary(kind):
            raise Failure(
                f"column {field.name}: an Arrow IPC file cannot grow by {kind}; pass --column "
                f"{field.name}=utf8"
            )
        if form != "csv":
            continue
        # A fixed size: digests, which are written as hexadecimal digits.
        if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or kind in _views(pa):
            raise Failure(f"column {field.name} has bytes, which CSV cannot hold: {instead}")
        try:
            one = as_text(pa.table([pa.nulls(1, kind)], [field.name]))
            with pa.csv.CSVWriter(pa.BufferOutputStream(), one.schema) as writer:
                writer.write_table(one)
        except pa.ArrowException:
            raise Failure(f"column {field.name} is {kind}, which CSV cannot hold: {instead}") from None


def as_text(table: Any) -> Any:
    """A table with what CSV writes: bytes of a fixed size as hexadecimal digits, float16 as float32."""
    pa = pyarrow()
    for position, field in enumerate(table.schema):
        if pa.types.is_fixed_size_binary(field.type):
            digits = [
                value.hex() if value is not None else None for value in table.column(position).to_pylist()
            ]
            table = table.set_column(position, field.name, pa.array(digits, pa.utf8()))
        elif pa.types.is_float16(field.type):
            table = table.set_column(position, field.name, table.column(position).cast(pa.float32()))
    return table


def _views(pa: Any) -> tuple[Any, ...]:
    return (pa.binary_view(),) if hasattr(pa, "binary_view") else ()
