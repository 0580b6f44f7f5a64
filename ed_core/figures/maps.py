"""A value of every pixel, such as an elevation, as a head predicts it, below the true one."""

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from ed_core.figures.material import Material
from ed_core.figures.mosaic import GAP, add_image, figure_of, mosaic, tile_size
from ed_core.figures.pixels import SCALE, coloured, input_pictures
from ed_core.figures.predictions import (
    NO_TRUTH,
    heads_of,
    in_unit,
    measured,
    predicted,
    spread,
    truth,
)
from ed_core.figures.style import DPI, TEXT, WIDTH
from ed_core.spec import Head

_COLUMNS = 5
_ROW = 340  # dots that an image may be high
_BAR = 30  # dots

Row = tuple[str, np.ndarray]


def maps(materials: list[Material]) -> dict[str, Figure]:
    """Return images, true values and predicted ones on one scale, for each head of such a target.

    A column a sample; of two runs each has a row. The RMSE is that of the whole split.
    """
    figures = {}
    for head in heads_of(materials[0], "value", 2):
        main = materials[0].whole
        shown = spread(main, _COLUMNS)
        rows = _rows(materials, head, shown)
        size = truth(main, head).shape[1:3]
        inputs = input_pictures(main, size, shown)
        inputs.pop(head.target, None)
        figures[head.name] = _drawn(inputs, rows, in_unit(head.target, main.fields[head.target]))
    return figures


def _rows(materials: list[Material], head: Head, shown: np.ndarray) -> list[Row]:
    """Return the name and some maps (samples, height, width) of the truth and of each run."""
    true, field = truth(materials[0].whole, head), materials[0].fields[head.target]
    rows = [(f"true {head.target}", true[shown])]
    for material in materials:
        for own in heads_of(material, "value", 2):
            if own.target == head.target:
                values = predicted(material.whole, own)
                squares = np.square(values - true, dtype="float64")
                known = squares[np.isfinite(squares)]
                said = f"RMSE {measured(np.sqrt(known.mean()), field)}" if known.size else NO_TRUTH
                rows.append((f"{material.name or 'predicted'}\n{said}", values[shown]))
    return rows


def _drawn(inputs: dict[str, list[np.ndarray]], rows: list[Row], quantity: str) -> Figure:
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
    bar = figure.colorbar(scale, cax=figure.add_axes(place), label=quantity)
    bar.outline.set_visible(False)
    bar.ax.locator_params(nbins=6)
    return figure
