"""A number as a head predicts it, against the true one."""

from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ed_core.figures.material import Material
from ed_core.figures.predictions import (
    NO_TRUTH,
    heads_of,
    in_unit,
    measured,
    predicted,
    truth,
)
from ed_core.figures.style import FAINT, GRID, INK, SMALL, WIDTH, marks
from ed_core.spec import Head

_SHOWN = 2000  # points
_CLASSES = 10  # as many as a legend takes
_HEIGHT = 6.4  # inches


def regressions(materials: list[Material]) -> dict[str, Figure]:
    """Return predicted against true for each head that gives a sample a number, a run a plane."""
    figures = {}
    for head in heads_of(materials[0], "value", 0):
        pairs = [(m, _same(m, head)) for m in materials]
        drawn = [(m, own) for m, own in pairs if own is not None]
        figure = Figure(figsize=(WIDTH if len(drawn) > 1 else _HEIGHT + 0.8, _HEIGHT))
        figure.set_layout_engine("constrained", wspace=0.06)
        all_axes = np.ravel(figure.subplots(1, len(drawn), sharex=True, sharey=True))
        for axes, (material, own) in zip(all_axes, drawn, strict=True):
            _plane(axes, material, own)
            axes.label_outer()
        _legend(figure, all_axes[-1], materials[0])
        figures[head.name] = figure
    return figures


def _same(material: Material, head: Head) -> Head | None:
    return next((h for h in heads_of(material, "value", 0) if h.target == head.target), None)


def _plane(axes: Axes, material: Material, head: Head) -> None:
    whole = material.whole
    true, given = truth(whole, head), predicted(whole, head)
    known = np.flatnonzero(np.isfinite(true))
    squares = np.square(given[known].astype("float64") - true[known])
    error = np.sqrt(np.mean(squares)) if known.size else np.nan
    rows = known[:_SHOWN]
    labels = _labels(material)
    for number in np.unique(labels[rows]):
        mine = rows[labels[rows] == number]
        axes.scatter(true[mine], given[mine], s=16, alpha=0.55, linewidths=0, **_marks(number))
    if known.size:
        low, high = axes.dataLim.intervalx, axes.dataLim.intervaly
        limits = (min(low[0], high[0]), max(low[1], high[1]))
        axes.plot(limits, limits, color=INK, linewidth=1.4)
    field = whole.fields[head.target]
    quantity = in_unit(head.target, field)
    axes.set(aspect="equal", xlabel=f"true {quantity}", ylabel=f"predicted {quantity}")
    axes.margins(0.04)
    text = f"RMSE {measured(error, field)} of {known.size:,} samples"
    axes.set_title(f"{material.name or head.name}: {text if known.size else NO_TRUTH}")
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)


def _labels(material: Material) -> np.ndarray:
    """Return what colours the points (samples,): their classes, or 0 where they are too many.

    -1 is no label.
    """
    whole = material.whole
    if material.label is not None:
        labels: np.ndarray = whole.samples[material.label].astype("int64")
        if len(np.unique(labels[labels >= 0])) <= _CLASSES:
            return np.maximum(labels, -1)
    return np.zeros(len(next(iter(whole.samples.values()))), "int64")


def _marks(number: int) -> dict[str, Any]:
    """Return colour and marker of a class, grey for none."""
    return marks(number) if number >= 0 else {"color": FAINT, "marker": "o"}


def _legend(figure: Figure, axes: Axes, material: Material) -> None:
    """Name each class beside the planes, by its colour and its marker."""
    numbers = np.unique(_labels(material))
    numbers = np.roll(numbers, -int((numbers < 0).sum()))  # what has no label comes last
    if len(numbers) < 2:
        return
    handles: list[Artist] = []
    for number in numbers:
        name = material.class_name(int(number))
        handles += axes.plot([], [], linestyle="", markersize=8, label=name, **_marks(int(number)))
    figure.legend(
        handles=handles,
        title=material.label,
        loc="outside right center",
        frameon=False,
        fontsize=SMALL,
        title_fontsize=SMALL,
        handletextpad=0.2,
    )
