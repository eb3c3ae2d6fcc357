"""The plots of the results in a folder, SVG and PNG: ``python -m benches.plots FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib import pyplot as plt

from benches import statistic
from benches.statistic import cell, middle

if TYPE_CHECKING:
    from benches.statistic import Figures

# Colours that people with colour blindness tell apart; ours stand out, the floor is grey.
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
STYLE = {
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 10,
    "legend.frameon": False,
    # The same figures give the same file.
    "svg.hashsalt": "bench",
}


def name(client: str) -> str:
    return statistic.NAMES[client].replace("`", "")


def line(axes: Any, client: str, x: list[float], y: list[float]) -> None:
    axes.plot(
        x,
        y,
        label=name(client),
        color=COLOURS[client],
        marker=MARKERS[client],
        markersize=5,
        linewidth=2.2 if client.startswith("ours") else 1.4,
        linestyle="--" if client == "wire-floor" else "-",
    )


def save(figure: Any, folder: Path, stem: str) -> None:
    figure.savefig(folder / f"{stem}.svg", metadata={"Date": None}, bbox_inches="tight")
    figure.savefig(folder / f"{stem}.png", dpi=150, bbox_inches="tight")
    plt.close(figure)


def a_record(figures: Figures, client: str, kind: str) -> tuple[list[float], list[float]]:
    """Sizes, and nanoseconds a record."""
    points = [(int(size), cell(clients, client, kind)) for size, clients in figures.items()]
    known = [(size, figure * 1e3 / size) for size, figure in points if figure is not None]
    return [size for size, _ in known], [figure for _, figure in known]


def thousands(value: float, _: object = None) -> str:
    return f"{value:,.0f}"


def twos_and_fives(value: float, _: object = None) -> str:
    """The labels between powers of ten, of which more would not have room."""
    text = thousands(value)
    return text if text[0] in "25" else ""


def by_size(figures: Figures, folder: Path) -> None:
    numeric = figures["numeric"]
    for stem, kind, clients, title in (
        ("cpu", "cpu", list(COLOURS), "Client CPU of a record (5 numeric bins, into an array)"),
        ("floor", "wall", list(COLOURS), "Wall time of a record, and the wire floor"),
    ):
        figure, axes = plt.subplots(figsize=(7.5, 4.6))
        for client in clients:
            x, y = a_record(numeric, client, kind)
            if x:
                line(axes, client, x, y)
        axes.set(
            xscale="log", yscale="log", xlabel="keys in a batch", ylabel="nanoseconds a record", title=title
        )
        axes.yaxis.set_major_formatter(thousands)
        axes.yaxis.set_minor_formatter(twos_and_fives)
        axes.xaxis.set_major_formatter(thousands)
        axes.grid(which="minor", axis="y", color="#f3f3f3")
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
        save(figure, folder, stem)


def in_flight(figures: Figures, folder: Path) -> None:
    drawn, (rates, cpus) = plt.subplots(1, 2, figsize=(11, 4.4))
    closed = figures["closed"]
    numbers = list(closed)
    for axes, kind, scale in ((rates, "rate", 1.0), (cpus, "cpu", 1e3)):
        for client in COLOURS:
            points = [
                (int(number), figure)
                for number in numbers
                if (figure := middle(closed[number].get(client, []), kind)) is not None
            ]
            if points:
                line(axes, client, [x for x, _ in points], [y / scale for _, y in points])
        axes.set(xscale="log", xlabel="batches of 100 in flight")
        axes.set_xticks([int(number) for number in numbers], numbers)
        axes.minorticks_off()
    rates.set(title="Batches a second", ylim=(0, None))
    cpus.set(title="Client CPU a batch, ms", yscale="log")
    cpus.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    save(drawn, folder, "async")


def work_beside(figures: Figures, folder: Path) -> None:
    figure, (kept, lost) = plt.subplots(1, 2, figsize=(11, 4.4), sharey=True)
    labels, shares, losses, colours = [], [], [], []
    for where, clients in figures["work"].items():
        for client, stretches in clients.items():
            found = statistic.beside(stretches, figures["batch"])
            if found is None or found["lost_by_clocks"] is None:
                continue
            labels.append(f"{where}: {name(client)}")
            shares.append(found["kept_by_clocks"] * 100)
            losses.append(max(0.0, found["lost_by_clocks"]))
            colours.append(COLOURS[client])
    places = range(len(labels))
    for axes, values, form in ((kept, shares, "%.0f %%"), (lost, losses, "%.2f")):
        axes.bar_label(axes.barh(places, values, color=colours, height=0.7), fmt=form, padding=3, fontsize=9)
        axes.grid(axis="y", visible=False)
    kept.set_yticks(places, labels)
    kept.invert_yaxis()
    kept.set(title="Speed that Python keeps", xlim=(0, 115))
    kept.axvline(95, color="#444444", linewidth=1, linestyle=":")
    lost.set(title="Python time lost per 1,000 records, ms")
    lost.margins(x=0.15)
    save(figure, folder, "beside")


DRAWN = {"batch": by_size, "async": in_flight, "beside": work_beside}


def main() -> None:
    folder = Path(sys.argv[1])
    mpl.use("Agg")
    mpl.rcParams.update(STYLE)
    for which, result in statistic.results(folder).items():
        if which in DRAWN:
            DRAWN[which](result["figures"], folder)


if __name__ == "__main__":
    main()
