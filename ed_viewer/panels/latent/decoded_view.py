"""View of decoded outputs: images as tiles, a video as its frames, signals as curves, rows."""

from dataclasses import replace

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QStackedLayout, QWidget

from ed_viewer.style.palette import grey_table
from ed_viewer.style.pixels import as_images, finite_range, image_levels, is_signal, pixels
from ed_viewer.style.text import muted, plain
from ed_viewer.style.theme import Theme
from ed_viewer.widgets.plots.rows import RowPlots
from ed_viewer.widgets.plots.signals import SignalCaption, SignalPlots
from ed_viewer.widgets.tiles.charts import bar_pixels, chart_levels
from ed_viewer.widgets.tiles.tile_set import TileRow, TileSet, TileStyle
from ed_viewer.widgets.tiles.tiles import Tiles

_VIDEO = 4  # axes of one sample: (time, height, width, channels)


class DecodedView(QWidget):
    """View of one output, or of several side by side; a text while there is none.

    Args:
        theme: colours and type.
        most: outputs that are shown.
        columns: the names of the columns of the table whose rows are decoded, () for none.

    Signals:
        clicked: the number of an output.
    """

    clicked = Signal(int)
    tells_values = True

    def __init__(
        self,
        theme: Theme,
        most: int = 1,
        columns: tuple[str, ...] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._columns = theme, columns
        self._most = most
        self.outputs: np.ndarray = np.empty(0)
        self._said = muted(plain(QLabel()))
        self._said.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._said.setWordWrap(True)
        self.tiles = Tiles(theme)
        self.tiles.clickable = most > 1
        self.tiles.clicked.connect(lambda _, column: self.clicked.emit(column))
        self.waves: SignalPlots | RowPlots | None = None
        self._stack = QStackedLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        for widget in (self._said, self.tiles):
            self._stack.addWidget(widget)

    def say(self, words: str) -> None:
        """Show words, as long as there is nothing else to show."""
        self._said.setText(words)
        if not len(self.outputs):
            self._stack.setCurrentWidget(self._said)

    def show_outputs(self, outputs: np.ndarray, names: tuple[str, ...] = ()) -> None:
        """Draw outputs (n, ...)."""
        self.outputs = outputs[: self._most]
        if is_signal(outputs.shape[1:]) and not (self._is_table and self._most > 1):
            self._show_signals()
        else:
            self.tiles.show_tiles(self._tiles(names))
            self._stack.setCurrentWidget(self.tiles)

    def restyle(self) -> None:
        """Take colours and type from the theme."""
        if self.waves is not None:
            self.waves.restyle()
        if len(self.outputs):
            self.show_outputs(self.outputs)

    @property
    def _is_table(self) -> bool:
        """Whether the outputs are rows of the table."""
        return bool(self._columns) and self.outputs.shape[1:] == (len(self._columns),)

    def _tiles(self, names: tuple[str, ...]) -> TileSet:
        outputs: np.ndarray = self.outputs
        if outputs.ndim == _VIDEO + 1:  # all frames of one, the middle frame of each of several
            outputs = outputs[0] if self._most == 1 else outputs[:, outputs.shape[1] // 2]
        if self._is_table:
            levels = chart_levels(finite_range(outputs))
            drawn = bar_pixels(outputs, levels, self._theme.palette)
            row = TileRow(drawn, "", outputs[:, None, :, None], moments=self._columns)
            return TileSet((row,), names, style=TileStyle(wrap=True, smallest=8))
        images = as_images(outputs)
        row = TileRow(pixels(images, image_levels(images), grey_table()), "", images)
        return TileSet((row,), names, style=TileStyle(wrap=True, smallest=8))

    def _show_signals(self) -> None:
        if self.waves is None:
            plain, words = self._most > 1, SignalCaption(one="decoded")
            if self._is_table:
                self.waves = RowPlots(self._theme, replace(words, moments=self._columns))
            else:
                self.waves = SignalPlots(self._theme, self._most, plain, words=words)
            self.waves.restyle()
            self._stack.addWidget(self.waves)
        self.waves.show_signals(None, self.outputs)
        self._stack.setCurrentWidget(self.waves)
