"""The letter of a run, A or B, framed like its curves: solid or dashed, in its colour."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from ed_viewer.palette import run_colour
from ed_viewer.theme import Theme

SIDE = 20  # pixels


def paint_badge(painter: QPainter, rect: QRectF, side: str, theme: Theme) -> None:
    """Draw the letter of a run into a square."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(run_pen(theme, side, 2.0))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), 4, 4)
    painter.setPen(theme.colour("text"))
    painter.setFont(theme.font(0.9, bold=True))
    painter.drawText(rect, int(Qt.AlignmentFlag.AlignCenter), side)
    painter.restore()


def run_pen(theme: Theme, side: str, width: float) -> QPen:
    """Return the pen of a run's lines, in pixels: A is solid, B is dashed."""
    pen = QPen(run_colour(theme.palette, side), width)
    pen.setCosmetic(True)  # or a plot would take the width for one on its axes
    if side == "B":
        pen.setDashPattern([4.0, 2.5])
    return pen


class Badge(QWidget):
    """The letter of a run."""

    def __init__(self, side: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._side = side
        self._theme = theme
        self.setFixedSize(QSize(SIDE, SIDE))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102
        painter = QPainter(self)
        paint_badge(painter, QRectF(self.rect()), self._side, self._theme)
        painter.end()
