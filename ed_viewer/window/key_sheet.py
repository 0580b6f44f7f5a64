"""The sheet of all keys, in two columns, and of what the mouse does on the timeline."""

from collections.abc import Sequence
from itertools import groupby

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QFontMetrics
from PySide6.QtWidgets import (
    QBoxLayout,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from ed_viewer.style.text import muted, plain
from ed_viewer.style.theme import Theme
from ed_viewer.timeline.timeline import GESTURES
from ed_viewer.widgets.controls import without_icons
from ed_viewer.window.commands import shown_keys


class KeySheet(QDialog):
    """All keys and what they do, in a column where the window is narrow.

    Args:
        actions: the commands; those of one `whatsThis` share a row.
        theme: colours and type.
        parent: the window that it stands above.
    """

    def __init__(self, actions: Sequence[QAction], theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        self._theme = theme
        sheet = QWidget()
        columns = QHBoxLayout(sheet)
        columns.setContentsMargins(0, 0, 12, 0)
        columns.setSpacing(48)
        groups = groupby(actions, lambda action: action.whatsThis() or action.text())
        rows = [(shown_keys(*group), words) for words, group in groups]
        wide = QFontMetrics(theme.font(bold=True)).horizontalAdvance
        self._keys = max(wide(keys) for keys, _ in (*rows, *GESTURES))
        half = (len(rows) + len(GESTURES) + 2) // 2
        columns.addLayout(self._column(rows[:half]))
        rest = self._column(rows[half:])
        self._add_rows(rest, "On the timeline", GESTURES)
        columns.addLayout(rest)
        fill_dialog(self, sheet)
        wanted = sheet.sizeHint()
        if wanted.width() + 60 > parent.width() - 40:
            columns.setDirection(QBoxLayout.Direction.TopToBottom)
            columns.setSpacing(8)
            wanted = sheet.sizeHint()
        self.resize(
            min(wanted.width() + 60, parent.width() - 40),
            min(wanted.height() + 110, parent.height() - 40),
        )

    def _column(self, rows: Sequence[tuple[str, str]]) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(20)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        grid.setColumnMinimumWidth(0, self._keys)  # in both, should they stand below each other
        self._add_rows(grid, "", rows)
        return grid

    def _add_rows(self, grid: QGridLayout, title: str, rows: Sequence[tuple[str, str]]) -> None:
        grid.setRowStretch(max(grid.rowCount() - 1, 0), 0)
        if title:
            head = plain(QLabel(title))
            head.setFont(self._theme.font(bold=True))
            head.setContentsMargins(0, 16, 0, 0)
            grid.addWidget(head, grid.rowCount(), 1)
        for keys, words in rows:
            row = grid.rowCount()
            label = plain(QLabel(keys))
            label.setFont(self._theme.font(bold=True))
            label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
            grid.addWidget(label, row, 0)
            said = muted(plain(QLabel(words)))
            said.setAlignment(Qt.AlignmentFlag.AlignTop)
            grid.addWidget(said, row, 1)
        grid.setRowStretch(grid.rowCount(), 1)


def fill_dialog(dialog: QDialog, sheet: QWidget) -> None:
    """Lay a sheet that scrolls, and a button to close it, into a dialog."""
    scroll = QScrollArea()
    scroll.setWidget(sheet)
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.reject)
    without_icons(buttons)
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(24, 24, 12, 16)
    layout.setSpacing(16)
    layout.addWidget(scroll)
    layout.addWidget(buttons)
