"""Samples to a table."""

from __future__ import annotations

from statistics import median
from typing import Any

TITLES = {
    "ours": "ours, `batch_read(keys, _dtype=...)`",
    "aerospike-py": "`aerospike-py` of the index, `.to_numpy(dtype)`",
    "official": "official `aerospike` + loop into an array",
    "aerospike-native": "`aerospike-native` + loop into an array",
}


def milliseconds(samples: list[float]) -> float:
    return median(samples) * 1e3


def short(value: float) -> str:
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def table(samples: dict[str, dict[str, dict[str, list[float]]]], versions: dict[str, str]) -> list[str]:
    """``samples[size][client]["cpu" or "wall"]`` as a Markdown table, with ratios to ours."""
    sizes = list(samples)
    clients = list(samples[sizes[0]])
    head = " | ".join(f"{int(size):,} keys: CPU | wall | CPU, times ours" for size in sizes)
    lines = [f"| client | {head} |", "|---" + "|---:" * 3 * len(sizes) + "|"]
    for client in clients:
        cells = [f"{TITLES.get(client, client)} {versions[client]}"]
        for size in sizes:
            cpu = milliseconds(samples[size][client]["cpu"])
            wall = milliseconds(samples[size][client]["wall"])
            base = milliseconds(samples[size]["ours"]["cpu"]) if "ours" in samples[size] else 0.0
            cells += [f"{short(cpu)} ms", f"{short(wall)} ms", f"{cpu / base:.1f}" if base else "-"]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def markdown(result: dict[str, Any]) -> str:
    machine = result["machine"]
    facts = [
        f"- command: `{result['command']}`, commit {result['commit']}, {result['date']}",
        f"- server: {result['server']}",
        f"- machine: {machine['cpu']}, {machine['cores']} cores, {machine['system']} {machine['kernel']} "
        f"({machine['architecture']}), {machine['python']}, NumPy {result['numpy']}",
        f"- each figure is the median of {result['samples']} samples, the clients taken in turn; CPU is user "
        "and system time of the client's process, all threads",
    ]
    lines = [
        f"# {result['title']}",
        "",
        *facts,
        "",
        *table(result["figures"], result["versions"]),
        "",
        "Figures of one run on one machine: compare the ratios, not the milliseconds.",
    ]
    lines += ["", *(f"- {note}" for note in result["notes"])] if result["notes"] else []
    return "\n".join(lines) + "\n"
