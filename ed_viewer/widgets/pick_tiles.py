"""Tiles of which one can be picked: by a click, moved by the arrow keys, let go by Esc."""

from dataclasses import replace

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QWidget

from ed_viewer.theme import Theme
from ed_viewer.widgets.tile_set import TileSet
from ed_viewer.widgets.tiles import Tiles

Pick = tuple[int, int]

_MOVES = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}
_TAKE = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_KEYS = "Click or Enter picks a tile, the arrow keys move, Esc lets go"


class PickTiles(Tiles):
    """While a tile is picked and the keys go here, arrows move the pick and not the cursor.

    Signals:
        picked: another tile, or none, is `pick`.
    """

    picked = Signal()
    clickable = True
    keys = (*_MOVES, *_TAKE, Qt.Key.Key_Escape)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.pick: Pick | None = None
        self.setToolTip(_KEYS)

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

    def event(self, event: QEvent) -> bool:  # noqa: D102
        override = event.type() == QEvent.Type.ShortcutOverride
        if override and isinstance(event, QKeyEvent) and self._wants(event):
            event.accept()  # this key is no shortcut of the window now
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802, D102
        key = Qt.Key(event.key())
        if key not in self.keys:
            super().keyPressEvent(event)
        elif key == Qt.Key.Key_Escape:
            self.choose(None)
        elif self.pick is None:
            self.choose((0, 0))
        elif key in _MOVES:
            down, right = _MOVES[key]
            self.choose((self.pick[0] + down, self.pick[1] + right))

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802, D102
        found = self._layout.find(event.position().toPoint())
        self.choose(None if found == self.pick else found)

    def _show(self, tiles: TileSet) -> None:
        super().show_tiles(tiles)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # also while none is picked

    def _wants(self, event: QKeyEvent) -> bool:
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return False
        if self.pick is None:
            return event.key() in _TAKE
        return event.key() in _MOVES or event.key() == Qt.Key.Key_Escape

    def _within(self, pick: Pick) -> Pick:
        """Return the nearest tile that there is."""
        row = min(max(pick[0], 0), max(self._layout.rows, 1) - 1)
        count = len(self.shown.rows[row].pixels) if self.shown.rows else 1
        return row, min(max(pick[1], 0), min(count, max(self._layout.columns, 1)) - 1)
