"""``bench``: measures reads and writes in about half a minute."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import ExitStack
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

from .._utils.progress import Progress
from .._utils.table import table
from ..async_client import AsyncClient
from ..client import Client
from ..exception import AerospikeError
from .connect import add_command, config, positive, seconds
from .output import Failure, print_json

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from ..types import ClientConfig, KeyLike

_IN_FLIGHT = 32
_BATCH_IN_FLIGHT = 100
_FIELDS = [("a", "f8"), ("b", "f8"), ("c", "i8"), ("d", "i8"), ("e", "i4")]


class Measurement(NamedTuple):
    """A line of the result."""

    what: str
    calls: int
    median_ms: float
    p99_ms: float
    records_per_second: float


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add_command(
        commands,
        "bench",
        run,
        "measure reads and writes from this machine",
        "Writes records with five numeric bins into a new set, reads them in several ways, checks the "
        "values, and removes the records. Without HOST it starts an embedded server. The results are those "
        "of this machine, its network and the cluster together.",
        host_is_optional=True,
    )
    parser.add_argument(
        "--namespace", default="test", metavar="NAME", help="the namespace to write to [test]"
    )
    parser.add_argument(
        "--set",
        default="aerospike_py_bench",
        metavar="NAME",
        help="the set to write to; it must have no records [aerospike_py_bench]",
    )
    parser.add_argument(
        "--records", type=positive, default=10_000, metavar="N", help="number of records [10000]"
    )
    parser.add_argument(
        "--seconds", type=seconds, default=2.0, metavar="N", help="seconds per measurement [2]"
    )


def run(options: argparse.Namespace) -> int:
    if find_spec("numpy") is None:
        raise Failure(
            "bench reads into arrays, and NumPy is not installed: python -m pip install 'numpy>=2.0'"
        )
    with ExitStack() as stack:
        if options.hosts is None:
            from ..testing import DevServer

            options.hosts = stack.enter_context(DevServer(namespaces=[options.namespace])).hosts
        settings = config(options)
        client = stack.enter_context(Client(settings).connect())
        bench = Bench(client, settings, options)
        bench.check_set_is_empty()
        print(f"aerospike-py: {bench.server()}", file=sys.stderr)
        stack.callback(bench.remove)
        lines = bench.measure()
    if options.json:
        print_json([line._asdict() for line in lines])
    else:
        print(_table(lines))
    return 0


class Bench:
    """The measurements, on one set."""

    def __init__(self, client: Client, settings: ClientConfig, options: argparse.Namespace) -> None:
        import numpy as np

        self._client = client
        self._settings = settings
        self._namespace, self._set = options.namespace, options.set
        self._records, self._seconds = options.records, options.seconds
        self._dtype = np.dtype(_FIELDS)
        self._keys: list[KeyLike] = [(options.namespace, options.set, n) for n in range(options.records)]

    def check_set_is_empty(self) -> None:
        """Refuses a set with records: the set is truncated in the end."""
        command = f"sets/{self._namespace}/{self._set}"
        for error, answer in self._client.info_all(command).values():
            if error is not None:
                raise error
            if answer is not None and ":objects=" in answer and ":objects=0:" not in answer:
                raise Failure(
                    f"{self._namespace}.{self._set} has records; truncate it, or choose another with --set"
                )

    def server(self) -> str:
        """What is measured: the nodes, their server and build, and the records."""
        nodes = self._client.stats().nodes
        addresses = ", ".join(f"{node.address}:{node.port}" for node in nodes[:4])
        more = f" and {len(nodes) - 4} more" if len(nodes) > 4 else ""
        kinds = sorted(
            {" ".join(answers) for answers in zip(*map(self._answers, ("edition", "build")), strict=True)}
        )
        return (
            f"measuring {addresses}{more} ({', '.join(kinds)}) with {self._records:,} records in "
            f"{self._namespace}.{self._set}"
        )

    def _answers(self, command: str) -> list[str]:
        return [(answer or "").strip() for _, answer in self._client.info_all(command).values()]

    def measure(self) -> list[Measurement]:
        sizes = [size for size in (100, 1_000, 10_000, 100_000) if size < self._records] + [self._records]
        rows, few = _rows(self._records), min(1_000, self._records)
        steps: list[tuple[str, Callable[[str], Measurement]]] = [
            (f"put, {_IN_FLIGHT} in flight (async)", lambda what: asyncio.run(self._write(what))),
            (
                f"batch_write_numpy of {self._records:,}",
                partial(self._repeat, self._records, partial(self._write_rows, rows)),
            ),
            ("get, one at a time", partial(self._repeat, 1, self._get)),
            *(
                (
                    f"batch_read of {size:,} into an array",
                    partial(self._repeat, size, partial(self._read, self._keys[:size])),
                )
                for size in sizes
            ),
            (
                f"batch_read of {few:,} into Python objects",
                partial(self._repeat, few, partial(self._read_objects, self._keys[:few])),
            ),
            (
                f"batch_read of {min(_BATCH_IN_FLIGHT, self._records):,} into an array, {_IN_FLIGHT} in "
                "flight (async)",
                lambda what: asyncio.run(self._read_in_flight(what)),
            ),
        ]
        lines = []
        for number, (what, step) in enumerate(steps, 1):
            print(f"aerospike-py: {number} of {len(steps)}: {what} ...", file=sys.stderr, flush=True)
            lines.append(step(what))
        return lines

    def remove(self) -> None:
        try:
            self._client.truncate(self._namespace, self._set)
        except AerospikeError:
            # Some users are allowed to write, but not to truncate.
            for key in self._keys:
                if self._client.exists(key).meta is not None:
                    self._client.remove(key)

    async def _write(self, what: str) -> Measurement:
        durations: list[float] = []
        numbers = iter(range(self._records))
        with Progress("writing", self._records, "records") as progress:

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
        return _measurement(what, durations, len(durations) / took)

    async def _read_in_flight(self, what: str) -> Measurement:
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
        return _measurement(what, durations, len(durations) * size / took)

    def _repeat(self, records: int, call: Callable[[], None], what: str) -> Measurement:
        call()  # opens the connections, which is not measured
        durations: list[float] = []
        began = time.perf_counter()
        while not durations or time.perf_counter() < began + self._seconds:
            start = time.perf_counter()
            call()
            durations.append(time.perf_counter() - start)
        return _measurement(what, durations, len(durations) * records / sum(durations))

    def _write_rows(self, rows: Any) -> None:
        keys = range(len(rows))
        self._client.batch_write_numpy(rows, self._namespace, self._set, keys=keys).raise_for_failures()

    def _get(self) -> None:
        if self._client.get(self._keys[-1]).bins != _bins(self._records - 1):
            raise Failure(f"the values read from {self._keys[-1]} differ from those written")

    def _read(self, keys: list[KeyLike]) -> None:
        self._check(self._client.batch_read(keys, _dtype=self._dtype), 0)

    def _check(self, batch: Any, first: int) -> None:
        read = batch.batch_records
        if not batch.ok.all() or int(read["c"].sum()) != sum(range(first, first + len(read))):
            raise Failure(f"the values read differ from those written: {batch!r}")

    def _read_objects(self, keys: list[KeyLike]) -> None:
        batch = self._client.batch_read(keys)
        if any(row.record is None for row in batch):
            raise Failure(f"not all of the {len(keys)} records written could be read")


def _bins(number: int) -> dict[str, Any]:
    return {"a": number / 4, "b": -number / 8, "c": number, "d": number << 20, "e": number % 1000}


def _rows(count: int) -> Any:
    """The records of the numbers below ``count``, with the values of :func:`_bins`, as an array."""
    import numpy as np

    number = np.arange(count)
    rows = np.zeros(count, np.dtype(_FIELDS))
    rows["a"], rows["b"], rows["c"] = number / 4, -number / 8, number
    rows["d"], rows["e"] = number << 20, number % 1000
    return rows


def _measurement(what: str, durations: list[float], per_second: float) -> Measurement:
    ordered = sorted(durations)
    median, p99 = (ordered[len(ordered) * percent // 100] * 1000 for percent in (50, 99))
    return Measurement(what, len(ordered), round(median, 4), round(p99, 4), round(per_second))


def _table(lines: list[Measurement]) -> str:
    rows = [
        [what, f"{calls:,}", f"{median:,.3f}", f"{p99:,.3f}", f"{rate:,.0f}"]
        for what, calls, median, p99, rate in lines
    ]
    return table(["what", "calls", "median ms", "p99 ms", "records/s"], rows, [1, 2, 3, 4])
