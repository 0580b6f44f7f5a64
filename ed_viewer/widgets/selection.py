"""The selected line of a list: a surface with a bar of the accent at its left."""

from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QPainter, QPen

from ed_viewer.theme import Theme


def paint_selected(painter: QPainter, rect: QRect, theme: Theme) -> None:
    """Paint below the text of a line that fills `rect`."""
    painter.setBrush(theme.colour("card"))
    paint_framed(painter, rect, theme)
    bar = QRect(rect.left() + 9, rect.top() + 9, 3, rect.height() - 18)
    painter.fillRect(bar, theme.colour("accent"))


def paint_framed(painter: QPainter, rect: QRect, theme: Theme) -> None:
    """Paint the frame of a line that the keys have reached, and that is not the selected one."""
    painter.setPen(QPen(theme.colour("line"), 1))
    painter.drawRoundedRect(QRectF(rect).adjusted(8.5, 2.5, -0.5, -2.5), 6, 6)
