"""The performance targets, and whether the measured figures meet them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benches import statistic
from benches.statistic import PEERS, cell, middle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benches.statistic import Figures

AT_LEAST, AT_MOST = "at least", "at most"


@dataclass(frozen=True)
class Target:
    """A figure that is wanted, and the measured one; None where it was not measured."""

    what: str
    bound: str
    wanted: float
    unit: str
    measured: float | None

    @property
    def verdict(self) -> str:
        if self.measured is None:
            return "not measured"
        reached = self.measured >= self.wanted if self.bound == AT_LEAST else self.measured <= self.wanted
        return "met" if reached else "**not met**"


def ratio(above: float | None, below: float | None) -> float | None:
    return above / below if above is not None and below else None


def difference(one: float | None, other: float | None) -> float | None:
    return one - other if one is not None and other is not None else None


def best(figures: list[float | None], choose: Callable[[list[float]], float]) -> float | None:
    known = [figure for figure in figures if figure is not None]
    return choose(known) if known else None


def batch(figures: Figures) -> Iterator[Target]:
    by_size = figures["numeric"]
    clients = by_size.get("10000", {})
    for name, client, factors, above in (
        ("tuples", "ours", (15, 20), 120),
        ("`Keys`", "ours-keys", (25, 35), 50),
    ):
        cpu = cell(clients, client, "cpu")
        for peer, factor in zip(("aerospike-py", "official"), factors, strict=True):
            text = f"10,000 × 5, {name}: CPU, {statistic.NAMES[peer]} / this package"
            yield Target(text, AT_LEAST, factor, "×", ratio(cell(clients, peer, "cpu"), cpu))
        wall = difference(cell(clients, client, "wall"), cell(clients, "wire-floor", "wall"))
        text = f"10,000 × 5, {name}: wall time above the wire floor, per record"
        yield Target(text, AT_MOST, above, " ns", None if wall is None else wall / 10)
    for name, client, spread in (("`Keys`", "ours-keys", 1.3), ("tuples", "ours", 2.0)):
        costs = {int(size): ratio(cell(of, client, "cpu"), int(size)) for size, of in by_size.items()}
        known = [cost for size, cost in costs.items() if size >= 1_000 and cost is not None]
        largest = max((size for size, cost in costs.items() if cost is not None), default=0)
        text = f"1,000 to {largest:,} keys, {name}: CPU per record, largest / smallest"
        yield Target(text, AT_MOST, spread, "×", max(known) / min(known) if len(known) > 1 else None)
    few = by_size.get("100", {})
    peers = best([cell(few, peer, "cpu") for peer in PEERS], min)
    text = "100 keys: CPU, best other client / this package"
    yield Target(text, AT_LEAST, 4, "×", ratio(peers, cell(few, "ours", "cpu")))


def shapes(figures: Figures) -> Iterator[Target]:
    for stored in ("blob", "list"):
        clients = figures.get(f"vector-1024-{stored}", {}).get("1000", {})
        walls = [cell(clients, client, "wall") for client in ("ours", "ours-keys")]
        share = ratio(cell(clients, "wire-floor", "wall"), best(walls, min))
        text = f"1,000 vectors of 1,024 float32, as a {stored}: throughput, share of the wire floor"
        yield Target(text, AT_LEAST, 75, " %", None if share is None else share * 100)


def in_flight(figures: Figures) -> Iterator[Target]:
    usual = figures["closed"].get("32", {})
    ours = usual.get("ours", [])
    rates = best([middle(usual.get(peer, []), "rate") for peer in PEERS], max)
    cpus = best([middle(usual.get(peer, []), "cpu") for peer in PEERS], min)
    yield Target(
        "async, 32 in flight: batches/s, this package / best other client",
        AT_LEAST,
        3,
        "×",
        ratio(middle(ours, "rate"), rates),
    )
    text = "async, 32 in flight: CPU per batch, best other client / this package"
    yield Target(text, AT_LEAST, 8, "×", ratio(cpus, middle(ours, "cpu")))
    lag = middle(figures["paced"].get("ours", []), "lag_p99")
    text = f"async: loop lag, p99, at {figures['rate']:,.0f} batches/s, the best other client's rate"
    yield Target(text, AT_MOST, 2, " ms", None if lag is None else lag / 1e3)


def work_beside(figures: Figures) -> Iterator[Target]:
    for where, clients in figures["work"].items():
        for client, keys in (("ours", "tuples"), ("ours-keys", "`Keys`")):
            found = statistic.beside(clients.get(client, []), figures["batch"])
            name = f"Python in a {where}, {figures['rate']:.0f} batches/s, {keys}"
            for kind, how in (("", "iterations"), ("_by_clocks", "clocks")):
                kept, lost = (found[f"{figure}{kind}"] if found else None for figure in ("kept", "lost"))
                share = None if kept is None else kept * 100
                yield Target(f"{name}: speed kept, by {how}", AT_LEAST, 95, " %", share)
                text = f"{name}: Python time lost per 1,000 records, by {how}"
                yield Target(text, AT_MOST, 0.2, " ms", lost)


def records(figures: Figures) -> Iterator[Target]:
    batches, flights = figures["batch"], figures["flight"]["get"]
    for name, what, factor in (("records", "", 2), ("touched", ", all bins accessed", 2.2)):
        of = batches[name]
        text = f"{figures['size']:,} Python records{what}: CPU, official client / this package"
        share = ratio(cell(of, "official", "cpu"), cell(of, "ours", "cpu"))
        yield Target(text, AT_LEAST, factor, "×", share)
    for command in ("get", "put"):
        single = figures["single"][command]
        for kind, name in (("wall", "wall time"), ("cpu", "CPU")):
            share = ratio(cell(single, "ours", kind), cell(single, "official", kind))
            yield Target(f"`{command}`: {name}, this package / official client", AT_MOST, 0.8, "×", share)
    alone = flights.get("1", {})
    more = ratio(middle(alone.get("ours", []), "rate"), middle(alone.get("aerospike-native", []), "rate"))
    text = "async `get`, 1 in flight: calls/s, this package / `aerospike-native`"
    yield Target(text, AT_LEAST, 1.5, "×", more)
    flight = flights.get("32", {})
    more = ratio(middle(flight.get("ours", []), "rate"), middle(flight.get("aerospike-py", []), "rate"))
    yield Target("`get`, 32 in flight: calls/s, this package / `aerospike-py` (PyPI)", AT_LEAST, 2, "×", more)


def writes(figures: Figures) -> Iterator[Target]:
    of = figures["clients"]
    text = f"{figures['size']:,} × 5 written from an array: CPU, `aerospike-py` (PyPI) / this package"
    yield Target(text, AT_LEAST, 8, "×", ratio(cell(of, "aerospike-py", "cpu"), cell(of, "ours", "cpu")))
    tables = figures.get("tables")
    if tables:
        ways = tables["ways"]
        text = f"{tables['size']:,} × 5 written: CPU, from an Arrow table / from an array"
        yield Target(text, AT_MOST, 1.4, "×", ratio(cell(ways, "table", "cpu"), cell(ways, "array", "cpu")))


def queries(figures: Figures) -> Iterator[Target]:
    for workload, kinds in figures["queries"].items():
        size, arrays = figures["sizes"][workload], kinds["array"]
        cpu, wall = cell(arrays, "ours", "cpu"), cell(arrays, "ours", "wall")
        text = f"{workload}, into an array: wall time, this package / the wire floor"
        yield Target(text, AT_MOST, 1.5, "×", ratio(wall, cell(arrays, "wire-floor", "wall")))
        if "vector" in workload:
            continue
        text = f"{workload}, into an array: CPU per record"
        yield Target(text, AT_MOST, 200, " ns", None if cpu is None else cpu * 1e3 / size)
        taken = arrays.get("ours", {})
        above = difference(taken.get("peak"), taken.get("result"))
        text = f"{workload}, into an array: peak memory above the result"
        yield Target(text, AT_MOST, 32, " MiB", None if above is None else above / 2**20)
        called = kinds["foreach"]
        text = f"{workload}, a call for each record: CPU, this package / official client"
        yield Target(
            text, AT_MOST, 1, "×", ratio(cell(called, "ours", "cpu"), cell(called, "official", "cpu"))
        )


def arrow(figures: Figures) -> Iterator[Target]:
    for workload, sizes in figures.items():
        for size, of in sizes.items():
            ours, array = cell(of, "ours-keys, arrow", "cpu"), cell(of, "ours-keys, array", "cpu")
            if workload == "numeric":
                text = f"{int(size):,} × 5 numbers into Arrow columns: CPU, columns / array"
                yield Target(text, AT_MOST, 1.3, "×", ratio(ours, array))
            elif workload == "arrow-text":
                text = f"{int(size):,} × 5 texts into Arrow columns: CPU of a value"
                yield Target(text, AT_MOST, 60, " ns", None if ours is None else ours * 1e3 / int(size) / 5)
            taken = of.get("ours-keys, arrow", {})
            text = f"{workload} into Arrow columns: peak memory / the finished table"
            yield Target(text, AT_MOST, 1.5, "×", ratio(taken.get("peak"), taken.get("result")))


def nested(figures: Figures) -> Iterator[Target]:
    flat = cell(figures["features-flat"].get("200", {}), "ours", "cpu")
    for name, how in (("features-nested", "a nested dtype"), ("features-paths", "paths")):
        cpu = cell(figures.get(name, {}).get("200", {}), "ours", "cpu")
        text = f"200 entities × 12 features in a map of maps, {how}: CPU"
        yield Target(text, AT_MOST, 90, " µs", cpu)
        text = f"200 entities × 12 features, {how}: CPU, map of maps / plain bins"
        yield Target(text, AT_MOST, 1.5, "×", ratio(cpu, flat))


def matrix(figures: Figures) -> Iterator[Target]:
    ways, rows = figures["ways"], f"3 sets × {figures['entities']:,} entities × 12 features"
    ours = cell(ways, "ours-keys, matrix", "cpu")
    text = f"{rows} into a matrix: CPU, matrix / three plain batches"
    yield Target(text, AT_MOST, 1.3, "×", ratio(ours, cell(ways, "ours-keys, batches", "cpu")))
    text = f"{rows} into a matrix: CPU, official client with a loop / this package"
    yield Target(text, AT_LEAST, 15, "×", ratio(cell(ways, "official, matrix", "cpu"), ours))
    lag = middle(figures["lag"], "lag_p99")
    text = "matrices of 100 entities, 32 in flight: loop lag, p99"
    yield Target(text, AT_MOST, 2, " ms", None if lag is None else lag / 1e3)
    own = middle(figures["lag"], "own_lag_p99")
    text += ", without the time in which no core was free"
    yield Target(text, AT_MOST, 2, " ms", None if own is None else own / 1e3)


EVALUATED: dict[str, Callable[[Figures], Iterator[Target]]] = {
    "batch": batch,
    "shapes": shapes,
    "async": in_flight,
    "beside": work_beside,
    "records": records,
    "writes": writes,
    "query": queries,
    "arrow": arrow,
    "nested": nested,
    "matrix": matrix,
}


def evaluate(results: dict[str, Figures]) -> list[Target]:
    return [
        target
        for name, targets in EVALUATED.items()
        if name in results
        for target in targets(results[name]["figures"])
    ]
