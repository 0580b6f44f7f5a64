"""Activation maps: a column a sample and a row a channel, or a whole layer of one sample."""

from math import ceil, sqrt

import numpy as np
from PySide6.QtWidgets import QComboBox, QSizePolicy

from ed_viewer.imaging import as_images, image_levels, pixels, squares
from ed_viewer.messages import Arrays
from ed_viewer.palette import activation_table, grey_table
from ed_viewer.panel import Panel, panel
from ed_viewer.ranges import Levels, Scale
from ed_viewer.widgets.text import number
from ed_viewer.widgets.tiles import TileRow, Tiles, TileSet, TileStyle

_ROWS = 16  # channels: a layer with more opens as a mosaic of one sample
_UNITS = 32  # of a dense layer: with more, a sample is drawn as a square
_ROOMY = 560  # pixels: a narrower panel has no room for the choice of the view
_BY_CHANNEL = "Samples × channels"
_ONE_SAMPLE = "All channels of one sample"


@panel("activations")
class ActivationsPanel(Panel):
    """Maps of one layer; levels are fixed over all that was seen, so that sparsity shows."""

    heading = "Activations"
    no_difference = ""

    def build(self) -> None:
        """Choices of the layer and of the view, the strip of inputs, the mosaic."""
        self._layer = QComboBox()
        self._layer.setAccessibleName("Layer")
        self._layer.setToolTip("Layer")
        self._layer.addItems(list(self.source.probe.arrays))
        self._layer.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._layer.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._view = QComboBox()
        self._view.setAccessibleName("View")
        self._view.setToolTip("View")
        self._view.addItems([_BY_CHANNEL, _ONE_SAMPLE])
        for box in (self._layer, self._view):
            self.tools.addWidget(box)
        self._strip = Tiles(self.source.theme)
        self._strip.setToolTip("Click a sample to see its maps")
        self._strip.clicked.connect(self._choose)
        self._mosaic = Tiles(self.source.theme)
        self._mosaic.hovered.connect(self.hovered)
        self.body.addWidget(self._strip, 1)
        self.body.addWidget(self._mosaic, 6)
        self._sample = 0
        self._arrays: Arrays = {}
        self._scales: dict[str, Scale] = {}
        self._layer.currentTextChanged.connect(self._choose_layer)
        self._view.currentTextChanged.connect(self._draw)
        self._choose_layer()

    def resizeEvent(self, event: object) -> None:  # noqa: N802, D102
        self._view.setVisible(self._has_maps() and self.width() >= _ROOMY)

    def show_frame(self, arrays: Arrays) -> None:
        """Draw the chosen layer; take note of the range of every layer."""
        self._arrays = arrays
        for name, values in arrays.items():
            finite = np.nan_to_num(np.asarray(values, np.float32))
            seen = (min(0.0, float(finite.min())), max(0.0, float(finite.max())))
            alone = (seen, activation_table())
            self._scales[name] = self.source.scale(name, alone, finite, steady=True)
        self._draw()

    def _choose_layer(self) -> None:
        info = self.source.probe.arrays[self._layer.currentText()]
        maps = self._has_maps()
        self._view.setVisible(maps and self.width() >= _ROOMY)
        self._view.setCurrentText(_ONE_SAMPLE if maps and info.shape[-1] > _ROWS else _BY_CHANNEL)
        self._draw()

    def _has_maps(self) -> bool:
        return len(self.source.probe.arrays[self._layer.currentText()].shape) == 4

    def _choose(self, row: int, sample: int) -> None:
        self._sample = sample
        self._draw()

    def _draw(self) -> None:
        name = self._layer.currentText()
        if name not in self._arrays:
            return
        values = np.nan_to_num(np.asarray(self._arrays[name], np.float32))
        scale = self._scales[name]
        one = values.ndim == 4 and self._view.currentText() == _ONE_SAMPLE
        self._strip.setVisible(one)
        if one:
            self._sample = min(self._sample, len(values) - 1)
            inputs = self._inputs(len(values))
            self._strip.show_tiles(TileSet(inputs, (), selected=self._sample))
            self._mosaic.show_tiles(_whole_layer(values[self._sample], scale))
        else:
            rows = self._inputs(len(values)) + _rows(values, scale, mark=not self.source.signed)
            names = self.source.class_names(len(values))
            self._mosaic.show_tiles(TileSet(rows, names))
        self._describe(values, scale[0])

    def _describe(self, values: np.ndarray, levels: Levels) -> None:
        axes = tuple(range(values.ndim - 1))
        dead = int((np.abs(values).max(axis=axes) == 0).sum())
        shape = " × ".join(str(n) for n in values.shape[1:])
        said = [shape, f"levels {number(levels[0])} to {number(levels[1])}"]
        said += [f"{dead} never active (dashed)"] if dead and not self.source.signed else []
        hidden = self._mosaic.hidden_rows
        said += [f"{hidden} rows have no room"] if hidden else []
        self.set_caption(" · ".join(said))

    def _inputs(self, samples: int) -> tuple[TileRow, ...]:
        """Return the row of inputs, () where they are not images."""
        field = str(self.source.probe.options.get("field") or "")
        inputs = self.source.reference.get(field)
        if inputs is None or inputs.ndim < 3 or len(inputs) < samples:
            return ()
        images = as_images(inputs[:samples])
        return (TileRow(pixels(images, image_levels(images), grey_table()), "input", images),)


def _rows(values: np.ndarray, scale: Scale, mark: bool) -> tuple[TileRow, ...]:
    """Return a row a channel of (samples, ..., channels); many units as one row of squares.

    Channels that are 0 everywhere are marked as dead, or not.
    """
    if values.ndim == 2 and values.shape[1] > _UNITS:
        images = squares(values)[..., None]
        return (TileRow(pixels(images, *scale), "units", images),)
    flat = values.ndim != 4
    if values.ndim == 3:  # (samples, time, channels): each channel a strip
        values = values[:, None]
    elif values.ndim != 4:
        values = values.reshape(len(values), 1, 1, -1)
    rows = []
    for channel in range(values.shape[-1]):
        images = np.ascontiguousarray(values[..., channel : channel + 1])
        made = pixels(images, *scale)
        dead = mark and not np.abs(images).max() > 0
        rows.append(TileRow(made, str(channel + 1), images, 2.0 if flat else None, dead))
    return tuple(rows)


def _whole_layer(maps: np.ndarray, scale: Scale) -> TileSet:
    """Return all channels of one sample (height, width, channels) as a mosaic."""
    height, width, channels = maps.shape
    across = ceil(sqrt(channels * 2.2 * height / width))  # the room is wider than it is high
    rows = []
    for start in range(0, channels, across):
        images = np.ascontiguousarray(maps[..., start : start + across].transpose(2, 0, 1))
        made = pixels(images[..., None], *scale)
        label = f"{start + 1}–{start + len(images)}"
        rows.append(TileRow(made, label, images[..., None]))
    return TileSet(tuple(rows), style=TileStyle(smallest=8))
