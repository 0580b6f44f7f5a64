"""Panel of activation maps: samples by channels, or a whole layer of one sample."""

from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ed_core.recording import ArrayInfo
from ed_viewer.panels.base import Panel, panel
from ed_viewer.panels.context import PanelContext
from ed_viewer.reading.messages import Arrays
from ed_viewer.style.palette import activation_table, grey_table
from ed_viewer.style.pixels import (
    Levels,
    Scale,
    as_images,
    finite_range,
    image_levels,
    pixels,
    squares,
)
from ed_viewer.style.text import counted, grouped, muted, number, plain, span
from ed_viewer.style.theme import Theme
from ed_viewer.widgets.controls import Toggle, make_choice
from ed_viewer.widgets.tiles.mosaic import across, mosaic
from ed_viewer.widgets.tiles.pickable import PickableTiles
from ed_viewer.widgets.tiles.tile_set import TileRow, TileSet, TileStyle
from ed_viewer.widgets.tiles.tiles import Tiles

_ROWS, _FEW = 8, 4  # channels, samples: with more, or fewer, it opens as a mosaic of one sample
_BY_CHANNEL = "Samples × channels"
_ONE_SAMPLE = "All channels of one sample"
_UNITS = 12  # of a dense layer: with more, a sample is drawn as a square
_ROOMY = 640  # pixels: a narrower panel has no room for the choice of the view


class ActivationChoice(QWidget):
    """Choice of the layer, the view of its maps, and the levels of all frames or of one.

    Signals:
        turned: another layer or another view of it.
    """

    turned = Signal()

    def __init__(self, layers: Mapping[str, ArrayInfo], theme: Theme) -> None:
        super().__init__()
        self._layers = layers
        self.layers = make_choice("Layer", list(layers))
        self.view = make_choice("View", [_BY_CHANNEL, _ONE_SAMPLE])
        self.fixed = Toggle("fixed levels", "accent", theme)
        self.fixed.setToolTip("Same scale in all frames of this layer, or one per frame")
        self.fixed.setAccessibleName("Fixed levels")
        self.fixed.setChecked(True)
        self._roomy = True
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for tool in (self.layers, self.view, self.fixed):
            row.addWidget(tool)
        self._open()
        self.layers.currentTextChanged.connect(self._open)
        self.view.currentTextChanged.connect(self.turned)

    @property
    def layer(self) -> str:
        """The name of the layer."""
        return self.layers.currentText()

    @property
    def one_sample(self) -> bool:
        """Whether all channels of one sample are shown, and not some of all samples."""
        return self._has_maps() and self.view.currentText() == _ONE_SAMPLE

    def set_roomy(self, roomy: bool) -> None:
        """Show all, or the layer alone."""
        self._roomy = roomy
        self.view.setVisible(roomy and self._has_maps())
        self.fixed.setVisible(roomy)

    def _open(self) -> None:
        """Open a layer in the view that suits it."""
        shape = self._layers[self.layer].shape
        one = self._has_maps() and (shape[-1] > _ROWS or shape[0] < _FEW)
        self.view.setCurrentText(_ONE_SAMPLE if one else _BY_CHANNEL)
        self.set_roomy(self._roomy)
        self.turned.emit()

    def _has_maps(self) -> bool:
        return len(self._layers[self.layer].shape) == 4


def shape_of(values: np.ndarray, whole: int | None, most: object) -> str:
    """Return the shape of a layer in words.

    Args:
        values: what is recorded of it, (samples, ..., channels).
        whole: how many channels it has, None where the recording does not say.
        most: how many of a layer are recorded.
    """
    *area, last = values.shape[1:]
    shape = " × ".join(str(n) for n in area)
    size_text = counted(last, _noun(values))
    if whole is not None and whole > last:
        size_text = f"first {grouped(last)} of {counted(whole, _noun(values))}"
    elif whole is None and last == most:
        size_text = f"first {size_text}, more are not recorded"
    return f"{shape}, {size_text}" if area else size_text


def silence(values: np.ndarray, marked: bool) -> str:
    """Return how many channels of (samples, ..., channels) are 0 everywhere, "" for none."""
    silent, (samples, *_, last) = int(dead(values).sum()), values.shape
    if not silent:
        return ""
    on = f"on these {grouped(samples)} samples" if samples > 1 else "on this sample"
    silent_text = f"{grouped(silent)} of {counted(last, _noun(values))} silent {on}"
    return f"{silent_text} (dashed)" if marked else silent_text


def _noun(values: np.ndarray) -> str:
    return "channel" if values.ndim > 2 else "unit"


def input_row(source: PanelContext, samples: int) -> tuple[TileRow, ...]:
    """Return the row of inputs, () where they are not images."""
    field = str(source.probe.options.get("field") or "")
    inputs = source.reference.get(field)
    if inputs is None or inputs.ndim < 3 or len(inputs) < samples:
        return ()
    images = as_images(inputs[:samples])
    return (TileRow(pixels(images, image_levels(images), grey_table()), "input", images),)


def joined(levels: Levels, values: np.ndarray) -> Levels:
    """Return levels that hold these values as well."""
    low, high = finite_range(values)
    return min(levels[0], low), max(levels[1], high)


def dead(values: np.ndarray) -> np.ndarray:
    """Return a mask (channels,) of channels of (samples, ..., channels) that are 0 everywhere.

    A channel that is not finite is not dead.
    """
    return np.abs(values).reshape(-1, values.shape[-1]).max(axis=0) == 0


def named(label: str) -> str:
    """Return the name of a row for a line of its own."""
    return f"channel {label}" if label.isdigit() else label


def channel_rows(values: np.ndarray, scale: Scale, mark: bool) -> tuple[TileRow, ...]:
    """Return a row a channel of (samples, ..., channels); many units as one row of squares.

    Channels that are 0 everywhere are marked as dead, or not.
    """
    if values.ndim == 2 and values.shape[1] > _UNITS:
        images = squares(values)[..., None]
        return (TileRow(pixels(images, *scale), "units", images, units=values.shape[1]),)
    flat = values.ndim != 4
    silent = dead(values) & mark
    if values.ndim == 3:  # (samples, time, channels): each channel a strip
        values = values[:, None]
    elif values.ndim != 4:
        values = values.reshape(len(values), 1, 1, -1)
    rows = []
    for channel in range(values.shape[-1]):
        images = np.ascontiguousarray(values[..., channel : channel + 1])
        marked = frozenset(range(len(images)) if silent[channel] else ())
        aspect = 4.0 if flat else None
        rows.append(TileRow(pixels(images, *scale), str(channel + 1), images, aspect, marked))
    return tuple(rows)


class Focus(QWidget):
    """Enlarged tile with its name, its values and its share of active values."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.name = plain(QLabel())
        self.tiles = Tiles(theme)
        self.numbers = muted(plain(QLabel()))
        self.numbers.setAlignment(Qt.AlignmentFlag.AlignCenter)
        for label in (self.name, self.numbers):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addStretch(1)
        column.addWidget(self.name)
        column.addWidget(self.tiles, 8)
        column.addWidget(self.numbers)
        column.addStretch(1)

    def show_tile(self, row: TileRow, column: int, name: str) -> None:
        """Show one tile of a row."""
        assert row.values is not None
        part = slice(column, column + 1)
        alone = TileRow(row.pixels[part], "", row.values[part], row.aspect, units=row.units)
        self.name.setText(name)
        self.tiles.show_tiles(TileSet((alone,)))
        self.numbers.setText(_numbers(row.values[column].ravel()[: row.units or None]))


def _numbers(values: np.ndarray) -> str:
    """Return the range and the mean of the finite ones of values, and how many are not 0."""
    finite_values = values[np.isfinite(values)].astype(np.float64)
    lost = len(values) - len(finite_values)
    left_out = f"\n{grouped(lost)} of {counted(len(values), 'value')} not finite" if lost else ""
    if not len(finite_values):
        return left_out.strip()
    low, high, mean = (
        number(float(v)) for v in (finite_values.min(), finite_values.max(), finite_values.mean())
    )
    active = 100 * float(np.mean(finite_values != 0))
    return f"{low} to {high}\nmean {mean} · {active:.0f} % not 0{left_out}"


@panel("activations")
class ActivationsPanel(Panel):
    """Maps of one layer; levels are fixed over all that was seen, so that sparsity shows.

    Attributes:
        sample: the one whose maps are shown, where all channels of one are.
        scales: of each layer that was seen: its levels and colours.
        arrays: the frame on show.
    """

    tab = "Activations"
    heading = "Activations"
    telling = -1
    no_difference = ""

    def build(self) -> None:
        """The choice of the layer, the strip of inputs, the mosaic, the focus."""
        self.choice = ActivationChoice(self.source.probe.arrays, self.source.theme)
        self.choice.fixed.toggled.connect(self._draw)
        self.choice.turned.connect(self._turn)
        self.tools.addWidget(self.choice)
        self.strip = Tiles(self.source.theme)
        self.strip.setToolTip("Click a sample to see its maps")
        self.strip.clickable = True
        self.strip.clicked.connect(self._choose)
        self.strip.resized.connect(self._say)
        self.mosaic = PickableTiles(self.source.theme)
        self.mosaic.picked.connect(self._show_focus)
        self.mosaic.resized.connect(self._draw_mosaic)
        self.focus = Focus(self.source.theme)
        self.body.addWidget(self.strip, 1)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self.mosaic, 3)
        row.addWidget(self.focus, 1)
        self.body.addLayout(row, 6)
        self.focus.hide()
        self.sample = 0
        self.arrays: Arrays = {}
        self.scales: dict[str, Scale] = {}

    def resizeEvent(self, event: object) -> None:  # noqa: N802, D102
        self.choice.set_roomy(self.width() >= _ROOMY)

    def show_frame(self, arrays: Arrays) -> None:
        """Draw the chosen layer; take note of the range of every layer."""
        self.arrays = arrays
        for name, values in arrays.items():
            layer_values = np.asarray(values, np.float32)
            alone = (joined((0.0, 0.0), layer_values), activation_table())
            self.scales[name] = self.source.scale(name, alone, layer_values, steady=True)
        self._draw()

    def _turn(self) -> None:
        self.mosaic.choose(None)
        self._draw()

    def _choose(self, row: int, sample: int) -> None:
        self.sample = sample
        self._draw()

    def _draw(self) -> None:
        values = self._values()
        if values is None:
            return
        one = self.choice.one_sample
        self.strip.setVisible(one and bool(input_row(self.source, len(values))))
        if one:
            self.sample = min(self.sample, len(values) - 1)
            rows = input_row(self.source, len(values))
            self.strip.show_tiles(TileSet(rows, (), selected=(0, self.sample)))
        self._draw_mosaic()

    def _draw_mosaic(self) -> None:
        values = self._values()
        if values is None:
            return
        scale, mark = self._scale(values), not self.source.signed
        if self.choice.one_sample:
            maps = np.ascontiguousarray(values[self.sample].transpose(2, 0, 1))[..., None]
            colours = pixels(maps, *scale)
            wide, picked = across(maps, self.mosaic.size()), self._channel()
            rows = mosaic(colours, maps, wide, dead(values) & mark, numbered=True)
            if picked is not None:  # the same channel, in rows of another length
                self.mosaic.pick = divmod(picked, wide)
            self.mosaic.show_tiles(TileSet(rows, style=TileStyle(smallest=8)))
        else:
            inputs = input_row(self.source, len(values))
            names = self.source.class_names(len(values))
            self.mosaic.show_tiles(TileSet(inputs + channel_rows(values, scale, mark), names))
        self._show_focus()
        self._say()

    def _show_focus(self) -> None:
        """Show the picked tile large, with its numbers."""
        values, pick = self._values(), self.mosaic.pick
        rows = self.mosaic.shown.rows
        here = values is not None and pick is not None and pick[0] < len(rows)
        self.focus.setVisible(here)
        if values is None or pick is None or not here:
            return
        row, column = rows[pick[0]], pick[1]
        if row.values is None or column >= len(row.values):
            return
        one = self.choice.one_sample
        name = f"channel {(self._channel() or 0) + 1}" if one else named(row.label)
        sample = self.sample if one else column
        names = self.source.class_names(len(values))
        of = names[sample] if sample < len(names) else f"sample {sample + 1}"
        self.focus.show_tile(row, column, f"{name} · {of}")

    def _channel(self) -> int | None:
        """Return which tile of the mosaic is picked, counted row by row."""
        if self.mosaic.pick is None:
            return None
        row, column = self.mosaic.pick
        return sum(len(r.pixels) for r in self.mosaic.shown.rows[:row]) + column

    def _values(self) -> np.ndarray | None:
        """Return the maps of the chosen layer (samples, ..., channels)."""
        recorded = self.arrays.get(self.choice.layer)
        return None if recorded is None else np.asarray(recorded, np.float32)

    def _scale(self, values: np.ndarray) -> Scale:
        fixed = self.scales[self.choice.layer]
        if self.choice.fixed.isChecked() or self.source.signed:
            return fixed
        return joined((0.0, 0.0), values), fixed[1]

    def _say(self) -> None:
        """Set the caption: the part of the layer that is shown, and what has no room."""
        values = self._values()
        if values is None:
            return
        options, hidden = self.source.probe.options, self.mosaic.hidden_rows
        whole = dict(options.get("of") or {}).get(self.choice.layer)
        parts = [shape_of(values, whole, options.get("channels"))]
        if not self.source.signed:
            marked = any(row.dead for row in self.mosaic.shown.rows)
            parts += [words] if (words := silence(values, marked)) else []
        parts += [f"no room for {counted(hidden, 'row')}"] if hidden else []
        fit = (self.strip if self.choice.one_sample else self.mosaic).columns
        parts += [f"{fit} of {len(values)} samples"] if 0 < fit < len(values) else []
        (low, high), _ = self._scale(values)
        steady = self.choice.fixed.isChecked() or self.source.signed
        of = "frames seen so far" if steady else "this frame"
        if self.source.signed:
            self.set_caption(" · ".join([span(high), *parts]), "first")
            return
        parts += [f"levels {number(low)} to {number(high)} ({of})"]
        self.set_caption(" · ".join(parts))
