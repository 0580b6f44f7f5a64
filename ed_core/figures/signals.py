"""Signals as curves: what the model makes of them over the originals."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ed_core.figures.material import Material
from ed_core.figures.style import BLUE, GRID, MUTED, SMALL, TEXT, VERMILION, WIDTH
from ed_core.spec import PRESENT

_SAMPLES = 4  # rows
_CHANNELS = 2  # columns
_ROW = 1.7  # inches


def signals(materials: list[Material]) -> Figure | None:
    """Return a row a sample, a column a channel: the original in grey, each run over it.

    A signal of one channel is shown in two columns of samples.
    """
    main = materials[0]
    field = main.restored("signal", 2)
    if field is None:
        return None
    pairs = [(material, material.restored("signal", 2)) for material in materials]
    made = [material.outputs[output] for material, output in pairs if output is not None]
    original = main.samples[field]
    if (mask := main.samples.get(field + PRESENT)) is not None:  # what is missing is not drawn
        original = np.where(mask > 0, original, np.nan)
    channels = min(_CHANNELS, original.shape[-1])
    panels = [(sample, c) for sample in range(len(original)) for c in range(channels)]
    panels = panels[: _SAMPLES * _CHANNELS]
    wide = min(_CHANNELS, len(panels))
    deep = -(-len(panels) // wide)
    figure = Figure(figsize=(WIDTH, 0.9 + _ROW * deep))
    figure.set_layout_engine("constrained", hspace=0.04, wspace=0.04)
    all_axes = figure.subplots(deep, wide, sharex=True, sharey=True, squeeze=False)
    for axes, (sample, channel) in zip(all_axes.flat, panels, strict=False):
        curves = [values[sample, :, channel] for values in made]
        _draw(axes, original[sample, :, channel], curves)
        axes.set_title(_title(main, sample, channel), fontsize=SMALL, fontweight="normal", pad=4)
    for axes in all_axes[-1]:
        axes.set_xlabel("time step")
    names = ["original", *(m.name or "reconstruction" for m, output in pairs if output)]
    lines = all_axes.flat[0].get_lines()
    figure.legend(
        lines,
        [
            f"{name}{_error(original, values)}"
            for name, values in zip(names, [None, *made], strict=True)
        ],
        loc="outside upper left",
        ncols=len(names),
        frameon=False,
        fontsize=TEXT,
    )
    return figure


def _draw(axes: Axes, original: np.ndarray, curves: list[np.ndarray]) -> None:
    axes.plot(original, color=MUTED, alpha=0.55, linewidth=4.0)
    for values, colour in zip(curves, (BLUE, VERMILION), strict=False):
        axes.plot(values, color=colour, linewidth=1.6)
    axes.margins(x=0)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.locator_params(axis="y", nbins=4)


def _title(material: Material, sample: int, channel: int) -> str:
    label = material.label
    name = material.class_name(int(material.samples[label][sample])) if label else ""
    several = material.samples[material.restored("signal", 2) or ""].shape[-1] > 1
    parts = [f"sample {sample + 1}", *([name] if name else [])]
    return ", ".join([*parts, f"channel {channel + 1}"] if several else parts)


def _error(original: np.ndarray, values: np.ndarray | None) -> str:
    """Return the root mean square error of all samples, in brackets."""
    if values is None:
        return ""
    squares = np.square(original - values, dtype="float64")
    return "" if np.isnan(squares).all() else f" (RMSE {np.sqrt(np.nanmean(squares)):.3g})"
