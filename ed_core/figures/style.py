"""Style of the figures, for projectors and colour-blind readers."""

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from ed_core.palette import class_colour

DPI = 200
WIDTH = 12.0  # inches: a slide is 13.3 wide
TEXT, SMALL = 14, 12  # points

INK = "#1a1e24"
MUTED = "#59636e"
FAINT, GRID = "#c9ced4", "#e3e7eb"
BLUE, VERMILION = "#0072b2", "#d55e00"
MARKERS = ("o", "^", "s", "D")  # so that no two of ten classes differ by their colour alone
PLATE = {  # keeps type readable on points; a stroke around it would turn type to outlines in SVG
    "boxstyle": "round,pad=0.15",
    "facecolor": "white",
    "edgecolor": "none",
    "alpha": 0.8,
}

STYLE: dict[Any, Any] = {
    "font.size": TEXT,
    "axes.labelsize": TEXT,
    "axes.titlesize": TEXT,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 1.0,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 2.2,
    "lines.solid_capstyle": "round",
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "savefig.dpi": DPI,
    "savefig.bbox": "tight",
    "savefig.pad_inches": 0.15,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "edkit",  # the same figure is the same file
    "pdf.fonttype": 42,
}


def marks(number: int) -> dict[str, Any]:
    """Return the colour and the marker of a class among points."""
    return {"color": class_colour(number), "marker": MARKERS[number % len(MARKERS)]}


def dark(colour: str) -> tuple[float, float, float]:
    """Return a colour as it must be for type on a white page."""
    red, green, blue = to_rgb(colour)
    return 0.7 * red, 0.7 * green, 0.7 * blue


def label_ends(figure: Figure, ends: Mapping[Axes, Sequence[tuple[float, str, str]]]) -> None:
    """Write a name at the right end of each line, no two closer than a line of type.

    Args:
        figure: with all that changes its layout.
        ends: for each of its axes the (y, text, colour) of each line.
    """
    marks = {axes: [_mark(axes, *end) for end in some] for axes, some in ends.items()}
    figure.draw_without_rendering()  # settles the layout, which the distances depend on
    for axes, some in ends.items():
        heights = [axes.transData.transform((0, y))[1] * 72 / figure.dpi for y, _, _ in some]
        low = axes.bbox.y0 * 72 / figure.dpi  # below it stand the ticks
        places = spread(heights, SMALL * 1.3, low)
        for mark, height, place in zip(marks[axes], heights, places, strict=True):
            mark.set_position((8, place - height))


def _mark(axes: Axes, y: float, text: str, colour: str) -> Annotation:
    return axes.annotate(
        text,
        (1, y),
        xycoords=("axes fraction", "data"),
        xytext=(8, 0),
        textcoords="offset points",
        color=colour,
        fontsize=SMALL,
        va="center",
        annotation_clip=False,
    )


def spread(values: Sequence[float], distance: float, low: float = -inf) -> list[float]:
    """Return the values moved as little as needed to lie `distance` apart, and none below `low`."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    groups: list[list[int]] = []
    for index in order:  # neighbours that would touch are merged and stand around their mean
        groups.append([index])
        while len(groups) > 1 and _low(groups[-1], values, distance) < distance + _high(
            groups[-2], values, distance
        ):
            last = groups.pop()
            groups[-1] += last
    placed = [0.0] * len(values)
    for group in groups:
        for rank, index in enumerate(group):
            placed[index] = _low(group, values, distance) + rank * distance
    for index in order:
        placed[index] = max(placed[index], low)
        low = placed[index] + distance
    return placed


def _low(group: list[int], values: Sequence[float], distance: float) -> float:
    mean = sum(values[i] for i in group) / len(group)
    return mean - (len(group) - 1) / 2 * distance


def _high(group: list[int], values: Sequence[float], distance: float) -> float:
    return _low(group, values, distance) + (len(group) - 1) * distance
