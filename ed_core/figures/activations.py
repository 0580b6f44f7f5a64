"""Activation maps of the encoder's convolutions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers
from matplotlib.figure import Figure

from ed_core.evaluation import predict
from ed_core.figures.figure_data import FigureData
from ed_core.figures.sheets import GAP, add_image, figure_of, mosaic, picture, tile_size
from ed_core.figures.style import DPI, SMALL, TEXT

FIGURES = 3
_COLUMNS, _ROWS = 10, 8
_TILE = 150  # dots
_BETWEEN = 66  # dots between two runs, for the title of the lower
_ABOVE = 72  # dots between the input and the maps, for the title of the upper
_BAR = 30  # dots
_NOTICEABLE = 0.01  # share of the layer's maximum from which a value is active


@dataclass(frozen=True)
class _Block:
    """The maps (samples, height, width, channels) of one run, and which channels are shown."""

    title: str
    maps: np.ndarray
    channels: np.ndarray

    @property
    def shown(self) -> np.ndarray:
        return self.maps[..., self.channels]


def activations(materials: list[FigureData], number: int) -> Figure | None:
    """Return the maps of one convolution: a column a sample, a row a channel, the input on top.

    Of more than eight channels the eight that vary most are shown; all share one scale. Of two
    runs the first stands over the second, with four channels each.

    Args:
        materials: one run or two.
        number: which of up to three convolutions, spread over the depth of the encoder.
    """
    main = materials[0]
    few = main.few(_COLUMNS)
    inputs = next((few[f] for f, field in main.fields.items() if field.kind == "image"), None)
    blocks = [_block(each, few, number, _ROWS // len(materials)) for each in materials]
    present = [block for block in blocks if block is not None]
    if blocks[0] is None or inputs is None:
        return None
    originals = [picture(image) for image in inputs]
    size = tile_size(originals[0], _TILE)
    pages = [mosaic([list(rows) for rows in _by_channel(block)], size) for block in present]
    heights = [page.shape[0] for page in pages]
    below = sum(heights) + (_BETWEEN + GAP) * (len(pages) - 1)
    figure = figure_of(pages[0].shape[1], below + _ABOVE + size[0])
    above, _ = add_image(figure, mosaic([originals], size), below + _ABOVE)
    above.text(-15, size[0] / 2, "input", ha="right", va="center", fontsize=TEXT)
    scale = _scale(np.concatenate([block.shown.ravel() for block in present]))
    bottom = below
    for block, page in zip(present, pages, strict=True):
        bottom -= page.shape[0]
        axes, last_image = add_image(figure, page, bottom, **scale)
        bottom -= _BETWEEN + GAP
        axes.set_title(block.title, pad=8)
        for row, channel in enumerate(block.channels):
            middle = row * (size[0] + GAP) + size[0] / 2
            text = f"channel {channel + 1}" if row == 0 else str(channel + 1)
            axes.text(-15, middle, text, ha="right", va="center", fontsize=SMALL)
    _bar(figure, last_image, below)
    return figure


def _block(
    material: FigureData, few: Mapping[str, np.ndarray], number: int, rows: int
) -> _Block | None:
    """Return the maps of a run's convolution, or None where it has not got so many."""
    convolutions = _convolutions(material.encoder)
    if number >= len(convolutions):
        return None
    layer = convolutions[number]
    maps = predict(keras.Model(material.encoder.input, {"maps": layer.output}), few)["maps"]
    spread = maps.std(axis=(0, 1, 2))
    channels = np.sort(np.argsort(-spread, kind="stable")[:rows])
    high, wide, depth = maps.shape[1:]
    few_of = f"{len(channels)} of " if len(channels) < depth else ""
    title = f"{layer.name}: {few_of}{depth} channels of {high} × {wide}"
    if material.name and maps.min() >= 0:  # all of a layer without a ReLU is active
        active = 100 * np.mean(maps > _NOTICEABLE * max(float(maps.max()), 1e-12))
        title = f"{title}, {active:.0f} % active"
    if material.name:
        title = f"{material.name}   {title}"
    return _Block(title, maps, channels)


def _by_channel(block: _Block) -> np.ndarray:
    """Return the shown maps as (channels, samples, height, width)."""
    return np.moveaxis(block.shown, -1, 0)


def _convolutions(encoder: Any) -> list[Any]:
    """Return up to three layers with kernels that give maps, from the first to the last."""
    if encoder is None:
        return []
    kinds = (layers.Conv2D, layers.SeparableConv2D, layers.DepthwiseConv2D)
    convolutions = [layer for layer in encoder.layers if isinstance(layer, kinds)]
    if len(convolutions) <= FIGURES:
        return convolutions
    return [convolutions[round(i)] for i in np.linspace(0, len(convolutions) - 1, FIGURES)]


def _scale(maps: np.ndarray) -> dict[str, Any]:
    """Return dark to light from 0; where there are negative values, two colours around 0."""
    top = float(np.quantile(np.abs(maps), 0.999)) or 1.0
    if maps.min() < 0:
        return {"cmap": "RdBu_r", "vmin": -top, "vmax": top}
    return {"cmap": "magma", "vmin": 0, "vmax": top}


def _bar(figure: Figure, image: Any, height: int) -> None:
    wide, high = figure.get_size_inches() * DPI
    place = (1 + _BAR / wide, 0, _BAR / wide, height / high)
    bar = figure.colorbar(image, cax=figure.add_axes(place), label="activation")
    bar.outline.set_visible(False)
    bar.ax.locator_params(nbins=5)
