"""Figures of predictions beside the truth: maps of values, and predicted against true values."""

from typing import Any, Literal

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from ed_core import evaluation
from ed_core.confusion import confusion as counted
from ed_core.evaluation import positions
from ed_core.figures.figure_data import FigureData
from ed_core.figures.sheets import (
    GAP,
    SCALE,
    add_image,
    coloured,
    figure_of,
    input_pictures,
    mosaic,
    tile_size,
)
from ed_core.figures.style import DPI, FAINT, GRID, INK, SMALL, TEXT, WIDTH, marks
from ed_core.labels import quantity, with_unit
from ed_core.plugins.spec import Field, Head

Kind = Literal["class", "value"]
NO_TRUTH = "no truth recorded"
_COLUMNS = 5  # samples of the maps
_ROW = 340  # dots: largest height of an image
_BAR = 30  # dots: width of the colour bar
Row = tuple[str, np.ndarray]
_SHOWN = 2000  # points of a plane, at most
_CLASSES = 10  # largest number in a legend
_HEIGHT = 6.4  # inches, of the planes


def heads_of(material: FigureData, kind: Kind, axes: int) -> list[Head]:
    """Return the heads that predict a class or a value, and were taught to.

    Args:
        material: the run.
        kind: of the target.
        axes: of the target: 0 where a sample has one, 2 where every pixel has one.
    """
    heads = []
    for head in material.run.model.heads:
        field = material.fields.get(head.target) if head.needs_target else None
        if field is None or field.kind != kind or positions(field) != axes:
            continue
        if not material.run.was_trained(head):
            continue
        shape = tuple(material.run.model.output[head.output].shape[1:])
        if kind == "class":
            fits = len(shape) == axes + 1 and _are_probabilities(material, head)
        else:
            fits = shape[axes:] in ((), (1,))
        if fits:
            heads.append(head)
    return heads


def _are_probabilities(material: FigureData, head: Head) -> bool:
    """Return whether an output is a class at all: a code may be trained against classes as well."""
    first = material.whole.outputs[head.output][:1]
    return bool(np.all(first >= 0) and np.allclose(first.sum(axis=-1), 1, atol=1e-3))


def rivals(materials: list[FigureData], head: Head, axes: int) -> list[tuple[FigureData, Head]]:
    """Return each run with its head on the same target as this one, among as many classes.

    Args:
        materials: the runs, the first of which has the head.
        head: predicts a class.
        axes: of the target, see `heads_of`.
    """
    classes = materials[0].run.model.output[head.output].shape[-1]
    return [
        (material, own)
        for material in materials
        for own in heads_of(material, "class", axes)
        if own.target == head.target and material.run.model.output[own.output].shape[-1] == classes
    ]


def truth(material: FigureData, head: Head) -> np.ndarray:
    """Return the target (samples, ...) without an axis of size 1; -1 or NaN where there is none."""
    return evaluation.truth(material.samples, material.fields[head.target], head)


def predicted(material: FigureData, head: Head) -> np.ndarray:
    """Return the prediction of a head for every sample: values, or the most probable classes."""
    output = material.outputs[head.output]
    field = material.fields[head.target]
    if field.kind == "class":
        return output.argmax(axis=-1)
    return output.reshape(output.shape[: 1 + positions(field)])


def spread(material: FigureData, count: int) -> np.ndarray:
    """Return rows (at most count,) spread over all samples: neighbours in a film are alike."""
    there = len(next(iter(material.samples.values())))
    return np.unique(np.linspace(0, there - 1, min(count, there)).round().astype("int64"))


def confusion(material: FigureData, head: Head) -> np.ndarray:
    """Return how often each class (row) was taken for each (column), missing targets left out.

    Returns:
        (classes, classes) integers, of samples or of pixels.
    """
    classes = material.run.model.output[head.output].shape[-1]
    return counted(truth(material, head), predicted(material, head), classes)


def _measured(number: float, field: Field) -> str:
    return with_unit(f"{number:.3g}", field.unit)


def maps(materials: list[FigureData]) -> dict[str, Figure]:
    """Return images, true values and predicted ones on one scale, for each head of such a target.

    A column a sample; of two runs each has a row. The RMSE is that of the whole split.
    """
    figures = {}
    for head in heads_of(materials[0], "value", 2):
        main = materials[0].whole
        chosen = spread(main, _COLUMNS)
        rows = _rows(materials, head, chosen)
        size = truth(main, head).shape[1:3]
        inputs = input_pictures(main, size, chosen)
        inputs.pop(head.target, None)
        axis = quantity(head.target, main.fields[head.target].unit)
        figures[head.name] = _drawn(inputs, rows, axis)
    return figures


def _rows(materials: list[FigureData], head: Head, chosen: np.ndarray) -> list[Row]:
    """Return the name and some maps (samples, height, width) of the truth and of each run."""
    true, field = truth(materials[0].whole, head), materials[0].fields[head.target]
    rows = [(f"true {head.target}", true[chosen])]
    for material in materials:
        for own in heads_of(material, "value", 2):
            if own.target == head.target:
                values = predicted(material.whole, own)
                squares = np.square(values - true, dtype="float64")
                finite = squares[np.isfinite(squares)]
                error = np.sqrt(finite.mean()) if finite.size else 0.0
                caption = f"RMSE {_measured(error, field)}" if finite.size else NO_TRUTH
                rows.append((f"{material.name or 'predicted'}\n{caption}", values[chosen]))
    return rows


def _drawn(inputs: dict[str, list[np.ndarray]], rows: list[Row], axis: str) -> Figure:
    every = np.stack([values for _, values in rows])
    low, high = (float(edge) for edge in np.nanquantile(every, (0.001, 0.999)))
    tall, wide = every.shape[2:]
    width = min(int(WIDTH * DPI / _COLUMNS) - GAP, _ROW * wide // tall)
    size = tile_size(every[0, 0], width)
    pages = [(name, mosaic([images], size)) for name, images in inputs.items()]
    pages += [(name, mosaic([coloured(values, low, high)], size)) for name, values in rows]
    step = size[0] + GAP
    figure = figure_of(pages[0][1].shape[1], len(pages) * step - GAP)
    for row, (name, page) in enumerate(pages):
        axes, _ = add_image(figure, page, (len(pages) - 1 - row) * step)
        axes.text(-25, size[0] / 2, name, ha="right", va="center", fontsize=TEXT, linespacing=1.4)
    dots = figure.get_size_inches() * DPI
    place = (1 + _BAR / dots[0], 0, _BAR / dots[0], (len(rows) * step - GAP) / dots[1])
    scale = ScalarMappable(Normalize(low, high), SCALE)
    bar = figure.colorbar(scale, cax=figure.add_axes(place), label=axis)
    bar.outline.set_visible(False)
    bar.ax.locator_params(nbins=6)
    return figure


def regressions(materials: list[FigureData]) -> dict[str, Figure]:
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


def _same(material: FigureData, head: Head) -> Head | None:
    return next((h for h in heads_of(material, "value", 0) if h.target == head.target), None)


def _plane(axes: Axes, material: FigureData, head: Head) -> None:
    whole = material.whole
    true, estimates = truth(whole, head), predicted(whole, head)
    has_truth = np.flatnonzero(np.isfinite(true))
    squares = np.square(estimates[has_truth].astype("float64") - true[has_truth])
    error = np.sqrt(np.mean(squares)) if has_truth.size else np.nan
    rows = has_truth[:_SHOWN]
    labels = _labels(material)
    for number in np.unique(labels[rows]):
        mine = rows[labels[rows] == number]
        axes.scatter(true[mine], estimates[mine], s=16, alpha=0.55, linewidths=0, **_marks(number))
    if has_truth.size:
        low, high = axes.dataLim.intervalx, axes.dataLim.intervaly
        limits = (min(low[0], high[0]), max(low[1], high[1]))
        axes.plot(limits, limits, color=INK, linewidth=1.4)
    field = whole.fields[head.target]
    axis = quantity(head.target, field.unit)
    axes.set(aspect="equal", xlabel=f"true {axis}", ylabel=f"predicted {axis}")
    axes.margins(0.04)
    text = f"RMSE {_measured(error, field)} of {has_truth.size:,} samples"
    axes.set_title(f"{material.name or head.name}: {text if has_truth.size else NO_TRUTH}")
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)


def _labels(material: FigureData) -> np.ndarray:
    """Return the classes that colour the points (samples,), or 0 if there are too many.

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


def _legend(figure: Figure, axes: Axes, material: FigureData) -> None:
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
