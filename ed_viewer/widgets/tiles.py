"""Rows of small images with their names; never smoothed when they are enlarged."""

from dataclasses import replace

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ed_viewer.theme import BODY_POINTS, Theme
from ed_viewer.turn import Turn
from ed_viewer.widgets.atlas import make_atlas
from ed_viewer.widgets.pointing import point_at
from ed_viewer.widgets.tile_layout import TileLayout, lay_out
from ed_viewer.widgets.tile_paint import paint_tiles
from ed_viewer.widgets.tile_set import TileSet, describe

_FAR = 2.4  # the power of what type is larger by: 125 pixels instead of 56, for the last row


class Tiles(QWidget):
    """Draws a `TileSet`, as large as whole pixels allow.

    Signals:
        hovered: the value under the mouse, in words, or "".
        clicked: (row, column) of a tile.
        resized: there is more or less room, since a moment.
    """

    hovered = Signal(str)
    clicked = Signal(int, int)
    resized = Signal()
    clickable = False
    """Whether a click on a tile does something."""
    keys: tuple[Qt.Key, ...] = (Qt.Key.Key_Left, Qt.Key.Key_Right)
    """Those that it needs while it has the focus and a tile is selected."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._set = TileSet()
        self._atlases: list[QImage] = []
        self._layout = TileLayout()
        self._resizing = Turn(self.resized.emit, self)  # a panel may draw anew: one after the other
        self.setMouseTracking(True)
        self.setMinimumSize(QSize(64, 48))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    @property
    def shown(self) -> TileSet:
        """What is drawn now."""
        return self._set

    @property
    def hidden_rows(self) -> int:
        """How many rows have no room at this size."""
        return len(self._set.rows) - self._layout.rows

    @property
    def columns(self) -> int:
        """How many columns have room at this size."""
        return self._layout.columns

    def show_tiles(self, tiles: TileSet) -> None:
        """Draw other tiles; the arrays must not change afterwards."""
        self._set = tiles
        self._atlases = [make_atlas(row.pixels) for row in tiles.rows]
        chosen = tiles.selected is not None
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if chosen else Qt.FocusPolicy.NoFocus)
        self._arrange()
        self.update()

    def tile_width(self, tiles: TileSet) -> int:
        """Return how wide a tile of these would be drawn, in pixels."""
        return self._lay_out(tiles).width

    def resizeEvent(self, event: object) -> None:  # noqa: N802, D102
        self._arrange()
        if self._set.rows:
            self._resizing.ask()

    def changeEvent(self, event: object) -> None:  # noqa: N802, D102
        self._arrange()
        self.update()

    def _arrange(self) -> None:
        self._layout = self._lay_out(self._set)

    def _lay_out(self, tiles: TileSet) -> TileLayout:
        """Return where tiles go; in the lecture mode larger ones are wanted, also if fewer fit."""
        larger = self._theme.points / BODY_POINTS
        comfortable = round(tiles.style.comfortable * larger**_FAR)
        style = replace(tiles.style, comfortable=comfortable)
        return lay_out(replace(tiles, style=style), self.size(), self.fontMetrics())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102
        if self._set.rows and self._layout.columns:
            painter = QPainter(self)
            paint_tiles(painter, self._set, self._atlases, self._layout, self._theme)
            painter.end()

    def behind(self, row: int, column: int) -> tuple[TileSet, int, int]:
        """Return the tiles, and the row and column of them, that a place on the screen shows."""
        return self._set, row, column

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802, D102
        point = event.position().toPoint()
        point_at(self, self.clickable and self._layout.find(point) is not None)
        self.hovered.emit(self._describe(point))

    def leaveEvent(self, event: object) -> None:  # noqa: N802, D102
        self.hovered.emit("")

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802, D102
        found = self._layout.find(event.position().toPoint())
        if found is not None:
            self.clicked.emit(*found)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802, D102
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if event.key() in steps and self._set.selected is not None:
            column = self._set.selected[1] + steps[Qt.Key(event.key())]
            self.clicked.emit(0, min(max(column, 0), self._layout.columns - 1))
        else:
            super().keyPressEvent(event)

    def _describe(self, point: QPoint) -> str:
        found = self._layout.find(point)
        if found is None:
            return ""
        row, column = found
        cell = self._layout.cell(row, column)
        share = (point.x() - cell.x()) / cell.width(), (point.y() - cell.y()) / cell.height()
        return describe(*self.behind(row, column), share)
