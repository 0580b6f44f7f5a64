"""Tabs as words, the open one underlined."""

from collections.abc import Sequence

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QTabBar, QTabWidget, QToolButton, QWidget

from ed_viewer.style.theme import Theme

_SIDE = 12  # pixels beside the words
_NARROW = 3  # and where there is little room
_LEAST = 4  # letters of a title, in a window that is too small for all


class Tabs(QTabBar):
    """Tab bar that paints itself."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._widths: list[int] = []
        self.setDrawBase(False)
        self.setExpanding(False)
        self.setUsesScrollButtons(False)  # what has no room is shortened: all can be seen
        self.setElideMode(Qt.TextElideMode.ElideRight)
        self.setAccessibleName("Tabs")
        for button in self.findChildren(QToolButton):  # Qt's, which are never shown
            button.setToolTip(button.accessibleName())

    @property
    def wanted(self) -> int:
        """How wide all tabs are together where there is room."""
        return sum(self._natural(index) for index in range(self.count()))

    @property
    def needed(self) -> int:
        """How wide they are together at least with whole titles."""
        return sum(self._tight(index) for index in range(self.count()))

    def set_room(self, room: int) -> None:
        """Take the room that there is; the longest titles are shortened to fit it."""
        every = range(self.count())
        tight = [self._tight(index) for index in every]
        widths = fitted([self._natural(index) for index in every], tight, room)
        if widths != self._widths:
            self._widths = widths
            for index in every:  # Qt lays the tabs out again
                self.setTabText(index, self.tabText(index))

    def _natural(self, index: int) -> int:
        words = self.tabText(index).replace("&&", "&")
        # As wide as bold type is, so that nothing moves when another tab is opened.
        return int(self.fontMetrics().horizontalAdvance(words) * 1.12) + 2 * _SIDE

    def _tight(self, index: int) -> int:
        return self._natural(index) - 2 * (_SIDE - _NARROW)

    def tabSizeHint(self, index: int) -> QSize:  # noqa: N802, D102
        measured = len(self._widths) == self.count()
        width = self._widths[index] if measured else self._natural(index)
        return QSize(width, self.fontMetrics().height() + 14)

    def minimumTabSizeHint(self, index: int) -> QSize:  # noqa: N802, D102
        hint = self.tabSizeHint(index)
        least = self.fontMetrics().averageCharWidth() * _LEAST
        return QSize(min(hint.width(), least), hint.height())

    def tabLayoutChange(self) -> None:  # noqa: N802, D102
        for index in range(self.count()):
            words, elided = self._words(index)
            self.setTabToolTip(index, "" if words == elided else words)

    def _words(self, index: int) -> tuple[str, str]:
        """Return the title of a tab, and as much of it as has room in bold type."""
        words = self.tabText(index).replace("&&", "&")
        metrics = QFontMetrics(self._theme.font(bold=True))
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


def fitted(wide: Sequence[int], tight: Sequence[int], room: int) -> list[int]:
    """Return the widths of tabs that fit a room: first less space, then shorter titles.

    Args:
        wide: of each tab where there is room.
        tight: of each with no space beside its words.
        room: for all of them.
    """
    if sum(wide) <= room:
        return list(wide)
    if sum(tight) <= room:
        share = (room - sum(tight)) / max(sum(wide) - sum(tight), 1)
        return [int(t + (w - t) * share) for w, t in zip(wide, tight, strict=True)]
    left, cap = max(room, 0), 0
    for done, width in enumerate(sorted(tight)):
        cap = left // (len(tight) - done)
        if width > cap:
            break
        left -= width
    return [min(width, cap) for width in tight]


class TabWidget(QTabWidget):
    """Tabs as words, and tools on the same line.

    Attributes:
        tabs: their bar.

    Signals:
        resized: there is more or less room, or other tabs.
    """

    resized = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tabs = Tabs(theme)
        self.setTabBar(self.tabs)
        self.setDocumentMode(True)

    def set_tools(self, tools: Sequence[QWidget]) -> None:
        """Put these at the right of the tabs."""
        corner = QWidget()
        row = QHBoxLayout(corner)
        row.setContentsMargins(0, 0, 0, 4)
        row.setSpacing(4)
        for tool in tools:
            row.addWidget(tool)
        self.setCornerWidget(corner, Qt.Corner.TopRightCorner)

    def set_tabs(self, tabs: Sequence[tuple[str, QWidget]], chosen: str) -> None:
        """Have these titles and widgets; open `chosen`, or the first. Only `resized` is sent."""
        self.blockSignals(True)
        # An ampersand would become a shortcut instead of a letter.
        pages = [(title.replace("&", "&&"), widget) for title, widget in tabs]
        if pages != [(self.tabText(at), self.widget(at)) for at in range(self.count())]:
            self.clear()  # takes the focus out of them
            for title, widget in pages:
                self.addTab(widget, title)
        titles = [title for title, _ in tabs]
        self.setCurrentIndex(titles.index(chosen) if chosen in titles else 0)
        self.blockSignals(False)
        self.resized.emit()

    def paintEvent(self, event: object) -> None:  # noqa: N802
        """Paint nothing (called by Qt): its line below the tools would be no part of anything."""

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802, D102
        super().resizeEvent(event)
        self.resized.emit()
