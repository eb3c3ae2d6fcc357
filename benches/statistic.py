"""What is made of samples, for tables, targets and plots alike. Needs nothing but the standard library."""

from __future__ import annotations

import json
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

PEERS = ("aerospike-py", "official", "aerospike-native")
NAMES = {
    "ours": "ours",
    "ours-keys": "ours, `Keys`",
    "aerospike-py": "`aerospike-py` of the index",
    "official": "official `aerospike`",
    "aerospike-native": "`aerospike-native`",
    "wire-floor": "wire floor",
}

Figures = dict[str, Any]


def results(folder: Path) -> dict[str, Figures]:
    """What lies in a folder, by the name of the workload."""
    found = {}
    for name in ("batch", "shapes", "mixed", "async", "beside", "records", "writes"):
        path = folder / f"{name}.json"
        if path.exists():
            found[name] = json.loads(path.read_text(encoding="utf-8"))
    return found


def middle(taken: list[Figures], kind: str) -> float | None:
    """The median of one figure of several rounds."""
    return median(figures[kind] for figures in taken) if taken else None


def cell(clients: Figures, client: str, kind: str) -> float | None:
    """The median microseconds of a client's batch; of the floor, those of its quickest connections."""
    figures = clients.get(client)
    if not figures:
        return None
    if client == "wire-floor":
        figures = min(figures.values(), key=lambda of: median(of["wall"]))
    return median(figures[kind]) if figures.get(kind) else None


def connections(clients: Figures) -> str:
    """How many connections the floor was quickest with."""
    floor: dict[str, Figures] = clients["wire-floor"]
    return min(floor, key=lambda number: median(floor[number]["wall"]))


def beside(stretches: list[Figures], batch: int) -> Figures | None:
    """What work beside batches has kept, and lost: the medians of its stretches.

    *By turns*: a turn costs what it cost while another process read the batches. The time that Python might
    have had is the wall time less that for which no core was free; turns times cost is what the work has had.

    *By clocks*: the time that the work waited, and on an event loop the time for which the client alone keeps
    the loop's thread busy for as many batches. Blind to what shared caches do, but steadier.
    """
    if not stretches:
        return None
    found: dict[str, list[float]] = {
        kind: [] for kind in ("kept", "lost", "kept_by_clocks", "lost_by_clocks", "rate", "of_alone")
    }
    for stretch in stretches:
        here, elsewhere, alone = (stretch[name] for name in ("here", "elsewhere", "alone"))
        # Where the kernel does not say (macOS), all of the wall time.
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
