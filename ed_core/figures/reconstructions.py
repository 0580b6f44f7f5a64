"""Figures of originals and reconstructions: images, signals and videos."""

from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ed_core.evaluation import predict
from ed_core.figures.figure_data import FigureData
from ed_core.figures.sheets import GAP, add_image, figure_of, mosaic, picture, tile_size
from ed_core.figures.style import BLUE, DPI, GRID, MUTED, SMALL, TEXT, VERMILION, WIDTH
from ed_core.plugins.spec import PRESENT

_COLUMNS = 10  # images
_SAMPLES = 4  # rows of signals
_CHANNELS = 2  # columns of signals
_NAMED = 40  # columns of a table whose names have room
_ROW = 1.7  # inches, of a row of signals
_VIDEOS, _FRAMES = 3, 10  # rows and columns of videos
_APART = 50  # dots between two videos


def reconstructions(materials: list[FigureData]) -> Figure | None:
    """Return a row of originals above one row of reconstructions for each run, with its error.

    A second run that reconstructs nothing has no row.
    """
    main = materials[0]
    if main.image is None:
        return None
    materials = [material for material in materials if material.image is not None]
    few = main.few(_COLUMNS)
    rows = [[picture(image) for image in few[main.image]]]
    for material in materials:
        outputs = predict(material.run.model, few)[material.image or ""]
        rows.append([picture(image) for image in outputs])
    size = tile_size(rows[0][0], int(WIDTH * DPI / _COLUMNS) - GAP)
    page = mosaic(rows, size)
    figure = figure_of(page.shape[1], page.shape[0])
    axes, _ = add_image(figure, page)
    names = ["original", *map(_name, materials)]
    for i, name in enumerate(names):
        middle = i * (size[0] + GAP) + size[0] / 2
        axes.text(-25, middle, name, ha="right", va="center", fontsize=TEXT, linespacing=1.4)
    if main.label is not None:
        for j, number in enumerate(few[main.label]):
            middle = j * (size[1] + GAP) + size[1] / 2
            name = fill(main.class_name(int(number)), 12)
            axes.text(middle, -15, name, ha="center", va="bottom", fontsize=SMALL)
    return figure


def _name(material: FigureData) -> str:
    """Return the name of a run's row, with the error over all pixels of the split."""
    whole = material.whole
    field = material.image or ""
    error = np.mean(np.square(whole.outputs[field] - whole.samples[field]), dtype="float64")
    return f"{fill(material.name or 'reconstruction', 24)}\nMSE {error:.3g}"


def signals(materials: list[FigureData]) -> Figure | None:
    """Return a row a sample, a column a channel: the original in grey, each run over it.

    A signal of one channel is shown in two columns of samples; so is a row of a table, as points.
    """
    main = materials[0]
    field = main.signal
    if field is None:
        return None
    pairs = [(material, material.signal) for material in materials]
    outputs = [material.outputs[output] for material, output in pairs if output is not None]
    original = main.samples[field]
    if (mask := main.samples.get(field + PRESENT)) is not None:  # what is missing is not drawn
        original = np.where(mask > 0, original, np.nan)
    timeless = original.ndim == 2
    if timeless:
        original, outputs = original[..., None], [values[..., None] for values in outputs]
    channels = min(_CHANNELS, original.shape[-1])
    panels = [(sample, c) for sample in range(len(original)) for c in range(channels)]
    panels = panels[: _SAMPLES * _CHANNELS]
    wide = min(_CHANNELS, len(panels))
    deep = -(-len(panels) // wide)
    figure = Figure(figsize=(WIDTH, 0.9 + _ROW * deep))
    figure.set_layout_engine("constrained", hspace=0.04, wspace=0.04)
    all_axes = figure.subplots(deep, wide, sharex=True, sharey=True, squeeze=False)
    for axes, (sample, channel) in zip(all_axes.flat, panels, strict=False):
        curves = [values[sample, :, channel] for values in outputs]
        _draw(axes, original[sample, :, channel], curves, timeless)
        axes.set_title(_title(main, sample, channel), fontsize=SMALL, fontweight="normal", pad=4)
    names = main.fields[field].names
    for axes in all_axes[-1]:
        axes.set_xlabel("column" if timeless else "time step")
        if timeless and 0 < len(names) <= _NAMED:
            axes.set_xticks(range(len(names)), names, rotation=90, fontsize=SMALL)
    names_of_rows = ["original", *(m.name or "reconstruction" for m, output in pairs if output)]
    lines = all_axes.flat[0].get_lines()
    figure.legend(
        lines,
        [
            f"{name}{_error(original, values)}"
            for name, values in zip(names_of_rows, [None, *outputs], strict=True)
        ],
        loc="outside upper left",
        ncols=len(names_of_rows),
        frameon=False,
        fontsize=TEXT,
    )
    return figure


def _draw(axes: Axes, original: np.ndarray, curves: list[np.ndarray], points: bool = False) -> None:
    line: dict[str, Any] = {"linestyle": "none", "marker": "o"} if points else {}
    axes.plot(original, color=MUTED, alpha=0.55, linewidth=4.0, markersize=8, **line)
    for values, colour in zip(curves, (BLUE, VERMILION), strict=False):
        axes.plot(values, color=colour, linewidth=1.6, markersize=4, **line)
    axes.margins(x=0.02 if points else 0)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.locator_params(axis="y", nbins=4)


def _title(material: FigureData, sample: int, channel: int) -> str:
    label = material.label
    name = material.class_name(int(material.samples[label][sample])) if label else ""
    shape = material.samples[material.signal or ""].shape
    several = len(shape) > 2 and shape[-1] > 1
    parts = [f"sample {sample + 1}", *([name] if name else [])]
    return ", ".join([*parts, f"channel {channel + 1}"] if several else parts)


def _error(original: np.ndarray, values: np.ndarray | None) -> str:
    """Return the root mean square error of all samples, in brackets."""
    if values is None:
        return ""
    squares = np.square(original - values, dtype="float64")
    return "" if np.isnan(squares).all() else f" (RMSE {np.sqrt(np.nanmean(squares)):.3g})"


def videos(materials: list[FigureData]) -> Figure | None:
    """Return a strip of frames for each of three videos, below it one strip for each run."""
    main = materials[0]
    field = main.restored("video", 4)
    if field is None:
        return None
    pairs = [(material, material.restored("video", 4)) for material in materials]
    outputs = [material.outputs[output] for material, output in pairs if output is not None]
    original = main.samples[field][:_VIDEOS]
    chosen = np.linspace(0, original.shape[1] - 1, min(_FRAMES, original.shape[1])).round()
    frames = np.unique(chosen.astype(int))
    pages = []
    size = tile_size(original[0, 0], int(WIDTH * DPI / len(frames)) - GAP)
    for sample in range(len(original)):
        strips = [original[sample], *(values[sample] for values in outputs)]
        pages.append(mosaic([[picture(strip[f]) for f in frames] for strip in strips], size))
    high = pages[0].shape[0]
    figure = figure_of(pages[0].shape[1], len(pages) * (high + _APART) - _APART)
    names = ["original", *(m.name or "reconstruction" for m, output in pairs if output)]
    for sample, page in enumerate(pages):
        axes, _ = add_image(figure, page, (len(pages) - 1 - sample) * (high + _APART))
        for row, name in enumerate(names):
            middle = row * (size[0] + GAP) + size[0] / 2
            axes.text(-25, middle, fill(name, 24), ha="right", va="center", fontsize=TEXT)
        for column, frame in enumerate(frames if sample == 0 else ()):
            middle = column * (size[1] + GAP) + size[1] / 2
            text = f"frame {frame + 1}" if column == 0 else str(frame + 1)
            axes.text(middle, -15, text, ha="center", va="bottom", fontsize=SMALL)
    return figure
