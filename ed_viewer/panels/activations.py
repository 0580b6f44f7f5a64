"""Activation maps: a column a sample and a row a channel, or a whole layer of one sample."""

import numpy as np
from PySide6.QtWidgets import QHBoxLayout

from ed_viewer.imaging import pixels
from ed_viewer.messages import Arrays
from ed_viewer.palette import activation_table
from ed_viewer.panel import Panel, panel
from ed_viewer.panels.activation_choice import ActivationChoice
from ed_viewer.panels.activation_rows import (
    channel_rows,
    dead,
    input_row,
    joined,
    named,
    shape_of,
    silence,
)
from ed_viewer.ranges import Scale
from ed_viewer.widgets.focus import Focus
from ed_viewer.widgets.mosaic import across, mosaic
from ed_viewer.widgets.pick_tiles import PickTiles
from ed_viewer.widgets.text import counted, number, span
from ed_viewer.widgets.tile_set import TileSet, TileStyle
from ed_viewer.widgets.tiles import Tiles

_ROOMY = 640  # pixels: a narrower panel has no room for the choice of the view


@panel("activations")
class ActivationsPanel(Panel):
    """Maps of one layer; levels are fixed over all that was seen, so that sparsity shows."""

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
        self._strip = Tiles(self.source.theme)
        self._strip.setToolTip("Click a sample to see its maps")
        self._strip.clickable = True
        self._strip.clicked.connect(self._choose)
        self._strip.resized.connect(self._say)
        self._mosaic = PickTiles(self.source.theme)
        self._mosaic.hovered.connect(self.hovered)
        self._mosaic.picked.connect(self._show_focus)
        self._mosaic.resized.connect(self._draw_mosaic)
        self.focus = Focus(self.source.theme)
        self.focus.hovered.connect(self.hovered)
        self.body.addWidget(self._strip, 1)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self._mosaic, 3)
        row.addWidget(self.focus, 1)
        self.body.addLayout(row, 6)
        self.focus.hide()
        self._sample = 0
        self._arrays: Arrays = {}
        self._scales: dict[str, Scale] = {}

    def resizeEvent(self, event: object) -> None:  # noqa: N802, D102
        self.choice.set_roomy(self.width() >= _ROOMY)

    def show_frame(self, arrays: Arrays) -> None:
        """Draw the chosen layer; take note of the range of every layer."""
        self._arrays = arrays
        for name, values in arrays.items():
            known = np.asarray(values, np.float32)
            alone = (joined((0.0, 0.0), known), activation_table())
            self._scales[name] = self.source.scale(name, alone, known, steady=True)
        self._draw()

    def _turn(self) -> None:
        self._mosaic.choose(None)
        self._draw()

    def _choose(self, row: int, sample: int) -> None:
        self._sample = sample
        self._draw()

    def _draw(self) -> None:
        values = self._values()
        if values is None:
            return
        one = self.choice.one_sample
        self._strip.setVisible(one and bool(input_row(self.source, len(values))))
        if one:
            self._sample = min(self._sample, len(values) - 1)
            rows = input_row(self.source, len(values))
            self._strip.show_tiles(TileSet(rows, (), selected=(0, self._sample)))
        self._draw_mosaic()

    def _draw_mosaic(self) -> None:
        values = self._values()
        if values is None:
            return
        scale, mark = self._scale(values), not self.source.signed
        if self.choice.one_sample:
            maps = np.ascontiguousarray(values[self._sample].transpose(2, 0, 1))[..., None]
            made = pixels(maps, *scale)
            wide, picked = across(maps, self._mosaic.size()), self._channel()
            rows = mosaic(made, maps, wide, dead(values) & mark, numbered=True)
            if picked is not None:  # the same channel, in rows of another length
                self._mosaic.pick = divmod(picked, wide)
            self._mosaic.show_tiles(TileSet(rows, style=TileStyle(smallest=8)))
        else:
            inputs = input_row(self.source, len(values))
            names = self.source.class_names(len(values))
            self._mosaic.show_tiles(TileSet(inputs + channel_rows(values, scale, mark), names))
        self._show_focus()
        self._say()

    def _show_focus(self) -> None:
        """Show the picked tile large, with its numbers."""
        values, pick = self._values(), self._mosaic.pick
        rows = self._mosaic.shown.rows
        here = values is not None and pick is not None and pick[0] < len(rows)
        self.focus.setVisible(here)
        if values is None or pick is None or not here:
            return
        row, column = rows[pick[0]], pick[1]
        if row.values is None or column >= len(row.values):
            return
        one = self.choice.one_sample
        name = f"channel {(self._channel() or 0) + 1}" if one else named(row.label)
        sample = self._sample if one else column
        names = self.source.class_names(len(values))
        of = names[sample] if sample < len(names) else f"sample {sample + 1}"
        self.focus.show_tile(row, column, f"{name} · {of}")

    def _channel(self) -> int | None:
        """Return which tile of the mosaic is picked, counted row by row."""
        if self._mosaic.pick is None:
            return None
        row, column = self._mosaic.pick
        return sum(len(r.pixels) for r in self._mosaic.shown.rows[:row]) + column

    def _values(self) -> np.ndarray | None:
        """Return the maps of the chosen layer (samples, ..., channels)."""
        given = self._arrays.get(self.choice.layer)
        return None if given is None else np.asarray(given, np.float32)

    def _scale(self, values: np.ndarray) -> Scale:
        fixed = self._scales[self.choice.layer]
        if self.choice.fixed.isChecked() or self.source.signed:
            return fixed
        return joined((0.0, 0.0), values), fixed[1]

    def _say(self) -> None:
        """Say what is shown of the layer, at this size, and what has no room."""
        values = self._values()
        if values is None:
            return
        options, hidden = self.source.probe.options, self._mosaic.hidden_rows
        whole = dict(options.get("of") or {}).get(self.choice.layer)
        said = [shape_of(values, whole, options.get("channels"))]
        if not self.source.signed:
            marked = any(row.dead for row in self._mosaic.shown.rows)
            said += [words] if (words := silence(values, marked)) else []
        said += [f"no room for {counted(hidden, 'row')}"] if hidden else []
        fit = (self._strip if self.choice.one_sample else self._mosaic).columns
        said += [f"{fit} of {len(values)} samples"] if 0 < fit < len(values) else []
        (low, high), _ = self._scale(values)
        steady = self.choice.fixed.isChecked() or self.source.signed
        of = "frames seen so far" if steady else "this frame"
        if self.source.signed:
            self.set_caption(" · ".join([span(high), *said]), "first")
            return
        said += [f"levels {number(low)} to {number(high)} ({of})"]
        self.set_caption(" · ".join(said))
