"""A check box whose frame can be seen on a dark background, which that of Fusion cannot."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

_SIDE = 18  # pixels
_TICK = QPolygonF([QPointF(5, 10), QPointF(8.5, 13.5), QPointF(14, 6.5)])


class Check(QAbstractButton):
    """A square with a tick while it is checked; it takes its colours from the palette."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:  # noqa: N802, D102
        return QSize(_SIDE + 1, _SIDE + 1)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102
        roles, palette = QPalette.ColorRole, self.palette()
        edge = palette.color(roles.Highlight if self.hasFocus() else roles.PlaceholderText)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self.isEnabled():
            painter.setOpacity(0.5)
        painter.setPen(QPen(edge, 2 if self.hasFocus() else 1.2))
        painter.setBrush(palette.color(roles.Highlight if self.isChecked() else roles.Base))
        painter.drawRoundedRect(QRectF(1, 1, _SIDE - 1, _SIDE - 1), 3, 3)
        if self.isChecked():
            painter.setPen(QPen(palette.color(roles.HighlightedText), 2.2))
            painter.drawPolyline(_TICK)
        painter.end()
