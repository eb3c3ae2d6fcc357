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
    """What work beside batches has kept, and lost, by the medians of its stretches."""
    if not stretches:
        return None
    kept, kept_of_alone, lost, blocked, rate = [], [], [], [], []
    for stretch in stretches:
        here, elsewhere, alone = (stretch[name] for name in ("here", "elsewhere", "alone"))
        share = here["turns_a_second"] / elsewhere["turns_a_second"]
        thousands = here["batches"] * batch / 1e3
        kept.append(share)
        kept_of_alone.append(here["turns_a_second"] / alone["turns_a_second"])
        rate.append(here["batches"] / here["wall"])
        if thousands:
            lost.append((1 - share) * here["wall"] * 1e3 / thousands)
            blocked.append((here["blocked"] - elsewhere["blocked"]) * 1e3 / thousands)
    return {
        "kept": median(kept),
        "kept_of_alone": median(kept_of_alone),
        "lost": median(lost) if lost else None,
        "blocked": median(blocked) if blocked else None,
        "rate": median(rate),
    }
