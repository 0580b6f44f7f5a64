"""Ctrl+K: everything the window can be told, found by a few letters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QPoint, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QDialog,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
)

from ed_viewer.style.theme import Theme
from ed_viewer.window.commands import shown_keys
from ed_viewer.window.feature import Feature
from ed_viewer.window.workbench import Workbench

_START = 8  # a letter that begins a word
_NEXT = 10  # one that follows the letter before it
_GAP = 0.1  # taken off for every letter left out
_WIDTH, _ROWS = 560, 12
_KEYS = Qt.ItemDataRole.UserRole
_TO_THE_LIST = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


def score(query: str, text: str) -> float | None:
    """Return how well the letters of a query, in their order, stand in a text; None if they do not.

    Case and blanks do not count. The best of the places where the first letter stands is taken.
    """
    letters = "".join(query.lower().split())
    if not letters:
        return 0.0
    low = text.lower()
    starts = [i for i, letter in enumerate(low) if letter == letters[0]]
    scores = [found for start in starts if (found := _from(letters, low, start)) is not None]
    return max(scores, default=None)


def rank(query: str, texts: Sequence[str]) -> list[int]:
    """Return the places of the texts that match, best first, equals in their order."""
    scores = [(score(query, text), place) for place, text in enumerate(texts)]
    found = [(-value, place) for value, place in scores if value is not None]
    return [place for _, place in sorted(found)]


def _from(letters: str, text: str, start: int) -> float | None:
    total, last = 0.0, -1
    at = start
    for letter in letters:
        at = text.find(letter, at)
        if at < 0:
            return None
        total += _START if at == 0 or not text[at - 1].isalnum() else 0
        total += _NEXT if at == last + 1 and last >= 0 else 0
        total -= _GAP * (at - last - 1) if last >= 0 else 0
        last, at = at, at + 1
    return total


@dataclass(frozen=True, slots=True)
class PaletteEntry:
    """A line: what it says, its key, and what it does."""

    words: str
    keys: str
    act: Callable[[], object]


class PaletteFeature(Feature):
    """Opens the palette on what there is now."""

    name = "palette"

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        words = "Search commands, tabs and runs"
        self.command("palette", words, "Ctrl+K", self.open, menu="Help")

    def open(self) -> None:
        """Show the palette in the upper middle of the window."""
        palette = CommandPalette(entries(self.bench), self.bench.theme, self.bench)
        palette.move(
            self.bench.mapToGlobal(QPoint((self.bench.width() - palette.width()) // 2, 64))
        )
        palette.show()
        palette.query.setFocus()


def entries(bench: Workbench) -> list[PaletteEntry]:
    """Return the commands, the tabs by their titles among them, and the runs."""
    offered = [
        PaletteEntry(action.text().replace("&&", "&"), shown_keys(action), action.trigger)
        for action in bench.commands
        if action.isVisible() and action.objectName() != "palette"
    ]
    for run in bench.runs.entries:
        offered.append(PaletteEntry(f"Open run {run.path.name}", "", partial(bench.open, run.path)))
    return offered


class CommandPalette(QDialog):
    """A line to type in and the entries that match; Enter does the one that is marked."""

    def __init__(self, offered: list[PaletteEntry], theme: Theme, parent: Workbench) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAccessibleName("Commands")
        self._offered = offered
        self._theme = theme
        self.query = QLineEdit()
        self.query.setPlaceholderText("Type a command, a tab or a run")
        self.query.setAccessibleName("Search commands")
        self.query.installEventFilter(self)
        self.list = QListWidget()
        self.list.setFrameShape(QListWidget.Shape.NoFrame)
        self.list.viewport().setAutoFillBackground(False)
        self.list.setItemDelegate(_CommandDelegate(theme, self.list))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setAccessibleName("Commands")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(self._act)
        self.query.textChanged.connect(self._search)
        self.query.returnPressed.connect(self._act)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(8)
        layout.addWidget(self.query)
        layout.addWidget(self.list)
        self._search("")
        line = self.list.sizeHintForRow(0)
        self.resize(_WIDTH, self.query.sizeHint().height() + 26 + _ROWS * line)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint a border (called by Qt): a popup has none of its own."""
        painter = QPainter(self)
        painter.setPen(self._theme.colour("done"))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def _search(self, text: str) -> None:
        self.list.clear()
        for place in rank(text, [entry.words for entry in self._offered]):
            entry = self._offered[place]
            item = QListWidgetItem(entry.words)
            item.setData(_KEYS, (entry.keys, place))
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{entry.words}, {entry.keys}")
            self.list.addItem(item)
        self.list.setCurrentRow(0)

    def _act(self, _: object = None) -> None:
        item = self.list.currentItem()
        if item is None:
            return
        _, place = item.data(_KEYS)
        self.close()  # first: the command may open something of its own
        self._offered[place].act()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Let the arrow keys move the mark while letters are typed (called by Qt)."""
        pressed = isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress
        if isinstance(event, QKeyEvent) and pressed and event.key() in _TO_THE_LIST:
            self.list.keyPressEvent(event)
            return True
        return super().eventFilter(watched, event)


class _CommandDelegate(QStyledItemDelegate):
    """Draws the words at the left and the key at the right."""

    def __init__(self, theme: Theme, parent: QListWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(  # noqa: N802
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(120, option.fontMetrics.height() + 10)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        marked = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        if marked:
            painter.fillRect(option.rect, self._theme.colour("accent"))
        keys, _ = index.data(_KEYS)
        room = option.rect.adjusted(12, 0, -12, 0)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(self._theme.colour("on_accent" if marked else "muted"))
        painter.drawText(room, int(middle | Qt.AlignmentFlag.AlignRight), keys)
        painter.setPen(self._theme.colour("on_accent" if marked else "text"))
        room.setRight(room.right() - option.fontMetrics.horizontalAdvance(keys) - 16)
        words = option.fontMetrics.elidedText(
            index.data(), Qt.TextElideMode.ElideMiddle, room.width()
        )
        painter.drawText(room, int(middle | Qt.AlignmentFlag.AlignLeft), words)
        painter.restore()
