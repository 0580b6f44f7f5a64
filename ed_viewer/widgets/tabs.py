"""Tabs as words, the open one underlined: less ink than boxes, so that the images carry it."""

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QTabBar, QToolButton, QWidget

from ed_viewer.theme import Theme

_SIDE = 12  # pixels beside the words


class Tabs(QTabBar):
    """A tab bar that paints itself."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setDrawBase(False)
        self.setExpanding(False)
        self.setAccessibleName("Tabs")
        for button in self.findChildren(QToolButton):  # Qt's, for tabs that have no room
            button.setToolTip(button.accessibleName())

    def tabSizeHint(self, index: int) -> QSize:  # noqa: N802, D102
        words = self.tabText(index).replace("&&", "&")
        # As wide as bold type is, so that nothing moves when another tab is opened.
        width = int(self.fontMetrics().horizontalAdvance(words) * 1.12) + 2 * _SIDE
        return QSize(width, self.fontMetrics().height() + 14)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102
        painter = QPainter(self)
        for index in range(self.count()):
            rect, here = self.tabRect(index), index == self.currentIndex()
            painter.setFont(self._theme.font(bold=here))
            painter.setPen(self._theme.colour("text" if here else "muted"))
            words = self.tabText(index).replace("&&", "&")
            flags = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextSingleLine)
            painter.drawText(rect, flags, words)
            if here:
                line = QRect(rect.left() + _SIDE, rect.bottom() - 2, rect.width() - 2 * _SIDE, 3)
                painter.fillRect(line, self._theme.colour("accent"))
        if self.hasFocus():
            painter.setPen(QPen(self._theme.colour("accent"), 2))
            painter.drawRect(self.tabRect(self.currentIndex()).adjusted(2, 2, -2, -5))
        painter.end()
