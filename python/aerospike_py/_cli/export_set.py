"""``export``: writes the records of a set to a file, and goes on after a stop."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import time
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

from .._utils.progress import Progress
from ..exception import AerospikeError, BatchDecodeError
from ._files.formats import FORMATS, check_schema, format_of, pyarrow, write_file
from ._files.spool import Spool, read_spool, schema_of
from ._files.state import StateFile, only_one, replacing, status_as_json, status_from_json, stopping, sync
from .connect import add_columns, add_command, connect, name_of_set, names, positive
from .export_columns import META_NAMES, check_columns, columns, stored_keys, without_python
from .info import ClusterInfo
from .output import Failure, WrongArguments, print_json

if TYPE_CHECKING:
    from ..client import Client
    from ..query import Query

# Records from which columns are inferred.
_SAMPLE = 10_000
#: The metadata of a column about records, by which an import knows that it is no bin.
META = b"aerospike_py.meta"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add_command(
        commands,
        "export",
        run,
        "write the records of a set to a Parquet, Arrow IPC or CSV file",
        "Writes each record of a set as a row: columns about the record, then its bins; a bin that a record "
        "lacks is null. The file has its name only once it is complete. An export that was stopped goes on "
        "with --resume. Exit code 1 also if values did not fit their columns; the file FILE.failures.jsonl "
        "names them.",
    )
    parser.add_argument("namespace", metavar="NAMESPACE")
    parser.add_argument("set", metavar="SET")
    parser.add_argument("file", metavar="FILE", help="the file to write")
    parser.add_argument("--format", choices=FORMATS, help="the file's format [by its name]")
    add_columns(parser, "bins to export [all that the sample has]")
    parser.add_argument(
        "--meta",
        metavar="A,B",
        help=f"columns about records, of {', '.join(META_NAMES)} [key; digest where a key is not stored]",
    )
    parser.add_argument(
        "--sample",
        type=positive,
        default=_SAMPLE,
        metavar="N",
        help=f"records from which columns are inferred [{_SAMPLE}]",
    )
    parser.add_argument(
        "--rows", type=positive, default=65_536, metavar="N", help="rows read and written at a time [65536]"
    )
    parser.add_argument(
        "--records-per-second", type=positive, default=0, metavar="N", help="limit of each node [none]"
    )
    again = parser.add_mutually_exclusive_group()
    again.add_argument(
        "--resume", action="store_true", help="go on with an export that was stopped, if one was"
    )
    again.add_argument("--overwrite", action="store_true", help="begin anew, and replace FILE")


def run(options: argparse.Namespace) -> int:
    form = format_of(options.file, options.format)
    pyarrow()
    meta = None if options.meta is None else names(options.meta, "--meta")
    for name in meta or ():
        if name not in META_NAMES:
            raise WrongArguments(f"--meta {name}: there is no such column; take {', '.join(META_NAMES)}")
    if not os.path.isdir(os.path.dirname(os.path.abspath(options.file))):
        raise WrongArguments(
            f"there is no folder {os.path.dirname(options.file)!r} to write {options.file} to"
        )
    check_columns(options)
    started = time.monotonic()
    with only_one(options.file):
        export = Export(options, form, meta)
        export.prepare()
        with stopping():
            if not export.is_read:
                with connect(options) as client, warnings.catch_warnings(record=True) as said:
                    warnings.simplefilter("always")
                    export.read(client)
                # Such as that no record has a value for a column.
                for text in dict.fromkeys(without_python(str(warning.message)) for warning in said):
                    print(f"aerospike-py: {text}", file=sys.stderr)
            export.finish()
    export.report(time.monotonic() - started)
    return 1 if export.failures else 0


class _Names(NamedTuple):
    """The files beside the one that is written."""

    part: str
    state: str
    failures: str


class Export:
    """One export. Its steps are ``prepare``, ``read`` and ``finish``; a stop in any of them loses nothing."""

    def __init__(self, options: argparse.Namespace, form: str, meta: list[str] | None) -> None:
        self._options = options
        self._form = form
        # Of the names that `meta=` takes; argparse knows them as text.
        self._meta: Any = meta
        path = options.file
        self._names = _Names(f"{path}.part", f"{path}.state", f"{path}.failures.jsonl")
        self._state = StateFile(
            self._names.state,
            {
                "command": "export",
                "namespace": options.namespace,
                "set": options.set,
                "format": form,
                "bins": options.bins,
                "without": options.without,
                "column": options.column,
                "meta": options.meta,
            },
            "--overwrite",
        )
        self.is_read = False
        self._columns: dict[str, str] = {}
        self._size = self._failures_size = 0
        self._status: dict[Any, Any] | None = None
        #: Records that the file has, and values that did not fit.
        self.records = self.failures = 0
        self._resumed_at: int | None = None

    def prepare(self) -> None:
        """Looks for an earlier run, and for files that would be replaced."""
        options = self._options
        if options.overwrite:
            self._remove(*self._names)
        found = self._state.read()
        if found is None:
            if os.path.exists(options.file) and not options.overwrite:
                raise Failure(f"{options.file} exists; --overwrite replaces it")
            return
        if not options.resume:
            raise Failure(
                f"an export to {options.file} was stopped after {found['records']:,} records; go on with it "
                "with --resume, or begin anew with --overwrite"
            )
        self.is_read = found["is_read"]
        self._columns, self._meta = found["columns"], found["meta"]
        self._size, self._failures_size = found["size"], found["failures_size"]
        self.records, self.failures = found["records"], found["failures"]
        if found["status"] is not None:
            self._status = status_from_json(found["status"])
        if _size(self._names.part) < self._size and not self._has_its_name():
            raise Failure(f"{self._names.part} is shorter than its state says; begin anew with --overwrite")
        self._resumed_at = self.records
        print(f"aerospike-py: going on after {self.records:,} records", file=sys.stderr)

    def _has_its_name(self) -> bool:
        """Whether the part file has become the file already: the last run was stopped right after that."""
        is_moved = self._form == "csv" and self.is_read and not os.path.exists(self._names.part)
        return is_moved and _size(self._options.file) == self._size

    def read(self, client: Client) -> None:
        """Reads the records into the part file."""
        if self._meta is None:
            self._meta = stored_keys(client, self._options)
        total = _count(client, self._options)
        if not self._columns:
            self._columns = columns(client, self._options)
            if self._options.bins is None and total > self._options.sample:
                print(
                    f"aerospike-py: columns were inferred from {self._options.sample:,} of {total:,} "
                    "records; a bin that none of these has is not in the file (see --sample, --bins)",
                    file=sys.stderr,
                )
        query = client.query(self._options.namespace, self._options.set)
        query.records_per_second = self._options.records_per_second
        spool = Spool(self._names.part, self._form, self._size)
        failures = _Failures(self._names.failures, self._failures_size)
        try:
            self._read(query, spool, failures, total)
        finally:
            spool.close()
            failures.close()
            if not self._state.exists():
                # It ended before there was anything to go on with, such as for a type that CSV cannot hold.
                self._remove(self._names.part, self._names.failures)

    def _remove(self, *paths: str) -> None:
        for path in paths:
            with contextlib.suppress(FileNotFoundError):
                os.remove(path)

    def _read(self, query: Query, spool: Spool, failures: _Failures, total: int) -> None:
        status = (
            {"partition_filter": {"partition_status": self._status}} if self._status is not None else None
        )
        batches = query.arrow_batches(
            self._columns,
            self._options.rows,
            meta=self._meta,
            policy=status,  # type: ignore[arg-type]
        )
        is_checked = False
        with batches, Progress("exporting", total, "records", self.records) as progress:
            while True:
                try:
                    block = next(batches, None)
                except BatchDecodeError as error:
                    block = error.batch
                    self.failures += error.count
                    failures.add(self.records, error)
                except AerospikeError as error:
                    # What came before is complete, and the query stands behind it.
                    self._checkpoint(query, spool, failures)
                    if not self.records:
                        raise Failure(f"stopped before the first record: {error}") from error
                    raise Failure(
                        f"stopped after {self.records:,} records: {error}; the same command with --resume "
                        "goes on"
                    ) from error
                if block is None:
                    break
                # The blocks before this one count as taken now.
                if self._state.is_due():
                    self._checkpoint(query, spool, failures)
                table = _marked(block.to_pyarrow(), self._meta)
                if not is_checked:
                    check_schema(self._form, table.schema)
                    is_checked = True
                spool.write(table)
                self.records += len(table)
                progress.add(len(table))
            if not self.records:
                # A file without rows has its columns, too.
                table = _marked(self._empty(query), self._meta)
                check_schema(self._form, table.schema)
                spool.write(table)
        self._size, self._failures_size = spool.end(), failures.checkpoint()
        self.is_read = True
        self._status = None
        self._write_state()

    def _empty(self, query: Query) -> Any:
        return query.to_arrow(self._columns, meta=self._meta).to_pyarrow().slice(0, 0)

    def _checkpoint(self, query: Query, spool: Spool, failures: _Failures) -> None:
        if not self.records:
            return
        self._size, self._failures_size = spool.checkpoint(), failures.checkpoint()
        self._status = query.get_partitions_status()
        self._write_state()

    def _write_state(self) -> None:
        self._state.write(
            {
                "is_read": self.is_read,
                "columns": self._columns,
                "meta": self._meta,
                "size": self._size,
                "failures_size": self._failures_size,
                "records": self.records,
                "failures": self.failures,
                "status": None if self._status is None else status_as_json(self._status),
            }
        )

    def finish(self) -> None:
        """Makes the file out of the part file."""
        part = self._names.part
        if self._form == "csv":
            if not self._has_its_name():
                os.replace(part, self._options.file)
        else:
            with replacing(self._options.file) as path, Progress("writing", self.records, "rows") as progress:

                def batches() -> Any:
                    for batch in read_spool(part):
                        yield batch
                        progress.add(batch.num_rows)

                write_file(self._form, path, schema_of(part), batches())
                with open(path, "rb") as file:
                    sync(file)
        self._state.remove()
        self._remove(*([part] if self.failures else [part, self._names.failures]))

    def report(self, seconds: float) -> None:
        options = self._options
        size = os.path.getsize(options.file)
        if options.json:
            print_json(
                {
                    "file": options.file,
                    "format": self._form,
                    "records": self.records,
                    "bytes": size,
                    "columns": self._columns,
                    "meta": self._meta,
                    "failures": self.failures,
                    "resumed_at": self._resumed_at,
                    "seconds": round(seconds, 3),
                }
            )
        else:
            print(f"{self.records:,} records of {name_of_set(options)} in {options.file}, {size:,} bytes")
        if self.failures:
            what = "values did not fit their columns and are null"
            if self.failures == 1:
                what = "value did not fit its column and is null"
            print(
                f"aerospike-py: {self.failures:,} {what}; {self._names.failures} names "
                f"{'it' if self.failures == 1 else 'them'}",
                file=sys.stderr,
            )


class _Failures:
    """The file of values that did not fit, one JSON object per line."""

    def __init__(self, path: str, size: int) -> None:
        self._file = open(path, "r+b" if size else "wb")  # noqa: SIM115 (closed by `close`)
        self._file.truncate(size)
        self._file.seek(size)

    def add(self, first: int, error: BatchDecodeError) -> None:
        for row, digest, column, reason in error.failures:
            line = {"row": first + row, "digest": digest.hex(), "column": column, "reason": reason}
            self._file.write(json.dumps(line).encode() + b"\n")
        if error.count > len(error.failures):
            more = {
                "rows": [first, first + len(error.batch)],
                "not_listed": error.count - len(error.failures),
            }
            self._file.write(json.dumps(more).encode() + b"\n")

    def checkpoint(self) -> int:
        sync(self._file)
        return self._file.tell()

    def close(self) -> None:
        self._file.close()


def _count(client: Client, options: argparse.Namespace) -> int:
    """About how many records the set has, by the nodes' own counts."""
    cluster = ClusterInfo(client)
    cluster.namespaces()
    for row in cluster.sets():
        if (row["namespace"], row["set"]) == (options.namespace, options.set):
            return row["objects"] or 0
    return 0


def _marked(table: Any, meta: list[str]) -> Any:
    """A table whose columns about records say in their metadata that they are no bins."""
    schema = table.schema
    for position, name in enumerate(meta):
        schema = schema.set(position, schema.field(position).with_metadata({META: name.encode()}))
    return pyarrow().Table.from_arrays(table.columns, schema=schema)


def _size(path: str) -> int:
    return os.path.getsize(path) if os.path.exists(path) else 0
