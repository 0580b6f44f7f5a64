"""A surface with a border on the window's background."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from ed_viewer.theme import Theme

_RADIUS = 6.0  # pixels


class Card(QWidget):
    """Paints its background and border from the theme; children go on top."""

    framed = True
    """Whether it has a border and round corners: not where it is all of a picture."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    @property
    def surface(self) -> QColor:
        """The colour of its background."""
        return self._theme.colour("card")

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102
        painter = QPainter(self)
        if not self.framed:
            painter.fillRect(self.rect(), self.surface)
            painter.end()
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.colour("line"), 1))
        painter.setBrush(self.surface)
        # Half a pixel in, so that the border is one sharp pixel wide.
        painter.drawRoundedRect(
            QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), _RADIUS, _RADIUS
        )
        painter.end()
        if self.hasFocus():
            self._paint_focus()

    def _paint_focus(self) -> None:
        painter = QPainter(self)
        painter.setPen(QPen(self._theme.colour("accent"), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(self.rect().adjusted(1, 1, -1, -1))
        painter.end()
