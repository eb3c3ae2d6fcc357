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
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import matplotlib as mpl  # noqa: E402
from matplotlib import pyplot as plt  # noqa: E402

from benches import statistic  # noqa: E402
from benches.statistic import cell, middle  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benches.statistic import Figures

# Colours that the colour-blind can tell apart. This package is blue and drawn thicker, the floor is grey.
COLOURS = {
    "ours": "#0072b2",
    "ours-keys": "#56b4e9",
    "aerospike-py": "#d55e00",
    "official": "#009e73",
    "aerospike-native": "#cc79a7",
    "wire-floor": "#777777",
}
MARKERS = {
    "ours": "o",
    "ours-keys": "s",
    "aerospike-py": "^",
    "official": "D",
    "aerospike-native": "v",
    "wire-floor": "x",
}
# Legends follow the lines from top to bottom; bars start with this package.
ORDER = ["aerospike-native", "official", "aerospike-py", "ours", "ours-keys", "wire-floor"]
BARS = ["ours", "ours-keys", "aerospike-py", "official", "aerospike-native"]

BACKGROUND, INK, FAINT_INK, GRID = "#ffffff", "#1f2328", "#59636e", "#dfe3e8"
# What a reader's dark mode makes of the colours above.
DARK = {
    BACKGROUND: "#15181e",
    INK: "#e6e9ed",
    FAINT_INK: "#a3abb5",
    GRID: "#363c45",
    COLOURS["ours"]: "#4493f8",
    COLOURS["ours-keys"]: "#a5d6ff",
    COLOURS["aerospike-py"]: "#f0883e",
    COLOURS["official"]: "#2fbf8f",
    COLOURS["aerospike-native"]: "#e29ac4",
    COLOURS["wire-floor"]: "#9aa0a6",
}
STYLE = {
    "figure.facecolor": BACKGROUND,
    "axes.facecolor": "none",
    "savefig.facecolor": BACKGROUND,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT_INK,
    "xtick.color": FAINT_INK,
    "ytick.color": FAINT_INK,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlepad": 12,
    "grid.color": GRID,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 11,
    "legend.frameon": False,
    # The same figures give the same file.
    "svg.hashsalt": "bench",
}
# Inches. The plots are narrow, so that text stays readable where they shrink to the width of a phone.
WIDTH = 6.4
# Where titles start, as a share of the axes: above the labels of the vertical axis.
LEFT = -0.15
LOGARITHMIC = "Both axes are logarithmic."
FLOOR = "Wire floor: a program that sends and receives the same bytes, and decodes nothing."


def line(axes: Any, client: str, name: str, points: Iterable[tuple[float, float]]) -> None:
    x, y = zip(*points, strict=True)
    axes.plot(
        x,
        y,
        label=name,
        color=COLOURS[client],
        marker=MARKERS[client],
        markersize=5.5,
        linewidth=2.4 if client.startswith("ours") else 1.5,
        linestyle="--" if client == "wire-floor" else "-",
    )


def number(value: float, _: object = None) -> str:
    """10,000 rather than a power of ten, and 0.05 as it is."""
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def twos_and_fives(value: float, _: object = None) -> str:
    """Labels between powers of ten: the others would not have room."""
    text = number(value)
    return text if text.lstrip("0.")[:1] in ("2", "5") else ""


def log_axis(axis: Any, *, between: bool = False) -> None:
    axis.set_major_formatter(number)
    axis.set_minor_formatter(twos_and_fives if between else lambda *_: "")
    axis.set_tick_params(which="minor", length=0 if between else 2)


def below(figure: Any, axes: Any, caption: str) -> None:
    """Puts the names and a caption under the axes, where they take no width from the plot."""
    inch = 1 / figure.get_figheight()
    figure.tight_layout()
    handles, names = axes.get_legend_handles_labels()
    figure.legend(handles, names, loc="upper left", bbox_to_anchor=(0.01, 0), ncols=2, fontsize=10)
    rows = (len(names) + 1) // 2
    caption_under(figure, caption, -(0.3 + 0.21 * rows) * inch)


def caption_under(figure: Any, caption: str, y: float) -> None:
    figure.text(0.025, y, caption, va="top", fontsize=9, color=FAINT_INK, linespacing=1.4)


def save(figure: Any, folder: Path, stem: str) -> None:
    room = {"bbox_inches": "tight", "pad_inches": 0.15}
    figure.savefig(folder / f"{stem}.svg", metadata={"Date": None}, **room)
    figure.savefig(folder / f"{stem}.png", dpi=150, **room)
    plt.close(figure)
    path = folder / f"{stem}.svg"
    path.write_text(with_dark_mode(path.read_text(encoding="utf-8")), encoding="utf-8")


def with_dark_mode(svg: str) -> str:
    """The drawing with a style sheet that recolours it where its reader prefers dark pages.

    The background is recoloured too, so text stays readable on a page whose colours do not follow the
    preference. Programs that ignore style sheets show the light colours.
    """
    rules = "\n".join(
        f'    [style*="{kind}: {light}"] {{ {kind}: {dark} !important }}'
        for light, dark in DARK.items()
        for kind in ("fill", "stroke")
    )
    sheet = f'  <style type="text/css">@media (prefers-color-scheme: dark) {{\n{rules}\n  }}</style>\n'
    head, end, body = svg.partition(" <defs>\n")
    return f"{head}{end}{sheet}{body}"


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
    for which, result in statistic.results(folder).items():
        if which in DRAWN:
            DRAWN[which](result, folder)


if __name__ == "__main__":
    main()
