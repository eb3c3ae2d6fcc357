"""Tables of the results, as Markdown."""

from __future__ import annotations

import os
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benches import statistic, targets
from benches.environment import ROOT
from benches.statistic import NAMES, PEERS, TUPLES, cell, middle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benches.statistic import Figures

# The row of an event loop without batches.
IDLE = "idle loop"
FLOOR = "wire-floor"
# Clients whose versions are listed; the others are part of this checkout.
SHOWN = ("ours", *PEERS)

QUERY_KINDS = {
    "array": "an array",
    "foreach": "a call for each record",
    "results": "a list of records",
}

PLOTS = {
    "batch": (
        ("cpu", "Client CPU per record by batch size"),
        ("floor", "Wall time per record by batch size"),
    ),
    "async": (("async", "Batches per second and CPU per batch, by batches in flight"),),
    "beside": (("beside", "Speed of other Python code while a client reads batches"),),
}
# It shows several workloads, and is beside the first of them.
WIDE = ("query", "arrow", "nested", "matrix")
WIDE_PLOT = ("wide", "Client CPU per record: queries, Arrow columns, maps of maps, a matrix of three sets")

# In texts; pages have the path from their folder.
GUIDE = "benches/README.md"
# The folder of results against a real server, in the folder of the others.
SERVER = "server"


def short(value: float | None, unit: str = "") -> str:
    if value is None:
        return "-"
    size = abs(value)
    digits = 3 if size < 1 else 2 if size < 10 else 1 if size < 100 else 0
    return f"{value:,.{digits}f}{unit}"


def percent(share: float | None) -> float | None:
    return None if share is None else share * 100


def milli(microseconds: float | None) -> str:
    return short(None if microseconds is None else microseconds / 1e3, " ms")


def times(one: float | None, other: float | None) -> str:
    return short(one / other) if one is not None and other else "-"


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table. Columns of figures are aligned to the right."""
    rule = (
        [
            "---" if any("a" <= c[:1].strip("`*").lower() <= "z" for c in column) else "---:"
            for column in zip(*rows, strict=True)
        ]
        if rows
        else ["---"] * len(head)
    )
    return [f"| {' | '.join(cells)} |" for cells in (head, rule, *rows)]


def floor_name(clients: Figures) -> str:
    """The floor, and the number of connections with which it was fastest."""
    number = statistic.connections(clients)
    return f"{NAMES[FLOOR]}, {number} connection{'' if number == '1' else 's'}"


def batches(figures: Figures) -> Iterator[str]:
    for workload, sizes in figures.items():
        rows = []
        for size, clients in sizes.items():
            for client, taken in clients.items():
                cpu, wall = cell(clients, client, "cpu"), cell(clients, client, "wall")
                name = TUPLES if client == "ours" and "ours-keys" in clients else NAMES[client]
                if client == FLOOR:
                    name = floor_name(clients)
                peak = taken.get("peak")
                rows.append(
                    [
                        f"{int(size):,}",
                        name,
                        milli(cpu),
                        milli(wall),
                        short(None if cpu is None else cpu * 1e3 / int(size), " ns"),
                        short(None if peak is None else peak / 2**20, " MiB"),
                        times(cpu, cell(clients, "ours", "cpu")),
                        times(wall, cell(clients, "ours", "wall")),
                    ]
                )
        yield from ("", f"**{workload}**", "")
        head = ["keys", "client", "CPU", "wall", "CPU per record", "peak memory", "CPU ratio", "wall ratio"]
        yield from table(head, rows)


def arrow(figures: Figures) -> Iterator[str]:
    for workload, sizes in figures.items():
        rows = []
        for size, clients in sizes.items():
            for what, taken in clients.items():
                client, _, kind = what.partition(", ")
                cpu, wall = cell(clients, what, "cpu"), cell(clients, what, "wall")
                peak = taken.get("peak")
                above = targets.difference(peak, taken.get("result"))
                where = "columns" if kind == "arrow" else "an array"
                rows.append(
                    [
                        f"{int(size):,}",
                        floor_name(clients) if client == FLOOR else f"{NAMES[client]}, into {where}",
                        milli(cpu),
                        milli(wall),
                        short(None if cpu is None else cpu * 1e3 / int(size), " ns"),
                        short(None if peak is None else peak / 2**20, " MiB"),
                        short(None if above is None else above / 2**20, " MiB"),
                    ]
                )
        yield from ("", f"**{workload}**", "")
        head = ["keys", "client", "CPU", "wall", "CPU per record", "peak memory", "above the result"]
        yield from table(head, rows)


def in_flight(figures: Figures) -> Iterator[str]:
    rows = []
    for number, clients in figures["closed"].items():
        ours = middle(clients.get("ours", []), "rate"), middle(clients.get("ours", []), "cpu")
        for client, taken in clients.items():
            rate, cpu = middle(taken, "rate"), middle(taken, "cpu")
            rows.append(
                [
                    number,
                    NAMES[client],
                    short(rate),
                    milli(middle(taken, "p50")),
                    milli(middle(taken, "p99")),
                    milli(cpu),
                    times(ours[0], rate),
                    times(cpu, ours[1]),
                ]
            )
    head = [
        "in flight",
        "client",
        "batches/s",
        "p50",
        "p99",
        "CPU per batch",
        "batches/s ratio",
        "CPU ratio",
    ]
    yield ""
    yield from table(head, rows)
    yield from (
        "",
        f"All clients at {figures['rate']:,.0f} batches/s, the best rate of the others with 32 in flight:",
        "",
    )
    rows = [
        [
            name,
            short(middle(taken, "rate")),
            milli(middle(taken, "lag_p50")),
            milli(middle(taken, "lag_p99")),
            milli(middle(taken, "cpu")) if name != IDLE else "-",
        ]
        for name, taken in [
            *((NAMES[client], taken) for client, taken in figures["paced"].items()),
            (IDLE, figures["idle"]),
        ]
    ]
    yield from table(["client", "batches/s", "loop lag p50", "loop lag p99", "CPU per batch"], rows)


def work_beside(figures: Figures) -> Iterator[str]:
    rows = []
    for where, clients in figures["work"].items():
        for client, stretches in clients.items():
            found = statistic.beside(stretches, figures["batch"])
            if found is None:
                continue
            rows.append(
                [
                    where,
                    TUPLES if client == "ours" and "ours-keys" in clients else NAMES[client],
                    short(found["rate"]),
                    *(short(percent(found[kind]), " %") for kind in ("kept", "kept_by_clocks")),
                    *(short(found[kind], " ms") for kind in ("lost", "lost_by_clocks")),
                    short(percent(found["of_alone"]), " %"),
                ]
            )
    yield from (
        "",
        f"{figures['batch']:,} keys per batch, at most {figures['rate']:.1f} batches/s, the best rate of the",
        "other clients. *Kept* and *lost* (per 1,000 records) refer to the time in which a core was free for",
        "the Python code. They are measured in two ways, by iterations and by the kernel's clocks:",
        f"[how]({GUIDE}#other-python-code-while-batches-are-read). *Of an idle machine* compares the",
        "speed with that on a machine that does nothing else.",
        "",
    )
    head = [
        "work",
        "client",
        "batches/s",
        "kept, by iterations",
        "kept, by clocks",
        "lost, by iterations",
        "lost, by clocks",
        "of an idle machine",
    ]
    yield from table(head, rows)


def records(figures: Figures) -> Iterator[str]:
    rows: list[list[str]] = []

    def add(what: str, clients: Figures, scale: float, unit: str) -> None:
        for client in clients:
            cpu, wall = cell(clients, client, "cpu"), cell(clients, client, "wall")
            rows.append(
                [
                    what,
                    NAMES[client],
                    short(None if cpu is None else cpu / scale, unit),
                    short(None if wall is None else wall / scale, unit),
                    times(cpu, cell(clients, "ours", "cpu")),
                    times(wall, cell(clients, "ours", "wall")),
                ]
            )

    for kind, what in (("records", ""), ("touched", ", all bins accessed")):
        add(f"batch of {figures['size']:,}{what}", figures["batch"][kind], 1e3, " ms")
    for operation, clients in figures["single"].items():
        add(f"`{operation}`", clients, 1, " µs")
    yield ""
    yield from table(["what", "client", "CPU", "wall", "CPU ratio", "wall ratio"], rows)
    rows = []
    for operation, of in figures["flight"].items():
        for number, clients in of.items():
            for client, taken in clients.items():
                rate = middle(taken, "rate")
                ours = middle(clients.get("ours", []), "rate")
                rows.append(
                    [
                        f"`{operation}`, {number} in flight",
                        NAMES[client],
                        short(rate),
                        short(middle(taken, "cpu"), " µs"),
                        short(middle(taken, "p99"), " µs"),
                        times(ours, rate),
                    ]
                )
    yield ""
    yield from table(["async", "client", "calls/s", "CPU per call", "p99", "calls/s ratio"], rows)
    rows = [[NAMES[client], milli(median(taken))] for client, taken in figures["import"].items() if taken]
    yield ""
    yield from table(["import, after NumPy", "wall"], rows)


TABLE_WAYS = {
    "table": "`batch_write_arrow`",
    "array": "`batch_write_numpy`, from an array",
    "official": "official client: `to_pylist`, `batch_write` of 5,000 rows",
}


def writes(figures: Figures) -> Iterator[str]:
    clients = figures["clients"]
    rows = [
        [
            NAMES[client],
            milli(cell(clients, client, "cpu")),
            milli(cell(clients, client, "wall")),
            times(cell(clients, client, "cpu"), cell(clients, "ours", "cpu")),
        ]
        for client in clients
    ]
    yield from ("", f"{figures['size']:,} records of five fields:", "")
    yield from table(["client", "CPU", "wall", "CPU ratio"], rows) if rows else ["No client could."]
    tables = figures.get("tables")
    if not tables:
        return
    ways = tables["ways"]
    rows = [
        [
            TABLE_WAYS[way],
            milli(cell(ways, way, "cpu")),
            milli(cell(ways, way, "wall")),
            times(cell(ways, way, "cpu"), cell(ways, "table", "cpu")),
        ]
        for way in ways
    ]
    yield from ("", f"{tables['size']:,} of these records, from an Arrow table:", "")
    yield from table(["call", "CPU", "wall", "CPU ratio"], rows) if rows else ["No client could."]


def queries(figures: Figures) -> Iterator[str]:
    for workload, kinds in figures["queries"].items():
        size, rows = figures["sizes"][workload], []
        for kind, clients in kinds.items():
            for client, taken in clients.items():
                cpu, wall = cell(clients, client, "cpu"), cell(clients, client, "wall")
                peak, result = taken.get("peak"), taken.get("result")
                above = peak - result if peak is not None and result else None
                rows.append(
                    [
                        QUERY_KINDS[kind],
                        NAMES[client],
                        milli(cpu),
                        milli(wall),
                        short(None if cpu is None else cpu * 1e3 / size, " ns"),
                        short(None if wall is None else wall * 1e3 / size, " ns"),
                        short(None if peak is None else peak / 2**20, " MiB"),
                        short(None if above is None else above / 2**20, " MiB"),
                        times(cpu, cell(clients, "ours", "cpu")),
                        times(wall, cell(clients, "ours", "wall")),
                    ]
                )
        yield from ("", f"**{size:,} records: {workload}**", "")
        yield from table(
            [
                "into",
                "client",
                "CPU",
                "wall",
                "CPU per record",
                "wall per record",
                "peak memory",
                "above the result",
                "CPU ratio",
                "wall ratio",
            ],
            rows,
        )


MATRIX_WAYS = {
    "matrix": "`read_matrix`",
    "batches": "three batches, an array each",
    "stacked": "three batches, stacked into a matrix",
}
MATRIX_PEERS = {
    "aerospike-py": "three batches, `to_numpy`, stacked into a matrix",
    "official": "three batches, a loop into a matrix",
    "aerospike-native": "three batches, a loop into a matrix",
    FLOOR: "one batch over the sets",
}


def matrix(figures: Figures) -> Iterator[str]:
    ways, rows = figures["ways"], []
    for name in ways:
        client, _, way = name.partition(", ")
        rows.append(
            [
                floor_name(ways) if client == FLOOR else NAMES[client],
                MATRIX_PEERS.get(client) or MATRIX_WAYS[way],
                milli(cell(ways, name, "cpu")),
                milli(cell(ways, name, "wall")),
                times(cell(ways, name, "cpu"), cell(ways, "ours-keys, matrix", "cpu")),
            ]
        )
    yield from ("", f"{figures['entities']:,} entities, 12 features in each of 3 sets:", "")
    yield from table(["client", "call", "CPU", "wall", "CPU ratio"], rows)
    lag = figures["lag"]
    if lag:
        rate, p99, own = (middle(lag, name) for name in ("rate", "lag_p99", "own_lag_p99"))
        text = f"100 entities, 32 in flight: {rate:,.0f} matrices/s, loop lag p99 {milli(p99)}"
        yield from (
            "",
            f"{text}, less the time in which its thread waited for a core {milli(own)}.",
            "",
        )


TABLES: dict[str, Callable[[Figures], Iterator[str]]] = {
    "batch": batches,
    "shapes": batches,
    "mixed": batches,
    "async": in_flight,
    "beside": work_beside,
    "records": records,
    "writes": writes,
    "query": queries,
    "arrow": arrow,
    "nested": batches,
    "matrix": matrix,
}


def facts(result: dict[str, Any]) -> Iterator[str]:
    machine = result["machine"]
    versions = (f"{NAMES[name]} {version}" for name, version in result["versions"].items() if name in SHOWN)
    yield f"- command: `{result['command']}`, commit {result['commit']}, {result['date']}, {result['effort']}"
    yield f"- server: {result['server']}"
    yield (
        f"- machine: {machine['cpu']}, {machine['cores']} cores, {machine['system']} {machine['kernel']} "
        f"({machine['architecture']}), {machine['python']}, NumPy {result['numpy']}"
    )
    yield f"- versions: {', '.join(versions)}"
    yield from (f"- {note}" for note in result["notes"])


def verdicts(found: dict[str, Figures]) -> Iterator[str]:
    rows = [
        [
            target.what,
            f"{target.bound} {target.wanted:g}{target.unit}",
            short(target.measured, target.unit),
            target.verdict,
        ]
        for target in targets.evaluate(found)
    ]
    if rows:
        yield from ("", "## Targets", "")
        yield from table(["target", "wanted", "measured", ""], rows)


def markdown(found: dict[str, Figures], plots: set[str], guide: str, other: str = "") -> str:
    """The page of a folder with these results and plots.

    ``guide`` is the path from there to GUIDE, ``other`` a line about another folder of results.
    """
    lines = [
        "# Benchmark results",
        "",
        *([other, ""] if other else ()),
        "`benches/run.py` writes this page from the JSON files in this folder, which hold every sample.",
        f"[How it is measured]({GUIDE}). Figures are medians of one run on one machine: compare ratios,",
        "not milliseconds. CPU is user and system time of the client's process, all threads.",
        "",
        "- *CPU ratio* and *wall ratio*: the time of the row's client divided by this package's. Above 1,",
        "  this package needs less.",
        "- *batches/s ratio* and *calls/s ratio*: this package's rate divided by that of the row's client.",
        "- *tuples*: the keys are a list of tuples. *`Keys`*: they are a NumPy array, passed as `Keys(...)`.",
        "- *wire floor*: a program that sends prepared requests with the same bytes, reads the replies and",
        "  decodes nothing. It shows what the network and the kernel cost any client.",
        *verdicts(found),
    ]
    first = next((name for name in found if name in WIDE), None)
    for name, result in found.items():
        lines += ["", f"## {result['title']}", "", *facts(result)]
        for plot, title in (*PLOTS.get(name, ()), *((WIDE_PLOT,) if name == first else ())):
            if f"{plot}.svg" in plots:
                lines += ["", f"![{title}]({plot}.svg)"]
        lines += TABLES[name](result["figures"])
    return "\n".join(lines).replace(f"]({GUIDE}", f"]({guide}") + "\n"


def write(folder: Path) -> str:
    other = ""
    if folder.name == SERVER and (folder.parent / "README.md").exists():
        other = "Against a real server. [The results against the embedded server](../README.md)."
    elif (folder / SERVER / "README.md").exists():
        other = f"Against the embedded server. [The results against a real server]({SERVER}/README.md)."
    guide = "../README.md"
    if folder.resolve().is_relative_to(ROOT):
        guide = Path(os.path.relpath(ROOT / GUIDE, folder.resolve())).as_posix()
    plots = {path.name for path in folder.glob("*.svg")}
    text = markdown(statistic.results(folder), plots, guide, other)
    (folder / "README.md").write_text(text, encoding="utf-8")
    return text
