"""``bench``: what this machine gets from a cluster, in half a minute."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

from .._utils.table import table
from ..async_client import AsyncClient
from ..client import Client
from ..exception import AerospikeError
from .connect import add_command, config, positive, seconds
from .output import Failure, Progress, print_json

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from ..types import ClientConfig, KeyLike

_IN_FLIGHT = 32
_BATCH_IN_FLIGHT = 100
_FIELDS = [("a", "f8"), ("b", "f8"), ("c", "i8"), ("d", "i8"), ("e", "i4")]


class Line(NamedTuple):
    """A line of the result."""

    what: str
    calls: int
    median_ms: float
    p99_ms: float
    records_per_second: float


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declares the command."""
    parser = add_command(
        commands,
        "bench",
        run,
        "a small self-test: what this machine gets",
        "Writes records of five numeric bins into a set of its own, reads them in several ways, compares "
        "what came with what was written, and removes them. Without HOST an embedded node is started for it. "
        "What it measures is this machine, network and cluster together.",
        host_is_optional=True,
    )
    parser.add_argument("--namespace", default="test", metavar="NAME", help="where to write [test]")
    parser.add_argument(
        "--set",
        default="aerospike_py_bench",
        metavar="NAME",
        help="the set to write into; refused where it has records [aerospike_py_bench]",
    )
    parser.add_argument("--records", type=positive, default=10_000, metavar="N", help="how many [10000]")
    parser.add_argument("--seconds", type=seconds, default=2.0, metavar="N", help="for each measurement [2]")


def run(options: argparse.Namespace) -> int:
    """Runs the command."""
    if find_spec("numpy") is None:
        raise Failure("it reads into arrays, and NumPy is not installed: python -m pip install 'numpy>=2.0'")
    with ExitStack() as stack:
        if options.hosts is None:
            from ..testing import DevServer

            options.hosts = stack.enter_context(DevServer(namespaces=[options.namespace])).hosts
        settings = config(options)
        client = stack.enter_context(Client(settings).connect())
        bench = Bench(client, settings, options)
        bench.refuse_a_set_in_use()
        stack.callback(bench.remove)
        lines = bench.measure()
    if options.json:
        print_json([line._asdict() for line in lines])
    else:
        print(_table(lines))
    return 0


class Bench:
    """The measurements, over one set."""

    def __init__(self, client: Client, settings: ClientConfig, options: argparse.Namespace) -> None:
        import numpy as np

        self._client = client
        self._settings = settings
        self._namespace, self._set = options.namespace, options.set
        self._records, self._seconds = options.records, options.seconds
        self._dtype = np.dtype(_FIELDS)
        self._keys: list[KeyLike] = [(options.namespace, options.set, n) for n in range(options.records)]

    def refuse_a_set_in_use(self) -> None:
        """What is measured is removed in the end: nothing of anybody else's may be in its set."""
        command = f"sets/{self._namespace}/{self._set}"
        for error, answer in self._client.info_all(command).values():
            if error is not None:
                raise error
            if answer is not None and ":objects=" in answer and ":objects=0:" not in answer:
                raise Failure(
                    f"{self._namespace}.{self._set} has records; truncate it, or name another one with --set"
                )

    def measure(self) -> list[Line]:
        """Takes all measurements."""
        sizes = [size for size in (100, 1_000, 10_000, 100_000) if size < self._records] + [self._records]
        lines = [asyncio.run(self._write())]
        with Progress("measuring", len(sizes) + 4) as progress:
            lines.append(
                self._repeat(
                    f"batch_write_numpy of {self._records:,}",
                    self._records,
                    partial(self._write_rows, _rows(self._records)),
                )
            )
            progress.add()
            lines.append(self._repeat("get, one after the other", 1, self._get))
            progress.add()
            for size in sizes:
                keys = self._keys[:size]
                lines.append(
                    self._repeat(f"batch_read of {size:,} into an array", size, partial(self._read, keys))
                )
                progress.add()
            size = min(1_000, self._records)
            keys = self._keys[:size]
            lines.append(
                self._repeat(
                    f"batch_read of {size:,} into Python objects", size, partial(self._objects, keys)
                )
            )
            progress.add()
            lines.append(asyncio.run(self._flight()))
            progress.add()
        return lines

    def remove(self) -> None:
        """Removes what was written."""
        try:
            self._client.truncate(self._namespace, self._set)
        except AerospikeError:
            # Some users may write and not truncate.
            for key in self._keys:
                if self._client.exists(key).meta is not None:
                    self._client.remove(key)

    async def _write(self) -> Line:
        durations: list[float] = []
        numbers = iter(range(self._records))
        with Progress("writing", self._records) as progress:

            async def write(client: AsyncClient) -> None:
                for number in numbers:
                    start = time.perf_counter()
                    await client.put(self._keys[number], _bins(number))
                    durations.append(time.perf_counter() - start)
                    progress.add()

            async with AsyncClient(self._settings) as client:
                start = time.perf_counter()
                await asyncio.gather(*(write(client) for _ in range(_IN_FLIGHT)))
                took = time.perf_counter() - start
        return _line(f"put, {_IN_FLIGHT} in flight (async)", durations, len(durations) / took)

    async def _flight(self) -> Line:
        durations: list[float] = []
        size = min(_BATCH_IN_FLIGHT, self._records)
        end = time.perf_counter() + self._seconds

        async def read(client: AsyncClient, number: int) -> None:
            first = number * size % (self._records - size + 1)
            while not durations or time.perf_counter() < end:
                start = time.perf_counter()
                batch = await client.batch_read(self._keys[first : first + size], _dtype=self._dtype)
                durations.append(time.perf_counter() - start)
                self._check(batch, first)

        async with AsyncClient(self._settings) as client:
            start = time.perf_counter()
            await asyncio.gather(*(read(client, number) for number in range(_IN_FLIGHT)))
            took = time.perf_counter() - start
        what = f"batch_read of {size:,} into an array, {_IN_FLIGHT} in flight (async)"
        return _line(what, durations, len(durations) * size / took)

    def _repeat(self, what: str, records: int, call: Callable[[], None]) -> Line:
        call()  # connections are made, and it is not what they cost that is asked
        durations: list[float] = []
        began = time.perf_counter()
        while not durations or time.perf_counter() < began + self._seconds:
            start = time.perf_counter()
            call()
            durations.append(time.perf_counter() - start)
        return _line(what, durations, len(durations) * records / sum(durations))

    def _write_rows(self, rows: Any) -> None:
        keys = range(len(rows))
        self._client.batch_write_numpy(rows, self._namespace, self._set, keys=keys).raise_for_failures()

    def _get(self) -> None:
        if self._client.get(self._keys[-1]).bins != _bins(self._records - 1):
            raise Failure(f"what was read of {self._keys[-1]} is not what was written")

    def _read(self, keys: list[KeyLike]) -> None:
        self._check(self._client.batch_read(keys, _dtype=self._dtype), 0)

    def _check(self, batch: Any, first: int) -> None:
        read = batch.batch_records
        if not batch.ok.all() or int(read["c"].sum()) != sum(range(first, first + len(read))):
            raise Failure(f"what was read is not what was written: {batch!r}")

    def _objects(self, keys: list[KeyLike]) -> None:
        batch = self._client.batch_read(keys)
        if any(row.record is None for row in batch):
            raise Failure(f"of {len(keys)} records that were written not all were read")


def _bins(number: int) -> dict[str, Any]:
    return {"a": number / 4, "b": -number / 8, "c": number, "d": number << 20, "e": number % 1000}


def _rows(count: int) -> Any:
    """The records of so many numbers as an array: what :func:`_bins` gives for each."""
    import numpy as np

    number = np.arange(count)
    rows = np.zeros(count, np.dtype(_FIELDS))
    rows["a"], rows["b"], rows["c"] = number / 4, -number / 8, number
    rows["d"], rows["e"] = number << 20, number % 1000
    return rows


def _line(what: str, durations: list[float], per_second: float) -> Line:
    ordered = sorted(durations)
    median, p99 = (ordered[len(ordered) * percent // 100] * 1000 for percent in (50, 99))
    return Line(what, len(ordered), round(median, 4), round(p99, 4), round(per_second))


def _table(lines: list[Line]) -> str:
    rows = [
        [what, f"{calls:,}", f"{median:,.3f}", f"{p99:,.3f}", f"{rate:,.0f}"]
        for what, calls, median, p99, rate in lines
    ]
    return table(["what", "calls", "median ms", "p99 ms", "records/s"], rows, [1, 2, 3, 4])
