"""Samples to a table."""

from __future__ import annotations

from statistics import median
from typing import Any

TITLES = {
    "ours": "**ours**, `batch_read(keys, _dtype=dtype)`",
    "aerospike-py": "`aerospike-py` of the index, `.to_numpy(dtype)`",
    "official": "official `aerospike`, loop into an array",
    "aerospike-native": "`aerospike-native`, loop into an array",
}


def milliseconds(microseconds: list[float]) -> float:
    return median(microseconds) / 1e3


def short(value: float) -> str:
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def table(samples: dict[str, dict[str, dict[str, list[float]]]], versions: dict[str, str]) -> list[str]:
    """``samples[size][client]["cpu" or "wall"]`` as a Markdown table, with ratios to ours."""
    lines = [
        "| keys | client | CPU | wall | CPU, times ours | wall, times ours |",
        "|---:|---|---:|---:|---:|---:|",
    ]
    for size, clients in samples.items():
        figures = {
            client: {kind: milliseconds(taken[kind]) for kind in ("cpu", "wall")}
            for client, taken in clients.items()
        }
        for client, figure in figures.items():
            ratios = [
                f"{figure[kind] / figures['ours'][kind]:.1f}" if "ours" in figures else "-"
                for kind in ("cpu", "wall")
            ]
            cells = [
                f"{int(size):,}",
                f"{TITLES.get(client, client)}, {versions[client]}",
                f"{short(figure['cpu'])} ms",
                f"{short(figure['wall'])} ms",
                *ratios,
            ]
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
        *table(result["figures_in_microseconds"], result["versions"]),
        "",
        "Figures of one run on one machine: compare the ratios, not the milliseconds.",
    ]
    lines += ["", *(f"- {note}" for note in result["notes"])] if result["notes"] else []
    return "\n".join(lines) + "\n"
