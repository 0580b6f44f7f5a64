"""Tabs with tools at their right."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QTabWidget, QWidget

from ed_viewer.theme import Theme
from ed_viewer.widgets.tabs import Tabs


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
        wanted = [(title.replace("&", "&&"), widget) for title, widget in tabs]
        if wanted != [(self.tabText(at), self.widget(at)) for at in range(self.count())]:
            self.clear()  # takes the focus out of them
            for title, widget in wanted:
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
