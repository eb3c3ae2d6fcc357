#!/usr/bin/env python3
"""Draws the plots of measured results, as SVG and PNG, from the JSON files of a folder.

    python benches/plots.py             redraws benches/results; nothing is measured
    python benches/plots.py FOLDER      the same for another folder, such as target/bench

Needs matplotlib: `.venv` has it, and `benches/run.py` draws with the version in requirements/plots.txt.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import matplotlib as mpl  # noqa: E402
from matplotlib import pyplot as plt  # noqa: E402

from benches import plots_wide, statistic  # noqa: E402
from benches.plots_style import (  # noqa: E402
    BARS,
    COLOURS,
    FLOOR,
    LEFT,
    LOGARITHMIC,
    ORDER,
    STYLE,
    WIDTH,
    below,
    caption_under,
    line,
    log_axis,
    number,
    save,
)
from benches.statistic import cell, middle  # noqa: E402

if TYPE_CHECKING:
    from benches.statistic import Figures


def per_record(sizes: Figures, client: str, kind: str) -> list[tuple[float, float]]:
    """Batch sizes, and nanoseconds per record."""
    points = [(int(size), cell(clients, client, kind)) for size, clients in sizes.items()]
    return [(size, figure * 1e3 / size) for size, figure in points if figure is not None]


def by_size(result: Figures, folder: Path) -> None:
    sizes = result["figures"]["numeric"]
    names = statistic.names(result, both=True)
    where = "5 numeric bins into a NumPy array"
    for stem, kind, title in (
        ("cpu", "cpu", f"Client CPU per record, {where}"),
        ("floor", "wall", f"Wall time per record, {where}"),
    ):
        figure, axes = plt.subplots(figsize=(WIDTH, 4.4))
        for client in ORDER:
            points = per_record(sizes, client, kind)
            if points:
                line(axes, client, names[client], points)
        axes.set(xscale="log", yscale="log", xlabel="keys per batch", ylabel="nanoseconds per record")
        axes.set_title(title, x=LEFT)
        log_axis(axes.yaxis, between=True)
        log_axis(axes.xaxis)
        below(figure, axes, f"{FLOOR}\n{LOGARITHMIC}")
        save(figure, folder, stem)


def in_flight(result: Figures, folder: Path) -> None:
    drawn, (rates, cpus) = plt.subplots(2, 1, figsize=(WIDTH, 6.6))
    closed = result["figures"]["closed"]
    names = statistic.names(result)
    numbers = list(closed)
    for axes, kind, scale in ((rates, "rate", 1.0), (cpus, "cpu", 1.0)):
        for client in ORDER:
            points = [
                (int(number), figure / scale)
                for number in numbers
                if (figure := middle(closed[number].get(client, []), kind)) is not None
            ]
            if points:
                line(axes, client, names[client], points)
        axes.set(xscale="log")
        axes.set_xticks([int(number) for number in numbers], numbers)
        axes.xaxis.minorticks_off()
    rates.set(ylim=(0, None))
    rates.yaxis.set_major_formatter(number)
    rates.set_title("Batches per second on one event loop", x=LEFT)
    cpus.set(yscale="log", xlabel="batches of 100 keys in flight", ylim=(20, 1_000))
    cpus.set_title("Client CPU per batch, microseconds", x=LEFT)
    log_axis(cpus.yaxis, between=True)
    below(
        drawn,
        cpus,
        "CPU is on a logarithmic axis.\nThe official client has no asyncio API and runs in a thread pool.",
    )
    save(drawn, folder, "async")


def work_beside(result: Figures, folder: Path) -> None:
    figures = result["figures"]
    names = statistic.names(result, both=True)
    drawn, panels = plt.subplots(2, 2, figsize=(WIDTH, 5.2), sharex="col", sharey=True)
    titles = {"thread": "Second thread", "coroutine": "Coroutine, same loop"}
    for row, (where, clients) in zip(panels, figures["work"].items(), strict=True):
        shown = []
        for client in BARS:
            found = statistic.beside(clients.get(client, []), figures["batch"])
            if found is not None and found["lost_by_clocks"] is not None:
                shown.append((client, found["kept_by_clocks"] * 100, max(0.0, found["lost_by_clocks"])))
        clients, kept, lost = zip(*shown, strict=True)
        for axes, values, form in zip(row, (kept, lost), ("%.0f %%", "%.2f"), strict=True):
            bars = axes.barh(
                range(len(shown)), values, color=[COLOURS[client] for client in clients], height=0.72
            )
            axes.bar_label(bars, fmt=form, padding=3, fontsize=10)
            axes.grid(axis="y", visible=False)
            axes.set_yticks(range(len(shown)), [names[client] for client in clients])
            axes.tick_params(axis="y", length=0)
        row[0].set_title(titles[where], x=0, ha="right", fontsize=11)
    panels[0][0].invert_yaxis()
    panels[0][0].set(xlim=(0, 132), xticks=[0, 50, 100])
    panels[0][1].margins(x=0.2)
    panels[1][0].set_xlabel("speed kept, %")
    panels[1][1].set_xlabel("ms lost per 1,000 records")
    drawn.tight_layout(w_pad=1.5)
    caption = (
        f"Python code that runs while the client reads batches of {figures['batch']:,} records:\n"
        "its speed compared with a free core, and the time that it loses."
    )
    caption_under(drawn, caption, -0.01)
    save(drawn, folder, "beside")


DRAWN = {"batch": by_size, "async": in_flight, "beside": work_beside}


def main() -> None:
    parser = argparse.ArgumentParser(description="Draws the plots of results that are there.")
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "benches/results")
    folder = parser.parse_args().folder
    mpl.use("Agg")
    mpl.rcParams.update(STYLE)
    found = statistic.results(folder)
    for which, result in found.items():
        if which in DRAWN:
            DRAWN[which](result, folder)
    plots_wide.draw(found, folder)


if __name__ == "__main__":
    main()
