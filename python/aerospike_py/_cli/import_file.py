"""``import``: writes the rows of a file as records, and goes on after a stop."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import sys
import time
import warnings
from typing import TYPE_CHECKING, Any

from .. import constants
from .._result_codes import cause
from .._utils.progress import Progress
from .._utils.table import printable
from ..exception import AerospikeError, ParamError
from ..numpy_write import NO_BINS
from ._files.formats import FORMATS, Source, format_of, pyarrow, write_file
from ._files.spool import Spool, read_spool, schema_of
from ._files.state import StateFile, only_one, replacing, stopping, sync
from .connect import add_columns, add_command, connect, name_of_set, names, positive
from .export_set import META
from .output import Failure, WrongArguments, print_json

if TYPE_CHECKING:
    from ..client import Client
    from ..numpy_write import NumpyWriteResult

_EXISTS = {
    "update": constants.POLICY_EXISTS_IGNORE,
    "create": constants.POLICY_EXISTS_CREATE,
    "update-only": constants.POLICY_EXISTS_UPDATE,
    "replace": constants.POLICY_EXISTS_CREATE_OR_REPLACE,
}
# The columns that a file of failed rows has behind those of its source.
_ABOUT = ("_row", "_code", "_in_doubt", "_reason")
# Of the message about a value. The row is that of a block, not of the file.
_ROW = re.compile(r"data: row \d+, (?P<reason>.*)", re.DOTALL)
# The most reasons that are printed.
_REASONS = 3


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add_command(
        commands,
        "import",
        run,
        "write the rows of a Parquet, Arrow IPC or CSV file as records",
        "Writes each row as a record: the key column is the primary key, the others are bins; a null is a "
        "bin that the record does not get. Rows that fail are kept in a file, NAME.failed.SUFFIX, "
        "which can be imported again. An import that was stopped goes on with --resume. Exit code 1 also if "
        "rows failed.",
    )
    parser.add_argument("namespace", metavar="NAMESPACE")
    parser.add_argument("set", metavar="SET")
    parser.add_argument("file", metavar="FILE", help="the file to read")
    parser.add_argument("--format", choices=FORMATS, help="the file's format [by its name]")
    parser.add_argument(
        "--key", metavar="COLUMN", help="the column with the primary keys [that of an export]"
    )
    parser.add_argument("--key-as-bin", action="store_true", help="write the key as a bin, too")
    add_columns(parser, "columns to write as bins [all]")
    parser.add_argument(
        "--nulls", choices=("omit", "remove"), default="omit", help="whether a null removes the bin [omit]"
    )
    parser.add_argument(
        "--exists",
        choices=_EXISTS,
        default="update",
        help="what to do with records that exist, or do not [update: write in either case]",
    )
    parser.add_argument("--ttl", type=positive, metavar="SECONDS", help="time to live [the namespace's]")
    parser.add_argument(
        "--rows", type=positive, default=16_384, metavar="N", help="rows read and written at a time [16384]"
    )
    parser.add_argument(
        "--state", metavar="FILE", help="where the state and the failed rows are kept [beside FILE]"
    )
    again = parser.add_mutually_exclusive_group()
    again.add_argument(
        "--resume", action="store_true", help="go on with an import that was stopped, if one was"
    )
    again.add_argument("--restart", action="store_true", help="begin anew after a stop")


def run(options: argparse.Namespace) -> int:
    form = format_of(options.file, options.format)
    source = Source(options.file, form, dict(options.column), options.rows)
    started = time.monotonic()
    place = options.state or options.file
    with only_one(place):
        run_ = Import(options, form, source, place)
        run_.prepare()
        with stopping(), connect(options) as client:
            run_.write(client)
        run_.finish()
    run_.report(time.monotonic() - started)
    return 1 if run_.failed else 0


class Import:
    """One import. Rows before the state's are written or kept as failed; the others are written (again)."""

    def __init__(self, options: argparse.Namespace, form: str, source: Source, place: str) -> None:
        self._options = options
        self._form = form
        self._source = source
        self._key = _key_column(options, source)
        self._bins = _bin_columns(options, source, self._key)
        base, suffix = os.path.splitext(options.file)
        if options.state:
            base = options.state
        self._failed_file = f"{base}.failed{suffix}"
        self._part = f"{place}.failed.part"
        stat = os.stat(options.file)
        self._state = StateFile(
            options.state or f"{options.file}.import.state",
            {
                "command": "import",
                "file": [os.path.abspath(options.file), stat.st_size, stat.st_mtime_ns],
                "namespace": options.namespace,
                "set": options.set,
                "key": self._key,
                "bins": self._bins,
            },
            "--restart",
        )
        self._policy: dict[str, Any] = {"key": constants.POLICY_KEY_SEND, "exists": _EXISTS[options.exists]}
        if options.ttl is not None:
            self._policy["ttl"] = options.ttl
        #: Rows that were read, and those of them that were not written.
        self.rows = self.failed = 0
        # Why rows were not written, in this run, with the first row and the number of rows of each reason.
        self._reasons: dict[str, tuple[int, int]] = {}
        self._size = 0
        self._resumed_at: int | None = None

    def prepare(self) -> None:
        """Looks for an earlier run."""
        if self._options.restart:
            self._state.remove()
        found = self._state.read()
        if found is None:
            if os.path.exists(self._failed_file) and os.path.getsize(self._failed_file):
                raise Failure(
                    f"{self._failed_file} has rows that an earlier import could not write; import, move or "
                    "remove it first"
                )
            return
        if not self._options.resume:
            raise Failure(
                f"an import of {self._options.file} was stopped after {found['rows']:,} rows; go on with it "
                "with --resume, or begin anew with --restart"
            )
        self.rows, self.failed, self._size = found["rows"], found["failed"], found["size"]
        if self._size and (not os.path.exists(self._part) or os.path.getsize(self._part) < self._size):
            raise Failure(f"{self._part} is shorter than its state says; begin anew with --restart")
        self._resumed_at = self.rows
        print(f"aerospike-py: going on after {self.rows:,} rows", file=sys.stderr)

    def write(self, client: Client) -> None:
        """Writes the rows from where the state says."""
        spool = Spool(self._part, "arrow", self._size)
        try:
            with Progress("importing", self._source.count or 0, "rows", self.rows) as progress:
                for block in self._source.blocks(self.rows):
                    self._write(client, block, spool)
                    self.rows += len(block)
                    progress.add(len(block))
                    if self._state.is_due():
                        self._checkpoint(spool.checkpoint())
            self._checkpoint(spool.end())
        except AerospikeError as error:
            self._checkpoint(spool.checkpoint())
            raise Failure(
                f"stopped after {self.rows:,} rows: {error}; the same command with --resume goes on"
            ) from error
        finally:
            spool.close()
            if not self._state.exists():
                # It ended before there was anything to go on with.
                with contextlib.suppress(FileNotFoundError):
                    os.remove(self._part)

    def _write(self, client: Client, block: Any, spool: Spool) -> None:
        """Writes a block; keeps the rows of it that fail."""
        failed = self._failures(client, block, 0)
        if not failed:
            return
        if len(failed) == len(block) and all(
            code < 0 and code != ParamError.code for _, code, _, _ in failed
        ):
            # The cluster cannot be reached: stop, instead of keeping the rest of the file as failed rows.
            raise AerospikeError(f"no row of a block of {len(block):,} was written: {failed[0][3]}")
        pa = pyarrow()
        rows, codes, in_doubt, reasons = zip(*failed, strict=True)
        kept = block.take(pa.array(rows, pa.int64()))
        about = ([self.rows + row for row in rows], codes, in_doubt, reasons)
        kinds = (pa.int64(), pa.int32(), pa.bool_(), pa.utf8())
        for name, values, kind in zip(_ABOUT, about, kinds, strict=True):
            field = pa.field(name, kind, metadata={META: b"failure"})
            kept = kept.append_column(field, pa.array(values, kind))
        spool.write(kept)
        self.failed += len(failed)
        for row, reason in zip(about[0], reasons, strict=True):
            first, count = self._reasons.get(reason, (row, 0))
            self._reasons[reason] = first, count + 1

    def _failures(self, client: Client, block: Any, first: int) -> list[tuple[int, int, bool, str]]:
        """The rows of a block that failed: row, code, whether it is in doubt, reason."""
        options = self._options
        try:
            with warnings.catch_warnings():
                # About rows that failed; they are kept.
                warnings.simplefilter("ignore", RuntimeWarning)
                result: NumpyWriteResult = client.batch_write_arrow(
                    block,
                    options.namespace,
                    options.set,
                    key=self._key,
                    bins=self._bins,
                    nulls=options.nulls,
                    policy=self._policy,  # type: ignore[arg-type]
                )
        except ParamError as error:
            about_a_row = _ROW.match(str(error))
            if about_a_row is None:
                # About a column, before anything was sent.
                text = str(error).replace("leave it out with bins=", "leave it out with --without")
                raise Failure(f"{text}{self._hint(text)}") from None
            # About a value. Nothing of the block was sent.
            if len(block) == 1:
                return [(first, ParamError.code, False, about_a_row["reason"])]
            half = len(block) // 2
            found = self._failures(client, block.slice(0, half), first)
            return found + self._failures(client, block.slice(half), first + half)
        return [
            (
                first + failure.row,
                failure.code,
                failure.in_doubt,
                "no bin to write" if failure.code == NO_BINS else cause(failure.code),
            )
            for failure in result.failures
        ]

    def _hint(self, message: str) -> str:
        """How to read a column as another type; only CSV has no types of its own."""
        if self._form != "csv" or "rename the column" in message:
            return ""
        if message.startswith(f'column "{self._key}" '):
            return f": --column {self._key}=int64 or --column {self._key}=utf8 reads it as integers or text"
        return ": --column NAME=utf8 reads a column as text"

    def _checkpoint(self, size: int) -> None:
        self._size = size
        self._state.write({"rows": self.rows, "failed": self.failed, "size": size})

    def finish(self) -> None:
        """Makes the file of failed rows, if there are any."""
        if self.failed:
            with replacing(self._failed_file) as path:
                write_file(self._form, path, schema_of(self._part), read_spool(self._part))
                with open(path, "rb") as file:
                    sync(file)
        self._state.remove()
        with contextlib.suppress(FileNotFoundError):
            os.remove(self._part)

    def report(self, seconds: float) -> None:
        options = self._options
        written = self.rows - self.failed
        if options.json:
            print_json(
                {
                    "file": options.file,
                    "format": self._form,
                    "rows": self.rows,
                    "written": written,
                    "failed": self.failed,
                    "failed_file": self._failed_file if self.failed else None,
                    "resumed_at": self._resumed_at,
                    "seconds": round(seconds, 3),
                }
            )
        else:
            print(f"{written:,} of {self.rows:,} rows of {options.file} written to {name_of_set(options)}")
        if self.failed:
            rows = "1 row was not written; it is"
            if self.failed > 1:
                rows = f"{self.failed:,} rows were not written; they are"
            print(f"aerospike-py: {rows} in {self._failed_file}{self._why()}", file=sys.stderr)

    def _why(self) -> str:
        """The first reasons, each on a line with the first row that has it."""
        if not self._reasons:
            return ""
        lines = [", with the reasons (the first row is row 0):"]
        for reason, (row, count) in list(self._reasons.items())[:_REASONS]:
            others = f" (and {count - 1:,} more)" if count > 1 else ""
            lines.append(f"  row {row:,}{others}: {printable(reason)}")
        if more := max(0, len(self._reasons) - _REASONS):
            lines.append(f"  and {more:,} more reason{'s' if more > 1 else ''}; the file has each as _reason")
        return "\n".join(lines)


def _key_column(options: argparse.Namespace, source: Source) -> str:
    if options.key is not None:
        source.check_column(options.key, "--key")
        key: str = options.key
        return key
    for field in source.schema:
        if (field.metadata or {}).get(META) == b"key":
            name: str = field.name
            return name
    about = [field.name for field in source.schema if META in (field.metadata or {})]
    columns = ", ".join(name for name in source.schema.names[:20] if name not in about)
    if about:
        raise WrongArguments(
            f"{options.file} has no primary keys: the records that were exported did not store theirs "
            f"(POLICY_KEY_SEND). If another column has them, pass --key with one of {columns}"
        )
    raise WrongArguments(
        f"which column of {options.file} has the primary keys? Pass --key with one of {columns}"
    )


def _bin_columns(options: argparse.Namespace, source: Source, key: str) -> list[str]:
    """The columns that become bins: not those about records, nor the key."""
    without = names(options.without, "--without") if options.without is not None else []
    for name in without:
        source.check_column(name, "--without")
    if options.bins is not None:
        found = names(options.bins, "--bins")
        for name in found:
            source.check_column(name, "--bins")
    else:
        about = {field.name for field in source.schema if META in (field.metadata or {})}
        if set(_ABOUT) <= set(source.schema.names):
            about |= set(_ABOUT)  # a CSV file of failed rows, whose columns have no metadata
        found = [name for name in source.schema.names if name not in about and name != key]
    if options.key_as_bin and key not in found:
        found = [key, *found]
    found = [name for name in found if name not in without]
    if not found:
        raise WrongArguments(f"{options.file} has no column for a bin beside the key {key!r}")
    return found
