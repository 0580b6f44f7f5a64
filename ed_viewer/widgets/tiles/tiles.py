"""Tiles widget: rows of small images with names, never smoothed when enlarged."""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil

import numpy as np
from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QFontMetrics,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPaintEngine,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from ed_viewer.event_loop import Task
from ed_viewer.style.text import elided, tell_value
from ed_viewer.style.theme import BODY_POINTS, Theme
from ed_viewer.widgets.controls import point_at
from ed_viewer.widgets.tiles.layout import TileLayout, lay_out
from ed_viewer.widgets.tiles.tile_set import TileSet, describe

_FAR = 2.4  # the power of what type is larger by: 125 pixels instead of 56, for the last row
_FLAG = Qt.TextFlag


def make_atlas(pixels: np.ndarray) -> QImage:
    """Return tiles (n, height, width, 4), one below the other."""
    count, height, width = pixels.shape[:3]
    tall = np.ascontiguousarray(pixels).reshape(count * height, width, 4)
    image = QImage(tall.data, width, count * height, 4 * width, QImage.Format.Format_RGB32)
    return image.copy()  # owns its bytes: the array may go before the image does


def cut(atlas: QImage, source: QRect, size: QSize) -> QImage:
    """Return one tile for SVG, its pixels repeated: those who show it would smooth them.

    Qt's SVG takes no notice of the part of an image that is asked for.
    """
    times = max(ceil(size.width() / source.width()), ceil(size.height() / source.height()))
    return atlas.copy(source).scaled(source.size() * times)


def shrunk(atlas: QImage, source: QRect, size: QSize) -> tuple[QImage, QRect]:
    """Average when a tile is drawn smaller than it is; leaving out pixels would lose thin lines."""
    if size.width() >= source.width() or size.height() < 1:
        return atlas, source
    tiles = atlas.height() // source.height()
    smooth = Qt.TransformationMode.SmoothTransformation
    keep = Qt.AspectRatioMode.IgnoreAspectRatio
    return (
        atlas.scaled(size.width(), size.height() * tiles, keep, smooth),
        QRect(QPoint(0, 0), size),
    )


def paint_tiles(
    painter: QPainter, tiles: TileSet, atlases: Sequence[QImage], layout: TileLayout, theme: Theme
) -> None:
    """Paint tiles where a layout has them.

    Args:
        painter: of a widget, or of a picture.
        tiles: what is shown.
        atlases: the tiles of each row, one below the other.
        layout: where they go.
        theme: colours.
    """
    _paint_names(painter, tiles, layout, theme)
    for row in range(layout.rows):
        _paint_row(painter, tiles, atlases[row], layout, row)
        painter.setPen(QPen(theme.colour("failed"), 1, Qt.PenStyle.DashLine))
        for column in tiles.rows[row].dead:
            if column < layout.columns:
                painter.drawRect(layout.cell(row, column).adjusted(0, 0, -1, -1))
    row, column = tiles.selected or (layout.rows, 0)
    if row < layout.rows and column < layout.columns:
        painter.setPen(QPen(theme.colour("accent"), 3))
        painter.drawRect(layout.cell(row, column).adjusted(-2, -2, 1, 1))


def _paint_row(
    painter: QPainter, tiles: TileSet, atlas: QImage, layout: TileLayout, row: int
) -> None:
    engine = painter.paintEngine().type()
    count, height, width = tiles.rows[row].pixels.shape[:3]
    source = QRect(0, 0, width, height)
    if engine != QPaintEngine.Type.Pdf:  # which holds every pixel as it is, at any size
        atlas, source = shrunk(atlas, source, layout.cell(row, 0).size())
    for column in range(min(layout.columns, count)):
        source.moveTop(column * source.height())
        cell = layout.cell(row, column)
        if engine == QPaintEngine.Type.Raster:
            painter.drawImage(cell, atlas, source)
        elif engine == QPaintEngine.Type.Pdf:
            # Else Qt makes a JPEG of it, in which a map of six classes has 2 000 colours.
            painter.setRenderHint(QPainter.RenderHint.LosslessImageRendering)
            painter.drawImage(cell, atlas.copy(source))
        else:
            painter.drawImage(cell, cut(atlas, source, cell.size()))


def _paint_names(painter: QPainter, tiles: TileSet, layout: TileLayout, theme: Theme) -> None:
    painter.setPen(theme.colour("muted"))
    metrics = painter.fontMetrics()
    for rect, text, flags in layout.texts:
        short, how = fitted(text, rect, flags, metrics)
        painter.drawText(rect, how, short)
    if tiles.y_title and not tiles.style.bare:
        painter.save()
        painter.translate(QPoint(layout.title, layout.box.center().y()))
        painter.rotate(-90)
        half, line = 500, metrics.height()
        flags = Qt.AlignmentFlag.AlignCenter
        painter.drawText(QRect(-half, 0, 2 * half, line), int(flags), tiles.y_title)
        painter.restore()


def fitted(
    text: str, rect: QRect, flags: Qt.AlignmentFlag, metrics: QFontMetrics
) -> tuple[str, int]:
    """Return what of a name has room, and how it is drawn: on a line, on several, or with dots."""
    line, wrapped = (int(flags) | int(f) for f in (_FLAG.TextSingleLine, _FLAG.TextWordWrap))
    # A few pixels more than its name has is no reason for dots.
    whole = metrics.horizontalAdvance(text) <= rect.width() + 2
    if not whole and rect.contains(metrics.boundingRect(rect, wrapped, text)):
        return text, wrapped
    # A word is known by its beginning; what is numbered, by its end as well.
    modes = Qt.TextElideMode
    dots = modes.ElideMiddle if text[-1:].isdigit() else modes.ElideRight
    return elided(text, rect.width() + 2, metrics, dots), line


class Tiles(QWidget):
    """Draws a `TileSet`, as large as whole pixels allow.

    Signals:
        clicked: (row, column) of a tile.
        resized: there is more or less room, since a moment.

    Attributes:
        grid: where each tile is drawn.
    """

    tells_values = True
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
        self.grid = TileLayout()
        self._resizing = Task(self.resized.emit, self)  # a panel may draw anew: one after the other
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
        return len(self._set.rows) - self.grid.rows

    @property
    def columns(self) -> int:
        """How many columns have room at this size."""
        return self.grid.columns

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
        self.grid = self._lay_out(self._set)

    def _lay_out(self, tiles: TileSet) -> TileLayout:
        """Return where tiles go; in the lecture mode larger ones are wanted, also if fewer fit."""
        larger = self._theme.points / BODY_POINTS
        comfortable = round(tiles.style.comfortable * larger**_FAR)
        style = replace(tiles.style, comfortable=comfortable)
        return lay_out(replace(tiles, style=style), self.size(), self.fontMetrics())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102
        if self._set.rows and self.grid.columns:
            painter = QPainter(self)
            paint_tiles(painter, self._set, self._atlases, self.grid, self._theme)
            painter.end()

    def behind(self, row: int, column: int) -> tuple[TileSet, int, int]:
        """Return the tiles, row and column that are shown at a row and column of the screen."""
        return self._set, row, column

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802, D102
        point = event.position().toPoint()
        point_at(self, self.clickable and self.grid.find(point) is not None)
        tell_value(self, self.describe(point))

    def leaveEvent(self, event: object) -> None:  # noqa: N802, D102
        tell_value(self, "")

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802, D102
        cell = self.grid.find(event.position().toPoint())
        if cell is not None:
            self.clicked.emit(*cell)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802, D102
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if event.key() in steps and self._set.selected is not None:
            column = self._set.selected[1] + steps[Qt.Key(event.key())]
            self.clicked.emit(0, min(max(column, 0), self.grid.columns - 1))
        else:
            super().keyPressEvent(event)

    def describe(self, point: QPoint) -> str:
        """Return the value at a point of the widget in words, "" beside the tiles."""
        place = self.grid.find(point)
        if place is None:
            return ""
        row, column = place
        cell = self.grid.cell(row, column)
        share = (point.x() - cell.x()) / cell.width(), (point.y() - cell.y()) / cell.height()
        return describe(*self.behind(row, column), share)
