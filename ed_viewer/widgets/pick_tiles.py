"""Tiles of which one can be picked: by a click, moved by the arrow keys, let go by Esc."""

from dataclasses import replace

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QWidget

from ed_viewer.theme import Theme
from ed_viewer.widgets.pick_keys import KEYS, Pick, after, taken
from ed_viewer.widgets.tile_set import TileSet
from ed_viewer.widgets.tiles import Tiles

_WORDS = "Click to enlarge; arrow keys: next; Esc: back"


class PickTiles(Tiles):
    """While a tile is picked and the keys go here, arrows move the pick and not the cursor.

    Signals:
        picked: another tile, or none, is `pick`.
    """

    picked = Signal()
    clickable = True
    keys = KEYS
    pick: Pick | None = None

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.setToolTip(_WORDS)

    def show_tiles(self, tiles: TileSet) -> None:
        """Draw other tiles; the pick stays where it is."""
        self._show(replace(tiles, selected=self.pick))

    def choose(self, pick: Pick | None) -> None:
        """Pick a tile (row, column), or none."""
        if pick is not None:
            pick = self._within(pick)
        if pick != self.pick:
            self.pick = pick
            self.show_tiles(self.shown)
            self.picked.emit()

    def has(self, pick: Pick) -> bool:
        """Return whether there is such a tile."""
        return self._within(pick) == pick

    def event(self, event: QEvent) -> bool:  # noqa: D102
        return taken(event, self.pick) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802, D102
        key = Qt.Key(event.key())
        if key in self.keys:
            self.choose(after(key, self.pick))
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802, D102
        found = self._layout.find(event.position().toPoint())
        self.choose(None if found == self.pick else found)

    def _show(self, tiles: TileSet) -> None:
        super().show_tiles(tiles)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # also while none is picked

    def _within(self, pick: Pick) -> Pick:
        """Return the nearest tile that there is."""
        row = min(max(pick[0], 0), max(self._layout.rows, 1) - 1)
        count = len(self.shown.rows[row].pixels) if self.shown.rows else 1
        return row, min(max(pick[1], 0), min(count, max(self._layout.columns, 1)) - 1)
