"""The way from one sample to another through the code."""

import numpy as np
from matplotlib.figure import Figure

from ed_core.figures.decoding import decoder_of
from ed_core.figures.material import Material
from ed_core.figures.mosaic import GAP, add_image, figure_of, mosaic, picture, tile_size
from ed_core.figures.style import SMALL, TEXT
from ed_core.latent import interpolate

_STEPS, _PAIRS = 9, 5
_TILE, _APART = 180, 4 * GAP  # dots; the originals stand a little off what is decoded


def interpolation(materials: list[Material]) -> Figure | None:
    """Return a row a pair: a sample, what is decoded on the line to the other, and the other.

    A conditional decoder is given the class of the first; the pairs are then of one class.
    """
    main = materials[0]
    decoder = decoder_of(main)
    if decoder is None or main.codes is None or main.image is None:
        return None
    field = main.image
    pairs = _pairs(len(main.codes), main.samples[decoder.label] if decoder.label else None)
    if not len(pairs):
        return None
    rows = []
    for pair in pairs:
        ends = [{name: array[row] for name, array in main.samples.items()} for row in pair]
        between = interpolate(main.run, ends[0], ends[1], _STEPS)
        rows.append([picture(image) for image in (ends[0][field], *between, ends[1][field])])
    size = tile_size(rows[0][0], _TILE)
    page = mosaic([row[1:-1] for row in rows], size)
    apart = size[1] + _APART
    figure = figure_of(page.shape[1] + 2 * apart, page.shape[0])
    for column, left, name in ((0, 0, "from"), (-1, page.shape[1] + apart + _APART, "to")):
        axes, _ = add_image(figure, mosaic([[row[column]] for row in rows], size), left=left)
        axes.text(size[1] / 2, -15, name, ha="center", va="bottom", fontsize=TEXT)
    axes, _ = add_image(figure, page, left=apart)
    for step, part in enumerate(np.linspace(0, 1, _STEPS)):
        middle = step * (size[1] + GAP) + size[1] / 2
        text = f"{part:.3g}" if step else "t = 0"
        axes.text(middle, -15, text, ha="center", va="bottom", fontsize=SMALL)
    return figure


def _pairs(samples: int, labels: np.ndarray | None) -> np.ndarray:
    """Return rows (pairs, 2): neighbours of the first samples, or the first two of each class."""
    if labels is None:
        count = min(_PAIRS, samples // 2)
        return np.arange(2 * count).reshape(count, 2)
    rows = [np.flatnonzero(labels == number)[:2] for number in np.unique(labels[labels >= 0])]
    pairs = [pair for pair in rows if len(pair) == 2][:_PAIRS]
    return np.array(pairs, "int64").reshape(-1, 2)
