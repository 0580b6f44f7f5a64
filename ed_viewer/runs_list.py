"""The runs that there are, newest first, each with the state it is in."""

import re
from pathlib import Path

from PySide6.QtCore import (
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from ed_viewer.messages import RunEntry
from ed_viewer.theme import Theme
from ed_viewer.widgets.selection import paint_selected
from ed_viewer.widgets.text import plain_state

_ENTRY = Qt.ItemDataRole.UserRole
_STAMPED = re.compile(r"(.+)-(\d{8})-(\d{6})-[0-9a-f]{6}")
_COLOURS = {"live": "live", "crashed": "failed", "failed": "failed"}


def state_colour(state: str) -> str:
    """Return the name of the palette's colour for a state."""
    return _COLOURS.get(state, "done")


class RunsList(QListWidget):
    """A list that keeps its selection while runs come and go.

    Signals:
        chosen: the path of the run to open.
    """

    chosen = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: list[RunEntry] = []
        self._open: Path | None = None
        self.setAccessibleName("Runs")
        self.setItemDelegate(_Delegate(theme, self))
        self.setFrameShape(QListWidget.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.viewport().setAutoFillBackground(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.itemClicked.connect(self._choose)
        self.itemActivated.connect(self._choose)

    @property
    def entries(self) -> list[RunEntry]:
        """The runs that are listed."""
        return self._entries

    def show_entries(self, entries: list[RunEntry]) -> None:
        """Show these runs; nothing is redrawn while nothing changes."""
        if entries == self._entries:
            return
        self._entries = entries
        self.clear()
        for entry in entries:
            item = QListWidgetItem(entry.path.name)
            item.setData(_ENTRY, entry)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{entry.path.name}, {entry.state}")
            self.addItem(item)
        self.mark(self._open)

    def mark(self, path: Path | None) -> None:
        """Select the run that is open."""
        self._open = path
        for row, entry in enumerate(self._entries):
            if entry.path == path:
                self.setCurrentRow(row)

    def _choose(self, item: QListWidgetItem) -> None:
        self.chosen.emit(item.data(_ENTRY).path)


class _Delegate(QStyledItemDelegate):
    """Draws a dot, the run's name and a line about it, as they are: never as rich text."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(  # noqa: N802
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(120, 2 * option.fontMetrics.height() + 16)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        entry = index.data(_ENTRY)
        theme, rect = self._theme, QRect(option.rect)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if selected:
            paint_selected(painter, rect, theme)
        line = option.fontMetrics.height()
        first = QRect(rect.left() + 40, rect.top() + 8, rect.width() - 52, line)
        dot = QPointF(rect.left() + 26, first.center().y() + 1)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(state_colour(entry.state)))
        painter.drawEllipse(dot, 5, 5)
        elide = option.fontMetrics.elidedText
        middle = Qt.TextElideMode.ElideMiddle
        painter.setPen(theme.colour("text"))
        name, began = name_and_time(entry.path.name)
        painter.drawText(first, 0, elide(name, middle, first.width()))
        painter.setPen(theme.colour("muted"))
        about = " · ".join(part for part in (plain_state(entry.state), began) if part)
        second = first.translated(0, line)
        painter.drawText(second, 0, elide(about, Qt.TextElideMode.ElideRight, second.width()))
        painter.restore()


def name_and_time(name: str) -> tuple[str, str]:
    """Return a run's name and when it began, out of its folder's name `name-date-time-random`."""
    found = _STAMPED.fullmatch(name)
    if found is None:
        return name, ""
    first, day, hour = found.groups()
    return first, f"{day[4:6]}-{day[6:]} {hour[:2]}:{hour[2:4]}"
