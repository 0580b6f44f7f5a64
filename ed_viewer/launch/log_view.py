"""Shows what a training says."""

from pathlib import Path

from PySide6.QtGui import QFontDatabase, QHideEvent, QShowEvent
from PySide6.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from ed_viewer.launch.log_tail import LogTail
from ed_viewer.theme import Theme
from ed_viewer.widgets.card import Card

_LINES = 5000  # that are kept
_NONE = "No run is open"


class LogView(QWidget):
    """The end of a log; it is read while this is visible alone."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._path: Path | None = None
        self._tail = LogTail(self)
        self._text = QPlainTextEdit()
        self._text.setReadOnly(True)
        self._text.setUndoRedoEnabled(False)
        self._text.setMaximumBlockCount(_LINES)
        self._text.setPlaceholderText(_NONE)
        self._text.setAccessibleName("Log")
        self._text.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self._text.viewport().setAutoFillBackground(False)  # the card is behind it
        card = Card(theme)
        inside = QVBoxLayout(card)
        inside.setContentsMargins(8, 6, 2, 2)
        inside.addWidget(self._text)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 0, 8, 0)
        layout.addWidget(card)
        self._tail.began.connect(self._begin)
        self._tail.said.connect(self._add)
        theme.changed.connect(self._restyle)
        self._restyle()

    @property
    def text(self) -> str:
        """What it shows."""
        return self._text.toPlainText()

    def follow(self, path: Path | None, otherwise: str = "") -> None:
        """Show another log, or none; and say something as long as there is nothing in it."""
        self._path = path
        self._text.setPlaceholderText(otherwise or _NONE)
        self._text.viewport().update()  # Qt goes on showing the words of before
        if self.isVisible():
            self._tail.follow(path)

    def stop(self) -> None:
        """End the thread that reads."""
        self._tail.stop()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802, D102
        super().showEvent(event)
        self._tail.follow(self._path)

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802, D102
        super().hideEvent(event)
        if self._tail.isRunning():
            self._tail.follow(None)

    def _begin(self, path: Path | None) -> None:
        self._text.clear()

    def _add(self, text: str) -> None:
        self._text.appendPlainText(text.removesuffix("\n"))  # stays at the end if it is there

    def _restyle(self) -> None:
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        fixed.setPointSizeF(self._theme.points)
        self._text.setFont(fixed)
