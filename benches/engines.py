"""Reading sets by engines, compared with a read in one process: `make bench-engines`.

    python benches/engines.py [--rows N] [--rounds N] [--only dask ray cpu spark]

A cluster of three embedded nodes holds records of five bins. Three questions, each with its target:

- How long does a read by two workers of Dask or Ray take, compared with `query.to_numpy` in one process? Not
  counted are the start of the engine and what a job of as many tasks without records takes.
- What CPU does an adapter's task take per record, compared with `Split.read` of the same splits? Both in this
  process, all threads counted.
- How much faster is Spark with the source's Arrow batches than with the same source yielding rows: records
  one by one, as a small adapter on `partition_filter` yields them, or the columns of the batches as tuples?
  What a job without records takes is not counted: it is most of a short one.

The parts of a comparison take turns, so that a machine that slows down slows both. Figures are medians; a
target that is missed is marked, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import functools
import gc
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import aerospike_py as aerospike
from aerospike_py._engines import clients, plan
from aerospike_py.testing import DevServer

DTYPE = np.dtype([("a", "i8"), ("b", "i8"), ("c", "i8"), ("d", "f8"), ("e", "f8")])
SET = "engines"
SPLITS = 12
PARTS = ("dask", "ray", "cpu", "spark")


@dataclass(frozen=True)
class Result:
    """A ratio with its target."""

    what: str
    figures: str
    ratio: float
    target: float
    is_least: bool = False

    @property
    def is_met(self) -> bool:
        return self.ratio >= self.target if self.is_least else self.ratio <= self.target

    def row(self) -> str:
        sign = "at least" if self.is_least else "at most"
        verdict = "" if self.is_met else " (missed)"
        return f"| {self.what} | {self.figures} | {self.ratio:.2f}× | {sign} {self.target}×{verdict} |"


@contextmanager
def cluster(rows: int) -> Iterator[Any]:
    with DevServer(nodes=3) as server:
        with aerospike.client(server.config).connect() as client:
            for first in range(0, rows, 100_000):
                block = np.zeros(min(100_000, rows - first), DTYPE)
                block["a"] = np.arange(first, first + len(block))
                block["b"], block["d"] = block["a"] % 97, block["a"] / 4
                client.batch_write_numpy(
                    block, "test", SET, keys=block["a"], key_field=None, policy={"total_timeout": 120_000}
                ).raise_for_failures()
            assert len(client.query("test", SET).to_numpy(DTYPE)) == rows
        yield dict(server.config)
        clients.close_all()


def seconds(function: Callable[[], Any], clock: Callable[[], Any] = time.perf_counter) -> Any:
    gc.collect()
    started = clock()
    result = function()
    taken = clock() - started
    del result
    return taken


def turns(rounds: int, *functions: Callable[[], Any], clock: Callable[[], Any] = time.perf_counter) -> Any:
    """The median time of each function. The first round is not counted. A clock may return several times."""
    samples: list[list[Any]] = [[] for _ in functions]
    for turn in range(rounds + 1):
        for kept, function in zip(samples, functions, strict=True):
            taken = seconds(function, clock)
            if turn:
                kept.append(taken)
    return [np.median(kept, axis=0) for kept in samples]


def one_process(config: Any, rows: int) -> Callable[[], Any]:
    client = clients.client_for(config)

    def read() -> Any:
        records = client.query("test", SET).to_numpy(DTYPE)
        assert len(records) == rows
        return records

    return read


# -- two workers


def dask(config: Any, rows: int, rounds: int) -> Iterator[Result]:
    import dask.dataframe
    import pandas
    from distributed import Client, LocalCluster, wait

    from aerospike_py.dask import read_aerospike

    started = time.perf_counter()
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as workers,
        Client(workers) as client,
    ):
        frame = dask.dataframe.from_pandas(pandas.DataFrame({"x": range(10)}), npartitions=2)
        assert int(frame["x"].sum().compute()) == 45
        start = time.perf_counter() - started

        def read() -> None:
            frame = read_aerospike(config, "test", SET, n=SPLITS).persist()
            wait(frame)
            assert int(frame["a"].sum().compute()) == rows * (rows - 1) // 2

        def nothing() -> None:
            frame = dask.dataframe.from_map(lambda _: pandas.DataFrame({"a": [0]}), range(SPLITS)).persist()
            wait(frame)
            assert int(frame["a"].sum().compute()) == 0

        yield two_workers("Dask", read, nothing, config, rows, rounds, start)
        client.shutdown()


def ray(config: Any, rows: int, rounds: int) -> Iterator[Result]:
    import pyarrow
    import ray
    from ray.data.block import BlockMetadata
    from ray.data.datasource import Datasource, ReadTask

    from aerospike_py.ray import AerospikeDatasource

    source_class: Any = Datasource

    class Nothing(source_class):  # type: ignore[misc]
        """Tasks of one row."""

        def estimate_inmemory_data_size(self) -> int:
            return SPLITS

        def get_read_tasks(self, parallelism: int, *_: Any, **__: Any) -> list[Any]:
            about = BlockMetadata(num_rows=None, size_bytes=1, input_files=None, exec_stats=None)
            return [ReadTask(lambda: [pyarrow.table({"a": [0]})], about) for _ in range(parallelism)]

    started = time.perf_counter()
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="error",
        object_store_memory=200 * 2**20,
        runtime_env={"env_vars": {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}},
    )
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    # With the reservation, Ray runs one task at a time on two CPUs, also of sources that only sleep.
    context.op_resource_reservation_enabled = False
    assert ray.data.range(10, override_num_blocks=2).materialize().count() == 10
    start = time.perf_counter() - started

    def count(source: Any) -> int:
        # By the argument `n` of the source, Ray would cut the blocks again.
        found: int = ray.data.read_datasource(source, override_num_blocks=SPLITS).materialize().count()
        return found

    def read() -> None:
        assert count(AerospikeDatasource(config, "test", SET)) == rows

    def nothing() -> None:
        assert count(Nothing()) == SPLITS

    try:
        yield two_workers("Ray", read, nothing, config, rows, rounds, start)
    finally:
        ray.shutdown()


def two_workers(
    name: str,
    read: Callable[[], None],
    nothing: Callable[[], None],
    config: Any,
    rows: int,
    rounds: int,
    start: float,
) -> Result:
    first = seconds(read)
    mine, own, alone = turns(rounds, read, nothing, one_process(config, rows))
    figures = (
        f"start {start:.1f} s, first read {first:.2f} s, read {mine:.2f} s, "
        f"a job without records {own:.2f} s; `to_numpy` {alone:.2f} s"
    )
    return Result(f"{name}, two workers: wall time of a read", figures, (mine - own) / alone, 1.5)


# -- CPU of an adapter's task


def cpu(config: Any, rows: int, rounds: int) -> Iterator[Result]:
    splits = aerospike.splits(config, "test", SET, SPLITS)

    def own() -> None:
        assert sum(len(split.read()) for split in splits) == rows

    for name, task in adapters(config, splits, rows):
        mine, alone = turns(rounds, task, own, clock=time.process_time)
        figures = f"{1e9 * mine / rows:.0f} ns; `Split.read` {1e9 * alone / rows:.0f} ns"
        yield Result(f"{name}: CPU of its task for a record", figures, mine / alone, 1.2)


def adapters(config: Any, splits: list[Any], rows: int) -> Iterator[tuple[str, Callable[[], None]]]:
    from aerospike_py.dask import _read

    def by_dask() -> None:
        assert sum(len(_read(split)) for split in splits) == rows

    yield "Dask", by_dask

    from aerospike_py.ray import AerospikeDatasource

    tasks = AerospikeDatasource(config, "test", SET, n=SPLITS).get_read_tasks(SPLITS)

    def by_ray() -> None:
        assert sum(block.num_rows for task in tasks for block in task()) == rows

    yield "Ray", by_ray

    from aerospike_py.spark import AerospikeDataSource

    source = AerospikeDataSource(spark_options(config))
    reader = source.reader(source.schema())
    partitions = reader.partitions()

    def by_spark() -> None:
        assert sum(batch.num_rows for part in partitions for batch in reader.read(part)) == rows

    yield "Spark", by_spark


# -- Spark: batches and rows


def spark_options(config: Any) -> dict[str, str]:
    return {"config": json.dumps(config), "namespace": "test", "set": SET, "splits": str(SPLITS)}


def cpu_below(root: int) -> float:
    """CPU seconds of a process and of those that it started, with theirs that have ended. Linux only."""
    used: dict[int, float] = {}
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        number = int(path.parent.name)
        used[number] = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
        children.setdefault(int(fields[1]), []).append(number)
    below, found = [root], 0.0
    while below:
        number = below.pop()
        found += used.get(number, 0.0)
        below += children.get(number, [])
    return found


def spark(config: Any, rows: int, rounds: int) -> Iterator[Result]:
    import pyarrow
    from pyspark.sql import SparkSession

    from aerospike_py.spark import AerospikeDataSource

    base: Any = AerospikeDataSource

    def source(name: str, read: Callable[[Any, Any], Iterator[Any]]) -> Any:
        """The same source under a name, whose tasks are `read(batches, partition)`.

        `batches` is what reads a partition in the source itself.
        """

        class Source(base):  # type: ignore[misc]
            @classmethod
            def name(cls) -> str:
                return name

            def reader(self, schema: Any) -> Any:
                made = super().reader(schema)
                made.read = functools.partial(read, made.read)
                return made

        return Source

    def records(_: Any, partition: Any) -> Iterator[tuple[Any, ...]]:
        """A tuple for each record."""
        split = partition.split
        query = clients.client_for(config).query(split.namespace, split.set)
        chosen = plan.partition_filter(split.partitions)
        for _, _, bins in query.results(policy={"partition_filter": chosen}):
            yield tuple(bins[name] for name in "abcde")

    def no_records(_: Any, __: Any) -> Iterator[Any]:
        """As many tasks, without records."""
        columns = pyarrow.schema([(name, pyarrow.from_numpy_dtype(DTYPE[name])) for name in "abcde"])
        yield pyarrow.RecordBatch.from_pylist([], columns)

    def tuples(batches: Any, partition: Any) -> Iterator[tuple[Any, ...]]:
        """The batches as tuples."""
        for batch in batches(partition):
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)

    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.memory", "1g")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    for made in (
        AerospikeDataSource,
        source("rows", tuples),
        source("records", records),
        source("nothing", no_records),
    ):
        session.dataSource.register(made)
    schema = "a long, b long, c long, d double, e double"

    def read(name: str) -> Callable[[], None]:
        frame = session.read.format(name).options(**spark_options(config)).schema(schema).load()
        assert frame.count() == (0 if name == "nothing" else rows)
        return lambda: frame.write.format("noop").mode("overwrite").save()

    java = session.sparkContext._gateway.proc.pid

    def clock() -> Any:
        return np.array([time.perf_counter(), cpu_below(java)])

    try:
        nothing, batches, *others = turns(
            rounds, read("nothing"), read("aerospike"), read("records"), read("rows"), clock=clock
        )
    finally:
        session.stop()
    for what, taken in zip(("records one by one", "the batches as tuples"), others, strict=True):
        for place, measure in enumerate(("wall time", "CPU of Java and the workers")):
            figures = (
                f"batches {batches[place]:.2f} s; rows {taken[place]:.2f} s; a job without records "
                f"{nothing[place]:.2f} s"
            )
            ratio = (taken[place] - nothing[place]) / (batches[place] - nothing[place])
            name = f"Spark, two workers: Arrow batches against {what}, {measure}"
            yield Result(name, figures, ratio, 5.0, True)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    args = parser.parse_args()
    parts = {"dask": dask, "ray": ray, "cpu": cpu, "spark": spark}
    print(f"{args.rows} records of 5 bins in {SPLITS} splits; medians of {args.rounds} rounds\n")
    print("| what | figures | ratio | target |\n|---|---|---|---|")
    missed = 0
    with cluster(args.rows) as config:
        for name in args.only:
            for result in parts[name](config, args.rows, args.rounds):
                print(result.row(), flush=True)
                missed += not result.is_met
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
