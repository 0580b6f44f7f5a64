"""The runs that there are, newest first, each with the state it is in."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QPainter
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QMenu, QWidget

from ed_viewer.reading.messages import RunEntry
from ed_viewer.reading.run_names import differences, model_and_data, name_and_time, titles
from ed_viewer.style.palette import Side
from ed_viewer.style.text import plain_state
from ed_viewer.style.theme import Theme
from ed_viewer.widgets.cards import SIDE, paint_badge
from ed_viewer.widgets.list_rows import Index, RowDelegate

_ENTRY = Qt.ItemDataRole.UserRole
_COLOURS = {"live": "live", "crashed": "failed", "failed": "failed"}


def state_colour(state: str) -> str:
    """Return the name of the palette's colour for a state."""
    return _COLOURS.get(state, "done")


class RunsList(QListWidget):
    """A list that keeps its selection while runs come and go.

    The open run is highlighted, and what the keys have selected beside it is framed. Rows stay
    where they are while the mouse is over them: what is new comes at the end until it has left.
    While two runs are compared, their letters stand beside them.

    Signals:
        chosen: the path of the run to open.
        compared: the path of the run to compare with the open one; if it is, no longer.
        asked: the path of the run whose options are wanted.
    """

    chosen = Signal(object)
    compared = Signal(object)
    asked = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: list[RunEntry] = []
        self._newest: list[RunEntry] = []  # in the order that the list takes without the mouse
        self._differs: dict[Path, str] = {}
        self._open: Path | None = None
        self._beside: Path | None = None
        self.setAccessibleName("Runs")
        self.setItemDelegate(_RunDelegate(theme, self))
        self.setFrameShape(QListWidget.Shape.NoFrame)
        self.setMouseTracking(True)
        self.viewport().setAutoFillBackground(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.itemClicked.connect(self._choose)
        self.itemActivated.connect(self._choose)

    @property
    def entries(self) -> list[RunEntry]:
        """The runs that are listed."""
        return self._entries

    @property
    def selected(self) -> Path | None:
        """The run that is selected, by the keys it may be another than the open one."""
        item = self.currentItem()
        return item.data(_ENTRY).path if item else None

    @property
    def paths(self) -> list[Path]:
        """All runs, newest first."""
        return [entry.path for entry in self._entries]

    def entry(self, path: Path | None) -> RunEntry | None:
        """Return what is known of a run, None where it is not in the list."""
        return next((entry for entry in self._entries if entry.path == path), None)

    def title(self, path: Path) -> str:
        """Return what a run is called beside the others: its name, what differs, its time."""
        return titles(self._entries).get(path) or " · ".join(filter(None, name_and_time(path.name)))

    def differs(self, path: Path) -> str:
        """Return in which options a run is not like the others of its name, in words."""
        return self._differs.get(path, "")

    def is_open(self, path: Path) -> bool:
        """Tell whether this is the run on show."""
        return path == self._open

    def side(self, path: Path) -> Side | None:
        """Return which of the two runs that are compared it is, None for others."""
        if self._beside is None:
            return None
        return Side.A if path == self._open else Side.B if path == self._beside else None

    def show_entries(self, entries: list[RunEntry]) -> None:
        """Show these runs; nothing is redrawn while nothing changes."""
        self._newest = entries
        if self.underMouse():
            entries = _in_place(entries, self.paths)
        if entries == self._entries:
            return
        kept, at = self.selected or self._open, self.verticalScrollBar().value()
        self._entries, self._differs = entries, differences(entries)
        self.clear()
        for entry in entries:
            item = QListWidgetItem(entry.path.name)
            said = (str(entry.path), self.differs(entry.path), entry.problem)
            item.setToolTip("<br>".join(f"<span>{escape(part)}</span>" for part in said if part))
            item.setData(_ENTRY, entry)
            self.addItem(item)
        self._name_items()
        if not self._select(kept):
            self._select(self._open)
        self.verticalScrollBar().setValue(at)

    def mark(self, path: Path | None) -> None:
        """Select the run that is open."""
        self._open = path
        self._name_items()
        if not self._select(path):
            self.setCurrentRow(-1)  # it is selected as soon as it is listed
        self.viewport().update()

    def mark_beside(self, path: Path | None) -> None:
        """Mark the run that is compared with the open one, or none."""
        self._beside = path
        self._name_items()
        self.viewport().update()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802, D102
        item = self.itemAt(event.pos())
        if item is None:
            return
        path = item.data(_ENTRY).path
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Options of this run …").triggered.connect(lambda: self.asked.emit(path))
        if path != self._open:
            words = "Stop comparing" if path == self._beside else "Compare with the open run"
            menu.addAction(words).triggered.connect(lambda: self.compared.emit(path))
        menu.popup(event.globalPos())

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802
        """Let the rows go to their places (called by Qt)."""
        super().leaveEvent(event)
        self.show_entries(self._newest)

    def _name_items(self) -> None:
        for row, entry in enumerate(self._entries):
            side = self.side(entry.path)
            words = f"{entry.path.name}, {entry.state}" + (f", run {side.value}" if side else "")
            self.item(row).setData(Qt.ItemDataRole.AccessibleTextRole, words)

    def _select(self, path: Path | None) -> bool:
        """Select a run; returns whether it is in the list."""
        if path not in self.paths:
            return False
        self.setCurrentRow(self.paths.index(path))
        return True

    def _choose(self, item: QListWidgetItem) -> None:
        if item.data(_ENTRY).path != self._open:  # else its cursor and its loop would be lost
            self.chosen.emit(item.data(_ENTRY).path)


def _in_place(entries: list[RunEntry], paths: Sequence[Path]) -> list[RunEntry]:
    """Return entries in the order of these paths, and after them those of others."""
    places = {path: place for place, path in enumerate(paths)}
    return sorted(entries, key=lambda entry: places.get(entry.path, len(places)))


class _RunDelegate(RowDelegate):
    """Draws a dot, the run's name and a line about it, and the letter of a run that is compared."""

    left, right = 40, 12
    cut = Qt.TextElideMode.ElideMiddle

    def __init__(self, theme: Theme, runs: RunsList) -> None:
        super().__init__(theme, runs)
        self._runs = runs

    def lines(self, index: Index) -> Sequence[str]:
        entry = index.data(_ENTRY)
        name, began = name_and_time(entry.path.name)
        about = " · ".join(part for part in (plain_state(entry.state), began) if part)
        differs = self._runs.differs(entry.path)
        return [part for part in (*model_and_data(name), differs, about, entry.problem) if part]

    def is_marked(self, index: Index, selected: bool) -> bool:
        return self._runs.is_open(index.data(_ENTRY).path)

    def paint_beside(self, painter: QPainter, line: QRect, index: Index) -> int:
        entry, middle = index.data(_ENTRY), line.center().y() + 1
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.colour(state_colour(entry.state)))
        painter.drawEllipse(QPointF(line.left() - 14, middle), 5, 5)
        side = self._runs.side(entry.path)
        if not side:
            return 0
        room = QRectF(line.right() + 4 - SIDE, middle - SIDE / 2, SIDE, SIDE)
        paint_badge(painter, room, side, self.theme)
        return SIDE + 2
