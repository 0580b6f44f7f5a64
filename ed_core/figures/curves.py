"""Loss curves: the objective and its terms during training."""

from collections.abc import Iterable, Mapping
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from ed_core.figures.figure_data import FigureData
from ed_core.figures.style import BLUE, GRID, SMALL, TEXT, VERMILION, WIDTH, label_ends
from ed_core.plugins.spec import Head

_COLUMNS = 3
_MANY = 6  # epochs
_FAR = 8.0
_LINE = 2.2  # points
_STRETCHES = 60
_NONE = (np.empty(0), np.empty(0), np.empty(0))
Table = Mapping[str, np.ndarray]
End = tuple[float, str, str]
Shown = dict[str, FigureData]  # colour to the run that is drawn in it


def curves(materials: list[FigureData]) -> Figure | None:
    """Return the total above one axes a head: its loss, and dashed the loss times its weight.

    One run is blue in training and red in validation; of two runs each has a colour, named above
    all, and its training is dotted. The first of two is drawn broader, so that it shows where both
    are one. Heads of one name whose losses differ have an axes each.
    """
    materials = [material for material in materials if drawn(material, "loss")[2].size]
    if not materials:
        return None
    runs = dict(zip((BLUE, VERMILION), materials, strict=False))
    panels = _panels(runs)
    wide = min(len(panels), _COLUMNS)
    deep = -(-len(panels) // wide)
    figure = Figure(figsize=(WIDTH, 3.4 + 2.8 * deep))
    figure.set_layout_engine("constrained", hspace=0.08, wspace=0.06)
    grid = figure.add_gridspec(1 + deep, wide, height_ratios=[1.3] + [1.0] * deep)
    total = figure.add_subplot(grid[0, :])
    single = len(materials) == 1
    lines = "" if single else "  (dotted: in training; dashed: loss × λ)"
    total.set(title=f"total loss{lines}", xlabel="epoch")
    total.set_ylabel("sum of loss × λ", fontsize=SMALL)
    ends = {total: _draw(total, runs, "loss", "", single)}
    for number, (head, own) in enumerate(panels):
        axes = figure.add_subplot(grid[1 + number // wide, number % wide])
        ends[axes] = _draw(axes, own, f"{head.name}_loss", f"{head.name}_weight", single)
        axes.set_title(f"{head.name}{_weight_of(own.values(), head.name)}")
        axes.set_ylabel(_loss_of(head), fontsize=SMALL)
        if number + wide >= len(panels):
            axes.set_xlabel("epoch")
    if not single:  # names of runs are long: beside the lines they would take the panels' width
        handles = [Line2D([], [], color=colour, linewidth=_LINE) for colour in runs]
        names = [material.name for material in materials]
        figure.legend(
            handles, names, loc="outside upper left", ncols=2, frameon=False, fontsize=TEXT
        )
    label_ends(figure, ends)
    return figure


def _panels(runs: Shown) -> list[tuple[Head, Shown]]:
    """Return every head of the runs, once for each loss, with the runs that have it so."""
    panels: dict[tuple[str, str], tuple[Head, Shown]] = {}
    for colour, material in runs.items():
        for head in material.run.model.heads:
            panels.setdefault((head.name, _loss_of(head)), (head, {}))[1][colour] = material
    return list(panels.values())


def _draw(axes: Axes, runs: Shown, loss: str, weight: str, single: bool) -> list[End]:
    """Draw one loss of some runs, in training and in validation; return the names of one run's."""
    ends = []
    for own, material in runs.items():
        broad = 2.2 if not single and own == BLUE else 1.0
        table = material.scalars
        for prefix in ("", "val_"):
            steps, x, y = drawn(material, prefix + loss)
            if not y.size:
                continue
            colour = VERMILION if single and prefix else own
            style: dict[str, Any] = {
                "color": colour,
                "linestyle": "-" if single or prefix else ":",
                "marker": "o" if prefix and len(y) < 40 else "",
                "markersize": 6 * (1 + broad) / 2,
                "linewidth": _LINE * broad,
                "alpha": 0.55 if broad > 1 else 1.0,
                "clip_on": False,
            }
            axes.plot(x, y, **style)
            if single:
                ends.append((y[-1], "validation" if prefix else "training", colour))
            lambdas = _at(table, weight, steps) if weight else np.ones(len(y))
            if not np.all(lambdas == 1) and np.any(lambdas > 0):
                weighted = np.where(lambdas > 0, lambdas * y, np.nan)  # 0 has no logarithm
                axes.plot(x, weighted, **{**style, "linestyle": "--", "linewidth": 1.4 * broad})
                if single and not prefix and lambdas[-1] > 0:
                    ends.append((weighted[-1], "weighted", colour))
    _settle(axes)
    return ends


def drawn(material: FigureData, column: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the step, the epoch and the value of every point at which a loss is drawn.

    Where every step was recorded, the mean of each epoch, or of few epochs the means of equal
    stretches.
    """
    table, steps = material.scalars, material.curves
    if column not in steps or not np.isfinite(steps[column]).any():
        rows, y = series(table, column)
        return (*((table[name][rows]) for name in ("step", "epoch")), y) if rows.size else _NONE
    finite = np.isfinite(steps[column])
    step, epoch, y = (steps[name][finite].astype("float64") for name in ("step", "epoch", column))
    many = epoch[-1] >= _MANY
    part = np.ceil(epoch) if many else np.ceil(epoch / epoch[-1] * _STRETCHES)
    starts = np.flatnonzero(np.diff(part, prepend=-1.0))
    counts = np.diff(np.append(starts, len(y)))
    ends = starts + counts - 1
    return step[ends], epoch[ends], np.add.reduceat(y, starts) / counts


def _at(table: Table, column: str, steps: np.ndarray) -> np.ndarray:
    """Return the last value of a scalar that was known at each step."""
    rows = np.flatnonzero(np.isfinite(table[column]))
    last = np.searchsorted(table["step"][rows], steps, side="right") - 1
    return table[column][rows[np.maximum(last, 0)]]


def series(table: Table, column: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows in which a loss is drawn, and its values.

    Keras logs a training loss as the mean since the epoch began. Of many epochs their whole means
    are drawn; of few the means between one row and the next.
    """
    if column not in table:
        return np.arange(0), np.empty(0)
    rows = np.flatnonzero(np.isfinite(table[column]))
    if not rows.size or column.startswith("val_"):
        return rows, table[column][rows]
    rows = rows[np.append(np.diff(table["step"][rows]) > 0, True)]  # the last of each step
    epoch, step = table["epoch"][rows], table["step"][rows]
    whole = epoch == np.round(epoch)
    if whole.sum() >= _MANY or not epoch[-1]:
        return rows[whole], table[column][rows[whole]]
    values = table[column][rows].copy()
    since = step - np.ceil(epoch - 1) * (step[-1] / epoch[-1])  # steps since the epoch began
    sums = values * since
    later = np.flatnonzero(np.ceil(epoch[1:]) == np.ceil(epoch[:-1])) + 1
    values[later] = (sums[later] - sums[later - 1]) / (since[later] - since[later - 1])
    return rows, values


def _settle(axes: Axes) -> None:
    """Choose limits, and a logarithmic scale where one line is far off the others or falls far."""
    lines = [np.asarray(line.get_ydata(), float) for line in axes.get_lines()]
    lines = [line[line > 0] for line in lines if np.any(line > 0)]
    middles = [float(np.median(line)) for line in lines]
    if lines and max(line.max() for line in lines) > _FAR * min(middles):
        axes.set_yscale("log")
        decades = np.log10(max(line.max() for line in lines) / min(line.min() for line in lines))
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 2.5 else (1,)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_locator(NullLocator())
    axes.margins(x=0.01)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)


def _loss_of(head: Head) -> str:
    """Return what a head's loss is called, in words, broken where it is long."""
    name = str(getattr(head.loss, "__name__", "loss"))
    return fill(name.replace("_", " "), 20) if name.isidentifier() else "loss"


def _weight_of(materials: Iterable[FigureData], head: str) -> str:
    """Return a head's weight as it stood at the end, for the title of its axes."""
    weights = [m.scalars[f"{head}_weight"] for m in materials if f"{head}_weight" in m.scalars]
    finals = {f"{w[np.isfinite(w)][-1]:.3g}" for w in weights if np.isfinite(w).any()}
    return f"  (λ = {', '.join(sorted(finals))})" if finals else ""
