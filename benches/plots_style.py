"""The colours and forms that all plots share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib import pyplot as plt

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

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
