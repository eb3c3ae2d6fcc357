"""Statistics of samples for tables, targets and plots. Uses only the standard library."""

from __future__ import annotations

import json
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

PEERS = ("aerospike-py", "official", "aerospike-native")
NAMES = {
    "ours": "this package",
    "ours-keys": "this package, `Keys`",
    "aerospike-py": "`aerospike-py` (PyPI)",
    "official": "official client",
    "aerospike-native": "`aerospike-native`",
    "wire-floor": "wire floor",
}
# The first of them where both are listed.
TUPLES = "this package, tuples"

Figures = dict[str, Any]


def results(folder: Path) -> dict[str, Figures]:
    """The results in a folder, by workload."""
    found = {}
    for name in (
        "batch",
        "shapes",
        "mixed",
        "async",
        "beside",
        "records",
        "writes",
        "query",
        "arrow",
        "nested",
        "matrix",
    ):
        path = folder / f"{name}.json"
        if path.exists():
            found[name] = json.loads(path.read_text(encoding="utf-8"))
    return found


def names(result: Figures, *, both: bool = False) -> dict[str, str]:
    """The clients' names as plots show them, with the versions that were measured."""
    versions: dict[str, str] = result["versions"]
    found = {client: name.replace("`", "") for client, name in NAMES.items()}
    if both:
        found["ours"] = "this package, list of tuples"
    # A run with some clients has no versions of the others.
    for client in set(PEERS) & set(versions):
        name, paren, rest = found[client].partition(" (")
        found[client] = f"{name} {versions[client]}{paren}{rest}"
    return found


def middle(taken: list[Figures], kind: str) -> float | None:
    """The median of one figure of several rounds."""
    return median(figures[kind] for figures in taken) if taken else None


def cell(clients: Figures, client: str, kind: str) -> float | None:
    """Median microseconds per batch of a client; for the floor, with the fastest number of connections."""
    figures = clients.get(client)
    if not figures:
        return None
    if client == "wire-floor":
        figures = min(figures.values(), key=lambda of: median(of["wall"]))
    return median(figures[kind]) if figures.get(kind) else None


def connections(clients: Figures) -> str:
    """The number of connections with which the floor was fastest."""
    floor: dict[str, Figures] = clients["wire-floor"]
    return min(floor, key=lambda number: median(floor[number]["wall"]))


def beside(stretches: list[Figures], batch: int) -> Figures | None:
    """What other Python code keeps and loses while batches are read: medians of the stretches.

    *By iterations*: an iteration ("turn" in the results) costs what it costs while another process reads
    the batches. The time available to Python is the wall time minus the time in which no core was free.
    Iterations times cost is the time that the code got.

    *By clocks*: the lost time is the time that the code waited for the interpreter, on an event loop plus the
    time for which the client alone keeps the loop's thread busy for as many batches. This does not see the
    effect of shared caches, but varies less.
    """
    if not stretches:
        return None
    found: dict[str, list[float]] = {
        kind: [] for kind in ("kept", "lost", "kept_by_clocks", "lost_by_clocks", "rate", "of_alone")
    }
    for stretch in stretches:
        here, elsewhere, alone = (stretch[name] for name in ("here", "elsewhere", "alone"))
        # All of the wall time if the kernel does not tell (macOS).
        free = here["wall"] - here["queued"]
        cost = (elsewhere["running"] or elsewhere["wall"]) / elsewhere["turns"]
        kept = here["turns"] * cost / free
        found["kept"].append(kept)
        found["rate"].append(here["batches"] / here["wall"])
        speeds = [work["turns"] / work["wall"] for work in (here, alone)]
        found["of_alone"].append(speeds[0] / speeds[1])
        if here["batches"]:
            thousands = here["batches"] * batch / 1e3
            found["lost"].append((1 - kept) * free * 1e3 / thousands)
            if here["running"]:
                lost = max(0.0, free - here["running"]) + elsewhere["loop"] * here["batches"]
                found["kept_by_clocks"].append(1 - lost / free)
                found["lost_by_clocks"].append(lost * 1e3 / thousands)
    return {kind: median(figures) if figures else None for kind, figures in found.items()}
