"""Tabs as words, the open one underlined: less ink than boxes, so that the images carry it."""

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QTabBar, QWidget

from ed_viewer.theme import Theme

_SIDE = 12  # pixels beside the words
_NARROW = 4  # and where there is little room
_LEAST = 6  # letters of a title that has to be shortened


class Tabs(QTabBar):
    """A tab bar that paints itself."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setDrawBase(False)
        self.setExpanding(False)
        self.setUsesScrollButtons(False)  # what has no room is shortened: all can be seen
        self.setElideMode(Qt.TextElideMode.ElideRight)
        self.setAccessibleName("Tabs")

    def tabSizeHint(self, index: int) -> QSize:  # noqa: N802, D102
        words = self.tabText(index).replace("&&", "&")
        # As wide as bold type is, so that nothing moves when another tab is opened.
        width = int(self.fontMetrics().horizontalAdvance(words) * 1.12) + 2 * _SIDE
        return QSize(width, self.fontMetrics().height() + 14)

    def minimumTabSizeHint(self, index: int) -> QSize:  # noqa: N802, D102
        hint = self.tabSizeHint(index)
        least = self.fontMetrics().averageCharWidth() * _LEAST
        return QSize(min(hint.width(), least), hint.height())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802, D102
        super().resizeEvent(event)
        for index in range(self.count()):
            words, shown = self._words(index)
            self.setTabToolTip(index, "" if words == shown else words)

    def _words(self, index: int) -> tuple[str, str]:
        """Return the title of a tab, and as much of it as has room."""
        words = self.tabText(index).replace("&&", "&")
        metrics = QFontMetrics(self._theme.font(bold=index == self.currentIndex()))
        room = self.tabRect(index).width() - 2 * _NARROW
        return words, metrics.elidedText(words, Qt.TextElideMode.ElideRight, room)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102
        painter = QPainter(self)
        for index in range(self.count()):
            rect, here = self.tabRect(index), index == self.currentIndex()
            painter.setFont(self._theme.font(bold=here))
            painter.setPen(self._theme.colour("text" if here else "muted"))
            words = self._words(index)[1]
            flags = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextSingleLine)
            painter.drawText(rect, flags, words)
            if here:
                side = min(12, rect.width() // 8)
                line = QRect(rect.left() + side, rect.bottom() - 2, rect.width() - 2 * side, 3)
                painter.fillRect(line, self._theme.colour("accent"))
        if self.hasFocus():
            painter.setPen(QPen(self._theme.colour("accent"), 2))
            painter.drawRect(self.tabRect(self.currentIndex()).adjusted(2, 2, -2, -5))
        painter.end()
