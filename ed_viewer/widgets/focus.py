"""One tile, large, with its numbers."""

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from ed_viewer.theme import Theme
from ed_viewer.widgets.text import counted, grouped, muted, number, plain
from ed_viewer.widgets.tile_set import TileRow, TileSet
from ed_viewer.widgets.tiles import Tiles


class Focus(QWidget):
    """Shows a tile alone: what it is, its values, and how much of it is active.

    Signals:
        hovered: the value under the mouse, in words, or "".
    """

    hovered = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._name = plain(QLabel())
        self.tiles = Tiles(theme)
        self.tiles.hovered.connect(self.hovered)
        self.numbers = muted(plain(QLabel()))
        self.numbers.setAlignment(Qt.AlignmentFlag.AlignCenter)
        for label in (self._name, self.numbers):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addStretch(1)
        column.addWidget(self._name)
        column.addWidget(self.tiles, 8)
        column.addWidget(self.numbers)
        column.addStretch(1)

    def show_tile(self, row: TileRow, column: int, name: str) -> None:
        """Show one tile of a row."""
        assert row.values is not None
        part = slice(column, column + 1)
        alone = TileRow(row.pixels[part], "", row.values[part], row.aspect, units=row.units)
        self._name.setText(name)
        self.tiles.show_tiles(TileSet((alone,)))
        self.numbers.setText(_numbers(row.values[column].ravel()[: row.units or None]))


def _numbers(values: np.ndarray) -> str:
    """Return the range and the mean of the finite ones of values, and how many are not 0."""
    known = values[np.isfinite(values)].astype(np.float64)
    lost = len(values) - len(known)
    left_out = f"\n{grouped(lost)} of {counted(len(values), 'value')} not finite" if lost else ""
    if not len(known):
        return left_out.strip()
    low, high, mean = (number(float(v)) for v in (known.min(), known.max(), known.mean()))
    active = 100 * float(np.mean(known != 0))
    return f"{low} to {high}\nmean {mean} · {active:.0f} % not 0{left_out}"
