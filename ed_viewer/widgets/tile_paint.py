"""Tiles, their names and their marks on a painter."""

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QImage, QPaintEngine, QPainter, QPen

from ed_viewer.theme import Theme
from ed_viewer.widgets.atlas import cut, shrunk
from ed_viewer.widgets.tile_layout import TileLayout
from ed_viewer.widgets.tile_set import TileSet


def paint_tiles(
    painter: QPainter, tiles: TileSet, atlases: Sequence[QImage], made: TileLayout, theme: Theme
) -> None:
    """Paint tiles where a layout has them.

    Args:
        painter: of a widget, or of a picture.
        tiles: what is shown.
        atlases: the tiles of each row, one below the other.
        made: where they go.
        theme: colours.
    """
    _paint_names(painter, tiles, made, theme)
    for row in range(made.rows):
        _paint_row(painter, tiles, atlases[row], made, row)
        painter.setPen(QPen(theme.colour("failed"), 1, Qt.PenStyle.DashLine))
        for column in tiles.rows[row].dead:
            if column < made.columns:
                painter.drawRect(made.cell(row, column).adjusted(0, 0, -1, -1))
    row, column = tiles.selected or (made.rows, 0)
    if row < made.rows and column < made.columns:
        painter.setPen(QPen(theme.colour("accent"), 3))
        painter.drawRect(made.cell(row, column).adjusted(-2, -2, 1, 1))


def _paint_row(
    painter: QPainter, tiles: TileSet, atlas: QImage, made: TileLayout, row: int
) -> None:
    engine = painter.paintEngine().type()
    count, height, width = tiles.rows[row].pixels.shape[:3]
    source = QRect(0, 0, width, height)
    if engine != QPaintEngine.Type.Pdf:  # which holds every pixel as it is, at any size
        atlas, source = shrunk(atlas, source, made.cell(row, 0).size())
    for column in range(min(made.columns, count)):
        source.moveTop(column * source.height())
        cell = made.cell(row, column)
        if engine == QPaintEngine.Type.Raster:
            painter.drawImage(cell, atlas, source)
        elif engine == QPaintEngine.Type.Pdf:
            # Else Qt makes a JPEG of it, in which a map of six classes has 2 000 colours.
            painter.setRenderHint(QPainter.RenderHint.LosslessImageRendering)
            painter.drawImage(cell, atlas.copy(source))
        else:
            painter.drawImage(cell, cut(atlas, source, cell.size()))


def _paint_names(painter: QPainter, tiles: TileSet, made: TileLayout, theme: Theme) -> None:
    painter.setPen(theme.colour("muted"))
    metrics, modes = painter.fontMetrics(), Qt.TextElideMode
    for rect, text, flags in made.texts:
        # A word is known by its beginning; what is numbered, by its end as well.
        dots = modes.ElideMiddle if text[-1:].isdigit() else modes.ElideRight
        # A few pixels more than its name has is no reason for dots.
        short = metrics.elidedText(text, dots, rect.width() + 2)
        painter.drawText(rect, int(flags) | int(Qt.TextFlag.TextSingleLine), short)
    if tiles.y_title and not tiles.style.bare:
        painter.save()
        painter.translate(QPoint(made.title, made.box.center().y()))
        painter.rotate(-90)
        half, line = 500, metrics.height()
        flags = Qt.AlignmentFlag.AlignCenter
        painter.drawText(QRect(-half, 0, 2 * half, line), int(flags), tiles.y_title)
        painter.restore()
