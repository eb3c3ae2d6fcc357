"""The plot of the wide shapes: queries, Arrow columns, maps of maps and a matrix, a panel each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matplotlib import pyplot as plt

from benches import statistic
from benches.plots_style import BARS, COLOURS, FAINT_INK, FLOOR, WIDTH, caption_under, save
from benches.statistic import cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from benches.statistic import Figures

WIRE_FLOOR = "wire-floor"
COLUMNS = 2
# Inches: of a bar, and of a panel's title.
BAR, TITLE = 0.23, 0.62


@dataclass(frozen=True)
class Panel:
    """Client CPU in microseconds per record, or per entity of a matrix."""

    title: str
    bars: dict[str, float]
    impossible: frozenset[str]
    """Clients that were asked and cannot do it."""


def queries(figures: Figures) -> Iterator[tuple[str, dict[str, float]]]:
    for wanted, is_vector, title in (
        ("query-100000", False, "Query: 5 numbers\ninto an array"),
        ("query-vector-100000", True, "Query: vectors of 128\ninto an array"),
    ):
        names = [name for name in figures["queries"] if ("vector" in name) == is_vector]
        if names:
            name = wanted if wanted in names else names[0]
            yield title, bars(figures["queries"][name]["array"], figures["sizes"][name])


def arrow(figures: Figures) -> Iterator[tuple[str, dict[str, float]]]:
    for workload, title in (
        ("arrow-text", "Batch: 5 texts\ninto Arrow columns"),
        ("arrow-lists", "Batch: lists of floats\ninto Arrow columns"),
    ):
        for size, ways in list(figures.get(workload, {}).items())[-1:]:
            yield title, bars(ways, int(size), ", arrow")


def nested(figures: Figures) -> Iterator[tuple[str, dict[str, float]]]:
    for size, clients in list(figures.get("features-nested", {}).items())[-1:]:
        yield "Batch: maps of maps\ninto a nested dtype", bars(clients, int(size))


def matrix(figures: Figures) -> Iterator[tuple[str, dict[str, float]]]:
    yield "3 sets × 12 features\ninto a matrix", bars(figures["ways"], figures["entities"], ", matrix")


PANELS: dict[str, Callable[[Figures], Iterator[tuple[str, dict[str, float]]]]] = {
    "query": queries,
    "arrow": arrow,
    "nested": nested,
    "matrix": matrix,
}


def bars(clients: Figures, size: int, suffix: str = "") -> dict[str, float]:
    """Figures by client; ``ours-keys`` only where this package was not measured with a list of tuples."""
    found = {}
    for client in (*BARS, WIRE_FLOOR):
        figure = cell(clients, client if client == WIRE_FLOOR else client + suffix, "cpu")
        if figure is not None:
            found[client] = figure / size
    if "ours" in found:
        found.pop("ours-keys", None)
    return found


def panels(results: dict[str, Figures]) -> list[Panel]:
    """The panels of the results that are there."""
    found = []
    for name, make in PANELS.items():
        if name in results:
            figures, notes = results[name]["figures"], results[name]["notes"]
            for title, taken in make(figures):
                refused = {client for client in BARS if any(note.startswith(f"{client}, ") for note in notes)}
                found.append(Panel(title, taken, frozenset(refused - set(taken))))
    return [panel for panel in found if panel.bars]


def microseconds(value: float) -> str:
    """Two digits that count, and no more than the figure has."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def draw(results: dict[str, Figures], folder: Path) -> None:
    shown = panels(results)
    if not shown:
        return
    names = statistic.names({"versions": versions(results)})
    # The width is the bars'.
    names["aerospike-py"] = names["aerospike-py"].removesuffix(" (PyPI)")
    clients = rows(shown)
    lines = -(-len(shown) // COLUMNS)
    height = lines * (len(clients) * BAR + TITLE)
    figure, grid = plt.subplots(lines, COLUMNS, figsize=(WIDTH, height), sharey=True, squeeze=False)
    for axes, panel in zip(grid.flat, shown, strict=False):
        draw_panel(axes, panel, clients)
        axes.set_yticks(range(len(clients)), [names[client] for client in clients], fontsize=10)
    grid[0][0].invert_yaxis()
    for axes in grid.flat[len(shown) :]:
        axes.set_visible(False)
    figure.tight_layout(w_pad=1.2, h_pad=1.4)
    caption = (
        "Client CPU, microseconds per record (matrix: per entity). "
        "Each panel has a scale of its own, from 0.\n"
        f"{FLOOR}"
    )
    caption_under(figure, caption, -0.01)
    save(figure, folder, "wide")


def rows(shown: list[Panel]) -> list[str]:
    """The clients with a figure in a panel; this package once."""
    measured = {client for panel in shown for client in panel.bars}
    found = [client for client in (*BARS, WIRE_FLOOR) if client in measured]
    if {"ours", "ours-keys"} <= measured:
        found.remove("ours-keys")
    return found


def draw_panel(axes: Any, panel: Panel, clients: list[str]) -> None:
    for row, client in enumerate(clients):
        taken = client
        if client == "ours" and client not in panel.bars:
            taken = "ours-keys"
        figure = panel.bars.get(taken)
        if figure is None:
            text = "not possible" if client in panel.impossible else "not measured"
            axes.annotate(text, (0, row), xytext=(3, 0), textcoords="offset points", va="center", fontsize=9)
            axes.texts[-1].set(color=FAINT_INK, style="italic")
            continue
        bar = axes.barh(row, figure, color=COLOURS[client], height=0.72)
        axes.bar_label(bar, [microseconds(figure)], padding=3, fontsize=10)
    axes.set_title(panel.title, x=0, fontsize=10.5, pad=5)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False)
    axes.spines.bottom.set_visible(False)
    axes.set_xticks([])
    axes.margins(x=0.2)
    axes.set_xlim(left=0)


def versions(results: dict[str, Figures]) -> dict[str, str]:
    """The versions in these results, of which the plot has one name."""
    found: dict[str, str] = {}
    for name in PANELS:
        found |= results.get(name, {}).get("versions", {})
    return found
