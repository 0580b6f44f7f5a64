"""A label that ends in dots where it has no room: a QLabel would cut a letter in two."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel

_LEAST = 4  # letters


class Words(QLabel):
    """One line of plain text; as much of it as there is room for."""

    def minimumSizeHint(self) -> QSize:  # noqa: N802, D102
        hint = self.sizeHint()
        least = _LEAST * self.fontMetrics().averageCharWidth()
        return QSize(min(hint.width(), least), hint.height())

    @property
    def shown(self) -> str:
        """As much of the text as there is room for."""
        return self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(self.rect(), int(flags) | int(Qt.TextFlag.TextSingleLine), self.shown)
        painter.end()
